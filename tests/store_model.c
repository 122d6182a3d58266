/*
 * store_model.c - the life of the store beside its model: transactions, views, closing, power cuts.
 *
 * A power cut is prepared, not waited for: after a drawn number of changes to the disk the hook
 * takes the disk as the cut would leave it and notes what was promised by then. The operations
 * under way go on; then the store is closed, its disk thrown away, and a store opened on the one
 * that was cut.
 *
 * What runs beside a checkpoint runs within the hook, between two of its writes: the writer lock is
 * free there, and the interleaving is the same in each run of a seed.
 */
#include "store_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "expected_history.h"
#include "expected_kept.h"
#include "expected_roots.h"
#include "format/layout.h"
#include "model_history.h"
#include "model_keeping.h"
#include "model_savepoints.h"
#include "range_model.h"
#include "simulated_disk.h"
#include "view_compare.h"

enum {
    HELD_MAX = 8,
    KEY_MAX = 16384,
    VALUE_MAX = 700 * 1024,
    SORTED_MAX = 60,
    RANGE_MAX = 40,
    LONG_BYTES_MAX = 60 << 20, /* of long values in a run: the disk maps no more than 256 MiB */
};

#define STORE_PATH "store"

/* A view kept open across steps. */
struct held {
    verso_view *view;
    uint64_t version;
};

/* A power cut to come, or one that has happened. */
struct cut {
    bool armed;
    bool after;      /* the change it meets, or before */
    uint64_t change; /* number of that change on the disk */
    uint64_t seed;
    enum simulated_crash mode;
    struct simulated_disk *left;     /* what it left; NULL: not happened */
    uint64_t least;                  /* versions promised by then */
    uint64_t issued;                 /* newest that a commit had begun */
    struct expected_keeping keeping; /* as it was known by then */
};

struct store_model {
    struct store_model_config config;
    struct simulated_random random;
    struct simulated_disk *disk;
    verso_store *store;
    struct expected_roots roots;
    uint64_t durable; /* promised to survive a power cut */
    uint64_t written; /* promised to survive a killed process */
    struct held held[HELD_MAX];
    unsigned held_count;
    struct cut cut;
    struct model_savepoints savepoints; /* of the transaction */
    bool in_tree; /* what is changed is a named tree, which a rollback might take away */
    bool shrinking;
    uint64_t long_bytes; /* of long values so far */
    unsigned beside;     /* steps still to come beside the checkpoint that runs */
    const char *beside_fault;
    uint8_t key[KEY_MAX];
    uint8_t *value; /* VALUE_MAX bytes */
    char fault[900];
};

static uint64_t below(struct store_model *model, uint64_t bound)
{
    return simulated_random_below(&model->random, bound);
}

static bool one_in(struct store_model *model, unsigned n)
{
    return n > 0 && below(model, n) == 0;
}

static const char *failed(struct store_model *model, const char *what, verso_err err)
{
    snprintf(model->fault, sizeof model->fault, "%s: %s (%s)", what, verso_strerror(err),
             verso_error_detail());
    return model->fault;
}

static const char *within(struct store_model *model, const char *what, const char *fault)
{
    if (fault == NULL) {
        return NULL;
    }
    char copy[700];
    snprintf(copy, sizeof copy, "%s", fault);
    snprintf(model->fault, sizeof model->fault, "%s: %s", what, copy);
    return model->fault;
}

/* ---- keys and values ---- */

static verso_slice new_key(struct store_model *model)
{
    size_t size = page_keys_next(model->config.keys, &model->random,
                                 verso_key_size_max(model->store), model->key);
    return (verso_slice){model->key, size};
}

/* A key that is in the state, or a new one. */
static verso_slice some_key(struct store_model *model, const struct tree_state *state)
{
    if (state->count == 0 || below(model, 4) == 0) {
        return new_key(model);
    }
    return state->pairs[below(model, state->count)].key;
}

static verso_slice new_value(struct store_model *model)
{
    bool is_long = model->long_bytes < LONG_BYTES_MAX && one_in(model, model->config.long_one_in);
    size_t max = is_long ? model->config.long_value_max : model->config.value_max;
    size_t size = (size_t)below(model, max + 1);
    model->long_bytes += is_long ? size : 0;
    uint64_t stamp = simulated_random_next(&model->random);
    for (size_t i = 0; i < size; i += 8) {
        uint64_t word = stamp + i;
        memcpy(model->value + i, &word, sizeof word);
    }
    return (verso_slice){model->value, size};
}

/* ---- drawing a run ---- */

