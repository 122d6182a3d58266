/*
 * arena_test.c - frames taken, returned, and vacated while readers may still hold their addresses.
 */
#include "store/arena.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { SHIFT = 9, SIZE = 1 << SHIFT, FRAMES = 64 };

static struct vs_reader_slots readers;
static struct vs_arena arena;

static void set_up(void)
{
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    err = vs_arena_init(&arena, SHIFT, (uint64_t)FRAMES * SIZE, &readers);
    cr_assert_eq(err, VERSO_OK);
}

static void tear_down(void)
{
    vs_arena_clear(&arena);
    vs_reader_slots_clear(&readers);
}

TestSuite(arena, .init = set_up, .fini = tear_down);

static uint32_t take(uint32_t count)
{
    uint32_t frame = 0;
    verso_err err = vs_arena_take(&arena, count, &frame);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_neq(frame, 0);
    return frame;
}

static void vacate(uint32_t frame, uint64_t born, uint64_t epoch)
{
    struct vs_vacated *vacated = malloc(sizeof *vacated);
    cr_assert_not_null(vacated);
    *vacated = (struct vs_vacated){.frame = frame, .born = born};
    vs_arena_vacate(&arena, vacated, 1, epoch);
}

static bool can_take(void)
{
    uint32_t frame;
    return vs_arena_take(&arena, 1, &frame) == VERSO_OK;
}

/* Use all frames up, so that the next one can only come from the limbo. */
static void exhaust(void)
{
    while (can_take()) {
    }
}

Test(arena, hands_out_the_frame_returned_last)
{
    uint32_t a = take(1);
    uint32_t b = take(1);
    cr_assert_neq(a, b);
    vs_arena_return(&arena, a);
    vs_arena_return(&arena, b);
    cr_assert_eq(take(1), b);
    cr_assert_eq(take(1), a);
    cr_assert_eq(atomic_load(&arena.busy), 2);
}

Test(arena, frames_are_apart_and_all_but_the_first_can_be_had)
{
    for (unsigned i = 1; i < FRAMES; i++) {
        memset(vs_arena_frame(&arena, take(1)), (int)i, SIZE);
    }
    cr_assert_not(can_take());
    cr_assert_eq(atomic_load(&arena.busy), FRAMES - 1);
    for (uint32_t frame = 1; frame < FRAMES; frame++) {
        const uint8_t *bytes = vs_arena_frame(&arena, frame);
        for (unsigned at = 1; at < SIZE; at++) {
            cr_assert_eq(bytes[at], bytes[0], "frame %u overlaps another", frame);
        }
    }
}

Test(arena, several_frames_lie_in_a_row_and_go_back_one_by_one)
{
    take(1);
    uint32_t first = take(10);
    cr_assert_eq(atomic_load(&arena.busy), 11);
    for (uint32_t i = 0; i < 10; i++) {
        vs_arena_return(&arena, first + i);
    }
    cr_assert_eq(atomic_load(&arena.busy), 1);
    uint32_t frame;
    verso_err err = vs_arena_take(&arena, FRAMES - 11, &frame);
    cr_assert_eq(err, VERSO_NOMEM, "one more than there is room for");
    cr_assert_eq(atomic_load(&arena.busy), 1);
    err = vs_arena_take(&arena, FRAMES - 12, &frame);
    cr_assert_eq(err, VERSO_OK);
}

Test(arena, what_was_reserved_can_be_taken)
{
    verso_err err = vs_arena_reserve(&arena, FRAMES - 1);
    cr_assert_eq(err, VERSO_OK);
    err = vs_arena_reserve(&arena, FRAMES);
    cr_assert_eq(err, VERSO_NOMEM);
    for (unsigned i = 1; i < FRAMES; i++) {
        take(1);
    }
}

Test(arena, vacated_frames_come_back_when_nobody_reads)
{
    uint32_t frame = take(1);
    exhaust();
    vacate(frame, 1, 2);
    cr_assert_eq(atomic_load(&arena.held), 1);
    cr_assert_eq(atomic_load(&arena.busy), FRAMES - 2, "limbo does not count against the limit");
    cr_assert_eq(take(1), frame);
    cr_assert_eq(atomic_load(&arena.held), 0);
}

Test(arena, vacated_frames_wait_for_readers_of_an_earlier_epoch_and_a_later_version)
{
    uint32_t old = take(1);
    uint32_t young = take(1);
    exhaust();
    uint32_t slot;
    vs_reader_raise_epoch(&readers, 1);
    verso_err err = vs_reader_pin(&readers, 10, &slot);
    cr_assert_eq(err, VERSO_OK);
    vacate(old, 10, 2);   /* the reader's version may hold it */
    vacate(young, 11, 2); /* born after the reader's version */
    cr_assert_eq(take(1), young);
    cr_assert_not(can_take());
    vs_reader_unpin(&readers, slot);
    cr_assert_eq(take(1), old);
}

Test(arena, readers_of_the_new_epoch_hold_nothing)
{
    uint32_t frame = take(1);
    exhaust();
    uint32_t slot;
    vs_reader_raise_epoch(&readers, 2);
    verso_err err = vs_reader_pin(&readers, 10, &slot);
    cr_assert_eq(err, VERSO_OK);
    vacate(frame, 1, 2);
    cr_assert_eq(take(1), frame);
    vs_reader_unpin(&readers, slot);
}

Test(arena, limbo_is_cleared_with_the_arena)
{
    uint32_t slot;
    vs_reader_raise_epoch(&readers, 1);
    verso_err err = vs_reader_pin(&readers, 10, &slot);
    cr_assert_eq(err, VERSO_OK);
    vacate(take(1), 1, 2);
    vacate(take(1), 1, 3); /* the leak sanitiser tells if a batch is left */
}

Test(arena, less_address_space_than_wanted_will_do)
{
    struct vs_arena other;
    verso_err err = vs_arena_init(&other, 16, UINT64_C(1) << 56, &readers);
    cr_assert_eq(err, VERSO_OK);
    uint32_t frame;
    err = vs_arena_take(&other, 1, &frame);
    cr_assert_eq(err, VERSO_OK);
    memset(vs_arena_frame(&other, frame), 1, 65536);
    vs_arena_clear(&other);
}

#ifndef NDEBUG /* the contract is asserted */
Test(arena, returning_frame_zero_aborts, .signal = SIGABRT)
{
#ifdef NDEBUG
    cr_skip_test("asserts are compiled away");
#endif
    vs_arena_return(&arena, 0);
}
#endif
