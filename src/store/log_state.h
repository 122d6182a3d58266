/*
 * log_state.h - what log.c (open, append) and log_commit.c (write, sync, wait) share.
 *
 * Frames gather in `filling` while whoever leads writes out `writing`; the leader swaps the two.
 * Both hold the stream's bytes as they will lie in the files, segment headers included.
 *
 *          written            filling.lsn          end
 *     -------+-------------------+------------------+
 *            |  writing          |  filling         | <- vs_log_append()
 *     -------+-------------------+------------------+
 *
 * Locks: `making`, then `mutex`. `making` is held while a file is made, which may take
 * milliseconds; `mutex` never across a call to the system.
 */
#ifndef VERSO_STORE_LOG_STATE_H
#define VERSO_STORE_LOG_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/frame.h"
#include "os/lock.h"
#include "store/log.h"
#include "store/log_segments.h"

/** A stretch of the stream in memory. */
struct vs_log_buffer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    uint64_t lsn; /* of bytes[0] */
};

struct vs_log {
    struct vs_log_config config; /* constant after open; `path` is the log's own copy */
    char *path;                  /* constant after open */
    uint64_t first_lsn;          /* constant after open: where this log began */
    struct vs_lock making;       /* one thread makes a file at a time */
    struct vs_lock mutex;
    struct vs_condition advanced; /* of `mutex`: a leader is done, or the log is poisoned */

    /* guarded by mutex */
    struct vs_log_segments segments;
    struct vs_log_buffer filling;
    struct vs_log_position end; /* L1: a segment in use holds end.lsn */
    uint64_t version;           /* of the last commit appended; 0: none */
    uint64_t commit_end;        /* LSN behind the last commit appended */
    uint64_t witnessed;         /* the highest durable LSN that an appended frame carries */
    unsigned waiters;           /* threads that wait for durability, the leader included */
    unsigned expected_waiters;  /* how many there were when the last sync was done */
    bool led;                   /* a leader is gathering, writing or syncing */

    /* changed with the mutex held, read without it too: by vs_log_get() and vs_log_set() alone */
    _Atomic uint64_t end_lsn; /* end.lsn */
    _Atomic uint64_t written; /* LSN: all below is with the operating system */
    _Atomic uint64_t durable; /* LSN: all below is synced; <= written */
    _Atomic uint64_t syncs;
    _Atomic uint64_t poisoned; /* 0 or 1 */

    struct vs_log_buffer writing; /* the leader's */
};

static inline uint64_t vs_log_get(const _Atomic uint64_t *word)
{
    /* acquire: pairs with the release in vs_log_set(); without it a thread that learns here that
     * its commit is durable might not see what the leader's callback did before */
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void vs_log_set(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release); /* pairs with vs_log_get() */
}

/** Append with the mutex held; it may be released meanwhile, to make a segment. */
verso_err vs_log_append_locked(struct vs_log *log, struct vs_frame *frame, bool use_reserve);

/** Wait with the mutex held, as vs_log_wait() does; it is released meanwhile. */
verso_err vs_log_wait_locked(struct vs_log *log, uint64_t lsn, enum vs_log_stage stage);

/** The fault of a call that a poisoned log refuses. */
verso_err vs_log_refuse(const struct vs_log *log);

#endif
