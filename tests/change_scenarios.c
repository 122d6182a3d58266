/*
 * change_scenarios.c - the scenarios that change a store.
 */
#include <stdio.h>

#include "api_scenarios.h"

/* ---- opening, closing, checkpoints ---- */

static verso_err create(struct scenario_run *run)
{
    verso_err err = scenario_open(run->disk, run->path, &run->store);
    if (err != VERSO_OK) {
        run->store = NULL;
        return err;
    }
    verso_txn *txn;
    err = verso_begin(run->store, &txn);
    if (err == VERSO_OK) {
        err = scenario_finish(run, txn, scenario_put(run, txn, 1, 20));
    }
    return err;
}

static verso_err open_it(struct scenario_run *run)
{
    verso_err err = scenario_open(run->disk, run->path, &run->store);
    if (err != VERSO_OK) {
        run->store = NULL;
    }
    return err;
}

static verso_err open_read_only(struct scenario_run *run)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    options.system = simulated_disk_os(run->disk);
    verso_store *store;
    verso_view *view;
    verso_err err = verso_open(run->path, &options, &store);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_view_open(store, &view);
    if (err == VERSO_OK) {
        verso_slice value;
        err = verso_get(view, scenario_key(20), &value);
        if (err == VERSO_OK) {
            scenario_see(run, value);
        }
        verso_view_close(view);
    }
    verso_err closed = verso_close(store);
    return err == VERSO_OK ? closed : err;
}

static verso_err close_it(struct scenario_run *run)
{
    verso_err err = verso_close(run->store);
    run->store = NULL;
    return err;
}

static verso_err checkpoint(struct scenario_run *run)
{
    verso_err err = verso_checkpoint(run->store);
    return scenario_retries(run, err) ? verso_checkpoint(run->store) : err;
}

/* Roots of an increment come one by one: any number of them may be there. */
static verso_err apply_increment(struct scenario_run *run)
{
    verso_copy_report done = {.size = sizeof done};
    verso_err err = verso_copy_apply(run->store, SCENARIO_INCREMENT_PATH, &done);
    if (scenario_retries(run, err)) {
        err = verso_copy_apply(run->store, SCENARIO_INCREMENT_PATH, &done);
    }
    if (err == VERSO_OK) {
        run->acknowledged = done.newest;
    }
    run->possible = err == VERSO_OK ? done.newest : UINT64_MAX;
    return err;
}

/* ---- transactions ---- */

static verso_err change_keys(struct scenario_run *run, verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < 60 && err == VERSO_OK; i++) {
        err = i % 4 == 3 ? scenario_delete(run, txn, i) : scenario_put(run, txn, i * 9, 40 + i);
    }
    verso_slice old;
    if (err == VERSO_OK) {
        err = verso_exchange(txn, scenario_key(40), scenario_value(40, 90), &old);
        if (scenario_retries(run, err)) {
            err = verso_exchange(txn, scenario_key(40), scenario_value(40, 90), &old);
        }
    }
    if (err == VERSO_OK) {
        err = verso_take(txn, scenario_key(41), &old);
        if (scenario_retries(run, err)) {
            err = verso_take(txn, scenario_key(41), &old);
        }
    }
    if (err == VERSO_OK) {
        scenario_see(run, old);
    }
    return err;
}

static verso_err write_transactions(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = change_keys(run, txn);
    verso_abort(txn);
    for (unsigned i = 0; i < 2 && err == VERSO_OK; i++) {
        err = verso_begin(run->store, &txn);
        if (err == VERSO_OK && i == 0) {
            err = scenario_finish(run, txn, change_keys(run, txn));
        } else if (err == VERSO_OK) {
            err = scenario_finish(run, txn, scenario_delete(run, txn, 150));
        }
    }
    return err;
}

