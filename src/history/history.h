/*
 * history.h - the history tree: every retained root that a checkpoint has taken in, by its id.
 *
 * An ordinary tree on the clock of generations; the newer roots are in memory (store/roots.h) and
 * in the log. Which roots are retained stands in store/retained.h.
 *
 * Threads: any, unless a call says otherwise; lookups hold the store's lookup_lock.
 */
#ifndef VERSO_HISTORY_HISTORY_H
#define VERSO_HISTORY_HISTORY_H

#include "store/store.h"

/** What the store floor calls at each checkpoint (entering.c). */
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

/** Pin the oldest kept and published root at or above `version`. VERSO_NOT_FOUND as above. */
verso_err vs_history_pin_at_or_above(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note);
/** Pin the newest root at or below `version` that can be opened. VERSO_NOT_FOUND: there is none.
 *  Others as above. */
verso_err vs_history_pin_at_or_below(struct vs_store *store, uint64_t version, uint32_t *slot,
                                     struct vs_root_record *record, uint8_t *note);

/** Pin the newest root committed at or before `time_us` that can be opened. VERSO_NOT_FOUND: there
 *  is none. Others as above. */
verso_err vs_history_pin_at(struct vs_store *store, int64_t time_us, uint32_t *slot,
                            struct vs_root_record *record);

/** The record of a root that the caller has pinned, or that is kept. Errors as above. */
verso_err vs_history_find(struct vs_store *store, uint64_t version, struct vs_root_record *record,
                          uint8_t *note);

/** The same for the holder of the writer lock, who waits for no reader; without the note. */
verso_err vs_history_find_as_writer(struct vs_store *store, uint64_t version,
                                    struct vs_root_record *record);

/** The oldest root at or above `version` that can be opened. @return false: there is none. */
bool vs_history_next(struct vs_store *store, uint64_t version, uint64_t *found);

/** The oldest root that can be opened; 0: there is none. */
uint64_t vs_history_oldest(struct vs_store *store);

/** How many roots can be opened. */
uint64_t vs_history_count(struct vs_store *store);

#endif
