/*
 * api_scenarios.h - short pieces of work on a small store that together make every call of the
 * public interface, to be played while memory or the disk fails, and the judge of what is then left.
 *
 * A scenario is played once without faults first: what it reads and the fingerprints of its roots
 * then are what every later run is measured by.
 */
#ifndef VERSO_TESTS_API_SCENARIOS_H
#define VERSO_TESTS_API_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulated_disk.h"
#include "verso.h"

#define SCENARIO_PATH "store"
#define SCENARIO_COPY_PATH "copy"
#define SCENARIO_INCREMENT_PATH "increment"

enum { SCENARIO_ROOTS_MAX = 64, SCENARIO_KEYS = 200 };

/** What a scenario finds. */
enum scenario_start {
    SCENARIO_NOTHING,   /* an empty disk */
    SCENARIO_CLOSED,    /* a store that was closed cleanly */
    SCENARIO_CRASHED,   /* one whose log is needed */
    SCENARIO_OPEN,      /* one just opened */
    SCENARIO_IN_USE,    /* one opened, with commits since its last checkpoint */
    SCENARIO_BEHIND,    /* one just opened, and an increment that it lacks */
    SCENARIO_IN_MEMORY, /* none on any disk */
};

/** One playing of a scenario. */
struct scenario_run {
    struct simulated_disk *disk;
    const char *path;           /* of the store; NULL: it is in memory */
    verso_store *store;         /* NULL where none is open */
    bool again;                 /* a call that failed in a transaction is made once more */
    verso_err failed;           /* the first such failure */
    verso_root_id acknowledged; /* the newest root whose commit said VERSO_OK */
    verso_root_id possible;     /* the newest that there may be: its outcome is unknown */
    uint64_t seen;              /* digest of all that was read */
};

struct scenario {
    const char *name;
    enum scenario_start start;
    verso_err (*play)(struct scenario_run *run); /* ends at its first failure, with all handles but
                                                    the store closed */
};

/** What a run without faults gave. */
struct scenario_reference {
    verso_root_id first;                      /* newest root before it */
    verso_root_id issued;                     /* newest root after it */
    uint64_t fingerprint[SCENARIO_ROOTS_MAX]; /* of each root; 0: never kept */
    uint64_t seen;
};

/** All scenarios, in two tables. */
extern const struct scenario scenario_changes[];
extern const size_t scenario_change_count;
extern const struct scenario scenario_readings[];
extern const size_t scenario_reading_count;

/** The disk that a scenario begins on; the caller's to close. */
struct simulated_disk *scenario_disk(enum scenario_start start);

/** How all scenarios open a store; a `path` of NULL: one in memory. */
verso_err scenario_open(struct simulated_disk *disk, const char *path, verso_store **store);

/** Ready to play on `disk`: opens the store where the scenario finds it open. */
struct scenario_run scenario_begin(const struct scenario *scenario, struct simulated_disk *disk);

/** Play it. @return The first failure that ended it; VERSO_OK if it came to its end. */
verso_err scenario_play(const struct scenario *scenario, struct scenario_run *run);

/** Play it without faults on a disk of its own. */
void scenario_refer(const struct scenario *scenario, struct simulated_disk *made,
                    struct scenario_reference *reference);

/**
 * A handle and a disk without faults any more: the newest root is the last one acknowledged, or up
 * to the last one possible; every root has the fingerprint of the reference; all invariants hold; so
 * they do in what a killed process would leave, after one more commit, after closing, and after
 * opening again. Where no store is open, one is opened first; at the end none is.
 *
 * @return NULL, or what is wrong.
 */
const char *scenario_work_on(struct scenario_run *run, const struct scenario_reference *reference);

/* ---- for the tables of scenarios ---- */

/** Whether a call in a transaction failed and is to be made once more. */
bool scenario_retries(struct scenario_run *run, verso_err err);

/** Take what was read into the digest. */
void scenario_see(struct scenario_run *run, verso_slice bytes);
void scenario_see_number(struct scenario_run *run, uint64_t number);

/** A key of the store; valid until the fourth call from now on. */
verso_slice scenario_key(unsigned number);

/** Bytes for a value, the same each time; at most 8 KiB. */
verso_slice scenario_value(unsigned number, size_t size);

/** Calls in a transaction, made once more if the first try failed. */
verso_err scenario_put(struct scenario_run *run, verso_txn *txn, unsigned number, size_t size);
verso_err scenario_delete(struct scenario_run *run, verso_txn *txn, unsigned number);

/** Commit if `err` is VERSO_OK, else abort and hand it on. */
verso_err scenario_finish(struct scenario_run *run, verso_txn *txn, verso_err err);

#endif
