/*
 * simulated_disk.h - a disk in memory that loses power, fails and lies on command.
 *
 * It stands behind the engine as a struct vs_os (os/os.h). Each file has live contents, which reads
 * and mappings see, and for every 512-byte sector written since the file's last sync the contents
 * that the medium is known to hold, with up to four of those in between. Creating, renaming and
 * unlinking become durable by sync_directory() only. simulated_disk_crash() draws from all that
 * what a power cut may leave, as a fresh disk.
 *
 *     live      | A'' | B | C' | D |      what write_at() made
 *     between   | A'  |   |    |   |      may have reached the medium on its way
 *     durable   | A   | B | C  | D |      a crash leaves A, A' or A'', and C or C'
 *
 * Everything follows from the seeds: the same calls on the same seed give the same bytes.
 *
 * Mapping: map() hands out the live contents themselves, so a mapping sees each write at once and
 * never moves. Memory beyond the file's last 4 KiB page is inaccessible, as with a real mapping.
 * Memory: only opening a file uses malloc(); a test that makes malloc() fail does not disturb the
 * disk. What the disk itself cannot get from the system aborts.
 * Threads: every function may be called by any thread; one mutex guards a disk.
 */
#ifndef VERSO_TESTS_SIMULATED_DISK_H
#define VERSO_TESTS_SIMULATED_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/os.h"

enum {
    SIMULATED_SECTOR_SIZE = 512,         /* bytes that reach the medium together */
    SIMULATED_FILE_SIZE_MAX = 256 << 20, /* bytes; growth beyond it is VERSO_NOSPC */
    SIMULATED_PATH_SIZE = 256,           /* bytes with the final zero; VERSO_INVALID beyond */
    SIMULATED_FILES_MAX = 256,           /* names at a time; VERSO_NOSPC beyond */
    SIMULATED_FAULTS_MAX = 16,           /* faults injected at a time */
};

/** Opaque. Made by open, clone and crash; freed by simulated_disk_close(). */
struct simulated_disk;

/* ---- the disk ------------------------------------------------------------------------------ */

/** A new empty disk; never NULL. */
struct simulated_disk *simulated_disk_open(uint64_t seed);

/** Free the disk; every file on it must be closed. NULL is allowed. */
void simulated_disk_close(struct simulated_disk *disk);

/** The table to hand to the engine; borrowed until the disk closes. Its `background` is false. */
const struct vs_os *simulated_disk_os(struct simulated_disk *disk);

/** Let the engine run threads of its own. Set it before the engine opens a store. */
void simulated_disk_set_background(struct simulated_disk *disk, bool background);

/**
 * The same disk once more: names, contents, what is durable, clocks, random streams, limits. Open
 * files, locks, faults, hook and counters are not copied.
 */
struct simulated_disk *simulated_disk_clone(struct simulated_disk *disk);

/** What a power cut leaves of sectors, lengths and names that no sync covered. */
enum simulated_crash {
    SIMULATED_CRASH_ALL_OLD = 0, /* nothing of them */
    SIMULATED_CRASH_ALL_NEW = 1, /* all */
    SIMULATED_CRASH_RANDOM = 2,  /* each sector old, in between or new; lengths and names too */
    SIMULATED_CRASH_ONE_NEW = 3, /* all names and lengths, sector `seed` (mod their count) only */
    SIMULATED_CRASH_ONE_OLD = 4, /* all names and lengths, all sectors except that one */
    SIMULATED_CRASH_TORN = 5,    /* as RANDOM, but each 64 bytes of a sector draw for themselves */
};

/**
 * The disk as a power cut at this moment may leave it; `disk` itself goes on undisturbed.
 *
 * Everything on the new disk is durable, nothing is locked or open; it has its own random streams,
 * drawn from `seed`. Faults, hook and counters start empty.
 */
struct simulated_disk *simulated_disk_crash(struct simulated_disk *disk, uint64_t seed,
                                            enum simulated_crash mode);

