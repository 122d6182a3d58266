/*
 * leaf_layout.h - where the fields of a leaf lie. For the leaf_*.c files only.
 *
 * Integers little-endian, offsets in bytes:
 *     0      1       2        4          6             8        16         20     24
 *     +------+-------+--------+----------+-------------+--------+----------+------+----
 *     | kind | level | count  | capacity | prefix size | birth  | cell top | dead | prefix ...
 *     +------+-------+--------+----------+-------------+--------+----------+------+----
 *     ... to a multiple of 4
 *     +---------------------+----------------------------------------+------+-------------------+
 *     | u32 head[capacity]  | {u16 cell, u16 suffix size}[capacity]  | free | cells, from the   |
 *     |                     |                                        |      | page's end down   |
 *     +---------------------+----------------------------------------+------+-------------------+
 *                                                                           ^ cell top
 * The prefix begins every key; what follows it in a key is the key's suffix. A head is the suffix's
 * first four bytes (key_order.h), so that one integer compare decides nearly every step of a
 * search.
 *     cell = {u16 info, suffix from its fifth byte on, payload}
 *     info = payload size (15 bits), bit 15 set if the payload is a run reference
 * L1  capacity is a multiple of 8; heads from `count` on are 0xffffffff.
 * L2  Arrays and cells do not meet; cells lie in [cell top, page end) and do not overlap; `dead` is
 *     what lies there outside of cells.
 * L3  Keys strictly ascend; a head's bytes beyond its suffix are zero.
 * L4  Key and payload sizes are within vs_leaf_key_max() and vs_leaf_payload_max().
 * Cells stand in the order of their keys (the first key's last on the page) whenever a leaf is
 * written anew: scans then walk memory in one direction, worth up to half of their time.
 */
#ifndef VERSO_FORMAT_LEAF_LAYOUT_H
#define VERSO_FORMAT_LEAF_LAYOUT_H

#include <assert.h>

#include "format/key_order.h"
#include "format/leaf.h"

enum {
    LEAF_CAPACITY_AT = 4,
    LEAF_PREFIX_SIZE_AT = 6,
    LEAF_CELL_TOP_AT = 16,
    LEAF_DEAD_AT = 20,
    LEAF_PREFIX_AT = 24,
    LEAF_SLOT_SIZE = 4,
    LEAF_ENTRY_SIZE = VS_HEAD_SIZE + LEAF_SLOT_SIZE,
    LEAF_CAPACITY_STEP = 8,
    LEAF_INFO_SIZE = 2,
    LEAF_INFO_IS_RUN = 0x8000,
    LEAF_KEY_MAX = VS_PAGE_SIZE_MAX / 4, /* above vs_leaf_key_max() of any page size: for buffers */
};
#define LEAF_HEAD_UNUSED UINT32_MAX

/** Where a cell lies, and how long its key's suffix is. */
struct leaf_slot {
    unsigned cell_at;
    unsigned suffix_size;
};

static inline unsigned leaf_capacity(const uint8_t *page)
{
    return vs_get_le16(page + LEAF_CAPACITY_AT);
}

static inline unsigned leaf_prefix_size(const uint8_t *page)
{
    return vs_get_le16(page + LEAF_PREFIX_SIZE_AT);
}

static inline size_t leaf_cell_top(const uint8_t *page)
{
    return vs_get_le32(page + LEAF_CELL_TOP_AT);
}

static inline size_t leaf_dead(const uint8_t *page)
{
    return vs_get_le32(page + LEAF_DEAD_AT);
}

static inline void leaf_set_cells(uint8_t *page, size_t cell_top, size_t dead)
{
    vs_put_le32(page + LEAF_CELL_TOP_AT, (uint32_t)cell_top); /* both at most VS_PAGE_SIZE_MAX */
    vs_put_le32(page + LEAF_DEAD_AT, (uint32_t)dead);
}

static inline size_t leaf_heads_at_prefix(size_t prefix_size)
{
    return LEAF_PREFIX_AT + ((prefix_size + 3) & ~(size_t)3);
}

static inline size_t leaf_heads_at(const uint8_t *page)
{
    return leaf_heads_at_prefix(leaf_prefix_size(page));
}

static inline size_t leaf_slots_at(const uint8_t *page)
{
    return leaf_heads_at(page) + (size_t)leaf_capacity(page) * VS_HEAD_SIZE;
}

/** The end of the arrays. */
static inline size_t leaf_free_at(const uint8_t *page)
{
    return leaf_heads_at(page) + (size_t)leaf_capacity(page) * LEAF_ENTRY_SIZE;
}

static inline uint32_t leaf_head(const uint8_t *page, unsigned index)
{
    return vs_get_le32(page + leaf_heads_at(page) + (size_t)index * VS_HEAD_SIZE);
}

static inline struct leaf_slot leaf_slot(const uint8_t *page, unsigned index)
{
    uint32_t word = vs_get_le32(page + leaf_slots_at(page) + (size_t)index * LEAF_SLOT_SIZE);
    return (struct leaf_slot){word & 0xffff, word >> 16};
}

static inline void leaf_set_entry(uint8_t *page, unsigned index, uint32_t head, size_t cell_at,
                                  size_t suffix_size)
{
    assert(cell_at <= UINT16_MAX);
    assert(suffix_size <= UINT16_MAX);
    vs_put_le32(page + leaf_heads_at(page) + (size_t)index * VS_HEAD_SIZE, head);
    vs_put_le32(page + leaf_slots_at(page) + (size_t)index * LEAF_SLOT_SIZE,
                (uint32_t)cell_at | (uint32_t)suffix_size << 16);
}

static inline size_t leaf_cell_size_of(size_t suffix_size, size_t payload_size)
{
    return LEAF_INFO_SIZE + vs_rest_size(suffix_size) + payload_size;
}

static inline struct vs_payload leaf_slot_payload(const uint8_t *page, struct leaf_slot slot)
{
    unsigned info = vs_get_le16(page + slot.cell_at);
    return (struct vs_payload){
        .is_run = (info & LEAF_INFO_IS_RUN) != 0,
        .size = (uint16_t)(info & ~(unsigned)LEAF_INFO_IS_RUN),
        .bytes = page + slot.cell_at + LEAF_INFO_SIZE + vs_rest_size(slot.suffix_size),
    };
}

static inline size_t leaf_cell_size(const uint8_t *page, struct leaf_slot slot)
{
    return leaf_cell_size_of(slot.suffix_size, leaf_slot_payload(page, slot).size);
}

/** Capacity that holds `count` entries. */
static inline unsigned leaf_capacity_for(unsigned count)
{
    return (count + LEAF_CAPACITY_STEP - 1) / LEAF_CAPACITY_STEP * LEAF_CAPACITY_STEP;
}

/** Write a cell's info, rest and payload. `suffix` is the whole suffix, head included. */
static inline void leaf_write_cell(uint8_t *cell, const uint8_t *suffix, size_t suffix_size,
                                   struct vs_payload payload)
{
    size_t rest = vs_rest_size(suffix_size);
    unsigned info = payload.size | (payload.is_run ? LEAF_INFO_IS_RUN : 0U);
    vs_put_le16(cell, (uint16_t)info);
    if (rest != 0) {
        memcpy(cell + LEAF_INFO_SIZE, suffix + VS_HEAD_SIZE, rest);
    }
    if (payload.size != 0) {
        memcpy(cell + LEAF_INFO_SIZE + rest, payload.bytes, payload.size);
    }
}

#endif
