/*
 * commits.h - who takes part in a commit workload, and one run of commits.
 *
 * Every run overwrites random keys of a store that was loaded in random order, so the number of
 * keys stays as it is. A run ends after --commits commits or --seconds, whichever comes first.
 */
#ifndef VERSO_BENCH_COMMITS_H
#define VERSO_BENCH_COMMITS_H

#include "bench.h"

/** One engine in one mode. */
struct committer {
    char label[LABEL_SIZE];
    const struct engine *engine;
    enum commit_mode mode;
    uint64_t keep_last;
    bool baseline;
};

enum { COMMITTERS_MAX = 12 };

struct committers {
    unsigned count;
    struct committer at[COMMITTERS_MAX];
};

/** Add Verso in a mode: once for each retention that is to be shown. */
void committers_add_verso(struct committers *committers, const struct bench *bench,
                          const char *label, enum commit_mode mode);

/** The same once, with that retention unless the user has asked for another. */
void committers_add_verso_keeping(struct committers *committers, const struct bench *bench,
                                  const char *label, enum commit_mode mode, uint64_t keep_last);

/** Add LMDB in a mode, as a baseline. */
void committers_add_lmdb(struct committers *committers, const struct bench *bench,
                         const char *label, enum commit_mode mode);

/** Where overwrites come from: a stream of keys in random order that starts over at its end. */
struct overwrites {
    const struct key_set *keys;
    const struct value_pool *values;
    uint32_t position;
};

/** The committer's store, loaded, warm, and with its first commits behind it. */
struct store *committer_open(struct bench *bench, const struct committer *committer,
                             struct overwrites *overwrites);

/** One commit of `puts` overwrites. Any thread with its own `overwrites`. */
void commit_once(const struct engine *engine, struct store *store, struct overwrites *overwrites,
                 uint32_t puts);

/** How a run of commits went. */
struct commit_run {
    uint64_t commits;
    uint64_t elapsed_ns;
};

/**
 * Commit again and again, each commit timed. Any thread.
 *
 * @param commits_max  Most commits; `seconds` ends the run in any case.
 */
struct commit_run commit_many(const struct engine *engine, struct store *store,
                              struct overwrites *overwrites, uint32_t puts, double seconds,
                              uint32_t commits_max, struct latencies *latencies);

#endif
