/*
 * leaf_edit.c - insert, replace and remove cells in place.
 *
 * A change goes into the gap between arrays and cells where that is wide enough. Else the page is
 * written anew from a copy of itself: without its dead bytes, and with a shorter prefix if the key
 * demands it or a longer one if the keys allow it and nothing less helps.
 */
#include "format/leaf_sequence.h"

enum { STEPS_PER_PAGE = 1024 }; /* larger pages grow their arrays by more entries at a time */

static size_t gap(const uint8_t *page)
{
    return leaf_cell_top(page) - leaf_free_at(page);
}

/** Make room for more entries: the slots move up, the new heads are unused. */
static void grow_arrays(uint8_t *page, unsigned entries)
{
    unsigned capacity = leaf_capacity(page);
    uint8_t *slots = page + leaf_slots_at(page);
    size_t heads_more = (size_t)entries * VS_HEAD_SIZE;
    memmove(slots + heads_more, slots, (size_t)capacity * LEAF_SLOT_SIZE);
    memset(slots, 0xff, heads_more); /* LEAF_HEAD_UNUSED */
    memset(slots + heads_more + (size_t)capacity * LEAF_SLOT_SIZE, 0,
           (size_t)entries * LEAF_SLOT_SIZE);
    vs_put_le16(page + LEAF_CAPACITY_AT, (uint16_t)(capacity + entries));
}

/** Grow a full leaf's arrays if `cell` bytes fit the gap afterwards. @return Whether they do. */
static bool room_in_gap(uint8_t *page, size_t page_size, size_t cell)
{
    size_t room = gap(page);
    if (vs_page_count(page) < leaf_capacity(page)) {
        return cell <= room;
    }
    unsigned entries =
        (unsigned)(page_size / STEPS_PER_PAGE) / LEAF_CAPACITY_STEP * LEAF_CAPACITY_STEP;
    if (entries == 0 || cell + (size_t)entries * LEAF_ENTRY_SIZE > room) {
        entries = LEAF_CAPACITY_STEP;
    }
    if (cell + (size_t)entries * LEAF_ENTRY_SIZE > room) {
        return false;
    }
    grow_arrays(page, entries);
    return true;
}

/** Open a place at `index` in both arrays; there is one to spare. */
static void shift_entries_up(uint8_t *page, unsigned index)
{
    unsigned count = vs_page_count(page);
    uint8_t *head = page + leaf_heads_at(page) + (size_t)index * VS_HEAD_SIZE;
    uint8_t *slot = page + leaf_slots_at(page) + (size_t)index * LEAF_SLOT_SIZE;
    memmove(head + VS_HEAD_SIZE, head, (size_t)(count - index) * VS_HEAD_SIZE);
    memmove(slot + LEAF_SLOT_SIZE, slot, (size_t)(count - index) * LEAF_SLOT_SIZE);
    vs_put_le16(page + 2, (uint16_t)(count + 1));
}

static void shift_entries_down(uint8_t *page, unsigned index)
{
    unsigned last = vs_page_count(page) - 1;
    uint8_t *head = page + leaf_heads_at(page) + (size_t)index * VS_HEAD_SIZE;
    uint8_t *slot = page + leaf_slots_at(page) + (size_t)index * LEAF_SLOT_SIZE;
    memmove(head, head + VS_HEAD_SIZE, (size_t)(last - index) * VS_HEAD_SIZE);
    memmove(slot, slot + LEAF_SLOT_SIZE, (size_t)(last - index) * LEAF_SLOT_SIZE);
    leaf_set_entry(page, last, LEAF_HEAD_UNUSED, 0, 0);
    vs_put_le16(page + 2, (uint16_t)last);
}

/** The same bytes in a copy of the page, if they lie in the page. */
static const uint8_t *moved(const void *bytes, const uint8_t *page, size_t page_size,
                            const uint8_t *copy)
{
    uintptr_t offset = (uintptr_t)bytes - (uintptr_t)page;
    return offset < page_size ? copy + offset : bytes;
}

/** Write the page anew with the edit, behind a prefix of `prefix_size` bytes. */
static void rebuild(uint8_t *page, size_t page_size, const struct leaf_sequence *edit,
                    size_t prefix_size)
{
    uint8_t copy[VS_PAGE_SIZE_MAX];
    memcpy(copy, page, page_size);
    struct vs_leaf_cell put = *edit->put; /* perhaps a value that was read from this very page */
    put.key.data = moved(put.key.data, page, page_size, copy);
    put.payload.bytes = moved(put.payload.bytes, page, page_size, copy);
    struct leaf_sequence sequence = *edit;
    sequence.source = copy;
    sequence.put = &put;
    vs_leaf_sequence_encode(&sequence, prefix_size, page, page_size, vs_page_birth(copy));
}

/**
 * Rebuild the page with the edit if that makes it fit, keeping `prefix_size` if possible, else with
 * the longest prefix.
 */
