/*
 * range_model.c - random ranges, and a slow reading of what they mean.
 */
#include "range_model.h"

#include <string.h>

#include "format/key_order.h"

static verso_slice draw_bound(const struct tree_state *state, struct simulated_random *random,
                              uint8_t *buffer)
{
    return tree_state_near_key(state, random, buffer, RANGE_MODEL_KEY_MAX);
}

void range_model_draw(struct range_model *model, const struct tree_state *state,
                      struct simulated_random *random)
{
    verso_range *range = &model->range;
    *range = (verso_range){.size = sizeof *range};
    unsigned choice = (unsigned)simulated_random_below(random, 12);
    range->has_from = choice != 0 && choice != 1;
    range->has_to = choice != 0 && choice != 2;
    range->has_prefix = choice >= 10;
    range->from_exclusive = simulated_random_below(random, 3) == 0;
    range->to_inclusive = simulated_random_below(random, 3) == 0;
    range->from = draw_bound(state, random, model->from);
    range->to = draw_bound(state, random, model->to);
    if (range->has_from && range->has_to && vs_key_compare(range->from, range->to) > 0 &&
        simulated_random_below(random, 8) != 0) {
        verso_slice from = range->from;
        range->from = range->to;
        range->to = from;
    }
    range->prefix = draw_bound(state, random, model->prefix);
    range->prefix.size = (size_t)simulated_random_below(random, range->prefix.size + 1);
}

bool range_model_has(const verso_range *range, verso_slice key)
{
    if (range->has_from) {
        int order = vs_key_compare(key, range->from);
        if (order < 0 || (order == 0 && range->from_exclusive)) {
            return false;
        }
    }
    if (range->has_to) {
        int order = vs_key_compare(key, range->to);
        if (order > 0 || (order == 0 && !range->to_inclusive)) {
            return false;
        }
    }
    size_t size = range->prefix.size;
    return !range->has_prefix || size == 0 ||
           (key.size >= size && memcmp(key.data, range->prefix.data, size) == 0);
}

size_t range_model_count(const verso_range *range, const struct tree_state *state, size_t *first)
{
    size_t count = 0;
    for (size_t i = 0; i < state->count; i++) {
        if (range_model_has(range, state->pairs[i].key)) {
            *first = count == 0 ? i : *first;
            count++;
        }
    }
    return count;
}
