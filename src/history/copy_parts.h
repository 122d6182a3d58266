/*
 * copy_parts.h - what the parts of a copy share. For the copy_*.c files only.
 */
#ifndef VERSO_HISTORY_COPY_PARTS_H
#define VERSO_HISTORY_COPY_PARTS_H

#include "format/meta.h"
#include "history/copy.h"
#include "history/copy_file.h"

/** A copy being written. */
struct vs_copy {
    const struct vs_copy_roots *roots;
    struct vs_pages *pages; /* of the source */
    struct vs_copy_file file;
    vs_page_no *number; /* in the copy, of each page of the source; 0: not copied */
    size_t number_capacity;
    uint8_t *page; /* the one that is being changed: page_size bytes */
    uint8_t *key;  /* room for a longest key, for the catalogue */
};

/** The number in the copy of a page of the source; 0: it was not copied. */
static inline vs_page_no vs_copy_number(const struct vs_copy *copy, vs_page_no page)
{
    return page < copy->number_capacity ? copy->number[page] : 0;
}

/** What a tree holds. */
enum vs_copy_content {
    VS_COPY_PAIRS,
    VS_COPY_CATALOGUE, /* names of other trees, which are copied along */
};

/** Copy what a tree reaches and was not copied yet. *root: becomes its top in the copy. */
verso_err vs_copy_tree(struct vs_copy *copy, enum vs_copy_content content,
                       struct vs_tree_root *root);

/* ---- of a catalogue (copy_catalogue.c) ---- */

/** Copy the trees that a leaf of the source names. */
verso_err vs_copy_named_trees(struct vs_copy *copy, const uint8_t *leaf);

/** Let the leaf in copy->page name them as the copy has them. */
verso_err vs_copy_change_catalogue(struct vs_copy *copy);

/** Pages that the newest chosen root has on its list of dropped trees end with it. */
verso_err vs_copy_end_condemned(struct vs_copy *copy, const struct vs_root_record *newest);

/* ---- of the whole ---- */

/** Make the history tree of the chosen roots, whose records are `records`, oldest first. */
verso_err vs_copy_history(struct vs_copy_file *file, const struct vs_root_record *records,
                          size_t count, struct vs_tree_root *history);

/** Make the tags' tree: the set of the chosen roots, and the tags on them. */
verso_err vs_copy_keeping(struct vs_copy_file *file, const struct vs_copy_roots *roots,
                          struct vs_tree_root *tags);

/** Write the page table over all that was written; @param[out] top  Its uppermost entries. */
verso_err vs_copy_table(struct vs_copy *copy, uint64_t top[VS_TOPS_MAX]);

#endif