/** How many sectors of named files no sync covers: the range of `seed` for ONE_NEW and ONE_OLD. */
uint64_t simulated_disk_dirty_sectors(struct simulated_disk *disk);

/** Write some unsynced sectors back of the disk's own accord: what they hold now becomes
 * durable. */
void simulated_disk_write_back(struct simulated_disk *disk, uint64_t seed);

/**
 * Which of the unsynced operations on names a RANDOM or TORN crash leaves: a prefix of them, as a
 * journal does (false, the default), or any subset.
 */
void simulated_disk_set_any_subset(struct simulated_disk *disk, bool any_subset);

/**
 * Make contents and lengths durable as they are written, those that are there already at once. For
 * a disk that is not meant to crash: nothing is remembered of what was there before, and zeros
 * behind the end cost no memory, which makes the 4 MiB of a fresh log segment nearly free.
 */
void simulated_disk_set_written_through(struct simulated_disk *disk, bool is_written_through);

/** Limit of the sum of all file lengths; UINT64_MAX (the default) is none. */
void simulated_disk_set_capacity(struct simulated_disk *disk, uint64_t bytes);

/** The sum that the capacity limits. */
uint64_t simulated_disk_used_bytes(struct simulated_disk *disk);

/** A read-only medium: opening for writing, creating, renaming and unlinking are VERSO_ACCESS. */
void simulated_disk_set_read_only(struct simulated_disk *disk, bool read_only);

/** Files open now: 0 shows that the engine has closed all of them. */
uint64_t simulated_disk_open_files(struct simulated_disk *disk);

/* ---- events -------------------------------------------------------------------------------- */

/** The calls that can fail. CREATE to SYNC_DIRECTORY are changes: they alter what a crash
 * leaves. */
enum simulated_kind {
    SIMULATED_ANY = 0, /* in a fault or a question: whichever */
    SIMULATED_CREATE,
    SIMULATED_WRITE,
    SIMULATED_ALLOCATE,
    SIMULATED_TRUNCATE,
    SIMULATED_SYNC, /* sync_data(), sync_full(): only the latter keeps a length beyond all writes */
    SIMULATED_RENAME,
    SIMULATED_UNLINK,
    SIMULATED_SYNC_DIRECTORY,
    SIMULATED_OPEN, /* of what exists */
    SIMULATED_IDENTIFY,
    SIMULATED_LOCK,
    SIMULATED_READ,
    SIMULATED_LIST,
    SIMULATED_MAP,
    SIMULATED_RANDOM,
    SIMULATED_KINDS
};

/** One call, seen just before it acts or just after. */
struct simulated_event {
    enum simulated_kind kind;
    bool is_change;
    bool is_after;
    verso_err err;    /* the outcome, where is_after */
    uint64_t number;  /* calls of any kind so far, this one included */
    uint64_t change;  /* changes so far, this one included if it is one */
    const char *path; /* valid during the hook */
    uint64_t offset;  /* READ, WRITE */
    uint64_t size;    /* READ, WRITE, ALLOCATE, TRUNCATE, MAP, RANDOM */
};

/**
 * Called before and after each event, with the disk locked: it may look at the disk, clone it or
 * crash it, and inject faults. Calls that it makes to the disk's own table are no events.
 */
typedef void simulated_hook(void *argument, struct simulated_disk *disk,
                            const struct simulated_event *event);

/** Set the hook; NULL takes it away. `argument` is borrowed until then. */
void simulated_disk_set_hook(struct simulated_disk *disk, simulated_hook *hook, void *argument);

/** Calls of `kind` so far (SIMULATED_ANY: of all kinds), failed ones included. */
uint64_t simulated_disk_events(struct simulated_disk *disk, enum simulated_kind kind);

/** Changes so far, failed ones included. */
uint64_t simulated_disk_changes(struct simulated_disk *disk);

