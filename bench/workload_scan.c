/*
 * workload_scan.c - full scans and scans of 100 entries, both ways, everything warm.
 *
 * Each entry costs one cursor step; the first eight bytes of its key and of its value are read.
 * Verso's batch call, which hands out many entries at once, has a line of its own.
 */
#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "loaded.h"
#include "stop.h"

enum { RANGE_ENTRIES = 100, READS_A_RANGE = 50, FULL_SCAN_ENTRIES = 3000000 };

/* One engine going one way. */
struct scanner {
    char label[LABEL_SIZE];
    const struct read_side *side;
    enum scan_way way;
};

enum { SCANNERS_MAX = ENGINES_MAX * 2 };

static unsigned line_up(const struct read_sides *sides, bool backward,
                        struct scanner scanners[static SCANNERS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < sides->count; i++) {
        const struct read_side *side = &sides->at[i];
        struct scanner *scanner = &scanners[count++];
        *scanner = (struct scanner){.side = side, .way = backward ? SCAN_BACKWARD : SCAN_FORWARD};
        snprintf(scanner->label, sizeof scanner->label, "%s", side->engine->name);
        if (side->engine == &engine_verso && !backward) {
            scanners[count] = (struct scanner){.side = side, .way = SCAN_FORWARD_BATCH};
            snprintf(scanners[count].label, LABEL_SIZE, "%s, cursor_batch", side->engine->name);
            count++;
        }
    }
    return count;
}

static void expect_same(const struct scanner *scanner, struct scan_result result,
                        struct scan_result *first)
{
    if (first->entries != 0 && (first->entries != result.entries || first->sum != result.sum)) {
        stop_with("%s saw other entries than the scan before it", scanner->label);
    }
    *first = result;
}

/* ---- full scans --------------------------------------------------------------------------- */

static struct scan_result scan_fully(const struct scanner *scanner, unsigned passes)
{
    struct scan_result total = {0};
    for (unsigned i = 0; i < passes; i++) {
        struct scan_result result =
            scanner->side->engine->scan(scanner->side->reader, scanner->way, NULL, UINT64_MAX);
        total.entries += result.entries;
        total.sum += result.sum;
    }
    return total;
}

static void run_full_scans(struct bench *bench, const struct read_sides *sides, bool backward,
                           const char *title)
{
    struct scanner scanners[SCANNERS_MAX];
    unsigned count = line_up(sides, backward, scanners);
    unsigned passes = FULL_SCAN_ENTRIES / bench->keys.count + 1;
    struct row *row = row_open("scan", title, "entries/s");
    struct scan_result first = {0};
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < count; i++) {
            uint64_t start_ns = now_ns();
            struct scan_result result = scan_fully(&scanners[i], passes);
            figure_add(row_figure(row, scanners[i].label, is_baseline(scanners[i].side->engine)),
                       rate_since(start_ns, result.entries));
            expect_same(&scanners[i], result, &first);
        }
    }
    row_close(bench->report, row);
}

void workload_scan(struct bench *bench)
{
    struct read_sides random = read_sides_open(bench, LOADED_RANDOM);
    run_full_scans(bench, &random, false, "full scan forward, after random load");
    run_full_scans(bench, &random, true, "full scan backward, after random load");
    read_sides_close(&random);
    struct read_sides sorted = read_sides_open(bench, LOADED_SORTED);
    run_full_scans(bench, &sorted, false, "full scan forward, after sorted load");
    run_full_scans(bench, &sorted, true, "full scan backward, after sorted load");
    read_sides_close(&sorted);
}

/* ---- ranges ------------------------------------------------------------------------------- */

static struct scan_result scan_ranges(const struct scanner *scanner, const struct key_set *starts,
                                      struct latencies *latencies)
{
    const struct engine *engine = scanner->side->engine;
    struct scan_result total = {0};
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < starts->count; i++) {
        verso_slice from = key_at(starts, i);
        struct scan_result result =
            engine->scan(scanner->side->reader, scanner->way, &from, RANGE_ENTRIES);
        total.entries += result.entries;
        total.sum += result.sum;
        uint64_t end_ns = now_ns();
        latencies_add(latencies, end_ns - start_ns);
        start_ns = end_ns;
    }
    return total;
}

static void run_ranges(struct bench *bench, const struct read_sides *sides, bool backward,
                       const struct key_set *starts, const char *title)
{
    struct scanner scanners[SCANNERS_MAX];
    unsigned count = line_up(sides, backward, scanners);
    struct row *row = row_open("range", title, "entries/s");
    struct scan_result first = {0};
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < count; i++) {
            struct figure *figure =
                row_figure(row, scanners[i].label, is_baseline(scanners[i].side->engine));
            latencies_reserve(&figure->latencies, starts->count);
            uint64_t start_ns = now_ns();
            struct scan_result result = scan_ranges(&scanners[i], starts, &figure->latencies);
            figure_add(figure, rate_since(start_ns, result.entries));
            expect_same(&scanners[i], result, &first);
        }
    }
    row_close(bench->report, row);
}

void workload_range(struct bench *bench)
{
    uint32_t count = bench->options->reads / READS_A_RANGE;
    struct key_set starts = keys_sample(&bench->keys, count, SEED_RANGES);
    struct read_sides sides = read_sides_open(bench, LOADED_RANDOM);
    run_ranges(bench, &sides, false, &starts, "100 entries forward (percentiles: of 100)");
    run_ranges(bench, &sides, true, &starts, "100 entries backward (percentiles: of 100)");
    read_sides_close(&sides);
    keys_clear(&starts);
}
