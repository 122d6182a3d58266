/*
 * image_set.c - a hash set of numbers that are hashes themselves.
 */
#include "image_set.h"

#include <stdlib.h>

enum { CAPACITY_FIRST = 1024 };

/* The number's place, or the free one where it belongs. */
static uint64_t *place_of(const struct image_set *set, uint64_t number)
{
    size_t at = (size_t)number & (set->capacity - 1);
    while (set->places[at] != 0 && set->places[at] != number) {
        at = (at + 1) & (set->capacity - 1);
    }
    return &set->places[at];
}

static void grow(struct image_set *set)
{
    struct image_set old = *set;
    set->capacity = old.capacity == 0 ? CAPACITY_FIRST : old.capacity * 2;
    set->places = calloc(set->capacity, sizeof *set->places);
    if (set->places == NULL) {
        abort();
    }
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.places[i] != 0) {
            *place_of(set, old.places[i]) = old.places[i];
        }
    }
    free(old.places);
}

bool image_set_add(struct image_set *set, uint64_t number)
{
    number = number == 0 ? 1 : number;
    if (set->count * 2 >= set->capacity) { /* half empty: a search always ends */
        grow(set);
    }
    uint64_t *place = place_of(set, number);
    if (*place == number) {
        return false;
    }
    *place = number;
    set->count++;
    return true;
}

void image_set_clear(struct image_set *set)
{
    free(set->places);
    *set = (struct image_set){.places = NULL};
}
