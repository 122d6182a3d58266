/*
 * delete_range_test.c - verso_delete_range(): every kind of range beside a sorted array, old roots
 * untouched, replay after power cuts, damage and bad arguments.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "page_keys.h"
#include "range_model.h"
#include "simulated_disk.h"
#include "tree/path.h"
#include "verso.h"

enum { SMALL_PAGE = 512, VALUE_MAX = 3000 };

static const char path[] = "store";

struct setting {
    uint32_t page_size;
    uint64_t arena_bytes;
    uint64_t log_bytes;
};

static verso_store *open_with(struct simulated_disk *disk, struct setting setting)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = setting.page_size;
    options.arena_bytes = setting.arena_bytes;
    options.log_bytes = setting.log_bytes;
    options.system = disk == NULL ? NULL : simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(disk == NULL ? NULL : path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static verso_store *open_on(struct simulated_disk *disk)
{
    return open_with(disk, (struct setting){.page_size = SMALL_PAGE});
}

static void close_store(verso_store *store)
{
    verso_err err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void check_store(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ", page %u: %s", report.bad_root, report.bad_page,
                 report.fault);
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static verso_root_id commit(verso_txn *txn)
{
    verso_root_id root = 0;
    verso_err err = verso_commit(txn, NULL, &root);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return root;
}

static verso_slice key_of(unsigned number)
{
    static char text[2][16];
    static unsigned turn;
    char *key = text[turn++ % 2];
    return (verso_slice){key, (size_t)snprintf(key, sizeof text[0], "key%06u", number)};
}

/** Values of all lengths, long ones in pages of their own among them. */
static verso_slice value_of(unsigned number)
{
    static uint8_t value[VALUE_MAX];
    memset(value, (int)(number % 251), sizeof value);
    return (verso_slice){value, number % 17 == 0 ? VALUE_MAX : number % 70};
}

static void put_keys(verso_txn *txn, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        verso_err err = verso_put(txn, key_of(i), value_of(i));
        cr_assert_eq(err, VERSO_OK, "key %u: %s", i, verso_error_detail());
    }
}

static uint64_t delete_keys(verso_txn *txn, unsigned from, unsigned to)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = key_of(from);
    range.to = key_of(to);
    uint64_t deleted = UINT64_MAX;
    verso_err err = verso_delete_range(txn, &range, &deleted);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return deleted;
}

static verso_root_info info_of(verso_store *store, verso_root_id root)
{
    verso_view *view = NULL;
    verso_err err =
        root == 0 ? verso_view_open(store, &view) : verso_view_open_root(store, root, &view);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
    verso_view_close(view);
    return info;
}

/* ---- beside a sorted array ---- */

static bool same_key(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static void expect_keys(verso_view *view, const struct tree_state *state, uint64_t seed)
{
    verso_cursor *cursor;
    verso_entry entry;
    verso_err err = verso_cursor_open(view, NULL, &cursor);
    cr_assert_eq(err, VERSO_OK);
    for (size_t i = 0; i < state->count; i++) {
        err = verso_cursor_next(cursor, &entry);
        cr_assert(err == VERSO_OK && same_key(entry.key, state->pairs[i].key),
                  "seed=%" PRIu64 " key %zu", seed, i);
    }
    cr_assert_eq(verso_cursor_next(cursor, &entry), VERSO_NOT_FOUND, "seed=%" PRIu64, seed);
    verso_cursor_close(cursor);
}

static void delete_drawn(verso_txn *txn, struct tree_state *now, struct simulated_random *random,
                         uint64_t seed)
{
    static struct range_model drawn;
    range_model_draw(&drawn, now, random);
    size_t first = 0;
    size_t expected = range_model_count(&drawn.range, now, &first);
    uint64_t deleted = UINT64_MAX;
    verso_err err = verso_delete_range(txn, &drawn.range, &deleted);
    cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 ": %s", seed, verso_error_detail());
    cr_assert_eq(deleted, expected, "seed=%" PRIu64 ": %" PRIu64 " instead of %zu", seed, deleted,
                 expected);
    tree_state_remove_many(now, first, expected);
    expect_keys(verso_txn_view(txn), now, seed);
}

