/*
 * retained.h - which roots the store retains for their own sake, and why: policy and tags.
 *
 * What is retained is one part of what is kept (kept_set.h). Roots enter as they are committed, and
 * leave by vs_retained_drop(), once and for all. The history floor decides which.
 *
 * Lookup by readers: pin the version in a slot first, then ask vs_retained_has(); a drop takes the
 * version out under the lock first, then reads the slots for judging. So either the reader is told
 * that the root is gone, or the judge sees the pin.
 *
 * Threads: changed by the holder of the writer lock, who may read all of it; others read through
 * the calls that say so. `lock` is held for moments only, never across a read of a page.
 */
#ifndef VERSO_STORE_RETAINED_H
#define VERSO_STORE_RETAINED_H

#include "os/lock.h"
#include "store/tags.h"
#include "store/version_set.h"

struct vs_retained {
    struct vs_lock lock;
    struct vs_version_set set;       /* the last range is open */
    struct vs_version_set unjudged;  /* dropped since the kept set was last refreshed */
    struct vs_version_set unentered; /* dropped since the last freeze: to leave the history tree */
    struct vs_tags tags;
    verso_retention policy;
    uint64_t policy_stamp; /* counts how often it was set */
    bool changed;          /* any of these since the last freeze */
    uint64_t walk;         /* where the policy's walk over older roots goes on */
    int64_t walked_us;     /* when it last went on */
    uint64_t held_pages;   /* see vs_store_held_pages() */
    uint64_t budget_pages; /* beyond so many it is counted anew; 0: when the budget says */
};

/** Begin with every root from 1 on retained, by `policy`, and no tags. VERSO_NOMEM. */
verso_err vs_retained_init(struct vs_retained *retained, const verso_retention *policy);
void vs_retained_clear(struct vs_retained *retained);

/** Room to drop `count` ranges, so that it cannot fail once it was logged. VERSO_NOMEM. */
verso_err vs_retained_reserve(struct vs_retained *retained, size_t count);

/** Drop ranges of roots, which ascend and do not overlap; those among them that are not retained do
 *  not matter. VERSO_NOMEM: nothing was dropped. */
verso_err vs_retained_drop(struct vs_retained *retained, const struct vs_version_range *ranges,
                           size_t count);

/** The ids [from, to], all above the tip, are passed over: no root will have them. VERSO_NOMEM:
 *  nothing was done. */
verso_err vs_retained_skip(struct vs_retained *retained, uint64_t from, uint64_t to);
/** They are not, after all: the commit behind them failed. */
void vs_retained_unskip(struct vs_retained *retained, uint64_t from, uint64_t to);

void vs_retained_set_policy(struct vs_retained *retained, const verso_retention *policy);

/** Set or delete a tag, as the calls in tags.h do. */
verso_err vs_retained_reserve_tag(struct vs_retained *retained, verso_slice name);
verso_err vs_retained_set_tag(struct vs_retained *retained, verso_slice name, uint64_t root,
                              int64_t time_us);
bool vs_retained_delete_tag(struct vs_retained *retained, verso_slice name);
/** The tags' tree says now what is here. */
void vs_retained_tags_entered(struct vs_retained *retained);

/** Is the root retained? Any thread. */
bool vs_retained_has(struct vs_retained *retained, uint64_t version);

/** The nearest retained root. Any thread. @return false: there is none. */
bool vs_retained_at_or_above(struct vs_retained *retained, uint64_t version, uint64_t *found);
bool vs_retained_at_or_below(struct vs_retained *retained, uint64_t version, uint64_t *found);

/** The policy. Any thread. */
verso_retention vs_retained_policy(struct vs_retained *retained);

/** The tag of that name, or (`after`) the first one behind it, copied. Any thread. @return false:
 *  there is none. */
bool vs_retained_find_tag(struct vs_retained *retained, verso_slice name, bool after,
                          struct vs_tag *tag);

/** Is a tag on the root? Holder of the writer lock. */
bool vs_retained_is_tagged(struct vs_retained *retained, uint64_t version);

#endif
