/*
 * small_memory_test.c - a process that may have little memory, with a store many times as large: it
 * fills, reads, checks and recovers it without being killed for memory.
 *
 * The limit is a memory control group of the test's own, which takes the right to make one; where it
 * cannot be had the test says so and is skipped. What the page cache holds of the store counts against
 * the limit, too, but the system takes that back by itself; what the engine holds it cannot.
 * VERSO_TEST_LIMIT_MIB, VERSO_TEST_STORE_MIB: the limit, and how large the store becomes.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run_length.h"
#include "verso.h"

enum { LIMIT_MIB = 12, STORE_MIB = 24, VALUE = 1000, BATCH = 500, SKIPPED = 77 };

static char path[64];
static char group[96];
static uint64_t limit_mib;

static void demand(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s (%s)\n", what, verso_error_detail());
        _exit(1);
    }
}

/* ---- a control group ---- */

static bool write_text(const char *name, const char *text)
{
    char file[160];
    (void)snprintf(file, sizeof file, "%s/%s", group, name);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        (void)close(fd);
    }
    return written;
}

/* A group in `parent` whose limit is the file `name`. */
static bool make_group(const char *parent, const char *name)
{
    char bytes[32];
    (void)snprintf(bytes, sizeof bytes, "%" PRIu64, limit_mib << 20);
    (void)snprintf(group, sizeof group, "%s/verso-test-%d", parent, (int)getpid());
    if (mkdir(group, 0700) != 0) {
        return false;
    }
    if (write_text(name, bytes)) {
        return true;
    }
    (void)rmdir(group);
    return false;
}

static bool limit_is_to_be_had(void)
{
    return make_group("/sys/fs/cgroup", "memory.max") ||
           make_group("/sys/fs/cgroup/memory", "memory.limit_in_bytes");
}

/* ---- a store in it ---- */

static verso_store *open_store(bool create)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(2);
    options.create = create;
    options.retention = &policy;
    options.arena_bytes = (limit_mib << 20) / 4;
    options.log_bytes = 4 << 20;
    options.durability = VERSO_DURABILITY_WRITTEN;
    verso_store *store = NULL;
    demand(verso_open(path, &options, &store) == VERSO_OK, "opening");
    return store;
}

static verso_slice key_of(uint64_t number, char *text)
{
    return (verso_slice){
        text, (size_t)snprintf(text, 24, "%016" PRIx64, number * UINT64_C(0x9e3779b97f4a7c15))};
}

static uint64_t fill(verso_store *store, uint64_t bytes)
{
    static uint8_t value[VALUE];
    uint64_t keys = bytes / VALUE;
    for (uint64_t i = 0; i < keys; i += BATCH) {
        verso_txn *txn;
        demand(verso_begin(store, &txn) == VERSO_OK, "beginning");
        for (uint64_t j = i; j < i + BATCH && j < keys; j++) {
            char key[24];
            memcpy(value, &j, sizeof j);
            demand(verso_put(txn, key_of(j, key), (verso_slice){value, VALUE}) == VERSO_OK,
                   "putting");
        }
        demand(verso_commit(txn, NULL, NULL) == VERSO_OK, "committing");
    }
    return keys;
}

static void read_all(verso_store *store, uint64_t keys)
{
    verso_view *view;
    verso_cursor *cursor;
    demand(verso_view_open(store, &view) == VERSO_OK, "a view");
    demand(verso_cursor_open(view, NULL, &cursor) == VERSO_OK, "a cursor");
    uint64_t count = 0;
    verso_entry entry;
    while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
        count++;
    }
    demand(count == keys, "scanning");
    verso_cursor_close(cursor);
    for (uint64_t i = 0; i < keys; i += 97) {
        char key[24];
        verso_slice value;
        demand(verso_get(view, key_of(i, key), &value) == VERSO_OK &&
                   memcmp(value.data, &i, sizeof i) == 0,
               "getting");
    }
    verso_view_close(view);
}

/* Entered by a child of its own, so that memory from before does not count. */
static void enter_group(void)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", (int)getpid());
    if (!write_text("cgroup.procs", number)) {
        _exit(SKIPPED);
    }
}

/* Fill the store and go without closing. */
static void fill_and_go(uint64_t bytes)
{
    enter_group();
    verso_store *store = open_store(true);
    uint64_t keys = fill(store, bytes);
    read_all(store, keys);
    _exit(0);
}

static void recover_and_check(uint64_t bytes)
{
    enter_group();
    verso_store *store = open_store(false);
    read_all(store, bytes / VALUE);
    verso_check_report report = {.size = sizeof report};
    demand(verso_check(store, &report) == VERSO_OK, report.fault);
    verso_stats stats = {.size = sizeof stats};
    demand(verso_stat(store, &stats) == VERSO_OK && stats.file_bytes > bytes, "too small a store");
    demand(verso_close(store) == VERSO_OK, "closing");
    _exit(0);
}

static int run(void (*work)(uint64_t bytes), uint64_t bytes)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        work(bytes);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

Test(small_memory, is_enough_for_a_store_many_times_as_large)
{
    char folder[] = "/tmp/verso-memory-XXXXXX";
    uint64_t mib = run_length("VERSO_TEST_STORE_MIB", STORE_MIB);
    limit_mib = run_length("VERSO_TEST_LIMIT_MIB", LIMIT_MIB);
    if (!limit_is_to_be_had()) {
        printf("skipped: no memory control group can be made here\n");
        cr_skip_test("no memory control group");
    }
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    int filled = run(fill_and_go, mib << 20);
    int recovered = filled == 0 ? run(recover_and_check, mib << 20) : filled;
    char command[96];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
    (void)rmdir(group);
    if (WIFEXITED(filled) && WEXITSTATUS(filled) == SKIPPED) {
        printf("skipped: nobody may enter the memory control group\n");
        cr_skip_test("no memory control group");
    }
    cr_assert_eq(filled, 0, "status %x", filled);
    cr_assert_eq(recovered, 0, "status %x", recovered);
    run_count("mebibytes", mib);
}
