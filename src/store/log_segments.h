/*
 * log_segments.h - the segments of an open log: in use, ready to be used, or held for older metas.
 *
 *     held (found at open)          in use, in the order of the stream            ready
 *     +-----+ +-----+               +-----+ +-----+ +-----+                       +-----+ +-----+
 *     | old | | old |               | k   | | k+1 | | k+2 | <- the log ends here  | any | | any |
 *     +-----+ +-----+               +-----+ +-----+ +-----+                       +-----+ +-----+
 *        |   both metas name later     |   both metas name a later LSN              ^  |
 *        +---------------------------->+------------------------------------------->+  +-> in use,
 *                                       more than twice the number lately in use: deleted  lowest N
 *
 * Segments are list nodes, so that moving one from list to list never fails. Each has its file
 * open.
 *
 * Threads: the caller guards the set with the log's mutex. An in-use segment at or beyond the
 * durable LSN stays where it is, so its file may be written and synced without the mutex.
 */
#ifndef VERSO_STORE_LOG_SEGMENTS_H
#define VERSO_STORE_LOG_SEGMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "store/log_files.h"
#include "verso.h"

struct vs_log_segment {
    struct vs_log_segment *next;
    struct vs_file *file; /* open for writing; NULL while held */
    uint32_t number;      /* of the file */
    uint64_t lsn;         /* in use: of the first byte */
    bool reusable;        /* held: a whole segment of this log's size */
};

struct vs_log_segments {
    struct vs_log_segment *in_use; /* by LSN */
    struct vs_log_segment *last;   /* of those in use */
    struct vs_log_segment *ready;  /* by number */
    struct vs_log_segment *held;
    unsigned in_use_count;
    unsigned ready_count;
    unsigned in_use_before; /* at the last recycling but one: see vs_log_segments_excess() */
};

/** A segment around a file just made or opened; NULL if out of memory. The file is then its own. */
struct vs_log_segment *vs_log_segment_make(uint32_t number, struct vs_file *file);

/** Close the file and free the segment. */
void vs_log_segment_free(const struct vs_log_config *config, struct vs_log_segment *segment);

/** Add to the ready ones. */
void vs_log_segments_add_ready(struct vs_log_segments *segments, struct vs_log_segment *segment);

/** Add to the held ones. */
void vs_log_segments_hold(struct vs_log_segments *segments, struct vs_log_segment *segment);

/** Take the lowest ready segment (there is one) into use, for the stream from `lsn` on. */
void vs_log_segments_use(struct vs_log_segments *segments, uint64_t lsn);

/** The in-use segment that holds `lsn`. */
struct vs_log_segment *vs_log_segments_find(const struct vs_log_segments *segments, uint64_t lsn,
                                            uint32_t segment_size);

/** Move in-use segments wholly below `lsn` to the ready ones; never the last. */
void vs_log_segments_recycle(struct vs_log_segments *segments, uint64_t lsn, uint32_t segment_size);

/**
 * Take out the ready segments beyond twice the number that was in use at this recycling or the one
 * before it, `in_use` being how many were before vs_log_segments_recycle(). @return Their list.
 */
struct vs_log_segment *vs_log_segments_excess(struct vs_log_segments *segments, unsigned in_use);

#endif
