/*
 * branch_check.c - the one function that reads a branch's bytes as a stranger's: B1 to B5.
 */
#include "format/branch_layout.h"
#include "format/cell_claims.h"
#include "format/leaf.h"

static const char *check_header(const uint8_t *page, size_t page_size)
{
    unsigned level = vs_page_level(page);
    if (vs_page_kind(page) != VS_KIND_BRANCH || level == 0 || level >= VS_TREE_DEPTH_MAX) {
        return "branch: not marked as a branch";
    }
    struct branch_layout at = branch_layout(page);
    if (at.count == 0 || at.count > at.capacity || at.capacity % BRANCH_CAPACITY_STEP != 0) {
        return "branch: bad count or capacity (B1)";
    }
    if (at.step != branch_step(at.capacity)) {
        return "branch: bad hint step (B2)";
    }
    if (at.prefix_size > vs_leaf_key_max(page_size)) {
        return "branch: prefix too long (B4)";
    }
    size_t cell_top = branch_cell_top(page);
    if (at.free_at > cell_top || cell_top > page_size) {
        return "branch: arrays and cells meet (B3)";
    }
    return NULL;
}

static const char *check_hints(const uint8_t *page, const struct branch_layout *at)
{
    for (unsigned i = at->count; i < at->capacity; i++) {
        if (branch_head(page, at, i) != BRANCH_HEAD_UNUSED) {
            return "branch: unused head is set (B1)";
        }
    }
    for (unsigned j = 0; at->step != 0 && j < BRANCH_HINTS; j++) {
        unsigned i = j * at->step;
        uint32_t hint = vs_get_le32(page + BRANCH_HINTS_AT + (size_t)j * VS_HEAD_SIZE);
        if (hint != (i < at->count ? branch_head(page, at, i) : BRANCH_HEAD_UNUSED)) {
            return "branch: wrong hint (B2)";
        }
    }
    return NULL;
}

static const char *check_cells(const uint8_t *page, const struct branch_layout *at,
                               size_t page_size)
{
    struct cell_claims claims;
    cell_claims_init(&claims, page_size);
    size_t cell_top = branch_cell_top(page);
    size_t key_max = vs_leaf_key_max(page_size);
    size_t used = branch_dead(page);
    for (unsigned i = 1; i < at->count; i++) {
        size_t sep = vs_get_le16(page + at->seps_at + (size_t)i * BRANCH_SEP_SIZE);
        size_t size = sep;
        if (sep > VS_HEAD_SIZE) {
            if (sep < cell_top || sep + BRANCH_CELL_HEADER > page_size) {
                return "branch: cell outside of the cells' part (B3)";
            }
            size = vs_get_le16(page + sep);
            size_t end = sep + branch_cell_size(size);
            if (size <= VS_HEAD_SIZE || end > page_size) {
                return "branch: bad size of a cell (B3)";
            }
            if (!cell_claims_add(&claims, sep, end)) {
                return "branch: cells overlap (B3)";
            }
            used += end - sep;
        }
        if (at->prefix_size + size > key_max) {
            return "branch: separator too long (B4)";
        }
    }
    return used == page_size - cell_top ? NULL : "branch: dead bytes do not add up (B3)";
}

/** Whether `high` is above `low`. */
static bool ascends(struct branch_suffix low, struct branch_suffix high)
{
    if (low.head != high.head) {
        return low.head < high.head;
    }
    verso_slice low_rest = {low.rest, vs_rest_size(low.size)};
    verso_slice high_rest = {high.rest, vs_rest_size(high.size)};
    int order = vs_key_compare(low_rest, high_rest);
    return order < 0 || (order == 0 && low.size < high.size);
}

static const char *check_order(const uint8_t *page, const struct branch_layout *at)
{
    if (branch_head(page, at, 0) != 0 || vs_get_le16(page + at->seps_at) != 0) {
        return "branch: separator 0 is set (B4)";
    }
    struct branch_suffix before = {0, 0, NULL};
    for (unsigned i = 0; i < at->count; i++) {
        if (vs_branch_child(page, i) == 0) {
            return "branch: child is page 0 (B5)";
        }
        struct branch_suffix suffix = branch_suffix(page, at, i);
        if (suffix.size < VS_HEAD_SIZE && (suffix.head & (UINT32_MAX >> (8 * suffix.size))) != 0) {
            return "branch: head is longer than its suffix (B4)";
        }
        if (i == 1 && at->prefix_size + suffix.size == 0) {
            return "branch: separator 1 is empty (B4)";
        }
        if (i >= 2 && !ascends(before, suffix)) {
            return "branch: separators do not ascend (B4)";
        }
        before = suffix;
    }
    return NULL;
}

const char *vs_branch_check(const uint8_t *page, size_t page_size)
{
    const char *fault = check_header(page, page_size);
    if (fault != NULL) {
        return fault;
    }
    struct branch_layout at = branch_layout(page);
    fault = check_hints(page, &at);
    if (fault == NULL) {
        fault = check_cells(page, &at, page_size);
    }
    return fault != NULL ? fault : check_order(page, &at);
}
