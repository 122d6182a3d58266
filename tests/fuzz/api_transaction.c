/*
 * api_transaction.c - puts, deletions, savepoints, trees, cursors, and calls that must be refused.
 */
#include "api_transaction.h"

#include <string.h>

#include "verdict.h"

enum { CALLS_MAX = 64, SAVEPOINTS_MAX = 6 };

struct play {
    verso_txn *handle[API_TREES]; /* NULL: not opened, or gone */
    struct api_state *state;
    struct api_input *input;
    struct api_state saved[SAVEPOINTS_MAX]; /* at the open savepoints */
    unsigned savepoints;
};

static void require(bool holds, const char *what)
{
    verdict_require(holds, what);
}

/* ---- one key ---- */

static unsigned some_key(struct play *play)
{
    return api_byte(play->input) % API_KEYS;
}

static uint8_t some_value(struct play *play)
{
    uint8_t which = api_byte(play->input);
    return which == 0 ? 1 : which;
}

/* A tree that there is. */
static unsigned some_tree(struct play *play)
{
    unsigned tree = api_byte(play->input) % API_TREES;
    return play->handle[tree] != NULL ? tree : 0;
}

static void put(struct play *play)
{
    unsigned tree = some_tree(play);
    unsigned key = some_key(play);
    uint8_t which = some_value(play);
    uint8_t *value = &play->state->value[tree][key];
    verso_txn *txn = play->handle[tree];
    verso_slice old;
    verso_err err;
    switch (api_byte(play->input) % 4) {
    case 0:
        err = verso_insert(txn, api_key(key), api_value(which));
        require(err == (*value == 0 ? VERSO_OK : VERSO_EXISTS), "an insert");
        break;
    case 1:
        err = verso_replace(txn, api_key(key), api_value(which));
        require(err == (*value != 0 ? VERSO_OK : VERSO_NOT_FOUND), "a replacement");
        break;
    case 2:
        err = verso_exchange(txn, api_key(key), api_value(which), &old);
        require(err == (*value != 0 ? VERSO_OK : VERSO_NOT_FOUND), "an exchange");
        require(err != VERSO_OK || old.size == api_value(*value).size, "an exchange's old value");
        break;
    default:
        err = verso_put(txn, api_key(key), api_value(which));
        require(err == VERSO_OK, "a put");
        break;
    }
    *value = err == VERSO_OK ? which : *value;
}

static void delete_key(struct play *play)
{
    unsigned tree = some_tree(play);
    unsigned key = some_key(play);
    uint8_t *value = &play->state->value[tree][key];
    verso_slice old;
    verso_err err = key % 2 == 0 ? verso_delete(play->handle[tree], api_key(key))
                                 : verso_take(play->handle[tree], api_key(key), &old);
    require(err == (*value != 0 ? VERSO_OK : VERSO_NOT_FOUND), "a deletion");
    *value = 0;
}

/* ---- many keys ---- */

static void delete_range(struct play *play)
{
    unsigned tree = some_tree(play);
    unsigned from = some_key(play);
    unsigned to = some_key(play);
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = api_key(from);
    range.to = api_key(to);
    uint64_t deleted = 0;
    verso_err err = verso_delete_range(play->handle[tree], &range, &deleted);
    if (from > to) {
        require(err == VERSO_OK || err == VERSO_INVALID, "a range that runs backwards");
        require(deleted == 0, "a range that runs backwards deletes");
        return;
    }
    require(err == VERSO_OK, "a range's deletion");
    require(deleted == api_count(play->state, tree, from, to), "another number of deletions");
    memset(play->state->value[tree] + from, 0, to - from);
}

static void put_sorted(struct play *play)
{
    unsigned tree = some_tree(play);
    unsigned from = some_key(play);
    unsigned step = 1 + api_byte(play->input) % 4;
    uint8_t which = some_value(play);
    verso_entry entries[API_KEYS];
    size_t count = 0;
    for (unsigned key = from; key < API_KEYS; key += step) {
        entries[count++] = (verso_entry){api_key(key), api_value(which)};
        play->state->value[tree][key] = which;
    }
    require(verso_put_sorted(play->handle[tree], entries, count) == VERSO_OK, "a sorted put");
    if (count > 1) {
        entries[count - 1].key = entries[0].key;
        require(verso_put_sorted(play->handle[tree], entries, count) == VERSO_ORDER,
                "keys that do not ascend");
    }
}

/* Walk while the tree changes: the cursor goes on behind its key, whatever becomes of that. */
static void walk(struct play *play)
{
    unsigned tree = some_tree(play);
    verso_cursor *cursor = NULL;
    verso_entry entry;
    require(verso_cursor_open(verso_txn_view(play->handle[tree]), NULL, &cursor) == VERSO_OK,
            "no cursor in a transaction");
    unsigned deletes = api_byte(play->input);
    for (unsigned key = 0; key < API_KEYS; key++) {
        uint8_t *value = &play->state->value[tree][key];
        if (*value == 0) {
            continue;
        }
        require(verso_cursor_next(cursor, &entry) == VERSO_OK, "a walk ends early");
        require(entry.key.size == api_key(key).size, "a walk meets another key");
        if (deletes >> key % 8 & 1) {
            require(verso_delete(play->handle[tree], entry.key) == VERSO_OK, "a deletion's key");
            *value = 0;
        }
    }
    require(verso_cursor_next(cursor, &entry) == VERSO_NOT_FOUND, "a walk has no end");
    verso_cursor_close(cursor);
}

