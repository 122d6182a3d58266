/*
 * leaf_encode.c - write leaves from cells in key order: gather, measure, cut, encode.
 *
 * Why a cut always exists when one cell more does not fit. If the new key has the page's prefix,
 * let A and B be the cells before and behind the new one, which fit one page together. If neither A
 * + new nor new + B fitted, then A and B would each be longer than a page less one cell, but
 * together they are not longer than one page, and a cell is less than half of it. If the key breaks
 * the prefix, it is below or above all others, and [new] | [the others] is a cut. What fits stays
 * so with fewer cells, so the fitting left parts are those up to some size, and the right parts
 * likewise.
 */
#include "format/leaf_sequence.h"

unsigned vs_leaf_gather(const uint8_t *left, const uint8_t *right, const struct vs_leaf_cell *put,
                        unsigned index, bool replace, struct vs_leaf_cell *cells)
{
    const uint8_t *sources[2] = {left, right};
    unsigned at = 0;   /* in the concatenation */
    unsigned kept = 0; /* cells written */
    for (size_t s = 0; s < 2 && sources[s] != NULL; s++) {
        unsigned count = vs_page_count(sources[s]);
        for (unsigned i = 0; i < count; i++, at++) {
            if (put != NULL && at == index) {
                cells[kept++] = *put;
                if (replace) {
                    continue;
                }
            }
            cells[kept++] = (struct vs_leaf_cell){.page = sources[s], .index = i};
        }
    }
    if (put != NULL && at == index) {
        assert(!replace);
        cells[kept++] = *put;
    }
    return kept;
}

verso_slice vs_leaf_cell_key(const struct vs_leaf_cell *cell, uint8_t *buffer)
{
    if (cell->page == NULL) {
        return cell->key;
    }
    return (verso_slice){buffer, vs_leaf_key(cell->page, cell->index, buffer)};
}

static size_t cell_key_size(const struct vs_leaf_cell *cell)
{
    return cell->page == NULL ? cell->key.size : vs_leaf_key_size(cell->page, cell->index);
}

static size_t cell_payload_size(const struct vs_leaf_cell *cell)
{
    return cell->page == NULL ? cell->payload.size : vs_leaf_payload(cell->page, cell->index).size;
}

size_t vs_leaf_sequence_prefix(const struct leaf_sequence *sequence)
{
    if (sequence->count == 0) {
        return 0;
    }
    uint8_t buffers[2][LEAF_KEY_MAX];
    struct vs_leaf_cell first = leaf_sequence_at(sequence, 0);
    struct vs_leaf_cell last = leaf_sequence_at(sequence, sequence->count - 1);
    return vs_common_prefix_size(vs_leaf_cell_key(&first, buffers[0]),
                                 vs_leaf_cell_key(&last, buffers[1]));
}

size_t vs_leaf_sequence_size(const struct leaf_sequence *sequence, size_t prefix_size)
{
    size_t size = leaf_heads_at_prefix(prefix_size);
    size += (size_t)leaf_capacity_for(sequence->count) * LEAF_ENTRY_SIZE;
    for (unsigned i = 0; i < sequence->count; i++) {
        struct vs_leaf_cell cell = leaf_sequence_at(sequence, i);
        size += leaf_cell_size_of(cell_key_size(&cell) - prefix_size, cell_payload_size(&cell));
    }
    return size;
}

size_t vs_leaf_encoded_size(const struct vs_leaf_cell *cells, unsigned count)
{
    struct leaf_sequence sequence = {.cells = cells, .count = count};
    return vs_leaf_sequence_size(&sequence, vs_leaf_sequence_prefix(&sequence));
}

/** The cut that comes nearest to equal halves in bytes, whether both fit or not. */
static unsigned balanced_cut(const struct vs_leaf_cell *cells, unsigned count)
{
    struct leaf_sequence sequence = {.cells = cells, .count = count};
    size_t prefix_size = vs_leaf_sequence_prefix(&sequence);
    size_t whole = vs_leaf_sequence_size(&sequence, prefix_size);
    size_t half = (whole - leaf_heads_at_prefix(prefix_size)) / 2;
    size_t size = 0;
    for (unsigned i = 0; i + 1 < count; i++) {
        size_t cell = LEAF_ENTRY_SIZE + leaf_cell_size_of(cell_key_size(&cells[i]) - prefix_size,
                                                          cell_payload_size(&cells[i]));
        if (size + cell / 2 >= half) {
            assert(i >
                   0); /* a cell fills a third of a page at most, and these need more than one */
            return i;
        }
        size += cell;
    }
    return count - 1;
}

/** The most cells from the start that fit a page, but one at least stays behind. */
static unsigned left_most(const struct vs_leaf_cell *cells, unsigned count, size_t page_size)
{
    unsigned fits = 1;
    unsigned end = count;
    while (end - fits > 1) {
        unsigned middle = fits + (end - fits) / 2;
        if (vs_leaf_encoded_size(cells, middle) <= page_size) {
            fits = middle;
        } else {
            end = middle;
        }
    }
    return fits;
}

/** The least cells to leave at the start, one or more, so that the others fit a page. */
static unsigned left_least(const struct vs_leaf_cell *cells, unsigned count, size_t page_size)
{
    unsigned fits = count - 1;
    unsigned below = 0;
    while (fits - below > 1) {
        unsigned middle = below + (fits - below) / 2;
        if (vs_leaf_encoded_size(cells + middle, count - middle) <= page_size) {
            fits = middle;
        } else {
            below = middle;
        }
    }
    return fits;
}

