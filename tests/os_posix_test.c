/*
 * os_posix_test.c - the table of functions on the real system.
 *
 * The calls that fail on a bad day only are replaced by ones that fail as `plan` says: a definition
 * in the program takes the place of the C library's.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/os.h"

enum { PATH_SIZE = 256, SYSTEM_CALLS_MAX = 10000, NOBODY = 65534 };

/* ---- system calls on a bad day ------------------------------------------------------------- */

struct plan {
    size_t cut_to;      /* bytes that one transfer moves at most; 0: no limit */
    int interrupted;    /* so many transfers end with EINTR first, */
    int zero;           /* then so many with 0 */
    int transfer_errno; /* then all with this; 0: none */
    int sync_errno;
    int allocate_errno;
    int syncs; /* counted */
    int calls; /* counted: transfers */
};

static struct plan plan;

/* What the plan has for the next transfer: false if it is to be made, of `*size` bytes. */
static bool is_spoilt(size_t *size, ssize_t *result)
{
    plan.calls++;
    cr_assert_lt(plan.calls, SYSTEM_CALLS_MAX, "it never gives up");
    *result = -1;
    if (plan.interrupted > 0) {
        plan.interrupted--;
        errno = EINTR;
        return true;
    }
    if (plan.zero > 0) {
        plan.zero--;
        *result = 0;
        return true;
    }
    if (plan.transfer_errno != 0) {
        errno = plan.transfer_errno;
        return true;
    }
    *size = plan.cut_to > 0 && plan.cut_to < *size ? plan.cut_to : *size;
    return false;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    ssize_t result;
    return is_spoilt(&size, &result) ? result : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    ssize_t result;
    return is_spoilt(&size, &result) ? result : syscall(SYS_pread64, fd, bytes, size, offset);
}

