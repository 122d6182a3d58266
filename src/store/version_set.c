/*
 * version_set.c - changing, searching and encoding sets of versions; see version_set.h.
 */
#include "store/version_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/leb128.h"
#include "os/fault.h"

void vs_version_set_clear(struct vs_version_set *set)
{
    free(set->range);
    *set = (struct vs_version_set){NULL, 0, 0};
}

verso_err vs_version_set_reserve(struct vs_version_set *set, size_t more)
{
    if (set->count + more <= set->capacity) {
        return VERSO_OK;
    }
    size_t capacity = set->capacity * 2 > set->count + more ? set->capacity * 2 : set->count + more;
    capacity = capacity < 16 ? 16 : capacity;
    struct vs_version_range *grown = realloc(set->range, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a set of versions");
    }
    set->range = grown;
    set->capacity = capacity;
    return VERSO_OK;
}

/* The first range that ends at or after `version`; set->count if none does. */
static size_t search(const struct vs_version_set *set, uint64_t version)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->range[middle].to < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Replace the ranges [first, end) by `count` others; room was reserved. */
static void splice(struct vs_version_set *set, size_t first, size_t end,
                   const struct vs_version_range *ranges, size_t count)
{
    assert(set->count - (end - first) + count <= set->capacity);
    memmove(set->range + first + count, set->range + end, (set->count - end) * sizeof *set->range);
    memcpy(set->range + first, ranges, count * sizeof *ranges);
    set->count = set->count - (end - first) + count;
}

verso_err vs_version_set_add(struct vs_version_set *set, uint64_t from, uint64_t to)
{
    assert(from <= to);
    verso_err err = vs_version_set_reserve(set, 1);
    if (err != VERSO_OK) {
        return err;
    }
    size_t first = search(set, from == 0 ? 0 : from - 1); /* one that only touches is joined */
    size_t end = first;
    struct vs_version_range whole = {from, to};
    for (; end < set->count && (to == UINT64_MAX || set->range[end].from <= to + 1); end++) {
        whole.from = set->range[end].from < whole.from ? set->range[end].from : whole.from;
        whole.to = set->range[end].to > whole.to ? set->range[end].to : whole.to;
    }
    splice(set, first, end, &whole, 1);
    return VERSO_OK;
}

verso_err vs_version_set_drop(struct vs_version_set *set, uint64_t from, uint64_t to)
{
    assert(from <= to);
    verso_err err = vs_version_set_reserve(set, 1);
    if (err != VERSO_OK) {
        return err;
    }
    size_t first = search(set, from);
    size_t end = first;
    struct vs_version_range rest[2];
    size_t count = 0;
    for (; end < set->count && set->range[end].from <= to; end++) {
        const struct vs_version_range *range = &set->range[end];
        if (range->from < from) {
            rest[count++] = (struct vs_version_range){range->from, from - 1};
        }
        if (range->to > to) {
            rest[count++] = (struct vs_version_range){to + 1, range->to};
        }
    }
    splice(set, first, end, rest, count);
    return VERSO_OK;
}

/* Move what lies from `first` on up by `count`, so that a pass may write below where it reads.
 * @return Where it begins now. */
static size_t open_gap(struct vs_version_set *set, size_t first, size_t count)
{
    memmove(set->range + first + count, set->range + first,
            (set->count - first) * sizeof *set->range);
    set->count = first;
    return first + count;
}

/* What a pass has not looked at, [in, end), stays as it is. */
static void close_gap(struct vs_version_set *set, size_t in, size_t end)
{
    memmove(set->range + set->count, set->range + in, (end - in) * sizeof *set->range);
    set->count += end - in;
}

static bool touches_last(const struct vs_version_set *set, uint64_t from)
{
    return set->count > 0 && (set->range[set->count - 1].to == UINT64_MAX ||
                              from <= set->range[set->count - 1].to + 1);
}

static void append_or_join(struct vs_version_set *set, struct vs_version_range range)
{
    if (touches_last(set, range.from)) {
        struct vs_version_range *last = &set->range[set->count - 1];
        last->to = range.to > last->to ? range.to : last->to;
    } else {
        set->range[set->count++] = range;
    }
}

verso_err vs_version_set_add_ranges(struct vs_version_set *set,
                                    const struct vs_version_range *ranges, size_t count)
{
    verso_err err = vs_version_set_reserve(set, count);
    if (err != VERSO_OK || count == 0) {
        return err;
    }
    size_t end = set->count + count;
    size_t first = search(set, ranges[0].from == 0 ? 0 : ranges[0].from - 1);
    size_t in = open_gap(set, first, count);
    size_t next = 0;
    while (next < count || (in < end && touches_last(set, set->range[in].from))) {
        bool own = next == count || (in < end && set->range[in].from <= ranges[next].from);
        append_or_join(set, own ? set->range[in++] : ranges[next++]);
    }
    close_gap(set, in, end);
    return VERSO_OK;
}

