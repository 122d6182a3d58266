/*
 * page_writer_state.h - what a page_writer remembers; for the store floor only.
 */
#ifndef VERSO_STORE_PAGE_WRITER_STATE_H
#define VERSO_STORE_PAGE_WRITER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/descriptor.h"
#include "format/page.h"
#include "store/deaths.h"
#include "store/savepoint.h"

struct vs_store;

/** A descriptor word as it was before this transaction. */
struct vs_undo {
    uint64_t before;
    vs_page_no page;
    uint32_t word;
};

struct vs_page_writer {
    struct vs_store *store;
    uint64_t version; /* or generation */
    bool history;     /* the clock */
    uint32_t pin;     /* the writer's own reader slot: its pointers hold frames in place */
    vs_page_no *born; /* pages made in this transaction; some may be dropped again */
    size_t born_count;
    size_t born_capacity;
    uint64_t moves;      /* see vs_writer_moves() */
    size_t spilled;      /* born[0 .. spilled) were looked at by the spill */
    vs_page_no *dropped; /* of those: dropped, their bytes readable until the next step */
    size_t dropped_count;
    size_t dropped_capacity;
    size_t dropped_held; /* dropped[0 .. dropped_held): a savepoint may bring them back */
    struct vs_undo *undo;
    size_t undo_count;
    size_t undo_capacity;
    struct vs_death_list deaths; /* committed pages that die with this transaction */
    struct vs_savepoints savepoints;
};

/** What every page made or changed asks. */
static inline bool vs_savepoint_is_open(const struct vs_page_writer *writer)
{
    return __builtin_expect(writer->savepoints.count > 0, 0);
}

/** Begin a transaction that will be `version`. */
void vs_writer_begin(struct vs_page_writer *writer, uint64_t version);

/** Its pages are committed: hand their predecessors' deaths over. Those for which there is no
 *  memory are left to the sweep. No savepoint is open any more. */
void vs_writer_commit(struct vs_page_writer *writer, struct vs_death_list *deaths);

/** Undo everything. */
void vs_writer_abort(struct vs_page_writer *writer);

/** Free the lists. */
void vs_writer_clear(struct vs_page_writer *writer);

/** Describe a page number just taken as born in this transaction. */
verso_err vs_writer_bear(struct vs_page_writer *writer, vs_page_no page, enum vs_page_kind kind,
                         uint32_t crc);

/** Free what was dropped, but for pages that a savepoint may bring back. */
void vs_writer_settle_dropped(struct vs_page_writer *writer);

/** Play the undo list back until `undo_before` entries are left. */
void vs_writer_undo_to(struct vs_page_writer *writer, size_t undo_before);

/** The pages born[born_before ..] are no more: their numbers and frames are free. */
void vs_writer_unbear_since(struct vs_page_writer *writer, size_t born_before);

/** Give a page of this transaction the bytes that it once had. Fails only for want of a frame, if
 *  it was spilled. */
verso_err vs_writer_restore(struct vs_page_writer *writer, vs_page_no page, const uint8_t *bytes);

/** Where a page's bytes can be written; NULL: it has no frame. */
uint8_t *vs_store_frame_bytes(const struct vs_store *store, vs_page_no page);

/** Drop the pages born[born_before ..] again: what they were made for has failed. Cannot fail. */
void vs_writer_drop_since(struct vs_page_writer *writer, size_t born_before);

/** Is the page what a transaction may replace, drop or link: alive, by the writer's clock? A file may
 *  lead to a page twice, or to one that died. @retval VERSO_CORRUPT  It is not. */
verso_err vs_writer_check_alive(const struct vs_page_writer *writer, vs_page_no page,
                                const struct vs_descriptor *descriptor);

/** Change a descriptor word, remembering what it was. */
verso_err vs_writer_set_word(struct vs_page_writer *writer, vs_page_no page, unsigned word,
                             uint64_t value);

/** The page is free: its number, and its frame if it has one. */
void vs_store_free_page(struct vs_store *store, vs_page_no page);

#endif
