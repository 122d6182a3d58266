/*
 * view_counts.c - what a sorted array says at once, asked of a view.
 */
#include "view_counts.h"

#include "range_model.h"
#include "view_compare.h"

static bool is_pair(const verso_entry *entry, const struct tree_state *state, size_t place)
{
    return place < state->count && view_same_bytes(entry->key, state->pairs[place].key) &&
           view_same_bytes(entry->value, state->pairs[place].value);
}

static const char *compare_place(verso_view *view, const struct tree_state *state,
                                 struct simulated_random *random)
{
    size_t place = (size_t)simulated_random_below(random, state->count + 1);
    verso_entry entry;
    verso_err err = verso_nth(view, place, &entry);
    if (place == state->count) {
        return err == VERSO_NOT_FOUND ? NULL : "there is one entry more than there are";
    }
    if (err != VERSO_OK || !is_pair(&entry, state, place)) {
        return "the n-th entry is another one";
    }
    uint64_t rank = 0;
    err = verso_rank(view, state->pairs[place].key, &rank);
    return err == VERSO_OK && rank == place ? NULL : "a key has another rank";
}

static const char *compare_share(verso_view *view, const struct tree_state *state,
                                 const verso_range *range, size_t first, size_t count,
                                 struct simulated_random *random)
{
    uint64_t shares = 1 + simulated_random_below(random, 5);
    uint64_t share = simulated_random_below(random, shares);
    size_t from = first; /* the earlier shares, which must all end where the next begins */
    verso_err err = VERSO_OK;
    for (uint64_t i = 0; i <= share && err == VERSO_OK; i++) {
        verso_cursor *cursor;
        err = verso_cursor_open_share(view, range, shares, i, &cursor);
        if (err != VERSO_OK) {
            return "a share cannot be opened";
        }
        verso_entry entry;
        size_t before = from;
        while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK && from < first + count &&
               is_pair(&entry, state, from)) {
            from++;
        }
        verso_cursor_close(cursor);
        bool even =
            from - before == count / shares || from - before == (count + shares - 1) / shares;
        if (err != VERSO_NOT_FOUND || !even) {
            return "a share is too long or too short, or holds another entry";
        }
        err = VERSO_OK;
    }
    return NULL;
}

const char *view_compare_counts(verso_view *view, const struct tree_state *state,
                                struct simulated_random *random)
{
    static struct range_model drawn;
    range_model_draw(&drawn, state, random);
    size_t first = 0;
    size_t expected = range_model_count(&drawn.range, state, &first);
    uint64_t count = 0;
    if (verso_count(view, &drawn.range, &count) != VERSO_OK || count != expected) {
        return "a range has another count";
    }
    verso_entry entry;
    uint64_t bits = simulated_random_next(random);
    verso_err err = verso_random(view, &drawn.range, bits, &entry);
    if (expected == 0) {
        return err == VERSO_NOT_FOUND ? compare_place(view, state, random)
                                      : "an empty range has a random entry";
    }
    size_t place;
    if (err != VERSO_OK || !tree_state_find(state, entry.key, &place) || place < first ||
        place >= first + expected || !is_pair(&entry, state, place)) {
        return "a random entry is none of the range";
    }
    const char *fault = compare_share(view, state, &drawn.range, first, expected, random);
    return fault == NULL ? compare_place(view, state, random) : fault;
}
