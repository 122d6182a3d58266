/*
 * workload_count.c - counts, ranks and n-th entries, against counting by a scan.
 *
 * The ranges begin and end at random keys, so a scan of one passes over a third of the keys on
 * average.
 */
#include <stdlib.h>

#include "clock.h"
#include "random.h"
#include "stop.h"
#include "versions.h"

enum { CALLS = 20000, SCANS = 5, BATCH = 128 };

static verso_range range_between(verso_slice one, verso_slice other)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    bool ascending = memcmp(one.data, other.data, one.size) <= 0;
    range.from = ascending ? one : other;
    range.to = ascending ? other : one;
    return range;
}

static uint64_t count_by_scan(verso_view *view, const verso_range *range)
{
    verso_cursor *cursor = NULL;
    verso_entry entries[BATCH];
    uint64_t total = 0;
    size_t count = BATCH;
    expect_ok(verso_cursor_open(view, range, &cursor), "verso_cursor_open");
    while (count == BATCH) {
        verso_err err = verso_cursor_batch(cursor, entries, BATCH, &count);
        if (err != VERSO_NOT_FOUND) {
            expect_ok(err, "verso_cursor_batch");
        }
        total += count;
    }
    verso_cursor_close(cursor);
    return total;
}

static void time_ranges(verso_view *view, const struct key_set *keys, struct row *row)
{
    uint64_t counted = 0;
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        verso_range range = range_between(key_at(keys, i), key_at(keys, i + 1));
        expect_ok(verso_count(view, &range, &counted), "verso_count");
    }
    direct_add_us(row, "count of a range", false, start_ns, CALLS);

    start_ns = now_ns();
    for (uint32_t i = 0; i < SCANS; i++) {
        verso_range range = range_between(key_at(keys, i), key_at(keys, i + 1));
        uint64_t scanned = count_by_scan(view, &range);
        expect_ok(verso_count(view, &range, &counted), "verso_count");
        if (scanned != counted) {
            stop_with("a scan and a count disagree");
        }
    }
    direct_add_us(row, "scan of a range", true, start_ns, SCANS);
}

static void time_places(verso_view *view, const struct bench *bench, const struct key_set *keys,
                        struct row *row)
{
    struct random random = {SEED_RANGES};
    verso_entry entry;
    uint64_t rank = 0;
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        expect_ok(verso_rank(view, key_at(keys, i), &rank), "verso_rank");
    }
    direct_add_us(row, "rank of a key", false, start_ns, CALLS);

    start_ns = now_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        expect_ok(verso_nth(view, random_below(&random, bench->keys.count), &entry), "verso_nth");
    }
    direct_add_us(row, "n-th entry", false, start_ns, CALLS);

    start_ns = now_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        expect_ok(verso_random(view, NULL, random_next(&random), &entry), "verso_random");
    }
    direct_add_us(row, "random entry", false, start_ns, CALLS);
}

void workload_count(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    verso_view *view = direct_view(store, versions.old);
    struct key_set keys = keys_sample(&bench->keys, CALLS + 1, SEED_HITS);
    struct row *row = row_open("count", "by the counts in branches (less is better)", "us");
    (void)direct_read_all(view);
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        time_ranges(view, &keys, row);
        time_places(view, bench, &keys, row);
    }
    row_close(bench->report, row);
    keys_clear(&keys);
    verso_view_close(view);
    expect_ok(verso_close(store), "verso_close");
}
