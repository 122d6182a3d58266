/*
 * engine_verso.c - Verso as a contestant, through its public header only.
 */
#include <stdlib.h>

#include "direct.h"
#include "directory.h"
#include "engine.h"
#include "stop.h"

enum { SCAN_BATCH = 128 };

static const char store_file_name[] = "store.verso";

struct writer {
    struct store *store;
    verso_txn *txn;
};

struct store {
    verso_store *handle;
    bool asynchronous;
    struct writer writer; /* owned by whoever holds the engine's own write transaction */
};

struct reader {
    verso_view *view;
    verso_cursor *cursor;
};

static const char *version(void)
{
    return verso_library_version();
}

static verso_durability durability_of(enum commit_mode mode)
{
    switch (mode) {
    case COMMIT_INTERVAL:
        return VERSO_DURABILITY_INTERVAL;
    case COMMIT_WRITTEN:
        return VERSO_DURABILITY_WRITTEN;
    case COMMIT_DURABLE:
    case COMMIT_DURABLE_WRITEMAP:
    case COMMIT_NOSYNC:
    case COMMIT_NOSYNC_WRITEMAP:
    case COMMIT_ASYNCHRONOUS:
        break;
    }
    return VERSO_DURABILITY_SYNC;
}

static struct store *open_store(const char *directory, const struct store_settings *settings)
{
    struct path path = path_join(directory, store_file_name);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = !settings->read_only;
    options.read_only = settings->read_only;
    verso_retention policy = policy_of(settings->keep_last);
    options.retention = &policy;
    options.durability = durability_of(settings->mode);
    options.arena_bytes = settings->arena_bytes;

    struct store *store = allocate(1, sizeof *store);
    store->asynchronous = settings->mode == COMMIT_ASYNCHRONOUS;
    store->writer.store = store;
    expect_ok(verso_open(path.text, &options, &store->handle), "verso_open");
    return store;
}

static void close_store(struct store *store)
{
    expect_ok(verso_close(store->handle), "verso_close");
    free(store);
}

static void sync_store(struct store *store)
{
    expect_ok(verso_sync(store->handle), "verso_sync");
}

static void checkpoint(struct store *store)
{
    expect_ok(verso_checkpoint(store->handle), "verso_checkpoint");
}

static struct writer *begin(struct store *store)
{
    verso_txn *txn = NULL;
    expect_ok(verso_begin(store->handle, &txn), "verso_begin");
    store->writer.txn = txn; /* from here on nobody else is in a write transaction */
    return &store->writer;
}

static void put(struct writer *writer, verso_slice key, verso_slice value)
{
    expect_ok(verso_put(writer->txn, key, value), "verso_put");
}

static void append(struct writer *writer, const verso_entry *entries, size_t count)
{
    expect_ok(verso_put_sorted(writer->txn, entries, count), "verso_put_sorted");
}

static uint64_t commit(struct writer *writer)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = writer->store->asynchronous;
    verso_root_id root = 0;
    expect_ok(verso_commit(writer->txn, &options, &root), "verso_commit");
    return root;
}

static struct reader *reader_open(struct store *store, uint64_t root)
{
    struct reader *reader = allocate(1, sizeof *reader);
    if (root == 0) {
        expect_ok(verso_view_open(store->handle, &reader->view), "verso_view_open");
    } else {
        expect_ok(verso_view_open_root(store->handle, root, &reader->view), "verso_view_open_root");
    }
    expect_ok(verso_cursor_open(reader->view, NULL, &reader->cursor), "verso_cursor_open");
    return reader;
}

static void reader_close(struct reader *reader)
{
    verso_cursor_close(reader->cursor);
    verso_view_close(reader->view);
    free(reader);
}

static bool get(struct reader *reader, verso_slice key, verso_slice *value)
{
    verso_err err = verso_get(reader->view, key, value);
    if (err != VERSO_OK && err != VERSO_NOT_FOUND) {
        expect_ok(err, "verso_get");
    }
    return err == VERSO_OK;
}

static size_t get_batch(struct reader *reader, const verso_slice *keys, size_t count,
                        verso_slice *values)
{
    verso_err results[GET_BATCH_MAX];
    expect_ok(verso_get_many(reader->view, keys, count, values, results), "verso_get_many");
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += results[i] == VERSO_OK;
    }
    return found;
}

static inline void see(struct scan_result *result, const verso_entry *entry)
{
    result->entries++;
    result->sum += first_bytes(entry->key.data, entry->key.size) +
                   first_bytes(entry->value.data, entry->value.size);
}

static void expect_end(verso_err err, const char *call)
{
    if (err != VERSO_NOT_FOUND) {
        expect_ok(err, call);
    }
}

static struct scan_result scan_forward(verso_cursor *cursor, const verso_slice *from,
                                       uint64_t limit)
{
    struct scan_result result = {0};
    verso_entry entry;
    verso_err err = from == NULL ? verso_cursor_first(cursor, &entry)
                                 : verso_cursor_seek(cursor, VERSO_SEEK_GE, *from, &entry);
    while (err == VERSO_OK) {
        see(&result, &entry);
        if (result.entries == limit) {
            return result;
        }
        err = verso_cursor_next(cursor, &entry);
    }
    expect_end(err, "verso_cursor_next");
    return result;
}

static struct scan_result scan_backward(verso_cursor *cursor, const verso_slice *from,
                                        uint64_t limit)
{
    struct scan_result result = {0};
    verso_entry entry;
    verso_err err = from == NULL ? verso_cursor_last(cursor, &entry)
                                 : verso_cursor_seek(cursor, VERSO_SEEK_LE, *from, &entry);
    while (err == VERSO_OK) {
        see(&result, &entry);
        if (result.entries == limit) {
            return result;
        }
        err = verso_cursor_previous(cursor, &entry);
    }
    expect_end(err, "verso_cursor_previous");
    return result;
}

static struct scan_result scan_in_batches(verso_cursor *cursor, const verso_slice *from,
                                          uint64_t limit)
{
    struct scan_result result = {0};
    verso_entry entries[SCAN_BATCH];
    verso_err err = from == NULL ? verso_cursor_first(cursor, entries)
                                 : verso_cursor_seek(cursor, VERSO_SEEK_GE, *from, entries);
    size_t count = 1;
    while (err == VERSO_OK) {
        for (size_t i = 0; i < count; i++) {
            see(&result, &entries[i]);
        }
        if (result.entries == limit) {
            return result;
        }
        uint64_t left = limit - result.entries;
        err = verso_cursor_batch(cursor, entries, left < SCAN_BATCH ? (size_t)left : SCAN_BATCH,
                                 &count);
    }
    expect_end(err, "verso_cursor_batch");
    return result;
}

static struct scan_result scan(struct reader *reader, enum scan_way way, const verso_slice *from,
                               uint64_t limit)
{
    if (way == SCAN_BACKWARD) {
        return scan_backward(reader->cursor, from, limit);
    }
    if (way == SCAN_FORWARD_BATCH) {
        return scan_in_batches(reader->cursor, from, limit);
    }
    return scan_forward(reader->cursor, from, limit);
}

const struct engine engine_verso = {
    .name = "Verso",
    .option_name = "verso",
    .file_name = store_file_name,
    .version = version,
    .open = open_store,
    .close = close_store,
    .sync = sync_store,
    .checkpoint = checkpoint,
    .begin = begin,
    .put = put,
    .append = append,
    .commit = commit,
    .reader_open = reader_open,
    .reader_close = reader_close,
    .get = get,
    .get_batch = get_batch,
    .scan = scan,
};
