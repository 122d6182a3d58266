/*
 * branch_encode.c - write branches from children in key order: gather, measure, cut, encode.
 *
 * A cut always exists when one child more does not fit: cut at the new separator, which moves up to
 * the parent and leaves both sides with children that fitted before, whatever their prefix. Where
 * that would leave one child alone on a side, the cut beside it leaves two, and any four children
 * fit.
 */
#include "format/branch_sequence.h"

unsigned vs_branch_gather(const uint8_t *left, const uint8_t *right, verso_slice middle,
                          const struct vs_branch_cell *put, unsigned index,
                          struct vs_branch_cell *cells)
{
    assert(put == NULL || index >= 1);
    const uint8_t *sources[2] = {left, right};
    unsigned at = 0;   /* in the concatenation */
    unsigned kept = 0; /* cells written */
    for (size_t s = 0; s < 2 && sources[s] != NULL; s++) {
        unsigned count = vs_page_count(sources[s]);
        for (unsigned i = 0; i < count; i++, at++) {
            if (put != NULL && at == index) {
                cells[kept++] = *put;
            }
            cells[kept++] = (struct vs_branch_cell){.page = sources[s], .index = i};
            if (s == 1 && i == 0) { /* minus infinity there, but not here */
                cells[kept - 1] = (struct vs_branch_cell){.separator = middle,
                                                          .child = vs_branch_child(right, 0),
                                                          .keys = vs_branch_keys(right, 0)};
            }
        }
    }
    if (put != NULL && at == index) {
        cells[kept++] = *put;
    }
    return kept;
}

size_t vs_branch_cell_separator(const struct vs_branch_cell *cell, uint8_t *buffer)
{
    if (cell->page != NULL) {
        return vs_branch_separator(cell->page, cell->index, buffer);
    }
    assert(cell->separator.size > 0);
    memcpy(buffer, cell->separator.data, cell->separator.size);
    return cell->separator.size;
}

/** The separator, in `buffer` (BRANCH_KEY_MAX bytes) unless it lies in one piece elsewhere. */
static verso_slice separator_of(const struct vs_branch_cell *cell, uint8_t *buffer)
{
    if (cell->page == NULL) {
        return cell->separator;
    }
    return (verso_slice){buffer, vs_branch_separator(cell->page, cell->index, buffer)};
}

static size_t separator_size(const struct vs_branch_cell *cell)
{
    if (cell->page == NULL) {
        return cell->separator.size;
    }
    struct branch_layout at = branch_layout(cell->page);
    return at.prefix_size + branch_suffix(cell->page, &at, cell->index).size;
}

size_t vs_branch_sequence_prefix(const struct branch_sequence *sequence)
{
    if (sequence->count < 2) {
        return 0;
    }
    uint8_t buffers[2][BRANCH_KEY_MAX];
    struct vs_branch_cell first = branch_sequence_at(sequence, 1);
    struct vs_branch_cell last = branch_sequence_at(sequence, sequence->count - 1);
    return vs_common_prefix_size(separator_of(&first, buffers[0]), separator_of(&last, buffers[1]));
}

size_t vs_branch_sequence_size(const struct branch_sequence *sequence, size_t prefix_size,
                               unsigned capacity)
{
    size_t size = branch_heads_at(branch_step(capacity), prefix_size);
    size += capacity * branch_entry_size(sequence->level);
    for (unsigned i = 1; i < sequence->count; i++) {
        struct vs_branch_cell cell = branch_sequence_at(sequence, i);
        size += branch_cell_size(separator_size(&cell) - prefix_size);
    }
    return size;
}

size_t vs_branch_encoded_size(const struct vs_branch_cell *cells, unsigned count, unsigned level)
{
    struct branch_sequence sequence = {.cells = cells, .count = count, .level = level};
    return vs_branch_sequence_size(&sequence, vs_branch_sequence_prefix(&sequence),
                                   branch_capacity_for(count));
}

/** What a cut is judged by. */
struct cut {
    const struct vs_branch_cell *cells;
    unsigned count;
    unsigned level;
    size_t page_size;
    unsigned least; /* children a side */
};

static bool left_fits(const struct cut *cut, unsigned left)
{
    return vs_branch_encoded_size(cut->cells, left, cut->level) <= cut->page_size;
}

static bool right_fits(const struct cut *cut, unsigned left)
{
    unsigned right = cut->count - left;
    return vs_branch_encoded_size(cut->cells + left, right, cut->level) <= cut->page_size;
}

/** The most children from the start that fit a page; the least number a side is known to. */
static unsigned left_most(const struct cut *cut)
{
    unsigned fits = cut->least;
    unsigned end = cut->count - cut->least + 1;
    while (end - fits > 1) {
        unsigned middle = fits + (end - fits) / 2;
        if (left_fits(cut, middle)) {
            fits = middle;
        } else {
            end = middle;
        }
    }
    return fits;
}

/** The least children to leave at the start so that the others fit a page. */
static unsigned left_least(const struct cut *cut)
{
    unsigned fits = cut->count - cut->least;
    unsigned below = cut->least - 1;
    while (fits - below > 1) {
        unsigned middle = below + (fits - below) / 2;
        if (right_fits(cut, middle)) {
            fits = middle;
        } else {
            below = middle;
        }
    }
    return fits;
}