static int planned_sync(int number, int fd)
{
    plan.syncs++;
    if (plan.sync_errno != 0) {
        errno = plan.sync_errno;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fdatasync(int fd)
{
    return planned_sync(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return planned_sync(SYS_fsync, fd);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (plan.allocate_errno != 0) {
        errno = plan.allocate_errno;
        return -1;
    }
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

/* ---- a directory of its own for each test -------------------------------------------------- */

static const struct vs_os *os;
static char directory[PATH_SIZE];

static void set_up(void)
{
    os = vs_os_real();
    const char *parent = getenv("TMPDIR");
    (void)snprintf(directory, sizeof directory, "%s/verso-os-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
}

static void tear_down(void)
{
    char command[PATH_SIZE + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(os_posix, .init = set_up, .fini = tear_down);

/* The path of `name` in the test's directory; good for a few calls. */
static const char *in_directory(const char *name)
{
    static char paths[4][PATH_SIZE * 2];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static struct vs_file *open_file(const char *name, enum vs_open_mode mode)
{
    struct vs_file *file = NULL;
    cr_assert_eq(os->open(os, in_directory(name), mode, &file), VERSO_OK, "%s", vs_fault_detail());
    return file;
}

static verso_err open_error(const char *name, enum vs_open_mode mode)
{
    struct vs_file *file = NULL;
    verso_err err = os->open(os, in_directory(name), mode, &file);
    cr_assert_null(file);
    return err;
}

static uint64_t size_of(struct vs_file *file)
{
    struct vs_file_identity identity;
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    return identity.size;
}

/* ---- open ---------------------------------------------------------------------------------- */

Test(os_posix, creates_a_file_that_nobody_else_may_read)
{
    (void)umask(0);
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    struct stat status;
    cr_assert_eq(stat(in_directory("f"), &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0600);
    os->close(file);
}

Test(os_posix, tells_why_a_file_does_not_open)
{
    os->close(open_file("f", VS_OPEN_CREATE));
    cr_assert_eq(mkdir(in_directory("directory"), 0700), 0);
    cr_assert_eq(mkfifo(in_directory("fifo"), 0600), 0);
    cr_assert_eq(open_error("missing", VS_OPEN_READ), VERSO_NO_STORE);
    cr_assert_eq(open_error("missing", VS_OPEN_WRITE), VERSO_NO_STORE);
    cr_assert_eq(open_error("f/below", VS_OPEN_READ), VERSO_NO_STORE);
    cr_assert_eq(open_error("f", VS_OPEN_CREATE), VERSO_INVALID);
    cr_assert_eq(open_error("directory", VS_OPEN_READ), VERSO_FORMAT);
    cr_assert_eq(open_error("directory", VS_OPEN_WRITE), VERSO_FORMAT);
    cr_assert_eq(open_error("fifo", VS_OPEN_READ), VERSO_FORMAT);
    cr_assert_eq(open_error("fifo", VS_OPEN_WRITE), VERSO_FORMAT);
}

Test(os_posix, names_operation_path_and_reason_in_the_detail)
{
    char expected[PATH_SIZE * 2];
    (void)snprintf(expected, sizeof expected, "open %s/missing: No such file or directory",
                   directory);
    cr_assert_eq(open_error("missing", VS_OPEN_READ), VERSO_NO_STORE);
    cr_assert_str_eq(vs_fault_detail(), expected);
}

Test(os_posix, follows_no_link_when_it_creates)
{
    cr_assert_eq(symlink(in_directory("target"), in_directory("link")), 0);
    cr_assert_eq(open_error("link", VS_OPEN_CREATE), VERSO_INVALID);
    cr_assert_eq(access(in_directory("target"), F_OK), -1);
    os->close(open_file("target", VS_OPEN_CREATE));
    os->close(open_file("link", VS_OPEN_WRITE));
}

Test(os_posix, reports_missing_permission)
{
    os->close(open_file("f", VS_OPEN_CREATE));
    cr_assert_eq(chmod(in_directory("f"), 0), 0);
    cr_assert_eq(chmod(directory, 0555), 0);
    if (geteuid() == 0) {
        cr_assert_eq(seteuid(NOBODY), 0); /* root may do everything */
    }
    verso_err errors[] = {open_error("f", VS_OPEN_READ), open_error("new", VS_OPEN_CREATE),
                          os->rename(os, in_directory("f"), in_directory("g")),
                          os->unlink(os, in_directory("f"))};
    (void)seteuid(getuid());
    cr_assert_eq(chmod(directory, 0700), 0);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        cr_assert_eq(errors[i], VERSO_ACCESS, "call %zu", i);
    }
}

Test(os_posix, stays_clear_of_the_standard_streams)
{
    int saved = dup(STDIN_FILENO);
    (void)close(STDIN_FILENO);
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(fcntl(STDIN_FILENO, F_GETFD), -1);
    os->close(file);
    if (saved >= 0) {
        (void)dup2(saved, STDIN_FILENO);
        (void)close(saved);
    }
}

Test(os_posix, closes_its_files_in_programs_that_the_host_starts)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    struct vs_file_identity identity;
    cr_assert_eq(os->identify(file, &identity), VERSO_OK);
    unsigned found = 0;
    for (int fd = 0; fd < 256; fd++) {
        struct stat status;
        if (fstat(fd, &status) == 0 && (uint64_t)status.st_ino == identity.inode &&
            (uint64_t)status.st_dev == identity.device) {
            found++;
            cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        }
    }
    cr_assert_eq(found, 1);
    os->close(file);
}

Test(os_posix, identifies_a_file_whatever_its_name)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(link(in_directory("f"), in_directory("other")), 0);
    struct vs_file *other = open_file("other", VS_OPEN_READ);
    struct vs_file_identity one;
    struct vs_file_identity two;
    cr_assert_eq(os->write_at(file, 0, "hello", 5), VERSO_OK);
    cr_assert_eq(os->identify(file, &one), VERSO_OK);
    cr_assert_eq(os->identify(other, &two), VERSO_OK);
    cr_assert_eq(one.inode, two.inode);
    cr_assert_eq(one.device, two.device);
    cr_assert_eq(one.size, 5);
    cr_assert_eq(one.links, 2);
    cr_assert_eq(os->unlink(os, in_directory("f")), VERSO_OK);
    cr_assert_eq(os->unlink(os, in_directory("other")), VERSO_OK);
    cr_assert_eq(os->identify(file, &one), VERSO_OK);
    cr_assert_eq(one.links, 0);
    os->close(other);
    os->close(file);
}

/* ---- lock ---------------------------------------------------------------------------------- */

Test(os_posix, refuses_a_second_lock_in_the_same_process)
{
    struct vs_file *first = open_file("f", VS_OPEN_CREATE);
    struct vs_file *second = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(first, true), VERSO_OK);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    cr_assert_eq(os->lock(second, false), VERSO_BUSY);
    os->close(first);
    cr_assert_eq(os->lock(second, true), VERSO_OK);
    os->close(second);
}

Test(os_posix, shares_locks_among_readers)
{
    os->close(open_file("f", VS_OPEN_CREATE));
    struct vs_file *first = open_file("f", VS_OPEN_READ);
    struct vs_file *second = open_file("f", VS_OPEN_READ);
    struct vs_file *writer = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(first, false), VERSO_OK);
    cr_assert_eq(os->lock(second, false), VERSO_OK);
    cr_assert_eq(os->lock(writer, true), VERSO_BUSY);
    os->close(writer);
    os->close(second);
    os->close(first);
}

Test(os_posix, keeps_its_lock_when_the_host_closes_the_same_file)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->lock(file, true), VERSO_OK);
    (void)close(open(in_directory("f"), O_RDONLY | O_CLOEXEC));
    struct vs_file *second = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    os->close(second);
    os->close(file);
}

Test(os_posix, keeps_its_lock_when_a_child_closes_its_copy)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->lock(file, true), VERSO_OK);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        os->close(file);
        _exit(0);
    }
    cr_assert_eq(waitpid(child, NULL, 0), child);
    struct vs_file *second = open_file("f", VS_OPEN_WRITE);
    cr_assert_eq(os->lock(second, true), VERSO_BUSY);
    os->close(second);
    os->close(file);
}

