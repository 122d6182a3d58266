/*
 * fair_lock.h - a lock that serves its waiters in order of arrival: the writer lock.
 *
 * A ticket lock over a mutex and a condition: uncontended it costs two mutex operations. The holder
 * may be another thread than the one that took it (a transaction may move between threads).
 */
#ifndef VERSO_STORE_FAIR_LOCK_H
#define VERSO_STORE_FAIR_LOCK_H

#include <pthread.h>
#include <stdint.h>

struct vs_fair_lock {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    uint64_t next;    /* ticket; guarded by mutex */
    uint64_t serving; /* guarded by mutex */
};

static inline void vs_fair_lock_init(struct vs_fair_lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_cond_init(&lock->turn, NULL);
    lock->next = 0;
    lock->serving = 0;
}

static inline void vs_fair_lock_clear(struct vs_fair_lock *lock)
{
    pthread_cond_destroy(&lock->turn);
    pthread_mutex_destroy(&lock->mutex);
}

static inline void vs_fair_lock_take(struct vs_fair_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    uint64_t ticket = lock->next++;
    while (lock->serving != ticket) {
        pthread_cond_wait(&lock->turn, &lock->mutex);
    }
    pthread_mutex_unlock(&lock->mutex);
}

static inline void vs_fair_lock_release(struct vs_fair_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->serving++;
    if (lock->serving != lock->next) {
        pthread_cond_broadcast(&lock->turn);
    }
    pthread_mutex_unlock(&lock->mutex);
}

#endif