struct store_model_config store_model_draw(uint64_t seed, uint32_t page_size)
{
    struct simulated_random random = {seed};
    struct store_model_config config = {.seed = seed, .page_size = page_size};
    config.in_memory = simulated_random_below(&random, 12) == 0;
    config.policy = model_policy_draw(&random);
    config.durability = simulated_random_below(&random, 2) == 0
                            ? VERSO_DURABILITY_SYNC
                            : (verso_durability)(1 + simulated_random_below(&random, 3));
    config.arena_bytes = (uint64_t)page_size * 256 * (1 + simulated_random_below(&random, 8));
    config.log_bytes = UINT64_C(65536) << simulated_random_below(&random, 4);
    config.keys = (enum page_keys)simulated_random_below(&random, PAGE_KEYS_ANY + 1);
    const size_t values[] = {0, 20, 100, 400, 3000};
    config.value_max = values[simulated_random_below(&random, 5)];
    const unsigned longs[] = {0, 0, 8, 40};
    config.long_one_in = longs[simulated_random_below(&random, 4)];
    const size_t long_values[] = {5000, 40000, 400000};
    config.long_value_max = long_values[simulated_random_below(&random, 3)];
    const size_t targets[] = {20, 150, 600, 2000};
    config.keys_target = targets[simulated_random_below(&random, 4)];
    const unsigned changes[] = {1, 4, 20, 100};
    config.changes_max = changes[simulated_random_below(&random, 4)];
    config.large_one_in = simulated_random_below(&random, 2) == 0 ? 0 : 30;
    for (unsigned step = 0; step < STORE_MODEL_STEPS; step++) {
        const unsigned weights[] = {0, 1, 3, 10};
        config.weight[step] = weights[simulated_random_below(&random, 4)];
    }
    const unsigned savepoints[] = {0, 0, 6, 40};
    config.savepoint_one_in = savepoints[simulated_random_below(&random, 4)];
    config.sorted_max = SORTED_MAX;
    const unsigned reverts[] = {0, 0, 30, 200};
    config.revert_one_in = reverts[simulated_random_below(&random, 4)];
    const unsigned trees[] = {0, 0, 2, 8};
    config.tree_one_in = trees[simulated_random_below(&random, 4)];
    config.weight[STORE_MODEL_TRANSACTION] += 30;
    config.weight[STORE_MODEL_READ] += 5;
    config.weight[STORE_MODEL_CHECK] += 1;
    return config;
}

/* ---- power cuts ---- */

static void cut_power(void *argument, struct simulated_disk *disk,
                      const struct simulated_event *event)
{
    struct store_model *model = argument;
    struct cut *cut = &model->cut;
    if (!cut->armed || cut->left != NULL || !event->is_change || event->is_after != cut->after ||
        event->change < cut->change) {
        return;
    }
    cut->left = simulated_disk_crash(disk, cut->seed, cut->mode);
    cut->least = cut->mode == SIMULATED_CRASH_ALL_NEW && model->written > model->durable
                     ? model->written
                     : model->durable;
    cut->issued = model->roots.issued;
    cut->keeping = expected_keeping_copy(&model->roots.keeping);
}

static const char *step_beside(struct store_model *model);

/* Between two writes of a checkpoint to the fixed parts of the store file; what it writes to other
 * pages may belong to its freeze, when the writer has to wait. */
static void run_beside(struct store_model *model, const struct simulated_event *event)
{
    bool here = model->beside > 0 && strcmp(event->path, STORE_PATH) == 0 &&
                (event->kind == SIMULATED_SYNC ||
                 (event->kind == SIMULATED_WRITE &&
                  vs_layout_is_reserved(model->config.page_size,
                                        (vs_page_no)(event->offset / model->config.page_size))));
    while (here && model->beside > 0 && model->beside_fault == NULL && one_in(model, 2)) {
        unsigned left = model->beside - 1;
        model->beside = 0; /* nothing beside what runs beside */
        model->beside_fault = step_beside(model);
        model->beside = left;
    }
}

static void on_event(void *argument, struct simulated_disk *disk,
                     const struct simulated_event *event)
{
    struct store_model *model = argument;
    run_beside(model, event);
    if (event->is_change && !event->is_after && event->change % 61 == 0) {
        simulated_disk_write_back(disk, model->config.seed + event->change);
    }
    cut_power(argument, disk, event);
}

