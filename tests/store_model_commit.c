/*
 * store_model_commit.c - a store model's transactions, syncs, checkpoints and settings, and what
 * they promise.
 */
#include "store_model_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_kept.h"
#include "model_keeping.h"

/* ---- transactions ---- */

/* All up to this version, and what was dropped, is durable. */
void model_promise(struct store_model *model, uint64_t version)
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
        model_promise(model, version);
    }
    if (durability != VERSO_DURABILITY_INTERVAL) {
        model->written = version;
    }
}

static const char *commit(struct store_model *model, verso_txn *txn, bool changed)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    uint8_t note[1024];
    verso_view *view = NULL;
    options.asynchronous = model_one_in(model, 5);
    options.durability = model_one_in(model, 3) ? (verso_durability)model_below(model, 4) : 0;
    if (model_one_in(model, 3)) {
        memset(note, (int)model_below(model, 256), sizeof note);
        options.note =
            (verso_slice){note, (size_t)model_below(model, model_one_in(model, 4) ? 1025 : 40)};
    }
    bool hold = model->held_count < HELD_MAX && model_one_in(model, 4);
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
        return model_failed(model, "a commit", err);
    }
    if (hold) {
        model_hold_view(model, view, root);
    }
    if (changed) {
        expected_note_commit(&model->roots.keeping, model->store);
    }
    const char *fault = expected_observe(&model->roots.keeping, model->store, false);
    if (changed) {
        note_promise(model, &options, root);
    }
    return model_within(model, "a commit", fault);
}

const char *model_transaction(struct store_model *model)
{
    verso_txn *txn;
    verso_err err = verso_begin(model->store, &txn);
    if (err != VERSO_OK) {
        return model_failed(model, "begin", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, model->roots.issued);
    expected_begin(&model->roots);
    uint64_t changes = 1 + model_below(model, model->config.changes_max);
    if (model_one_in(model, model->config.large_one_in)) {
        changes = model->config.keys_target;
    }
    const char *fault = NULL;
    for (uint64_t i = 0; i < changes && fault == NULL; i++) {
        fault = model_change_some(model, txn);
    }
    model_savepoints_clear(&model->savepoints); /* those open end with the transaction */
    bool aborts = fault != NULL || model_one_in(model, 8);
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
        fault = model_failed(model, "the last put", err);
    }
    verso_abort(txn);
    expected_abort(&model->roots);
    return fault;
}

/* ---- durability ---- */

const char *model_sync(struct store_model *model)
{
    uint64_t version = model->roots.issued;
    verso_err err;
    if (model_one_in(model, 2)) {
        version = model_below(model, version + 1);
        err = verso_wait_durable(model->store, version);
    } else {
        err = verso_sync(model->store);
    }
    if (err != VERSO_OK) {
        return model_failed(model, "a sync", err);
    }
    model->durable = version > model->durable ? version : model->durable;
    model->written = model->durable > model->written ? model->durable : model->written;
    return NULL;
}

const char *model_checkpoint(struct store_model *model)
{
    verso_err err = verso_checkpoint(model->store);
    if (err != VERSO_OK) {
        return model_failed(model, "a checkpoint", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, model->roots.issued);
    const char *fault = expected_observe(&model->roots.keeping, model->store, false);
    model_promise(model, model->roots.issued);
    return model_within(model, "a checkpoint", fault);
}

/* Only while log and arena are far from their limits: a transaction that waits for room would wait
 * for the checkpoint beside which it runs. */
const char *model_checkpoint_beside(struct store_model *model)
{
    verso_stats stats = {.size = sizeof stats};
    if (model->config.in_memory || verso_stat(model->store, &stats) != VERSO_OK ||
        stats.arena_bytes > model->config.arena_bytes / 4 ||
        stats.log_bytes > model->config.log_bytes / 4) {
        return model_checkpoint(model);
    }
    model->beside = 4;
    model->beside_fault = NULL;
    uint64_t version = model->roots.issued;
    struct expected_mark *mark = &model->roots.keeping.mark[version];
    mark->checkpoint = mark->checkpoint == EXPECTED_NO ? EXPECTED_MAYBE : mark->checkpoint;
    verso_err err = verso_checkpoint(model->store);
    model->beside = 0;
    if (err != VERSO_OK) {
        return model_failed(model, "a checkpoint with others beside it", err);
    }
    expected_note_checkpoint(&model->roots.keeping, model->store, version);
    model->durable = version > model->durable ? version : model->durable;
    return model->beside_fault;
}

/* ---- settings ---- */

/* Settings are durable on return, and so is all before them. */
const char *model_retain(struct store_model *model)
{
    if (model_one_in(model, 3)) {
        return model_within(model, "trying a policy",
                            model_policy_try(&model->roots, model->store, &model->random));
    }
    const char *fault = model_policy_set(&model->roots, model->store, &model->random);
    model_promise(model, model->roots.issued);
    return model_within(model, "setting a policy", fault);
}

const char *model_tag(struct store_model *model)
{
    const char *fault = model_tag_step(&model->roots, model->store, &model->random);
    return model_within(model, "a tag", fault);
}
