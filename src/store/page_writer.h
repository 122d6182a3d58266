/*
 * page_writer.h - path copying: the pages that one write transaction makes, changes and drops.
 *
 * A page of a committed version is never changed: vs_page_own() copies it once per transaction into
 * a fresh frame; a page born in the transaction is changed in place. Every descriptor word changed
 * goes to an undo list, so that vs_writer_abort() leaves no trace. Trees of the history live by
 * another clock: their writer's `version` is the coming checkpoint generation.
 *
 * Threads: only the holder of the writer lock.
 * Errors of all calls: VERSO_NOMEM, VERSO_NOSPC, VERSO_IO, VERSO_CORRUPT. After vs_writer_reserve()
 * succeeded, that many pages can be had from vs_page_new() and vs_page_own() without failing for
 * want of space or memory; what else fails in the middle of a change leaves only abort, or a
 * rollback to a savepoint (savepoint.h).
 */
#ifndef VERSO_STORE_PAGE_WRITER_H
#define VERSO_STORE_PAGE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "format/run_ref.h"
#include "store/pages.h"
#include "verso.h"

struct vs_page_writer; /* defined in page_writer_state.h, for the store floor only */

/** The read side that sees this transaction's pages too. */
struct vs_pages *vs_writer_pages(struct vs_page_writer *writer);
/** The version (or generation) that this transaction will become. */
uint64_t vs_writer_version(const struct vs_page_writer *writer);

/**
 * Between two changes: pointers from before may dangle afterwards. Spills pages to the file when
 * the arena is full, so no change holds page bytes across it.
 */
verso_err vs_writer_step(struct vs_page_writer *writer);

/** Counts the steps that may have moved pages of trees that nobody changed: as long as it stays,
 *  pointers into pages of a tree are good until that tree's own next change. */
uint64_t vs_writer_moves(const struct vs_page_writer *writer);

/**
 * A page that is to be changed or dropped must be alive in the newest root. The number of one that
 * is not may be free, and the change's own new pages may get it before its turn comes.
 *
 * @retval VERSO_CORRUPT  It is not.
 */
verso_err vs_page_check_alive(const struct vs_page_writer *writer, vs_page_no page);

/** Pages that this transaction has made so far, those that it dropped again included. */
uint64_t vs_writer_births(const struct vs_page_writer *writer);

/** See the opening comment. */
verso_err vs_writer_reserve(struct vs_page_writer *writer, unsigned pages);

/** Make a page born in this transaction. Its bytes are not defined; a leaf has no link yet. */
verso_err vs_page_new(struct vs_page_writer *writer, enum vs_page_kind kind, vs_page_no *page,
                      uint8_t **bytes);

/**
 * A page that may be changed: itself if born in this transaction, else a fresh copy (with birth set
 * and, for a leaf, one link of this version to what followed the original); the original dies.
 *
 * @param[out] own    The page's number; differs from `page` if it was copied.
 */
verso_err vs_page_own(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                      uint8_t **bytes);

/** Like vs_page_own() but without copying the bytes: for a page about to be encoded anew. `page`
 *  (if it was not born here) stays readable until vs_writer_step(). If it was born here, own ==
 *  page, and its bytes are those of the page itself: encode into scratch memory first. */
verso_err vs_page_replace(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                          uint8_t **bytes);

/** The page is no longer part of the tree from this version on. Its bytes stay readable until
 *  vs_writer_step(). */
verso_err vs_page_drop(struct vs_page_writer *writer, vs_page_no page);

/**
 * From this version on, `next` (0: none) follows `leaf` in the chain.
 *
 * `leaf` is alive. If it was born in this transaction its one link is overwritten; else a link is
 * added in a free slot, or in one that no kept version needs.
 * @param[out] relief  The leaf has to be copied (vs_page_own()) instead: all slots are needed and
 *                     nothing was written; or it should be, by the 1/4 chance of links.c, and the
 *                     link was written. NULL is not allowed.
 */
verso_err vs_link_set(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next,
                      bool *relief);

/** Write a long value to fresh pages and describe them in *ref (hash included). */
verso_err vs_run_write(struct vs_page_writer *writer, verso_slice value, uint64_t hash,
                       unsigned extents_max, struct vs_run_ref *ref);
verso_err vs_run_drop(struct vs_page_writer *writer, const struct vs_run_ref *ref);

#endif
