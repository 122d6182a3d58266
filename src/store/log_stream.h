/*
 * log_stream.h - the stream of one epoch, read across the segments found on disk.
 *
 * Whatever is not there (a segment, or the end of a file cut short) is a gap, not an error: what it
 * means is for the reader of the log to decide. Memory: a window, and room for the largest frame.
 *
 * Threads: one at a time.
 */
#ifndef VERSO_STORE_LOG_STREAM_H
#define VERSO_STORE_LOG_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "store/log_files.h"
#include "verso.h"

struct vs_log_stream {
    const struct vs_log_config *config;
    const struct vs_log_file **segment; /* of the epoch, by LSN */
    size_t count;
    uint32_t segment_size; /* 0 if there is none */
    struct vs_file *file;  /* of segment[opened] */
    size_t opened;
    uint8_t *window; /* bytes of segment[opened]; NULL if there is no segment */
    size_t window_capacity;
    uint64_t window_lsn;
    size_t window_size;
    uint8_t *gathered; /* a frame that lies in several segments, or is larger than the window */
    size_t gathered_capacity;
};

/**
 * Take the segments of `epoch` from what was found.
 *
 * @param files  Borrowed until the stream is closed, as is `config`.
 * @retval VERSO_WAL_CORRUPT  Two files claim the same part of the stream.
 * @retval VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_stream_open(const struct vs_log_config *config,
                                            const struct vs_log_files *files, uint64_t epoch,
                                            struct vs_log_stream *stream);

/** Close what vs_log_stream_open() opened. */
void vs_log_stream_close(struct vs_log_stream *stream);

/** The segment that holds `lsn`; NULL if none does. */
const struct vs_log_file *vs_log_stream_segment(const struct vs_log_stream *stream, uint64_t lsn);

/**
 * The `size` bytes (at most VS_FRAME_SIZE_MAX) of a frame or a frame's beginning at `lsn`, without
 * the headers of segments between.
 *
 * @param[out] bytes  Borrowed until the next call; NULL if they run into a gap.
 * @retval VERSO_IO, VERSO_ACCESS, VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_stream_read(struct vs_log_stream *stream, uint64_t lsn, size_t size,
                                            const uint8_t **bytes);

#endif
