/*
 * fair_lock_test.c - one holder at a time, served in order of arrival, handed between threads.
 */
#include "store/fair_lock.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>

enum { THREADS = 4, ROUNDS = 2000 };

static struct vs_fair_lock lock;
static unsigned counted;        /* guarded by lock */
static unsigned order[THREADS]; /* guarded by lock */

static uint64_t tickets(void)
{
    vs_lock_take(&lock.mutex);
    uint64_t next = lock.next;
    vs_lock_release(&lock.mutex);
    return next;
}

static void *count(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        vs_fair_lock_take(&lock);
        counted++;
        vs_fair_lock_release(&lock);
    }
    return NULL;
}

Test(fair_lock, has_one_holder_at_a_time)
{
    vs_fair_lock_init(&lock);
    counted = 0;
    pthread_t thread[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, count, NULL), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    cr_assert_eq(counted, THREADS * ROUNDS);
    vs_fair_lock_clear(&lock);
}

static void *note_arrival(void *argument)
{
    unsigned number = *(const unsigned *)argument;
    vs_fair_lock_take(&lock);
    order[counted++] = number;
    vs_fair_lock_release(&lock);
    return NULL;
}

Test(fair_lock, serves_in_order_of_arrival)
{
    vs_fair_lock_init(&lock);
    counted = 0;
    vs_fair_lock_take(&lock);
    pthread_t thread[THREADS];
    unsigned number[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        number[i] = i;
        cr_assert_eq(pthread_create(&thread[i], NULL, note_arrival, &number[i]), 0);
        while (tickets() < i + 2) { /* the next one comes once this one waits */
            sched_yield();
        }
    }
    vs_fair_lock_release(&lock);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(order[i], i);
    }
    vs_fair_lock_clear(&lock);
}

static void *release_for_another(void *argument)
{
    (void)argument;
    vs_fair_lock_release(&lock);
    return NULL;
}

Test(fair_lock, may_be_released_by_another_thread)
{
    vs_fair_lock_init(&lock);
    vs_fair_lock_take(&lock);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, release_for_another, NULL), 0);
    vs_fair_lock_take(&lock); /* waits until it does */
    pthread_join(thread, NULL);
    vs_fair_lock_release(&lock);
    vs_fair_lock_clear(&lock);
}
