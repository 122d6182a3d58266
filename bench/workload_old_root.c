/*
 * workload_old_root.c - reads of a root 10,000 commits back, against reads of the newest.
 *
 * Only engines that open old roots by their id take part. The store keeps all roots, whatever
 * --keep-last says; it is closed and opened again before anything is timed.
 */
#include "bench.h"
#include "clock.h"
#include "commits.h"
#include "loaded.h"
#include "stop.h"

enum { ROOTS_BACK = 10000, SCANS = 3 };

/* One root under test. */
struct side {
    const char *label;
    struct reader *reader;
    bool baseline;
};

/* Load, then commit single puts; returns the root's id after the load. */
static uint64_t make_history(struct bench *bench, const struct engine *engine,
                             const char *directory)
{
    struct store_settings settings = bench_settings(bench, COMMIT_INTERVAL, 0);
    directory_make(directory);
    struct store *store = engine->open(directory, &settings);
    load_by_puts(engine, store, &bench->keys, &bench->values);
    struct writer *writer = engine->begin(store);
    engine->put(writer, key_at(&bench->keys, 0), value_at(&bench->values, 0));
    uint64_t root = engine->commit(writer);
    struct key_set keys = keys_sample(&bench->keys, ROOTS_BACK, SEED_OVERWRITES);
    struct overwrites overwrites = {&keys, &bench->values, 0};
    for (unsigned i = 0; i < ROOTS_BACK; i++) {
        commit_once(engine, store, &overwrites, 1);
    }
    engine->close(store);
    keys_clear(&keys);
    return root;
}

static void time_gets(const struct engine *engine, const struct side *side,
                      const struct key_set *keys, struct row *row)
{
    verso_slice value = {NULL, 0};
    uint64_t sum = 0;
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < keys->count; i++) {
        if (!engine->get(side->reader, key_at(keys, i), &value)) {
            stop_with("%s: the root misses a key", side->label);
        }
        sum += first_bytes(value.data, value.size);
    }
    figure_add(row_figure(row, side->label, side->baseline), rate_since(start_ns, keys->count));
    volatile uint64_t sink = sum; /* or the reads might be left out */
    (void)sink;
}

static void time_scans(const struct bench *bench, const struct engine *engine,
                       const struct side *side, struct row *row)
{
    uint64_t entries = 0;
    uint64_t start_ns = now_ns();
    for (unsigned i = 0; i < SCANS; i++) {
        entries += engine->scan(side->reader, SCAN_FORWARD, NULL, UINT64_MAX).entries;
    }
    figure_add(row_figure(row, side->label, side->baseline), rate_since(start_ns, entries));
    if (entries != (uint64_t)bench->keys.count * SCANS) {
        stop_with("%s: a scan missed keys", side->label);
    }
}

static void run_rounds(struct bench *bench, const struct engine *engine, const struct side *sides)
{
    struct key_set hits = keys_sample(&bench->keys, bench->options->reads, SEED_HITS);
    struct row *gets = row_open("old-root", "random get, old root against newest", "gets/s");
    struct row *scans = row_open("old-root", "full scan, old root against newest", "entries/s");
    for (unsigned i = 0; i < 2; i++) { /* warm: no page of either is read for the first time */
        (void)engine->scan(sides[i].reader, SCAN_FORWARD, NULL, UINT64_MAX);
    }
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < 2; i++) {
            time_gets(engine, &sides[i], &hits, gets);
            time_scans(bench, engine, &sides[i], scans);
        }
    }
    row_close(bench->report, gets);
    row_close(bench->report, scans);
    keys_clear(&hits);
}

static void run_engine(struct bench *bench, const struct engine *engine)
{
    struct path directory = bench_path(bench, "history");
    uint64_t root = make_history(bench, engine, directory.text);
    struct store_settings settings = bench_settings(bench, COMMIT_DURABLE, 0);
    struct store *store = engine->open(directory.text, &settings);
    struct side sides[2] = {
        {"Verso, 10,000 commits back", engine->reader_open(store, root), false},
        {"Verso, newest", engine->reader_open(store, 0), true},
    };
    run_rounds(bench, engine, sides);
    engine->reader_close(sides[0].reader);
    engine->reader_close(sides[1].reader);
    engine->close(store);
    directory_remove(directory.text);
}

void workload_old_root(struct bench *bench)
{
    for (unsigned i = 0; i < bench->engine_count; i++) {
        if (bench->engines[i]->opens_old_roots) {
            run_engine(bench, bench->engines[i]);
        }
    }
}
