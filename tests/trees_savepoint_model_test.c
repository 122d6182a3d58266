/*
 * trees_savepoint_model_test.c - several trees in one transaction, created, dropped, renamed,
 * filled and emptied between savepoints, beside a stack of arrays; commits, aborts, power cuts.
 *
 * A key is the number of a place in the array, a value is drawn from the number that stands there.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "page_keys.h"
#include "run_length.h"
#include "simulated_disk.h"
#include "simulated_random.h"

enum {
    TREES = 5, /* the first is the default tree */
    KEYS = 300,
    DEPTH_MAX = 6,
    STEPS = 2500,
    RUNS = 4,
    VALUE_MAX = 2000,
    PAGE_SIZE = 512,
    ARENA_FRAMES = 48,
    LOG_BYTES = 64 * 1024,
};

static const char *const name_of[TREES] = {NULL, "apples", "b", "cherries", "dates and figs"};

struct state {
    bool there[TREES];
    uint32_t value[TREES][KEYS]; /* 0: no such key */
};

struct model {
    uint64_t seed;
    unsigned step;
    struct simulated_random random;
    struct simulated_disk *disk;
    verso_store *store;
    verso_txn *txn;
    struct state now;
    struct state at[DEPTH_MAX + 1]; /* [0]: the last commit; [n]: savepoint n */
    uint32_t depth;
};

static uint64_t below(struct model *model, uint64_t bound)
{
    return simulated_random_below(&model->random, bound);
}

static void must(const struct model *model, verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 " step=%u: %s (%s)", model->seed, model->step,
                 verso_strerror(err), verso_error_detail());
}

static verso_slice key_of(unsigned number)
{
    static char key[8];
    snprintf(key, sizeof key, "%05u", number);
    return verso_text(key);
}

/* Most are short, some are long enough for pages of their own. */
static verso_slice value_of(uint32_t number)
{
    static uint8_t value[VALUE_MAX];
    size_t size = number % 16 == 0 ? number % VALUE_MAX : number % 60;
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(number >> i % 4 * 8);
    }
    return (verso_slice){value, size};
}

/* ---- comparing ---- */

static void compare_tree(const struct model *model, verso_view *view, const uint32_t *value)
{
    verso_cursor *cursor;
    must(model, verso_cursor_open(view, NULL, &cursor));
    for (unsigned i = 0; i < KEYS; i++) {
        if (value[i] == 0) {
            continue;
        }
        verso_entry entry;
        must(model, verso_cursor_next(cursor, &entry));
        verso_slice expected = value_of(value[i]);
        bool same = entry.key.size == 5 && memcmp(entry.key.data, key_of(i).data, 5) == 0 &&
                    entry.value.size == expected.size &&
                    memcmp(entry.value.data, expected.data, expected.size) == 0;
        cr_assert(same, "seed=%" PRIu64 " step=%u: key %u", model->seed, model->step, i);
    }
    verso_entry entry;
    cr_assert_eq(verso_cursor_next(cursor, &entry), VERSO_NOT_FOUND,
                 "seed=%" PRIu64 " step=%u: a key too many", model->seed, model->step);
    verso_cursor_close(cursor);
}

static void compare(const struct model *model, verso_view *view)
{
    compare_tree(model, view, model->now.value[0]);
    for (unsigned i = 1; i < TREES; i++) {
        verso_view *tree = NULL;
        verso_err err = verso_view_tree(view, verso_text(name_of[i]), &tree);
        cr_assert_eq(err, model->now.there[i] ? VERSO_OK : VERSO_NOT_FOUND,
                     "seed=%" PRIu64 " step=%u: %s", model->seed, model->step, name_of[i]);
        if (err == VERSO_OK) {
            compare_tree(model, tree, model->now.value[i]);
        }
    }
}

/* ---- changes ---- */

static verso_txn *handle_of(struct model *model, unsigned tree)
{
    verso_txn *handle = model->txn;
    if (tree > 0) { /* one that is not there is created */
        must(model, verso_txn_tree(model->txn, verso_text(name_of[tree]), true, &handle));
        model->now.there[tree] = true;
    }
    return handle;
}

static void change(struct model *model)
{
    unsigned tree = (unsigned)below(model, TREES);
    verso_txn *handle = handle_of(model, tree);
    unsigned from = (unsigned)below(model, KEYS);
    bool deletes = below(model, 3) == 0;
    for (unsigned i = from; i < KEYS && i < from + 30; i += 1 + (unsigned)below(model, 3)) {
        uint32_t *value = &model->now.value[tree][i];
        if (!deletes) {
            *value = 1 + (uint32_t)below(model, UINT32_MAX - 1);
            must(model, verso_put(handle, key_of(i), value_of(*value)));
        } else if (*value != 0) {
            must(model, verso_delete(handle, key_of(i)));
            *value = 0;
        }
    }
}

