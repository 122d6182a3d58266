/*
 * turns.h - where a thread's turn may end, in tests that try out how threads interleave.
 *
 * Such a test runs the engine's threads one at a time and decides at each point who goes on
 * (tests/scheduler.h). It gives a thread a struct vs_turns; then locks, conditions, threads and
 * points go through that. A thread without one, as every thread outside such tests, is left alone.
 *
 * A point stands wherever a thread makes something known to others without a lock, or is about to
 * rely on what it learnt from them. Builds with asserts have them, and those with VERSO_INTERLEAVE;
 * in the others nothing is left of them.
 *
 * Threads: any; each has turns of its own, or none.
 */
#ifndef VERSO_OS_TURNS_H
#define VERSO_OS_TURNS_H

#include <stdbool.h>
#include <stddef.h>

#include "verso.h"

#if !defined(NDEBUG) || defined(VERSO_INTERLEAVE)
#define VS_HAS_TURNS 1
#else
#define VS_HAS_TURNS 0
#endif

/** What the thread is about to do. */
enum vs_point {
    VS_POINT_LOCK,     /* take a lock */
    VS_POINT_GIVE_WAY, /* look again whether others have come */

    /* roots.c: publishing, pinning, recent roots */
    VS_POINT_FILL_PLACE,
    VS_POINT_COUNT_PUBLICATION,
    VS_POINT_NAME_PUBLISHED,
    VS_POINT_COPY_PUBLISHED,
    VS_POINT_PIN_COPIED,
    VS_POINT_LOOK_AGAIN,
    VS_POINT_APPEND_ROOT,
    VS_POINT_FREE_ROOTS,

    /* reader_slots.c */
    VS_POINT_CLAIM_SLOT,
    VS_POINT_ADD_SLOT,
    VS_POINT_STAMP_SLOT,
    VS_POINT_LEAVE_SLOT,
    VS_POINT_SURVEY_SLOT,

    /* history.c, retained.c, reclaim.c: opening by id, dropping, judging */
    VS_POINT_ASK_RETAINED,
    VS_POINT_FIND_ROOT,
    VS_POINT_DROP_ROOTS,
    VS_POINT_COLLECT_RETAINED,
    VS_POINT_COLLECT_PINS,
    VS_POINT_JUDGE,
    VS_POINT_FREE_PAGE,

    /* pages.h, pages.c, page_writer.c, links.c: where a page lies */
    VS_POINT_READ_VERIFIED,
    VS_POINT_READ_FRAME,
    VS_POINT_READ_UNVERIFIED,
    VS_POINT_MARK_VERIFIED,
    VS_POINT_BEAR_PAGE,
    VS_POINT_PLACE_PAGE,
    VS_POINT_SPILL_PAGE,
    VS_POINT_CHANGE_WORD,

    /* page_table.c, page_table_freeze.c: where a block lies */
    VS_POINT_READ_BLOCK,
    VS_POINT_PLACE_BLOCK,
    VS_POINT_MOVE_BLOCK,
    VS_POINT_MOVE_BLOCK_BACK,

    /* commit.c */
    VS_POINT_BECOME_TIP,
    VS_POINT_RAISE_DURABLE,
    VS_POINT_UNPIN_WRITER,

    /* checkpoint.c and its parts, arena.c, address_space.c */
    VS_POINT_FREEZE,
    VS_POINT_WRITE_META,
    VS_POINT_VACATE_FRAME,
    VS_POINT_RAISE_EPOCH,
    VS_POINT_FILL_LIMBO,
    VS_POINT_SETTLE_LIMBO,
    VS_POINT_CHECKPOINT_OVER,
    VS_POINT_EXCHANGE_MAPPING,

    /* log.c, log_commit.c */
    VS_POINT_APPEND_FRAME,
    VS_POINT_LEAD,
    VS_POINT_WRITE_LOG,
    VS_POINT_SYNC_LOG,
    VS_POINT_HAND_OVER,
    VS_POINT_RECYCLE,
    VS_POINTS
};

/** What decides whose turn it is; the test's own embeds it. */
struct vs_turns {
    void (*point)(struct vs_turns *turns, enum vs_point point);
    /** End the turn until somebody wakes `what`, or at will where `timed`. @return False: nobody
     *  did, the time is up. */
    bool (*wait)(struct vs_turns *turns, const void *what, bool timed);
    /** Those who wait for `what` may go on: one of them, or all. */
    void (*wake)(struct vs_turns *turns, const void *what, bool all);
    /** Run `work` in a thread with turns of its own, known as `what`. VERSO_NOMEM. */
    verso_err (*start)(struct vs_turns *turns, const void *what, void *(*work)(void *),
                       void *argument);
    /** Wait until that thread's work is over. */
    void (*join)(struct vs_turns *turns, const void *what);
};

#if VS_HAS_TURNS

/** This thread's turns; NULL: it runs as it likes. */
extern _Thread_local struct vs_turns *vs_turns;

static inline struct vs_turns *vs_turns_here(void)
{
    return vs_turns;
}

/** Give this thread turns, or NULL. The test's part. */
static inline void vs_turns_set(struct vs_turns *turns)
{
    vs_turns = turns;
}

#else

static inline struct vs_turns *vs_turns_here(void)
{
    return NULL;
}

static inline void vs_turns_set(struct vs_turns *turns)
{
    (void)turns;
}

#endif

/** A point where the thread's turn may end. */
static inline void vs_turn(enum vs_point point)
{
    struct vs_turns *turns = vs_turns_here();
    if (turns != NULL) {
        turns->point(turns, point);
    }
}

/** For messages. */
const char *vs_point_name(enum vs_point point);

#endif
