/*
 * leaf.h - prefix-compressed leaf pages: pure functions over the bytes of one page.
 *
 * The layout is drawn in leaf_layout.h. A payload is what a cell holds beside its key: an inline
 * value, or the reference to a value run (run_ref.h). Functions that change a leaf expect a page
 * that belongs to the open transaction. All functions but vs_leaf_check() trust the page's
 * structure.
 */
#ifndef VERSO_FORMAT_LEAF_H
#define VERSO_FORMAT_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "verso.h"

/** What a cell holds beside its key. */
struct vs_payload {
    bool is_run;          /* `bytes` is an encoded run reference, not the value itself */
    uint16_t size;        /* bytes; at most vs_leaf_payload_max() for the key */
    const uint8_t *bytes; /* borrowed: from the page, or from the caller */
};

/** Longest key: at least 1,000 bytes at 4 KiB pages and 100 at 512, in proportion at others. */
size_t vs_leaf_key_max(size_t page_size);

/**
 * Longest payload that may stand in a cell beside a key of this size; a longer value becomes a run.
 * Any three cells of the largest size fit one page, and a longest key leaves room for a run
 * reference of VS_RUN_REF_MIN bytes. (Pages of 512 bytes cannot keep both: there keys above 74
 * bytes keep the room, and only two cells of the largest size fit, which is all that splitting
 * needs.)
 */
size_t vs_leaf_payload_max(size_t page_size, size_t key_size);

/**
 * Check the whole structure of a page that claims to be a leaf: offsets, lengths, order of keys.
 * After it returned NULL no other function here reads or writes out of bounds on the page.
 * @return NULL, or a static text with the first fault.
 */
const char *vs_leaf_check(const uint8_t *page, size_t page_size);

/** Make an empty leaf whose keys are expected to begin with `prefix` (may be empty). */
void vs_leaf_init(uint8_t *page, size_t page_size, uint64_t birth, verso_slice prefix);

/**
 * Find a key. @return Whether it is there. *index: its place, or that of the first greater key
 * (count if none).
 */
bool vs_leaf_find(const uint8_t *page, verso_slice key, unsigned *index);

/**
 * Ask for the cell that vs_leaf_find() of this key will read; the lines of vs_leaf_prefetch()
 * should have come. For batches of searches that take turns.
 */
void vs_leaf_prefetch_cell(const uint8_t *page, verso_slice key);

/** memcmp-like order of cell `index`'s key against `key`. */
int vs_leaf_compare(const uint8_t *page, unsigned index, verso_slice key);

size_t vs_leaf_key_size(const uint8_t *page, unsigned index);
/** Copy the whole key into `buffer`, which holds vs_leaf_key_max() bytes. @return Its size. */
size_t vs_leaf_key(const uint8_t *page, unsigned index, uint8_t *buffer);

struct vs_payload vs_leaf_payload(const uint8_t *page, unsigned index);

/** Copy the prefix of all keys into `buffer`. @return Its size. */
size_t vs_leaf_prefix(const uint8_t *page, uint8_t *buffer);

/**
 * Key and payload of cell `index` in one step, for scans: only the key's suffix is written.
 *
 * @param buffer  vs_leaf_key_max() bytes that begin with this leaf's prefix: vs_leaf_prefix(),
 *                vs_leaf_key() and this function leave them so.
 * @return The key's size.
 */
size_t vs_leaf_entry(const uint8_t *page, unsigned index, uint8_t *buffer,
                     struct vs_payload *payload);

/** Bytes used of what an empty leaf without prefix offers; for the quarter rule. */
size_t vs_leaf_used(const uint8_t *page, size_t page_size);
bool vs_leaf_is_underfull(const uint8_t *page, size_t page_size);

/**
 * Insert a new key at `index` (from vs_leaf_find()). Key and payload may lie in this page. Compacts
 * or re-encodes the leaf with another prefix when that makes it fit.
 * @return false if it does not fit; the page is then unchanged.
 */
bool vs_leaf_insert(uint8_t *page, size_t page_size, unsigned index, verso_slice key,
                    struct vs_payload payload);

/** Give cell `index` another payload, which may lie in this page. @return false if it does not fit;
 * the page is unchanged. */
bool vs_leaf_replace(uint8_t *page, size_t page_size, unsigned index, struct vs_payload payload);

/** Remove cell `index`. */
void vs_leaf_remove(uint8_t *page, size_t page_size, unsigned index);

/** One cell of a leaf to be encoded: from a page, or new. */
struct vs_leaf_cell {
    const uint8_t *page; /* NULL: the new cell given by key and payload */
    unsigned index;      /* in `page` */
    verso_slice key;
    struct vs_payload payload;
};

/**
 * Gather the cells of up to two neighbouring leaves (`right` may be NULL) in order, with one cell
 * put in: at `index` of the concatenation, replacing the cell there if `replace`. `put` may be
 * NULL.
 * @param cells  Room for vs_page_count() of both + 1.
 * @return Their number.
 */
unsigned vs_leaf_gather(const uint8_t *left, const uint8_t *right, const struct vs_leaf_cell *put,
                        unsigned index, bool replace, struct vs_leaf_cell *cells);

/** Bytes that a leaf of exactly these cells needs, encoded with their common prefix. */
size_t vs_leaf_encoded_size(const struct vs_leaf_cell *cells, unsigned count);

/**
 * Where to cut `count` (>= 2) cells that do not fit one page: as many go left as the answer says;
 * both parts fit. `append`: the last cell was put beyond the last key of the tree, so the left part
 * is filled completely.
 */
unsigned vs_leaf_split_point(const struct vs_leaf_cell *cells, unsigned count, size_t page_size,
                             bool append);

/**
 * Write a leaf of these cells, in key order, into `page`. The cells' source pages must not overlap
 * `page`. They fit: vs_leaf_encoded_size() <= page_size.
 */
void vs_leaf_encode(uint8_t *page, size_t page_size, uint64_t birth,
                    const struct vs_leaf_cell *cells, unsigned count);

/**
 * The shortest separator between the last key of `left_cells` and the first of `right_cells`'s: a
 * prefix of the right key that is greater than the left key.
 * @param buffer  vs_leaf_key_max() bytes. @return Its size.
 */
size_t vs_leaf_separator(const struct vs_leaf_cell *left, const struct vs_leaf_cell *right,
                         uint8_t *buffer);
/** The same between two keys. @return How many bytes of `right` separate. */
size_t vs_separator_size(verso_slice left, verso_slice right);

/** Ask for the lines that a search will touch: header, prefix, heads, offsets. */
static inline void vs_leaf_prefetch(const uint8_t *page)
{
    for (unsigned line = 0; line < 5; line++) { /* five lines: measured, docs/architecture.md */
        __builtin_prefetch(page + (size_t)line * 64);
    }
}

#endif
