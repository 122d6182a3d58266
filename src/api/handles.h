/*
 * handles.h - what stands behind the opaque handles of verso.h.
 */
#ifndef VERSO_API_HANDLES_H
#define VERSO_API_HANDLES_H

#include <stdatomic.h>
#include <string.h>

#include "api/operations.h"
#include "api/savepoint.h"
#include "history/history.h"
#include "os/fault.h"
#include "os/fork.h"
#include "store/store.h"
#include "tree/cursor.h"
#include "tree/tree_set.h"
#include "verso.h"

struct verso_store {
    struct vs_store *store;
    uint32_t forks; /* vs_fork_count() at open */
    /* the last transaction's memory, for the next one. Exchanged: acquire by who takes it, release by
       who gives it, or the one might meet what the other has not finished clearing */
    _Atomic(struct vs_transaction *) spare;
    /* open views, and running transactions. Counted up relaxed, down with release: pairs with the
       acquire of verso_close(), which else might free what a view's last read is still on */
    _Atomic uint64_t views;
};

/** A copy of a value that lies in several pieces; freed with its view. */
struct vs_piece {
    struct vs_piece *next;
    uint8_t bytes[];
};

/** The named trees that were opened in a view, by number, ascending; closed with it. */
struct vs_tree_views {
    verso_view **view;
    size_t count;
    size_t capacity;
};

struct verso_view {
    verso_store *owner;
    verso_txn *txn;               /* NULL: of a root */
    struct vs_tree_view tree;     /* of a transaction: refreshed at each call */
    struct vs_root_record record; /* without its note; of a named tree: with its top and terms */
    uint32_t slot;                /* reader slot; not used by a transaction's view */
    verso_view *parent;           /* of a named tree in a root: the view that holds the root */
    uint64_t number;              /* of a named tree */
    struct vs_tree_views trees;   /* of a root's view */
    struct vs_piece *pieces;
    struct vs_tree_cursor *probe; /* vs_view_probe(); made at its first use */
    uint8_t *note;                /* malloc'ed by verso_view_info() */
};

/** One tree of the running transaction. */
struct verso_txn {
    struct vs_transaction *shared;
    struct vs_tree_edit *edit;
    struct verso_view view; /* its `txn` is this handle */
};

/** What the handles of one transaction share. */
struct vs_transaction {
    verso_store *owner;
    struct vs_tree_set trees;
    struct verso_txn main; /* the default tree's handle: what verso_begin() hands out */
    struct vs_operations operations;
    struct vs_txn_savepoints savepoints;
    bool changed; /* there is something to commit */
    bool broken;  /* a call failed in the middle of a change: abort or roll back */
    bool ended;   /* its memory waits for the next transaction */
    uint8_t *old; /* the value that the last exchange or take handed back */
    size_t old_capacity;
    size_t old_size;
};

/** Is the handle this process's own? In a child of fork() every call refuses. */
static inline verso_err vs_check_process(const verso_store *store)
{
    if (__builtin_expect(store->forks != vs_fork_count(), 0)) {
        return vs_fault(VERSO_FORKED, "the store was opened before fork(); open it anew here");
    }
    return VERSO_OK;
}

/** Refuse: the handle's tree was dropped in this transaction. @return VERSO_INVALID. */
verso_err vs_tree_was_dropped(void);

/** Can the view be read: is it this process's, and its tree still there? */
static inline verso_err vs_view_check(const verso_view *view)
{
    if (view->txn != NULL && __builtin_expect(view->txn->edit->dropped, 0)) {
        return vs_tree_was_dropped();
    }
    return vs_check_process(view->owner);
}

/** vs_view_check() of arguments that must not be NULL. */
verso_err vs_view_check_arguments(const verso_view *view, const void *result);

/** The tree that a view looks at now. */
static inline const struct vs_tree_view *vs_view_tree(verso_view *view)
{
    if (view->txn != NULL) {
        view->tree = vs_tree_edit_view(view->txn->edit);
    }
    return &view->tree;
}

/** The bytes of a value that was found: in place, or copied together and kept with the view. */
verso_err vs_view_value(verso_view *view, const struct vs_tree_value *found, verso_slice *value);

/** The view's own cursor, for calls that hand out one entry by its place. */
verso_err vs_view_probe(verso_view *view, struct vs_tree_cursor **probe);

/** Free what was copied for the view's values. */
void vs_view_forget_pieces(verso_view *view);

/** Is the handle's argument sound: not NULL, `data` where there is a size? */
static inline bool vs_slice_is_sound(verso_slice slice)
{
    return slice.data != NULL || slice.size == 0;
}

/** Element `i` of a caller's array of structs that begin with their size: as far apart as the first
 *  says, whatever this library's own struct has. */
static inline void *vs_element(void *array, size_t i)
{
    size_t size;
    memcpy(&size, array, sizeof size);
    return (uint8_t *)array + i * size;
}

/** Are the sizes in such an array sound and equal, and each at least `least`? VERSO_INVALID. */
verso_err vs_check_elements(void *array, size_t count, size_t least, const char *call);

/** Can it name a tree or a tag of this store? VERSO_INVALID, VERSO_TOO_BIG. */
verso_err vs_check_name(const verso_store *store, verso_slice name);

/** Make a zeroed view one of a pinned root, and count it. */
void vs_view_fill(verso_view *view, verso_store *store, uint32_t slot,
                  const struct vs_root_record *record);

/** Wrap a pinned root in a view. On failure the pin is given back. */
verso_err vs_view_wrap(verso_store *store, uint32_t slot, const struct vs_root_record *record,
                       verso_view **view);

/** Read a caller's policy, as far as its struct goes. VERSO_INVALID. */
verso_err vs_retention_read(const verso_retention *given, verso_retention *policy);

/** Replay the log into a store just opened, and settle it. */
verso_err vs_recover(struct vs_store *store);

/** Run one operation again, of a log or of an increment. VERSO_NOT_FOUND, VERSO_EXISTS,
 *  VERSO_TOO_BIG: it does not fit the trees; they are as before, or to be given up. */
verso_err vs_replay_operation(struct vs_tree_set *trees, const struct vs_operation *operation);

/** May the transaction be changed through this handle? VERSO_INVALID (NULL), VERSO_FORKED,
 *  VERSO_MUST_ABORT. */
verso_err vs_txn_check(const verso_txn *txn);

/**
 * Create a named tree in the transaction.
 *
 * @param number  0: a new one; else that of a tree which was dropped: it comes back, empty.
 * @retval VERSO_EXISTS  The name or the number is taken.
 * @retval others        As verso_txn_tree().
 */
verso_err vs_txn_create_tree(verso_txn *txn, verso_slice name, uint64_t number, verso_txn **tree);

/** End a tree's handle of a transaction, or the view of one: free what it has collected. */
void vs_view_clear(verso_view *view);

/** Free the memory that a store keeps for its next transaction. */
void vs_txn_free_spare(verso_store *store);

#endif