unsigned vs_leaf_split_point(const struct vs_leaf_cell *cells, unsigned count, size_t page_size,
                             bool append)
{
    assert(count >= 2);
    if (append) {
        return left_most(cells, count, page_size);
    }
    unsigned cut = balanced_cut(cells, count);
    if (vs_leaf_encoded_size(cells, cut) > page_size) {
        return left_most(cells, count, page_size);
    }
    if (vs_leaf_encoded_size(cells + cut, count - cut) > page_size) {
        return left_least(cells, count, page_size);
    }
    return cut;
}

void vs_leaf_init(uint8_t *page, size_t page_size, uint64_t birth, verso_slice prefix)
{
    assert(prefix.size <= vs_leaf_key_max(page_size));
    memset(page, 0, page_size);
    page[0] = VS_KIND_LEAF;
    vs_page_set_birth(page, birth);
    vs_put_le16(page + LEAF_PREFIX_SIZE_AT, (uint16_t)prefix.size);
    leaf_set_cells(page, page_size, 0);
    if (prefix.size != 0) {
        memcpy(page + LEAF_PREFIX_AT, prefix.data, prefix.size);
    }
}

/** A cell's key while a leaf is written: each source page's prefix is copied once. */
struct key_buffer {
    const uint8_t *page; /* whose prefix `bytes` begins with */
    uint8_t bytes[LEAF_KEY_MAX];
};

static verso_slice key_of(struct key_buffer *buffer, const struct vs_leaf_cell *cell,
                          struct vs_payload *payload)
{
    if (cell->page == NULL) {
        *payload = cell->payload;
        return cell->key;
    }
    if (buffer->page != cell->page) {
        vs_leaf_prefix(cell->page, buffer->bytes);
        buffer->page = cell->page;
    }
    size_t size = vs_leaf_entry(cell->page, cell->index, buffer->bytes, payload);
    return (verso_slice){buffer->bytes, size};
}

/** Write cell and entry at `index`, the cell ending at `end`. @return Where it begins. */
static size_t encode_cell(uint8_t *page, unsigned index, size_t end,
                          const struct vs_leaf_cell *cell, struct key_buffer *buffer)
{
    size_t prefix_size = leaf_prefix_size(page);
    if (cell->page != NULL && leaf_prefix_size(cell->page) == prefix_size) {
        struct leaf_slot slot = leaf_slot(cell->page, cell->index);
        size_t size = leaf_cell_size(cell->page, slot);
        memcpy(page + end - size, cell->page + slot.cell_at, size);
        leaf_set_entry(page, index, leaf_head(cell->page, cell->index), end - size,
                       slot.suffix_size);
        return end - size;
    }
    struct vs_payload payload;
    verso_slice key = key_of(buffer, cell, &payload);
    size_t suffix_size = key.size - prefix_size;
    const uint8_t *suffix = vs_key_after(key, prefix_size);
    size_t size = leaf_cell_size_of(suffix_size, payload.size);
    leaf_write_cell(page + end - size, suffix, suffix_size, payload);
    leaf_set_entry(page, index, vs_head(suffix, suffix_size), end - size, suffix_size);
    return end - size;
}

void vs_leaf_sequence_encode(const struct leaf_sequence *sequence, size_t prefix_size,
                             uint8_t *page, size_t page_size, uint64_t birth)
{
    assert(vs_leaf_sequence_size(sequence, prefix_size) <= page_size);
    struct key_buffer buffer;
    buffer.page = NULL;
    verso_slice prefix = {NULL, 0};
    if (prefix_size != 0) {
        struct vs_leaf_cell first = leaf_sequence_at(sequence, 0);
        struct vs_payload payload;
        prefix = key_of(&buffer, &first, &payload);
        prefix.size = prefix_size;
    }
    vs_leaf_init(page, page_size, birth, prefix);
    unsigned capacity = leaf_capacity_for(sequence->count);
    vs_put_le16(page + 2, (uint16_t)sequence->count);
    vs_put_le16(page + LEAF_CAPACITY_AT, (uint16_t)capacity);
    size_t cell_top = page_size;
    for (unsigned i = 0; i < sequence->count; i++) {
        struct vs_leaf_cell cell = leaf_sequence_at(sequence, i);
        cell_top = encode_cell(page, i, cell_top, &cell, &buffer);
    }
    for (unsigned i = sequence->count; i < capacity; i++) {
        leaf_set_entry(page, i, LEAF_HEAD_UNUSED, 0, 0);
    }
    leaf_set_cells(page, cell_top, 0);
}

void vs_leaf_encode(uint8_t *page, size_t page_size, uint64_t birth,
                    const struct vs_leaf_cell *cells, unsigned count)
{
    struct leaf_sequence sequence = {.cells = cells, .count = count};
    vs_leaf_sequence_encode(&sequence, vs_leaf_sequence_prefix(&sequence), page, page_size, birth);
}

size_t vs_separator_size(verso_slice left, verso_slice right)
{
    size_t size = vs_common_prefix_size(left, right) + 1;
    assert(size <= right.size);
    return size;
}

size_t vs_leaf_separator(const struct vs_leaf_cell *left, const struct vs_leaf_cell *right,
                         uint8_t *buffer)
{
    uint8_t keys[2][LEAF_KEY_MAX];
    verso_slice below = vs_leaf_cell_key(left, keys[0]);
    verso_slice above = vs_leaf_cell_key(right, keys[1]);
    size_t size = vs_separator_size(below, above);
    memcpy(buffer, above.data, size);
    return size;
}