static void arm_cut(struct store_model *model)
{
    const enum simulated_crash modes[] = {SIMULATED_CRASH_ALL_OLD, SIMULATED_CRASH_ALL_NEW,
                                          SIMULATED_CRASH_RANDOM,  SIMULATED_CRASH_RANDOM,
                                          SIMULATED_CRASH_ONE_NEW, SIMULATED_CRASH_ONE_OLD,
                                          SIMULATED_CRASH_TORN};
    uint64_t reach = UINT64_C(1) << below(model, 8);
    model->cut = (struct cut){
        .armed = true,
        .after = below(model, 2) == 0,
        .change = simulated_disk_changes(model->disk) + 1 + below(model, reach),
        .seed = simulated_random_next(&model->random),
        .mode = modes[below(model, 7)],
    };
}

/* ---- opening and closing ---- */

static verso_err open_store(struct store_model *model)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = model->config.page_size;
    options.retention = &model->config.policy;
    options.durability = model->config.durability;
    options.arena_bytes = model->config.arena_bytes;
    options.log_bytes = model->config.log_bytes;
    options.system = simulated_disk_os(model->disk);
    verso_err err =
        verso_open(model->config.in_memory ? NULL : STORE_PATH, &options, &model->store);
    model->roots.keeping.checkpoints = 0;
    uint64_t frames = model->config.arena_bytes / model->config.page_size;
    if (err == VERSO_OK && frames < model->store->store->arena_limit) {
        model->store->store->arena_limit = frames; /* fewer than verso_open() allows */
    }
    return err;
}

struct store_model *store_model_open(const struct store_model_config *config)
{
    struct store_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        abort();
    }
    model->config = *config;
    model->random.state = config->seed;
    model->value = malloc(VALUE_MAX);
    if (model->value == NULL) {
        abort();
    }
    expected_roots_init(&model->roots, &config->policy);
    model->disk = simulated_disk_open(config->seed);
    simulated_disk_set_any_subset(model->disk, config->seed % 2 == 0);
    simulated_disk_set_hook(model->disk, on_event, model);
    return model;
}

static void close_views(struct store_model *model)
{
    while (model->held_count > 0) {
        struct held *held = &model->held[--model->held_count];
        expected_keeping_close(&model->roots.keeping, held->version);
        verso_view_close(held->view);
    }
}

/* The disk is thrown away for the one that the power cut left. */
static const char *recover(struct store_model *model)
{
    struct cut cut = model->cut;
    close_views(model);
    verso_err err = verso_close(model->store);
    model->store = NULL;
    if (err != VERSO_OK) {
        simulated_disk_close(cut.left);
        expected_keeping_clear(&cut.keeping);
        return failed(model, "closing before the crash", err);
    }
    simulated_disk_close(model->disk);
    model->disk = cut.left;
    model->cut = (struct cut){.armed = false};
    simulated_disk_set_hook(model->disk, on_event, model);
    expected_keeping_clear(&model->roots.keeping);
    model->roots.keeping = cut.keeping;
    expected_forget_after(&model->roots, cut.issued);
    if (one_in(model, 3)) { /* a second cut, perhaps within the recovery: nothing may be lost */
        model->durable = cut.least;
        model->written = cut.least;
        arm_cut(model);
    }
    err = open_store(model);
    if (err != VERSO_OK) {
        return failed(model, "opening after a crash", err);
    }
    const char *fault =
        expected_compare_recovered(&model->roots, model->store, cut.least, &model->random);
    if (fault != NULL) {
        char what[80];
        snprintf(what, sizeof what, "after a crash of mode %d", (int)cut.mode);
        return within(model, what, fault);
    }
    model->durable = model->roots.issued;
    model->written = model->roots.issued;
    return NULL;
}

static const char *reopen(struct store_model *model)
{
    close_views(model);
    verso_err err = verso_close(model->store);
    model->store = NULL;
    if (err != VERSO_OK) {
        return failed(model, "closing", err);
    }
    if (simulated_disk_open_files(model->disk) != 0) {
        return "closing left files open";
    }
    if (model->config.in_memory) {
        expected_roots_clear(&model->roots);
        expected_roots_init(&model->roots, &model->config.policy);
    }
    model->durable = model->roots.issued;
    model->written = model->roots.issued;
    if (model->cut.left != NULL) {
        err = open_store(model);
        return err == VERSO_OK ? NULL : failed(model, "opening again", err);
    }
    if (!model->config.in_memory && simulated_disk_path(model->disk, 1) != NULL) {
        return within(model, "closing left a companion file", simulated_disk_path(model->disk, 1));
    }
    err = open_store(model);
    if (err != VERSO_OK) {
        return failed(model, "opening again", err);
    }
    return within(model, "opened again",
                  expected_compare_recovered(&model->roots, model->store, model->roots.issued,
                                             &model->random));
}

/* ---- transactions ---- */