/** The cut that comes nearest to equal halves in bytes, whether both fit or not. */
static unsigned balanced_cut(const struct cut *cut)
{
    struct branch_sequence sequence = {
        .cells = cut->cells, .count = cut->count, .level = cut->level};
    size_t prefix_size = vs_branch_sequence_prefix(&sequence);
    size_t entry_size = branch_entry_size(cut->level);
    size_t whole = 0;
    for (unsigned pass = 0; pass < 2; pass++) { /* first the sum, then the place of its half */
        size_t size = entry_size;
        for (unsigned i = 1; i < cut->count - cut->least; i++) {
            if (pass == 1 && i >= cut->least && size >= whole / 2) {
                return i;
            }
            size += entry_size + branch_cell_size(separator_size(&cut->cells[i]) - prefix_size);
        }
        whole = size + entry_size * cut->least;
    }
    return cut->count - cut->least;
}

unsigned vs_branch_split_point(const struct vs_branch_cell *cells, unsigned count, unsigned level,
                               size_t page_size, bool append)
{
    assert(count >= 4);
    struct cut cut = {cells, count, level, page_size, 2};
    if (append) {
        return left_most(&cut);
    }
    unsigned left = balanced_cut(&cut);
    if (!left_fits(&cut, left)) {
        return left_most(&cut);
    }
    return right_fits(&cut, left) ? left : left_least(&cut);
}

void vs_branch_refresh_hints(uint8_t *page, unsigned index)
{
    struct branch_layout at = branch_layout(page);
    if (at.step == 0) {
        return;
    }
    for (unsigned j = index / at.step; j < BRANCH_HINTS; j++) {
        unsigned i = j * at.step;
        uint32_t hint = i < at.count ? branch_head(page, &at, i) : BRANCH_HEAD_UNUSED;
        vs_put_le32(page + BRANCH_HINTS_AT + (size_t)j * VS_HEAD_SIZE, hint);
    }
}

/** Write header, hints' step and prefix. */
static void encode_header(const struct branch_sequence *sequence, verso_slice prefix,
                          unsigned capacity, uint8_t *page, size_t page_size, uint64_t birth)
{
    memset(page, 0, page_size);
    page[0] = VS_KIND_BRANCH;
    page[1] = (uint8_t)sequence->level;
    vs_page_set_birth(page, birth);
    vs_put_le16(page + 2, (uint16_t)sequence->count);
    vs_put_le16(page + BRANCH_CAPACITY_AT, (uint16_t)capacity);
    vs_put_le16(page + BRANCH_PREFIX_SIZE_AT, (uint16_t)prefix.size);
    vs_put_le16(page + BRANCH_STEP_AT, (uint16_t)branch_step(capacity));
    branch_set_cells(page, page_size, 0);
    struct branch_layout at = branch_layout(page);
    if (prefix.size != 0) {
        memcpy(page + at.prefix_at, prefix.data, prefix.size);
    }
    for (unsigned i = sequence->count; i < capacity; i++) {
        vs_put_le32(page + at.heads_at + (size_t)i * VS_HEAD_SIZE, BRANCH_HEAD_UNUSED);
    }
}

void vs_branch_put_separator(uint8_t *page, unsigned i, verso_slice separator)
{
    assert(i >= 1);
    struct branch_layout at = branch_layout(page);
    size_t size = separator.size - at.prefix_size;
    const uint8_t *suffix = vs_key_after(separator, at.prefix_size);
    size_t sep = size;
    if (size > VS_HEAD_SIZE) {
        sep = branch_cell_top(page) - branch_cell_size(size);
        vs_put_le16(page + sep, (uint16_t)size);
        memcpy(page + sep + BRANCH_CELL_HEADER, suffix + VS_HEAD_SIZE, vs_rest_size(size));
        branch_set_cells(page, sep, branch_dead(page));
    }
    vs_put_le32(page + at.heads_at + (size_t)i * VS_HEAD_SIZE, vs_head(suffix, size));
    vs_put_le16(page + at.seps_at + (size_t)i * BRANCH_SEP_SIZE, (uint16_t)sep);
}

void vs_branch_sequence_encode(const struct branch_sequence *sequence, size_t prefix_size,
                               unsigned capacity, uint8_t *page, size_t page_size, uint64_t birth)
{
    assert(capacity >= sequence->count);
    assert(vs_branch_sequence_size(sequence, prefix_size, capacity) <= page_size);
    uint8_t buffer[BRANCH_KEY_MAX];
    verso_slice prefix = {NULL, 0};
    if (prefix_size != 0) {
        struct vs_branch_cell first = branch_sequence_at(sequence, 1);
        prefix = (verso_slice){separator_of(&first, buffer).data, prefix_size};
    }
    encode_header(sequence, prefix, capacity, page, page_size, birth);
    struct branch_layout at = branch_layout(page);
    for (unsigned i = 0; i < sequence->count; i++) {
        struct vs_branch_cell cell = branch_sequence_at(sequence, i);
        bool is_new = cell.page == NULL;
        vs_page_no child = is_new ? cell.child : vs_branch_child(cell.page, cell.index);
        uint64_t keys = is_new ? cell.keys : vs_branch_keys(cell.page, cell.index);
        vs_put_le32(page + at.children_at + (size_t)i * BRANCH_CHILD_SIZE, child);
        branch_put_keys(page + at.keys_at + i * at.keys_width, at.keys_width, keys);
        if (i != 0) {
            vs_branch_put_separator(page, i, separator_of(&cell, buffer));
        }
    }
    vs_branch_refresh_hints(page, 0);
}

void vs_branch_encode(uint8_t *page, size_t page_size, uint64_t birth, unsigned level,
                      const struct vs_branch_cell *cells, unsigned count)
{
    struct branch_sequence sequence = {.cells = cells, .count = count, .level = level};
    vs_branch_sequence_encode(&sequence, vs_branch_sequence_prefix(&sequence),
                              branch_capacity_for(count), page, page_size, birth);
}