static bool rebuild_if_fits(uint8_t *page, size_t page_size, const struct leaf_sequence *edit,
                            size_t prefix_size)
{
    if (vs_leaf_sequence_size(edit, prefix_size) <= page_size) {
        rebuild(page, page_size, edit, prefix_size);
        return true;
    }
    size_t longest = vs_leaf_sequence_prefix(edit);
    if (longest > prefix_size && vs_leaf_sequence_size(edit, longest) <= page_size) {
        rebuild(page, page_size, edit, longest);
        return true;
    }
    return false;
}

bool vs_leaf_insert(uint8_t *page, size_t page_size, unsigned index, verso_slice key,
                    struct vs_payload payload)
{
    assert(index <= vs_page_count(page));
    assert(key.size <= vs_leaf_key_max(page_size));
    assert(payload.size <= vs_leaf_payload_max(page_size, key.size));

    verso_slice prefix = {page + LEAF_PREFIX_AT, leaf_prefix_size(page)};
    size_t shared = vs_common_prefix_size(prefix, key);
    size_t suffix_size = key.size - shared;
    size_t cell_size = leaf_cell_size_of(suffix_size, payload.size);
    if (shared < prefix.size || !room_in_gap(page, page_size, cell_size)) {
        struct vs_leaf_cell put = {.key = key, .payload = payload};
        struct leaf_sequence edit = {
            .source = page, .put = &put, .index = index, .count = vs_page_count(page) + 1};
        return rebuild_if_fits(page, page_size, &edit, shared);
    }
    const uint8_t *suffix = vs_key_after(key, shared);
    size_t cell_at = leaf_cell_top(page) - cell_size;
    leaf_write_cell(page + cell_at, suffix, suffix_size, payload);
    shift_entries_up(page, index);
    leaf_set_entry(page, index, vs_head(suffix, suffix_size), cell_at, suffix_size);
    leaf_set_cells(page, cell_at, leaf_dead(page));
    return true;
}

static void write_payload(uint8_t *page, struct leaf_slot slot, struct vs_payload payload)
{
    uint8_t *cell = page + slot.cell_at;
    unsigned info = payload.size | (payload.is_run ? LEAF_INFO_IS_RUN : 0U);
    vs_put_le16(cell, (uint16_t)info);
    if (payload.size != 0) {
        memmove(cell + LEAF_INFO_SIZE + vs_rest_size(slot.suffix_size), payload.bytes,
                payload.size); /* they may be a part of the old payload */
    }
}

static bool replace_by_rebuild(uint8_t *page, size_t page_size, unsigned index,
                               struct vs_payload payload)
{
    uint8_t key[LEAF_KEY_MAX];
    struct vs_leaf_cell put = {.key = {key, vs_leaf_key(page, index, key)}, .payload = payload};
    struct leaf_sequence edit = {
        .source = page, .put = &put, .index = index, .replace = true, .count = vs_page_count(page)};
    return rebuild_if_fits(page, page_size, &edit, leaf_prefix_size(page));
}

bool vs_leaf_replace(uint8_t *page, size_t page_size, unsigned index, struct vs_payload payload)
{
    assert(index < vs_page_count(page));
    struct leaf_slot slot = leaf_slot(page, index);
    size_t old_size = leaf_cell_size(page, slot);
    size_t new_size = leaf_cell_size_of(slot.suffix_size, payload.size);
    size_t dead = leaf_dead(page);
    if (new_size <= old_size) {
        write_payload(page, slot, payload);
        leaf_set_cells(page, leaf_cell_top(page), dead + old_size - new_size);
        return true;
    }
    if (new_size > gap(page)) {
        return replace_by_rebuild(page, page_size, index, payload);
    }
    struct leaf_slot fresh = {(unsigned)(leaf_cell_top(page) - new_size), slot.suffix_size};
    memcpy(page + fresh.cell_at, page + slot.cell_at,
           LEAF_INFO_SIZE + vs_rest_size(slot.suffix_size));
    write_payload(page, fresh, payload);
    leaf_set_entry(page, index, leaf_head(page, index), fresh.cell_at, fresh.suffix_size);
    leaf_set_cells(page, fresh.cell_at, dead + old_size);
    return true;
}

void vs_leaf_remove(uint8_t *page, size_t page_size, unsigned index)
{
    assert(index < vs_page_count(page));
    struct leaf_slot slot = leaf_slot(page, index);
    size_t size = leaf_cell_size(page, slot);
    shift_entries_down(page, index);
    if (vs_page_count(page) == 0) {
        leaf_set_cells(page, page_size, 0);
    } else if (slot.cell_at == leaf_cell_top(page)) {
        leaf_set_cells(page, slot.cell_at + size, leaf_dead(page)); /* undoes the last insert */
    } else {
        leaf_set_cells(page, leaf_cell_top(page), leaf_dead(page) + size);
    }
}
