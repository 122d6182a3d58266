/*
 * small_disk_test.c - real file systems of every small size: each time the disk fills up at another
 * place.
 *
 * Each size is a tmpfs of its own, mounted in a user namespace, which needs no rights; where the
 * system does not allow that the test says so and is skipped. VERSO_TEST_DISK_STEP: KiB from one
 * size to the next.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private_mounts.h"
#include "run_length.h"
#include "simulated_random.h"
#include "verso.h"

enum {
    SMALLEST_KIB = 64,
    LARGEST_KIB = 3072,
    STEP_KIB = 44,
    MORE_KIB = 1024, /* when there is room again */
    KEYS = 6000,
    PUTS = 20, /* in a transaction */
    VALUE_MAX = 300,
    COMMITS_MAX = 2000,
};

/** What is known of the store on one disk; shared with the process that fills it. */
struct known {
    uint64_t root; /* the last acknowledged one */
    uint64_t fingerprint;
    bool is_created;
    bool is_full;
};

static char folder[64];
static char path[80];
static struct known *known;

/* ---- what must not happen ends the process ---- */

__attribute__((format(printf, 2, 3))) static void demand(bool holds, const char *format, ...)
{
    if (holds) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, " (%s)\n", verso_error_detail());
    _exit(1);
}

static unsigned files_in_folder(void)
{
    unsigned files = 0;
    DIR *directory = opendir(folder);
    demand(directory != NULL, "the folder cannot be read");
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        files += entry->d_name[0] != '.';
    }
    (void)closedir(directory);
    return files;
}

/* ---- a store on it ---- */

static verso_err open_store(verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(3);
    options.create = true;
    options.page_size = 1024;
    options.retention = &policy;
    options.log_bytes = 128 * 1024;
    options.arena_bytes = 512 * 1024;
    return verso_open(path, &options, store);
}

static verso_slice numbered_key(uint64_t number, char *text, size_t size)
{
    return (verso_slice){text, (size_t)snprintf(text, size, "key%08" PRIu64, number)};
}

static verso_err put_some(verso_txn *txn, struct simulated_random *random)
{
    static const uint8_t value[VALUE_MAX];
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < PUTS && err == VERSO_OK; i++) {
        char text[16];
        verso_slice key = numbered_key(simulated_random_below(random, KEYS), text, sizeof text);
        err = verso_put(txn, key,
                        (verso_slice){value, (size_t)simulated_random_below(random, VALUE_MAX)});
    }
    return err;
}

/* The keys at the front of the tree. */
static verso_err delete_some(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < PUTS && err == VERSO_OK; i++) {
        verso_entry found;
        char text[16];
        err = verso_get_at_or_after(verso_txn_view(txn), verso_text(""), &found);
        if (err == VERSO_NOT_FOUND) {
            return VERSO_OK;
        }
        if (err == VERSO_OK) {
            memcpy(text, found.key.data, found.key.size);
            err = verso_delete(txn, (verso_slice){text, found.key.size});
        }
    }
    return err;
}

/* One transaction that puts, or with no chance to draw from one that deletes. */
static verso_err transact(verso_store *store, struct simulated_random *random)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = random != NULL ? put_some(txn, random) : delete_some(txn);
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    verso_root_info info = {.size = sizeof info};
    verso_root_id root;
    demand(verso_view_info(verso_txn_view(txn), &info) == VERSO_OK, "no info");
    err = verso_commit(txn, NULL, &root);
    if (err == VERSO_OK) {
        known->root = root;
        known->fingerprint = info.fingerprint;
    }
    return err;
}

static void judge(verso_store *store, unsigned kib, const char *when)
{
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    verso_stats stats = {.size = sizeof stats};
    verso_check_report report = {.size = sizeof report};
    demand(verso_stat(store, &stats) == VERSO_OK && !stats.poisoned, "%u KiB, %s: poisoned", kib,
           when);
    demand(verso_check(store, &report) == VERSO_OK, "%u KiB, %s: %s", kib, when, report.fault);
    demand(verso_view_open(store, &view) == VERSO_OK && verso_view_info(view, &info) == VERSO_OK,
           "%u KiB, %s: no view", kib, when);
    demand(info.id == known->root && info.fingerprint == known->fingerprint,
           "%u KiB, %s: root %" PRIu64 " is there, root %" PRIu64 " was acknowledged", kib, when,
           info.id, known->root);
    verso_view_close(view);
}