static const char *put_some(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_slice key = expected_keep(&model->roots, some_key(model, working));
    verso_slice value = new_value(model);
    size_t index;
    bool there = tree_state_find(working, key, &index);
    verso_slice before = there ? working->pairs[index].value : (verso_slice){NULL, 0};
    verso_slice old = {NULL, 0};
    bool puts = true;
    verso_err expected = VERSO_OK;
    verso_err err;
    switch (below(model, 6)) {
    case 0:
        err = verso_insert(txn, key, value);
        puts = !there;
        expected = there ? VERSO_EXISTS : VERSO_OK;
        break;
    case 1:
        err = verso_replace(txn, key, value);
        puts = there;
        expected = there ? VERSO_OK : VERSO_NOT_FOUND;
        break;
    case 2:
        err = verso_exchange(txn, key, value, &old);
        puts = there;
        expected = there ? VERSO_OK : VERSO_NOT_FOUND;
        if (err == VERSO_OK && there && !view_same_bytes(old, before)) {
            return "an exchange handed back another value";
        }
        break;
    default:
        err = verso_put(txn, key, value);
        break;
    }
    if (err != expected) {
        return failed(model, "a put", err);
    }
    if (puts) {
        expected_put(&model->roots, key, value);
    }
    return NULL;
}

static const char *delete_some(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_slice key = some_key(model, working);
    size_t index;
    bool there = tree_state_find(working, key, &index);
    verso_err expected = there ? VERSO_OK : VERSO_NOT_FOUND;
    verso_err err;
    if (one_in(model, 2)) {
        verso_slice old;
        err = verso_take(txn, key, &old);
        if (err == VERSO_OK && there && !view_same_bytes(old, working->pairs[index].value)) {
            return "a take handed back another value";
        }
    } else {
        err = verso_delete(txn, key);
    }
    if (err != expected) {
        return failed(model, "a delete", err);
    }
    expected_delete(&model->roots, key);
    return NULL;
}

/* A range of any kind, mostly one of few keys: else stores would not grow. */
static const char *delete_range(struct store_model *model, verso_txn *txn)
{
    static struct range_model drawn;
    struct tree_state *working = &model->roots.working;
    verso_range *range = &drawn.range;
    range_model_draw(&drawn, working, &model->random);
    size_t first = 0;
    size_t expected = range_model_count(range, working, &first);
    if (expected > RANGE_MAX && !one_in(model, 8)) {
        range->has_to = true;
        range->to = working->pairs[first + below(model, RANGE_MAX)].key;
        expected = range_model_count(range, working, &first);
    }
    uint64_t deleted = UINT64_MAX;
    verso_err err = verso_delete_range(txn, range, &deleted);
    if (err != VERSO_OK) {
        return failed(model, "a range deletion", err);
    }
    tree_state_remove_many(working, first, expected);
    return deleted == expected ? NULL : "a range deletion counted other keys";
}

static const char *put_sorted(struct store_model *model, verso_txn *txn)
{
    struct tree_state batch = {.pairs = NULL};
    size_t count = 1 + (size_t)below(model, model->config.sorted_max);
    for (size_t i = 0; i < count; i++) {
        verso_slice key = expected_keep(&model->roots, some_key(model, &model->roots.working));
        tree_state_put(&batch, key, expected_keep(&model->roots, new_value(model)));
    }
    verso_err err = verso_put_sorted(txn, batch.pairs, batch.count);
    for (size_t i = 0; i < batch.count; i++) {
        tree_state_put(&model->roots.working, batch.pairs[i].key, batch.pairs[i].value);
    }
    tree_state_clear(&batch);
    return err == VERSO_OK ? NULL : failed(model, "a sorted put", err);
}

static const char *move_savepoints(struct store_model *model, verso_txn *txn)
{
    return model_savepoints_move(&model->savepoints, txn, &model->roots.working,
                                 &model->roots.working_named, &model->random);
}

/* Walk with one cursor while changing the tree under it: after any change the next entry is the
 * first above the key where the cursor stood, the previous one the last below. */
