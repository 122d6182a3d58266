/*
 * version_set.h - a set of versions as sorted, disjoint ranges.
 *
 * A set of roots that are kept usually ends with an open range [N, infinity): what is committed from
 * now on belongs to it without a change. No two ranges touch.
 *
 * Threads: a value of its owner.
 */
#ifndef VERSO_STORE_VERSION_SET_H
#define VERSO_STORE_VERSION_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verso.h"

struct vs_version_range {
    uint64_t from;
    uint64_t to; /* inclusive; UINT64_MAX: for ever */
};

/** Zeroed: empty. */
struct vs_version_set {
    struct vs_version_range *range;
    size_t count;
    size_t capacity;
};

void vs_version_set_clear(struct vs_version_set *set);

/** Room for `more` ranges, so that as many calls of add and drop cannot fail. VERSO_NOMEM. */
verso_err vs_version_set_reserve(struct vs_version_set *set, size_t more);

/** Put a range in, in time that follows what lies behind it. VERSO_NOMEM: nothing was changed. */
verso_err vs_version_set_add(struct vs_version_set *set, uint64_t from, uint64_t to);

/** Take a range out, as above. VERSO_NOMEM: nothing was changed. */
verso_err vs_version_set_drop(struct vs_version_set *set, uint64_t from, uint64_t to);

/** Put in, or take out, `count` ranges that ascend and do not overlap, in one pass over what lies
 *  behind the first of them. VERSO_NOMEM: nothing was changed; not after
 *  vs_version_set_reserve(set, count). */
verso_err vs_version_set_add_ranges(struct vs_version_set *set,
                                    const struct vs_version_range *ranges, size_t count);
verso_err vs_version_set_drop_ranges(struct vs_version_set *set,
                                     const struct vs_version_range *ranges, size_t count);

/** Make `set` equal to `other`. VERSO_NOMEM: nothing was changed. */
verso_err vs_version_set_copy(struct vs_version_set *set, const struct vs_version_set *other);

/** Put all of `other` in. VERSO_NOMEM: nothing was changed. */
verso_err vs_version_set_join(struct vs_version_set *set, const struct vs_version_set *other);

bool vs_version_set_has(const struct vs_version_set *set, uint64_t version);

/** Does a version of the set lie in [born, died)? */
bool vs_version_set_meets(const struct vs_version_set *set, uint64_t born, uint64_t died);

/** The least version at or above, or the greatest at or below. @return false: there is none. */
bool vs_version_set_at_or_above(const struct vs_version_set *set, uint64_t version,
                                uint64_t *found);
bool vs_version_set_at_or_below(const struct vs_version_set *set, uint64_t version,
                                uint64_t *found);

/** The n-th newest (1: the newest) of those up to `tip`. @return false: there are not so many. */
bool vs_version_set_newest(const struct vs_version_set *set, uint64_t tip, uint64_t n,
                           uint64_t *found);

/** How many lie in [from, to]. */
uint64_t vs_version_set_count(const struct vs_version_set *set, uint64_t from, uint64_t to);

/**
 * As bytes: for each range the number of versions between it and the one before, then its length,
 * each as LEB128; an open range is the last, and its length is written as 0.
 *
 * @param[out] bytes  malloc'ed. VERSO_NOMEM.
 */
verso_err vs_version_set_encode(const struct vs_version_set *set, uint8_t **bytes, size_t *size);

/** @retval VERSO_CORRUPT  The bytes are no set. @retval VERSO_NOMEM */
verso_err vs_version_set_decode(const uint8_t *bytes, size_t size, struct vs_version_set *set);

#endif
