/*
 * lock.c - waiting and waking; see lock.h.
 */
#include "os/lock.h"

#include <errno.h>

void vs_lock_take_in_turn(struct vs_lock *lock, struct vs_turns *turns)
{
    turns->point(turns, VS_POINT_LOCK);
    while (pthread_mutex_trylock(&lock->mutex) != 0) {
        (void)turns->wait(turns, lock, false);
    }
}

void vs_lock_release_in_turn(struct vs_lock *lock, struct vs_turns *turns)
{
    pthread_mutex_unlock(&lock->mutex);
    turns->wake(turns, lock, true);
}

void vs_condition_init(struct vs_condition *condition)
{
    pthread_condattr_t monotonic; /* the wall clock may jump */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&condition->condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void vs_condition_clear(struct vs_condition *condition)
{
    pthread_cond_destroy(&condition->condition);
}

/* Wait in turns. @return False: the time is up. */
static bool wait_in_turn(const struct vs_condition *condition, struct vs_lock *lock,
                         struct vs_turns *turns, bool timed)
{
    vs_lock_release_in_turn(lock, turns);
    bool woken = turns->wait(turns, condition, timed);
    vs_lock_take_in_turn(lock, turns);
    return woken;
}

void vs_condition_wait(struct vs_condition *condition, struct vs_lock *lock)
{
    struct vs_turns *turns = vs_turns_here();
    vs_lock_order_leave(lock->kind);
    if (turns == NULL) {
        pthread_cond_wait(&condition->condition, &lock->mutex);
    } else {
        (void)wait_in_turn(condition, lock, turns, false);
    }
    vs_lock_order_enter(lock->kind);
}

struct timespec vs_condition_deadline(unsigned ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += ms / 1000;
    deadline.tv_nsec += (long)(ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_nsec -= 1000000000;
        deadline.tv_sec++;
    }
    return deadline;
}

bool vs_condition_wait_until(struct vs_condition *condition, struct vs_lock *lock,
                             const struct timespec *deadline)
{
    struct vs_turns *turns = vs_turns_here();
    vs_lock_order_leave(lock->kind);
    bool in_time = turns == NULL ? pthread_cond_timedwait(&condition->condition, &lock->mutex,
                                                          deadline) != ETIMEDOUT
                                 : wait_in_turn(condition, lock, turns, true);
    vs_lock_order_enter(lock->kind);
    return in_time;
}

static void wake(struct vs_condition *condition, bool all)
{
    struct vs_turns *turns = vs_turns_here();
    if (turns != NULL) {
        turns->wake(turns, condition, all);
    } else if (all) {
        pthread_cond_broadcast(&condition->condition);
    } else {
        pthread_cond_signal(&condition->condition);
    }
}

void vs_condition_wake_one(struct vs_condition *condition)
{
    wake(condition, false);
}

void vs_condition_wake_all(struct vs_condition *condition)
{
    wake(condition, true);
}
