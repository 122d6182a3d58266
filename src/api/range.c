/*
 * range.c - from the many ways to give a range to [from, to).
 *
 *     given                 becomes
 *     from, inclusive       [from
 *     from, exclusive       [from 00         the next key in order has a zero byte more
 *     to, exclusive          to)
 *     to, inclusive          to 00)
 *     prefix                [prefix, prefix with its last byte below 255 raised, cut behind it)
 *
 * Of two lower bounds the greater counts, of two upper ones the lesser.
 */
#include "api/range.h"

#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/key_order.h"
#include "os/fault.h"

/* Longer than any key of any store: what follows in a bound cannot change which keys it divides. */
enum { BOUND_MAX = VS_PAGE_SIZE_MAX / 4 };

static size_t bound_size(verso_slice key)
{
    return key.size < BOUND_MAX ? key.size : BOUND_MAX;
}

/** Copy a bound to *at, with a zero byte more if `behind` it; *at moves on. */
static verso_slice copy_bound(uint8_t **at, verso_slice key, bool behind)
{
    uint8_t *copy = *at;
    size_t size = bound_size(key);
    if (size > 0) {
        memcpy(copy, key.data, size);
    }
    copy[size] = 0;
    size += behind;
    *at += size;
    return (verso_slice){copy, size};
}

static void raise_from(struct vs_key_range *keys, verso_slice from)
{
    if (!keys->has_from || vs_key_compare(from, keys->from) > 0) {
        keys->has_from = true;
        keys->from = from;
    }
}

static void lower_to(struct vs_key_range *keys, verso_slice to)
{
    if (!keys->has_to || vs_key_compare(to, keys->to) < 0) {
        keys->has_to = true;
        keys->to = to;
    }
}

/** Narrow the range to the keys that begin with `prefix`. */
static void narrow_to_prefix(struct vs_key_range *keys, uint8_t **at, verso_slice prefix)
{
    raise_from(keys, copy_bound(at, prefix, false));
    uint8_t *bytes = *at;
    verso_slice behind = copy_bound(at, prefix, false);
    while (behind.size > 0 && bytes[behind.size - 1] == UINT8_MAX) {
        behind.size--;
    }
    if (behind.size > 0) { /* else nothing is above the keys with this prefix */
        bytes[behind.size - 1]++;
        lower_to(keys, behind);
    }
}

static verso_err check_given(const verso_range *given)
{
    if (given->size < sizeof *given || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "range: `size` is %zu; set it to sizeof", given->size);
    }
    if ((given->has_from && !vs_slice_is_sound(given->from)) ||
        (given->has_to && !vs_slice_is_sound(given->to)) ||
        (given->has_prefix && !vs_slice_is_sound(given->prefix))) {
        return vs_fault(VERSO_INVALID, "range: a bound has a size but no data");
    }
    return VERSO_OK;
}

verso_err vs_range_read(const verso_range *given, struct vs_range *range)
{
    if (given == NULL) {
        *range = (struct vs_range){.empty = false};
        return VERSO_OK;
    }
    verso_err err = check_given(given);
    if (err != VERSO_OK) {
        return err;
    }
    size_t size = (given->has_from ? bound_size(given->from) + 1 : 0) +
                  (given->has_to ? bound_size(given->to) + 1 : 0) +
                  (given->has_prefix ? 2 * bound_size(given->prefix) : 0);
    uint8_t *at = malloc(size + 1); /* copy_bound() writes a zero behind the last one */
    if (at == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the bounds of a range");
    }
    *range = (struct vs_range){.bytes = at};
    struct vs_key_range *keys = &range->keys;
    if (given->has_from) {
        raise_from(keys, copy_bound(&at, given->from, given->from_exclusive));
    }
    if (given->has_to) {
        lower_to(keys, copy_bound(&at, given->to, given->to_inclusive));
    }
    if (given->has_prefix) {
        narrow_to_prefix(keys, &at, given->prefix);
    }
    range->empty = keys->has_from && keys->has_to && vs_key_compare(keys->from, keys->to) >= 0;
    return VERSO_OK;
}

void vs_range_clear(struct vs_range *range)
{
    free(range->bytes);
    range->bytes = NULL;
}

bool vs_range_is_below(const struct vs_range *range, verso_slice key)
{
    return range->keys.has_from && vs_key_compare(key, range->keys.from) < 0;
}

bool vs_range_is_above(const struct vs_range *range, verso_slice key)
{
    return range->keys.has_to && vs_key_compare(key, range->keys.to) >= 0;
}
