/*
 * workload_copy.c - copies of a store while it is open, and increments.
 *
 * A copy is synced, and checked before it gets its name: both are in its time. Increments are of
 * the last 10 and of the last 1,000 commits.
 */
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "versions.h"

enum { MIB = 1 << 20 };

static void time_copy(verso_store *store, const char *path, const char *label,
                      verso_copy_options options, struct row *rates)
{
    verso_copy_report report = {.size = sizeof report};
    uint64_t start_ns = now_ns();
    expect_ok(verso_copy(store, path, &options, &report), "verso_copy");
    figure_add(row_figure(rates, label, false), rate_since(start_ns, report.bytes) / MIB);
    unlink(path);
}

static void time_increment(verso_store *store, const char *path, const char *label,
                           verso_root_id since, struct row *times, struct row *sizes)
{
    verso_copy_report report = {.size = sizeof report};
    uint64_t start_ns = now_ns();
    expect_ok(verso_copy_since(store, since, path, &report), "verso_copy_since");
    direct_add_us(times, label, false, start_ns, 1);
    figure_add(row_figure(sizes, label, false), (double)report.bytes);
    unlink(path);
}

void workload_copy(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    struct path path = bench_path(bench, "copy");
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    verso_copy_options newest = {.size = sizeof newest, .newest_only = true};
    verso_copy_options all = {.size = sizeof all};
    struct row *rates = row_open("copy", "copy, checked and synced", "MiB/s");
    struct row *times = row_open("copy", "increment, synced (less is better)", "us");
    struct row *sizes = row_open("copy", "length of the increment", "bytes");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        time_copy(store, path.text, "newest root", newest, rates);
        time_copy(store, path.text, "all 10,001 roots", all, rates);
        time_increment(store, path.text, "10 commits", versions.newest - 10, times, sizes);
        time_increment(store, path.text, "1,000 commits", versions.newest - 1000, times, sizes);
    }
    row_close(bench->report, rates);
    row_close(bench->report, times);
    row_close(bench->report, sizes);
    expect_ok(verso_close(store), "verso_close");
}
