/*
 * remains.h - what can still be read of a damaged tree.
 *
 * The walk goes through the branches from left to right. Where one cannot be read, the leaves below
 * it are found by the chain: from the leaf before, whose link stands in the page table and not in
 * the leaf, so that a leaf that cannot be read does not end it either.
 *
 *      branches      [ a . b . c ]           b cannot be read: after the last leaf below a
 *                     /    x    \            the chain leads through b's leaves,
 *      chain       L -> L -> L -> L -> L     until a key is not below c's separator
 *
 * At the left edge there is no leaf before. There the page table is read once, whole, and the links
 * are followed backwards: from the first leaf that the walk comes to. If it comes to none, the leaf
 * that no link leads to is the first, provided that all other trees were found whole before.
 *
 * Only pages that agree with the page table are believed, and each but once: no bytes whatever make
 * the walk longer than the file.
 *
 * Threads: the owner of the store, which nobody else uses.
 */
#ifndef VERSO_TREE_REMAINS_H
#define VERSO_TREE_REMAINS_H

#include "tree/tree.h"

/** The leaves of one root, whichever tree they belong to. Zeroed before init. */
struct vs_remaining_pages {
    struct vs_pages *pages;
    uint64_t version;
    vs_page_no limit;   /* page numbers from here on are not looked at */
    uint8_t *state;     /* a byte a page: was it met, is it a leaf of this root */
    vs_page_no *before; /* a word a page: the leaf whose link leads there, or 0; once scanned */
};

/** Keys that are lost: those at or above `from` and below `to`, each bound where there is one. */
struct vs_lost_keys {
    struct vs_key_range range;
    vs_page_no page;    /* that cannot be read, the first of them */
    uint64_t keys;      /* how many are known to be missing; 0: that is not known */
    const char *reason; /* borrowed for the call */
};

/** A walk over one tree. An error of `found` ends it. */
struct vs_remains {
    struct vs_remaining_pages *shared;
    struct vs_tree_root root;
    verso_err (*found)(void *argument, verso_slice key, verso_slice value);
    void (*lost)(void *argument, const struct vs_lost_keys *lost);
    void *argument;
    uint64_t keys;     /* found */
    uint64_t losses;   /* reported */
    uint64_t bad;      /* pages that could not be read */
    bool is_rootless;  /* no leaf was come to: vs_remains_adopt() may find them */
    vs_page_no origin; /* is_rootless: the page that could not be read */
};

/** VERSO_NOMEM. */
verso_err vs_remaining_pages_init(struct vs_remaining_pages *shared, struct vs_pages *pages,
                                  uint64_t version, uint64_t limit);
void vs_remaining_pages_clear(struct vs_remaining_pages *shared);

/** Walk over a tree of the root. Damage is reported by `lost`, not returned. VERSO_NOMEM. */
verso_err vs_remains_walk(struct vs_remains *remains);

/** All other trees of the root were walked, and nothing of them is missing, nor are there condemned
 *  ones: if one chain of leaves is left over, it is this one's. Else all keys are reported lost.
 *  VERSO_NOMEM. */
verso_err vs_remains_adopt(struct vs_remains *remains);

/* ---- the chain (remains_chain.c) ---- */

/** Read the page table once, whole, for the two calls below. VERSO_NOMEM. */
verso_err vs_remaining_scan(struct vs_remaining_pages *shared);

/** The leaf before this one, or 0: none, or it cannot be told. The table was scanned. */
vs_page_no vs_remaining_before(const struct vs_remaining_pages *shared, vs_page_no leaf);

/** The only leaf of the root that was not met and that no leaf leads to; 0: there is none, or more
 *  than one. The table was scanned. */
vs_page_no vs_remaining_head(const struct vs_remaining_pages *shared);

/** Note that a page was met: nothing is read twice. */
void vs_remaining_meet(struct vs_remaining_pages *shared, vs_page_no page);
bool vs_remaining_is_met(const struct vs_remaining_pages *shared, vs_page_no page);

/** Is it damage, which a walk passes by? */
static inline bool vs_is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_IO;
}

#endif
