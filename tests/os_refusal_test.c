/*
 * os_refusal_test.c - what the system answers on rare days only: calls that a file system, a kernel
 * or a moment refuses, and what the table of functions makes of each.
 *
 * A definition in the program takes the place of the C library's. Each asks whether its refusal is
 * due, and else passes the call on.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failing_memory.h"
#include "os/fault.h"
#include "os/memory.h"
#include "os/os.h"

enum { PATH_SIZE = 256, REFUSALS_MAX = 2, PAGE = 4096 };

/* ---- calls refused on command -------------------------------------------------------------- */

struct refusal {
    const char *call;
    int number; /* for errno */
    int times;  /* still to come */
};

static struct refusal refusals[REFUSALS_MAX];

/* The next `times` calls of `call` fail with `number`; what was left of other ones is forgotten. */
static void refuse(const char *call, int number, int times)
{
    refusals[0] = (struct refusal){call, number, times};
    refusals[1].times = 0;
}

static void refuse_also(const char *call, int number, int times)
{
    refusals[1] = (struct refusal){call, number, times};
}

static bool is_refused(const char *call)
{
    for (size_t i = 0; i < REFUSALS_MAX; i++) {
        if (refusals[i].times > 0 && strcmp(refusals[i].call, call) == 0) {
            refusals[i].times--;
            errno = refusals[i].number;
            return true;
        }
    }
    return false;
}