/* Open and lock "f" in another process, which says so and then waits to be killed. */
static pid_t start_holder(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct vs_file *file = NULL;
        bool is_held = os->open(os, in_directory("f"), VS_OPEN_WRITE, &file) == VERSO_OK &&
                       os->lock(file, true) == VERSO_OK;
        (void)!write(ends[1], is_held ? "+" : "-", 1);
        for (;;) {
            (void)pause();
        }
    }
    char answer = 0;
    cr_assert_eq(read(ends[0], &answer, 1), 1);
    cr_assert_eq(answer, '+');
    (void)close(ends[0]);
    (void)close(ends[1]);
    return child;
}

Test(os_posix, gets_the_lock_when_its_holder_is_killed)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    pid_t holder = start_holder();
    cr_assert_eq(os->lock(file, true), VERSO_BUSY);
    cr_assert_eq(kill(holder, SIGKILL), 0);
    cr_assert_eq(waitpid(holder, NULL, 0), holder);
    cr_assert_eq(os->lock(file, true), VERSO_OK);
    os->close(file);
}

/* ---- read and write ------------------------------------------------------------------------ */

static const char text[] = "a text of some length, so that it can be cut in several places";

static void expect_text(struct vs_file *file, uint64_t offset)
{
    char bytes[sizeof text];
    plan = (struct plan){0};
    cr_assert_eq(os->read_at(file, offset, bytes, sizeof bytes), VERSO_OK);
    cr_assert_str_eq(bytes, text);
}

Test(os_posix, continues_transfers_that_are_cut_short)
{
    size_t cuts[] = {1, sizeof text / 2, sizeof text - 1};
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        char bytes[sizeof text];
        plan = (struct plan){.cut_to = cuts[i]};
        cr_assert_eq(os->write_at(file, i * 1000 + 3, text, sizeof text), VERSO_OK);
        cr_assert_eq(os->read_at(file, i * 1000 + 3, bytes, sizeof bytes), VERSO_OK);
        cr_assert_str_eq(bytes, text);
        expect_text(file, i * 1000 + 3);
    }
    os->close(file);
}

Test(os_posix, repeats_interrupted_transfers)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    plan = (struct plan){.interrupted = 100};
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    char bytes[sizeof text];
    plan = (struct plan){.interrupted = 100};
    cr_assert_eq(os->read_at(file, 0, bytes, sizeof bytes), VERSO_OK);
    cr_assert_str_eq(bytes, text);
    os->close(file);
}

Test(os_posix, gives_up_after_three_writes_without_progress)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    plan = (struct plan){.zero = 2};
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    plan = (struct plan){.zero = 1000};
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_IO);
    cr_assert_eq(plan.calls, 3);
    cr_assert(strstr(vs_fault_detail(), "no progress at byte 0") != NULL);
    expect_text(file, 0);
    os->close(file);
}