static const char *walk_and_change(struct store_model *model, verso_txn *txn)
{
    struct tree_state *working = &model->roots.working;
    verso_cursor *cursor;
    verso_err err = verso_cursor_open(verso_txn_view(txn), NULL, &cursor);
    if (err != VERSO_OK) {
        return failed(model, "a cursor in a transaction", err);
    }
    const char *fault = NULL;
    verso_entry entry;
    long place = tree_state_seek(working, VERSO_SEEK_GE, some_key(model, working));
    if (place >= 0) {
        verso_slice key = working->pairs[place].key;
        err = verso_cursor_seek(cursor, VERSO_SEEK_EQ, key, &entry);
        for (unsigned i = 0; i < 12 && fault == NULL && place >= 0 && err == VERSO_OK; i++) {
            verso_slice stood = working->pairs[place].key;
            fault = one_in(model, 3) ? put_some(model, txn) : NULL;
            if (fault == NULL && one_in(model, 2)) {
                err = verso_delete(txn, stood); /* NOT_FOUND never: nothing else deletes here */
                expected_delete(&model->roots, stood);
            }
            bool may_roll_back = !model->in_tree && one_in(model, model->config.savepoint_one_in);
            if (fault == NULL && err == VERSO_OK && may_roll_back) {
                fault = move_savepoints(model, txn);
            }
            bool forward = one_in(model, 2);
            place = tree_state_seek(working, forward ? VERSO_SEEK_GT : VERSO_SEEK_LT, stood);
            if (fault != NULL || err != VERSO_OK) {
                break;
            }
            err =
                forward ? verso_cursor_next(cursor, &entry) : verso_cursor_previous(cursor, &entry);
            if (err == VERSO_OK &&
                (place < 0 || !view_same_bytes(entry.key, working->pairs[place].key) ||
                 !view_same_bytes(entry.value, working->pairs[place].value))) {
                fault = "a cursor met another entry after a change";
            }
        }
        bool right = err == VERSO_OK || (err == VERSO_NOT_FOUND && place < 0);
        fault = fault == NULL && !right ? failed(model, "a cursor over changes", err) : fault;
    }
    verso_cursor_close(cursor);
    return fault;
}

/* Open the newest root or one by its id; *version is what was opened. */
static verso_err open_some(struct store_model *model, verso_view **view, uint64_t *version)
{
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(model->store, &stats);
    if (err != VERSO_OK) {
        return err;
    }
    *version = stats.published;
    if (one_in(model, 2) || stats.published == 0 ||
        expected_observe(&model->roots.keeping, model->store, false) != NULL) {
        return verso_view_open(model->store, view);
    }
    *version = 1 + below(model, stats.published);
    while (*version < stats.published && model->roots.keeping.mark[*version].gone != 0) {
        ++*version;
    }
    return verso_view_open_root(model->store, *version, view);
}

static struct model_view model_view_of(const struct store_model *model, verso_view *view,
                                       uint64_t version)
{
    return (struct model_view){view, &model->roots.root[version].state};
}

/* Revert to a root, then compare the transaction with it. */
static const char *revert(struct store_model *model, verso_txn *txn)
{
    verso_view *view;
    uint64_t version;
    verso_err err = open_some(model, &view, &version);
    if (err != VERSO_OK) {
        return failed(model, "opening a view to revert to", err);
    }
    struct model_view to = model_view_of(model, view, version);
    struct tree_state *working = &model->roots.working;
    const char *fault = model_history_revert(txn, working, to, &model->random);
    if (fault == NULL) {
        struct model_view now = {verso_txn_view(txn), working};
        fault = model_history_difference(to, now, &model->random);
    }
    verso_view_close(view);
    return within(model, "in a transaction", fault);
}

/* Change the tree of which `working` is the state. */
static const char *change_tree(struct store_model *model, verso_txn *txn)
{
    switch (below(model, 24)) {
    case 0:
        return put_sorted(model, txn);
    case 1:
        return walk_and_change(model, txn);
    case 2:
    case 3:
        return view_compare_some(verso_txn_view(txn), &model->roots.working, new_key(model),
                                 &model->random);
    case 4:
        return delete_range(model, txn);
    default:
        break;
    }
    return (below(model, 3) == 0) != model->shrinking ? delete_some(model, txn)
                                                      : put_some(model, txn);
}

/* A change of the named trees, or some in one of them, which then stands in for the default one. */
static const char *change_named(struct store_model *model, verso_txn *txn)
{
    struct expected_roots *roots = &model->roots;
    struct expected_tree *tree;
    verso_txn *handle;
    const char *fault =
        expected_trees_change(&roots->working_named, txn, &model->random, &tree, &handle);
    if (fault != NULL || tree == NULL) {
        return fault;
    }
    struct tree_state of_default = roots->working;
    roots->working = tree->state;
    model->in_tree = true;
    for (uint64_t i = below(model, 6); i > 0 && fault == NULL; i--) {
        fault = change_tree(model, handle);
    }
    model->in_tree = false;
    tree->state = roots->working;
    roots->working = of_default;
    return fault;
}

static const char *change_some(struct store_model *model, verso_txn *txn)
{
    size_t count = model->roots.working.count;
    if (count > model->config.keys_target) {
        model->shrinking = true;
    } else if (count <= model->config.keys_target / 10) {
        model->shrinking = false;
    }
    if (one_in(model, model->config.savepoint_one_in)) {
        return move_savepoints(model, txn);
    }
    if (one_in(model, model->config.revert_one_in)) {
        return revert(model, txn);
    }
    return one_in(model, model->config.tree_one_in) ? change_named(model, txn)
                                                    : change_tree(model, txn);
}

