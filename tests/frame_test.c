/*
 * frame_test.c - log frames: round trips, damage at every byte, impossible headers.
 */
#include "format/frame.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"

enum {
    ROOM = 8192,
    CHECKED_FROM = 8,
    OPERATIONS_SIZE_AT = 16,
    NOTE_SIZE_AT = 20,
    KIND_AT = 22,
    VERSION_AT = 64
};

static uint8_t filler[4096];

static struct vs_frame sample(size_t note_size, size_t operations_size)
{
    for (size_t i = 0; i < sizeof filler; i++) {
        filler[i] = (uint8_t)(i * 7 + 1);
    }
    struct vs_frame frame = {
        .previous_crc = 0xA1A2A3A4,
        .kind = VS_FRAME_COMMIT,
        .uuid = "sixteen bytes id",
        .epoch = 3,
        .lsn = 1000000,
        .durable_lsn = 999000,
        .version = 42,
        .time_us = -5,
        .fingerprint = 0xF1F2F3F4F5F6F7F8,
        .note = {filler, note_size},
        .operations = {filler + 1000, operations_size},
    };
    return frame;
}

static const char *decode(const uint8_t *bytes, struct vs_frame *frame, uint32_t *crc)
{
    const char *fault = vs_frame_decode_header(bytes, frame);
    return fault != NULL ? fault : vs_frame_decode_rest(bytes, frame, crc);
}

/** Give changed header bytes a header crc that agrees. */
static void seal_header(uint8_t *bytes)
{
    vs_put_le32(bytes, vs_crc32c(0, bytes + CHECKED_FROM, VS_FRAME_HEADER - CHECKED_FROM));
}

Test(frame, comes_back_as_it_was_written)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 150, VS_FRAME_NOTE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            uint8_t bytes[ROOM];
            struct vs_frame frame = sample(sizes[i], sizes[j]);
            uint32_t crc = vs_frame_encode(&frame, bytes);
            struct vs_frame decoded;
            uint32_t decoded_crc = 0;
            cr_assert_null(decode(bytes, &decoded, &decoded_crc));
            cr_assert_eq(decoded_crc, crc);
            cr_assert_eq(vs_frame_size(&decoded) % VS_FRAME_STEP, 0u);
            cr_assert_eq(decoded.previous_crc, frame.previous_crc);
            cr_assert_eq(decoded.kind, frame.kind);
            cr_assert_arr_eq(decoded.uuid, frame.uuid, sizeof frame.uuid);
            cr_assert_eq(decoded.epoch, frame.epoch);
            cr_assert_eq(decoded.lsn, frame.lsn);
            cr_assert_eq(decoded.durable_lsn, frame.durable_lsn);
            cr_assert_eq(decoded.version, frame.version);
            cr_assert_eq(decoded.time_us, frame.time_us);
            cr_assert_eq(decoded.fingerprint, frame.fingerprint);
            cr_assert_eq(decoded.note.size, frame.note.size);
            cr_assert_arr_eq(decoded.note.data, frame.note.data, frame.note.size);
            cr_assert_eq(decoded.operations.size, frame.operations.size);
            cr_assert_arr_eq(decoded.operations.data, frame.operations.data, frame.operations.size);
        }
    }
}

Test(frame, damage_at_every_byte_shows)
{
    uint8_t bytes[ROOM];
    struct vs_frame frame = sample(11, 100);
    (void)vs_frame_encode(&frame, bytes);
    for (size_t at = 0; at < vs_frame_size(&frame); at++) {
        for (unsigned mask = 1; mask < 256; mask = mask * 2 + 1) {
            bytes[at] ^= (uint8_t)mask;
            struct vs_frame decoded;
            uint32_t crc = 0;
            cr_assert_not_null(decode(bytes, &decoded, &crc), "byte %zu, mask %u", at, mask);
            bytes[at] ^= (uint8_t)mask;
        }
    }
}

