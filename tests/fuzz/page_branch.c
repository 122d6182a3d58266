/*
 * page_branch.c - everything that the engine does with a branch, on one that came from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "format/branch.h"
#include "format/leaf.h"
#include "page_script.h"
#include "verdict.h"

enum { CELLS_MAX = PAGE_BYTES_MAX / 12 + 1 };

/* ---- reading ---- */

static void read_rank(const uint8_t *page, unsigned index)
{
    uint64_t before = vs_branch_keys_before(page, index);
    uint64_t keys = vs_branch_keys(page, index);
    uint64_t rank = before;
    unsigned found = vs_branch_find_rank(page, &rank);
    verdict_require(found <= vs_page_count(page), "a rank leads beyond the children");
    if (keys > 0 && vs_page_level(page) <= 2) { /* above, counts have 8 bytes and may run over */
        verdict_require(found == index && rank == 0, "a child's first key is another's");
    }
}

static void read_all(const uint8_t *page, size_t page_size)
{
    static uint8_t keys[2][SCRIPT_KEY_MAX];
    size_t sizes[2] = {0, 0};
    unsigned count = vs_page_count(page);
    for (unsigned i = 0; i < count; i++) {
        verdict_require(vs_branch_child(page, i) != 0, "a child is page 0");
        read_rank(page, i);
        if (i == 0) {
            continue;
        }
        sizes[i % 2] = vs_branch_separator(page, i, keys[i % 2]);
        verso_slice low = {keys[1 - i % 2], sizes[1 - i % 2]};
        verso_slice high = {keys[i % 2], sizes[i % 2]};
        verdict_require(high.size <= vs_leaf_key_max(page_size), "a separator longer than allowed");
        verdict_require(i == 1 || script_compare(low, high) < 0, "separators do not ascend");
        verdict_require(vs_branch_find(page, high) == i, "a separator does not lead to its child");
        verdict_require(vs_branch_find_wide(page, high) == i, "two searches lead to two children");
    }
    (void)vs_branch_total(page);
    (void)vs_branch_is_underfull(page, page_size);
}

/* ---- editing ---- */

static verso_slice some_key(struct page_script *script, const uint8_t *page, size_t page_size)
{
    unsigned count = vs_page_count(page);
    size_t size = 0;
    if (count > 1) {
        unsigned index = 1 + (unsigned)script_below(script, count - 1);
        size = vs_branch_separator(page, index, script->key);
    }
    verso_slice key = script_near(script, size, vs_leaf_key_max(page_size));
    key.size += key.size == 0; /* no key is below the empty one, so nothing makes it a separator */
    return key;
}

/* Whether child `index` begins with this very key. */
static bool is_separator(const uint8_t *page, unsigned index, verso_slice key)
{
    static uint8_t bytes[SCRIPT_KEY_MAX];
    return index > 0 &&
           script_compare((verso_slice){bytes, vs_branch_separator(page, index, bytes)}, key) == 0;
}

static bool change(uint8_t *page, size_t page_size, verso_slice key, struct page_script *script)
{
    unsigned count = vs_page_count(page);
    unsigned index = vs_branch_find(page, key);
    verdict_require(vs_branch_find_wide(page, key) == index, "two searches lead to two children");
    verdict_require(vs_branch_leads_to(page, index, key),
                    "a search leads where the separators do not");
    bool exact = is_separator(page, index, key);
    size_t which = script_below(script, 4);
    if (which == 0 && count > 1) {
        vs_branch_remove(page, page_size, (unsigned)script_below(script, count));
        verdict_require(vs_page_count(page) == count - 1, "a removal of more or less than one");
        return true;
    }
    if (which == 1 && index > 0) {
        return vs_branch_set_separator(page, page_size, index, key);
    }
    if (which == 2 && !exact && index + 1 < count) {
        return vs_branch_set_separator(page, page_size, index + 1, key);
    }
    if (exact ||
        !vs_branch_insert(page, page_size, index + 1, key, 9, script_below(script, 60000))) {
        return false;
    }
    verdict_require(vs_branch_find(page, key) == index + 1 && vs_branch_child(page, index + 1) == 9,
                    "a child is not there after its insertion");
    return true;
}