/** Root 1 has many keys of all kinds; ranges go from it, again and again, each time anew. */
static void compare_ranges(uint64_t seed, uint32_t page_size)
{
    enum { KEYS = 700, ROUNDS = 60, PER_ROUND = 4 };
    struct simulated_random random = {seed};
    verso_store *store = open_with(NULL, (struct setting){.page_size = page_size});
    struct tree_state all = {.pairs = NULL};
    uint8_t *keys = malloc((size_t)KEYS * PAGE_KEY_MAX);
    cr_assert_not_null(keys);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t *bytes = keys + (size_t)i * PAGE_KEY_MAX;
        size_t key_max = verso_key_size_max(store);
        verso_slice key = {bytes, page_keys_next(PAGE_KEYS_ANY, &random, key_max, bytes)};
        cr_assert_eq(verso_put(txn, key, value_of(i)), VERSO_OK);
        tree_state_put(&all, key, (verso_slice){NULL, 0});
    }
    verso_root_id full = commit(txn);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct tree_state now = tree_state_copy(&all);
        txn = begin(store);
        for (unsigned i = 0; i < PER_ROUND; i++) {
            delete_drawn(txn, &now, &random, seed);
        }
        verso_abort(txn);
        tree_state_clear(&now);
    }
    verso_view *view;
    cr_assert_eq(verso_view_open_root(store, full, &view), VERSO_OK);
    expect_keys(view, &all, seed);
    verso_view_close(view);
    check_store(store);
    close_store(store);
    tree_state_clear(&all);
    free(keys);
}

Test(delete_range, agrees_with_sorted_arrays_for_every_kind_of_range)
{
    const uint32_t page_sizes[] = {512, 1024, 4096, 65536};
    for (unsigned i = 0; i < sizeof page_sizes / sizeof *page_sizes; i++) {
        compare_ranges(page_keys_seed() + i, page_sizes[i]);
    }
}

/* ---- roots ---- */

Test(delete_range, leaves_older_roots_as_they_were_and_leaks_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 2000);
    verso_root_id full = commit(txn);
    verso_root_info before = info_of(store, full);
    txn = begin(store);
    cr_assert_eq(delete_keys(txn, 100, 1900), 1800);
    verso_root_id cut = commit(txn);
    check_store(store); /* that no page leaked, the long values' included */
    txn = begin(store);
    put_keys(txn, 100, 1900);
    verso_root_id again = commit(txn);
    cr_assert_eq(info_of(store, full).fingerprint, before.fingerprint);
    cr_assert_eq(info_of(store, full).keys, 2000);
    cr_assert_eq(info_of(store, cut).keys, 200);
    cr_assert_eq(info_of(store, again).fingerprint, before.fingerprint);
    close_store(store);
    store = open_on(disk);
    check_store(store);
    cr_assert_eq(info_of(store, cut).keys, 200);
    close_store(store);
    simulated_disk_close(disk);
}

Test(delete_range, that_finds_nothing_makes_no_root)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 10);
    verso_root_id root = commit(txn);
    txn = begin(store);
    cr_assert_eq(delete_keys(txn, 20, 30), 0);
    cr_assert_eq(delete_keys(txn, 5, 3), 0);
    cr_assert_eq(delete_keys(txn, 5, 5), 0);
    cr_assert_eq(commit(txn), root);
    close_store(store);
    simulated_disk_close(disk);
}

/* ---- recovery ---- */

Test(delete_range, is_one_short_operation_in_the_log)
{
    enum { KEYS = 3000, FRAME_MAX = 300 };
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, KEYS);
    (void)commit(txn);
    verso_stats before = {.size = sizeof before};
    verso_stats after = {.size = sizeof after};
    cr_assert_eq(verso_stat(store, &before), VERSO_OK);
    txn = begin(store);
    cr_assert_eq(delete_keys(txn, 1, KEYS), KEYS - 1);
    (void)commit(txn);
    cr_assert_eq(verso_stat(store, &after), VERSO_OK);
    cr_assert_lt(after.log_bytes - before.log_bytes, FRAME_MAX);
    close_store(store);
    simulated_disk_close(disk);
}

/** A range with each combination of bounds, in turn. */
static void delete_turn(verso_txn *txn, unsigned turn)
{
    verso_range range = {.size = sizeof range};
    range.has_from = turn % 2 == 1;
    range.has_to = turn / 2 % 2 == 1;
    range.from_exclusive = turn / 4 % 2 == 1;
    range.to_inclusive = turn / 8 % 2 == 1;
    range.has_prefix = !range.has_from && !range.has_to;
    range.from = key_of(350);
    range.to = key_of(range.has_from ? 420 : 50);
    range.prefix = verso_text("key0001");
    uint64_t deleted = 0;
    verso_err err = verso_delete_range(txn, &range, &deleted);
    cr_assert_eq(err, VERSO_OK, "turn %u: %s", turn, verso_error_detail());
    cr_assert_gt(deleted, 0, "turn %u", turn);
}

