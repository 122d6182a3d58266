/*
 * bench.h - what every workload has at hand, and the workloads.
 *
 * Threads: main thread only, unless a function says otherwise.
 */
#ifndef VERSO_BENCH_BENCH_H
#define VERSO_BENCH_BENCH_H

#include "directory.h"
#include "engine.h"
#include "keys.h"
#include "options.h"
#include "report.h"

enum { ENGINES_MAX = 2 };

struct bench {
    const struct options *options;
    struct report *report;
    struct path directory; /* ours: whatever lies in it may be removed */
    unsigned engine_count;
    const struct engine *engines[ENGINES_MAX]; /* those that take part, Verso first */
    bool machine;                              /* whether the bare system calls take part */
    struct key_set keys;                       /* in random order */
    struct key_set ascending;                  /* the same; empty until bench_ascending() */
    struct value_pool values;
};

/** The engine of that --engine name, or NULL if it does not take part. */
const struct engine *bench_engine(const struct bench *bench, const char *option_name);

/** The keys in ascending order; borrowed. */
const struct key_set *bench_ascending(struct bench *bench);

/** Settings with a map large enough for `stores` times the keys, and the user's options. */
struct store_settings bench_settings(const struct bench *bench, enum commit_mode mode,
                                     uint64_t keep_last);

/** A path in our directory. */
struct path bench_path(const struct bench *bench, const char *name);

/** Say on a terminal what is going on. */
void bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seeds of the streams of keys: one each, so that --only does not change what a workload does. */
enum seed { SEED_KEYS = 1, SEED_VALUES, SEED_HITS, SEED_MISSES, SEED_RANGES, SEED_OVERWRITES };

/** A workload: it runs all its rounds and reports its rows. */
struct workload {
    const char *name;
    const char *summary;
    void (*run)(struct bench *bench);
};

void workload_load_sorted(struct bench *bench);
void workload_load_random(struct bench *bench);
void workload_get_hit(struct bench *bench);
void workload_get_miss(struct bench *bench);
void workload_get_batch(struct bench *bench);
void workload_get_threads(struct bench *bench);
void workload_scan(struct bench *bench);
void workload_range(struct bench *bench);
void workload_commit_durable(struct bench *bench);
void workload_commit_async(struct bench *bench);
void workload_commit_1000(struct bench *bench);
void workload_commit_beside(struct bench *bench);
void workload_commit_threads(struct bench *bench);
void workload_long_reader(struct bench *bench);
void workload_old_root(struct bench *bench);
void workload_open(struct bench *bench);
void workload_open_root(struct bench *bench);
void workload_diff(struct bench *bench);
void workload_key_history(struct bench *bench);
void workload_revert(struct bench *bench);
void workload_count(struct bench *bench);
void workload_version_size(struct bench *bench);
void workload_retention(struct bench *bench);
void workload_delete_range(struct bench *bench);
void workload_copy(struct bench *bench);
void workload_tree_drop(struct bench *bench);

#endif
