/*
 * frame.c - encode and decode log frames; the layout is drawn in frame.h.
 */
#include "format/frame.h"

#include <assert.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"

enum { /* offsets of the fields */
       HEADER_CRC_AT = 0,
       FRAME_CRC_AT = 4,
       MAGIC_AT = VS_FRAME_MAGIC_AT,
       PREVIOUS_CRC_AT = 12,
       OPERATIONS_SIZE_AT = 16,
       NOTE_SIZE_AT = 20,
       KIND_AT = 22,
       ZERO_AT = 23,
       UUID_AT = 24,
       EPOCH_AT = 40,
       LSN_AT = 48,
       DURABLE_LSN_AT = 56,
       VERSION_AT = 64,
       TIME_AT = 72,
       FINGERPRINT_AT = 80,
       CHECKED_FROM = MAGIC_AT,
};

static_assert(FINGERPRINT_AT + 8 == VS_FRAME_HEADER, "the header ends with its last field");
static_assert(VS_FRAME_HEADER % VS_FRAME_STEP == 0, "F2");

static void encode_header(const struct vs_frame *frame, uint8_t *bytes)
{
    vs_put_le32(bytes + MAGIC_AT, VS_FRAME_MAGIC);
    vs_put_le32(bytes + PREVIOUS_CRC_AT, frame->previous_crc);
    vs_put_le32(bytes + OPERATIONS_SIZE_AT, (uint32_t)frame->operations.size);
    vs_put_le16(bytes + NOTE_SIZE_AT, (uint16_t)frame->note.size);
    bytes[KIND_AT] = (uint8_t)frame->kind;
    bytes[ZERO_AT] = 0;
    memcpy(bytes + UUID_AT, frame->uuid, sizeof frame->uuid);
    vs_put_le64(bytes + EPOCH_AT, frame->epoch);
    vs_put_le64(bytes + LSN_AT, frame->lsn);
    vs_put_le64(bytes + DURABLE_LSN_AT, frame->durable_lsn);
    vs_put_le64(bytes + VERSION_AT, frame->version);
    vs_put_le64(bytes + TIME_AT, (uint64_t)frame->time_us);
    vs_put_le64(bytes + FINGERPRINT_AT, frame->fingerprint);
}

uint32_t vs_frame_encode(const struct vs_frame *frame, uint8_t *bytes)
{
    assert(frame->kind >= VS_FRAME_COMMIT);
    assert(frame->kind <= VS_FRAME_SETTING);
    assert(frame->note.size <= VS_FRAME_NOTE_MAX);
    assert(frame->operations.size <= VS_FRAME_SIZE_MAX);
    assert(vs_frame_size(frame) <= VS_FRAME_SIZE_MAX);
    assert(frame->durable_lsn <= frame->lsn);

    encode_header(frame, bytes);
    uint8_t *at = bytes + VS_FRAME_HEADER;
    if (frame->note.size > 0) {
        memcpy(at, frame->note.data, frame->note.size);
        at += frame->note.size;
    }
    if (frame->operations.size > 0) {
        memcpy(at, frame->operations.data, frame->operations.size);
        at += frame->operations.size;
    }
    uint8_t *end = bytes + vs_frame_size(frame);
    memset(at, 0, (size_t)(end - at));

    uint32_t header_crc = vs_crc32c(0, bytes + CHECKED_FROM, VS_FRAME_HEADER - CHECKED_FROM);
    uint32_t frame_crc =
        vs_crc32c(header_crc, bytes + VS_FRAME_HEADER, (size_t)(end - bytes) - VS_FRAME_HEADER);
    vs_put_le32(bytes + HEADER_CRC_AT, header_crc);
    vs_put_le32(bytes + FRAME_CRC_AT, frame_crc);
    return frame_crc;
}

/** What the header's own checksum cannot promise: limits and F4, F5. */
static const char *check_fields(const uint8_t *bytes, const struct vs_frame *frame)
{
    if (frame->note.size > VS_FRAME_NOTE_MAX) {
        return "a frame's note is too long";
    }
    if (frame->operations.size > VS_FRAME_SIZE_MAX || vs_frame_size(frame) > VS_FRAME_SIZE_MAX) {
        return "a frame is too long";
    }
    if (frame->durable_lsn > frame->lsn) {
        return "a frame knows of durability beyond itself";
    }
    if (bytes[ZERO_AT] != 0) {
        return "a frame's unused byte is set";
    }
    if (bytes[KIND_AT] == VS_FRAME_COMMIT || bytes[KIND_AT] == VS_FRAME_SETTING) {
        return NULL;
    }
    if (bytes[KIND_AT] != VS_FRAME_WITNESS) {
        return "unknown kind of frame";
    }
    if (frame->note.size != 0 || frame->operations.size != 0 || frame->version != 0) {
        return "a witness frame has content";
    }
    return NULL;
}

const char *vs_frame_decode_header(const uint8_t *bytes, struct vs_frame *frame)
{
    if (!vs_frame_may_begin(bytes)) {
        return "no frame";
    }
    if (vs_get_le32(bytes + HEADER_CRC_AT) !=
        vs_crc32c(0, bytes + CHECKED_FROM, VS_FRAME_HEADER - CHECKED_FROM)) {
        return "the checksum of a frame's header disagrees";
    }
    struct vs_frame decoded = {
        .previous_crc = vs_get_le32(bytes + PREVIOUS_CRC_AT),
        .kind = (enum vs_frame_kind)bytes[KIND_AT], /* checked below */
        .epoch = vs_get_le64(bytes + EPOCH_AT),
        .lsn = vs_get_le64(bytes + LSN_AT),
        .durable_lsn = vs_get_le64(bytes + DURABLE_LSN_AT),
        .version = vs_get_le64(bytes + VERSION_AT),
        .time_us = (int64_t)vs_get_le64(bytes + TIME_AT),
        .fingerprint = vs_get_le64(bytes + FINGERPRINT_AT),
        .note = {NULL, vs_get_le16(bytes + NOTE_SIZE_AT)},
        .operations = {NULL, vs_get_le32(bytes + OPERATIONS_SIZE_AT)},
    };
    memcpy(decoded.uuid, bytes + UUID_AT, sizeof decoded.uuid);
    const char *fault = check_fields(bytes, &decoded);
    if (fault == NULL) {
        *frame = decoded;
    }
    return fault;
}

const char *vs_frame_decode_rest(const uint8_t *bytes, struct vs_frame *frame, uint32_t *crc)
{
    size_t size = vs_frame_size(frame);
    assert(size <= VS_FRAME_SIZE_MAX);

    uint32_t expected = vs_crc32c(vs_get_le32(bytes + HEADER_CRC_AT), bytes + VS_FRAME_HEADER,
                                  size - VS_FRAME_HEADER);
    if (vs_get_le32(bytes + FRAME_CRC_AT) != expected) {
        return "a frame's checksum disagrees";
    }
    frame->note.data = bytes + VS_FRAME_HEADER;
    frame->operations.data = bytes + VS_FRAME_HEADER + frame->note.size;
    *crc = expected;
    return NULL;
}
