/*
 * page_mutation.c - one small change each: of the header, of an entry, of a cell, of any byte.
 */
#include "page_mutation.h"

#include <stdbool.h>
#include <string.h>

#include "format/branch_layout.h"
#include "format/leaf_layout.h"
#include "fuzz_target.h"
#include "simulated_random.h"
#include "store_mutation.h"

enum { CHANGES_MAX = 3, UNREPAIRED_ONE_IN = 16, RUN_MAX = 32 };

struct mutation {
    uint8_t *page;
    size_t size;
    struct simulated_random random;
};

static size_t below(struct mutation *mutation, size_t bound)
{
    return (size_t)simulated_random_below(&mutation->random, bound);
}

/* ---- repair ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void repair_leaf(uint8_t *page, size_t page_size)
{
    size_t top = leaf_cell_top(page);
    unsigned count = vs_page_count(page);
    unsigned capacity = leaf_capacity(page);
    if (leaf_free_at(page) > page_size || top > page_size || count > capacity) {
        return;
    }
    size_t used = 0;
    for (unsigned i = 0; i < capacity; i++) {
        struct leaf_slot slot = leaf_slot(page, i);
        if (i >= count) {
            vs_put_le32(page + leaf_heads_at(page) + (size_t)i * VS_HEAD_SIZE, LEAF_HEAD_UNUSED);
        } else if (slot.cell_at + LEAF_INFO_SIZE <= page_size) {
            used += leaf_cell_size(page, slot);
        }
    }
    leaf_set_cells(page, top, page_size - top - least(used, page_size - top));
}

static void repair_branch(uint8_t *page, size_t page_size)
{
    size_t top = branch_cell_top(page);
    unsigned capacity = vs_get_le16(page + BRANCH_CAPACITY_AT);
    vs_put_le16(page + BRANCH_STEP_AT, (uint16_t)branch_step(capacity));
    struct branch_layout at = branch_layout(page);
    if (at.free_at > page_size || top > page_size || at.count > capacity) {
        return;
    }
    size_t used = 0;
    for (unsigned i = 0; i < capacity; i++) {
        unsigned sep = vs_get_le16(page + at.seps_at + (size_t)i * BRANCH_SEP_SIZE);
        if (i >= at.count) {
            vs_put_le32(page + at.heads_at + (size_t)i * VS_HEAD_SIZE, BRANCH_HEAD_UNUSED);
        } else if (i > 0 && sep > VS_HEAD_SIZE && sep + BRANCH_CELL_HEADER <= page_size) {
            used += branch_cell_size(vs_get_le16(page + sep));
        }
    }
    branch_set_cells(page, top, page_size - top - least(used, page_size - top));
    for (unsigned j = 0; at.step != 0 && j < BRANCH_HINTS; j++) {
        unsigned i = j * at.step;
        vs_put_le32(page + BRANCH_HINTS_AT + (size_t)j * VS_HEAD_SIZE,
                    i < at.count ? branch_head(page, &at, i) : BRANCH_HEAD_UNUSED);
    }
}

/* ---- changes ---- */

static void change_header(struct mutation *mutation)
{
    static const uint8_t fields[][2] = {{1, 1}, {2, 2}, {4, 2}, {6, 2}, {16, 4}, {20, 2}, {22, 2}};
    const uint8_t *field = fields[below(mutation, sizeof fields / sizeof fields[0])];
    mutation_of_number(&mutation->random, mutation->page + field[0], field[1]);
}

/* A number somewhere in the arrays, two or four bytes wide. */
static void change_entry(struct mutation *mutation)
{
    unsigned count = vs_page_count(mutation->page);
    size_t end = least(mutation->size - 4, VS_HEAD_SIZE * 5 * (size_t)(count + 8) + 24);
    size_t at = 24 + below(mutation, end - 23) / 2 * 2;
    at = least(at, mutation->size - 4);
    mutation_of_number(&mutation->random, mutation->page + at, below(mutation, 2) == 0 ? 2 : 4);
}

/* An entry becomes another one's: equal keys, cells in common. */
static void copy_entry(struct mutation *mutation)
{
    uint8_t *page = mutation->page;
    unsigned count = vs_page_count(page);
    if (vs_page_kind(page) != VS_KIND_LEAF || count < 2 || leaf_free_at(page) > mutation->size) {
        return;
    }
    size_t from = below(mutation, count);
    size_t to = below(mutation, count);
    size_t heads = leaf_heads_at(page);
    size_t slots = leaf_slots_at(page);
    if (slots + (size_t)count * LEAF_SLOT_SIZE > mutation->size) {
        return;
    }
    memmove(page + heads + to * VS_HEAD_SIZE, page + heads + from * VS_HEAD_SIZE, VS_HEAD_SIZE);
    if (below(mutation, 2) == 0) {
        memmove(page + slots + to * LEAF_SLOT_SIZE, page + slots + from * LEAF_SLOT_SIZE,
                LEAF_SLOT_SIZE);
    }
}

/* A cell's first bytes: its size. */
static void change_cell(struct mutation *mutation)
{
    uint8_t *page = mutation->page;
    size_t top = vs_get_le32(page + LEAF_CELL_TOP_AT); /* of a branch the same place */
    if (top + 2 >= mutation->size) {
        return;
    }
    size_t at = top + below(mutation, mutation->size - top - 2);
    if (vs_page_kind(page) == VS_KIND_LEAF && vs_page_count(page) > 0 &&
        vs_page_count(page) <= leaf_capacity(page) && leaf_free_at(page) <= mutation->size) {
        at = leaf_slot(page, (unsigned)below(mutation, vs_page_count(page))).cell_at;
        at = least(at, mutation->size - 2);
    }
    mutation_of_number(&mutation->random, page + at, 2);
}

static void move_bytes(struct mutation *mutation)
{
    size_t size = 1 + below(mutation, RUN_MAX);
    memmove(mutation->page + below(mutation, mutation->size - size),
            mutation->page + below(mutation, mutation->size - size), size);
}

static void change_any_byte(struct mutation *mutation)
{
    mutation->page[below(mutation, mutation->size)] ^= (uint8_t)(1 + below(mutation, 255));
}

static void change_as_driver(struct mutation *mutation)
{
    size_t at = below(mutation, mutation->size - RUN_MAX);
    (void)LLVMFuzzerMutate(mutation->page + at, RUN_MAX, RUN_MAX);
}

void page_mutate(uint8_t *page, size_t page_size, unsigned seed)
{
    static void (*const often[])(struct mutation *) = {
        change_header, change_entry, change_entry,    change_entry,    copy_entry,
        change_cell,   move_bytes,   change_any_byte, change_any_byte, change_as_driver};
    struct mutation mutation = {page, page_size, {seed}};
    size_t changes = 1 + below(&mutation, CHANGES_MAX);
    for (size_t i = 0; i < changes; i++) {
        often[below(&mutation, sizeof often / sizeof often[0])](&mutation);
    }
    if (below(&mutation, UNREPAIRED_ONE_IN) == 0) {
        return;
    }
    if (vs_page_kind(page) == VS_KIND_LEAF) {
        repair_leaf(page, page_size);
    } else if (vs_page_kind(page) == VS_KIND_BRANCH) {
        repair_branch(page, page_size);
    }
}