static void edit(uint8_t *page, size_t page_size, struct page_script *script)
{
    static uint8_t before[PAGE_BYTES_MAX];
    verso_slice key = some_key(script, page, page_size);
    memcpy(before, page, page_size);
    if (!change(page, page_size, key, script)) {
        verdict_require(memcmp(before, page, page_size) == 0,
                        "what did not fit has changed the page");
    }
    verdict_require(vs_branch_check(page, page_size) == NULL, "a changed branch is not sound");
}

/* ---- writing anew ---- */

static void require_same_cells(const uint8_t *page, const struct vs_branch_cell *cells)
{
    static uint8_t keys[2][SCRIPT_KEY_MAX];
    for (unsigned i = 0; i < vs_page_count(page); i++) {
        const struct vs_branch_cell *cell = &cells[i];
        bool is_new = cell->page == NULL;
        verdict_require(vs_branch_child(page, i) ==
                                (is_new ? cell->child : vs_branch_child(cell->page, cell->index)) &&
                            vs_branch_keys(page, i) ==
                                (is_new ? cell->keys : vs_branch_keys(cell->page, cell->index)),
                        "a child is another, written anew");
        if (i > 0) {
            verso_slice old = {keys[0], vs_branch_cell_separator(cell, keys[0])};
            verso_slice new = {keys[1], vs_branch_separator(page, i, keys[1])};
            verdict_require(script_compare(old, new) == 0, "a separator is another, written anew");
        }
    }
}

static void write_part(uint8_t *to, size_t page_size, unsigned level,
                       const struct vs_branch_cell *cells, unsigned count)
{
    verdict_require(vs_branch_encoded_size(cells, count, level) <= page_size,
                    "a part of a branch does not fit");
    vs_branch_encode(to, page_size, 7, level, cells, count);
    verdict_require(vs_branch_check(to, page_size) == NULL, "a branch written anew is not sound");
    verdict_require(vs_page_count(to) == count, "a branch written anew has another count");
    require_same_cells(to, cells);
}

static void cut(const uint8_t *page, uint8_t *to, size_t page_size, struct page_script *script)
{
    static struct vs_branch_cell cells[CELLS_MAX + 1];
    verso_slice none = {NULL, 0};
    unsigned level = vs_page_level(page);
    verso_slice key = some_key(script, page, page_size);
    unsigned index = vs_branch_find(page, key);
    struct vs_branch_cell put = {.separator = key, .child = 9, .keys = 100};
    bool exact = is_separator(page, index, key);
    unsigned count =
        vs_branch_gather(page, NULL, none, exact ? NULL : &put, exact ? 0 : index + 1, cells);
    if (vs_branch_encoded_size(cells, count, level) <= page_size) {
        write_part(to, page_size, level, cells, count);
        return;
    }
    bool append = index + 2 == count && script_below(script, 2) == 0;
    unsigned left = vs_branch_split_point(cells, count, level, page_size, append);
    verdict_require(left >= 1 && left < count, "a cut leaves a side empty");
    write_part(to, page_size, level, cells, left);
    write_part(to, page_size, level, cells + left, count - left);
}

void page_use_branch(const uint8_t *page, size_t page_size, struct page_script *script)
{
    uint8_t *copy = malloc(page_size); /* on the heap, so that a sanitiser sees its ends */
    uint8_t *to = malloc(page_size);
    if (copy == NULL || to == NULL) {
        abort();
    }
    memcpy(copy, page, page_size);
    read_all(copy, page_size);
    cut(copy, to, page_size, script);
    for (unsigned i = 0; i < SCRIPT_EDITS; i++) {
        edit(copy, page_size, script);
    }
    read_all(copy, page_size);
    cut(copy, to, page_size, script);
    free(to);
    free(copy);
}
