/*
 * leaf.c - search a leaf and read its cells. The layout is drawn in leaf_layout.h.
 *
 * A search costs two dependent cache misses: header, prefix, heads and slots come in one burst
 * (vs_leaf_prefetch()), then the one cell whose head matches.
 */
#include "format/leaf.h"

#include "format/head_search.h"
#include "format/leaf_layout.h"
#include "format/run_ref.h"

enum {
    KEY_MAX_SPARE = 24, /* longest key = page size / 4 - 24: 104, 232, ..., 1,000, ..., 16,360 */
    CELLS_A_PAGE = 3,   /* cells of the largest size that fit a page */
    PAGE_OVERHEAD = LEAF_PREFIX_AT + 4 + LEAF_CAPACITY_STEP * LEAF_ENTRY_SIZE, /* 4: prefix's pad */
};

size_t vs_leaf_key_max(size_t page_size)
{
    return page_size / 4 - KEY_MAX_SPARE;
}

size_t vs_leaf_payload_max(size_t page_size, size_t key_size)
{
    size_t both = (page_size - PAGE_OVERHEAD) / CELLS_A_PAGE - LEAF_INFO_SIZE;
    return both < key_size + VS_RUN_REF_MIN ? VS_RUN_REF_MIN : both - key_size;
}

/** Order of a cell against a suffix whose head equals its own. */
static inline int compare_rest(const uint8_t *page, unsigned index, const uint8_t *suffix,
                               size_t suffix_size)
{
    struct leaf_slot slot = leaf_slot(page, index);
    size_t shorter = slot.suffix_size < suffix_size ? slot.suffix_size : suffix_size;
    size_t rest = vs_rest_size(shorter);
    const uint8_t *mine = page + slot.cell_at + LEAF_INFO_SIZE;
    if (rest != 0 && !vs_bytes_equal(mine, suffix + VS_HEAD_SIZE, rest)) {
        return memcmp(mine, suffix + VS_HEAD_SIZE, rest);
    }
    return (slot.suffix_size > suffix_size) - (slot.suffix_size < suffix_size);
}

/**
 * Search the cells from `from` to `to`, whose heads all equal the suffix's, by halves: keys that
 * share heads in long runs must not make a search linear.
 */
