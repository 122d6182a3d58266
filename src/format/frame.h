/*
 * frame.h - one frame of the log: what a commit leaves there, or a witness of earlier durability.
 *
 *       0            4            8            12           16           20
 *       +------------+------------+------------+------------+------------+----------+------+---+
 *       | header crc | frame crc  | magic      | prev. crc  | ops size   | note size| kind | 0 |
 *       +------------+------------+------------+------------+------------+----------+------+---+
 *   24  | uuid                                              | epoch                   |   (16, 8)
 *       +---------------------------------------------------+-------------------------+
 *   48  | lsn                     | durable lsn             | version                 |   (8 each)
 *       +-------------------------+-------------------------+-------------------------+
 *   72  | time                    | fingerprint             |
 *       +-------------------------+-------------------------+--------------+----------------+
 *   88  | note (note size)        | operations (ops size)                  | zeros, up to 7 |
 *       +-------------------------+----------------------------------------+----------------+
 *
 * F1  The header crc is the CRC32C of bytes [8, 88); the frame crc continues it over the rest of
 *     the frame. So a header speaks for itself: what it knows to be durable counts as evidence even
 *     where the bytes after it are torn.
 * F2  A frame's size is the sum of its parts rounded up to 8, so frames begin at multiples of 8.
 * F3  `prev. crc` is the frame crc of the frame before it. A frame follows another only if this,
 *     the uuid, the epoch and the LSN all agree: whatever an older run of the store left behind a
 *     torn tail cannot become valid again, even at the right place (see docs/format.md).
 * F4  durable lsn <= lsn: the log was known to be synced up to there when the frame was appended.
 * F5  A witness has neither note nor operations, and version 0. A setting has operations that change
 *     no tree, and the version of the last commit before it.
 *
 * Pure functions over memory; any thread.
 */
#ifndef VERSO_FORMAT_FRAME_H
#define VERSO_FORMAT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "format/byte_order.h"
#include "verso.h"

enum {
    VS_FRAME_HEADER = 88,                 /* bytes */
    VS_FRAME_NOTE_MAX = 1024,             /* bytes */
    VS_FRAME_SIZE_MAX = 80 * 1024 * 1024, /* bytes; larger transactions bypass the log */
    VS_FRAME_STEP = 8,                    /* bytes; frames begin and end at multiples */
    VS_FRAME_MAGIC_AT = 8,                /* bytes from its beginning */
};

#define VS_FRAME_MAGIC UINT32_C(0x6D724656) /* "VFrm" */

enum vs_frame_kind {
    VS_FRAME_COMMIT = 1,
    VS_FRAME_WITNESS = 2,
    VS_FRAME_SETTING = 3, /* operations that change no tree; its version is the last commit's */
};

struct vs_frame {
    uint32_t previous_crc;
    enum vs_frame_kind kind;
    uint8_t uuid[16];
    uint64_t epoch;
    uint64_t lsn;
    uint64_t durable_lsn;
    uint64_t version;
    int64_t time_us;
    uint64_t fingerprint;
    verso_slice note;       /* decoded: `data` is set by vs_frame_decode_rest() only */
    verso_slice operations; /* the same */
};

/** Bytes of a frame, its padding included. */
static inline size_t vs_frame_size(const struct vs_frame *frame)
{
    size_t size = VS_FRAME_HEADER + frame->note.size + frame->operations.size;
    return (size + VS_FRAME_STEP - 1) & ~(size_t)(VS_FRAME_STEP - 1);
}

/** Whether a header may be at `bytes`: what a search asks of each place before all else. */
static inline bool vs_frame_may_begin(const uint8_t *bytes)
{
    return vs_get_le32(bytes + VS_FRAME_MAGIC_AT) == VS_FRAME_MAGIC;
}

/**
 * Write the frame to `bytes`, which hold vs_frame_size() <= VS_FRAME_SIZE_MAX.
 * @return Its frame crc.
 */
uint32_t vs_frame_encode(const struct vs_frame *frame, uint8_t *bytes);

/**
 * Check and decode the header in `bytes` (VS_FRAME_HEADER); the sizes in it are then within limits.
 * @return NULL, or a static text with the fault.
 */
const char *vs_frame_decode_header(const uint8_t *bytes, struct vs_frame *frame);

/**
 * Check the rest of a frame whose header vs_frame_decode_header() accepted; `bytes` hold
 * vs_frame_size(frame). The note and the operations are borrowed from `bytes`.
 * @return NULL and the frame crc, or a static text with the fault.
 */
const char *vs_frame_decode_rest(const uint8_t *bytes, struct vs_frame *frame, uint32_t *crc);

#endif
