/*
 * store_writing.c - fixed transactions over whatever is there.
 */
#include "store_writing.h"

#include <stdio.h>
#include <string.h>

#include "verdict.h"

enum {
    KEYS = 24,
    LONG_VALUE = 3000, /* bytes: more than a page of 1,024 */
    ROUNDS = 3,
    BATCH = 100,
    MUCH = 12000, /* entries: of pages of 512 bytes the least arena holds 2,048 */
};

static uint8_t value_bytes[LONG_VALUE];

static bool put(verso_txn *txn, unsigned number, size_t size, bool sound)
{
    char key[32];
    (void)snprintf(key, sizeof key, "key %06u", number * 7 % 100);
    memset(value_bytes, (int)number, sizeof value_bytes);
    return verdict_change(verso_put(txn, verso_text(key), (verso_slice){value_bytes, size}), sound,
                          "a put fails");
}

/* Take out every second key of the first few, which the view finds. */
static bool delete_some(verso_txn *txn, bool sound)
{
    verso_cursor *cursor;
    verso_entry entry;
    verso_err err = verso_cursor_open(verso_txn_view(txn), NULL, &cursor);
    if (!verdict_change(err, sound, "a cursor in a transaction")) {
        return false;
    }
    bool done = true;
    for (unsigned i = 0; i < KEYS && done; i++) {
        err = verso_cursor_next(cursor, &entry);
        if (err == VERSO_NOT_FOUND) {
            break;
        }
        done = verdict_change(err, sound, "a scan in a transaction");
        if (done && i % 2 == 0) {
            done = verdict_change(verso_delete(txn, entry.key), sound, "a deletion fails");
        }
    }
    verso_cursor_close(cursor);
    return done;
}

static bool delete_range(verso_txn *txn, unsigned round, bool sound)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = verso_text("key 00001");
    range.to = verso_text(round == 0 ? "key 00004" : "z");
    uint64_t deleted = 0;
    return verdict_change(verso_delete_range(txn, &range, &deleted), sound, "a range's deletion");
}

static bool change_tree(verso_txn *txn, unsigned round, bool sound)
{
    static const char *names[ROUNDS] = {"new", "users", "other"};
    verso_txn *tree = NULL;
    verso_err err = verso_txn_tree(txn, verso_text(names[round]), true, &tree);
    bool done = verdict_change(err, sound, "a tree cannot be opened");
    for (unsigned i = 0; i < KEYS && done; i++) {
        done = put(tree, i + round, 10, sound);
    }
    if (done && round == 1) {
        err = verso_tree_drop(txn, verso_text("new"));
        done = verdict_change(err, sound, "a tree cannot be dropped");
    }
    return done;
}

static bool change_beyond_savepoint(verso_txn *txn, bool sound)
{
    uint32_t savepoint = 0;
    if (!verdict_change(verso_savepoint(txn, &savepoint), sound, "no savepoint")) {
        return false;
    }
    bool done = delete_some(txn, sound) && put(txn, 3, LONG_VALUE, sound);
    (void)done; /* rolled back, whatever became of it */
    return verdict_change(verso_rollback(txn, savepoint), sound, "no way back to a savepoint");
}

/* To the oldest root: the default tree, or all of them. */
static bool revert(verso_store *store, verso_txn *txn, bool all, bool sound)
{
    verso_view *view = NULL;
    uint64_t changes = 0;
    verso_root_info info = {.size = sizeof info};
    size_t count = 0;
    verso_err err = verso_roots(store, 0, &info, 1, NULL, &count);
    if (!verdict_change(err, sound, "roots cannot be listed") || count == 0) {
        return err == VERSO_OK;
    }
    err = verso_view_open_root(store, info.id, &view);
    if (!verdict_change(err, sound, "the oldest root cannot be opened")) {
        return false;
    }
    err = all ? verso_revert_all(txn, view, &changes) : verso_revert(txn, view, NULL, &changes);
    verso_view_close(view);
    return verdict_change(err, sound, "a revert fails");
}

static bool change(verso_store *store, verso_txn *txn, unsigned round, bool sound)
{
    bool done = true;
    for (unsigned i = 0; i < KEYS && done; i++) {
        done = put(txn, i + round * 31, i == 5 ? LONG_VALUE : 20 + i, sound);
    }
    done = done && delete_some(txn, sound) && change_tree(txn, round, sound);
    done = done && change_beyond_savepoint(txn, sound);
    done = done && delete_range(txn, round, sound);
    return done && (round == 0 || revert(store, txn, round == 2, sound));
}

static bool transaction(verso_store *store, unsigned round, bool sound)
{
    verso_txn *txn = NULL;
    verso_root_id root;
    if (!verdict_change(verso_begin(store, &txn), sound, "no transaction")) {
        return false;
    }
    bool done = change(store, txn, round, sound);
    verso_err err = verso_commit(txn, NULL, &root);
    return verdict_change(err, sound && done, "a commit fails") && done;
}

/* Few roots, then few bytes. */
static bool set_policy(verso_store *store, unsigned round, bool sound)
{
    verso_retention policy = verso_keep_last(1);
    if (round > 0) {
        policy.last = 2;
        policy.has_budget = true;
        policy.budget_bytes = 1;
        policy.budget_percent = 20;
    }
    verso_err err = verso_retention_set(store, &policy);
    return verdict_change(err, sound, "retention cannot be set");
}

bool store_write_all(verso_store *store, bool sound)
{
    bool done = true;
    for (unsigned round = 0; round < ROUNDS; round++) {
        done = transaction(store, round, sound && done) && done;
        verso_err err = verso_checkpoint(store);
        done = verdict_change(err, sound && done, "a checkpoint fails") && done;
        done = set_policy(store, round, sound && done) && done;
        if (round == 0) {
            err = verso_tag_set(store, verso_text("tag"), 0);
            done = (verdict_change(err, sound && done, "no tag") || err == VERSO_EXISTS) && done;
        }
    }
    return done;
}

/* The next entries in the order of their keys. */
static bool put_batch(verso_txn *txn, unsigned first, bool sound)
{
    char keys[BATCH][16];
    verso_entry entries[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "much %05u", first + i);
        entries[i] = (verso_entry){verso_text(keys[i]), {value_bytes, 90}}; /* 4 to 512 bytes */
    }
    return verdict_change(verso_put_sorted(txn, entries, BATCH), sound, "a put of many fails");
}

bool store_write_much(verso_store *store, bool sound)
{
    verso_txn *txn = NULL;
    if (!verdict_change(verso_begin(store, &txn), sound, "no transaction")) {
        return false;
    }
    bool done = true;
    memset(value_bytes, 'm', sizeof value_bytes);
    for (unsigned first = 0; first < MUCH && done; first += BATCH) {
        done = put_batch(txn, first, sound);
    }
    done = done && put(txn, 1, 20, sound); /* a page that was written early is needed again */
    verso_err err = verso_commit(txn, NULL, NULL);
    return verdict_change(err, sound && done, "a large commit fails") && done;
}