/* Commit with a view of the new root, without waiting; then wait. */
static verso_err commit_asynchronously(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = scenario_put(run, txn, 5, 30);
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    verso_view *view = NULL;
    verso_root_id root;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = true;
    options.note = verso_text("soon");
    options.view = &view;
    err = verso_commit(txn, &options, &root);
    if (err != VERSO_OK) {
        return err;
    }
    verso_view_close(view);
    err = verso_wait_durable(run->store, root);
    if (scenario_retries(run, err)) {
        err = verso_wait_durable(run->store, root);
    }
    run->possible = root;
    run->acknowledged = err == VERSO_OK ? root : run->acknowledged;
    return err == VERSO_OK ? verso_sync(run->store) : err;
}

/* Values too long for a leaf, replaced and deleted; so long a transaction that it bypasses the
 * log. */
static verso_err write_long_values(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < 10 && err == VERSO_OK; i++) {
        err = scenario_put(run, txn, i * 3, 7000 + i);
    }
    if (err == VERSO_OK) {
        err = scenario_delete(run, txn, 9);
    }
    return scenario_finish(run, txn, err);
}

static verso_err put_sorted(struct scenario_run *run)
{
    enum { COUNT = 150 };
    char keys[COUNT][16];
    verso_entry entries[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "key %05u", i * 3);
        entries[i] = (verso_entry){verso_text(keys[i]), scenario_value(i, i % 5 == 0 ? 900 : 12)};
    }
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_put_sorted(txn, entries, COUNT);
    if (scenario_retries(run, err)) {
        err = verso_put_sorted(txn, entries, COUNT);
    }
    return scenario_finish(run, txn, err);
}

static verso_err delete_range(struct scenario_run *run)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = verso_text("key 00003");
    range.to = verso_text("key 00180");
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t deleted;
    err = verso_delete_range(txn, &range, &deleted);
    if (scenario_retries(run, err)) {
        err = verso_delete_range(txn, &range, &deleted);
    }
    if (err == VERSO_OK) {
        scenario_see_number(run, deleted);
    }
    return scenario_finish(run, txn, err);
}

/* ---- savepoints ---- */

static verso_err save(struct scenario_run *run, verso_txn *txn, uint32_t *savepoint)
{
    verso_err err = verso_savepoint(txn, savepoint);
    return scenario_retries(run, err) ? verso_savepoint(txn, savepoint) : err;
}

static verso_err roll_back(struct scenario_run *run, verso_txn *txn, uint32_t savepoint)
{
    verso_err err = verso_rollback(txn, savepoint);
    return scenario_retries(run, err) ? verso_rollback(txn, savepoint) : err;
}

static verso_err use_savepoints(struct scenario_run *run, verso_txn *txn)
{
    uint32_t outer = 0;
    uint32_t inner = 0;
    verso_err err = scenario_put(run, txn, 1, 77);
    err = err == VERSO_OK ? save(run, txn, &outer) : err;
    err = err == VERSO_OK ? change_keys(run, txn) : err;
    err = err == VERSO_OK ? save(run, txn, &inner) : err;
    err = err == VERSO_OK ? scenario_put(run, txn, 2, 3000) : err;
    err = err == VERSO_OK ? verso_release(txn, inner) : err;
    err = err == VERSO_OK ? roll_back(run, txn, outer) : err;
    return err == VERSO_OK ? scenario_put(run, txn, 3, 79) : err;
}

static verso_err write_with_savepoints(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    return err == VERSO_OK ? scenario_finish(run, txn, use_savepoints(run, txn)) : err;
}

/* A broken transaction can be rolled back and then be used: whatever failed after the savepoint. */
static verso_err mend_by_rollback(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    uint32_t savepoint = 0;
    err = save(run, txn, &savepoint);
    if (err == VERSO_OK) {
        uint64_t seen = run->seen;
        verso_err changed = change_keys(run, txn);
        (void)changed; /* undone, however far it came */
        run->seen = seen;
        err = roll_back(run, txn, savepoint);
    }
    return scenario_finish(run, txn, err == VERSO_OK ? scenario_put(run, txn, 3, 79) : err);
}

/* ---- trees ---- */

static verso_err open_tree(struct scenario_run *run, verso_txn *txn, const char *name,
                           verso_txn **tree)
{
    verso_err err = verso_txn_tree(txn, verso_text(name), true, tree);
    return scenario_retries(run, err) ? verso_txn_tree(txn, verso_text(name), true, tree) : err;
}

