/*
 * checkpoint_test.c - what runs beside a checkpoint, and what a checkpoint leaves.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum { SMALL_PAGE = 512, KEYS = 400 };

static const char path[] = "store";

static verso_store *open_on(struct simulated_disk *disk, uint32_t page_size, uint64_t keep_last)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

/* Put the keys [from, to) with a mark in one commit. */
static void put_keys(verso_store *store, unsigned from, unsigned to, const char *mark)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    for (unsigned i = from; i < to; i++) {
        char key[16];
        char value[64];
        snprintf(key, sizeof key, "key%06u", i);
        snprintf(value, sizeof value, "%s of %u, somewhat longer", mark, i);
        err = verso_put(txn, verso_text(key), verso_text(value));
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    err = verso_commit(txn, NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void check(verso_store *store)
{
    verso_check_report report;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ", page %u: %s", report.bad_root, report.bad_page,
                 report.fault);
}

/* ---- pages of a version whose last reader leaves meanwhile ---- */

struct leaving_reader {
    verso_store *store;
    verso_view *view; /* NULL: closed already */
};

/* At the first write of the checkpoint: the reader leaves, and writers take all the room they
   find. */
static void leave_and_overwrite(void *argument, struct simulated_disk *disk,
                                const struct simulated_event *event)
{
    struct leaving_reader *leaving = argument;
    if (leaving->view == NULL || event->kind != SIMULATED_WRITE || event->is_after ||
        strstr(event->path, "wal") != NULL) {
        return;
    }
    simulated_disk_set_hook(disk, NULL, NULL);
    verso_view_close(leaving->view);
    leaving->view = NULL;
    for (unsigned round = 0; round < 10; round++) {
        put_keys(leaving->store, 0, KEYS, "overwritten");
    }
}

Test(checkpoint, pages_of_a_reader_who_leaves_meanwhile_are_not_reused_before_its_end)
{
#ifdef __SANITIZE_THREAD__
    cr_skip_test("one thread alone; but it enters the engine with the disk's lock held");
#endif
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, SMALL_PAGE, 1);
    put_keys(store, 0, KEYS, "seen by the reader");
    struct leaving_reader leaving = {.store = store};
    verso_err err = verso_view_open(store, &leaving.view);
    cr_assert_eq(err, VERSO_OK);
    for (unsigned round = 0; round < 3; round++) {
        put_keys(store, 0, KEYS, "newer"); /* all the reader's pages die in their frames */
    }
    simulated_disk_set_hook(disk, leave_and_overwrite, &leaving);
    err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_null(leaving.view);
    check(store);
    put_keys(store, 0, KEYS, "after");
    err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    check(store);
    err = verso_close(store);
    cr_assert_eq(err, VERSO_OK);
    store = open_on(disk, 0, 0);
    check(store);
    err = verso_close(store);
    cr_assert_eq(err, VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- the arena's limit ---- */

enum { WRITERS = 8, COMMITS = 25, SCATTERED = 12 };

/* Commits that each overwrite the same few keys far apart: their pages die young, in their
   frames. */
static void *overwrite_scattered(void *argument)
{
    verso_store *store = argument;
    for (unsigned commit = 0; commit < COMMITS; commit++) {
        verso_txn *txn = NULL;
        verso_err err = verso_begin(store, &txn);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        for (unsigned i = 0; i < SCATTERED; i++) {
            char key[16];
            snprintf(key, sizeof key, "key%06u", i * 1600);
            err = verso_put(txn, verso_text(key), verso_text("scattered"));
            cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        }
        err = verso_commit(txn, NULL, NULL);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    return NULL;
}

/* Room enough is known to be free, so that nothing but the arena's limit calls for judging
   deaths. */
Test(checkpoint, makes_room_in_an_arena_full_of_dead_pages, .timeout = 60)
{
    struct simulated_disk *disk = simulated_disk_open(2);
    simulated_disk_set_background(disk, true);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = SMALL_PAGE;
    verso_retention policy = verso_keep_last(1);
    options.retention = &policy;
    options.arena_bytes = 1; /* the least: 256 pages */
    options.durability = VERSO_DURABILITY_WRITTEN;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    put_keys(store, 0, 20000, "first");
    put_keys(store, 0, 20000, "second");
    err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    pthread_t writer[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        cr_assert_eq(pthread_create(&writer[i], NULL, overwrite_scattered, store), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writer[i], NULL);
    }
    verso_stats stats = {.size = sizeof stats};
    err = verso_stat(store, &stats);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_lt(stats.checkpoints, (uint64_t)WRITERS * COMMITS / 4,
                 "dead pages crowd the arena: a checkpoint every few commits");
    check(store);
    err = verso_close(store);
    cr_assert_eq(err, VERSO_OK);
    simulated_disk_close(disk);
}