static bool find_in_run(const uint8_t *page, unsigned from, unsigned to, const uint8_t *suffix,
                        size_t suffix_size, unsigned *index)
{
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        int order = compare_rest(page, middle, suffix, suffix_size);
        if (order == 0) {
            *index = middle;
            return true;
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *index = from;
    return false;
}

bool vs_leaf_find(const uint8_t *page, verso_slice key, unsigned *index)
{
    unsigned count = vs_page_count(page);
    size_t prefix_size = leaf_prefix_size(page);
    if (prefix_size != 0) {
        int order = vs_prefix_order(page + LEAF_PREFIX_AT, prefix_size, key);
        if (order != 0) {
            *index = order < 0 ? count : 0;
            return false;
        }
    }
    const uint8_t *suffix = vs_key_after(key, prefix_size);
    size_t suffix_size = key.size - prefix_size;
    uint32_t head = vs_head(suffix, suffix_size);
    const uint8_t *heads = page + leaf_heads_at(page);
    unsigned first = vs_head_lower_bound(heads, count, head);
    *index = first;
    if (first == count || vs_get_le32(heads + (size_t)first * VS_HEAD_SIZE) != head) {
        return false;
    }
    int order = compare_rest(page, first, suffix, suffix_size);
    if (order >= 0) {
        return order == 0;
    }
    *index = ++first;
    if (first == count || vs_get_le32(heads + (size_t)first * VS_HEAD_SIZE) != head) {
        return false;
    }
    unsigned end = vs_head_upper_bound(heads, count, head);
    return find_in_run(page, first, end, suffix, suffix_size, index);
}

void vs_leaf_prefetch_cell(const uint8_t *page, verso_slice key)
{
    unsigned count = vs_page_count(page);
    size_t prefix_size = leaf_prefix_size(page);
    if (key.size < prefix_size) {
        return;
    }
    const uint8_t *suffix = vs_key_after(key, prefix_size);
    uint32_t head = vs_head(suffix, key.size - prefix_size);
    unsigned first = vs_head_lower_bound(page + leaf_heads_at(page), count, head);
    if (first < count) {
        const uint8_t *cell = page + leaf_slot(page, first).cell_at;
        __builtin_prefetch(cell);
        __builtin_prefetch(cell + 64); /* most values reach beyond the cell's first line */
    }
}

int vs_leaf_compare(const uint8_t *page, unsigned index, verso_slice key)
{
    assert(index < vs_page_count(page));
    size_t prefix_size = leaf_prefix_size(page);
    int order = vs_prefix_order(page + LEAF_PREFIX_AT, prefix_size, key);
    if (order != 0) {
        return order;
    }
    const uint8_t *suffix = vs_key_after(key, prefix_size);
    size_t suffix_size = key.size - prefix_size;
    uint32_t mine = leaf_head(page, index);
    uint32_t other = vs_head(suffix, suffix_size);
    if (mine != other) {
        return mine < other ? -1 : 1;
    }
    return compare_rest(page, index, suffix, suffix_size);
}

size_t vs_leaf_key_size(const uint8_t *page, unsigned index)
{
    assert(index < vs_page_count(page));
    return leaf_prefix_size(page) + leaf_slot(page, index).suffix_size;
}

/** memcpy() that keeps the short sizes of most keys in line: two overlapping words instead of a
 * call. */
static inline void copy_rest(uint8_t *to, const uint8_t *from, size_t size)
{
    if (size >= 8 && size <= 16) {
        uint64_t first;
        uint64_t last;
        memcpy(&first, from, 8);
        memcpy(&last, from + size - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + size - 8, &last, 8);
        return;
    }
    if (size != 0) {
        memcpy(to, from, size);
    }
}

size_t vs_leaf_entry(const uint8_t *page, unsigned index, uint8_t *buffer,
                     struct vs_payload *payload)
{
    assert(index < vs_page_count(page));
    size_t prefix_size = leaf_prefix_size(page);
    struct leaf_slot slot = leaf_slot(page, index);
    vs_head_bytes(leaf_head(page, index), slot.suffix_size, buffer + prefix_size);
    copy_rest(buffer + prefix_size + VS_HEAD_SIZE, page + slot.cell_at + LEAF_INFO_SIZE,
              vs_rest_size(slot.suffix_size));
    *payload = leaf_slot_payload(page, slot);
    return prefix_size + slot.suffix_size;
}

size_t vs_leaf_prefix(const uint8_t *page, uint8_t *buffer)
{
    size_t size = leaf_prefix_size(page);
    memcpy(buffer, page + LEAF_PREFIX_AT, size);
    return size;
}

size_t vs_leaf_key(const uint8_t *page, unsigned index, uint8_t *buffer)
{
    struct vs_payload payload;
    vs_leaf_prefix(page, buffer);
    return vs_leaf_entry(page, index, buffer, &payload);
}

struct vs_payload vs_leaf_payload(const uint8_t *page, unsigned index)
{
    assert(index < vs_page_count(page));
    return leaf_slot_payload(page, leaf_slot(page, index));
}

size_t vs_leaf_used(const uint8_t *page, size_t page_size)
{
    size_t cells = page_size - leaf_cell_top(page) - leaf_dead(page);
    size_t entries = (size_t)vs_page_count(page) * LEAF_ENTRY_SIZE;
    return leaf_heads_at(page) - LEAF_PREFIX_AT + entries + cells;
}

bool vs_leaf_is_underfull(const uint8_t *page, size_t page_size)
{
    return vs_leaf_used(page, page_size) < (page_size - LEAF_PREFIX_AT) / 4;
}
