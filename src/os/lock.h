/*
 * lock.h - a mutex that knows its place in the order of locks, and conditions to wait for under it.
 *
 * In a release build each call is the one of pthread.h and nothing else. A thread with turns
 * (turns.h) never sleeps in one: it ends its turn instead.
 */
#ifndef VERSO_OS_LOCK_H
#define VERSO_OS_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "os/lock_order.h"
#include "os/turns.h"

struct vs_lock {
    pthread_mutex_t mutex;
    enum vs_lock_kind kind; /* constant after init */
};

struct vs_condition {
    pthread_cond_t condition;
};

static inline void vs_lock_init(struct vs_lock *lock, enum vs_lock_kind kind)
{
    pthread_mutex_init(&lock->mutex, NULL); /* does not fail on any system at hand */
    lock->kind = kind;
}

static inline void vs_lock_clear(struct vs_lock *lock)
{
    pthread_mutex_destroy(&lock->mutex);
}

/** The rest of vs_lock_take() and vs_lock_release() for a thread with turns. */
void vs_lock_take_in_turn(struct vs_lock *lock, struct vs_turns *turns);
void vs_lock_release_in_turn(struct vs_lock *lock, struct vs_turns *turns);

static inline void vs_lock_take(struct vs_lock *lock)
{
    vs_lock_order_enter(lock->kind);
    struct vs_turns *turns = vs_turns_here();
    if (turns == NULL) {
        pthread_mutex_lock(&lock->mutex);
    } else {
        vs_lock_take_in_turn(lock, turns);
    }
}

static inline void vs_lock_release(struct vs_lock *lock)
{
    struct vs_turns *turns = vs_turns_here();
    if (turns == NULL) {
        pthread_mutex_unlock(&lock->mutex);
    } else {
        vs_lock_release_in_turn(lock, turns);
    }
    vs_lock_order_leave(lock->kind);
}

void vs_condition_init(struct vs_condition *condition);
void vs_condition_clear(struct vs_condition *condition);

/** Wait with the lock held, released meanwhile. It may return though nobody woke it. */
void vs_condition_wait(struct vs_condition *condition, struct vs_lock *lock);

/** The moment in `ms` milliseconds, for vs_condition_wait_until(). */
struct timespec vs_condition_deadline(unsigned ms);

/** The same, but not beyond a moment. @return False: it has passed. */
bool vs_condition_wait_until(struct vs_condition *condition, struct vs_lock *lock,
                             const struct timespec *deadline);

/** Wake one of those who wait, or all. */
void vs_condition_wake_one(struct vs_condition *condition);
void vs_condition_wake_all(struct vs_condition *condition);

#endif
