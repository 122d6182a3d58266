/*
 * workload_commit_beside.c - how long a commit takes while another thread keeps the store busy.
 *
 * A checkpoint or a reader must not hold up who commits; the percentiles tell whether it does. The
 * other thread begins its work anew as soon as it is done: checkpoints (LMDB has none; it syncs), or
 * scans of the newest root. Only the commits are timed.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bench.h"
#include "commits.h"
#include "loaded.h"
#include "stop.h"

/* What the other thread does, again and again. */
struct company {
    const char *label;
    void (*do_once)(const struct engine *engine, struct store *store);
};

static void write_checkpoint(const struct engine *engine, struct store *store)
{
    engine->checkpoint(store);
}

static void scan_newest(const struct engine *engine, struct store *store)
{
    struct reader *reader = engine->reader_open(store, 0);
    (void)engine->scan(reader, SCAN_FORWARD, NULL, UINT64_MAX);
    engine->reader_close(reader);
}

static const struct company companies[] = {
    {"alone", NULL},
    {"checkpoints", write_checkpoint},
    {"scans", scan_newest},
};

enum { COMPANIES = sizeof companies / sizeof companies[0] };

struct companion {
    const struct company *company;
    const struct engine *engine;
    struct store *store;
    atomic_bool stop;
    pthread_t thread;
};

static void *keep_busy(void *argument)
{
    struct companion *companion = argument;
    while (!atomic_load_explicit(&companion->stop, memory_order_relaxed)) {
        companion->company->do_once(companion->engine, companion->store);
    }
    return NULL;
}

static void start(struct companion *companion)
{
    atomic_init(&companion->stop, false);
    if (companion->company->do_once != NULL &&
        pthread_create(&companion->thread, NULL, keep_busy, companion) != 0) {
        stop_with("cannot start a thread");
    }
}

static void stop(struct companion *companion)
{
    atomic_store_explicit(&companion->stop, true, memory_order_relaxed);
    if (companion->company->do_once != NULL) {
        pthread_join(companion->thread, NULL);
    }
}

static void run_committer(struct bench *bench, const struct committer *committer,
                          const struct company *company, struct overwrites *overwrites,
                          struct row *row)
{
    char label[2 * LABEL_SIZE];
    snprintf(label, sizeof label, "%s, %s", committer->label, company->label);
    struct figure *figure = row_figure(row, label, company->do_once == NULL);
    struct companion companion = {.company = company,
                                  .engine = committer->engine,
                                  .store = committer_open(bench, committer, overwrites)};
    start(&companion);
    struct commit_run run =
        commit_many(committer->engine, companion.store, overwrites, 1, bench->options->seconds,
                    bench->options->commits, &figure->latencies);
    stop(&companion);
    figure_add(figure, (double)run.commits * 1e9 / (double)run.elapsed_ns);
    committer->engine->close(companion.store);
}

static void run_row(struct bench *bench, const struct committers *committers,
                    struct overwrites *overwrites, const char *title)
{
    struct row *row = row_open("commit-beside", title, "commits/s");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < committers->count; i++) {
            for (unsigned j = 0; j < COMPANIES; j++) {
                run_committer(bench, &committers->at[i], &companies[j], overwrites, row);
            }
        }
    }
    row_close(bench->report, row);
}

void workload_commit_beside(struct bench *bench)
{
    struct key_set keys = keys_sample(&bench->keys, bench->keys.count, SEED_OVERWRITES);
    struct overwrites overwrites = {&keys, &bench->values, 0};
    struct committers durable = {0};
    committers_add_verso_keeping(&durable, bench, "Verso", COMMIT_DURABLE, KEEP_DEFAULT);
    committers_add_lmdb(&durable, bench, "LMDB", COMMIT_DURABLE);
    run_row(bench, &durable, &overwrites, "single put, durable, beside another thread");

    struct committers others = {0};
    committers_add_verso_keeping(&others, bench, "Verso interval", COMMIT_INTERVAL, KEEP_DEFAULT);
    committers_add_lmdb(&others, bench, "LMDB NOSYNC", COMMIT_NOSYNC);
    run_row(bench, &others, &overwrites, "single put, not durable, beside another thread");
    keys_clear(&keys);
}
