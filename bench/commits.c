/*
 * commits.c - line up the contestants of a commit workload, and let one of them run.
 */
#include "commits.h"

#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "loaded.h"
#include "stop.h"

/* Untimed commits at the start of a run: LMDB's list of free pages and Verso's log files come into
 * being with the first ones, and neither belongs to the steady rate. */
enum { FIRST_COMMITS = 100 };

static struct committer *add(struct committers *committers)
{
    if (committers->count == COMMITTERS_MAX) {
        stop_with("too many contestants in one workload");
    }
    return &committers->at[committers->count++];
}

static void add_verso(struct committers *committers, const struct engine *engine, const char *label,
                      enum commit_mode mode, uint64_t keep_last)
{
    struct committer *committer = add(committers);
    *committer = (struct committer){.engine = engine, .mode = mode, .keep_last = keep_last};
    if (keep_last == KEEP_ALL) {
        snprintf(committer->label, sizeof committer->label, "%s, keep all", label);
    } else if (keep_last == KEEP_DEFAULT) {
        snprintf(committer->label, sizeof committer->label, "%s, default", label);
    } else {
        snprintf(committer->label, sizeof committer->label, "%s, keep %" PRIu64, label, keep_last);
    }
}

void committers_add_verso_keeping(struct committers *committers, const struct bench *bench,
                                  const char *label, enum commit_mode mode, uint64_t keep_last)
{
    const struct engine *engine = bench_engine(bench, "verso");
    if (engine != NULL) {
        bool given = bench->options->keep_last_given;
        add_verso(committers, engine, label, mode, given ? bench->options->keep_last : keep_last);
    }
}

void committers_add_verso(struct committers *committers, const struct bench *bench,
                          const char *label, enum commit_mode mode)
{
    committers_add_verso_keeping(committers, bench, label, mode, 1);
    if (!bench->options->keep_last_given) {
        committers_add_verso_keeping(committers, bench, label, mode, KEEP_DEFAULT);
        committers_add_verso_keeping(committers, bench, label, mode, KEEP_ALL);
    }
}

void committers_add_lmdb(struct committers *committers, const struct bench *bench,
                         const char *label, enum commit_mode mode)
{
    const struct engine *engine = bench_engine(bench, "lmdb");
    if (engine == NULL) {
        return;
    }
    struct committer *committer = add(committers);
    *committer = (struct committer){.engine = engine, .mode = mode, .baseline = true};
    snprintf(committer->label, sizeof committer->label, "%s", label);
}

void commit_once(const struct engine *engine, struct store *store, struct overwrites *overwrites,
                 uint32_t puts)
{
    struct writer *writer = engine->begin(store);
    for (uint32_t i = 0; i < puts; i++) {
        uint32_t position = overwrites->position;
        engine->put(writer, key_at(overwrites->keys, position),
                    value_at(overwrites->values, position * UINT64_C(7) + 1));
        overwrites->position = position + 1 < overwrites->keys->count ? position + 1 : 0;
    }
    engine->commit(writer);
}

struct store *committer_open(struct bench *bench, const struct committer *committer,
                             struct overwrites *overwrites)
{
    bench_progress("%s", committer->label);
    struct store *store = loaded_open(bench, committer->engine, LOADED_COMMITS, committer->mode,
                                      committer->keep_last);
    for (unsigned i = 0; i < FIRST_COMMITS; i++) {
        commit_once(committer->engine, store, overwrites, 1);
    }
    committer->engine->sync(store);
    return store;
}

struct commit_run commit_many(const struct engine *engine, struct store *store,
                              struct overwrites *overwrites, uint32_t puts, double seconds,
                              uint32_t commits_max, struct latencies *latencies)
{
    struct commit_run run = {0};
    latencies_reserve(latencies, commits_max);
    uint64_t start_ns = now_ns();
    uint64_t end_ns = start_ns + (uint64_t)(seconds * 1e9);
    uint64_t now = start_ns;
    while (run.commits < commits_max && now < end_ns) {
        commit_once(engine, store, overwrites, puts);
        uint64_t before = now;
        now = now_ns();
        latencies_add(latencies, now - before);
        run.commits++;
    }
    run.elapsed_ns = now > start_ns ? now - start_ns : 1;
    return run;
}
