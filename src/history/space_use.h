/*
 * space_use.h - what holds the pages of the store file.
 *
 * Each page is put down to one holder, the first of this list that needs it: the newest published
 * root; a retained root that is neither tagged nor open; a tagged one; one that is open in a view;
 * what passes by itself, which is what the metas, a checkpoint under way or versions that are not
 * published yet name; nobody.
 */
#ifndef VERSO_HISTORY_SPACE_USE_H
#define VERSO_HISTORY_SPACE_USE_H

#include "store/store.h"

/** Pages of the file, or in memory those below the high-water mark. */
struct vs_space_use {
    uint64_t live;
    uint64_t history;
    uint64_t tags;
    uint64_t readers;
    uint64_t passing;
    uint64_t free;
    uint64_t fixed; /* places computed from page numbers, and the trees of roots and tags */
    uint64_t ahead; /* at or above the high-water mark */
};

/** Count. Writer lock. VERSO_NOMEM, VERSO_CORRUPT. */
verso_err vs_space_use_count(struct vs_store *store, struct vs_space_use *use);

#endif