Test(os_posix, tells_a_full_disk_from_a_broken_one)
{
    const struct {
        int number;
        verso_err err;
    } cases[] = {{ENOSPC, VERSO_NOSPC}, {EDQUOT, VERSO_NOSPC},  {EFBIG, VERSO_NOSPC},
                 {EIO, VERSO_IO},       {EROFS, VERSO_ACCESS},  {EPERM, VERSO_ACCESS},
                 {ENOMEM, VERSO_NOMEM}, {EACCES, VERSO_ACCESS}, {EINVAL, VERSO_IO}};
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        plan = (struct plan){.transfer_errno = cases[i].number};
        cr_assert_eq(os->write_at(file, 0, text, sizeof text), cases[i].err, "case %zu", i);
        cr_assert_eq(errno, cases[i].number);
        char byte;
        cr_assert_eq(os->read_at(file, 0, &byte, 1), cases[i].err, "case %zu", i);
    }
    os->close(file);
}

Test(os_posix, reports_the_limit_of_file_sizes)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit old;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {1000, old.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    char bytes[2000] = {0};
    verso_err written = os->write_at(file, 0, bytes, sizeof bytes); /* cut short, then EFBIG */
    verso_err allocated = os->allocate(file, 5000);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
    cr_assert_eq(written, VERSO_NOSPC);
    cr_assert_eq(allocated, VERSO_NOSPC);
    cr_assert_eq(size_of(file), 1000);
    cr_assert_eq(os->write_at(file, (uint64_t)INT64_MAX - 1, bytes, 2), VERSO_NOSPC);
    cr_assert_eq(os->write_at(file, UINT64_MAX, bytes, 2), VERSO_NOSPC);
    os->close(file);
}

Test(os_posix, refuses_to_read_beyond_the_end)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    char bytes[2];
    cr_assert_eq(os->read_at(file, sizeof text - 1, bytes, 1), VERSO_OK);
    cr_assert_eq(os->read_at(file, sizeof text - 1, bytes, 2), VERSO_CORRUPT);
    cr_assert_eq(os->read_at(file, sizeof text, bytes, 1), VERSO_CORRUPT);
    cr_assert_eq(os->read_at(file, UINT64_MAX, bytes, 2), VERSO_CORRUPT);
    cr_assert_eq(os->read_at(file, 0, bytes, 0), VERSO_OK);
    os->close(file);
}

/* ---- length and sync ----------------------------------------------------------------------- */

static void expect_zeros(struct vs_file *file, uint64_t from, size_t size)
{
    char *bytes = malloc(size);
    cr_assert_not_null(bytes);
    cr_assert_eq(os->read_at(file, from, bytes, size), VERSO_OK);
    for (size_t i = 0; i < size; i++) {
        cr_assert_eq(bytes[i], 0);
    }
    free(bytes);
}

Test(os_posix, allocates_zeros_behind_what_is_there)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    cr_assert_eq(os->allocate(file, 1 << 20), VERSO_OK);
    cr_assert_eq(size_of(file), 1 << 20);
    expect_text(file, 0);
    expect_zeros(file, sizeof text, (1 << 20) - sizeof text);
    cr_assert_eq(os->allocate(file, 4096), VERSO_OK);
    cr_assert_eq(size_of(file), 1 << 20);
    os->close(file);
}

Test(os_posix, writes_zeros_where_the_system_cannot_allocate)
{
    int unsupported[] = {EOPNOTSUPP, EINVAL, ENOSYS};
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t size = (i + 1) * UINT64_C(200000) + 1;
        plan = (struct plan){.allocate_errno = unsupported[i]};
        cr_assert_eq(os->allocate(file, size), VERSO_OK);
        cr_assert_eq(size_of(file), size);
    }
    expect_text(file, 0);
    expect_zeros(file, sizeof text, 600001 - sizeof text);
    os->close(file);
}

Test(os_posix, keeps_its_length_where_there_is_no_room)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    plan = (struct plan){.allocate_errno = ENOSPC};
    cr_assert_eq(os->allocate(file, 1 << 20), VERSO_NOSPC);
    cr_assert_eq(size_of(file), sizeof text);
    plan = (struct plan){.allocate_errno = EOPNOTSUPP, .transfer_errno = ENOSPC};
    cr_assert_eq(os->allocate(file, 1 << 20), VERSO_NOSPC);
    plan = (struct plan){0};
    cr_assert_eq(os->allocate(file, UINT64_MAX), VERSO_NOSPC);
    cr_assert_eq(size_of(file), sizeof text);
    expect_text(file, 0);
    os->close(file);
}

