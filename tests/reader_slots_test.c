/*
 * reader_slots_test.c - claiming and leaving slots, alone and from many threads.
 */
#include "store/reader_slots.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { THREADS = 4, PINS = 4000, HELD = 5 };

static struct vs_reader_slots slots;

static void set_up(void)
{
    verso_err err = vs_reader_slots_init(&slots);
    cr_assert_eq(err, VERSO_OK);
}

static void tear_down(void)
{
    vs_reader_slots_clear(&slots);
}

TestSuite(reader_slots, .init = set_up, .fini = tear_down);

static uint32_t pin(uint64_t version, uint64_t epoch)
{
    uint32_t index = UINT32_MAX;
    vs_reader_raise_epoch(&slots, epoch);
    verso_err err = vs_reader_pin(&slots, version, &index);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_lt(index, (uint32_t)VS_READER_SLOTS_MAX);
    return index;
}

Test(reader_slots, nobody_reads_at_first)
{
    uint64_t version = 99;
    cr_assert_eq(vs_reader_count(&slots), 0);
    cr_assert_eq(vs_reader_oldest_epoch(&slots), UINT64_MAX);
    cr_assert_not(vs_reader_newest_before(&slots, UINT64_MAX, &version));
}

Test(reader_slots, version_zero_can_be_pinned)
{
    uint32_t index = pin(0, 1);
    uint64_t version = 99;
    cr_assert_eq(vs_reader_count(&slots), 1);
    cr_assert(vs_reader_newest_before(&slots, 2, &version));
    cr_assert_eq(version, 0);
    vs_reader_unpin(&slots, index);
    cr_assert_eq(vs_reader_count(&slots), 0);
}

Test(reader_slots, surveys_see_the_oldest_epoch_and_the_newest_older_version)
{
    uint32_t a = pin(10, 3);
    uint32_t c = pin(15, 3);
    uint32_t b = pin(20, 5);
    uint64_t version = 0;
    cr_assert_eq(vs_reader_oldest_epoch(&slots), 3);
    cr_assert_not(vs_reader_newest_before(&slots, 3, &version), "epoch 3 is not before 3");
    cr_assert(vs_reader_newest_before(&slots, 4, &version));
    cr_assert_eq(version, 15);
    cr_assert(vs_reader_newest_before(&slots, 6, &version));
    cr_assert_eq(version, 20);
    vs_reader_move(&slots, c, 30); /* nothing of root 30 was read before epoch 5 */
    cr_assert(vs_reader_newest_before(&slots, 4, &version));
    cr_assert_eq(version, 10);
    cr_assert(vs_reader_newest_before(&slots, 6, &version));
    cr_assert_eq(version, 30);
    vs_reader_unpin(&slots, a);
    vs_reader_unpin(&slots, c);
    cr_assert_eq(vs_reader_oldest_epoch(&slots), 5);
    vs_reader_unpin(&slots, b);
    cr_assert_eq(vs_reader_oldest_epoch(&slots), UINT64_MAX);
}

Test(reader_slots, a_pin_is_stamped_with_the_epoch_that_follows_it)
{
    uint32_t index = pin(10, 3);
    vs_reader_unpin(&slots, index);
    cr_assert_eq(atomic_load(&slots.slot[index].epoch), 3);
    cr_assert_eq(pin(11, 4), index);
    cr_assert_eq(atomic_load(&slots.slot[index].epoch), 4, "the former owner's stamp stands");
    vs_reader_raise_epoch(&slots, 7);
    vs_reader_stamp(&slots, index);
    cr_assert_eq(vs_reader_oldest_epoch(&slots), 7);
}

Test(reader_slots, a_slot_left_is_used_again)
{
    uint32_t first = pin(1, 1);
    vs_reader_unpin(&slots, first);
    for (unsigned i = 0; i < 100; i++) {
        uint32_t again = pin(2, 1);
        cr_assert_eq(again, first);
        vs_reader_unpin(&slots, again);
    }
}

Test(reader_slots, all_can_be_taken_and_one_more_is_refused)
{
    for (uint32_t i = 0; i < VS_READER_SLOTS_MAX; i++) {
        cr_assert_eq(pin(i, 1), i); /* nobody leaves: the next unused one */
    }
    uint32_t index;
    verso_err err = vs_reader_pin(&slots, 1, &index);
    cr_assert_eq(err, VERSO_LIMIT);
    cr_assert_eq(vs_reader_count(&slots), (uint64_t)VS_READER_SLOTS_MAX);
    vs_reader_unpin(&slots, 40000);
    cr_assert_eq(pin(1, 1), 40000);
}

/* Each thread holds a few slots at a time and leaves its mark in them: nobody else may have been
 * given the same one. */
static void *pin_and_leave(void *argument)
{
    uint64_t mark = *(const uint64_t *)argument;
    uint32_t held[HELD];
    for (unsigned i = 0; i < PINS; i++) {
        for (unsigned j = 0; j < HELD; j++) {
            held[j] = pin(mark, 0);
            vs_reader_sign(&slots, held[j], mark, 1);
        }
        for (unsigned j = 0; j < HELD; j++) {
            const struct vs_reader_slot *slot = &slots.slot[held[j]];
            cr_assert_eq(atomic_load(&slot->thread), mark);
            cr_assert_eq(atomic_load(&slot->pinned), mark + 1);
            vs_reader_unpin(&slots, held[j]);
        }
    }
    return NULL;
}

Test(reader_slots, threads_never_share_a_slot)
{
    pthread_t thread[THREADS];
    uint64_t mark[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        mark[i] = i + 1;
        cr_assert_eq(pthread_create(&thread[i], NULL, pin_and_leave, &mark[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    cr_assert_eq(vs_reader_count(&slots), 0);
    cr_assert_leq(atomic_load(&slots.used_below), (uint32_t)THREADS * HELD + THREADS);
}
