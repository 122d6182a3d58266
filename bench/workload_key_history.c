/*
 * workload_key_history.c - the values that one key has had, against a get in every root.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "versions.h"

enum { WALKS = 20 };

static uint64_t walk_history(verso_store *store, verso_slice key)
{
    verso_view *view = direct_view(store, 0);
    verso_history *history = NULL;
    verso_key_version version = {.size = sizeof version};
    uint64_t values = 0;
    expect_ok(verso_history_open(view, key, &history), "verso_history_open");
    verso_err err = verso_history_next(history, &version);
    for (; err == VERSO_OK; values++) {
        err = verso_history_next(history, &version);
    }
    if (err != VERSO_NOT_FOUND) {
        expect_ok(err, "verso_history_next");
    }
    verso_history_close(history);
    verso_view_close(view);
    return values;
}

static void look_into_every_root(verso_store *store, const struct versions *versions,
                                 verso_slice key)
{
    for (verso_root_id root = versions->old; root <= versions->newest; root++) {
        verso_view *view = direct_view(store, root);
        verso_slice value;
        expect_ok(verso_get(view, key, &value), "verso_get");
        verso_view_close(view);
    }
}

void workload_key_history(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    verso_slice key = versions_watched(bench);
    struct row *row =
        row_open("key-history", "a key's values in 10,000 roots (less is better)", "us");
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "history of %" PRIu64 " values", walk_history(store, key));
    look_into_every_root(store, &versions, key); /* warm */
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        uint64_t start_ns = now_ns();
        for (unsigned i = 0; i < WALKS; i++) {
            (void)walk_history(store, key);
        }
        direct_add_us(row, label, false, start_ns, WALKS);
        start_ns = now_ns();
        look_into_every_root(store, &versions, key);
        direct_add_us(row, "get in every root", true, start_ns, 1);
    }
    row_close(bench->report, row);
    expect_ok(verso_close(store), "verso_close");
}
