/*
 * loaded.h - stores filled with all keys, for the workloads that start from one.
 *
 * A loaded store is made when it is first asked for, outside every clock, and lies in the
 * benchmark's directory until the end; workloads of the same kind share it.
 */
#ifndef VERSO_BENCH_LOADED_H
#define VERSO_BENCH_LOADED_H

#include "bench.h"

/** Put all keys in their order, value i to key i, in one transaction. */
void load_by_puts(const struct engine *engine, struct store *store, const struct key_set *keys,
                  const struct value_pool *values);

/** Append all keys, which ascend, in calls of 1,000 and one transaction. */
void load_by_appends(const struct engine *engine, struct store *store, const struct key_set *keys,
                     const struct value_pool *values);

/** Which loaded store. */
enum loaded_kind {
    LOADED_RANDOM,  /* in random order; read only ever after */
    LOADED_SORTED,  /* ascending; likewise */
    LOADED_COMMITS, /* in random order; the commit workloads overwrite its values */
};

/** The directory of a loaded store, made and loaded if need be. */
struct path loaded_directory(struct bench *bench, const struct engine *engine,
                             enum loaded_kind kind, uint64_t keep_last);

/** Open a loaded store and read all of it once, so that its pages are in memory and mapped. */
struct store *loaded_open(struct bench *bench, const struct engine *engine, enum loaded_kind kind,
                          enum commit_mode mode, uint64_t keep_last);

/** Read every entry once. */
struct scan_result read_all(const struct engine *engine, struct store *store);

/** One engine's loaded store, open for reading. */
struct read_side {
    const struct engine *engine;
    struct store *store;
    struct reader *reader;
};

/** The same store of every engine that takes part; stops the program if their contents differ. */
struct read_sides {
    unsigned count;
    struct read_side at[ENGINES_MAX];
};

struct read_sides read_sides_open(struct bench *bench, enum loaded_kind kind);
void read_sides_close(struct read_sides *sides);

/** Whether figures of this engine are what the others are compared with. */
bool is_baseline(const struct engine *engine);

#endif
