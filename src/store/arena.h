/*
 * arena.h - page frames in private memory, for the pages that are not in the file yet.
 *
 * Frames are handed out last in, first out, so that small commits stay in cache. A frame whose page
 * a checkpoint has moved to the file stays until no reader can hold its address: that waits in
 * limbo, batch by batch, with the location epoch that the move began.
 *
 * Threads: taking and returning frames by the holder of the writer lock; vs_arena_vacate() by the
 * checkpoint, any time.
 */
#ifndef VERSO_STORE_ARENA_H
#define VERSO_STORE_ARENA_H

#include <stdatomic.h>
#include <stdint.h>

#include "format/page.h"
#include "os/lock.h"
#include "store/reader_slots.h"
#include "verso.h"

/** Frames there can be: words that name one have their highest bit for something else (pages.h). */
#define VS_FRAMES_MAX (UINT32_C(1) << 31)

/** A frame whose page lies in the file now. */
struct vs_vacated {
    uint32_t frame;
    vs_page_no page;
    uint64_t born; /* of the page: no view of an older version can hold it */
};

struct vs_limbo; /* a batch of vacated frames */

struct vs_arena {
    uint8_t *frames; /* reserved; frame f at f << page_shift; frame 0 is never used */
    size_t frames_size;
    unsigned page_shift;
    uint32_t capacity; /* frames reserved */
    uint32_t touched;  /* frames below were used before */
    uint32_t *free;    /* a stack, with room for all touched frames */
    uint32_t free_count;
    size_t free_capacity;
    /* figures, relaxed: what is done by them can be done a moment later as well */
    _Atomic uint64_t busy; /* frames of pages not in the file: what the arena's limit counts */
    _Atomic uint64_t held; /* frames in limbo */
    const struct vs_reader_slots *readers;
    struct vs_lock limbo_lock;
    struct vs_limbo *limbo; /* guarded by limbo_lock */
};

/** `wanted` bytes of address space, or less where the process cannot have it. */
verso_err vs_arena_init(struct vs_arena *arena, unsigned page_shift, uint64_t wanted,
                        const struct vs_reader_slots *readers);
void vs_arena_clear(struct vs_arena *arena);

/** Take `count` frames in a row (1 is the fast case). VERSO_NOMEM. */
verso_err vs_arena_take(struct vs_arena *arena, uint32_t count, uint32_t *frame);

/** Make sure that `count` single frames can be taken without failing. */
verso_err vs_arena_reserve(struct vs_arena *arena, uint32_t count);

/** Return a frame that nobody can be reading. */
void vs_arena_return(struct vs_arena *arena, uint32_t frame);

/**
 * Frames whose pages are in the file from location epoch `epoch` on. Takes over `vacated`
 * (malloc'ed). Without memory to remember them the frames are lost until the arena is cleared,
 * nothing else.
 */
void vs_arena_vacate(struct vs_arena *arena, struct vs_vacated *vacated, size_t count,
                     uint64_t epoch);

static inline uint8_t *vs_arena_frame(const struct vs_arena *arena, uint32_t frame)
{
    return arena->frames + ((size_t)frame << arena->page_shift);
}

#endif
