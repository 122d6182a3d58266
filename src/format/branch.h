/*
 * branch.h - branch pages: separators, children and the number of keys below each child.
 *
 * Child i holds the keys in [separator i, separator i + 1); separator 0 is minus infinity. The
 * layout is drawn in branch_layout.h. Functions that change a branch expect a page of the open
 * transaction. All functions but vs_branch_check() trust the page's structure.
 */
#ifndef VERSO_FORMAT_BRANCH_H
#define VERSO_FORMAT_BRANCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "verso.h"

/** As vs_leaf_check(). Level must be 1 or more, children not 0, separators strictly ascending. */
const char *vs_branch_check(const uint8_t *page, size_t page_size);

/** One child of a branch to be encoded: from a page, or new. */
struct vs_branch_cell {
    const uint8_t *page; /* NULL: the new child given below */
    unsigned index;
    verso_slice separator; /* ignored for the first cell of a branch */
    vs_page_no child;
    uint64_t keys;
};

/** Index of the child that holds `key`. */
unsigned vs_branch_find(const uint8_t *page, verso_slice key);

/** Is child `index` the one that holds `key`? Two comparisons; a search takes more. */
bool vs_branch_leads_to(const uint8_t *page, unsigned index, verso_slice key);

vs_page_no vs_branch_child(const uint8_t *page, unsigned index);
uint64_t vs_branch_keys(const uint8_t *page, unsigned index);        /* below that child */
uint64_t vs_branch_total(const uint8_t *page);                       /* below all children */
uint64_t vs_branch_keys_before(const uint8_t *page, unsigned index); /* below children [0, index) */
/** Index of the child with key *rank of those below the branch; *rank becomes its place below that
 *  child. @return The count of children if the branch has not so many keys. */
unsigned vs_branch_find_rank(const uint8_t *page, uint64_t *rank);
void vs_branch_set_child(uint8_t *page, unsigned index, vs_page_no child);
void vs_branch_set_keys(uint8_t *page, unsigned index, uint64_t keys);

/** Copy separator `index` (>= 1) into `buffer` of vs_leaf_key_max() bytes. @return Its size. */
size_t vs_branch_separator(const uint8_t *page, unsigned index, uint8_t *buffer);

/** Insert a child at `index` >= 1. @return false if it does not fit; the page is unchanged. */
bool vs_branch_insert(uint8_t *page, size_t page_size, unsigned index, verso_slice separator,
                      vs_page_no child, uint64_t keys);
/** Remove child `index` with its separator (for index 0: child 1's separator becomes minus
 *  infinity). At least one child remains. */
void vs_branch_remove(uint8_t *page, size_t page_size, unsigned index);
/** Change separator `index` >= 1. @return false if it does not fit; the page is unchanged. */
bool vs_branch_set_separator(uint8_t *page, size_t page_size, unsigned index,
                             verso_slice separator);

bool vs_branch_is_underfull(const uint8_t *page, size_t page_size);

/** Make a branch of one child (minus infinity). */
void vs_branch_init(uint8_t *page, size_t page_size, uint64_t birth, unsigned level,
                    vs_page_no child, uint64_t keys);

/**
 * Gather the children of up to two neighbouring branches (`right` may be NULL; `middle` is the
 * separator between them in their parent) with one child put in at `index` of the concatenation.
 * `put` may be NULL; its index is 1 or more. `cells`: room for both counts + 1. @return Their
 * number.
 */
unsigned vs_branch_gather(const uint8_t *left, const uint8_t *right, verso_slice middle,
                          const struct vs_branch_cell *put, unsigned index,
                          struct vs_branch_cell *cells);
size_t vs_branch_encoded_size(const struct vs_branch_cell *cells, unsigned count, unsigned level);
/** As vs_leaf_split_point(), of four children or more (what does not fit a page has five); separator
 * `answer` moves up to the parent. Both parts get at least two children. */
unsigned vs_branch_split_point(const struct vs_branch_cell *cells, unsigned count, unsigned level,
                               size_t page_size, bool append);
void vs_branch_encode(uint8_t *page, size_t page_size, uint64_t birth, unsigned level,
                      const struct vs_branch_cell *cells, unsigned count);
/** The separator of a cell that is not the first, copied into `buffer` (vs_leaf_key_max() bytes).
 * @return Its size. */
size_t vs_branch_cell_separator(const struct vs_branch_cell *cell, uint8_t *buffer);

/**
 * Choose how branches are searched: `wide` scans all heads with vector instructions (for trees
 * whose level 1 does not fit the second-level cache), else the hint array narrows first. Same
 * bytes.
 */
unsigned vs_branch_find_wide(const uint8_t *page, verso_slice key);

#endif
