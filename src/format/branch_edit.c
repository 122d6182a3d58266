/*
 * branch_edit.c - insert, remove and change children and separators in place.
 *
 * What does not fit the gap between arrays and cells, or the arrays, or breaks the prefix, is done
 * by writing the page anew from a copy of itself.
 */
#include "format/branch_sequence.h"

enum { STEPS_PER_PAGE = 1024 }; /* larger pages grow their arrays by more entries at a time */

void vs_branch_init(uint8_t *page, size_t page_size, uint64_t birth, unsigned level,
                    vs_page_no child, uint64_t keys)
{
    struct vs_branch_cell cell = {.child = child, .keys = keys};
    vs_branch_encode(page, page_size, birth, level, &cell, 1);
}

/** Capacity for a rebuilt page: with some to spare, so that the next inserts need no rebuild. */
static unsigned roomy_capacity(const struct branch_sequence *edit, size_t prefix_size,
                               size_t page_size)
{
    unsigned least = branch_capacity_for(edit->count);
    unsigned spare = (unsigned)(page_size / STEPS_PER_PAGE);
    unsigned roomy = branch_capacity_for(edit->count + spare);
    return vs_branch_sequence_size(edit, prefix_size, roomy) <= page_size ? roomy : least;
}

/** Write the page anew with the edit, behind the longest prefix, if it fits. */
static bool rebuild_if_fits(uint8_t *page, size_t page_size, const struct branch_sequence *edit)
{
    size_t prefix_size = vs_branch_sequence_prefix(edit);
    unsigned least = branch_capacity_for(edit->count);
    if (vs_branch_sequence_size(edit, prefix_size, least) > page_size) {
        return false;
    }
    unsigned capacity = roomy_capacity(edit, prefix_size, page_size);
    uint8_t copy[VS_PAGE_SIZE_MAX];
    memcpy(copy, page, page_size);
    struct branch_sequence sequence = *edit;
    sequence.source = copy;
    vs_branch_sequence_encode(&sequence, prefix_size, capacity, page, page_size,
                              vs_page_birth(copy));
    return true;
}

/** Whether a separator can be written into the page as it is: prefix and gap allow it. */
static bool fits_as_is(const uint8_t *page, verso_slice separator)
{
    struct branch_layout at = branch_layout(page);
    verso_slice prefix = {page + at.prefix_at, at.prefix_size};
    if (vs_common_prefix_size(prefix, separator) < at.prefix_size) {
        return false;
    }
    size_t gap = branch_cell_top(page) - at.free_at;
    return branch_cell_size(separator.size - at.prefix_size) <= gap;
}

/** Move the entries of one array from `index` on to their neighbours' places, up or down. */
static void shift_up(uint8_t *array, size_t width, unsigned index, unsigned count)
{
    uint8_t *from = array + index * width;
    memmove(from + width, from, (count - index) * width);
}

static void shift_down(uint8_t *array, size_t width, unsigned index, unsigned count)
{
    uint8_t *to = array + index * width;
    memmove(to, to + width, (count - index - 1) * width);
    memset(array + (count - 1) * width, 0, width);
}

bool vs_branch_insert(uint8_t *page, size_t page_size, unsigned index, verso_slice separator,
                      vs_page_no child, uint64_t keys)
{
    struct branch_layout at = branch_layout(page);
    assert(index >= 1);
    assert(index <= at.count);
    if (at.count == at.capacity || !fits_as_is(page, separator)) {
        struct vs_branch_cell put = {.separator = separator, .child = child, .keys = keys};
        struct branch_sequence edit = {.source = page,
                                       .put = &put,
                                       .index = index,
                                       .count = at.count + 1,
                                       .level = vs_page_level(page)};
        return rebuild_if_fits(page, page_size, &edit);
    }
    shift_up(page + at.heads_at, VS_HEAD_SIZE, index, at.count);
    shift_up(page + at.children_at, BRANCH_CHILD_SIZE, index, at.count);
    shift_up(page + at.keys_at, at.keys_width, index, at.count);
    shift_up(page + at.seps_at, BRANCH_SEP_SIZE, index, at.count);
    vs_put_le16(page + 2, (uint16_t)(at.count + 1));
    vs_branch_put_separator(page, index, separator);
    vs_branch_set_child(page, index, child);
    vs_branch_set_keys(page, index, keys);
    vs_branch_refresh_hints(page, index);
    return true;
}

/** Count a separator's cell as dead. */
static void drop_cell(uint8_t *page, size_t page_size, unsigned index)
{
    struct branch_layout at = branch_layout(page);
    size_t size = branch_cell_size(branch_suffix(page, &at, index).size);
    size_t cell_top = branch_cell_top(page);
    size_t dead = branch_dead(page) + size;
    if (dead == page_size - cell_top) { /* it was the last one */
        cell_top = page_size;
        dead = 0;
    }
    branch_set_cells(page, cell_top, dead);
}

void vs_branch_remove(uint8_t *page, size_t page_size, unsigned index)
{
    struct branch_layout at = branch_layout(page);
    assert(at.count >= 2);
    assert(index < at.count);
    unsigned separator = index == 0 ? 1 : index; /* child 1 takes over minus infinity */
    drop_cell(page, page_size, separator);
    shift_down(page + at.heads_at, VS_HEAD_SIZE, separator, at.count);
    shift_down(page + at.children_at, BRANCH_CHILD_SIZE, index, at.count);
    shift_down(page + at.keys_at, at.keys_width, index, at.count);
    shift_down(page + at.seps_at, BRANCH_SEP_SIZE, separator, at.count);
    unsigned count = at.count - 1;
    vs_put_le32(page + at.heads_at + (size_t)count * VS_HEAD_SIZE, BRANCH_HEAD_UNUSED);
    vs_put_le16(page + 2, (uint16_t)count);
    vs_branch_refresh_hints(page, separator);
}

bool vs_branch_set_separator(uint8_t *page, size_t page_size, unsigned index, verso_slice separator)
{
    struct branch_layout at = branch_layout(page);
    assert(index >= 1);
    assert(index < at.count);
    if (!fits_as_is(page, separator)) {
        struct vs_branch_cell put = {.separator = separator,
                                     .child = vs_branch_child(page, index),
                                     .keys = vs_branch_keys(page, index)};
        struct branch_sequence edit = {.source = page,
                                       .put = &put,
                                       .index = index,
                                       .replace = true,
                                       .count = at.count,
                                       .level = vs_page_level(page)};
        return rebuild_if_fits(page, page_size, &edit);
    }
    drop_cell(page, page_size, index);
    vs_branch_put_separator(page, index, separator);
    vs_branch_refresh_hints(page, index);
    return true;
}
