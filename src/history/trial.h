/*
 * trial.h - what a policy would drop, and what that would free.
 */
#ifndef VERSO_HISTORY_TRIAL_H
#define VERSO_HISTORY_TRIAL_H

#include "store/store.h"

struct vs_trial {
    uint64_t kept_count;
    uint64_t dropped_count;
    uint64_t freed_pages;
};

/**
 * Try a sound policy on the store as it is; nothing is changed. Holds the writer lock while it judges
 * all roots and passes over the page table.
 *
 * @param[out] dropped  The oldest roots that would go, as many as there are and fit `capacity`.
 * @retval VERSO_NOMEM, VERSO_CORRUPT
 */
verso_err vs_trial_run(struct vs_store *store, const verso_retention *policy, uint64_t *dropped,
                       size_t capacity, struct vs_trial *trial);

#endif
