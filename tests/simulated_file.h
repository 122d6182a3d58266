/*
 * simulated_file.h - one file of the simulated disk: live contents, and what the medium may hold.
 *
 * Threads: the disk's mutex guards all of it. What the system refuses (address space) aborts.
 */
#ifndef VERSO_TESTS_SIMULATED_FILE_H
#define VERSO_TESTS_SIMULATED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulated_disk.h"
#include "simulated_random.h"

struct dirty_sector; /* simulated_file.c */

struct simulated_file {
    uint64_t inode;
    unsigned references; /* live and durable names, unsynced operations, open handles */
    unsigned links;      /* of them: live names */
    unsigned handles;    /* of them: open handles */
    unsigned locks;      /* handles that hold a lock, */
    bool is_exclusive;   /* which is an exclusive one (then there is one) */
    uint64_t live_size;  /* bytes */
    uint64_t durable_size;
    uint8_t *live;              /* SIMULATED_FILE_SIZE_MAX reserved; zeros beyond live_size */
    size_t written_size;        /* how far it may hold more than zeros: whole pages */
    bool is_written_through;    /* writes and lengths are durable at once */
    struct dirty_sector *dirty; /* in order of their first write; NULL before the first */
    size_t dirty_count;
    uint32_t *dirty_at;          /* by sector: 1 + its index in `dirty`, or 0 */
    struct simulated_file *twin; /* while a disk is copied: the copy */
};

/** An empty file with one reference. */
struct simulated_file *simulated_file_open(uint64_t inode);

void simulated_file_hold(struct simulated_file *file);

/** Give a reference back; the last one frees the file. */
void simulated_file_release(struct simulated_file *file);

/** Write; the file grows where needed. `random` picks what is forgotten of many contents
 * between. */
void simulated_file_write(struct simulated_file *file, struct simulated_random *random,
                          uint64_t offset, const void *bytes, size_t size);

/** Sync the file; whether its writes are durable at once from now on. */
void simulated_file_write_through(struct simulated_file *file, bool is_written_through);

/** Give an empty file its contents, durable at once. */
void simulated_file_load(struct simulated_file *file, const void *bytes, size_t size);

/** Set the length: zeros are added, or what lies beyond is cut off. */
void simulated_file_resize(struct simulated_file *file, struct simulated_random *random,
                           uint64_t size);

/** Make contents durable, and the length: all of it, or as far as the contents need it. */
void simulated_file_sync(struct simulated_file *file, bool is_full);

/** A sync that fails as `effect` says: FAILS, FAILS_PARTLY or FAILS_AND_REVERTS. */
void simulated_file_fail_sync(struct simulated_file *file, struct simulated_random *random,
                              enum simulated_effect effect);

/** Make what some dirty sectors hold now durable. */
void simulated_file_write_back(struct simulated_file *file, struct simulated_random *random);

/** XOR one byte with `mask` in all contents that the file or the medium has. */
void simulated_file_flip(struct simulated_file *file, uint64_t offset, uint8_t mask);

/** The same file for another disk, durable and dirty alike; one reference, no handles. */
struct simulated_file *simulated_file_clone(const struct simulated_file *file);

/** Sectors whose fate a crash decides. */
uint64_t simulated_file_dirty_sectors(const struct simulated_file *file);

/** How a crash decides, file after file. */
struct simulated_fate {
    enum simulated_crash mode;
    struct simulated_random *random;
    uint64_t chosen; /* ONE_NEW, ONE_OLD: the sector's index among those of all files, */
    uint64_t seen;   /* and how many have been decided so far */
};

/** What a crash leaves of a file, for another disk; one reference, all durable. */
struct simulated_file *simulated_file_crash(const struct simulated_file *file,
                                            struct simulated_fate *fate);

#endif
