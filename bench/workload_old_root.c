/*
 * workload_old_root.c - reads of a root 10,000 commits back, against reads of the newest.
 *
 * Verso only. The store keeps all roots, whatever --keep-last says; it is closed and opened again
 * before anything is timed.
 */
#include "clock.h"
#include "stop.h"
#include "versions.h"

enum { SCANS = 3, RANGE_ENTRIES = 100 };

/* One root under test. */
struct side {
    const char *label;
    struct reader *reader;
    bool baseline;
};

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

static void time_ranges(const struct engine *engine, const struct side *side,
                        const struct key_set *keys, struct row *row)
{
    uint64_t entries = 0;
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < keys->count; i++) {
        verso_slice from = key_at(keys, i);
        entries += engine->scan(side->reader, SCAN_FORWARD, &from, RANGE_ENTRIES).entries;
    }
    figure_add(row_figure(row, side->label, side->baseline), rate_since(start_ns, entries));
}

static void run_rounds(struct bench *bench, const struct engine *engine, const struct side *sides)
{
    struct key_set hits = keys_sample(&bench->keys, bench->options->reads, SEED_HITS);
    struct key_set starts =
        keys_sample(&bench->keys, bench->options->reads / RANGE_ENTRIES, SEED_RANGES);
    struct row *gets = row_open("old-root", "random get, old root against newest", "gets/s");
    struct row *scans = row_open("old-root", "full scan, old root against newest", "entries/s");
    struct row *ranges = row_open("old-root", "100 entries, old root against newest", "entries/s");
    for (unsigned i = 0; i < 2; i++) { /* warm: no page of either is read for the first time */
        (void)engine->scan(sides[i].reader, SCAN_FORWARD, NULL, UINT64_MAX);
    }
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < 2; i++) {
            time_gets(engine, &sides[i], &hits, gets);
            time_scans(bench, engine, &sides[i], scans);
            time_ranges(engine, &sides[i], &starts, ranges);
        }
    }
    row_close(bench->report, gets);
    row_close(bench->report, scans);
    row_close(bench->report, ranges);
    keys_clear(&hits);
    keys_clear(&starts);
}

void workload_old_root(struct bench *bench)
{
    const struct engine *engine = bench_engine(bench, "verso");
    if (engine == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    struct store_settings settings = bench_settings(bench, COMMIT_DURABLE, KEEP_ALL);
    struct store *store = engine->open(versions.directory.text, &settings);
    struct side sides[2] = {
        {"Verso, 10,000 commits back", engine->reader_open(store, versions.old), false},
        {"Verso, newest", engine->reader_open(store, 0), true},
    };
    run_rounds(bench, engine, sides);
    engine->reader_close(sides[0].reader);
    engine->reader_close(sides[1].reader);
    engine->close(store);
}
