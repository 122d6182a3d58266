/*
 * segment.c - encode and decode segment headers; the layout is drawn in segment.h.
 */
#include "format/segment.h"

#include <assert.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/frame.h"

#define MAGIC 0x67655356u /* "VSeg" */

enum { /* offsets of the fields */
       CRC_AT = 0,
       MAGIC_AT = 4,
       SIZE_AT = 8,
       UUID_AT = 16,
       EPOCH_AT = 32,
       LSN_AT = 40,
};

static_assert(VS_SEGMENT_HEADER % VS_FRAME_STEP == 0, "frames begin at multiples of a step");
static_assert(VS_SEGMENT_HEADER + VS_FRAME_HEADER < VS_SEGMENT_SIZE_MIN, "each holds a frame");

bool vs_segment_size_is_valid(uint64_t size)
{
    return size >= VS_SEGMENT_SIZE_MIN && size <= VS_SEGMENT_SIZE_MAX &&
           size % VS_SEGMENT_SIZE_MIN == 0;
}

void vs_segment_header_encode(const struct vs_segment_header *header, uint8_t *bytes)
{
    assert(vs_segment_size_is_valid(header->size));
    assert(header->lsn % header->size == 0);

    memset(bytes, 0, VS_SEGMENT_HEADER);
    vs_put_le32(bytes + MAGIC_AT, MAGIC);
    vs_put_le32(bytes + SIZE_AT, header->size);
    memcpy(bytes + UUID_AT, header->uuid, sizeof header->uuid);
    vs_put_le64(bytes + EPOCH_AT, header->epoch);
    vs_put_le64(bytes + LSN_AT, header->lsn);
    vs_put_le32(bytes + CRC_AT, vs_crc32c(0, bytes + MAGIC_AT, VS_SEGMENT_HEADER - MAGIC_AT));
}

const char *vs_segment_header_decode(const uint8_t *bytes, struct vs_segment_header *header)
{
    if (vs_get_le32(bytes + MAGIC_AT) != MAGIC) {
        return "no segment header";
    }
    if (vs_get_le32(bytes + CRC_AT) !=
        vs_crc32c(0, bytes + MAGIC_AT, VS_SEGMENT_HEADER - MAGIC_AT)) {
        return "the checksum of a segment's header disagrees";
    }
    struct vs_segment_header decoded = {
        .epoch = vs_get_le64(bytes + EPOCH_AT),
        .lsn = vs_get_le64(bytes + LSN_AT),
        .size = vs_get_le32(bytes + SIZE_AT),
    };
    memcpy(decoded.uuid, bytes + UUID_AT, sizeof decoded.uuid);
    if (!vs_segment_size_is_valid(decoded.size)) {
        return "a segment's size is impossible";
    }
    if (decoded.lsn % decoded.size != 0 || decoded.lsn > VS_LSN_MAX) {
        return "a segment's LSN is impossible";
    }
    *header = decoded;
    return NULL;
}

bool vs_segment_header_is_blank(const uint8_t *bytes)
{
    static const uint8_t blank[VS_SEGMENT_HEADER];
    return memcmp(bytes, blank, sizeof blank) == 0;
}

uint64_t vs_segment_frame_lsn(uint64_t lsn, uint32_t segment_size)
{
    uint32_t offset = (uint32_t)(lsn % segment_size);
    uint64_t segment = lsn - offset;
    if (offset < VS_SEGMENT_HEADER) {
        return segment + VS_SEGMENT_HEADER;
    }
    if (segment_size - offset < VS_FRAME_HEADER) {
        return segment + segment_size + VS_SEGMENT_HEADER;
    }
    return lsn;
}

uint64_t vs_segment_next_lsn(uint64_t lsn, uint64_t frame_size, uint32_t segment_size)
{
    assert(lsn == vs_segment_frame_lsn(lsn, segment_size));
    assert(frame_size <= VS_FRAME_SIZE_MAX);

    uint64_t offset = lsn % segment_size;
    uint64_t payload = segment_size - VS_SEGMENT_HEADER; /* of a segment, for frames */
    uint64_t after = offset - VS_SEGMENT_HEADER + frame_size;
    uint64_t segment = lsn - offset + after / payload * segment_size;
    return vs_segment_frame_lsn(segment + VS_SEGMENT_HEADER + after % payload, segment_size);
}