Test(frame, header_is_valid_though_the_rest_is_torn)
{
    uint8_t bytes[ROOM];
    struct vs_frame frame = sample(0, 100);
    (void)vs_frame_encode(&frame, bytes);
    memset(bytes + VS_FRAME_HEADER, 0, 100);
    struct vs_frame decoded;
    uint32_t crc = 0;
    cr_assert_null(vs_frame_decode_header(bytes, &decoded));
    cr_assert_eq(decoded.durable_lsn, frame.durable_lsn);
    cr_assert_not_null(vs_frame_decode_rest(bytes, &decoded, &crc));
}

Test(frame, impossible_fields_are_refused_though_the_checksum_agrees)
{
    uint8_t good[ROOM];
    uint8_t bytes[ROOM];
    struct vs_frame decoded;
    struct vs_frame frame = sample(0, 8);
    (void)vs_frame_encode(&frame, good);

    memcpy(bytes, good, VS_FRAME_HEADER);
    vs_put_le32(bytes + OPERATIONS_SIZE_AT, UINT32_MAX);
    seal_header(bytes);
    cr_assert_not_null(vs_frame_decode_header(bytes, &decoded));

    memcpy(bytes, good, VS_FRAME_HEADER);
    vs_put_le32(bytes + OPERATIONS_SIZE_AT, VS_FRAME_SIZE_MAX - VS_FRAME_HEADER + 1);
    seal_header(bytes);
    cr_assert_not_null(vs_frame_decode_header(bytes, &decoded));

    memcpy(bytes, good, VS_FRAME_HEADER);
    vs_put_le16(bytes + NOTE_SIZE_AT, VS_FRAME_NOTE_MAX + 1);
    seal_header(bytes);
    cr_assert_not_null(vs_frame_decode_header(bytes, &decoded));

    static const uint8_t kinds[] = {0, VS_FRAME_WITNESS /* holds no operations */, 4, 255};
    for (size_t i = 0; i < sizeof kinds; i++) {
        memcpy(bytes, good, VS_FRAME_HEADER);
        bytes[KIND_AT] = kinds[i];
        seal_header(bytes);
        cr_assert_not_null(vs_frame_decode_header(bytes, &decoded));
    }

    /* A witness with a note, with operations, or with a version alone. */
    for (unsigned part = 0; part < 3; part++) {
        memcpy(bytes, good, VS_FRAME_HEADER);
        bytes[KIND_AT] = VS_FRAME_WITNESS;
        vs_put_le16(bytes + NOTE_SIZE_AT, part == 0 ? 1 : 0);
        vs_put_le32(bytes + OPERATIONS_SIZE_AT, part == 1 ? 1 : 0);
        vs_put_le64(bytes + VERSION_AT, part == 2 ? 1 : 0);
        seal_header(bytes);
        cr_assert_str_eq(vs_frame_decode_header(bytes, &decoded), "a witness frame has content");
    }

    frame.durable_lsn = frame.lsn;
    (void)vs_frame_encode(&frame, bytes);
    cr_assert_null(vs_frame_decode_header(bytes, &decoded));
    bytes[56]++; /* the lowest byte of the durable LSN */
    seal_header(bytes);
    cr_assert_not_null(vs_frame_decode_header(bytes, &decoded));
}

Test(frame, witness_carries_durability_alone)
{
    uint8_t bytes[ROOM];
    struct vs_frame frame = {.kind = VS_FRAME_WITNESS, .lsn = 800, .durable_lsn = 800};
    uint32_t crc = vs_frame_encode(&frame, bytes);
    cr_assert_eq(vs_frame_size(&frame), (size_t)VS_FRAME_HEADER);
    struct vs_frame decoded;
    uint32_t decoded_crc = 0;
    cr_assert_null(decode(bytes, &decoded, &decoded_crc));
    cr_assert_eq(decoded_crc, crc);
    cr_assert_eq(decoded.kind, VS_FRAME_WITNESS);
    cr_assert_eq(decoded.durable_lsn, 800u);
}