static verso_err drop_tree(struct scenario_run *run, verso_txn *txn, const char *name)
{
    verso_err err = verso_tree_drop(txn, verso_text(name));
    return scenario_retries(run, err) ? verso_tree_drop(txn, verso_text(name)) : err;
}

static verso_err rename_tree(struct scenario_run *run, verso_txn *txn, const char *name,
                             const char *to)
{
    verso_err err = verso_tree_rename(txn, verso_text(name), verso_text(to));
    return scenario_retries(run, err) ? verso_tree_rename(txn, verso_text(name), verso_text(to))
                                      : err;
}

static verso_err change_trees(struct scenario_run *run, verso_txn *txn)
{
    verso_txn *quinces = NULL;
    verso_txn *pears = NULL;
    verso_err err = open_tree(run, txn, "quinces", &quinces);
    for (unsigned i = 0; i < 40 && err == VERSO_OK; i++) {
        err = scenario_put(run, quinces, i, 30);
    }
    err = err == VERSO_OK ? drop_tree(run, txn, "apples") : err;
    err = err == VERSO_OK ? rename_tree(run, txn, "pears", "apples") : err;
    err = err == VERSO_OK ? open_tree(run, txn, "apples", &pears) : err;
    err = err == VERSO_OK ? scenario_put(run, pears, 500, 30) : err;
    return err == VERSO_OK ? scenario_put(run, txn, 500, 31) : err;
}

static verso_err write_trees(struct scenario_run *run)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err == VERSO_OK) {
        err = scenario_finish(run, txn, change_trees(run, txn));
    }
    if (err == VERSO_OK) {
        err = verso_begin(run->store, &txn);
    }
    return err == VERSO_OK ? scenario_finish(run, txn, drop_tree(run, txn, "apples")) : err;
}

/* ---- revert ---- */

static verso_err revert_once(struct scenario_run *run, verso_txn *txn, verso_view *to, bool all)
{
    uint64_t changes = 0;
    verso_err err =
        all ? verso_revert_all(txn, to, &changes) : verso_revert(txn, to, NULL, &changes);
    if (scenario_retries(run, err)) {
        err = all ? verso_revert_all(txn, to, &changes) : verso_revert(txn, to, NULL, &changes);
    }
    return err;
}

static verso_err revert_to(struct scenario_run *run, verso_root_id root, bool all)
{
    verso_view *to;
    verso_txn *txn;
    verso_err err = verso_view_open_root(run->store, root, &to);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_begin(run->store, &txn);
    if (err == VERSO_OK) {
        err = scenario_finish(run, txn, revert_once(run, txn, to, all));
    }
    verso_view_close(to);
    return err;
}

static verso_err revert(struct scenario_run *run)
{
    verso_err err = revert_to(run, 2, false);
    return err == VERSO_OK ? revert_to(run, 1, true) : err;
}

/* ---- retention and tags ---- */

static verso_err set_policy(struct scenario_run *run, const verso_retention *policy)
{
    verso_err err = verso_retention_set(run->store, policy);
    return scenario_retries(run, err) ? verso_retention_set(run->store, policy) : err;
}

static verso_err set_retention(struct scenario_run *run)
{
    verso_retention policy = verso_keep_last(2);
    verso_retention_effect effect = {.size = sizeof effect};
    verso_root_id dropped[8];
    verso_err err = verso_retention_try(run->store, &policy, dropped, 8, &effect);
    if (err == VERSO_OK) {
        scenario_see_number(run, effect.dropped);
        verso_retention tight = verso_keep_last(1);
        tight.has_budget = true;
        tight.budget_bytes = 1;
        tight.class_count = 1;
        tight.classes[0] = (verso_retention_class){.age_us = UINT64_MAX};
        err = verso_retention_try(run->store, &tight, dropped, 8, &effect);
    }
    if (err == VERSO_OK) {
        scenario_see_number(run, effect.dropped);
        err = set_policy(run, &policy);
    }
    policy.has_budget = true;
    policy.budget_bytes = 4096;
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){.age_us = 1000000, .spacing_us = 10};
    if (err == VERSO_OK) {
        err = set_policy(run, &policy);
    }
    verso_txn *txn;
    if (err == VERSO_OK) {
        err = verso_begin(run->store, &txn);
    }
    return err == VERSO_OK ? scenario_finish(run, txn, scenario_put(run, txn, 20, 20)) : err;
}

