/*
 * value.h - from the payload of a leaf's cell to the value that it stands for.
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

#endif
