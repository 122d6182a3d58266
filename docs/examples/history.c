/*
 * history.c - name a root, compare it with the newest, follow a key back, drop roots, take back.
 *
 * The same steps with the command line are in docs/history.md.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <verso.h>

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    return txn;
}

static void put(verso_txn *txn, const char *key, const char *value)
{
    must(verso_put(txn, verso_text(key), verso_text(value)));
}

static verso_root_id commit(verso_txn *txn, const char *note)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text(note);
    verso_root_id root = 0;
    must(verso_commit(txn, &options, &root));
    return root;
}

static void make_history(verso_store *store)
{
    verso_txn *txn = begin(store);
    put(txn, "apple", "100");
    put(txn, "banana", "40");
    put(txn, "cherry", "15");
    commit(txn, "opening");

    txn = begin(store);
    put(txn, "apple", "120");
    verso_root_id dearer = commit(txn, "dearer");
    must(verso_tag_set(store, verso_text("before-sale"), dearer));

    txn = begin(store);
    put(txn, "apple", "90");
    put(txn, "date", "300");
    commit(txn, "sale");

    txn = begin(store);
    must(verso_delete(txn, verso_text("banana")));
    commit(txn, "sold out");
}

static void print(const char *text, verso_slice slice)
{
    printf("%s%.*s", text, (int)slice.size, (const char *)slice.data);
}

/** What has changed from a tagged root to the newest. */
static void print_changes_since(verso_store *store, const char *tag)
{
    verso_view *from = NULL;
    verso_view *to = NULL;
    verso_diff *diff = NULL;
    verso_change change;
    must(verso_view_open_tag(store, verso_text(tag), &from));
    must(verso_view_open(store, &to));
    must(verso_diff_open(from, to, NULL, &diff));
    while (verso_diff_next(diff, &change) == VERSO_OK) {
        print("", change.key);
        print(": '", change.old_value);
        print("' -> '", change.new_value);
        printf("'\n");
    }
    verso_diff_close(diff);
    verso_view_close(to);
    verso_view_close(from);
}

/** The values that a key has had, newest first. */
static void print_history_of(verso_store *store, const char *key)
{
    verso_view *view = NULL;
    verso_history *history = NULL;
    verso_key_version version = {.size = sizeof version};
    must(verso_view_open(store, &view));
    must(verso_history_open(view, verso_text(key), &history));
    while (verso_history_next(history, &version) == VERSO_OK) {
        printf("%s in root %" PRIu64, key, version.root);
        print(", ", version.note);
        print(version.deleted ? ": deleted" : ": ", version.value);
        printf("\n");
    }
    verso_history_close(history);
    verso_view_close(view);
}

/** Keep the newest root and tagged ones; first ask what that would drop. */
static void drop_old_roots(verso_store *store)
{
    verso_retention newest = verso_keep_last(1);
    verso_retention_effect effect = {.size = sizeof effect};
    must(verso_retention_try(store, &newest, NULL, 0, &effect));
    printf("drops %" PRIu64 " roots, %" PRIu64 " bytes\n", effect.dropped, effect.freed_bytes);
    must(verso_retention_set(store, &newest));

    verso_view *view = NULL;
    if (verso_view_open_root(store, 1, &view) == VERSO_GONE) {
        printf("%s\n", verso_error_detail());
    }
}

/** A new root that has the keys with a prefix as the tagged root has them. */
static void take_back(verso_store *store, const char *tag, const char *prefix)
{
    verso_range range = {.size = sizeof range, .has_prefix = true, .prefix = verso_text(prefix)};
    verso_view *then = NULL;
    uint64_t changes = 0;
    must(verso_view_open_tag(store, verso_text(tag), &then));
    verso_txn *txn = begin(store);
    must(verso_revert(txn, then, &range, &changes));
    printf("root %" PRIu64 ": %" PRIu64 " changes\n", commit(txn, "bananas again"), changes);
    verso_view_close(then);
}

int main(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_store *store = NULL;
    must(verso_open("shop.verso", &options, &store));
    make_history(store);
    print_changes_since(store, "before-sale");
    print_history_of(store, "banana");
    drop_old_roots(store);
    take_back(store, "before-sale", "b");
    must(verso_close(store));
    return 0;
}
