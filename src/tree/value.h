/*
 * value.h - from the payload of a leaf's cell to the value that it stands for.
 *
 * Threads: any that holds the versions pinned in which the leaves are alive.
 */
#ifndef VERSO_TREE_VALUE_H
#define VERSO_TREE_VALUE_H

#include "tree/tree.h"

/** The value of a payload that is a run reference. */
verso_err vs_value_of_run(struct vs_pages *pages, vs_page_no leaf, struct vs_payload payload,
                          struct vs_tree_value *value);

/** The value of a payload, which stands in page `leaf`. */
static inline verso_err vs_value_of(struct vs_pages *pages, vs_page_no leaf,
                                    struct vs_payload payload, struct vs_tree_value *value)
{
    value->is_run = payload.is_run;
    if (__builtin_expect(payload.is_run, 0)) {
        return vs_value_of_run(pages, leaf, payload, value);
    }
    value->slice.data = payload.bytes;
    value->slice.size = payload.size;
    return VERSO_OK;
}

/** Decode a payload that is a run reference and stands in page `leaf`. */
verso_err vs_value_run_ref(struct vs_pages *pages, vs_page_no leaf, struct vs_payload payload,
                           struct vs_run_ref *ref);

/** Where a value stands: the payload of a cell, and its leaf for messages. */
struct vs_value_place {
    vs_page_no leaf;
    struct vs_payload payload;
};

/**
 * Do two cells hold the same bytes? Long values are told apart by length and hash; their bytes are
 * read only where both agree and they lie in different pages.
 */
verso_err vs_value_is_same(struct vs_pages *pages, const struct vs_value_place *a,
                           const struct vs_value_place *b, bool *same);

/** Memory in which values of several pieces are put together, one at a time. Begins zeroed. */
struct vs_value_buffer {
    uint8_t *bytes;
    size_t capacity;
};

/** The bytes of a cell's value: where they lie, or put together in `buffer`, valid until its next
 *  use. VERSO_CORRUPT, VERSO_NOMEM. */
verso_err vs_value_bytes(struct vs_pages *pages, const struct vs_value_place *place,
                         struct vs_value_buffer *buffer, verso_slice *bytes);

void vs_value_buffer_clear(struct vs_value_buffer *buffer);

#endif
