/*
 * direct.c - the few calls that the workloads of direct.h share.
 */
#include "direct.h"

#include "clock.h"
#include "stop.h"

enum { LOAD_BATCH = 1000, READ_BATCH = 128 };

void expect_ok(verso_err err, const char *call)
{
    if (err != VERSO_OK) {
        stop_with("Verso: %s: %s (%s)", call, verso_strerror(err), verso_error_detail());
    }
}

verso_retention policy_of(uint64_t keep_last)
{
    if (keep_last == KEEP_ALL) {
        return verso_keep_all();
    }
    return keep_last == KEEP_DEFAULT ? verso_keep_default() : verso_keep_last(keep_last);
}

verso_store *direct_open(const struct bench *bench, const char *directory, uint64_t keep_last)
{
    struct path path = path_join(directory, engine_verso.file_name);
    verso_retention policy = policy_of(keep_last);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.retention = &policy;
    options.arena_bytes = bench->options->arena_bytes;
    verso_store *store = NULL;
    expect_ok(verso_open(path.text, &options, &store), "verso_open");
    return store;
}

verso_view *direct_view(verso_store *store, verso_root_id root)
{
    verso_view *view = NULL;
    if (root == 0) {
        expect_ok(verso_view_open(store, &view), "verso_view_open");
    } else {
        expect_ok(verso_view_open_root(store, root, &view), "verso_view_open_root");
    }
    return view;
}

verso_txn *direct_begin(verso_store *store)
{
    verso_txn *txn = NULL;
    expect_ok(verso_begin(store, &txn), "verso_begin");
    return txn;
}

verso_root_id direct_commit(verso_txn *txn, bool asynchronous)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = asynchronous;
    verso_root_id root = 0;
    expect_ok(verso_commit(txn, &options, &root), "verso_commit");
    return root;
}

void direct_put(verso_txn *txn, const struct bench *bench, const struct key_set *keys,
                uint32_t first, uint32_t count, uint64_t turn)
{
    for (uint32_t i = first; i < first + count; i++) {
        expect_ok(verso_put(txn, key_at(keys, i), value_at(&bench->values, i + turn)), "verso_put");
    }
}

void direct_load(verso_txn *txn, struct bench *bench)
{
    const struct key_set *keys = bench_ascending(bench);
    verso_entry entries[LOAD_BATCH];
    uint32_t i = 0;
    while (i < keys->count) {
        size_t count = 0;
        for (; count < LOAD_BATCH && i < keys->count; count++, i++) {
            entries[count].key = key_at(keys, i);
            entries[count].value = value_at(&bench->values, i);
        }
        expect_ok(verso_put_sorted(txn, entries, count), "verso_put_sorted");
    }
}

uint64_t direct_read_all(verso_view *view)
{
    verso_cursor *cursor = NULL;
    verso_entry entries[READ_BATCH];
    uint64_t total = 0;
    size_t count = READ_BATCH;
    expect_ok(verso_cursor_open(view, NULL, &cursor), "verso_cursor_open");
    while (count == READ_BATCH) {
        verso_err err = verso_cursor_batch(cursor, entries, READ_BATCH, &count);
        if (err != VERSO_NOT_FOUND) {
            expect_ok(err, "verso_cursor_batch");
        }
        total += count;
    }
    verso_cursor_close(cursor);
    return total;
}

void direct_add_us(struct row *row, const char *label, bool baseline, uint64_t start_ns,
                   uint64_t count)
{
    double elapsed_us = (double)(now_ns() - start_ns) / 1e3;
    figure_add(row_figure(row, label, baseline), elapsed_us / (double)count);
}
