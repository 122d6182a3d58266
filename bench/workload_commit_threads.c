/*
 * workload_commit_threads.c - eight threads that each commit one put at a time, durably.
 *
 * One writer runs at a time in both engines; what an engine can gain is to let several finished
 * commits share one sync. The bare append + fdatasync of one thread stands beside it: an engine
 * that lets eight share each sync may come to several times its rate.
 */
#include <pthread.h>

#include "bench.h"
#include "clock.h"
#include "commits.h"
#include "loaded.h"
#include "machine.h"
#include "stop.h"

enum { COMMIT_THREADS = 8 };

struct commit_thread {
    const struct engine *engine;
    struct store *store;
    struct overwrites overwrites; /* its own place in the common keys */
    double seconds;
    uint32_t commits_max;
    pthread_barrier_t *start;
    struct latencies latencies;
    uint64_t commits;
    uint64_t start_ns;
    uint64_t end_ns;
};

static void *run_commit_thread(void *argument)
{
    struct commit_thread *thread = argument;
    pthread_barrier_wait(thread->start);
    thread->start_ns = now_ns();
    struct commit_run run = commit_many(thread->engine, thread->store, &thread->overwrites, 1,
                                        thread->seconds, thread->commits_max, &thread->latencies);
    thread->end_ns = thread->start_ns + run.elapsed_ns;
    thread->commits = run.commits;
    return NULL;
}

static void start_all(struct commit_thread *threads, pthread_t *ids)
{
    for (unsigned i = 0; i < COMMIT_THREADS; i++) {
        if (pthread_create(&ids[i], NULL, run_commit_thread, &threads[i]) != 0) {
            stop_with("cannot start a thread");
        }
    }
}

/* Commits a second of all threads together, from the first start to the last end. */
static double join_all(struct commit_thread *threads, const pthread_t *ids,
                       struct latencies *latencies)
{
    uint64_t start_ns = UINT64_MAX;
    uint64_t end_ns = 0;
    uint64_t commits = 0;
    for (unsigned i = 0; i < COMMIT_THREADS; i++) {
        pthread_join(ids[i], NULL);
        start_ns = threads[i].start_ns < start_ns ? threads[i].start_ns : start_ns;
        end_ns = threads[i].end_ns > end_ns ? threads[i].end_ns : end_ns;
        commits += threads[i].commits;
        latencies_join(latencies, &threads[i].latencies);
        latencies_clear(&threads[i].latencies);
    }
    return (double)commits * 1e9 / (double)(end_ns > start_ns ? end_ns - start_ns : 1);
}

static void run_committer(struct bench *bench, const struct committer *committer,
                          const struct key_set *keys, struct row *row)
{
    struct overwrites overwrites = {keys, &bench->values, 0};
    struct store *store = committer_open(bench, committer, &overwrites);
    struct figure *figure = row_figure(row, committer->label, committer->baseline);
    struct commit_thread threads[COMMIT_THREADS];
    pthread_t ids[COMMIT_THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, COMMIT_THREADS);
    for (uint32_t i = 0; i < COMMIT_THREADS; i++) {
        threads[i] = (struct commit_thread){
            .engine = committer->engine,
            .store = store,
            .overwrites = {keys, &bench->values, keys->count / COMMIT_THREADS * i},
            .seconds = bench->options->seconds,
            .commits_max = bench->options->commits / COMMIT_THREADS + 1,
            .start = &start,
        };
    }
    start_all(threads, ids);
    figure_add(figure, join_all(threads, ids, &figure->latencies));
    pthread_barrier_destroy(&start);
    committer->engine->close(store);
}

void workload_commit_threads(struct bench *bench)
{
    struct key_set keys = keys_sample(&bench->keys, bench->keys.count, SEED_OVERWRITES);
    struct committers committers = {0};
    committers_add_verso(&committers, bench, "Verso", COMMIT_DURABLE);
    committers_add_lmdb(&committers, bench, "LMDB", COMMIT_DURABLE);
    committers_add_lmdb(&committers, bench, "LMDB WRITEMAP", COMMIT_DURABLE_WRITEMAP);
    struct row *row = row_open("commit-threads", "8 threads, single put, durable", "commits/s");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < committers.count; i++) {
            run_committer(bench, &committers.at[i], &keys, row);
        }
        if (bench->machine) {
            struct figure *figure = row_figure(row, "append + fdatasync, one thread", true);
            figure_add(figure, machine_append(bench->directory.text, true, bench->options->seconds,
                                              bench->options->commits, &figure->latencies));
        }
    }
    row_close(bench->report, row);
    keys_clear(&keys);
}
