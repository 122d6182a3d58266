/*
 * history.h - the history tree: every kept root that a checkpoint has taken in, by its id.
 *
 * An ordinary tree on the clock of generations; the newer roots are in memory (store/roots.h) and
 * in the log. Threads: any; lookups hold the store's lookup_lock.
 */
#ifndef VERSO_HISTORY_HISTORY_H
#define VERSO_HISTORY_HISTORY_H

#include "store/store.h"

/** What the store floor calls at each checkpoint. */
extern const struct vs_history_calls vs_history_calls;

/**
 * Pin a root by its id.
 *
 * @param note  VS_NOTE_MAX bytes for its note, or NULL.
 * @retval VERSO_NOT_FOUND  Never existed, or is not published yet.
 * @retval VERSO_GONE       No longer kept.
 * @retval VERSO_CORRUPT    Kept, but not to be found: listing roots ends there.
 */
verso_err vs_history_pin(struct vs_store *store, uint64_t version, uint32_t *slot,
                         struct vs_root_record *record, uint8_t *note);

/** Pin the newest kept and published root at or below `version`. VERSO_NOT_FOUND: there is none. */
verso_err vs_history_pin_at_or_below(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note);

/** Pin the oldest kept and published root at or above `version`. VERSO_NOT_FOUND as above. */
verso_err vs_history_pin_at_or_above(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note);

/** The record of a root that the caller has pinned, or that is kept. Errors as above. */
verso_err vs_history_find(struct vs_store *store, uint64_t version, struct vs_root_record *record,
                          uint8_t *note);

/** The oldest root that can be opened. */
uint64_t vs_history_oldest(struct vs_store *store);

#endif
