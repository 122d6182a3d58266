/*
 * segment.h - the header of a log segment: which stretch of the log's endless stream the file
 * holds.
 *
 *      0        4        8        12       16                32       40       48             64
 *      +--------+--------+--------+--------+-----------------+--------+--------+--------------+
 *      | crc32c | magic  | size   | 0      | uuid            | epoch  | lsn    | 0            |
 *      +--------+--------+--------+--------+-----------------+--------+--------+--------------+
 *
 * `crc32c` covers bytes [4, 64). `size` is the segment's (bytes, header included), `lsn` that of
 * its first byte, a multiple of `size`. All frames of a segment have its epoch. A header of zeros
 * is that of a segment made ready but never used.
 *
 * Pure functions over memory; any thread.
 */
#ifndef VERSO_FORMAT_SEGMENT_H
#define VERSO_FORMAT_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VS_SEGMENT_HEADER = 64,                   /* bytes */
    VS_SEGMENT_SIZE_MIN = 512,                /* bytes; sizes are multiples of it */
    VS_SEGMENT_SIZE_MAX = 1024 * 1024 * 1024, /* bytes */
};

#define VS_LSN_MAX (UINT64_MAX / 4) /* the stream's end: far beyond what can be written */

struct vs_segment_header {
    uint8_t uuid[16];
    uint64_t epoch;
    uint64_t lsn;
    uint32_t size;
};

/** Whether a segment may have this size. */
bool vs_segment_size_is_valid(uint64_t size);

/** Write the header to `bytes` (VS_SEGMENT_HEADER). */
void vs_segment_header_encode(const struct vs_segment_header *header, uint8_t *bytes);

/** Check and decode the header in `bytes`. @return NULL, or a static text with the fault. */
const char *vs_segment_header_decode(const uint8_t *bytes, struct vs_segment_header *header);

/** Whether `bytes` are the header of a segment never used. */
bool vs_segment_header_is_blank(const uint8_t *bytes);

/**
 * Where a frame goes that comes at `lsn`: there, or behind the next segment's header if `lsn` is
 * within a header or a frame's header would not fit the rest of the segment. Never splitting a
 * frame's header keeps each readable by itself, whatever became of the neighbouring file.
 */
uint64_t vs_segment_frame_lsn(uint64_t lsn, uint32_t segment_size);

/**
 * Where the next frame goes after a frame of `frame_size` bytes at `lsn`, a place of frames: past
 * the headers of the segments that it runs through.
 */
uint64_t vs_segment_next_lsn(uint64_t lsn, uint64_t frame_size, uint32_t segment_size);

#endif
