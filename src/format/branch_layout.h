/*
 * branch_layout.h - where the fields of a branch lie. For the branch_*.c files only.
 *
 * Integers little-endian, offsets in bytes:
 *     0      1       2        4          6             8        16         20     22     24
 *     +------+-------+--------+----------+-------------+--------+----------+------+------+----
 *     | kind | level | count  | capacity | prefix size | birth  | cell top | dead | step | ...
 *     +------+-------+--------+----------+-------------+--------+----------+------+------+----
 *     24: u32 hint[32] unless step is 0, the prefix padded to a multiple of 4, then
 *     +-----------------+-----------------+----------------+---------------+------+-------------+
 *     | head[capacity]  | child[capacity] | keys[capacity] | sep[capacity] | free | cells, from |
 *     | u32             | u32             | u16, u32, u64  | u16           |      | the end down|
 *     +-----------------+-----------------+----------------+---------------+------+-------------+
 * keys[i], the number of keys below child i, has 2 bytes on level 1, 4 on level 2 and 8 above.
 * The prefix begins every separator but separator 0, which is minus infinity; what follows it is
 * the separator's suffix, whose first four bytes are its head (key_order.h). sep[i] is the suffix's
 * size if that is at most 4: the head holds it whole, as it does for nearly all shortest
 * separators. Else sep[i] is where its cell lies: {u16 suffix size, suffix from its fifth byte on}.
 * hint[j] = head[j * step], so that a search reads some lines of the hints and two of the heads.
 * B1  capacity is a multiple of 8; heads from `count` on are 0xffffffff; count >= 1.
 * B2  step follows from the capacity (branch_step()); hint[j] is exact, and 0xffffffff from `count`
 *     on.
 * B3  Arrays and cells do not meet; cells lie in [cell top, page end) and do not overlap; `dead` is
 *     what lies there outside of cells.
 * B4  head[0] = sep[0] = 0. Separators strictly ascend from index 1 on; a head's bytes beyond its
 *     suffix are zero. No separator is longer than a key may be, and but for 0 none is empty.
 * B5  No child is page 0.
 */
#ifndef VERSO_FORMAT_BRANCH_LAYOUT_H
#define VERSO_FORMAT_BRANCH_LAYOUT_H

#include <assert.h>

#include "format/branch.h"
#include "format/key_order.h"

enum {
    BRANCH_CAPACITY_AT = 4,
    BRANCH_PREFIX_SIZE_AT = 6,
    BRANCH_CELL_TOP_AT = 16,
    BRANCH_DEAD_AT = 20,
    BRANCH_STEP_AT = 22,
    BRANCH_HINTS_AT = 24,
    BRANCH_HINTS = 32,
    BRANCH_HINTS_SIZE = BRANCH_HINTS * VS_HEAD_SIZE,
    BRANCH_HINT_STEP = 16,
    BRANCH_HINTLESS_MAX = 64, /* capacity up to which comparing all heads is as fast */
    BRANCH_CAPACITY_STEP = 8,
    BRANCH_CHILD_SIZE = 4,
    BRANCH_SEP_SIZE = 2,
    BRANCH_CELL_HEADER = 2,
    BRANCH_KEY_MAX = VS_PAGE_SIZE_MAX / 4, /* above vs_leaf_key_max() of any page size */
};
#define BRANCH_HEAD_UNUSED UINT32_MAX

/** The places of a branch's arrays: offsets in bytes, worked out once per call. */
struct branch_layout {
    unsigned count;
    unsigned capacity;
    unsigned step;
    size_t prefix_size;
    size_t prefix_at;
    size_t heads_at;
    size_t children_at;
    size_t keys_at;
    size_t keys_width;
    size_t seps_at;
    size_t free_at; /* the end of the arrays */
};

static inline size_t branch_keys_width(unsigned level)
{
    return level == 1 ? 2 : level == 2 ? 4 : 8;
}

static inline size_t branch_entry_size(unsigned level)
{
    return VS_HEAD_SIZE + BRANCH_CHILD_SIZE + branch_keys_width(level) + BRANCH_SEP_SIZE;
}

/** How many heads a hint stands for, a multiple of 16; 0: without hints. */
static inline unsigned branch_step(unsigned capacity)
{
    unsigned widest = BRANCH_HINTS * BRANCH_HINT_STEP;
    return capacity <= BRANCH_HINTLESS_MAX ? 0
                                           : (capacity + widest - 1) / widest * BRANCH_HINT_STEP;
}

