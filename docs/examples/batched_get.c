/*
 * batched_get.c - look up many keys in one call: their cache misses overlap instead of adding up.
 */
#include <stdio.h>
#include <stdlib.h>

#include <verso.h>

enum { KEYS = 1000, ASKED = 4 };

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

/** user/0000 -> 0, user/0002 -> 4, user/0004 -> 16, ... */
static void fill(verso_store *store)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    for (int i = 0; i < KEYS; i += 2) {
        char key[32];
        char value[32];
        (void)snprintf(key, sizeof key, "user/%04d", i);
        (void)snprintf(value, sizeof value, "%d", i * i);
        must(verso_put(txn, verso_text(key), verso_text(value)));
    }
    must(verso_commit(txn, NULL, NULL));
}

int main(void)
{
    verso_store *store = NULL;
    verso_view *view = NULL;
    must(verso_open(NULL, NULL, &store));
    fill(store);

    const verso_slice keys[ASKED] = {verso_text("user/0900"), verso_text("user/0007"),
                                     verso_text("user/0010"), verso_text("user/1000")};
    verso_slice values[ASKED];
    verso_err results[ASKED];
    must(verso_view_open(store, &view));
    must(verso_get_many(view, keys, ASKED, values, results));
    for (int i = 0; i < ASKED; i++) {
        bool found = results[i] == VERSO_OK;
        printf("%s: %.*s\n", (const char *)keys[i].data, found ? (int)values[i].size : 4,
               found ? (const char *)values[i].data : "none");
    }
    verso_view_close(view);
    must(verso_close(store));
    return 0;
}