/* Drop a tree; some come back at once, empty, under their number, as when a drop is reverted. */
static void drop(struct model *model)
{
    unsigned tree = 1 + (unsigned)below(model, TREES - 1);
    verso_slice name = verso_text(name_of[tree]);
    uint64_t number = 0;
    if (model->now.there[tree] && below(model, 3) == 0) {
        number = handle_of(model, tree)->edit->tree_id;
    }
    verso_err err = verso_tree_drop(model->txn, name);
    cr_assert_eq(err, model->now.there[tree] ? VERSO_OK : VERSO_NOT_FOUND,
                 "seed=%" PRIu64 " step=%u: a drop", model->seed, model->step);
    if (number != 0) {
        verso_txn *handle;
        must(model, vs_txn_create_tree(model->txn, name, number, &handle));
    }
    model->now.there[tree] = number != 0;
    memset(model->now.value[tree], 0, sizeof model->now.value[tree]);
}

static void rename_tree(struct model *model)
{
    unsigned tree = 1 + (unsigned)below(model, TREES - 1);
    unsigned to = 1 + (unsigned)below(model, TREES - 1);
    if (tree == to || !model->now.there[tree] || model->now.there[to]) {
        return;
    }
    must(model, verso_tree_rename(model->txn, verso_text(name_of[tree]), verso_text(name_of[to])));
    model->now.there[tree] = false;
    model->now.there[to] = true;
    memcpy(model->now.value[to], model->now.value[tree], sizeof model->now.value[to]);
    memset(model->now.value[tree], 0, sizeof model->now.value[tree]);
}

static void move_savepoints(struct model *model)
{
    uint64_t drawn = below(model, 8);
    if (model->depth == 0 || (drawn < 4 && model->depth < DEPTH_MAX)) {
        uint32_t number;
        must(model, verso_savepoint(model->txn, &number));
        model->at[++model->depth] = model->now;
        cr_assert_eq(number, model->depth);
        return;
    }
    uint32_t to = below(model, 3) > 0 ? model->depth : 1 + (uint32_t)below(model, model->depth);
    if (drawn == 7) {
        must(model, verso_release(model->txn, to));
        model->depth = to - 1;
        return;
    }
    must(model, verso_rollback(model->txn, to));
    model->now = model->at[to];
    model->depth = to;
    compare(model, verso_txn_view(model->txn));
}

/* ---- transactions ---- */

static void open_store(struct model *model)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    verso_retention policy = verso_keep_last(2);
    options.retention = &policy;
    options.log_bytes = LOG_BYTES; /* some transactions outgrow it */
    options.system = simulated_disk_os(model->disk);
    must(model, verso_open("store", &options, &model->store));
    model->store->store->arena_limit = ARENA_FRAMES; /* and nearly all outgrow this */
}

static void close_store(struct model *model)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(model->store, &report);
    cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 " step=%u: %s", model->seed, model->step,
                 report.fault);
    must(model, verso_close(model->store));
}

/* A power cut: the log is replayed, and the fingerprints in it must come out. */
static void crash(struct model *model)
{
    struct simulated_disk *after =
        simulated_disk_crash(model->disk, model->seed + model->step, SIMULATED_CRASH_ALL_OLD);
    close_store(model);
    simulated_disk_close(model->disk);
    model->disk = after;
    open_store(model);
}

static void end_transaction(struct model *model)
{
    if (below(model, 3) == 0) {
        verso_abort(model->txn);
        model->now = model->at[0];
    } else {
        must(model, verso_commit(model->txn, NULL, NULL));
        model->at[0] = model->now;
    }
    model->depth = 0;
    if (below(model, 4) == 0) {
        crash(model);
    }
    verso_view *view;
    must(model, verso_view_open(model->store, &view));
    compare(model, view);
    verso_view_close(view);
    must(model, verso_begin(model->store, &model->txn));
}

static void run(uint64_t seed)
{
    struct model *model = calloc(1, sizeof *model);
    cr_assert_not_null(model);
    model->seed = seed;
    model->random.state = seed;
    model->disk = simulated_disk_open(seed);
    open_store(model);
    must(model, verso_begin(model->store, &model->txn));
    for (; model->step < STEPS; model->step++) {
        uint64_t what = below(model, 100);
        if (what < 30) {
            move_savepoints(model);
        } else if (what < 33) {
            end_transaction(model);
        } else if (what < 38) {
            drop(model);
        } else if (what < 41) {
            rename_tree(model);
        } else {
            change(model);
        }
    }
    end_transaction(model);
    verso_abort(model->txn);
    close_store(model);
    simulated_disk_close(model->disk);
    free(model);
}

Test(trees_savepoint_model, agrees_with_a_stack_of_arrays)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS); /* up to 1,000 */
    for (uint64_t i = 0; i < runs; i++) {
        run(page_keys_seed() * 1000 + i);
    }
    run_count("runs", runs);
    run_count("steps", runs * STEPS);
}
