/*
 * retention.h - the policy at work: which roots it keeps, and dropping the others in bounded steps.
 *
 * A root is judged when it leaves the newest `last`, and now and then afterwards, when a walk over
 * the older ones comes to it: it may have passed into another class of age, or have lost its tag or
 * its reader. Judging a root needs only its own time and that of the next retained one: of several
 * in one span of time each is dropped for the sake of the next, so the last is left.
 *
 * Threads: the holder of the writer lock, but for vs_retention_apply(), which takes it.
 */
#ifndef VERSO_HISTORY_RETENTION_H
#define VERSO_HISTORY_RETENTION_H

#include "store/store.h"

enum {
    VS_RETENTION_WALK = 4,                         /* roots judged by the walk in one step */
    VS_RETENTION_STEP_MAX = 1 + VS_RETENTION_WALK, /* ranges dropped in one step */
};

/** A policy asked about a set of roots: the store's own, or a trial. */
struct vs_retention_question {
    struct vs_store *store;
    const verso_retention *policy;
    const struct vs_version_set *set; /* what is retained before */
    uint64_t tip;                     /* newest root, itself in the set; it may not be there yet */
    int64_t tip_us;                   /* its time */
    int64_t now_us;
};

/** The question to be asked of all roots that there are. Writer lock. */
struct vs_retention_question vs_retention_ask(struct vs_store *store,
                                              const verso_retention *policy);

/** The first root of a set at or above `version`: all roots to come are retained, so there is one. */
uint64_t vs_retention_next(const struct vs_version_set *set, uint64_t version);

/** The least root at or above `version` that is tagged, or open in some view: such ones never go.
 *  @return false: there is none. */
bool vs_retention_protected(struct vs_store *store, uint64_t version, uint64_t *found);

/**
 * Judge up to `judged_max` roots of the set from *version on, oldest first; *version moves behind
 * the last of them, and becomes 0 when all below the newest `last` were judged.
 *
 * @param[out] ranges  Room for judged_max; those to be dropped, neighbours joined.
 */
void vs_retention_judge(const struct vs_retention_question *question, uint64_t *version,
                        unsigned judged_max, struct vs_version_range *ranges, unsigned *count);

/**
 * The step along with a commit: what goes when root `version`, made at `time_us`, is the newest.
 *
 * @param[out] ranges  Room for VS_RETENTION_STEP_MAX; they ascend. Nothing was dropped yet.
 */
void vs_retention_step(struct vs_store *store, uint64_t version, int64_t time_us,
                       struct vs_version_range *ranges, unsigned *count);

/** Drop all that the policy does not keep, some thousand roots at a time; durable on return. Takes
 *  and releases the writer lock for each step. Errors as of verso_retention_set(). */
verso_err vs_retention_apply(struct vs_store *store);

/** Log the ranges, which ascend, as dropped, and drop them; the setting was begun. After an error
 *  nothing was done, nor logged. */
verso_err vs_retention_drop(struct vs_store *store, const struct vs_version_range *ranges,
                            unsigned count, uint64_t *end_lsn);

#endif
