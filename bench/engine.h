/*
 * engine.h - what a store must be able to do to take part, as a table of functions.
 *
 * Verso and LMDB each fill one table; the workloads know nothing else of them. A call through the
 * table costs a nanosecond or two, the same for both; whole scans run inside one call.
 * Whatever fails stops the program (stop.h), so nothing here returns an error.
 */
#ifndef VERSO_BENCH_ENGINE_H
#define VERSO_BENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "verso.h"

/* Opaque here; each engine has its own. A writer is the one write transaction, used by one thread;
 * a reader is one root open for reading, with a cursor, used by one thread. */
struct store;
struct writer;
struct reader;

/** When a commit counts as done. */
enum commit_mode {
    COMMIT_DURABLE,          /* on stable storage when commit returns */
    COMMIT_DURABLE_WRITEMAP, /* LMDB: the same through a writable map (MDB_WRITEMAP) */
    COMMIT_NOSYNC,           /* LMDB: MDB_NOSYNC; a power cut may ruin the store */
    COMMIT_NOSYNC_WRITEMAP,  /* LMDB: MDB_NOSYNC | MDB_WRITEMAP */
    COMMIT_INTERVAL,         /* Verso: written and synced in the background every 100 ms */
    COMMIT_WRITTEN,          /* Verso: handed to the operating system when commit returns */
    COMMIT_ASYNCHRONOUS      /* Verso: a durable store whose commits return at once */
};

/** Retention of a new store besides "the newest N". */
#define KEEP_ALL UINT64_C(0)
#define KEEP_DEFAULT UINT64_MAX /* Verso's own default */

/** How to open a store; each engine takes what concerns it. */
struct store_settings {
    enum commit_mode mode;
    bool read_only;
    uint64_t keep_last;   /* Verso, at creation: newest roots to keep, or one of the above */
    uint64_t arena_bytes; /* Verso: memory for unwritten pages, 0 for its default */
    uint64_t map_bytes;   /* LMDB: size of the map */
    bool no_readahead;    /* LMDB: MDB_NORDAHEAD */
};

enum scan_way {
    SCAN_FORWARD,
    SCAN_BACKWARD,
    SCAN_FORWARD_BATCH /* Verso: many entries a call; others as SCAN_FORWARD */
};

/** What a scan saw. The sum does not depend on the direction: equal content, equal sum. */
struct scan_result {
    uint64_t entries;
    uint64_t sum; /* of the first eight bytes of each key and of each value */
};

struct engine {
    const char *name;        /* as printed */
    const char *option_name; /* as given to --engine */
    const char *file_name;   /* of the store's file in its directory */

    /** Version and page size, for the heading; a static string. */
    const char *(*version)(void);

    /** Open the store in `directory`, creating it if it is empty (unless read-only). */
    struct store *(*open)(const char *directory, const struct store_settings *settings);
    void (*close)(struct store *store);

    /** Make all commits so far durable. */
    void (*sync)(struct store *store);

    /** Bring the store's own file up to date, as far as that is a thing of its own. */
    void (*checkpoint)(struct store *store);

    /** Begin the write transaction, waiting for the one before. Any thread. */
    struct writer *(*begin)(struct store *store);
    void (*put)(struct writer *writer, verso_slice key, verso_slice value);

    /** Put ascending keys beyond the last one, in the fastest way that the engine has. */
    void (*append)(struct writer *writer, const verso_entry *entries, size_t count);

    /** Commit. Returns the new root's id, or 0 where there is no such thing. */
    uint64_t (*commit)(struct writer *writer);

    /** Open root `root`, or the newest for 0. Its thread may hold a writer besides. */
    struct reader *(*reader_open)(struct store *store, uint64_t root);
    void (*reader_close)(struct reader *reader);

    /** Returns whether the key is there; the value is valid while the reader is open. */
    bool (*get)(struct reader *reader, verso_slice key, verso_slice *value);

    /** Get `count` keys; returns how many are there. Missing values are {NULL, 0}. */
    size_t (*get_batch)(struct reader *reader, const verso_slice *keys, size_t count,
                        verso_slice *values);

    /** Walk up to `limit` entries from `from` (NULL: from the end concerned) on. */
    struct scan_result (*scan)(struct reader *reader, enum scan_way way, const verso_slice *from,
                               uint64_t limit);
};

/** The largest batch that get_batch() takes. */
enum { GET_BATCH_MAX = 16 };

extern const struct engine engine_verso;
extern const struct engine engine_lmdb; /* only in builds with LMDB */

/** The first eight bytes of a slice as a number, zeros where it is shorter: "touching" it. */
static inline uint64_t first_bytes(const void *data, size_t size)
{
    uint64_t number = 0;
    if (size >= sizeof number) {
        memcpy(&number, data, sizeof number);
    } else if (size > 0) {
        memcpy(&number, data, size);
    }
    return number;
}

#endif
