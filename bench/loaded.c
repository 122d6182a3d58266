/*
 * loaded.c - load stores, keep them, open them warm.
 */
#include "loaded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "stop.h"

enum { APPEND_BATCH = 1000 };

/* A store that keeps all roots grows with every commit; beyond this it is loaded anew. */
#define LOADED_BYTES_MAX (UINT64_C(6) << 30)

void load_by_puts(const struct engine *engine, struct store *store, const struct key_set *keys,
                  const struct value_pool *values)
{
    struct writer *writer = engine->begin(store);
    for (uint32_t i = 0; i < keys->count; i++) {
        engine->put(writer, key_at(keys, i), value_at(values, i));
    }
    engine->commit(writer);
}

void load_by_appends(const struct engine *engine, struct store *store, const struct key_set *keys,
                     const struct value_pool *values)
{
    verso_entry entries[APPEND_BATCH];
    struct writer *writer = engine->begin(store);
    uint32_t i = 0;
    while (i < keys->count) {
        size_t count = 0;
        for (; count < APPEND_BATCH && i < keys->count; count++, i++) {
            entries[count].key = key_at(keys, i);
            entries[count].value = value_at(values, i);
        }
        engine->append(writer, entries, count);
    }
    engine->commit(writer);
}

static struct path path_of(const struct bench *bench, const struct engine *engine,
                           enum loaded_kind kind, uint64_t keep_last)
{
    const char *const kinds[] = {"random", "sorted", "commits"};
    char name[64];
    snprintf(name, sizeof name, "%s-%s-%" PRIu64, engine->option_name, kinds[kind], keep_last);
    return bench_path(bench, name);
}

static void load(struct bench *bench, const struct engine *engine, const char *directory,
                 enum loaded_kind kind, uint64_t keep_last)
{
    struct store_settings settings = bench_settings(bench, COMMIT_DURABLE, keep_last);
    bench_progress("loading a store for %s", engine->name);
    directory_make(directory);
    struct store *store = engine->open(directory, &settings);
    if (kind == LOADED_SORTED) {
        load_by_appends(engine, store, bench_ascending(bench), &bench->values);
    } else {
        load_by_puts(engine, store, &bench->keys, &bench->values);
    }
    engine->close(store);
}

struct path loaded_directory(struct bench *bench, const struct engine *engine,
                             enum loaded_kind kind, uint64_t keep_last)
{
    struct path path = path_of(bench, engine, kind, keep_last);
    if (directory_exists(path.text) && kind == LOADED_COMMITS &&
        directory_footprint(path.text, engine->file_name).file_bytes > LOADED_BYTES_MAX) {
        directory_remove(path.text);
    }
    if (!directory_exists(path.text)) {
        load(bench, engine, path.text, kind, keep_last);
    }
    return path;
}

struct scan_result read_all(const struct engine *engine, struct store *store)
{
    struct reader *reader = engine->reader_open(store, 0);
    struct scan_result result = engine->scan(reader, SCAN_FORWARD, NULL, UINT64_MAX);
    engine->reader_close(reader);
    return result;
}

struct store *loaded_open(struct bench *bench, const struct engine *engine, enum loaded_kind kind,
                          enum commit_mode mode, uint64_t keep_last)
{
    struct path path = loaded_directory(bench, engine, kind, keep_last);
    struct store_settings settings = bench_settings(bench, mode, keep_last);
    struct store *store = engine->open(path.text, &settings);
    struct scan_result all = read_all(engine, store);
    if (all.entries != bench->keys.count) {
        stop_with("%s: a scan found %" PRIu64 " of %" PRIu32 " keys", engine->name, all.entries,
                  bench->keys.count);
    }
    return store;
}

struct read_sides read_sides_open(struct bench *bench, enum loaded_kind kind)
{
    struct read_sides sides = {.count = bench->engine_count};
    uint64_t sum = 0;
    for (unsigned i = 0; i < sides.count; i++) {
        struct read_side *side = &sides.at[i];
        side->engine = bench->engines[i];
        side->store =
            loaded_open(bench, side->engine, kind, COMMIT_DURABLE, bench->options->keep_last);
        side->reader = side->engine->reader_open(side->store, 0);
        struct scan_result all = side->engine->scan(side->reader, SCAN_FORWARD, NULL, UINT64_MAX);
        if (i > 0 && all.sum != sum) {
            stop_with("%s and %s hold different entries", side->engine->name,
                      sides.at[0].engine->name);
        }
        sum = all.sum;
    }
    return sides;
}

void read_sides_close(struct read_sides *sides)
{
    for (unsigned i = 0; i < sides->count; i++) {
        sides->at[i].engine->reader_close(sides->at[i].reader);
        sides->at[i].engine->close(sides->at[i].store);
    }
    sides->count = 0;
}

bool is_baseline(const struct engine *engine)
{
    return engine != &engine_verso;
}