/* ---- trees ---- */

static void open_tree(struct play *play)
{
    unsigned tree = 1 + api_byte(play->input) % (API_TREES - 1);
    bool create = api_byte(play->input) % 4 != 0;
    verso_txn *handle = NULL;
    verso_err err = verso_txn_tree(play->handle[0], api_tree_name(tree), create, &handle);
    bool is_there = play->state->exists[tree] || create;
    require(err == (is_there ? VERSO_OK : VERSO_NOT_FOUND), "opening a tree");
    if (err == VERSO_OK) {
        require(play->handle[tree] == NULL || play->handle[tree] == handle, "another handle");
        play->handle[tree] = handle;
        play->state->exists[tree] = true;
    }
}

static void drop_tree(struct play *play)
{
    unsigned tree = 1 + api_byte(play->input) % (API_TREES - 1);
    verso_err err = verso_tree_drop(play->handle[0], api_tree_name(tree));
    require(err == (play->state->exists[tree] ? VERSO_OK : VERSO_NOT_FOUND), "dropping a tree");
    if (play->handle[tree] != NULL) { /* it stays a handle, of a tree that is gone */
        require(verso_put(play->handle[tree], api_key(1), api_value(1)) == VERSO_INVALID,
                "a put into a dropped tree");
    }
    play->handle[tree] = NULL;
    play->state->exists[tree] = false;
    memset(play->state->value[tree], 0, sizeof play->state->value[tree]);
}

/* ---- savepoints ---- */

/* Which handles a rollback has ended is not followed: they are asked for anew. */
static void reopen_handles(struct play *play)
{
    for (unsigned tree = 1; tree < API_TREES; tree++) {
        play->handle[tree] = NULL;
        if (play->state->exists[tree]) {
            require(verso_txn_tree(play->handle[0], api_tree_name(tree), false,
                                   &play->handle[tree]) == VERSO_OK,
                    "a tree after a rollback");
        }
    }
}

static void use_savepoint(struct play *play)
{
    uint8_t how = api_byte(play->input);
    uint32_t savepoint = 1 + how / 4 % SAVEPOINTS_MAX;
    bool is_open = savepoint <= play->savepoints;
    verso_txn *txn = play->handle[0];
    if (how % 4 < 2) {
        if (play->savepoints < SAVEPOINTS_MAX) {
            require(verso_savepoint(txn, &savepoint) == VERSO_OK, "no savepoint");
            require(savepoint == play->savepoints + 1, "another savepoint");
            play->saved[play->savepoints++] = *play->state;
        }
    } else if (how % 4 == 2) {
        verso_err err = verso_rollback(txn, savepoint);
        require(err == (is_open ? VERSO_OK : VERSO_INVALID), "a rollback");
        if (is_open) {
            play->savepoints = savepoint;
            *play->state = play->saved[savepoint - 1];
            reopen_handles(play);
        }
    } else {
        verso_err err = verso_release(txn, savepoint);
        require(err == (is_open ? VERSO_OK : VERSO_INVALID), "a release");
        play->savepoints = is_open ? savepoint - 1 : play->savepoints;
    }
}

/* ---- misuse ---- */

static void misuse(struct play *play)
{
    static const uint8_t long_key[4096];
    verso_slice key = {long_key, sizeof long_key};
    verso_slice none = {NULL, 0};
    verso_txn *txn = play->handle[0];
    verso_txn *tree = NULL;
    require(verso_put(txn, key, none) == VERSO_TOO_BIG, "a key that is too long");
    require(verso_put(NULL, api_key(1), none) == VERSO_INVALID, "a put without a transaction");
    require(verso_put(txn, (verso_slice){NULL, 3}, none) == VERSO_INVALID, "a key without bytes");
    require(verso_txn_tree(txn, none, true, &tree) == VERSO_INVALID, "a tree without a name");
    require(verso_put_sorted(txn, NULL, 1) == VERSO_INVALID, "entries that are not there");
    require(verso_delete(txn, key) != VERSO_OK, "a deletion of a key that cannot be");
    if (play->handle[1] != NULL) {
        require(verso_commit(play->handle[1], NULL, NULL) == VERSO_INVALID,
                "a commit of a tree's handle");
    }
}

static void call(struct play *play)
{
    switch (api_byte(play->input) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        put(play);
        break;
    case 5:
    case 6:
        delete_key(play);
        break;
    case 7:
        delete_range(play);
        break;
    case 8:
    case 9:
        put_sorted(play);
        break;
    case 10:
        open_tree(play);
        break;
    case 11:
        drop_tree(play);
        break;
    case 12:
    case 13:
        use_savepoint(play);
        break;
    case 14:
        walk(play);
        break;
    default:
        misuse(play);
        api_compare_view(verso_txn_view(play->handle[0]), play->state);
        break;
    }
}

void api_transaction_play(verso_txn *txn, struct api_state *state, struct api_input *input)
{
    struct play play = {.handle = {txn}, .state = state, .input = input};
    unsigned calls = api_byte(input) % CALLS_MAX;
    for (unsigned i = 0; i < calls && input->at < input->end; i++) {
        call(&play);
    }
}