/* A replay that came to another fingerprint would be refused. */
Test(delete_range, is_replayed_after_a_power_cut_whatever_its_bounds)
{
    for (unsigned turn = 0; turn < 16; turn++) {
        struct simulated_disk *disk = simulated_disk_open(turn);
        verso_store *store = open_on(disk);
        verso_txn *txn = begin(store);
        put_keys(txn, 0, 450);
        (void)commit(txn);
        txn = begin(store);
        put_keys(txn, 450, 500);
        delete_turn(txn, turn);
        put_keys(txn, 500, 600);
        verso_root_info tip = info_of(store, commit(txn));
        struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
        close_store(store);
        simulated_disk_close(disk);
        store = open_on(left);
        verso_root_info found = info_of(store, 0);
        cr_assert_eq(found.id, tip.id);
        cr_assert_eq(found.keys, tip.keys);
        cr_assert_eq(found.fingerprint, tip.fingerprint);
        check_store(store);
        close_store(store);
        simulated_disk_close(left);
    }
}

/* Each tree has its own keys: a range goes from one of them, now and in the replay. */
Test(delete_range, in_a_named_tree_leaves_the_others_alone)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    verso_txn *tree;
    cr_assert_eq(verso_txn_tree(txn, verso_text("tree"), true, &tree), VERSO_OK);
    put_keys(txn, 0, 300);
    put_keys(tree, 0, 500);
    cr_assert_eq(delete_keys(tree, 20, 490), 470);
    verso_root_info tip = info_of(store, commit(txn));
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    close_store(store);
    simulated_disk_close(disk);
    store = open_on(left);
    cr_assert_eq(info_of(store, 0).fingerprint, tip.fingerprint);
    verso_view *view;
    verso_view *named;
    uint64_t count = 0;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_view_tree(view, verso_text("tree"), &named), VERSO_OK);
    cr_assert_eq(verso_count(named, NULL, &count), VERSO_OK);
    cr_assert_eq(count, 30);
    cr_assert_eq(verso_count(view, NULL, &count), VERSO_OK);
    cr_assert_eq(count, 300);
    verso_view_close(view);
    check_store(store);
    close_store(store);
    simulated_disk_close(left);
}

/* Pages born before the savepoint come back as they were, though the range took or changed them. */
Test(delete_range, is_undone_by_a_savepoint)
{
    verso_store *store = open_with(NULL, (struct setting){.page_size = SMALL_PAGE});
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 400);
    (void)commit(txn);
    txn = begin(store);
    put_keys(txn, 300, 900);
    verso_root_info before = {.size = sizeof before};
    verso_root_info after = {.size = sizeof after};
    cr_assert_eq(verso_view_info(verso_txn_view(txn), &before), VERSO_OK);
    uint32_t savepoint = 0;
    cr_assert_eq(verso_savepoint(txn, &savepoint), VERSO_OK);
    cr_assert_eq(delete_keys(txn, 5, 880), 875);
    put_keys(txn, 100, 200);
    cr_assert_eq(delete_keys(txn, 0, 900), 125);
    cr_assert_eq(verso_rollback(txn, savepoint), VERSO_OK);
    cr_assert_eq(verso_view_info(verso_txn_view(txn), &after), VERSO_OK);
    cr_assert_eq(after.keys, 900);
    cr_assert_eq(after.fingerprint, before.fingerprint);
    (void)commit(txn);
    check_store(store);
    close_store(store);
}

/* The power fails at each change that a deletion's commit, the checkpoint after it and the close
 * make to the disk. */
struct sweep {
    uint64_t keys[4]; /* by root */
    verso_root_id durable;
    unsigned images;
};

static void cut_power(void *argument, struct simulated_disk *disk,
                      const struct simulated_event *event)
{
    struct sweep *sweep = argument;
    if (!event->is_change || sweep->durable == 0) {
        return;
    }
    const enum simulated_crash modes[] = {SIMULATED_CRASH_ALL_OLD, SIMULATED_CRASH_ALL_NEW,
                                          SIMULATED_CRASH_RANDOM};
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct simulated_disk *left = simulated_disk_crash(disk, event->change, modes[i]);
        verso_store *store = open_on(left);
        verso_root_info found = info_of(store, 0);
        cr_assert(found.id >= sweep->durable && found.id <= 3, "root %" PRIu64, found.id);
        for (verso_root_id root = 1; root <= found.id; root++) {
            cr_assert_eq(info_of(store, root).keys, sweep->keys[root], "change %" PRIu64,
                         event->change);
        }
        check_store(store);
        close_store(store);
        simulated_disk_close(left);
        sweep->images++;
    }
}

