/*
 * range_model.h - test support: random ranges of every kind, and which keys belong to them by the
 * letter of verso.h.
 */
#ifndef VERSO_TESTS_RANGE_MODEL_H
#define VERSO_TESTS_RANGE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "simulated_random.h"
#include "tree_state.h"
#include "verso.h"

enum { RANGE_MODEL_KEY_MAX = 16400 }; /* a little more than the longest key of any store */

/** A range and the bytes of its bounds. */
struct range_model {
    verso_range range;
    uint8_t from[RANGE_MODEL_KEY_MAX];
    uint8_t to[RANGE_MODEL_KEY_MAX];
    uint8_t prefix[RANGE_MODEL_KEY_MAX];
};

/** Draw a range with bounds near the keys of `state`: any of from, to and prefix, inclusive or not,
 *  sometimes with no key between them. */
void range_model_draw(struct range_model *model, const struct tree_state *state,
                      struct simulated_random *random);

/** Does the key belong to the range? */
bool range_model_has(const verso_range *range, verso_slice key);

/** How many keys of `state` belong to the range; they stand in a row. *first: the first one's
 *  place, if there is one. */
size_t range_model_count(const verso_range *range, const struct tree_state *state, size_t *first);

#endif