verso_err vs_version_set_drop_ranges(struct vs_version_set *set,
                                     const struct vs_version_range *ranges, size_t count)
{
    verso_err err = vs_version_set_reserve(set, count);
    if (err != VERSO_OK || count == 0) {
        return err;
    }
    size_t end = set->count + count;
    size_t in = open_gap(set, search(set, ranges[0].from), count);
    for (size_t next = 0; in < end && next < count;) {
        struct vs_version_range *range = &set->range[in];
        const struct vs_version_range *gone = &ranges[next];
        if (gone->to < range->from) {
            next++;
            continue;
        }
        if (range->from < gone->from) { /* each piece is below `in`: it used up a range or a gone */
            uint64_t to = range->to < gone->from ? range->to : gone->from - 1;
            set->range[set->count++] = (struct vs_version_range){range->from, to};
        }
        if (gone->to < range->to) {
            range->from = gone->to + 1;
            next++;
        } else {
            in++;
        }
    }
    close_gap(set, in, end);
    return VERSO_OK;
}

verso_err vs_version_set_copy(struct vs_version_set *set, const struct vs_version_set *other)
{
    if (other->count > set->count) {
        verso_err err = vs_version_set_reserve(set, other->count - set->count);
        if (err != VERSO_OK) {
            return err;
        }
    }
    if (other->count > 0) {
        memcpy(set->range, other->range, other->count * sizeof *set->range);
    }
    set->count = other->count;
    return VERSO_OK;
}

verso_err vs_version_set_join(struct vs_version_set *set, const struct vs_version_set *other)
{
    return vs_version_set_add_ranges(set, other->range, other->count);
}

bool vs_version_set_has(const struct vs_version_set *set, uint64_t version)
{
    size_t at = search(set, version);
    return at < set->count && set->range[at].from <= version;
}

bool vs_version_set_meets(const struct vs_version_set *set, uint64_t born, uint64_t died)
{
    size_t at = search(set, born);
    return at < set->count && set->range[at].from < died && born < died;
}

bool vs_version_set_at_or_above(const struct vs_version_set *set, uint64_t version, uint64_t *found)
{
    size_t at = search(set, version);
    if (at == set->count) {
        return false;
    }
    *found = set->range[at].from > version ? set->range[at].from : version;
    return true;
}

bool vs_version_set_at_or_below(const struct vs_version_set *set, uint64_t version, uint64_t *found)
{
    size_t at = search(set, version);
    if (at < set->count && set->range[at].from <= version) {
        *found = version;
        return true;
    }
    if (at == 0) {
        return false;
    }
    *found = set->range[at - 1].to;
    return true;
}

bool vs_version_set_newest(const struct vs_version_set *set, uint64_t tip, uint64_t n,
                           uint64_t *found)
{
    assert(n > 0);
    uint64_t left = n;
    for (size_t i = set->count; i > 0; i--) {
        const struct vs_version_range *range = &set->range[i - 1];
        uint64_t to = range->to < tip ? range->to : tip;
        if (range->from > to) {
            continue;
        }
        uint64_t length = to - range->from; /* less one, so that it fits */
        if (left - 1 <= length) {
            *found = to - (left - 1);
            return true;
        }
        left -= length + 1;
    }
    return false;
}

uint64_t vs_version_set_count(const struct vs_version_set *set, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (size_t i = search(set, from); i < set->count && set->range[i].from <= to; i++) {
        const struct vs_version_range *range = &set->range[i];
        uint64_t first = range->from > from ? range->from : from;
        uint64_t last = range->to < to ? range->to : to;
        count += last - first + 1;
    }
    return count;
}

verso_err vs_version_set_encode(const struct vs_version_set *set, uint8_t **bytes, size_t *size)
{
    uint8_t *encoded = malloc(set->count * 2 * VS_LEB128_MAX + 1);
    if (encoded == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to write a set of versions down");
    }
    uint8_t *at = encoded;
    uint64_t before = 0; /* the first version that may come next */
    for (size_t i = 0; i < set->count; i++) {
        const struct vs_version_range *range = &set->range[i];
        at = vs_leb128_put(at, range->from - before);
        at = vs_leb128_put(at, range->to == UINT64_MAX ? 0 : range->to - range->from + 1);
        before = range->to + 1;
    }
    *bytes = encoded;
    *size = (size_t)(at - encoded);
    return VERSO_OK;
}

verso_err vs_version_set_decode(const uint8_t *bytes, size_t size, struct vs_version_set *set)
{
    const uint8_t *at = bytes;
    const uint8_t *end = bytes + size;
    uint64_t before = 0;
    bool open = false;
    set->count = 0;
    while (at < end) {
        uint64_t gap;
        uint64_t length;
        if (open || !vs_leb128_get(&at, end, UINT64_MAX - 1 - before, &gap) ||
            !vs_leb128_get(&at, end, UINT64_MAX - 1 - before - gap, &length) ||
            (gap == 0 && set->count > 0)) {
            return vs_fault(VERSO_CORRUPT, "the set of kept roots is damaged");
        }
        open = length == 0;
        verso_err err =
            vs_version_set_add(set, before + gap, open ? UINT64_MAX : before + gap + length - 1);
        if (err != VERSO_OK) {
            return err;
        }
        before += gap + length;
    }
    return VERSO_OK;
}
