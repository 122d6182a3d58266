/*
 * view_compare.c - single reads, batches and walks of a cursor, each with its answer worked out
 * from the array.
 */
#include "view_compare.h"

#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"

enum {
    MANY_MAX = 150, /* keys in one batched get: more than one round of the engine */
    BATCH_MAX = 40,
    WALK_STEPS = 24,
    PART_MAX = 5000, /* bytes */
};

bool view_same_bytes(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static bool same_entry(const verso_entry *a, const verso_entry *b)
{
    return view_same_bytes(a->key, b->key) && view_same_bytes(a->value, b->value);
}

/* A key to look for: one that is there, or the caller's. */
static verso_slice some_key(const struct tree_state *state, verso_slice other,
                            struct simulated_random *random)
{
    if (state->count == 0 || simulated_random_below(random, 3) == 0) {
        return other;
    }
    return state->pairs[simulated_random_below(random, state->count)].key;
}

/* ---- single keys ---- */

static const char *compare_get(verso_view *view, const struct tree_state *state, verso_slice key)
{
    size_t index;
    bool there = tree_state_find(state, key, &index);
    verso_slice value;
    verso_err err = verso_get(view, key, &value);
    if (err != (there ? VERSO_OK : VERSO_NOT_FOUND)) {
        return there ? "a get did not find a key" : "a get found a key that is not there";
    }
    return !there || view_same_bytes(value, state->pairs[index].value)
               ? NULL
               : "a get found another value";
}

static const char *compare_at_or_after(verso_view *view, const struct tree_state *state,
                                       verso_slice key)
{
    long index = tree_state_seek(state, VERSO_SEEK_GE, key);
    verso_entry found;
    verso_err err = verso_get_at_or_after(view, key, &found);
    if (err != (index < 0 ? VERSO_NOT_FOUND : VERSO_OK)) {
        return "a get at or after: found or not, unlike the array";
    }
    return index < 0 || same_entry(&found, &state->pairs[index])
               ? NULL
               : "a get at or after found another entry";
}

static const char *compare_part(verso_view *view, const struct tree_state *state, verso_slice key,
                                struct simulated_random *random)
{
    static uint8_t buffer[PART_MAX];
    size_t index;
    bool there = tree_state_find(state, key, &index);
    size_t size = there ? state->pairs[index].value.size : 0;
    size_t offset = (size_t)simulated_random_below(random, size + 10);
    size_t capacity = (size_t)simulated_random_below(random, PART_MAX + 1);
    size_t copied = 0;
    verso_err err = verso_read(view, key, offset, buffer, capacity, &copied);
    if (err != (there ? VERSO_OK : VERSO_NOT_FOUND)) {
        return "a read of a part: found or not, unlike the array";
    }
    size_t left = offset < size ? size - offset : 0;
    size_t expected = left < capacity ? left : capacity;
    if (!there || (copied == 0 && expected == 0)) {
        return NULL;
    }
    const uint8_t *bytes = state->pairs[index].value.data;
    return copied == expected && memcmp(buffer, bytes + offset, copied) == 0
               ? NULL
               : "a read of a part found other bytes";
}

static const char *compare_many(verso_view *view, const struct tree_state *state, verso_slice other,
                                struct simulated_random *random)
{
    verso_slice keys[MANY_MAX] = {{NULL, 0}};
    verso_slice values[MANY_MAX];
    verso_err results[MANY_MAX];
    size_t count = (size_t)simulated_random_below(random, MANY_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        keys[i] = some_key(state, other, random);
    }
    if (verso_get_many(view, keys, count, values, results) != VERSO_OK) {
        return "a batched get failed";
    }
    for (size_t i = 0; i < count; i++) {
        size_t index;
        bool there = tree_state_find(state, keys[i], &index);
        if (results[i] != (there ? VERSO_OK : VERSO_NOT_FOUND) ||
            !view_same_bytes(values[i],
                             there ? state->pairs[index].value : (verso_slice){NULL, 0})) {
            return "a batched get found something else";
        }
    }
    return NULL;
}

/* ---- ranges ---- */

/* Entries [from, to) of the array lie in a range. */
struct span {
    long from;
    long to;
};

static bool has_prefix(verso_slice key, verso_slice prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 || memcmp(key.data, prefix.data, prefix.size) == 0);
}

