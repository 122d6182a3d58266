/*
 * log_commit.c - group commit: whoever waits first leads, and takes all gathered frames along.
 *
 *     thread 1   append  wait: leads  [ write + sync of 1     ]  return
 *     thread 2      append  wait . . . . . . . . . . . . . . . .  leads [ write + sync of 2, 3 ]
 *     thread 3 append wait . . . . . . . . . . . . . . . . . . . . . . . . . . . . . return
 *
 * The leader holds no lock while it writes and syncs. After a failure the log is poisoned: the
 * kernel may have dropped what it could not write, so a second sync would report a success that
 * never was.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "os/thread.h"
#include "os/turns.h"
#include "store/log.h"
#include "store/log_state.h"

enum {
    PAGE = 4096,               /* bytes: the system's unit of caching, or a part of it */
    BUFFER_KEPT_MAX = 1 << 20, /* bytes: a larger buffer is given back after its write */
    IDLE_YIELDS_MAX = 50,      /* without a newcomer, a leader stops gathering */
};

static struct vs_file *file_at(struct vs_log *log, uint64_t lsn)
{
    vs_lock_take(&log->mutex);
    struct vs_log_segment *segment =
        vs_log_segments_find(&log->segments, lsn, log->config.segment_size);
    vs_lock_release(&log->mutex);
    return segment->file;
}

/**
 * The size of a write of [from, to) within a segment, stretched to the end of the page if it is the
 * first to touch that page: overwritten whole, a page of a recycled segment need not be read.
 */
static size_t whole_page_size(size_t from, size_t to, size_t segment_size)
{
    size_t last_page = (to - 1) / PAGE * PAGE;
    size_t end = last_page + PAGE < segment_size ? last_page + PAGE : segment_size;
    return last_page >= from ? end - from : to - from;
}

/** Write the leader's buffer to the segments that it touches. */
static verso_err write_out(struct vs_log *log)
{
    struct vs_log_buffer *buffer = &log->writing;
    size_t segment_size = log->config.segment_size;
    for (size_t done = 0; done < buffer->size;) {
        uint64_t lsn = buffer->lsn + done;
        size_t offset = (size_t)(lsn % segment_size);
        size_t room = segment_size - offset;
        size_t left = buffer->size - done;
        size_t part = left < room ? left : room;
        size_t stretched = whole_page_size(offset, offset + part, segment_size);
        if (stretched > part) { /* only the last part can be; append left room behind it */
            assert(done + stretched <= buffer->capacity);
            memset(buffer->bytes + buffer->size, 0, stretched - part);
        }
        verso_err err =
            log->config.os->write_at(file_at(log, lsn), offset, buffer->bytes + done, stretched);
        if (err != VERSO_OK) {
            return err;
        }
        done += part;
    }
    return VERSO_OK;
}

/** Sync the segments that hold [from, to). @param[out] syncs  How many there were. */
static verso_err sync_range(struct vs_log *log, uint64_t from, uint64_t to, uint64_t *syncs)
{
    uint64_t segment_size = log->config.segment_size;
    *syncs = 0;
    while (from < to) {
        verso_err err = log->config.os->sync_data(file_at(log, from));
        if (err != VERSO_OK) {
            return err;
        }
        (*syncs)++;
        from += segment_size - from % segment_size;
    }
    return VERSO_OK;
}

static void empty(struct vs_log_buffer *buffer)
{
    if (buffer->capacity > BUFFER_KEPT_MAX) {
        free(buffer->bytes);
        buffer->bytes = NULL;
        buffer->capacity = 0;
    }
    buffer->size = 0;
}

/**
 * Let those come who were released by the last sync and are on their way with their next commit: a
 * leader that set off at once would meet only the other half of them, time and again. One that is
 * alone does not stop here. Mutex held, released meanwhile.
 */
static void gather(struct vs_log *log)
{
    unsigned idle = 0;
    while (log->waiters < log->expected_waiters && idle < IDLE_YIELDS_MAX) {
        unsigned before = log->waiters;
        vs_lock_release(&log->mutex);
        vs_thread_give_way();
        vs_lock_take(&log->mutex);
        idle = log->waiters > before ? 0 : idle + 1;
    }
}

/** Bring everything appended so far to `stage`. Mutex held, released meanwhile; nobody leads
 * yet. */