/* Every refusal has been met: else the test has shown nothing. */
static void expect_met(void)
{
    for (size_t i = 0; i < REFUSALS_MAX; i++) {
        cr_assert_eq(refusals[i].times, 0, "%s was not called", refusals[i].call);
    }
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return is_refused("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (command == F_OFD_SETLK && is_refused("lock")) {
        return -1;
    }
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

int flock(int fd, int operation)
{
    return is_refused("flock") ? -1 : (int)syscall(SYS_flock, fd, operation);
}

int fstatat(int at, const char *path, struct stat *status, int flags)
{
    return is_refused("fstatat") ? -1 : (int)syscall(SYS_newfstatat, at, path, status, flags);
}

int fstat(int fd, struct stat *status)
{
    return is_refused("fstat") ? -1 : fstatat(fd, "", status, AT_EMPTY_PATH);
}

int ftruncate(int fd, off_t size)
{
    return is_refused("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    return is_refused("fallocate") ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (is_refused("mmap")) {
        return MAP_FAILED;
    }
    long mapped = syscall(SYS_mmap, address, size, protection, flags, fd, offset);
    return (void *)mapped; // NOLINT(performance-no-int-to-ptr)
}

int madvise(void *address, size_t size, int advice)
{
    return is_refused("madvise") ? -1 : (int)syscall(SYS_madvise, address, size, advice);
}

int getentropy(void *buffer, size_t size)
{
    return is_refused("getentropy") || syscall(SYS_getrandom, buffer, size, 0) < 0 ? -1 : 0;
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    if (is_refused("renameat2")) {
        return -1;
    }
    return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}

int unlink(const char *path)
{
    return is_refused("unlink") ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int link(const char *from, const char *to)
{
    return is_refused("link") ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* Also as the kernel answers where the directory lies outside of the root directory. */
char *getcwd(char *buffer, size_t size)
{
    if (is_refused("getcwd")) {
        return NULL;
    }
    if (is_refused("reachable getcwd")) {
        (void)snprintf(buffer, size, "(unreachable)/directory");
        return buffer;
    }
    return syscall(SYS_getcwd, buffer, size) < 0 ? NULL : buffer;
}

struct dirent *readdir(DIR *stream)
{
    if (is_refused("readdir")) {
        return NULL;
    }
    struct dirent *(*next)(DIR *) = NULL;
    *(void **)&next = dlsym(RTLD_NEXT, "readdir64");
    return next(stream);
}

/* ---- a directory of its own for each test -------------------------------------------------- */

static const struct vs_os *os;
static char directory[PATH_SIZE];
static char one[PATH_SIZE * 2];   /* the path of a file */
static char other[PATH_SIZE * 2]; /* and of another, not yet there */

static void set_up(void)
{
    os = vs_os_real();
    const char *parent = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): before any thread
    (void)snprintf(directory, sizeof directory, "%s/verso-os-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    (void)snprintf(one, sizeof one, "%s/one", directory);
    (void)snprintf(other, sizeof other, "%s/other", directory);
}

static void tear_down(void)
{
    (void)unlink(one);
    (void)unlink(other);
    cr_assert_eq(rmdir(directory), 0); /* and no other file was left */
}

TestSuite(os_refusal, .init = set_up, .fini = tear_down);

static struct vs_file *create(void)
{
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, one, VS_OPEN_CREATE, &file), VERSO_OK, "%s", vs_fault_detail());
    return file;
}

/* ---- files --------------------------------------------------------------------------------- */

Test(os_refusal, opens_a_file_though_signals_interrupt_it)
{
    refuse("open", EINTR, 3);
    os->close(create());
    expect_met();
}

Test(os_refusal, reports_a_file_whose_state_cannot_be_read)
{
    struct vs_file *file = create();
    struct vs_file *second = NULL;
    struct vs_file_identity identity;
    refuse("fstat", EIO, 1);
    cr_assert_eq(os->open(os, one, VS_OPEN_READ, &second), VERSO_IO);
    cr_assert_null(second);
    refuse("fstat", EIO, 1);
    cr_assert_eq(os->identify(file, &identity), VERSO_IO);
    refuse("fstat", EIO, 1);
    cr_assert_eq(os->allocate(file, PAGE), VERSO_IO);
    expect_met();
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    cr_assert_eq(identity.size, 0); /* nothing was allocated in the dark */
    os->close(file);
}

Test(os_refusal, opens_nothing_without_memory)
{
    os->close(create());
    int64_t before = failing_memory_held();
    struct vs_file *file = NULL;
    failing_memory_arm(1, false);
    verso_err err = os->open(os, one, VS_OPEN_READ, &file);
    cr_assert_eq(failing_memory_disarm(), 1);
    cr_assert_eq(err, VERSO_NOMEM);
    cr_assert_null(file);
    cr_assert_eq(failing_memory_held(), before);
}

Test(os_refusal, refuses_lengths_beyond_any_file)
{
    struct vs_file *file = create();
    char byte = 0;
    cr_assert_eq(os->read_at(file, 0, &byte, SIZE_MAX), VERSO_CORRUPT);
    cr_assert_eq(os->write_at(file, 0, &byte, SIZE_MAX), VERSO_NOSPC);
    os->close(file);
}

Test(os_refusal, sets_a_length_through_interruptions_and_reports_a_refusal)
{
    struct vs_file *file = create();
    struct vs_file_identity identity;
    cr_assert_eq(os->write_at(file, 0, "hello", 5), VERSO_OK);
    refuse("ftruncate", EIO, 1);
    cr_assert_eq(os->truncate(file, 3), VERSO_IO);
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    cr_assert_eq(identity.size, 5);
    refuse("ftruncate", EINTR, 3);
    cr_assert_eq(os->truncate(file, 3), VERSO_OK);
    expect_met();
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    cr_assert_eq(identity.size, 3);
    os->close(file);
}

Test(os_refusal, allocates_though_signals_interrupt_it)
{
    struct vs_file *file = create();
    struct vs_file_identity identity;
    refuse("fallocate", EINTR, 3);
    cr_assert_eq(os->allocate(file, PAGE), VERSO_OK);
    expect_met();
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    cr_assert_eq(identity.size, PAGE);
    os->close(file);
}

/* ---- locks --------------------------------------------------------------------------------- */

Test(os_refusal, locks_through_interruptions_and_tells_held_from_broken)
{
    struct vs_file *file = create();
    refuse("lock", EACCES, 1); /* how some systems say that it is held */
    cr_assert_eq(os->lock(file, true), VERSO_BUSY);
    refuse("lock", ENOLCK, 1);
    cr_assert_eq(os->lock(file, true), VERSO_IO);
    refuse("lock", EINTR, 3);
    cr_assert_eq(os->lock(file, true), VERSO_OK);
    expect_met();
    os->close(file);
}

Test(os_refusal, locks_the_other_way_where_the_kernel_has_no_locks_of_open_files)
{
    struct vs_file *first = create();
    struct vs_file *second = NULL;
    cr_assert_eq(os->open(os, one, VS_OPEN_WRITE, &second), VERSO_OK);
    refuse("lock", EINVAL, 6); /* one of them gives the lock up */
    cr_assert_eq(os->lock(first, false), VERSO_OK);
    cr_assert_eq(os->lock(second, false), VERSO_OK);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    os->close(first);
    cr_assert_eq(os->lock(second, true), VERSO_OK);
    refuse_also("flock", ENOLCK, 1);
    cr_assert_eq(os->lock(second, true), VERSO_IO);
    expect_met();
    os->close(second);
}

/* ---- names --------------------------------------------------------------------------------- */

Test(os_refusal, gives_a_new_name_by_a_link_where_renaming_could_replace)
{
    int unsupported[] = {EINVAL, ENOSYS};
    for (size_t i = 0; i < 2; i++) {
        os->close(create());
        refuse("renameat2", unsupported[i], 2);
        cr_assert_eq(os->rename_new(os, one, other), VERSO_OK);
        cr_assert_eq(access(one, F_OK), -1);
        cr_assert_eq(access(other, F_OK), 0);
        os->close(create());
        cr_assert_eq(os->rename_new(os, one, other), VERSO_EXISTS);
        cr_assert_eq(access(one, F_OK), 0);
        expect_met();
        cr_assert_eq(unlink(one), 0);
        cr_assert_eq(unlink(other), 0);
    }
}

Test(os_refusal, leaves_the_old_name_where_neither_way_of_renaming_works)
{
    os->close(create());
    refuse("renameat2", EINVAL, 1);
    refuse_also("link", EPERM, 1); /* file systems without hard links */
    cr_assert_eq(os->rename_new(os, one, other), VERSO_ACCESS);
    expect_met();
    cr_assert_eq(access(one, F_OK), 0);
    cr_assert_eq(access(other, F_OK), -1);
}

Test(os_refusal, takes_a_new_name_back_where_the_old_one_cannot_go)
{
    os->close(create());
    refuse("renameat2", EINVAL, 1);
    refuse_also("unlink", EIO, 1);
    cr_assert_eq(os->rename_new(os, one, other), VERSO_IO);
    expect_met();
    cr_assert_eq(access(one, F_OK), 0);
    cr_assert_eq(access(other, F_OK), -1);
}

static verso_err count_path(void *argument, const char *path)
{
    (void)path;
    ++*(unsigned *)argument;
    return VERSO_OK;
}

/* As another process may do between two looks at the directory. */
static verso_err unlink_both(void *argument, const char *path)
{
    (void)unlink(one);
    (void)unlink(other);
    return count_path(argument, path);
}

/* It may be the segment of a log with the newest commits: to pass it over would be to lose them. */
Test(os_refusal, lists_nothing_where_a_file_cannot_be_looked_at)
{
    unsigned count = 0;
    os->close(create());
    refuse("fstatat", EIO, 1);
    cr_assert_eq(os->list(os, one, count_path, &count), VERSO_IO);
    cr_assert_eq(count, 0);
    refuse("fstatat", ENOENT, 1); /* it went between the two calls */
    cr_assert_eq(os->list(os, one, count_path, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    expect_met();
    cr_assert_eq(os->list(os, one, count_path, &count), VERSO_OK);
    cr_assert_eq(count, 1);
}

Test(os_refusal, lists_no_file_that_has_gone_meanwhile)
{
    os->close(create());
    cr_assert_eq(os->rename(os, one, other), VERSO_OK);
    os->close(create());
    unsigned count = 0;
    cr_assert_eq(os->list(os, one, count_path, &count), VERSO_OK);
    cr_assert_eq(count, 1);
    char prefix[PATH_SIZE * 2];
    (void)snprintf(prefix, sizeof prefix, "%s/o", directory);
    count = 0;
    cr_assert_eq(os->list(os, prefix, unlink_both, &count), VERSO_OK);
    cr_assert_eq(count, 1);
}

Test(os_refusal, reports_a_directory_that_cannot_be_read_to_its_end)
{
    os->close(create());
    unsigned count = 0;
    refuse("readdir", EIO, 1);
    cr_assert_eq(os->list(os, one, count_path, &count), VERSO_IO);
    expect_met();
    cr_assert_eq(count, 0);
}

/* Fail each allocation of a call in turn; it made `allocations` of them. */
static void sweep(verso_err (*call)(void), uint64_t allocations)
{
    for (uint64_t nth = 1; nth <= allocations; nth++) {
        int64_t before = failing_memory_held();
        failing_memory_arm(nth, false);
        verso_err err = call();
        cr_assert_eq(failing_memory_disarm(), 1, "allocation %d", (int)nth);
        cr_assert_eq(err, VERSO_NOMEM);
        cr_assert_eq(failing_memory_held(), before);
    }
    failing_memory_arm(allocations + 1, false);
    cr_assert_eq(call(), VERSO_OK);
    cr_assert_eq(failing_memory_disarm(), 0);
}

static char *absolute_path(const char *path)
{
    char *absolute = NULL;
    cr_assert_eq(os->absolute(os, path, &absolute), VERSO_OK);
    return absolute;
}

static verso_err absolute_of_one(void)
{
    char *absolute;
    verso_err err = os->absolute(os, "one", &absolute);
    if (err == VERSO_OK) {
        free(absolute);
    }
    return err;
}

Test(os_refusal, leaves_a_path_as_it_is_where_the_working_directory_has_none)
{
    cr_assert_eq(chdir(directory), 0);
    char *absolute = absolute_path("one");
    cr_assert_str_eq(absolute, one);
    free(absolute);
    static const char *const refused[] = {"getcwd", "reachable getcwd"};
    for (size_t i = 0; i < 2; i++) {
        refuse(refused[i], ENOENT, 1);
        absolute = absolute_path("one");
        expect_met();
        cr_assert_str_eq(absolute, "one");
        free(absolute);
    }
    sweep(absolute_of_one, 1);
}

static verso_err list_one(void)
{
    unsigned count = 0;
    return os->list(os, one, count_path, &count);
}

static verso_err sync_directory_of_one(void)
{
    return os->sync_directory(os, one);
}

static verso_err list_working_directory(void)
{
    unsigned count = 0;
    return os->list(os, "one", count_path, &count);
}

Test(os_refusal, reads_and_syncs_no_directory_without_memory)
{
    os->close(create());
    sweep(list_one, 2);
    sweep(sync_directory_of_one, 1);
    cr_assert_eq(chdir(directory), 0);
    sweep(list_working_directory, 2);
    cr_assert_eq(chdir("/"), 0);
}

/* ---- memory and random bytes --------------------------------------------------------------- */

Test(os_refusal, calls_it_no_memory_when_a_mapping_is_too_much_for_the_system)
{
    int numbers[] = {EOVERFLOW, EAGAIN, EINVAL, ENOMEM};
    struct vs_file *file = create();
    const uint8_t *address = NULL;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        refuse("mmap", numbers[i], 1);
        cr_assert_eq(os->map(file, PAGE, &address), VERSO_NOMEM, "errno %d", numbers[i]);
    }
    refuse("mmap", EACCES, 1);
    cr_assert_eq(os->map(file, PAGE, &address), VERSO_ACCESS);
    expect_met();
    cr_assert_null(address);
    os->close(file);
}

Test(os_refusal, discards_memory_that_the_system_will_not_take_back)
{
    for (int mapped_anew = 1; mapped_anew >= 0; mapped_anew--) {
        uint8_t *memory = vs_memory_reserve(3 * PAGE);
        cr_assert_not_null(memory);
        memset(memory, 'a', 3 * PAGE);
        refuse("madvise", EINVAL, 1); /* locked memory */
        if (!mapped_anew) {
            refuse_also("mmap", ENOMEM, 1); /* too many mappings */
        }
        vs_memory_discard(memory + PAGE, PAGE);
        expect_met();
        cr_assert_eq(memory[PAGE - 1], 'a');
        for (size_t i = 0; i < PAGE; i++) {
            cr_assert_eq(memory[PAGE + i], 0);
        }
        cr_assert_eq(memory[2 * PAGE], 'a');
        vs_memory_release(memory, 3 * PAGE);
    }
}

Test(os_refusal, makes_up_no_random_bytes)
{
    uint8_t bytes[16] = {0};
    refuse("getentropy", ENOSYS, 1);
    cr_assert_eq(os->random(os, bytes, sizeof bytes), VERSO_IO);
    expect_met();
}