Test(os_posix, cuts_a_file)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    cr_assert_eq(os->truncate(file, 3), VERSO_OK);
    cr_assert_eq(size_of(file), 3);
    os->close(file);
}

Test(os_posix, tries_a_sync_only_once)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->sync_data(file), VERSO_OK);
    cr_assert_eq(os->sync_full(file), VERSO_OK);
    int numbers[] = {EIO, EINTR, EINVAL};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        plan = (struct plan){.sync_errno = numbers[i]};
        cr_assert_eq(os->sync_data(file), VERSO_IO);
        cr_assert_eq(os->sync_full(file), VERSO_IO);
        cr_assert_eq(plan.syncs, 2);
    }
    plan = (struct plan){.sync_errno = EDQUOT};
    cr_assert_eq(os->sync_data(file), VERSO_NOSPC);
    os->close(file);
}

/* ---- names --------------------------------------------------------------------------------- */

Test(os_posix, renames_over_an_existing_file)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    os->close(open_file("g", VS_OPEN_CREATE));
    cr_assert_eq(os->rename(os, in_directory("f"), in_directory("g")), VERSO_OK);
    cr_assert_eq(open_error("f", VS_OPEN_READ), VERSO_NO_STORE);
    os->close(file);
    file = open_file("g", VS_OPEN_READ);
    expect_text(file, 0);
    os->close(file);
    cr_assert_eq(os->rename(os, in_directory("f"), in_directory("g")), VERSO_NO_STORE);
    cr_assert_eq(os->unlink(os, in_directory("f")), VERSO_NO_STORE);
}

Test(os_posix, renames_to_a_new_name_never_over_a_file)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    cr_assert_eq(os->write_at(file, 0, text, sizeof text), VERSO_OK);
    os->close(open_file("g", VS_OPEN_CREATE));
    cr_assert_eq(os->rename_new(os, in_directory("f"), in_directory("g")), VERSO_EXISTS);
    cr_assert_eq(os->rename_new(os, in_directory("f"), in_directory("h")), VERSO_OK);
    cr_assert_eq(open_error("f", VS_OPEN_READ), VERSO_NO_STORE);
    os->close(file);
    file = open_file("h", VS_OPEN_READ);
    expect_text(file, 0);
    os->close(file);
    cr_assert_eq(os->rename_new(os, in_directory("f"), in_directory("i")), VERSO_NO_STORE);
}

Test(os_posix, syncs_the_directory_of_a_path)
{
    cr_assert_eq(os->sync_directory(os, in_directory("whatever")), VERSO_OK);
    cr_assert_eq(plan.syncs, 1);
    cr_assert_eq(os->sync_directory(os, in_directory("missing/file")), VERSO_NO_STORE);
    cr_assert_eq(os->sync_directory(os, "a name in the working directory"), VERSO_OK);
    plan = (struct plan){.sync_errno = EIO};
    cr_assert_eq(os->sync_directory(os, in_directory("whatever")), VERSO_IO);
    cr_assert_eq(plan.syncs, 1);
    plan = (struct plan){.sync_errno = EINVAL};
    cr_assert_eq(os->sync_directory(os, in_directory("whatever")), VERSO_OK);
}

struct listing {
    char last[PATH_SIZE * 2];
    unsigned count;
    verso_err result;
};

static verso_err note_path(void *argument, const char *path)
{
    struct listing *listing = argument;
    (void)snprintf(listing->last, sizeof listing->last, "%s", path);
    listing->count++;
    return listing->result;
}

static struct listing list(const char *prefix, verso_err result, verso_err expected)
{
    struct listing listing = {.result = result};
    cr_assert_eq(os->list(os, prefix, note_path, &listing), expected);
    return listing;
}