/* ---- faults -------------------------------------------------------------------------------- */

/** What a fault does to the call that it meets. */
enum simulated_effect {
    /**
     * It returns `err` and does nothing. A sync that fails so keeps nothing, yet its sectors count
     * as clean: reads still see them, the next sync "succeeds" without them, a crash loses them.
     */
    SIMULATED_FAILS = 0,
    /** WRITE: a prefix is written. SYNC: some sectors (SYNC_DIRECTORY: the first names) are
     * kept. */
    SIMULATED_FAILS_PARTLY = 1,
    /** SYNC: as FAILS, and reads find the old contents again. */
    SIMULATED_FAILS_AND_REVERTS = 2,
    /** WRITE, SYNC, SYNC_DIRECTORY: VERSO_OK, but nothing happens (a write still adds length). */
    SIMULATED_IS_LOST = 3,
    /** WRITE: VERSO_OK, but it lands `shift_bytes` further on, or in `other_path`, or both. */
    SIMULATED_IS_MISDIRECTED = 4,
};

/** A fault to come. All zero but `nth` = 1 means: the next call, whichever, fails with VERSO_IO. */
struct simulated_fault {
    enum simulated_kind kind;     /* SIMULATED_ANY: whichever comes */
    const char *path_part;        /* only files whose path contains it; NULL: all; borrowed */
    uint64_t nth;                 /* of the matching calls from now on; 1 is the next */
    bool for_ever;                /* that one and all after it */
    verso_err err;                /* VERSO_OK stands for VERSO_IO */
    enum simulated_effect effect; /* FAILS where the kind of the call does not know the effect */
    int64_t shift_bytes;          /* IS_MISDIRECTED; a place before the file's begin becomes 0 */
    const char *other_path;       /* IS_MISDIRECTED; NULL: the same file; borrowed */
};

/** Add a fault; the first added of those that match a call takes effect. */
void simulated_disk_inject(struct simulated_disk *disk, const struct simulated_fault *fault);

/** Take all faults away. What they did stays. */
void simulated_disk_heal(struct simulated_disk *disk);

/** How many calls a fault has met so far. */
uint64_t simulated_disk_faults_met(struct simulated_disk *disk);

/* ---- contents ------------------------------------------------------------------------------ */

/** Path of the `index`-th file in the order of paths, NULL beyond the last; until names change. */
const char *simulated_disk_path(struct simulated_disk *disk, size_t index);

/** Whether a file of that name exists. */
bool simulated_disk_exists(struct simulated_disk *disk, const char *path);

/**
 * The live bytes of a file, NULL if it does not exist; borrowed until it is deleted.
 *
 * @param[out] size  Bytes; may be NULL.
 */
const uint8_t *simulated_disk_bytes(struct simulated_disk *disk, const char *path, uint64_t *size);

/** Rot: XOR one byte of a file with `mask`, on the medium as well as in all that reads see. */
void simulated_disk_flip(struct simulated_disk *disk, const char *path, uint64_t offset,
                         uint8_t mask);

/**
 * Make a file of these bytes, durable at once, as are all names of its directory; an existing one
 * gets them in its place. `bytes` may be NULL where `size` is 0.
 */
void simulated_disk_put(struct simulated_disk *disk, const char *path, const void *bytes,
                        size_t size);

/** Remove a file, durable at once, as are all names of its directory. */
void simulated_disk_remove(struct simulated_disk *disk, const char *path);

/** A number that depends on all names, lengths and live bytes: equal disks, equal numbers. */
uint64_t simulated_disk_digest(struct simulated_disk *disk);

/* ---- clocks -------------------------------------------------------------------------------- */

/** Set the wall clock; it may jump either way. Both clocks go on by 1 us at each look. */
void simulated_disk_set_clock(struct simulated_disk *disk, int64_t clock_us);

/** Let time pass on both clocks. */
void simulated_disk_advance(struct simulated_disk *disk, int64_t us);

#endif
