/*
 * tree.h - one B+tree at one version: reading, and changing within a write transaction.
 *
 * Threads: a vs_tree is a value of its owner; reading calls are safe from any thread that holds the
 * version pinned, editing calls need the writer lock.
 */
#ifndef VERSO_TREE_TREE_H
#define VERSO_TREE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/leaf.h"
#include "format/root_record.h"
#include "format/run_ref.h"
#include "store/page_writer.h"
#include "store/pages.h"
#include "tree/proofs.h"
#include "verso.h"

enum { VS_TREE_VALUE_MAX = 1 << 30 }; /* bytes */

/** A tree looked at in one version. */
struct vs_tree_view {
    struct vs_pages *pages;
    struct vs_tree_root root;
    uint64_t version; /* or generation, for a history tree */
};

/** The keys at or above `from` and below `to`, each bound where the range has it. */
struct vs_key_range {
    bool has_from;
    bool has_to;
    verso_slice from;
    verso_slice to;
};

/** A value found: `bytes` where it lies in one piece, else NULL and `run` says where. */
struct vs_tree_value {
    verso_slice slice; /* data NULL and size > 0: read it through `run` */
    struct vs_run_ref run;
    bool is_run;
};

/* ---- search (search.c) ---- */

verso_err vs_tree_get(const struct vs_tree_view *view, verso_slice key,
                      struct vs_tree_value *value);

/** Many at once, interleaving their descents; found[i] is VERSO_OK or VERSO_NOT_FOUND. Values in
 *  runs come with data NULL where they lie in several extents. */
verso_err vs_tree_get_many(const struct vs_tree_view *view, const verso_slice *keys, size_t count,
                           struct vs_tree_value *values, verso_err *found);

/* ---- cursor (cursor.c) ---- */

struct vs_tree_cursor; /* see cursor.h of this floor */

/* ---- change (edit.c, insert.c, delete.c, delete_range.c, rebalance.c,
 * chain.c, bulk.c) ---- */

/** A tree being changed by the running transaction. */
struct vs_tree_edit {
    struct vs_page_writer *writer;
    struct vs_tree_root root;
    uint64_t tree_id;       /* 0: the default tree; part of each fingerprint term */
    uint64_t fingerprint;   /* sum of the terms; kept exact by every change */
    uint64_t relief_copies; /* leaves copied because of their link slots, for statistics */
    uint64_t changes; /* counts up with every call that may change, so that cursors look anew */
    struct vs_edit_workspace *workspace; /* edit.h; NULL before the first change; owned, unless
                                            whoever lent it says otherwise */
    bool dropped;                        /* the tree is no more */
};

void vs_tree_edit_init(struct vs_tree_edit *edit, struct vs_page_writer *writer,
                       struct vs_tree_root root, uint64_t tree_id, uint64_t fingerprint);
/** The same for an edit that was zeroed or used before (in the same store): keeps its memory. */
void vs_tree_edit_restart(struct vs_tree_edit *edit, struct vs_page_writer *writer,
                          struct vs_tree_root root, uint64_t tree_id, uint64_t fingerprint);
void vs_tree_edit_clear(struct vs_tree_edit *edit);

/** The edit's tree as a view (its own changes included). */
struct vs_tree_view vs_tree_edit_view(const struct vs_tree_edit *edit);

/** What an edit's tree is at some moment; its pages are the page writer's. */
struct vs_tree_mark {
    struct vs_tree_root root;
    uint64_t fingerprint;
    bool dropped;
};

struct vs_tree_mark vs_tree_edit_mark(const struct vs_tree_edit *edit);
/** The pages have been rolled back to where they were at the mark: so is the tree. */
void vs_tree_edit_return(struct vs_tree_edit *edit, const struct vs_tree_mark *mark);

enum vs_put_mode {
    VS_PUT_UPSERT,
    VS_PUT_INSERT,  /* VERSO_EXISTS if the key is there */
    VS_PUT_REPLACE, /* VERSO_NOT_FOUND if it is not */
};

/** Receives the old value before it is overwritten or deleted (its bytes die with the call). */
typedef verso_err (*vs_old_value)(void *argument, const struct vs_tree_value *old);

/**
 * Put one pair. @param old  NULL, or called if the key was there, before anything is changed; an
 * error from it ends the call with nothing changed.
 * @retval VERSO_EXISTS, VERSO_NOT_FOUND, VERSO_TOO_BIG  Nothing was changed.
 * @retval others  If *broken became true, the transaction can only be aborted or rolled back.
 */
verso_err vs_tree_put(struct vs_tree_edit *edit, enum vs_put_mode mode, verso_slice key,
                      verso_slice value, vs_old_value old, void *argument, bool *broken);

verso_err vs_tree_delete(struct vs_tree_edit *edit, verso_slice key, vs_old_value old,
                         void *argument, bool *broken);

/**
 * Delete every key of a range: pages that lie within it go whole.
 *
 * @param[out] deleted  How many keys went; 0: nothing was changed.
 * @retval others  If *broken became true, the transaction can only be aborted; else nothing was
 *                 changed.
 */
verso_err vs_tree_delete_range(struct vs_tree_edit *edit, const struct vs_key_range *range,
                               uint64_t *deleted, bool *broken);

/** Upsert entries with strictly ascending keys, visiting each leaf once; entries beyond the tree's
 *  last key fill leaves completely. Keys and sizes were checked by the caller. */
verso_err vs_tree_put_sorted(struct vs_tree_edit *edit, const verso_entry *entries, size_t count,
                             bool *broken);

/* ---- check (tree_check.c) ---- */

/** What a check of one tree counts and reports. */
struct vs_tree_check {
    uint64_t keys;
    uint64_t fingerprint;
    uint64_t leaves; /* walked through; what was proved before is passed */
    uint64_t branches;
    uint64_t summed; /* leaves whose pairs were hashed */
    uint64_t underfull;
    uint64_t marks; /* of the pages of the tree, see proofs.h; and their number modulo 2^32 */
    uint32_t pages;
    struct vs_span holds; /* versions in which this tree, if it is theirs, is sound too */
    vs_page_no bad_page;  /* of the first fault */
    char fault[200];      /* empty: none */
    /* called for every page walked through; returns NULL, or the fault's text (page reached twice,
       free) */
    const char *(*visit)(void *argument, vs_page_no page, enum vs_page_kind kind);
    void *argument;
    struct vs_proofs *proofs; /* what was proved in other roots; NULL: every page is walked through,
                                 and nothing is remembered */
};

/** Prove invariants 1 to 6 of docs/format.md for one tree. VERSO_CORRUPT on a fault. */
verso_err vs_tree_check(const struct vs_tree_view *view, uint64_t tree_id,
                        struct vs_tree_check *check);

#endif
