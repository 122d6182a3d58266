/*
 * crash_scenes.c - history in a crash script.
 */
#include "crash_scenes.h"

#include "expected_kept.h"

#define SECOND_US UINT64_C(1000000)

static const char *const tag_names[] = {"first", "second", "third"};

/* ---- settings ---- */

/* The call has returned: what it did is durable, and so is all before it. */
static verso_err settle(struct crash_script *script, verso_err err)
{
    if (err == VERSO_OK) {
        crash_script_note_checkpoint(script);
        script->durable = script->roots.issued;
        expected_keeping_settled(&script->roots.keeping);
    }
    return err;
}

verso_err crash_scene_tag(struct crash_script *script, unsigned number, bool sets)
{
    verso_slice name = verso_text(tag_names[number]);
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(script->store, &stats);
    if (err != VERSO_OK) {
        return err;
    }
    struct expected_settings *now = &script->roots.keeping.now;
    expected_tag_set(now, name, sets ? stats.published : 0, EXPECTED_TIME_UNKNOWN);
    return settle(script, sets ? verso_tag_set(script->store, name, stats.published)
                               : verso_tag_delete(script->store, name));
}

verso_err crash_scene_thin(struct crash_script *script)
{
    verso_retention policy = verso_keep_last(3);
    policy.checkpoints = true;
    policy.class_count = 2;
    policy.classes[0] = (verso_retention_class){30 * SECOND_US, SECOND_US};
    policy.classes[1] = (verso_retention_class){200 * SECOND_US, 10 * SECOND_US};
    script->roots.keeping.now.policy = policy;
    return settle(script, verso_retention_set(script->store, &policy));
}

/* ---- transactions ---- */

/* Commit if all went well. */
static verso_err end(struct crash_script *script, verso_txn *txn, verso_err err)
{
    if (err == VERSO_OK) {
        return crash_script_end(script, txn, false);
    }
    verso_abort(txn);
    expected_abort(&script->roots);
    return err;
}

verso_err crash_scene_remove_range(struct crash_script *script, verso_txn *txn, unsigned from,
                                   unsigned count)
{
    char first[16];
    char behind[16];
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = crash_script_key(from, first, sizeof first);
    range.to = crash_script_key(from + count, behind, sizeof behind);
    struct tree_state *working = &script->roots.working;
    size_t place;
    size_t end_place;
    (void)tree_state_find(working, range.from, &place);
    (void)tree_state_find(working, range.to, &end_place);
    tree_state_remove_many(working, place, end_place - place);
    return verso_delete_range(txn, &range, NULL);
}

verso_err crash_scene_delete_range(struct crash_script *script, unsigned from, unsigned count)
{
    verso_txn *txn;
    verso_err err = crash_script_begin(script, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    return end(script, txn, crash_scene_remove_range(script, txn, from, count));
}

static verso_err change_many(struct crash_script *script, verso_txn *txn, unsigned from,
                             unsigned count, size_t size)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        err = crash_script_change(script, txn, from + i, size);
    }
    return err;
}

verso_err crash_scene_roll_back(struct crash_script *script, unsigned from, unsigned count)
{
    verso_txn *txn;
    verso_err err = crash_script_begin(script, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    uint32_t outer = 0;
    uint32_t inner = 0;
    err = change_many(script, txn, from, 2, 30);
    struct tree_state before = tree_state_copy(&script->roots.working);
    err = err == VERSO_OK ? verso_savepoint(txn, &outer) : err;
    err = err == VERSO_OK ? change_many(script, txn, from, count, 90) : err;
    err = err == VERSO_OK ? verso_savepoint(txn, &inner) : err;
    err = err == VERSO_OK ? change_many(script, txn, from, count, 0) : err;
    err = err == VERSO_OK ? verso_rollback(txn, outer) : err;
    tree_state_clear(&script->roots.working);
    script->roots.working = before;
    err = err == VERSO_OK ? change_many(script, txn, from + 1, 2, 40) : err;
    return end(script, txn, err);
}

static verso_err revert(struct crash_script *script, verso_txn *txn, verso_view *to, bool all)
{
    verso_root_info info = {.size = sizeof info};
    verso_err err = verso_view_info(to, &info);
    if (err != VERSO_OK) {
        return err;
    }
    struct expected_roots *roots = &script->roots;
    const struct expected_root *root = &roots->root[info.id];
    tree_state_clear(&roots->working);
    roots->working = tree_state_copy(&root->state);
    if (!all) {
        return verso_revert(txn, to, NULL, NULL);
    }
    uint64_t created = roots->working_named.created; /* no number is given twice */
    expected_trees_clear(&roots->working_named);
    roots->working_named = expected_trees_copy(&root->named);
    roots->working_named.created = created;
    return verso_revert_all(txn, to, NULL);
}

verso_err crash_scene_revert(struct crash_script *script, unsigned number, bool all)
{
    verso_view *to;
    verso_err err = verso_view_open_tag(script->store, verso_text(tag_names[number]), &to);
    if (err != VERSO_OK) {
        return err;
    }
    verso_txn *txn;
    err = crash_script_begin(script, &txn);
    if (err == VERSO_OK) {
        err = end(script, txn, revert(script, txn, to, all));
    }
    verso_view_close(to);
    return err;
}
