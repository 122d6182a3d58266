/*
 * trial.h - what a policy would drop, and what that would free.
 */
#ifndef VERSO_HISTORY_TRIAL_H
#define VERSO_HISTORY_TRIAL_H

#include "store/store.h"

struct vs_trial {
    struct vs_version_set kept; /* that would stay */
    uint64_t kept_count;
    uint64_t dropped_count;
    uint64_t freed_pages;
};

/** Try a sound policy on the store as it is; nothing is changed. Takes the writer lock for one pass
 *  over the page table. Free the trial with vs_version_set_clear(&trial->kept). VERSO_NOMEM,
 *  VERSO_CORRUPT. */
verso_err vs_trial_run(struct vs_store *store, const verso_retention *policy,
                       struct vs_trial *trial);

#endif