Test(os_posix, lists_the_files_of_a_prefix)
{
    os->close(open_file("s", VS_OPEN_CREATE));
    os->close(open_file("s-wal.1", VS_OPEN_CREATE));
    os->close(open_file("s-wal.2", VS_OPEN_CREATE));
    os->close(open_file("t-wal.1", VS_OPEN_CREATE));
    cr_assert_eq(mkdir(in_directory("s-wal.directory"), 0700), 0);
    cr_assert_eq(symlink("s", in_directory("s-wal.link")), 0);
    cr_assert_eq(list(in_directory("s-wal."), VERSO_OK, VERSO_OK).count, 2);
    cr_assert_str_eq(list(in_directory("t"), VERSO_OK, VERSO_OK).last, in_directory("t-wal.1"));
    cr_assert_eq(list(in_directory(""), VERSO_OK, VERSO_OK).count, 4);
    cr_assert_eq(list(in_directory("u"), VERSO_OK, VERSO_OK).count, 0);
    cr_assert_eq(list(in_directory("s"), VERSO_LIMIT, VERSO_LIMIT).count, 1);
    (void)list(in_directory("missing/s"), VERSO_OK, VERSO_NO_STORE);
}

Test(os_posix, lists_the_working_directory_without_a_slash)
{
    os->close(open_file("f", VS_OPEN_CREATE));
    cr_assert_eq(chdir(directory), 0);
    cr_assert_str_eq(list("f", VERSO_OK, VERSO_OK).last, "f");
    cr_assert_eq(chdir("/"), 0);
}

Test(os_posix, makes_a_path_absolute_where_it_can)
{
    static const char name[] = "down/store";
    char *path = NULL;
    cr_assert_eq(chdir(directory), 0);
    cr_assert_eq(os->absolute(os, name, &path), VERSO_OK);
    cr_assert_str_eq(path, in_directory(name));
    free(path);
    cr_assert_eq(os->absolute(os, "/a/store", &path), VERSO_OK);
    cr_assert_str_eq(path, "/a/store");
    free(path);

    char longest[PATH_MAX]; /* by itself; no room is left for the directory */
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    cr_assert_eq(os->absolute(os, longest, &path), VERSO_OK);
    cr_assert_str_eq(path, longest);
    free(path);

    cr_assert_eq(mkdir("gone", 0700), 0);
    cr_assert_eq(chdir("gone"), 0);
    cr_assert_eq(rmdir(in_directory("gone")), 0);
    cr_assert_eq(os->absolute(os, name, &path), VERSO_OK);
    cr_assert_str_eq(path, name);
    free(path);
    cr_assert_eq(chdir("/"), 0);
}

/* ---- map ----------------------------------------------------------------------------------- */

Test(os_posix, shows_writes_and_growth_in_a_mapping)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    const size_t size = (size_t)1 << 30;
    const uint8_t *address = NULL;
    cr_assert_eq(os->map(file, size, &address), VERSO_OK);
    cr_assert_eq(os->allocate(file, 100000), VERSO_OK);
    cr_assert_eq(os->write_at(file, 70000, text, sizeof text), VERSO_OK);
    os->prefetch(file, address, 69632, 8192);
    cr_assert_str_eq((const char *)address + 70000, text);
    os->unmap(file, address, size);
    os->close(file);
}

Test(os_posix, reports_exhausted_address_space)
{
    struct vs_file *file = open_file("f", VS_OPEN_CREATE);
    const uint8_t *address = NULL;
    cr_assert_eq(os->map(file, (size_t)1 << 60, &address), VERSO_NOMEM);
    cr_assert_null(address);
    os->unmap(file, NULL, 1);
    os->close(file);
    os->close(NULL);
}

/* ---- clocks and random bytes --------------------------------------------------------------- */

Test(os_posix, has_clocks_that_go_forward)
{
    cr_assert_gt(os->clock_us(os), INT64_C(1577836800000000)); /* 2020 */
    int64_t behind_us = os->clock_us(os) - os->coarse_clock_us(os);
    cr_assert(behind_us > -1000000 && behind_us < 1000000, "%lld us", (long long)behind_us);
    int64_t before_us = os->monotonic_us(os);
    (void)usleep(2000);
    cr_assert_geq(os->monotonic_us(os), before_us + 2000);
}

Test(os_posix, gives_other_random_bytes_each_time)
{
    uint8_t one[1000];
    uint8_t other[1000];
    cr_assert_eq(os->random(os, one, sizeof one), VERSO_OK);
    cr_assert_eq(os->random(os, other, sizeof other), VERSO_OK);
    cr_assert_neq(memcmp(one, other, 16), 0);
    cr_assert_neq(memcmp(one + 900, other + 900, 100), 0);
}