Test(delete_range, is_whole_or_absent_after_a_power_cut_anywhere)
{
    struct sweep sweep = {.keys = {0, 700, 100, 300}};
    struct simulated_disk *disk = simulated_disk_open(1);
    simulated_disk_set_any_subset(disk, true);
    simulated_disk_set_hook(disk, cut_power, &sweep);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 700);
    sweep.durable = commit(txn);
    txn = begin(store);
    cr_assert_eq(delete_keys(txn, 50, 650), 600);
    sweep.durable = commit(txn);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    txn = begin(store);
    put_keys(txn, 1000, 1290);
    cr_assert_eq(delete_keys(txn, 10, 1000), 90);
    sweep.durable = commit(txn);
    close_store(store);
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert_gt(sweep.images, 60, "%u images", sweep.images);
    simulated_disk_close(disk);
}

/* A transaction that outgrows the arena: what is deleted was written to its own place before. */
Test(delete_range, takes_pages_that_were_spilled)
{
    enum { KEYS = 6000 };
    struct setting small = {SMALL_PAGE, 512 * 512, 64 << 20};
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_with(disk, small);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, KEYS);
    cr_assert_gt(store->store->writer.spilled, 0);
    cr_assert_eq(delete_keys(txn, 100, KEYS - 100), KEYS - 200);
    put_keys(txn, KEYS, KEYS + 300);
    cr_assert_eq(delete_keys(txn, 50, KEYS + 100), 250);
    verso_root_id root = commit(txn);
    cr_assert_eq(info_of(store, root).keys, 250);
    check_store(store);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    close_store(store);
    simulated_disk_close(disk);
    store = open_with(left, small);
    cr_assert_eq(info_of(store, 0).keys, 250);
    check_store(store);
    close_store(store);
    simulated_disk_close(left);
}

/* ---- what goes wrong ---- */

static vs_page_no leaf_of(verso_store *store, unsigned number)
{
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    struct vs_path found;
    cr_assert_eq(vs_path_to_key(&view->tree, key_of(number), false, &found), VERSO_OK);
    verso_view_close(view);
    return found.level[0].page;
}

/* All leaves are read before anything is changed: the transaction goes on. */
Test(delete_range, over_a_damaged_leaf_is_refused_and_changes_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk);
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 1000);
    (void)commit(txn);
    vs_page_no leaf = leaf_of(store, 500);
    close_store(store);
    simulated_disk_flip(disk, path, (uint64_t)leaf * SMALL_PAGE + 300, 1);
    store = open_on(disk);
    txn = begin(store);
    uint64_t deleted = 77;
    cr_assert_eq(verso_delete_range(txn, NULL, &deleted), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "page"));
    cr_assert_eq(deleted, 77);
    cr_assert_eq(delete_keys(txn, 0, 100), 100);
    verso_root_id root = commit(txn);
    cr_assert_eq(info_of(store, root).keys, 900);
    close_store(store);
    simulated_disk_close(disk);
}

Test(delete_range, refuses_arguments_that_make_no_sense)
{
    verso_store *store = open_with(NULL, (struct setting){.page_size = SMALL_PAGE});
    verso_txn *txn = begin(store);
    put_keys(txn, 0, 10);
    verso_range unsized = {.size = 3};
    verso_range dataless = {.size = sizeof dataless, .has_prefix = true, .prefix = {NULL, 3}};
    cr_assert_eq(verso_delete_range(NULL, NULL, NULL), VERSO_INVALID);
    cr_assert_eq(verso_delete_range(txn, &unsized, NULL), VERSO_INVALID);
    cr_assert_eq(verso_delete_range(txn, &dataless, NULL), VERSO_INVALID);
    cr_assert_eq(verso_delete_range(txn, NULL, NULL), VERSO_OK); /* all, without a count */
    uint64_t count = 1;
    cr_assert_eq(verso_count(verso_txn_view(txn), NULL, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    verso_abort(txn);
    close_store(store);
}
