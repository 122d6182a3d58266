/*
 * salvage.h - the two halves of a salvage: what goes from where to where, and the files.
 *
 * Threads: one; nobody else has either store.
 */
#ifndef VERSO_API_SALVAGE_H
#define VERSO_API_SALVAGE_H

#include "api/handles.h"
#include "tree/remains.h"

/** A named tree that the damaged root has, as far as its names can be read. */
struct vs_salvage_tree {
    char name[VERSO_NAME_MAX + 1]; /* ends with a zero */
    size_t name_size;
    struct vs_tree_record record;
};

struct vs_salvage {
    struct vs_store *from;    /* the damaged store, open read-only; its log was not read */
    struct vs_store *to;      /* the new one, with a running transaction */
    struct vs_tree_set trees; /* of the new one */
    const verso_salvage_options *options;
    verso_salvage_report report;
    struct vs_remaining_pages pages; /* of the damaged root */
    struct vs_salvage_tree *tree;
    size_t tree_count;
    size_t tree_capacity;
    bool has_condemned; /* dropped trees that are not taken apart: their leaves are no tree's */
    const char *name;   /* of the tree being walked; NULL: the list of names */
    uint64_t number;    /* its number */
    uint64_t expected;  /* fingerprint of the newest root that was found */
    verso_err own_err;  /* of the new store, while the old one's log is read */
};

/** Bring everything that can be read of the newest root into the running transaction, then what the
 *  log says since. Damage of the old store is reported, not returned. */
verso_err vs_salvage_content(struct vs_salvage *salvage);

#endif