static void lead(struct vs_log *log, enum vs_log_stage stage)
{
    assert(!log->led);
    assert(!vs_log_get(&log->poisoned));

    vs_turn(VS_POINT_LEAD);
    log->led = true;
    if (stage == VS_LOG_DURABLE) {
        gather(log);
    }
    struct vs_log_buffer taken = log->filling;
    log->filling = log->writing;
    log->filling.lsn = log->end.lsn;
    log->writing = taken;
    uint64_t durable = vs_log_get(&log->durable);
    uint64_t end = log->end.lsn;
    uint64_t version = log->version;
    uint64_t syncs = 0;
    vs_lock_release(&log->mutex);

    vs_turn(VS_POINT_WRITE_LOG);
    verso_err err = write_out(log);
    empty(&log->writing);
    if (err == VERSO_OK && stage == VS_LOG_DURABLE) {
        vs_turn(VS_POINT_SYNC_LOG);
        err = sync_range(log, durable, end, &syncs);
        if (err == VERSO_OK && log->config.durable != NULL) {
            log->config.durable(log->config.argument, end, version);
        }
    }

    vs_turn(VS_POINT_HAND_OVER);
    vs_lock_take(&log->mutex);
    log->led = false;
    vs_log_set(&log->syncs, vs_log_get(&log->syncs) + syncs);
    if (err != VERSO_OK) {
        vs_log_set(&log->poisoned, 1);
    } else {
        vs_log_set(&log->written, end);
        vs_log_set(&log->durable, stage == VS_LOG_DURABLE ? end : durable);
    }
    if (stage == VS_LOG_DURABLE) {
        log->expected_waiters = log->waiters;
    }
    vs_condition_wake_all(&log->advanced);
}

static inline bool has_reached(const struct vs_log *log, uint64_t lsn, enum vs_log_stage stage)
{
    return vs_log_get(stage == VS_LOG_DURABLE ? &log->durable : &log->written) >= lsn;
}

/** Mutex held, released meanwhile. */
static verso_err wait_or_lead(struct vs_log *log, uint64_t lsn, enum vs_log_stage stage)
{
    while (!has_reached(log, lsn, stage)) {
        if (vs_log_get(&log->poisoned)) {
            return vs_fault(VERSO_UNKNOWN, "log of %s: a write or sync failed before LSN %ju",
                            log->config.path, (uintmax_t)lsn);
        }
        if (log->led) {
            vs_condition_wait(&log->advanced, &log->mutex);
        } else {
            lead(log, stage);
        }
    }
    return VERSO_OK;
}

verso_err vs_log_wait_locked(struct vs_log *log, uint64_t lsn, enum vs_log_stage stage)
{
    assert(lsn <= log->end.lsn);

    unsigned waiter = stage == VS_LOG_DURABLE ? 1 : 0;
    log->waiters += waiter;
    verso_err err = wait_or_lead(log, lsn, stage);
    log->waiters -= waiter;
    return err;
}

verso_err vs_log_wait(struct vs_log *log, uint64_t lsn, enum vs_log_stage stage)
{
    if (has_reached(log, lsn, stage)) {
        return VERSO_OK;
    }
    vs_lock_take(&log->mutex);
    verso_err err = vs_log_wait_locked(log, lsn, stage);
    vs_lock_release(&log->mutex);
    return err;
}

verso_err vs_log_flush(struct vs_log *log, enum vs_log_stage stage)
{
    if (vs_log_get(&log->poisoned)) {
        return vs_log_refuse(log);
    }
    return vs_log_wait(log, vs_log_get(&log->end_lsn), stage);
}

/** Mutex held, released meanwhile. */
static verso_err witness_locked(struct vs_log *log)
{
    verso_err err = vs_log_wait_locked(log, log->commit_end, VS_LOG_DURABLE);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_frame frame = {.kind = VS_FRAME_WITNESS, .time_us = 0};
    err = vs_log_append_locked(log, &frame, true);
    if (err != VERSO_OK) {
        return err;
    }
    return vs_log_wait_locked(log, log->end.lsn, VS_LOG_DURABLE);
}

verso_err vs_log_witness(struct vs_log *log)
{
    if (vs_log_get(&log->poisoned)) {
        return vs_log_refuse(log);
    }
    vs_lock_take(&log->mutex);
    verso_err err = log->witnessed < log->commit_end ? witness_locked(log) : VERSO_OK;
    vs_lock_release(&log->mutex);
    return err;
}

/* ---- questions
   --------------------------------------------------------------------------------- */

struct vs_log_position vs_log_end(struct vs_log *log)
{
    vs_lock_take(&log->mutex);
    struct vs_log_position end = log->end;
    vs_lock_release(&log->mutex);
    return end;
}

uint64_t vs_log_end_lsn(const struct vs_log *log)
{
    return vs_log_get(&log->end_lsn);
}

uint64_t vs_log_pending(const struct vs_log *log)
{
    uint64_t written = vs_log_get(&log->written); /* first, as it follows the end */
    return vs_log_get(&log->end_lsn) - written;
}

uint64_t vs_log_durable_lsn(const struct vs_log *log)
{
    return vs_log_get(&log->durable);
}

uint64_t vs_log_syncs(const struct vs_log *log)
{
    return vs_log_get(&log->syncs);
}

bool vs_log_is_poisoned(const struct vs_log *log)
{
    return vs_log_get(&log->poisoned) != 0;
}

void vs_log_poison(struct vs_log *log)
{
    vs_lock_take(&log->mutex);
    vs_log_set(&log->poisoned, 1);
    vs_condition_wake_all(&log->advanced);
    vs_lock_release(&log->mutex);
}
