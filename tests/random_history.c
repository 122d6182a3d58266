/*
 * random_history.c - drawing commits, and reading two stores side by side.
 */
#include "random_history.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHORT_VALUE_MAX = 60, LONG_VALUE_MAX = 1 << 16, NOTE_MAX = 1024 };

static char fault_text[200];

static uint8_t bytes[LONG_VALUE_MAX];

static verso_slice next_value(struct random_history *history)
{
    struct simulated_random *random = &history->random;
    bool is_long = history->long_value_max > 0 && simulated_random_below(random, 8) == 0;
    size_t max = is_long ? history->long_value_max : SHORT_VALUE_MAX;
    size_t size = (size_t)simulated_random_below(random, max + 1);
    memset(bytes, (int)simulated_random_below(random, 256), size);
    return (verso_slice){bytes, size};
}

static void change(struct random_history *history, verso_txn *txn, size_t key_max, bool deletes)
{
    struct simulated_random *random = &history->random;
    uint8_t key_bytes[PAGE_KEY_MAX];
    verso_slice key = {key_bytes, page_keys_next(history->keys, random, key_max, key_bytes)};
    verso_err err;
    verso_entry found;
    bool delete = simulated_random_below(random, 8) < (deletes ? 6 : 1);
    if (delete &&verso_get_at_or_after(verso_txn_view(txn), key, &found) == VERSO_OK) {
        memcpy(key_bytes, found.key.data, found.key.size);
        err = verso_delete(txn, (verso_slice){key_bytes, found.key.size});
    } else {
        err = verso_put(txn, key, next_value(history));
    }
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* One change to the named trees, of which there are up to four. */
static void change_trees(struct random_history *history, verso_txn *txn, size_t key_max)
{
    static const char *const names[] = {"one", "two", "three", "four"};
    struct simulated_random *random = &history->random;
    verso_slice name = verso_text(names[simulated_random_below(random, 4)]);
    verso_slice other = verso_text(names[simulated_random_below(random, 4)]);
    uint64_t what = simulated_random_below(random, 16);
    verso_txn *tree;
    verso_err err;
    if (what == 0) {
        err = verso_tree_drop(txn, name);
        cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND, "%s", verso_error_detail());
    } else if (what == 1) {
        err = verso_tree_rename(txn, name, other);
        cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND || err == VERSO_EXISTS, "%s",
                  verso_error_detail());
    } else {
        err = verso_txn_tree(txn, name, true, &tree);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        for (uint64_t i = simulated_random_below(random, history->changes_max); i > 0; i--) {
            change(history, tree, key_max, what == 2);
        }
    }
}

verso_root_id random_history_commit(struct random_history *history, verso_store *store)
{
    static char note[NOTE_MAX];
    struct simulated_random *random = &history->random;
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    bool deletes = simulated_random_below(random, 4) == 0;
    uint64_t changes = 1 + simulated_random_below(random, history->changes_max);
    for (uint64_t i = 0; i < changes; i++) {
        change(history, txn, verso_key_size_max(store), deletes);
    }
    for (uint64_t i = history->trees ? simulated_random_below(random, 3) : 0; i > 0; i--) {
        change_trees(history, txn, verso_key_size_max(store));
    }
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    if (simulated_random_below(random, 2) == 0) {
        memset(note, 'n', sizeof note);
        options.note = (verso_slice){note, (size_t)simulated_random_below(random, NOTE_MAX + 1)};
    }
    verso_root_id root = 0;
    err = verso_commit(txn, &options, &root);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return root;
}

void random_history_commits(struct random_history *history, verso_store *store, unsigned count)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    for (verso_root_id last = stats.tip + count; random_history_commit(history, store) < last;) {
    }
}

/* ---- comparing ---- */

static const char *differs(verso_root_id root, const char *what)
{
    snprintf(fault_text, sizeof fault_text, "root %" PRIu64 ": %s (detail: %s)", root, what,
             verso_error_detail());
    return fault_text;
}