static inline size_t branch_prefix_at(unsigned step)
{
    return BRANCH_HINTS_AT + (step != 0 ? BRANCH_HINTS_SIZE : 0U);
}

static inline size_t branch_heads_at(unsigned step, size_t prefix_size)
{
    return branch_prefix_at(step) + ((prefix_size + 3) & ~(size_t)3);
}

static inline struct branch_layout branch_layout(const uint8_t *page)
{
    struct branch_layout at;
    at.count = vs_page_count(page);
    at.capacity = vs_get_le16(page + BRANCH_CAPACITY_AT);
    at.step = vs_get_le16(page + BRANCH_STEP_AT);
    at.prefix_size = vs_get_le16(page + BRANCH_PREFIX_SIZE_AT);
    at.prefix_at = branch_prefix_at(at.step);
    at.heads_at = branch_heads_at(at.step, at.prefix_size);
    at.children_at = at.heads_at + (size_t)at.capacity * VS_HEAD_SIZE;
    at.keys_at = at.children_at + (size_t)at.capacity * BRANCH_CHILD_SIZE;
    at.keys_width = branch_keys_width(vs_page_level(page));
    at.seps_at = at.keys_at + at.capacity * at.keys_width;
    at.free_at = at.seps_at + (size_t)at.capacity * BRANCH_SEP_SIZE;
    return at;
}

static inline size_t branch_cell_top(const uint8_t *page)
{
    return vs_get_le32(page + BRANCH_CELL_TOP_AT);
}

static inline size_t branch_dead(const uint8_t *page)
{
    return vs_get_le16(page + BRANCH_DEAD_AT);
}

static inline void branch_set_cells(uint8_t *page, size_t cell_top, size_t dead)
{
    assert(cell_top <= VS_PAGE_SIZE_MAX);
    assert(dead <= UINT16_MAX);
    vs_put_le32(page + BRANCH_CELL_TOP_AT, (uint32_t)cell_top);
    vs_put_le16(page + BRANCH_DEAD_AT, (uint16_t)dead);
}

static inline uint32_t branch_head(const uint8_t *page, const struct branch_layout *at, unsigned i)
{
    return vs_get_le32(page + at->heads_at + (size_t)i * VS_HEAD_SIZE);
}

/** A separator's suffix in its two parts. */
struct branch_suffix {
    uint32_t head;
    size_t size;         /* of the whole suffix */
    const uint8_t *rest; /* from its fifth byte on */
};

static inline struct branch_suffix branch_suffix(const uint8_t *page,
                                                 const struct branch_layout *at, unsigned i)
{
    unsigned sep = vs_get_le16(page + at->seps_at + (size_t)i * BRANCH_SEP_SIZE);
    struct branch_suffix suffix = {branch_head(page, at, i), sep, NULL};
    if (sep > VS_HEAD_SIZE) {
        suffix.size = vs_get_le16(page + sep);
        suffix.rest = page + sep + BRANCH_CELL_HEADER;
    }
    return suffix;
}

/** Bytes of cell that a suffix of this size needs. */
static inline size_t branch_cell_size(size_t suffix_size)
{
    return suffix_size > VS_HEAD_SIZE ? BRANCH_CELL_HEADER + vs_rest_size(suffix_size) : 0;
}

static inline unsigned branch_capacity_for(unsigned count)
{
    return (count + BRANCH_CAPACITY_STEP - 1) / BRANCH_CAPACITY_STEP * BRANCH_CAPACITY_STEP;
}

static inline uint64_t branch_get_keys(const uint8_t *at, size_t width)
{
    return width == 2 ? vs_get_le16(at) : width == 4 ? vs_get_le32(at) : vs_get_le64(at);
}

static inline void branch_put_keys(uint8_t *at, size_t width, uint64_t keys)
{
    if (width == 2) {
        assert(keys <= UINT16_MAX);
        vs_put_le16(at, (uint16_t)keys);
    } else if (width == 4) {
        assert(keys <= UINT32_MAX);
        vs_put_le32(at, (uint32_t)keys);
    } else {
        vs_put_le64(at, keys);
    }
}

#endif
