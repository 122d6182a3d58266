/*
 * leaf_check.c - the one function that reads a leaf's bytes as a stranger's: L1 to L4.
 */
#include "format/cell_claims.h"
#include "format/leaf_layout.h"

static const char *check_header(const uint8_t *page, size_t page_size)
{
    if (vs_page_kind(page) != VS_KIND_LEAF || vs_page_level(page) != 0) {
        return "leaf: not marked as a leaf";
    }
    unsigned capacity = leaf_capacity(page);
    if (vs_page_count(page) > capacity || capacity % LEAF_CAPACITY_STEP != 0) {
        return "leaf: bad capacity (L1)";
    }
    if (leaf_prefix_size(page) > vs_leaf_key_max(page_size)) {
        return "leaf: prefix too long (L4)";
    }
    size_t cell_top = leaf_cell_top(page);
    if (leaf_free_at(page) > cell_top || cell_top > page_size) {
        return "leaf: arrays and cells meet (L2)";
    }
    for (unsigned i = vs_page_count(page); i < capacity; i++) {
        if (leaf_head(page, i) != LEAF_HEAD_UNUSED) {
            return "leaf: unused head is set (L1)";
        }
    }
    return NULL;
}

/** Cells: within the page, disjoint, of legal sizes, and adding up. */
static const char *check_cells(const uint8_t *page, size_t page_size)
{
    struct cell_claims claims;
    cell_claims_init(&claims, page_size);
    size_t cell_top = leaf_cell_top(page);
    size_t prefix_size = leaf_prefix_size(page);
    size_t key_max = vs_leaf_key_max(page_size);
    size_t used = leaf_dead(page);
    unsigned count = vs_page_count(page);
    for (unsigned i = 0; i < count; i++) {
        struct leaf_slot slot = leaf_slot(page, i);
        size_t key_size = prefix_size + slot.suffix_size;
        if (slot.cell_at < cell_top || slot.cell_at + LEAF_INFO_SIZE > page_size) {
            return "leaf: cell outside of the cells' part (L2)";
        }
        if (key_size > key_max) {
            return "leaf: key too long (L4)";
        }
        size_t payload_size = leaf_slot_payload(page, slot).size;
        size_t end = slot.cell_at + leaf_cell_size_of(slot.suffix_size, payload_size);
        if (end > page_size) {
            return "leaf: cell beyond the page's end (L2)";
        }
        if (payload_size > vs_leaf_payload_max(page_size, key_size)) {
            return "leaf: payload too long (L4)";
        }
        if (!cell_claims_add(&claims, slot.cell_at, end)) {
            return "leaf: cells overlap (L2)";
        }
        used += end - slot.cell_at;
    }
    return used == page_size - cell_top ? NULL : "leaf: dead bytes do not add up (L2)";
}

/** Whether cell `index` is above the one before it; their heads are equal. */
static bool ascends_after_heads(const uint8_t *page, unsigned index)
{
    struct leaf_slot low = leaf_slot(page, index - 1);
    struct leaf_slot high = leaf_slot(page, index);
    verso_slice low_rest = {page + low.cell_at + LEAF_INFO_SIZE, vs_rest_size(low.suffix_size)};
    verso_slice high_rest = {page + high.cell_at + LEAF_INFO_SIZE, vs_rest_size(high.suffix_size)};
    int order = vs_key_compare(low_rest, high_rest);
    return order < 0 || (order == 0 && low.suffix_size < high.suffix_size);
}

static const char *check_order(const uint8_t *page)
{
    unsigned count = vs_page_count(page);
    uint32_t before = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t head = leaf_head(page, i);
        unsigned suffix_size = leaf_slot(page, i).suffix_size;
        if (suffix_size < VS_HEAD_SIZE && (head & (UINT32_MAX >> (8 * suffix_size))) != 0) {
            return "leaf: head is longer than its suffix (L3)";
        }
        if (i != 0 && (head < before || (head == before && !ascends_after_heads(page, i)))) {
            return "leaf: keys do not ascend (L3)";
        }
        before = head;
    }
    return NULL;
}

const char *vs_leaf_check(const uint8_t *page, size_t page_size)
{
    const char *fault = check_header(page, page_size);
    if (fault == NULL) {
        fault = check_cells(page, page_size);
    }
    return fault != NULL ? fault : check_order(page);
}
