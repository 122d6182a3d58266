/*
 * engine_lmdb.c - LMDB as a contestant.
 *
 * MDB_NOTLS in every mode: a thread may then hold a reader beside its write transaction, as the
 * long reader does; it costs a little when a reader opens and nothing while it reads.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine.h"
#include "stop.h"

struct writer {
    struct store *store;
    MDB_txn *txn;
};

struct store {
    MDB_env *env;
    MDB_dbi dbi;
    struct writer writer; /* owned by whoever holds the engine's own write transaction */
};

struct reader {
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_dbi dbi;
};

static void expect_ok(int err, const char *call)
{
    if (err != MDB_SUCCESS) {
        stop_with("LMDB: %s: %s", call, mdb_strerror(err));
    }
}

static MDB_val val_of(verso_slice slice)
{
    MDB_val val = {.mv_size = slice.size};
    memcpy(&val.mv_data, &slice.data, sizeof val.mv_data); /* LMDB does not write there */
    return val;
}

static const char *version(void)
{
    return mdb_version(NULL, NULL, NULL);
}

static unsigned flags_of(const struct store_settings *settings)
{
    unsigned flags = MDB_NOTLS;
    if (settings->read_only) {
        flags |= MDB_RDONLY;
    }
    if (settings->no_readahead) {
        flags |= MDB_NORDAHEAD;
    }
    if (settings->mode == COMMIT_NOSYNC || settings->mode == COMMIT_NOSYNC_WRITEMAP) {
        flags |= MDB_NOSYNC;
    }
    if (settings->mode == COMMIT_DURABLE_WRITEMAP || settings->mode == COMMIT_NOSYNC_WRITEMAP) {
        flags |= MDB_WRITEMAP;
    }
    return flags;
}

static MDB_dbi open_dbi(MDB_env *env, bool read_only)
{
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    expect_ok(mdb_txn_begin(env, NULL, read_only ? MDB_RDONLY : 0, &txn), "mdb_txn_begin");
    expect_ok(mdb_dbi_open(txn, NULL, 0, &dbi), "mdb_dbi_open");
    expect_ok(mdb_txn_commit(txn), "mdb_txn_commit");
    return dbi;
}

static struct store *open_store(const char *directory, const struct store_settings *settings)
{
    struct store *store = allocate(1, sizeof *store);
    store->writer.store = store;
    expect_ok(mdb_env_create(&store->env), "mdb_env_create");
    expect_ok(mdb_env_set_mapsize(store->env, settings->map_bytes), "mdb_env_set_mapsize");
    expect_ok(mdb_env_open(store->env, directory, flags_of(settings), 0666), "mdb_env_open");
    store->dbi = open_dbi(store->env, settings->read_only);
    return store;
}

static void sync_store(struct store *store)
{
    expect_ok(mdb_env_sync(store->env, 1), "mdb_env_sync");
}

static void close_store(struct store *store)
{
    mdb_env_close(store->env);
    free(store);
}

static struct writer *begin(struct store *store)
{
    MDB_txn *txn = NULL;
    expect_ok(mdb_txn_begin(store->env, NULL, 0, &txn), "mdb_txn_begin");
    store->writer.txn = txn; /* from here on nobody else is in a write transaction */
    return &store->writer;
}

static void put_with(struct writer *writer, verso_slice key, verso_slice value, unsigned flags)
{
    MDB_val lmdb_key = val_of(key);
    MDB_val lmdb_value = val_of(value);
    expect_ok(mdb_put(writer->txn, writer->store->dbi, &lmdb_key, &lmdb_value, flags), "mdb_put");
}

static void put(struct writer *writer, verso_slice key, verso_slice value)
{
    put_with(writer, key, value, 0);
}

static void append(struct writer *writer, const verso_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_with(writer, entries[i].key, entries[i].value, MDB_APPEND);
    }
}

static uint64_t commit(struct writer *writer)
{
    expect_ok(mdb_txn_commit(writer->txn), "mdb_txn_commit");
    return 0;
}

static struct reader *reader_open(struct store *store, uint64_t root)
{
    if (root != 0) {
        stop_with("LMDB does not open old roots");
    }
    struct reader *reader = allocate(1, sizeof *reader);
    reader->dbi = store->dbi;
    expect_ok(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &reader->txn), "mdb_txn_begin");
    expect_ok(mdb_cursor_open(reader->txn, reader->dbi, &reader->cursor), "mdb_cursor_open");
    return reader;
}

static void reader_close(struct reader *reader)
{
    mdb_cursor_close(reader->cursor);
    mdb_txn_abort(reader->txn);
    free(reader);
}

static bool get(struct reader *reader, verso_slice key, verso_slice *value)
{
    MDB_val lmdb_key = val_of(key);
    MDB_val lmdb_value;
    int err = mdb_get(reader->txn, reader->dbi, &lmdb_key, &lmdb_value);
    if (err == MDB_NOTFOUND) {
        return false;
    }
    expect_ok(err, "mdb_get");
    value->data = lmdb_value.mv_data;
    value->size = lmdb_value.mv_size;
    return true;
}

static size_t get_batch(struct reader *reader, const verso_slice *keys, size_t count,
                        verso_slice *values)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = (verso_slice){NULL, 0};
        found += get(reader, keys[i], &values[i]);
    }
    return found;
}

static MDB_cursor_op first_step(enum scan_way way, bool has_from)
{
    if (has_from) {
        return MDB_SET_RANGE;
    }
    return way == SCAN_BACKWARD ? MDB_LAST : MDB_FIRST;
}

/* Ranges start at a key that is there, so that MDB_SET_RANGE serves both directions. */
static struct scan_result scan(struct reader *reader, enum scan_way way, const verso_slice *from,
                               uint64_t limit)
{
    struct scan_result result = {0};
    MDB_val key = {0};
    MDB_val value = {0};
    if (from != NULL) {
        key = val_of(*from);
    }
    MDB_cursor_op step = way == SCAN_BACKWARD ? MDB_PREV : MDB_NEXT;
    int err = mdb_cursor_get(reader->cursor, &key, &value, first_step(way, from != NULL));
    while (err == MDB_SUCCESS) {
        result.entries++;
        result.sum +=
            first_bytes(key.mv_data, key.mv_size) + first_bytes(value.mv_data, value.mv_size);
        if (result.entries == limit) {
            return result;
        }
        err = mdb_cursor_get(reader->cursor, &key, &value, step);
    }
    if (err != MDB_NOTFOUND) {
        expect_ok(err, "mdb_cursor_get");
    }
    return result;
}

const struct engine engine_lmdb = {
    .name = "LMDB",
    .option_name = "lmdb",
    .file_name = "data.mdb",
    .version = version,
    .open = open_store,
    .close = close_store,
    .sync = sync_store,
    .checkpoint = sync_store,
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
