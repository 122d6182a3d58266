/*
 * log.h - the write-ahead log: frames of logical operations in recycled segments, group commit,
 * and the reading of a log after a crash.
 *
 * An LSN is a byte position in one endless stream. Segment k holds the LSNs [k * S, (k + 1) * S)
 * and begins with a header (format/segment.h); a frame (format/frame.h) may run on into the next
 * segment. Segments are files `PATH-wal.N`, zero-filled by writing and synced once, then reused for
 * later parts of the stream by overwriting: a write into blocks that exist needs no metadata sync.
 * N says nothing about the part of the stream; the header does. See docs/format.md.
 *
 * L1  Where the log ends, a segment stands whose header the log holds below that LSN: whoever makes
 *     the log durable up to its end and then names the end will find it.
 * L2  A frame is appended only once all segments that it touches stand ready: a full disk is met
 *     there, never at a sync.
 * L3  Before anything that is written is believed, it is synced; after a failed write or sync
 *     nothing more is written or synced ("poisoned").
 * L4  A log begins in a segment of its own, beyond all that older ones left, with an epoch of its
 *     own.
 *
 * Threads: any thread may call any function between open and close. The order of commits is the
 * order of appends, so vs_log_append() is for the holder of the writer lock.
 */
#ifndef VERSO_STORE_LOG_H
#define VERSO_STORE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "verso.h"

/** A place where a log goes on: what a meta page names, and what recovery hands back. */
struct vs_log_position {
    uint64_t epoch;
    uint64_t lsn;          /* of the next frame */
    uint32_t previous_crc; /* of the frame before it; 0 if none */
};

/** What one commit leaves in the log. */
struct vs_log_record {
    uint64_t version;
    int64_t time_us;
    uint64_t fingerprint;   /* of the resulting root */
    bool setting;           /* changes no tree; `version` is that of the last commit */
    bool use_reserve;       /* append: may take the last segment that stands ready (deletions) */
    verso_slice note;       /* at most VS_FRAME_NOTE_MAX bytes */
    verso_slice operations; /* encoded by format/operation.h; vs_log_record_fits() */
};

struct vs_log_config {
    const struct vs_os *os;
    const char *path; /* the store's; segments are path-wal.N */
    uint8_t uuid[16];
    uint32_t segment_size; /* bytes, a multiple of 4,096 (tests: 512) */
    /* open: the least LSN that a meta on disk names; segments found wholly below it may be used at
       once, so that a full disk can be recovered. 0: hold all until vs_log_recycle() */
    uint64_t needed_from_lsn;
    /* NULL, or called by whoever led a sync, before any waiter returns, without locks held, by one
       thread at a time: the highest durable LSN and version (0: none of this log's yet) */
    void (*durable)(void *argument, uint64_t lsn, uint64_t version);
    void *argument;
};

struct vs_log;

/** Whether a record's frame stays within VS_FRAME_SIZE_MAX; a larger transaction bypasses the
 * log. */
bool vs_log_record_fits(uint64_t note_size, uint64_t operations_size);

/**
 * Open the log for appending at the beginning of a fresh segment, whose header is durable when this
 * returns. Segments found on disk are kept as they are until vs_log_recycle() lets them go; those
 * of another store are left alone for ever.
 *
 * @param config  Copied; `os` must outlive the log.
 * @param start   Epoch of this incarnation and the LSN to start from. Set to where the first frame
 *                will be: at the beginning of a segment, beyond all found on disk, with an epoch
 *                above all found there (L4).
 * @retval VERSO_NOSPC  No room for the first segment; nothing was left behind.
 * @retval VERSO_LIMIT  The stream is used up (VS_LSN_MAX), or too many files are in the way.
 * @retval VERSO_IO, VERSO_ACCESS, VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_open(const struct vs_log_config *config,
                                     struct vs_log_position *start, struct vs_log **log);

/**
 * Stop and free the log, whatever is returned; no other call may be under way. What was not waited
 * for is dropped. Removes the segment files if `remove` (after a clean close's checkpoint).
 * NULL is allowed.
 */
verso_err vs_log_close(struct vs_log *log, bool remove);

/**
 * Append one frame to the buffer. Nothing reaches the disk before vs_log_wait() or vs_log_flush().
 * After an error nothing was appended.
 *
 * @param record        Copied.
 * @param[out] end_lsn  What to wait for.
 * @retval VERSO_NOSPC  No room for the segments that it needs.
 * @retval VERSO_LIMIT  The record does not fit (vs_log_record_fits()), or the stream is used up.
 * @retval VERSO_POISONED, VERSO_NOMEM, VERSO_IO
 */
