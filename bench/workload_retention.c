/*
 * workload_retention.c - what the policies cost: rates, bytes written to the device, space held.
 *
 * Each run has a store of its own, freshly loaded, and a fixed number of commits of one put, so
 * that what is written at checkpoints and at the end counts in proportion. The device's own count
 * is taken over the commits and the closing of the store.
 */
#include "clock.h"
#include "commits.h"
#include "direct.h"
#include "loaded.h"
#include "machine.h"

enum { INTERVAL_COMMITS = 100000, DURABLE_COMMITS = 20000, MIB = 1 << 20, LIMIT_S = 3600 };

struct retention_rows {
    uint32_t commits;
    struct row *rates;
    struct row *written; /* by the device, a commit */
    struct row *history; /* held at the end */
};

static uint64_t history_bytes(const struct bench *bench, const char *directory, uint64_t keep_last)
{
    verso_store *store = direct_open(bench, directory, keep_last);
    verso_space_report space = {.size = sizeof space};
    expect_ok(verso_space(store, &space), "verso_space");
    expect_ok(verso_close(store), "verso_close");
    return space.history_bytes;
}

static void run_policy(struct bench *bench, const struct committer *committer,
                       const struct key_set *keys, const struct retention_rows *rows)
{
    const struct engine *engine = committer->engine;
    struct path directory = bench_path(bench, "retention");
    struct store_settings settings = bench_settings(bench, committer->mode, committer->keep_last);
    directory_make(directory.text);
    struct store *store = engine->open(directory.text, &settings);
    load_by_puts(engine, store, &bench->keys, &bench->values);
    engine->checkpoint(store);
    (void)read_all(engine, store);

    struct overwrites overwrites = {keys, &bench->values, 0};
    struct figure *rate = row_figure(rows->rates, committer->label, committer->keep_last == 1);
    uint64_t before = 0;
    uint64_t after = 0;
    bool counted = machine_written_bytes(bench->directory.text, &before);
    struct commit_run run =
        commit_many(engine, store, &overwrites, 1, LIMIT_S, rows->commits, &rate->latencies);
    engine->close(store);
    figure_add(rate, (double)run.commits * 1e9 / (double)run.elapsed_ns);
    if (counted && machine_written_bytes(bench->directory.text, &after)) {
        figure_add(row_figure(rows->written, committer->label, committer->keep_last == 1),
                   (double)(after - before) / (double)run.commits);
    }
    uint64_t held = history_bytes(bench, directory.text, committer->keep_last);
    figure_add(row_figure(rows->history, committer->label, false), (double)held / MIB);
    directory_remove(directory.text);
}

static void run_mode(struct bench *bench, const char *label, enum commit_mode mode,
                     struct retention_rows rows)
{
    struct committers committers = {0};
    committers_add_verso(&committers, bench, label, mode);
    struct key_set keys = keys_sample(&bench->keys, rows.commits, SEED_OVERWRITES);
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < committers.count; i++) {
            run_policy(bench, &committers.at[i], &keys, &rows);
        }
    }
    row_close(bench->report, rows.rates);
    row_close(bench->report, rows.written);
    row_close(bench->report, rows.history);
    keys_clear(&keys);
}

void workload_retention(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    run_mode(bench, "interval", COMMIT_INTERVAL,
             (struct retention_rows){
                 INTERVAL_COMMITS,
                 row_open("retention", "100,000 puts, one a commit, not durable", "commits/s"),
                 row_open("retention", "device bytes a commit, closed (less is better)", "bytes"),
                 row_open("retention", "history at the end", "MiB"),
             });
    run_mode(bench, "durable", COMMIT_DURABLE,
             (struct retention_rows){
                 DURABLE_COMMITS,
                 row_open("retention", "20,000 puts, one a commit, durable", "commits/s"),
                 row_open("retention", "device bytes a commit, closed (less is better)", "bytes"),
                 row_open("retention", "history at the end", "MiB"),
             });
}