/* All up to this version, and what was dropped, is durable. */
static void promise(struct store_model *model, uint64_t version)
{
    model->durable = version;
    model->written = version > model->written ? version : model->written;
    expected_keeping_promise(&model->roots.keeping);
}

/* What a successful commit promises. */
static void note_promise(struct store_model *model, const verso_commit_options *options,
                         uint64_t version)
{
    verso_durability durability = options->durability == VERSO_DURABILITY_DEFAULT
                                      ? model->config.durability
                                      : options->durability;
    if (options->asynchronous) {
        return;
    }
    if (durability == VERSO_DURABILITY_SYNC) {
        promise(model, version);
    }
    if (durability != VERSO_DURABILITY_INTERVAL) {
        model->written = version;
    }
}

static void hold_view(struct store_model *model, verso_view *view, uint64_t version)
{
    model->held[model->held_count++] = (struct held){view, version};
    expected_keeping_open(&model->roots.keeping, version);
}

static const char *commit(struct store_model *model, verso_txn *txn, bool changed)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    uint8_t note[1024];
    verso_view *view = NULL;
    options.asynchronous = one_in(model, 5);
    options.durability = one_in(model, 3) ? (verso_durability)below(model, 4) : 0;
    if (one_in(model, 3)) {
        memset(note, (int)below(model, 256), sizeof note);
        options.note = (verso_slice){note, (size_t)below(model, one_in(model, 4) ? 1025 : 40)};
    }
    bool hold = model->held_count < HELD_MAX && one_in(model, 4);
    options.view = hold ? &view : NULL;
    uint64_t expected = model->roots.issued;
    if (changed) {
        expected = expected_commit(&model->roots, options.note);
    } else {
        expected_abort(&model->roots);
    }
    verso_root_id root = 0;
    verso_err err = verso_commit(txn, &options, &root);
    if (err != VERSO_OK || root != expected) {
        return failed(model, "a commit", err);
    }
    if (hold) {
        hold_view(model, view, root);
    }
    if (changed) {
        expected_note_commit(&model->roots.keeping, model->store);
    }
    const char *fault = expected_observe(&model->roots.keeping, model->store, false);
    if (changed) {
        note_promise(model, &options, root);
    }
    return within(model, "a commit", fault);
}