VERSO_MUST_USE verso_err vs_log_append(struct vs_log *log, const struct vs_log_record *record,
                                       uint64_t *end_lsn);

enum vs_log_stage { VS_LOG_WRITTEN, VS_LOG_DURABLE };

/**
 * Wait until everything below `lsn` is written or durable, leading the write and sync if nobody
 * does; whoever leads takes all gathered frames in one write and one sync.
 *
 * @retval VERSO_UNKNOWN   The write or sync failed: nothing pending may be believed. Never retried.
 */
VERSO_MUST_USE verso_err vs_log_wait(struct vs_log *log, uint64_t lsn, enum vs_log_stage stage);

/** vs_log_wait() for everything appended so far. VERSO_POISONED if a write or sync failed
 * before. */
VERSO_MUST_USE verso_err vs_log_flush(struct vs_log *log, enum vs_log_stage stage);

/**
 * If no frame says yet that the last commit is durable: make it so, then append and sync a witness
 * frame that says it. For when the log falls idle, and before a close. Errors as of vs_log_flush().
 */
VERSO_MUST_USE verso_err vs_log_witness(struct vs_log *log);

/**
 * See to it that a segment stands ready in reserve, and a second one once the last in use is half
 * full, so that no commit waits for one to be made. For the background, at its leisure; does
 * nothing if all is well. Errors mean that none could be made; the log is as before.
 */
VERSO_MUST_USE verso_err vs_log_prepare(struct vs_log *log);

/** The position after all that was appended: what a checkpoint's meta names once it is durable. */
struct vs_log_position vs_log_end(struct vs_log *log);

/* The questions below take no lock. */

/** The LSN of vs_log_end(): how long the log has become. */
uint64_t vs_log_end_lsn(const struct vs_log *log);
/** Bytes appended but not yet written: for back-pressure on asynchronous commits. */
uint64_t vs_log_pending(const struct vs_log *log);
uint64_t vs_log_durable_lsn(const struct vs_log *log);
uint64_t vs_log_syncs(const struct vs_log *log);
bool vs_log_is_poisoned(const struct vs_log *log);

/**
 * Refuse everything from now on (a data or meta sync failed elsewhere). Waiters whose frames are
 * not durable get VERSO_UNKNOWN.
 */
void vs_log_poison(struct vs_log *log);

/**
 * Segments wholly below `lsn` may be reused: both metas name a later position. More than twice as
 * many as were lately in use are deleted.
 */
void vs_log_recycle(struct vs_log *log, uint64_t lsn);

/** What reading a log found. */
struct vs_log_scan {
    struct vs_log_position end; /* after the last valid frame */
    uint64_t frames;
    uint64_t highest_lsn;   /* beyond any segment on disk: a new log must start at or after it */
    uint64_t highest_epoch; /* of any segment header of this store on disk, and of `start` */
    bool present;           /* at least one segment file of this store was found */
};

/**
 * Read the frames that follow `start` and hand each commit to `apply`, in order. Writes nothing.
 *
 * A frame that fails is the torn tail, unless a later frame of the same epoch knows it durable.
 * @param must_exist  The meta says that the log is needed.
 * @param version     The root that the meta names; the first commit after it makes version + 1.
 * @param apply       Its record is borrowed for the call. `use_reserve` is not set.
 * @param[out] scan   Set on success only.
 * @retval VERSO_WAL_MISSING  `must_exist`, and no segment holds `start`.
 * @retval VERSO_MISMATCH     Segments belong to another store.
 * @retval VERSO_WAL_CORRUPT  Acknowledged frames are damaged, or versions do not run on; the detail
 *                            names file and offset.
 * @retval VERSO_IO, VERSO_NOMEM, VERSO_ACCESS, VERSO_LIMIT
 * @retval others             What `apply` returned.
 */
VERSO_MUST_USE verso_err vs_log_read(
    const struct vs_log_config *config, const struct vs_log_position *start, bool must_exist,
    uint64_t version, verso_err (*apply)(void *argument, const struct vs_log_record *record),
    void *argument, struct vs_log_scan *scan);

/**
 * Is the store's file older than its log: are there commits in segments of an epoch above that of its
 * meta? To open an old copy beside a newer log would be to lose what the log has, and to remove it in
 * the end. Asked where vs_log_read() has met such an epoch.
 *
 * @retval VERSO_MISMATCH  It is.
 * @retval others          As vs_log_read().
 */
VERSO_MUST_USE verso_err vs_log_refuse_older_store(const struct vs_log_config *config,
                                                   uint64_t epoch);

/** Remove all segment files beside this store, except such as belong to another one. */
VERSO_MUST_USE verso_err vs_log_remove(const struct vs_log_config *config);

#endif