static bool in_range(const verso_range *range, verso_slice key)
{
    int from = range->has_from ? vs_key_compare(key, range->from) : 1;
    int to = range->has_to ? vs_key_compare(key, range->to) : -1;
    return (from > 0 || (from == 0 && !range->from_exclusive)) &&
           (to < 0 || (to == 0 && range->to_inclusive)) &&
           (!range->has_prefix || has_prefix(key, range->prefix));
}

static struct span span_of(const struct tree_state *state, const verso_range *range)
{
    struct span span = {0, (long)state->count};
    while (span.from < span.to && !in_range(range, state->pairs[span.from].key)) {
        span.from++;
    }
    while (span.from < span.to && !in_range(range, state->pairs[span.to - 1].key)) {
        span.to--;
    }
    return span;
}

static verso_range draw_range(const struct tree_state *state, verso_slice other,
                              struct simulated_random *random)
{
    verso_range range = {.size = sizeof range};
    unsigned how = (unsigned)simulated_random_below(random, 5);
    range.has_from = how == 1 || how == 3;
    range.has_to = how == 2 || how == 3;
    range.has_prefix = how == 4;
    range.from_exclusive = simulated_random_below(random, 2) == 0;
    range.to_inclusive = simulated_random_below(random, 2) == 0;
    range.from = some_key(state, other, random);
    range.to = some_key(state, other, random);
    range.prefix = some_key(state, other, random);
    range.prefix.size = (size_t)simulated_random_below(random, range.prefix.size + 1);
    return range;
}

/* ---- walks ---- */

struct walk {
    const struct tree_state *state;
    struct span span;
    verso_cursor *cursor;
    long place;   /* span.from - 1: before the range; span.to: behind it */
    bool nowhere; /* not placed yet */
};

static const char *check_step(struct walk *walk, long place, verso_err err,
                              const verso_entry *entry)
{
    walk->nowhere = false;
    walk->place = place;
    bool there = place >= walk->span.from && place < walk->span.to;
    if (err != (there ? VERSO_OK : VERSO_NOT_FOUND)) {
        return there ? "a cursor did not find the entry" : "a cursor went beyond its range";
    }
    return !there || same_entry(entry, &walk->state->pairs[place]) ? NULL
                                                                   : "a cursor met another entry";
}

static const char *step_seek(struct walk *walk, verso_slice key, struct simulated_random *random)
{
    verso_seek how = (verso_seek)(VERSO_SEEK_LT + simulated_random_below(random, 5));
    long place = tree_state_seek(walk->state, how, key);
    const struct span *span = &walk->span;
    if (how == VERSO_SEEK_GE || how == VERSO_SEEK_GT) {
        place = place < 0 || place >= span->to ? span->to : place;
        place = place < span->from ? span->from : place;
    } else if (how == VERSO_SEEK_LE || how == VERSO_SEEK_LT) {
        place = place < span->from ? span->from - 1 : place;
        place = place >= span->to ? span->to - 1 : place;
    } else {
        place = place < span->from || place >= span->to ? span->to : place;
    }
    verso_entry entry;
    verso_err err = verso_cursor_seek(walk->cursor, how, key, &entry);
    const char *fault = check_step(walk, place, err, &entry);
    if (fault == NULL && err == VERSO_NOT_FOUND && how == VERSO_SEEK_EQ) {
        /* where it stands now is not said: place it anew */
        err = verso_cursor_first(walk->cursor, &entry);
        fault = check_step(walk, span->from, err, &entry);
    }
    return fault;
}

static const char *step_batch(struct walk *walk, struct simulated_random *random)
{
    verso_entry entries[BATCH_MAX];
    size_t capacity = 1 + (size_t)simulated_random_below(random, BATCH_MAX);
    size_t count = 0;
    long first = walk->nowhere ? walk->span.from : walk->place + 1;
    first = first > walk->span.to ? walk->span.to : first;
    size_t expected = (size_t)(walk->span.to - first);
    expected = expected < capacity ? expected : capacity;
    verso_err err = verso_cursor_batch(walk->cursor, entries, capacity, &count);
    if (err != (expected == 0 ? VERSO_NOT_FOUND : VERSO_OK) || count != expected) {
        return "a batch handed out more or fewer entries";
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_entry(&entries[i], &walk->state->pairs[first + (long)i])) {
            return "a batch handed out another entry";
        }
    }
    walk->nowhere = false;
    walk->place = count < capacity ? walk->span.to : first + (long)count - 1;
    return NULL;
}

