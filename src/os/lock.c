/*
 * lock.c - waiting and waking; see lock.h.
 */
#include "os/lock.h"

#include <errno.h>

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

void vs_condition_wait(struct vs_condition *condition, struct vs_lock *lock)
{
    vs_lock_order_leave(lock->kind);
    pthread_cond_wait(&condition->condition, &lock->mutex);
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
    vs_lock_order_leave(lock->kind);
    int err = pthread_cond_timedwait(&condition->condition, &lock->mutex, deadline);
    vs_lock_order_enter(lock->kind);
    return err != ETIMEDOUT;
}

void vs_condition_wake_one(struct vs_condition *condition)
{
    pthread_cond_signal(&condition->condition);
}

void vs_condition_wake_all(struct vs_condition *condition)
{
    pthread_cond_broadcast(&condition->condition);
}
