/*
 * arena.c - the stack of free frames and the limbo of vacated ones; see arena.h.
 */
#include "store/arena.h"

#include <assert.h>
#include <stdlib.h>

#include "os/fault.h"
#include "os/memory.h"
#include "os/turns.h"

struct vs_limbo {
    struct vs_limbo *next;
    uint64_t epoch;         /* readers of this epoch or later look into the file */
    uint64_t blocked_up_to; /* the newest older reader at the last look; UINT64_MAX before it */
    size_t count;
    struct vs_vacated *vacated;
};

verso_err vs_arena_init(struct vs_arena *arena, unsigned page_shift, uint64_t wanted,
                        const struct vs_reader_slots *readers)
{
    *arena = (struct vs_arena){.page_shift = page_shift, .readers = readers};
    uint64_t least = UINT64_C(64) << page_shift;
    for (uint64_t size = wanted; size >= least; size /= 2) {
        if (size >> page_shift > VS_FRAMES_MAX) {
            continue;
        }
        arena->frames = vs_memory_reserve((size_t)size);
        if (arena->frames != NULL) {
            arena->frames_size = (size_t)size;
            arena->capacity = (uint32_t)(size >> page_shift);
            vs_memory_prefer_huge(arena->frames, arena->frames_size);
            arena->touched = 1;
            vs_lock_init(&arena->limbo_lock, VS_LOCK_LIMBO);
            return VERSO_OK;
        }
    }
    return vs_fault(VERSO_NOMEM, "no address space for the arena");
}

void vs_arena_clear(struct vs_arena *arena)
{
    if (arena->frames == NULL) {
        return;
    }
    while (arena->limbo != NULL) {
        struct vs_limbo *batch = arena->limbo;
        arena->limbo = batch->next;
        free(batch->vacated);
        free(batch);
    }
    vs_lock_clear(&arena->limbo_lock);
    free(arena->free);
    vs_memory_release(arena->frames, arena->frames_size);
    arena->frames = NULL;
}

/* Room on the stack for every touched frame, so that returning one never fails. */
static verso_err make_stack_room(struct vs_arena *arena, uint32_t frames)
{
    if (frames <= arena->free_capacity) {
        return VERSO_OK;
    }
    size_t capacity = frames < 1024 ? 1024 : frames;
    capacity += capacity / 2;
    uint32_t *grown = realloc(arena->free, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the arena's free frames");
    }
    arena->free = grown;
    arena->free_capacity = capacity;
    return VERSO_OK;
}

static void push(struct vs_arena *arena, uint32_t frame)
{
    assert(arena->free_count < arena->free_capacity);
    arena->free[arena->free_count++] = frame;
}

/* Return what no older reader can hold of one batch. @return Whether the batch is empty now. */
static bool settle(struct vs_arena *arena, struct vs_limbo *batch)
{
    uint64_t newest = 0;
    bool blocked = vs_reader_newest_before(arena->readers, batch->epoch, &newest);
    if (blocked && newest >= batch->blocked_up_to) {
        return false; /* nothing can have changed for the better */
    }
    vs_turn(VS_POINT_SETTLE_LIMBO);
    size_t left = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (blocked && batch->vacated[i].born <= newest) {
            batch->vacated[left++] = batch->vacated[i];
        } else {
            push(arena, batch->vacated[i].frame);
            atomic_fetch_sub_explicit(&arena->held, 1, memory_order_relaxed);
        }
    }
    batch->count = left;
    batch->blocked_up_to = newest;
    return left == 0;
}

static void settle_limbo(struct vs_arena *arena)
{
    vs_lock_take(&arena->limbo_lock);
    struct vs_limbo **at = &arena->limbo;
    while (*at != NULL) {
        struct vs_limbo *batch = *at;
        if (settle(arena, batch)) {
            *at = batch->next;
            free(batch->vacated);
            free(batch);
        } else {
            at = &batch->next;
        }
    }
    vs_lock_release(&arena->limbo_lock);
}

/* Frames never used before. */
static verso_err touch(struct vs_arena *arena, uint32_t count, uint32_t *frame)
{
    if (count > arena->capacity - arena->touched) {
        return vs_fault(VERSO_NOMEM, "the arena's address space (%zu bytes) is used up",
                        arena->frames_size);
    }
    verso_err err = make_stack_room(arena, arena->touched + count);
    if (err != VERSO_OK) {
        return err;
    }
    *frame = arena->touched;
    arena->touched += count;
    return VERSO_OK;
}

verso_err vs_arena_reserve(struct vs_arena *arena, uint32_t count)
{
    if (arena->free_count >= count) {
        return VERSO_OK;
    }
    if (atomic_load_explicit(&arena->held, memory_order_relaxed) > 0) {
        settle_limbo(arena);
    }
    while (arena->free_count < count) {
        uint32_t frame = 0;
        verso_err err = touch(arena, 1, &frame);
        if (err != VERSO_OK) {
            return err;
        }
        push(arena, frame);
    }
    return VERSO_OK;
}

verso_err vs_arena_take(struct vs_arena *arena, uint32_t count, uint32_t *frame)
{
    verso_err err = count == 1 ? vs_arena_reserve(arena, 1) : touch(arena, count, frame);
    if (err != VERSO_OK) {
        return err;
    }
    if (count == 1) {
        *frame = arena->free[--arena->free_count];
    }
    atomic_fetch_add_explicit(&arena->busy, count, memory_order_relaxed);
    return VERSO_OK;
}

void vs_arena_return(struct vs_arena *arena, uint32_t frame)
{
    assert(frame != 0 && frame < arena->touched);
    push(arena, frame);
    atomic_fetch_sub_explicit(&arena->busy, 1, memory_order_relaxed);
}

void vs_arena_vacate(struct vs_arena *arena, struct vs_vacated *vacated, size_t count,
                     uint64_t epoch)
{
    atomic_fetch_sub_explicit(&arena->busy, count, memory_order_relaxed);
    atomic_fetch_add_explicit(&arena->held, count, memory_order_relaxed);
    struct vs_limbo *batch = malloc(sizeof *batch);
    if (batch == NULL) {
        free(vacated);
        return;
    }
    vs_turn(VS_POINT_FILL_LIMBO);
    *batch = (struct vs_limbo){NULL, epoch, UINT64_MAX, count, vacated};
    vs_lock_take(&arena->limbo_lock);
    batch->next = arena->limbo;
    arena->limbo = batch;
    vs_lock_release(&arena->limbo_lock);
}