static verso_err commit_put(struct scenario_run *run, unsigned number, size_t size)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    return err == VERSO_OK ? scenario_finish(run, txn, scenario_put(run, txn, number, size)) : err;
}

/* Neighbouring leaves change by turns, so that their links are used up. */
static verso_err use_up_links(struct scenario_run *run)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < 12 && err == VERSO_OK; i++) {
        err = commit_put(run, i % 2 == 0 ? 100 : 108, 30 + i);
    }
    return err == VERSO_OK ? checkpoint(run) : err;
}

/* What goes with the older roots is given back by the checkpoint after the next. */
static verso_err drop_and_reclaim(struct scenario_run *run)
{
    verso_err err = VERSO_OK;
    for (unsigned last = 1; last <= 2 && err == VERSO_OK; last++) {
        verso_retention policy = verso_keep_last(last);
        err = set_policy(run, &policy);
        err = err == VERSO_OK ? checkpoint(run) : err;
    }
    return err;
}

static verso_err set_tags(struct scenario_run *run)
{
    verso_slice name = verso_text("third");
    verso_err err = verso_tag_set(run->store, name, 2);
    err = scenario_retries(run, err) ? verso_tag_set(run->store, name, 2) : err;
    err = err == VERSO_OK ? verso_tag_set(run->store, verso_text("fourth"), 0) : err;
    err = err == VERSO_OK ? verso_tag_delete(run->store, verso_text("first")) : err;
    verso_tag_info info = {.size = sizeof info};
    err = err == VERSO_OK ? verso_tag_get(run->store, name, &info) : err;
    if (err == VERSO_OK) {
        scenario_see_number(run, info.root);
        err = verso_tag_next(run->store, name, &info);
        err = err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    verso_view *view;
    if (err == VERSO_OK) {
        err = verso_view_open_tag(run->store, name, &view);
        if (err == VERSO_OK) {
            verso_view_close(view);
        }
    }
    return err;
}

/* ---- the table ---- */

const struct scenario scenario_changes[] = {
    {"create", SCENARIO_NOTHING, create},
    {"open", SCENARIO_CLOSED, open_it},
    {"recover", SCENARIO_CRASHED, open_it},
    {"open read-only", SCENARIO_CLOSED, open_read_only},
    {"replay read-only", SCENARIO_CRASHED, open_read_only},
    {"close", SCENARIO_OPEN, close_it},
    {"close after commits", SCENARIO_IN_USE, close_it},
    {"checkpoint", SCENARIO_IN_USE, checkpoint},
    {"transactions", SCENARIO_OPEN, write_transactions},
    {"transactions in memory", SCENARIO_IN_MEMORY, write_transactions},
    {"asynchronous", SCENARIO_OPEN, commit_asynchronously},
    {"long values", SCENARIO_OPEN, write_long_values},
    {"sorted", SCENARIO_OPEN, put_sorted},
    {"delete a range", SCENARIO_OPEN, delete_range},
    {"savepoints", SCENARIO_OPEN, write_with_savepoints},
    {"mend by rollback", SCENARIO_OPEN, mend_by_rollback},
    {"trees", SCENARIO_OPEN, write_trees},
    {"revert", SCENARIO_IN_USE, revert},
    {"retention", SCENARIO_IN_USE, set_retention},
    {"links used up", SCENARIO_IN_USE, use_up_links},
    {"roots dropped", SCENARIO_IN_USE, drop_and_reclaim},
    {"tags", SCENARIO_IN_USE, set_tags},
    {"increment applied", SCENARIO_BEHIND, apply_increment},
};
const size_t scenario_change_count = sizeof scenario_changes / sizeof scenario_changes[0];