static const char *step_next(struct walk *walk)
{
    verso_entry entry;
    long place = walk->nowhere ? walk->span.from : walk->place + 1;
    place = place > walk->span.to ? walk->span.to : place;
    verso_err err = verso_cursor_next(walk->cursor, &entry);
    return check_step(walk, place, err, &entry);
}

static const char *step_previous(struct walk *walk)
{
    verso_entry entry;
    long place = walk->nowhere ? walk->span.to - 1 : walk->place - 1;
    place = place < walk->span.from - 1 ? walk->span.from - 1 : place;
    verso_err err = verso_cursor_previous(walk->cursor, &entry);
    return check_step(walk, place, err, &entry);
}

static const char *walk_step(struct walk *walk, verso_slice key, struct simulated_random *random)
{
    verso_entry entry;
    verso_err err;
    if (walk->span.from == walk->span.to) {
        /* which end of an empty range a cursor has met is not said: from anew */
        walk->nowhere = true;
        err = simulated_random_below(random, 2) == 0 ? verso_cursor_first(walk->cursor, &entry)
                                                     : verso_cursor_last(walk->cursor, &entry);
        return err == VERSO_NOT_FOUND ? NULL : "a cursor found an entry in an empty range";
    }
    switch (simulated_random_below(random, 10)) {
    case 0:
        err = verso_cursor_first(walk->cursor, &entry);
        return check_step(walk, walk->span.from, err, &entry);
    case 1:
        err = verso_cursor_last(walk->cursor, &entry);
        return check_step(walk, walk->span.to - 1, err, &entry);
    case 2:
    case 3:
        return step_seek(walk, some_key(walk->state, key, random), random);
    case 4:
        return step_batch(walk, random);
    case 5:
        if (walk->nowhere) {
            err = verso_cursor_current(walk->cursor, &entry);
            return err == VERSO_NOT_FOUND ? NULL : "a cursor that stands nowhere has an entry";
        }
        err = verso_cursor_current(walk->cursor, &entry);
        return check_step(walk, walk->place, err, &entry);
    case 6:
    case 7:
        return step_previous(walk);
    default:
        return step_next(walk);
    }
}

static const char *compare_walk(verso_view *view, const struct tree_state *state, verso_slice key,
                                struct simulated_random *random)
{
    verso_range range = draw_range(state, key, random);
    struct walk walk = {.state = state, .span = span_of(state, &range), .nowhere = true};
    if (verso_cursor_open(view, &range, &walk.cursor) != VERSO_OK) {
        return "a cursor could not be opened";
    }
    const char *fault = NULL;
    unsigned steps = 1 + (unsigned)simulated_random_below(random, WALK_STEPS);
    for (unsigned i = 0; i < steps && fault == NULL; i++) {
        fault = walk_step(&walk, key, random);
    }
    verso_cursor_close(walk.cursor);
    return fault;
}

const char *view_compare_some(verso_view *view, const struct tree_state *state, verso_slice key,
                              struct simulated_random *random)
{
    switch (simulated_random_below(random, 6)) {
    case 0:
        return compare_get(view, state, some_key(state, key, random));
    case 1:
        return compare_at_or_after(view, state, some_key(state, key, random));
    case 2:
        return compare_part(view, state, some_key(state, key, random), random);
    case 3:
        return compare_many(view, state, key, random);
    default:
        return compare_walk(view, state, key, random);
    }
}

/* ---- everything ---- */

static const char *compare_scans(struct walk *walk, struct simulated_random *random)
{
    const char *fault = NULL;
    for (long i = 0; i <= walk->span.to && fault == NULL; i++) {
        fault = step_next(walk);
    }
    for (long i = 0; i <= walk->span.to && fault == NULL; i++) {
        fault = step_previous(walk);
    }
    while (fault == NULL && walk->place < walk->span.to) {
        fault = step_batch(walk, random);
    }
    return fault;
}

const char *view_compare_all(verso_view *view, const struct tree_state *state,
                             struct simulated_random *random)
{
    struct walk walk = {.state = state, .span = {0, (long)state->count}, .nowhere = true};
    if (verso_cursor_open(view, NULL, &walk.cursor) != VERSO_OK) {
        return "a cursor could not be opened";
    }
    const char *fault = compare_scans(&walk, random);
    verso_cursor_close(walk.cursor);
    for (size_t i = 0; i < state->count && fault == NULL; i++) {
        fault = compare_get(view, state, state->pairs[i].key);
    }
    return fault;
}
