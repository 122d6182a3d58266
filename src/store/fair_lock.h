/*
 * fair_lock.h - a lock that serves its waiters in order of arrival: the writer lock.
 *
 * A ticket lock over a mutex and a condition: uncontended it costs two mutex operations. The holder
 * may be another thread than the one that took it (a transaction may move between threads).
 */
#ifndef VERSO_STORE_FAIR_LOCK_H
#define VERSO_STORE_FAIR_LOCK_H

#include <stdint.h>

#include "os/lock.h"

struct vs_fair_lock {
    struct vs_lock mutex;
    struct vs_condition turn;
    uint64_t next;    /* ticket; guarded by mutex */
    uint64_t serving; /* guarded by mutex */
};

static inline void vs_fair_lock_init(struct vs_fair_lock *lock)
{
    vs_lock_init(&lock->mutex, VS_LOCK_TICKETS);
    vs_condition_init(&lock->turn);
    lock->next = 0;
    lock->serving = 0;
}

static inline void vs_fair_lock_clear(struct vs_fair_lock *lock)
{
    vs_condition_clear(&lock->turn);
    vs_lock_clear(&lock->mutex);
}

static inline void vs_fair_lock_take(struct vs_fair_lock *lock)
{
    vs_lock_order_check(VS_LOCK_WRITER); /* not noted: another thread may release it */
    vs_lock_take(&lock->mutex);
    uint64_t ticket = lock->next++;
    while (lock->serving != ticket) {
        vs_condition_wait(&lock->turn, &lock->mutex);
    }
    vs_lock_release(&lock->mutex);
}

static inline void vs_fair_lock_release(struct vs_fair_lock *lock)
{
    vs_lock_take(&lock->mutex);
    lock->serving++;
    if (lock->serving != lock->next) {
        vs_condition_wake_all(&lock->turn);
    }
    vs_lock_release(&lock->mutex);
}

#endif
