/*
 * kept_set.h - a snapshot of the versions that must stay readable, for judging deaths.
 *
 * "No kept version lies in [born, died)", once true of versions up to the snapshot's tip, stays
 * true: a version that has left the set never comes back, and new ones enter as tip. So an old
 * snapshot errs on the safe side only.
 */
#ifndef VERSO_STORE_KEPT_SET_H
#define VERSO_STORE_KEPT_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "store/reader_slots.h"
#include "verso.h"

struct vs_version_range {
    uint64_t from;
    uint64_t to; /* inclusive */
};

/** Sorted, disjoint ranges. The last is open-ended: everything newer counts as kept. None at all
 *  (zeroed, cleared, or forgotten after a failure): everything counts as kept. */
struct vs_kept_set {
    struct vs_version_range *range;
    unsigned count;
    unsigned capacity;
};

void vs_kept_set_clear(struct vs_kept_set *kept);

/** No snapshot any more: everything counts as kept. */
static inline void vs_kept_set_forget(struct vs_kept_set *kept)
{
    kept->count = 0;
}

/** Start anew with [from, infinity) as the only range. */
verso_err vs_kept_set_begin(struct vs_kept_set *kept, uint64_t from);
verso_err vs_kept_set_add(struct vs_kept_set *kept, struct vs_version_range range);
/** Add the versions pinned by readers. The published version was read before. */
verso_err vs_kept_set_add_readers(struct vs_kept_set *kept, const struct vs_reader_slots *slots);
/** Sort and join; searchable from then on. */
void vs_kept_set_finish(struct vs_kept_set *kept);

/** Does a kept version lie in [born, died)? */
bool vs_kept_set_meets(const struct vs_kept_set *kept, uint64_t born, uint64_t died);

#endif
