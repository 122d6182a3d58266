/*
 * delete_while_scanning.c - a cursor in a write transaction stays well defined under its changes.
 *
 * After the key under the cursor was deleted, next goes to the first key above it: none is skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verso.h>

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

static void fill(verso_store *store)
{
    const char *const sessions[][2] = {
        {"anna", "old"}, {"ben", "new"}, {"cleo", "old"}, {"dora", "old"}, {"emil", "new"}};
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        must(verso_put(txn, verso_text(sessions[i][0]), verso_text(sessions[i][1])));
    }
    must(verso_commit(txn, NULL, NULL));
}

static bool is_old(verso_slice value)
{
    return value.size == 3 && memcmp(value.data, "old", 3) == 0;
}

/** Delete what is old, in one transaction. */
static void expire(verso_store *store)
{
    verso_txn *txn = NULL;
    verso_cursor *cursor = NULL;
    verso_entry entry;
    must(verso_begin(store, &txn));
    must(verso_cursor_open(verso_txn_view(txn), NULL, &cursor));
    while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
        if (is_old(entry.value)) {
            must(verso_delete(txn, entry.key));
        }
    }
    verso_cursor_close(cursor);
    must(verso_commit(txn, NULL, NULL));
}

static void print_keys(verso_store *store)
{
    verso_view *view = NULL;
    verso_cursor *cursor = NULL;
    verso_entry entry;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
        printf("%.*s\n", (int)entry.key.size, (const char *)entry.key.data);
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
}

int main(void)
{
    verso_store *store = NULL;
    must(verso_open(NULL, NULL, &store));
    fill(store);
    expire(store);
    print_keys(store);
    must(verso_close(store));
    return 0;
}
