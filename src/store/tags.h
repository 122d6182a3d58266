/*
 * tags.h - the tags of a store in memory: names of roots, sorted by name.
 *
 * Threads: a value of its owner (retained.h).
 */
#ifndef VERSO_STORE_TAGS_H
#define VERSO_STORE_TAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verso.h"

struct vs_tag {
    char name[VERSO_NAME_MAX + 1]; /* ends with a zero */
    uint8_t name_size;
    uint64_t root;
    int64_t time_us;
    bool entered; /* in the tags' tree as it is here */
};

/** Zeroed: none. */
struct vs_tags {
    struct vs_tag **tag; /* by name */
    size_t count;
    size_t capacity;
    uint64_t *root;       /* what they name, ascending, with repetitions */
    struct vs_tag *spare; /* for the next one, or NULL */
    bool changed;         /* since the last freeze */
};

void vs_tags_clear(struct vs_tags *tags);

/** The tag of that name, or NULL. Good until the tags change. */
const struct vs_tag *vs_tags_find(const struct vs_tags *tags, verso_slice name);

/** The first tag whose name is above `name` (size 0: the first of all), or NULL. */
const struct vs_tag *vs_tags_after(const struct vs_tags *tags, verso_slice name);

/** Room for a tag of that name, so that setting it cannot fail once it was logged. VERSO_NOMEM. */
verso_err vs_tags_reserve(struct vs_tags *tags, verso_slice name);

/** Set a tag, new or not. Its name is one (vs_name_fault()). VERSO_NOMEM: nothing was changed. */
verso_err vs_tags_set(struct vs_tags *tags, verso_slice name, uint64_t root, int64_t time_us);

/** Delete a tag. @return false: there is none. */
bool vs_tags_delete(struct vs_tags *tags, verso_slice name);

/** The tags' tree says now what is here. */
void vs_tags_entered(struct vs_tags *tags);

/** The least tagged root at or above `version`. @return false: there is none. */
bool vs_tags_root_at_or_above(const struct vs_tags *tags, uint64_t version, uint64_t *root);

#endif
