/*
 * async_commit.c - commit without waiting for the disk, and wait once for many commits.
 *
 * An asynchronous commit returns its root at once. In a store that is opened as usual it becomes
 * visible to new views when it is on stable storage; waiting for the last root waits for all
 * before.
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

int main(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_store *store = NULL;
    must(verso_open("events.verso", &options, &store));

    verso_commit_options at_once = VERSO_COMMIT_OPTIONS_INIT;
    at_once.asynchronous = true;
    verso_root_id last = 0;
    for (int i = 0; i < 100; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "event/%06d", i);
        verso_txn *txn = NULL;
        must(verso_begin(store, &txn));
        must(verso_insert(txn, verso_text(key), verso_text("happened")));
        must(verso_commit(txn, &at_once, &last));
    }
    must(verso_wait_durable(store, last));

    verso_view *view = NULL;
    verso_root_info info = {.size = sizeof info};
    must(verso_view_open(store, &view));
    must(verso_view_info(view, &info));
    printf("root %" PRIu64 " is durable and holds %" PRIu64 " keys\n", info.id, info.keys);
    verso_view_close(view);
    must(verso_close(store));
    return 0;
}
