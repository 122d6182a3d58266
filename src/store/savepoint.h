/*
 * savepoint.h - places in a write transaction to which its pages can be rolled back.
 *
 * A savepoint is a position in the transaction's lists (pages born, words changed, pages died,
 * pages dropped) and the bytes of pages: the first change after it to a page that the transaction
 * had made before saves them. Savepoints nest; their numbers are 1 for the outermost, 2, ... Without
 * an open savepoint a transaction pays one comparison for each page that it makes or changes.
 *
 * Threads: only the holder of the writer lock.
 */
#ifndef VERSO_STORE_SAVEPOINT_H
#define VERSO_STORE_SAVEPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "verso.h"

enum { VS_SAVEPOINTS_MAX = 1000 }; /* open at a time */

struct vs_page_writer;
struct vs_saved_page; /* a page's bytes as they were; savepoint.c */

/** Where the lists of the transaction stood, and what had been saved. */
struct vs_savepoint {
    uint64_t mark; /* even; greater than that of any savepoint before it */
    size_t born;
    size_t undo;
    size_t deaths;
    size_t dropped;
    const struct vs_saved_page *saved;
};

/** What a page_writer remembers of them. */
struct vs_savepoints {
    uint64_t *stamp; /* a word a page, see V1 of savepoint.c; NULL before the first savepoint */
    uint64_t mark;   /* the last one given; never goes back while the store is open */
    struct vs_savepoint *open; /* outermost first */
    uint32_t count;
    uint32_t capacity;
    struct vs_saved_page *saved; /* newest first */
    struct vs_saved_page *spare; /* memory for those to come */
    size_t spare_count;
};

/**
 * Open a savepoint inside those that are open, between two changes. Frees what was dropped before.
 *
 * @retval VERSO_LIMIT  VS_SAVEPOINTS_MAX are open.
 * @retval VERSO_NOMEM  Nothing was done.
 */
VERSO_MUST_USE verso_err vs_writer_savepoint(struct vs_page_writer *writer);

/**
 * Bring pages and descriptors back to where they were at a savepoint, which stays open; those inside
 * it are gone. Page pointers from before are void. May be called after a change that failed in the
 * middle.
 *
 * @param savepoint     One that is open.
 * @retval VERSO_NOMEM  No frames for pages that were spilled; nothing was rolled back.
 */
VERSO_MUST_USE verso_err vs_writer_rollback_to(struct vs_page_writer *writer, uint32_t savepoint);

/** Forget a savepoint and those inside it; what was done since then stays. */
void vs_writer_release(struct vs_page_writer *writer, uint32_t savepoint);

/* ---- for page_writer.c and commit.c ---- */

/** Room for the bytes of `pages` pages, so that saving as many cannot fail. VERSO_NOMEM. */
VERSO_MUST_USE verso_err vs_savepoint_reserve(struct vs_page_writer *writer, unsigned pages);

/** A page has been born while a savepoint is open. */
void vs_savepoint_note_birth(struct vs_page_writer *writer, vs_page_no page);

/**
 * A page of this transaction, whose bytes are `bytes`, is about to be changed while a savepoint is
 * open: save them if they may be wanted again.
 *
 * @retval VERSO_NOMEM  Not after vs_savepoint_reserve().
 */
VERSO_MUST_USE verso_err vs_savepoint_save(struct vs_page_writer *writer, vs_page_no page,
                                           const uint8_t *bytes);

/** Was this page of the transaction there already at the innermost open savepoint? */
bool vs_savepoint_knows(const struct vs_page_writer *writer, vs_page_no page);

/** The transaction ends: close all savepoints and free what was saved. */
void vs_savepoint_forget_all(struct vs_page_writer *writer);

/** Free everything. */
void vs_savepoint_clear(struct vs_page_writer *writer);

#endif