static verso_store *fill_up(unsigned kib)
{
    struct simulated_random random = {kib};
    verso_store *store;
    verso_err err = open_store(&store);
    if (err != VERSO_OK) {
        demand(err == VERSO_NOSPC, "%u KiB: creating: %s", kib, verso_strerror(err));
        demand(files_in_folder() == 0, "%u KiB: a creation that failed left files", kib);
        return NULL;
    }
    known->is_created = true;
    for (unsigned i = 0; i < COMMITS_MAX && err == VERSO_OK; i++) {
        err = transact(store, &random);
    }
    known->is_full = err != VERSO_OK;
    demand(err == VERSO_OK || err == VERSO_NOSPC, "%u KiB: filling: %s", kib, verso_strerror(err));
    judge(store, kib, "full");
    return store;
}

/* ---- one size ---- */

/* Deleting works on the full disk, and so do closing and opening. */
static void use_full_disk(unsigned kib)
{
    verso_store *store = fill_up(kib);
    if (store == NULL) {
        return;
    }
    for (unsigned i = 0; i < 3 && known->root > 0; i++) {
        verso_err err = transact(store, NULL);
        demand(err == VERSO_OK, "%u KiB: deleting: %s", kib, verso_strerror(err));
    }
    judge(store, kib, "after deleting");
    verso_err err = verso_close(store);
    demand(err == VERSO_OK, "%u KiB: closing: %s", kib, verso_strerror(err));
    err = open_store(&store);
    demand(err == VERSO_OK, "%u KiB: opening: %s", kib, verso_strerror(err));
    judge(store, kib, "opened again");
    demand(verso_close(store) == VERSO_OK, "%u KiB: closing again", kib);
}

/* The process that filled the disk goes without closing. Recovery may find no room; then it has
   changed nothing. */
static void recover_on_full_disk(unsigned kib)
{
    pid_t child = fork();
    demand(child >= 0, "no process");
    if (child == 0) {
        (void)fill_up(kib);
        _exit(0);
    }
    int status;
    demand(waitpid(child, &status, 0) == child && status == 0, "%u KiB: the filling failed", kib);
    verso_store *store;
    verso_err err = known->is_created ? open_store(&store) : VERSO_NOSPC;
    demand(err == VERSO_OK || err == VERSO_NOSPC, "%u KiB: recovering: %s", kib,
           verso_strerror(err));
    if (err == VERSO_OK) {
        judge(store, kib, "recovered on the full disk");
        demand(verso_close(store) == VERSO_OK, "%u KiB: closing", kib);
    }
}

/* With room again everything goes on. */
static void use_larger_disk(unsigned kib)
{
    demand(private_mounts_disk(folder, kib + MORE_KIB, MS_REMOUNT), "a tmpfs cannot grow");
    struct simulated_random random = {kib};
    verso_store *store;
    verso_err err = open_store(&store);
    demand(err == VERSO_OK, "%u KiB: opening with room: %s", kib, verso_strerror(err));
    judge(store, kib, "with room again");
    err = transact(store, &random);
    demand(err == VERSO_OK, "%u KiB: a commit with room: %s", kib, verso_strerror(err));
    judge(store, kib, "a commit later");
    demand(verso_close(store) == VERSO_OK, "%u KiB: closing with room", kib);
}

static void sweep(void)
{
    uint64_t step = run_stride("VERSO_TEST_DISK_STEP", STEP_KIB);
    uint64_t disks = 0;
    uint64_t full = 0;
    for (unsigned kib = SMALLEST_KIB; kib <= LARGEST_KIB; kib += (unsigned)step, disks++) {
        *known = (struct known){0};
        demand(private_mounts_disk(folder, kib, 0), "a tmpfs cannot be mounted");
        if (disks % 2 == 0) {
            use_full_disk(kib);
        } else {
            recover_on_full_disk(kib);
        }
        full += known->is_full;
        use_larger_disk(kib);
        demand(umount(folder) == 0, "a file is still open");
    }
    demand(full > disks / 2, "only %" PRIu64 " disks became full", full);
    run_count("disks", disks);
    run_count("full_disks", full);
}

Test(small_disk, loses_nothing_whatever_its_size)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-disk-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    known = mmap(NULL, sizeof *known, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(known, MAP_FAILED);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        bool allowed = private_mounts_enter() && private_mounts_disk(folder, SMALLEST_KIB, 0) &&
                       umount(folder) == 0;
        if (!allowed) {
            _exit(PRIVATE_MOUNTS_SKIPPED);
        }
        sweep();
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(rmdir(folder), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == PRIVATE_MOUNTS_SKIPPED) {
        printf("skipped: this system lets nobody mount a tmpfs in a user namespace\n");
        cr_skip_test("no tmpfs in a user namespace");
    }
    cr_assert_eq(status, 0);
}
