/*
 * cursor_place.h - what a cursor is made of. For cursor.c and cursor_batch.c only.
 */
#ifndef VERSO_TREE_CURSOR_PLACE_H
#define VERSO_TREE_CURSOR_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "tree/cursor.h"
#include "tree/path.h"

/** Where a cursor stands. */
enum place {
    PLACE_FRESH,        /* nowhere yet: next is the first entry, previous the last */
    PLACE_ON,           /* on an entry, whose key is in the key buffer */
    PLACE_GAP,          /* where the key in the key buffer would be, but is not */
    PLACE_AHEAD,        /* just before the entry whose key is in the key buffer */
    PLACE_BEFORE_FIRST, /* beyond the lower end */
    PLACE_AFTER_LAST,   /* beyond the upper end */
    PLACE_FAILED,       /* `error` sticks */
};

/** Memory for the keys of a batch: blocks that stay for the next one. */
struct vs_key_pool {
    struct vs_key_block *blocks; /* all of them */
    struct vs_key_block *block;  /* the one being filled; NULL before the first key */
    size_t used;                 /* bytes of it */
};

struct vs_tree_cursor {
    struct vs_tree_view view;
    const struct vs_tree_edit *edit; /* NULL: the view is fixed */
    uint64_t changes;                /* the edit's count when `path` and `bytes` were good, */
    uint64_t moves;                  /* and vs_writer_moves() */
    enum place place;
    verso_err error;
    /* on an entry: the way to its leaf, the leaf, the place in it */
    struct vs_path path;
    const uint8_t *bytes;
    unsigned count;
    unsigned index;
    /* leaves that were asked for by way of the parent `asked_in`, and how many to ask for next */
    vs_page_no asked_in;
    unsigned asked_to;
    unsigned window;
    const uint8_t *ahead; /* the line of the next leaf to be asked for with the next entry */
    const uint8_t *ahead_end;
    size_t key_size;
    uint8_t *key;    /* begins with the prefix of the leaf that was entered last */
    uint8_t *sought; /* a copy of it while it is looked for */
    struct vs_key_pool pool;
};

enum { VS_CURSOR_LINE = 64 }; /* bytes */

/**
 * Ask for one more line of the leaf ahead. Asking with each entry keeps memory busy while entries
 * are read: a third faster than asking for as many lines at once on entering a leaf.
 */
static inline void vs_cursor_ask_on(struct vs_tree_cursor *cursor)
{
    if (cursor->ahead < cursor->ahead_end) {
        __builtin_prefetch(cursor->ahead);
        cursor->ahead += VS_CURSOR_LINE;
    }
}

/** Keep an error until the cursor is placed anew; hand it back. */
verso_err vs_cursor_fail(struct vs_tree_cursor *cursor, verso_err err);

/** Move to the next leaf, on no entry yet. VERSO_NOT_FOUND: the cursor stands after the last. */
verso_err vs_cursor_next_leaf(struct vs_tree_cursor *cursor);

void vs_key_pool_clear(struct vs_key_pool *pool);

#endif
