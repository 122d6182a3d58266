/*
 * increment.c - encode and decode the parts of an increment; see increment.h for the bytes.
 */
#include "format/increment.h"

#include <assert.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"

static const uint8_t magic[8] = {'V', 'e', 'r', 's', 'o', 'I', 'n', 'c'};

enum {
    FORMAT_AT = 8,
    UUID_AT = 16,
    BASE_AT = 32,
    FINGERPRINT_AT = 40,
    HEADER_CRC_AT = 60,
    KIND_AT = 4,
    SIZE_AT = 8,
    ROOT_TIME_AT = 8,
    ROOT_FINGERPRINT_AT = 16,
    ROOT_NOTE_AT = 24,
};

/* One operation has at most a value of 1 GiB and a key; others are gathered up to far less. */
#define OPERATIONS_MAX ((UINT64_C(1) << 30) + (UINT64_C(64) << 20))

uint32_t vs_increment_header_encode(const struct vs_increment_header *header, uint8_t *bytes)
{
    memset(bytes, 0, VS_INCREMENT_HEADER);
    memcpy(bytes, magic, sizeof magic);
    vs_put_le32(bytes + FORMAT_AT, VS_INCREMENT_FORMAT);
    memcpy(bytes + UUID_AT, header->uuid, sizeof header->uuid);
    vs_put_le64(bytes + BASE_AT, header->base);
    vs_put_le64(bytes + FINGERPRINT_AT, header->fingerprint);
    uint32_t crc = vs_crc32c(0, bytes, HEADER_CRC_AT);
    vs_put_le32(bytes + HEADER_CRC_AT, crc);
    return crc;
}

enum vs_increment_state
vs_increment_header_decode(const uint8_t *bytes, struct vs_increment_header *header, uint32_t *crc)
{
    if (memcmp(bytes, magic, sizeof magic) != 0) {
        return VS_INCREMENT_FOREIGN;
    }
    *crc = vs_crc32c(0, bytes, HEADER_CRC_AT);
    bool whole = vs_get_le32(bytes + HEADER_CRC_AT) == *crc;
    if (vs_get_le32(bytes + FORMAT_AT) != VS_INCREMENT_FORMAT) {
        return whole ? VS_INCREMENT_UNKNOWN : VS_INCREMENT_DAMAGED;
    }
    memcpy(header->uuid, bytes + UUID_AT, sizeof header->uuid);
    header->base = vs_get_le64(bytes + BASE_AT);
    header->fingerprint = vs_get_le64(bytes + FINGERPRINT_AT);
    return whole ? VS_INCREMENT_OK : VS_INCREMENT_DAMAGED;
}

static uint32_t record_crc(const uint8_t *bytes, verso_slice body, uint32_t before)
{
    uint32_t crc = vs_crc32c(before, bytes + KIND_AT, VS_INCREMENT_RECORD - KIND_AT);
    return vs_crc32c(crc, body.data, body.size);
}

uint32_t vs_increment_record_encode(enum vs_increment_kind kind, verso_slice body, uint32_t before,
                                    uint8_t *bytes)
{
    vs_put_le32(bytes + KIND_AT, kind);
    vs_put_le64(bytes + SIZE_AT, body.size);
    uint32_t crc = record_crc(bytes, body, before);
    vs_put_le32(bytes, crc);
    return crc;
}

const char *vs_increment_record_decode(const uint8_t *bytes, enum vs_increment_kind *kind,
                                       uint64_t *size)
{
    *kind = (enum vs_increment_kind)vs_get_le32(bytes + KIND_AT);
    *size = vs_get_le64(bytes + SIZE_AT);
    uint64_t least = 0;
    uint64_t most = 0;
    switch ((int)*kind) {
    case VS_INCREMENT_OPERATIONS:
        least = 1;
        most = OPERATIONS_MAX;
        break;
    case VS_INCREMENT_ROOT:
        least = ROOT_NOTE_AT;
        most = VS_INCREMENT_ROOT_MAX;
        break;
    case VS_INCREMENT_CLOSE:
        least = VS_INCREMENT_END;
        most = VS_INCREMENT_END;
        break;
    default:
        return "unknown kind of record";
    }
    return *size < least || *size > most ? "a record's size is out of bounds" : NULL;
}

bool vs_increment_record_is_whole(const uint8_t *bytes, verso_slice body, uint32_t *crc)
{
    *crc = record_crc(bytes, body, *crc);
    return vs_get_le32(bytes) == *crc;
}

size_t vs_increment_root_encode(const struct vs_increment_root *root, uint8_t *body)
{
    assert(root->note.size <= VS_INCREMENT_ROOT_MAX - ROOT_NOTE_AT);
    vs_put_le64(body, root->version);
    vs_put_le64(body + ROOT_TIME_AT, (uint64_t)root->time_us);
    vs_put_le64(body + ROOT_FINGERPRINT_AT, root->fingerprint);
    if (root->note.size > 0) {
        memcpy(body + ROOT_NOTE_AT, root->note.data, root->note.size);
    }
    return ROOT_NOTE_AT + root->note.size;
}

void vs_increment_root_decode(verso_slice body, struct vs_increment_root *root)
{
    const uint8_t *bytes = body.data;
    assert(body.size >= ROOT_NOTE_AT);
    root->version = vs_get_le64(bytes);
    root->time_us = (int64_t)vs_get_le64(bytes + ROOT_TIME_AT);
    root->fingerprint = vs_get_le64(bytes + ROOT_FINGERPRINT_AT);
    root->note = (verso_slice){bytes + ROOT_NOTE_AT, body.size - ROOT_NOTE_AT};
}

void vs_increment_end_encode(const struct vs_increment_counts *counts, uint8_t *body)
{
    vs_put_le64(body, counts->roots);
    vs_put_le64(body + 8, counts->operations);
}

void vs_increment_end_decode(const uint8_t *body, struct vs_increment_counts *counts)
{
    counts->roots = vs_get_le64(body);
    counts->operations = vs_get_le64(body + 8);
}