static const char *transaction(struct store_model *model)
{
    verso_txn *txn;
    verso_err err = verso_begin(model->store, &txn);
    if (err != VERSO_OK) {
        return failed(model, "begin", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, model->roots.issued);
    expected_begin(&model->roots);
    uint64_t changes = 1 + below(model, model->config.changes_max);
    if (one_in(model, model->config.large_one_in)) {
        changes = model->config.keys_target;
    }
    const char *fault = NULL;
    for (uint64_t i = 0; i < changes && fault == NULL; i++) {
        fault = change_some(model, txn);
    }
    model_savepoints_clear(&model->savepoints); /* those open end with the transaction */
    bool aborts = fault != NULL || one_in(model, 8);
    if (!aborts) {
        /* a put of the same bytes is a change too: let a marker make all commits count */
        verso_slice key = verso_text("marker");
        uint64_t stamp = simulated_random_next(&model->random);
        verso_slice value = {&stamp, sizeof stamp};
        err = verso_put(txn, key, value);
        expected_put(&model->roots, key, value);
        if (err == VERSO_OK) {
            return commit(model, txn, true);
        }
        fault = failed(model, "the last put", err);
    }
    verso_abort(txn);
    expected_abort(&model->roots);
    return fault;
}

/* ---- the other steps ---- */

static const char *read_some(struct store_model *model)
{
    verso_view *view;
    uint64_t version;
    bool held = model->held_count > 0 && one_in(model, 2);
    if (held) {
        const struct held *one = &model->held[below(model, model->held_count)];
        view = one->view;
        version = one->version;
    } else {
        verso_err err = open_some(model, &view, &version);
        if (err != VERSO_OK) {
            return failed(model, "opening a view", err);
        }
    }
    const char *fault = NULL;
    for (unsigned i = 0; i < 5 && fault == NULL; i++) {
        fault = view_compare_some(view, &model->roots.root[version].state, new_key(model),
                                  &model->random);
    }
    fault = fault != NULL ? failed(model, fault, VERSO_OK) : NULL;
    if (!held) {
        verso_view_close(view);
    }
    return fault;
}

static const char *hold_or_let_go(struct store_model *model)
{
    const char *seen = expected_observe(&model->roots.keeping, model->store, false);
    if (seen != NULL) { /* what is open now could not have gone before */
        return within(model, "before a view is closed", seen);
    }
    if (model->held_count == HELD_MAX || (model->held_count > 0 && one_in(model, 2))) {
        unsigned index = (unsigned)below(model, model->held_count);
        struct held held = model->held[index];
        model->held[index] = model->held[--model->held_count];
        const char *fault =
            expected_compare_view(&model->roots, held.view, held.version, &model->random);
        expected_keeping_close(&model->roots.keeping, held.version);
        verso_view_close(held.view);
        return within(model, "a view held", fault);
    }
    struct held held;
    verso_err err = open_some(model, &held.view, &held.version);
    if (err != VERSO_OK) {
        return failed(model, "opening a view to hold", err);
    }
    hold_view(model, held.view, held.version);
    return NULL;
}

static const char *compare_one(struct store_model *model)
{
    verso_view *view;
    uint64_t version;
    verso_err err = open_some(model, &view, &version);
    if (err != VERSO_OK) {
        return failed(model, "opening a view to compare", err);
    }
    const char *fault = expected_compare_view(&model->roots, view, version, &model->random);
    verso_view_close(view);
    return within(model, "a root compared", fault);
}

/* Two roots, or a root and a view held, and a key's values. */
static const char *compare_history(struct store_model *model)
{
    verso_view *view;
    uint64_t version;
    verso_err err = open_some(model, &view, &version);
    if (err != VERSO_OK) {
        return failed(model, "opening a view to look back from", err);
    }
    struct model_view from = model_view_of(model, view, version);
    const char *fault = NULL;
    if (model->held_count > 0) {
        const struct held *held = &model->held[below(model, model->held_count)];
        struct model_view to = model_view_of(model, held->view, held->version);
        fault = one_in(model, 2) ? model_history_difference(from, to, &model->random)
                                 : model_history_difference(to, from, &model->random);
    }
    for (unsigned i = 0; i < 4 && version > 0 && fault == NULL; i++) {
        fault = expected_compare_values(&model->roots, model->store, view, version,
                                        some_key(model, from.state));
    }
    verso_view_close(view);
    return within(model, "looking back", fault);
}

static const char *sync_some(struct store_model *model)
{
    uint64_t version = model->roots.issued;
    verso_err err;
    if (one_in(model, 2)) {
        version = below(model, version + 1);
        err = verso_wait_durable(model->store, version);
    } else {
        err = verso_sync(model->store);
    }
    if (err != VERSO_OK) {
        return failed(model, "a sync", err);
    }
    model->durable = version > model->durable ? version : model->durable;
    model->written = model->durable > model->written ? model->durable : model->written;
    return NULL;
}

static const char *checkpoint(struct store_model *model)
{
    verso_err err = verso_checkpoint(model->store);
    if (err != VERSO_OK) {
        return failed(model, "a checkpoint", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, model->roots.issued);
    const char *fault = expected_observe(&model->roots.keeping, model->store, false);
    promise(model, model->roots.issued);
    return within(model, "a checkpoint", fault);
}

/* Only while log and arena are far from their limits: a transaction that waits for room would wait
 * for the checkpoint beside which it runs. */
static const char *checkpoint_beside(struct store_model *model)
{
    verso_stats stats = {.size = sizeof stats};
    if (model->config.in_memory || verso_stat(model->store, &stats) != VERSO_OK ||
        stats.arena_bytes > model->config.arena_bytes / 4 ||
        stats.log_bytes > model->config.log_bytes / 4) {
        return checkpoint(model);
    }
    model->beside = 4;
    model->beside_fault = NULL;
    uint64_t version = model->roots.issued;
    struct expected_mark *mark = &model->roots.keeping.mark[version];
    mark->checkpoint = mark->checkpoint == EXPECTED_NO ? EXPECTED_MAYBE : mark->checkpoint;
    verso_err err = verso_checkpoint(model->store);
    model->beside = 0;
    if (err != VERSO_OK) {
        return failed(model, "a checkpoint with others beside it", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, version);
    model->durable = version > model->durable ? version : model->durable;
    return model->beside_fault;
}

/* Settings are durable on return, and so is all before them. */
static const char *retain(struct store_model *model)
{
    if (one_in(model, 3)) {
        return within(model, "trying a policy",
                      model_policy_try(&model->roots, model->store, &model->random));
    }
    const char *fault = model_policy_set(&model->roots, model->store, &model->random);
    promise(model, model->roots.issued);
    return within(model, "setting a policy", fault);
}

static const char *tag(struct store_model *model)
{
    const char *fault = model_tag_step(&model->roots, model->store, &model->random);
    return within(model, "a tag", fault);
}

static const char *step_beside(struct store_model *model)
{
    struct store_model_config config = model->config;
    model->config.changes_max = 4; /* see checkpoint_beside() */
    model->config.large_one_in = 0;
    model->config.long_one_in = 0;
    model->config.revert_one_in = 0;
    model->config.sorted_max =
        4; /* more, with long values, could outgrow the log: that waits too */
    const char *fault;
    switch (below(model, 6)) {
    case 0:
    case 1:
        fault = hold_or_let_go(model);
        break;
    case 2:
        fault = read_some(model);
        break;
    case 3:
        fault = one_in(model, 2) ? retain(model) : tag(model);
        break;
    default:
        fault = transaction(model);
        break;
    }
    model->config = config;
    return fault != NULL ? fault : expected_observe(&model->roots.keeping, model->store, false);
}

static enum store_model_step draw_step(struct store_model *model)
{
    unsigned sum = 0;
    for (unsigned step = 0; step < STORE_MODEL_STEPS; step++) {
        sum += model->config.weight[step];
    }
    uint64_t drawn = below(model, sum);
    unsigned step = 0;
    while (drawn >= model->config.weight[step]) {
        drawn -= model->config.weight[step++];
    }
    return (enum store_model_step)step;
}

static const char *run_step(struct store_model *model, enum store_model_step step)
{
    switch (step) {
    case STORE_MODEL_TRANSACTION:
        return transaction(model);
    case STORE_MODEL_READ:
        return read_some(model);
    case STORE_MODEL_HOLD:
        return hold_or_let_go(model);
    case STORE_MODEL_COMPARE:
        return compare_one(model);
    case STORE_MODEL_HISTORY:
        return compare_history(model);
    case STORE_MODEL_SYNC:
        return sync_some(model);
    case STORE_MODEL_CHECKPOINT:
        return checkpoint(model);
    case STORE_MODEL_BESIDE:
        return checkpoint_beside(model);
    case STORE_MODEL_RETAIN:
        return retain(model);
    case STORE_MODEL_TAG:
        return tag(model);
    case STORE_MODEL_OPEN:
        return within(model, "opening a root otherwise",
                      model_open_otherwise(&model->roots, model->store, &model->random));
    case STORE_MODEL_CHECK:
        return expected_check(model->store);
    case STORE_MODEL_REOPEN:
        return one_in(model, 4) ? reopen(model) : NULL;
    case STORE_MODEL_CRASH:
        if (!model->cut.armed && !model->config.in_memory) {
            arm_cut(model);
        }
        return NULL;
    case STORE_MODEL_STEPS:
        break;
    }
    return "no such step";
}

/* Ages count from the clock, which stands still within a step but for its ticks. */
static void pass_time(struct store_model *model)
{
    int64_t us = model_time_draw(&model->random);
    const struct vs_os *os = simulated_disk_os(model->disk);
    simulated_disk_advance(model->disk, us);
    model->roots.keeping.clock_us = os->clock_us(os);
}

const char *store_model_step(struct store_model *model)
{
    if (model->store == NULL) {
        verso_err err = open_store(model);
        if (err != VERSO_OK) {
            return failed(model, "the first open", err);
        }
    }
    pass_time(model);
    const char *fault = run_step(model, draw_step(model));
    if (fault == NULL) {
        fault = expected_observe(&model->roots.keeping, model->store, false);
    }
    while (fault == NULL && model->cut.left != NULL) {
        fault = recover(model);
    }
    return fault;
}

const char *store_model_finish(struct store_model *model)
{
    const char *fault = expected_check(model->store);
    if (fault == NULL) {
        fault = expected_compare_store(&model->roots, model->store, &model->random);
    }
    for (unsigned i = 0; i < model->held_count && fault == NULL; i++) {
        fault = expected_compare_view(&model->roots, model->held[i].view, model->held[i].version,
                                      &model->random);
    }
    model->cut.armed = false;
    return fault == NULL ? reopen(model) : fault;
}

const char *store_model_close(struct store_model *model)
{
    const char *fault = NULL;
    close_views(model);
    if (verso_close(model->store) != VERSO_OK) {
        fault = "the last close failed";
    }
    if (simulated_disk_open_files(model->disk) == 0) {
        simulated_disk_close(model->disk);
    }
    simulated_disk_close(model->cut.left);
    expected_keeping_clear(&model->cut.keeping);
    expected_roots_clear(&model->roots);
    free(model->value);
    free(model);
    return fault;
}
