/*
 * meta_order_test.c - what a checkpoint does to the disk, in order: all that the metas name, a sync,
 * one meta, a sync, the other meta, a sync, and only then is anything let go. The place in the log
 * that a meta names is durable by then.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "format/layout.h"
#include "format/meta.h"
#include "simulated_disk.h"
#include "store/log_state.h"
#include "verso.h"

enum { PAGE_SIZE = 512, VALUE_SIZE = 50000 };

/* Where a checkpoint has got to. */
enum stage { PAGES, SYNCED, ONE_META, ONE_META_SYNCED, BOTH_METAS };

struct order {
    enum stage stage;
    unsigned checkpoints;
    unsigned let_go; /* segments removed */
    char fault[100];
};

static bool is_of_store(const struct simulated_event *event)
{
    return strcmp(event->path, "store") == 0;
}

static bool is_meta(const struct simulated_event *event)
{
    return event->kind == SIMULATED_WRITE && is_of_store(event) && event->size == VS_PART_BYTES &&
           (event->offset == 0 || event->offset == VS_META_B_AT);
}

static void fail(struct order *order, const struct simulated_event *event, const char *what)
{
    if (order->fault[0] == '\0') {
        (void)snprintf(order->fault, sizeof order->fault, "%s: kind %d of %s at %" PRIu64, what,
                       (int)event->kind, event->path, event->offset);
    }
}

static void watch(void *argument, struct simulated_disk *disk, const struct simulated_event *event)
{
    (void)disk;
    struct order *order = argument;
    if (!event->is_change || !event->is_after) {
        return;
    }
    bool is_sync = event->kind == SIMULATED_SYNC && is_of_store(event);
    switch (order->stage) {
    case PAGES:
        if (is_meta(event)) {
            fail(order, event, "a meta before the sync of what it names");
        }
        order->let_go += event->kind == SIMULATED_UNLINK;
        order->stage = is_sync ? SYNCED : PAGES;
        break;
    case SYNCED:
        if (is_of_store(event) && !is_meta(event)) {
            order->stage = PAGES; /* that was not the last sync before the metas */
        }
        order->stage = is_meta(event) ? ONE_META : order->stage;
        order->let_go += event->kind == SIMULATED_UNLINK;
        break;
    case ONE_META:
        order->stage = is_sync ? ONE_META_SYNCED : ONE_META;
        if (!is_sync) {
            fail(order, event, "between a meta and its sync");
        }
        break;
    case ONE_META_SYNCED:
        order->stage = BOTH_METAS;
        if (!is_meta(event)) {
            fail(order, event, "between the two metas");
        }
        break;
    case BOTH_METAS:
    default:
        order->stage = PAGES;
        order->checkpoints++;
        if (!is_sync) {
            fail(order, event, "before the second meta's sync");
        }
        break;
    }
}

static void commit(verso_store *store, const char *key, size_t size)
{
    static const uint8_t zeros[VALUE_SIZE];
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text(key), (verso_slice){zeros, size}), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
}

Test(meta_order, nothing_is_let_go_before_both_metas_are_synced)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct order order = {.stage = PAGES};
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.log_bytes = 8 << 20;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK);
    for (unsigned i = 0; i < 10; i++) { /* many segments, which later rounds do not need */
        commit(store, "key", VALUE_SIZE - i);
    }
    simulated_disk_set_hook(disk, watch, &order);
    for (unsigned round = 0; round < 6; round++) {
        cr_assert_eq(verso_checkpoint(store), VERSO_OK);
        commit(store, "key", 10 + round);
    }
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert_str_empty(order.fault, "%s", order.fault);
    cr_assert_geq(order.checkpoints, 6);
    cr_assert_gt(order.let_go, 0);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- the log's end ---- */

struct late_frame {
    verso_store *store;
    bool is_due; /* with the next sync of the log */
    unsigned metas;
    unsigned too_early;
};

/* Append a witness behind what the sync has covered, as the background thread may at any time. */
static void append_witness(struct vs_log *log)
{
    struct vs_frame frame = {.kind = VS_FRAME_WITNESS};
    vs_lock_take(&log->mutex);
    verso_err err = vs_log_append_locked(log, &frame, true);
    vs_lock_release(&log->mutex);
    cr_assert_eq(err, VERSO_OK);
}

static void append_late(void *argument, struct simulated_disk *disk,
                        const struct simulated_event *event)
{
    struct late_frame *late = argument;
    if (!event->is_after) {
        return;
    }
    struct vs_log *log = late->store->store->log;
    if (late->is_due && event->kind == SIMULATED_SYNC && !is_of_store(event)) {
        late->is_due = false;
        append_witness(log);
    }
    if (is_meta(event)) {
        struct vs_meta meta;
        const uint8_t *bytes = simulated_disk_bytes(disk, "store", NULL);
        cr_assert_eq(vs_meta_decode(bytes + event->offset, &meta), VS_META_OK);
        late->metas++;
        late->too_early += meta.log_lsn > vs_log_durable_lsn(log);
    }
}

Test(meta_order, a_meta_names_no_place_of_the_log_that_a_power_cut_may_take)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.system = simulated_disk_os(disk);
    struct late_frame late = {.store = NULL};
    cr_assert_eq(verso_open("store", &options, &late.store), VERSO_OK);
    commit(late.store, "key", 10);
    verso_txn *txn;
    verso_commit_options unsynced = VERSO_COMMIT_OPTIONS_INIT;
    unsynced.asynchronous = true;
    cr_assert_eq(verso_begin(late.store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, &unsynced, NULL), VERSO_OK);
    late.is_due = true;
    simulated_disk_set_hook(disk, append_late, &late);
    cr_assert_eq(verso_checkpoint(late.store), VERSO_OK);
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert(!late.is_due && late.metas == 2);
    cr_assert_eq(late.too_early, 0);
    cr_assert_eq(verso_close(late.store), VERSO_OK);
    simulated_disk_close(disk);
}
