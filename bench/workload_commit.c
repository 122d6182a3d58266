/*
 * workload_commit.c - small commits from one thread, durable and not.
 *
 * Verso's log takes the commits at once and its pages reach the store file later: how much a
 * durable commit has written is therefore shown without and with the closing of the store, and the
 * truth of a long run, where one checkpoint serves many commits, lies between. A commit that does
 * not wait for the disk leaves work behind; a second row counts the sync that brings it there,
 * timed after the last commit of the run.
 */
#include "bench.h"
#include "clock.h"
#include "commits.h"
#include "loaded.h"
#include "machine.h"

enum { LARGE_COMMIT_PUTS = 1000, SAMPLE_KEYS_MAX = 1000000 };

/* What one commit workload measures. */
struct plan {
    const struct committers *committers;
    struct overwrites *overwrites;
    uint32_t puts;       /* a commit */
    const char *machine; /* label of the bare system calls; NULL for none */
    bool machine_with_sync;
    struct row *rates;
    struct row *with_sync;      /* each further row may be NULL */
    struct row *written;        /* bytes the device wrote a put, up to the last commit */
    struct row *written_closed; /* the same with what closing the store writes */
};

static double per_second(uint64_t count, uint64_t elapsed_ns)
{
    return (double)count * 1e9 / (double)elapsed_ns;
}

static void add_to(struct row *row, const struct committer *committer, double value)
{
    if (row != NULL) {
        figure_add(row_figure(row, committer->label, committer->baseline), value);
    }
}

/* What the device has written since `before`, a put; nothing where the system does not tell. */
static void add_written(struct row *row, const struct bench *bench,
                        const struct committer *committer, uint64_t before, uint64_t puts)
{
    uint64_t now = before;
    if (machine_written_bytes(bench->directory.text, &now)) {
        add_to(row, committer, (double)(now - before) / (double)puts);
    }
}

static void run_committer(struct bench *bench, const struct plan *plan,
                          const struct committer *committer)
{
    const struct engine *engine = committer->engine;
    struct store *store = committer_open(bench, committer, plan->overwrites);
    struct figure *figure = row_figure(plan->rates, committer->label, committer->baseline);
    uint64_t written_before = 0;
    (void)machine_written_bytes(bench->directory.text, &written_before);
    struct commit_run run =
        commit_many(engine, store, plan->overwrites, plan->puts, bench->options->seconds,
                    bench->options->commits, &figure->latencies);
    uint64_t puts = run.commits * plan->puts;
    figure_add(figure, per_second(puts, run.elapsed_ns));

    uint64_t start_ns = now_ns();
    engine->sync(store);
    add_to(plan->with_sync, committer, per_second(puts, run.elapsed_ns + now_ns() - start_ns));
    add_written(plan->written, bench, committer, written_before, puts);
    engine->close(store);
    add_written(plan->written_closed, bench, committer, written_before, puts);
}

static void run_plan(struct bench *bench, const struct plan *plan)
{
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < plan->committers->count; i++) {
            run_committer(bench, plan, &plan->committers->at[i]);
        }
        if (plan->machine != NULL && bench->machine) {
            struct figure *figure = row_figure(plan->rates, plan->machine, true);
            figure_add(figure, machine_append(bench->directory.text, plan->machine_with_sync,
                                              bench->options->seconds, bench->options->commits,
                                              &figure->latencies));
        }
    }
    struct row *const rows[] = {plan->rates, plan->with_sync, plan->written, plan->written_closed};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i] != NULL) {
            row_close(bench->report, rows[i]);
        }
    }
}

static struct key_set overwritten_keys(const struct bench *bench)
{
    uint32_t count = bench->keys.count < SAMPLE_KEYS_MAX ? bench->keys.count : SAMPLE_KEYS_MAX;
    return keys_sample(&bench->keys, count, SEED_OVERWRITES);
}

static struct committers durable_committers(const struct bench *bench)
{
    struct committers committers = {0};
    committers_add_verso(&committers, bench, "Verso", COMMIT_DURABLE);
    committers_add_lmdb(&committers, bench, "LMDB", COMMIT_DURABLE);
    committers_add_lmdb(&committers, bench, "LMDB WRITEMAP", COMMIT_DURABLE_WRITEMAP);
    return committers;
}

void workload_commit_durable(struct bench *bench)
{
    struct key_set keys = overwritten_keys(bench);
    struct overwrites overwrites = {&keys, &bench->values, 0};
    struct committers committers = durable_committers(bench);
    struct plan plan = {
        .committers = &committers,
        .overwrites = &overwrites,
        .puts = 1,
        .machine = "append + fdatasync",
        .machine_with_sync = true,
        .rates = row_open("commit-durable", "single put, durable", "commits/s"),
        .written =
            row_open("commit-durable", "device bytes a commit (less is better)", "bytes/commit"),
        .written_closed = row_open("commit-durable", "the same, closing counted (less is better)",
                                   "bytes/commit"),
    };
    run_plan(bench, &plan);
    keys_clear(&keys);
}

void workload_commit_async(struct bench *bench)
{
    struct key_set keys = overwritten_keys(bench);
    struct overwrites overwrites = {&keys, &bench->values, 0};
    struct committers committers = {0};
    committers_add_verso(&committers, bench, "Verso interval", COMMIT_INTERVAL);
    committers_add_lmdb(&committers, bench, "LMDB NOSYNC", COMMIT_NOSYNC);
    committers_add_verso(&committers, bench, "Verso asynchronous", COMMIT_ASYNCHRONOUS);
    committers_add_lmdb(&committers, bench, "LMDB NOSYNC WRITEMAP", COMMIT_NOSYNC_WRITEMAP);
    committers_add_verso(&committers, bench, "Verso written", COMMIT_WRITTEN);
    struct plan plan = {
        .committers = &committers,
        .overwrites = &overwrites,
        .puts = 1,
        .machine = "append, no sync",
        .machine_with_sync = false,
        .rates = row_open("commit-async", "single put, not durable", "commits/s"),
        .with_sync =
            row_open("commit-async", "single put, not durable, final sync counted", "commits/s"),
    };
    run_plan(bench, &plan);
    keys_clear(&keys);
}

void workload_commit_1000(struct bench *bench)
{
    struct key_set keys = overwritten_keys(bench);
    struct overwrites overwrites = {&keys, &bench->values, 0};
    struct committers durable = durable_committers(bench);
    struct plan plan = {
        .committers = &durable,
        .overwrites = &overwrites,
        .puts = LARGE_COMMIT_PUTS,
        .rates = row_open("commit-1000", "1,000 puts a commit, durable", "puts/s"),
    };
    run_plan(bench, &plan);

    struct committers others = {0};
    committers_add_verso(&others, bench, "Verso interval", COMMIT_INTERVAL);
    committers_add_lmdb(&others, bench, "LMDB NOSYNC", COMMIT_NOSYNC);
    committers_add_lmdb(&others, bench, "LMDB NOSYNC WRITEMAP", COMMIT_NOSYNC_WRITEMAP);
    plan.committers = &others;
    plan.rates = row_open("commit-1000", "1,000 puts a commit, not durable", "puts/s");
    plan.with_sync =
        row_open("commit-1000", "1,000 puts a commit, not durable, sync counted", "puts/s");
    run_plan(bench, &plan);
    keys_clear(&keys);
}