static bool same(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static const char *compare_infos(const verso_root_info *a, const verso_root_info *b)
{
    if (a->id != b->id) {
        return differs(a->id, "is another in the other store");
    }
    if (a->keys != b->keys || a->fingerprint != b->fingerprint) {
        return differs(a->id, "other keys or another fingerprint");
    }
    if (a->time_us != b->time_us) {
        return differs(a->id, "another time");
    }
    return same(a->note, b->note) ? NULL : differs(a->id, "another note");
}

static const char *compare_entries(verso_cursor *a, verso_cursor *b, verso_root_id root)
{
    for (;;) {
        verso_entry of_a;
        verso_entry of_b;
        verso_err err = verso_cursor_next(a, &of_a);
        if (err != verso_cursor_next(b, &of_b)) {
            return differs(root, "one scan goes on, the other does not");
        }
        if (err != VERSO_OK) {
            return err == VERSO_NOT_FOUND ? NULL : differs(root, "a scan failed");
        }
        if (!same(of_a.key, of_b.key) || !same(of_a.value, of_b.value)) {
            return differs(root, "another key or value");
        }
    }
}

static const char *compare_pairs(verso_view *a, verso_view *b, verso_root_id root)
{
    verso_cursor *cursor_a;
    verso_cursor *cursor_b;
    cr_assert_eq(verso_cursor_open(a, NULL, &cursor_a), VERSO_OK);
    cr_assert_eq(verso_cursor_open(b, NULL, &cursor_b), VERSO_OK);
    const char *fault = compare_entries(cursor_a, cursor_b, root);
    verso_cursor_close(cursor_a);
    verso_cursor_close(cursor_b);
    return fault;
}

static const char *compare_trees(verso_view *a, verso_view *b, verso_root_id root)
{
    verso_tree_info of_a = {.size = sizeof of_a};
    verso_tree_info of_b = {.size = sizeof of_b};
    char last[VERSO_NAME_MAX + 1] = "";
    const char *fault = NULL;
    for (; fault == NULL; memcpy(last, of_a.name, sizeof last)) {
        verso_slice name = verso_text(last);
        verso_err err = verso_tree_next(a, name, &of_a);
        if (err != verso_tree_next(b, name, &of_b)) {
            return differs(root, "another number of trees");
        }
        if (err == VERSO_NOT_FOUND) {
            return NULL;
        }
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        if (strcmp(of_a.name, of_b.name) != 0 || of_a.keys != of_b.keys ||
            of_a.fingerprint != of_b.fingerprint) {
            return differs(root, "another tree");
        }
        verso_view *tree_a;
        verso_view *tree_b;
        cr_assert_eq(verso_view_tree(a, verso_text(of_a.name), &tree_a), VERSO_OK);
        cr_assert_eq(verso_view_tree(b, verso_text(of_a.name), &tree_b), VERSO_OK);
        fault = compare_pairs(tree_a, tree_b, root);
    }
    return fault;
}

static const char *compare_views(verso_view *a, verso_view *b, verso_root_id root)
{
    verso_root_info of_a = {.size = sizeof of_a};
    verso_root_info of_b = {.size = sizeof of_b};
    cr_assert_eq(verso_view_info(a, &of_a), VERSO_OK);
    cr_assert_eq(verso_view_info(b, &of_b), VERSO_OK);
    const char *fault = compare_infos(&of_a, &of_b);
    fault = fault == NULL ? compare_pairs(a, b, root) : fault;
    return fault == NULL ? compare_trees(a, b, root) : fault;
}

const char *random_history_compare_root(verso_store *a, verso_store *b, verso_root_id root)
{
    verso_view *of_a = NULL;
    verso_view *of_b = NULL;
    const char *fault = NULL;
    if (verso_view_open_root(a, root, &of_a) != VERSO_OK ||
        verso_view_open_root(b, root, &of_b) != VERSO_OK) {
        fault = differs(root, "cannot be opened");
    }
    fault = fault == NULL ? compare_views(of_a, of_b, root) : fault;
    verso_view_close(of_a);
    verso_view_close(of_b);
    return fault;
}

const char *random_history_compare(verso_store *a, verso_store *b, verso_root_id from)
{
    for (;;) {
        verso_root_info of_a = {.size = sizeof of_a};
        verso_root_info of_b = {.size = sizeof of_b};
        size_t in_a = 0;
        size_t in_b = 0;
        cr_assert_eq(verso_roots(a, from, &of_a, 1, NULL, &in_a), VERSO_OK);
        cr_assert_eq(verso_roots(b, from, &of_b, 1, NULL, &in_b), VERSO_OK);
        if (in_a == 0 && in_b == 0) {
            return NULL;
        }
        if (in_a != in_b || of_a.id != of_b.id) {
            return differs(in_a == 0 ? of_b.id : of_a.id, "is in one store only");
        }
        const char *fault = random_history_compare_root(a, b, of_a.id);
        if (fault != NULL) {
            return fault;
        }
        from = of_a.id + 1;
    }
}
