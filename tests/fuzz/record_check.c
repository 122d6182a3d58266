/*
 * record_check.c - decode, encode, compare.
 *
 * Most records have one form only: other bytes than those accepted would be a second one. Metas,
 * policies, frames and headers have bytes that mean nothing yet; they are compared after a second round.
 */
#include "record_check.h"

#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/frame.h"
#include "format/increment.h"
#include "format/layout.h"
#include "format/meta.h"
#include "format/retention.h"
#include "format/root_record.h"
#include "format/run_ref.h"
#include "format/segment.h"
#include "format/tree_record.h"
#include "operation_bytes.h"
#include "verdict.h"

enum kind {
    KIND_META,
    KIND_ROOT,
    KIND_CATALOGUE,
    KIND_RUN_REF,
    KIND_RETENTION,
    KIND_OPERATIONS,
    KIND_FRAME,
    KIND_SEGMENT,
    KIND_INCREMENT,
    KIND_INCREMENT_RECORD,
};

enum { META_CRC_AT = VS_PART_BYTES - 4, INCREMENT_CRC_AT = VS_INCREMENT_HEADER - 4 };

static void require(bool holds, const char *what)
{
    verdict_require(holds, what);
}

static void require_same(const uint8_t *written, size_t written_size, const uint8_t *bytes,
                         size_t size, const char *what)
{
    require(written_size == size && memcmp(written, bytes, size) == 0, what);
}

/* ---- of the store file ---- */

static void check_meta(const uint8_t *bytes, size_t size)
{
    static uint8_t written[2][VS_PART_BYTES];
    struct vs_meta meta;
    if (size < VS_PART_BYTES || vs_meta_decode(bytes, &meta) != VS_META_OK) {
        return;
    }
    vs_meta_encode(&meta, written[0]);
    require(vs_meta_decode(written[0], &meta) == VS_META_OK, "a meta written again is refused");
    vs_meta_encode(&meta, written[1]);
    require_same(written[0], VS_PART_BYTES, written[1], VS_PART_BYTES, "two metas of one");
}

static void check_root(const uint8_t *bytes, size_t size)
{
    uint8_t written[VS_ROOT_RECORD_MAX];
    struct vs_root_record record;
    if (size >= 1 && vs_root_record_decode(bytes + 1, size - 1, bytes[0], &record) == NULL) {
        require_same(written, vs_root_record_encode(&record, written), bytes + 1, size - 1,
                     "a root's record has two forms");
    }
}

static void check_value(verso_slice key, verso_slice value)
{
    uint8_t written[VS_CONDEMNED_MAX];
    struct vs_tree_record record;
    struct vs_condemned condemned;
    uint64_t number = 0;
    verso_slice again = value;
    switch (vs_catalogue_kind(key)) {
    case VS_CATALOGUE_NAME:
        if (vs_tree_record_decode(value, &record) == NULL) {
            again = vs_tree_record_encode(&record, written);
        }
        break;
    case VS_CATALOGUE_NEXT_NUMBER:
        if (vs_number_value_decode(value, &number) == NULL) {
            again = vs_number_value_encode(number, written);
        }
        break;
    case VS_CATALOGUE_NUMBER:
        again = vs_number_key(vs_number_of_key(key), written);
        value = key;
        break;
    case VS_CATALOGUE_CONDEMNED:
        if (vs_condemned_decode(key, value, &condemned) == NULL) {
            again = vs_condemned_encode(&condemned, written);
        }
        break;
    case VS_CATALOGUE_UNKNOWN:
        break;
    }
    require_same(again.data, again.size, value.data, value.size,
                 "an entry of a catalogue has two forms");
}

/* The first byte says where the key ends. */
static void check_catalogue(const uint8_t *bytes, size_t size)
{
    if (size < 1 || bytes[0] > size - 1) {
        return;
    }
    verso_slice key = {bytes + 1, bytes[0]};
    verso_slice value = {bytes + 1 + bytes[0], size - 1 - bytes[0]};
    check_value(key, value);
}

/* The first byte says the page size. */
static void check_run_ref(const uint8_t *bytes, size_t size)
{
    uint8_t written[VS_RUN_REF_MAX];
    struct vs_run_ref ref;
    if (size < 1) {
        return;
    }
    size_t page_size = (size_t)VS_PAGE_SIZE_MIN << bytes[0] % 8;
    if (vs_run_ref_decode(bytes + 1, size - 1, page_size, &ref) == NULL) {
        require_same(written, vs_run_ref_encode(&ref, written), bytes + 1, size - 1,
                     "a reference to a long value has two forms");
    }
}

static void check_retention(const uint8_t *bytes, size_t size)
{
    uint8_t written[2][VS_RETENTION_MAX];
    verso_retention policy;
    if (vs_retention_decode(bytes, size, &policy) != NULL) {
        return;
    }
    size_t written_size = vs_retention_encode(&policy, written[0]);
    require(vs_retention_decode(written[0], written_size, &policy) == NULL,
            "a policy written again is refused");
    require_same(written[0], written_size, written[1], vs_retention_encode(&policy, written[1]),
                 "two policies of one");
}

/* ---- of the log and of increments ---- */

static void check_operations(const uint8_t *bytes, size_t size)
{
    const uint8_t *at = bytes;
    const uint8_t *end = bytes + size;
    struct vs_operation operation;
    for (;;) {
        uint8_t header[VS_OPERATION_HEADER_MAX];
        const uint8_t *from = at;
        if (at == end || vs_operation_decode(&at, end, &operation) != NULL) {
            return;
        }
        require(at > from && at <= end, "an operation ends outside of its bytes");
        size_t header_size = vs_operation_header(&operation, header);
        require(header_size + operation.key.size + operation.value.size == (size_t)(at - from) &&
                    memcmp(header, from, header_size) == 0,
                "an operation has two forms");
    }
}

static void check_frame(const uint8_t *bytes, size_t size)
{
    static uint8_t written[2][RECORD_BYTES_MAX + VS_FRAME_STEP];
    struct vs_frame frame;
    uint32_t crc = 0;
    if (size < VS_FRAME_HEADER || vs_frame_decode_header(bytes, &frame) != NULL) {
        return;
    }
    require(vs_frame_size(&frame) <= VS_FRAME_SIZE_MAX, "a frame beyond its limit");
    if (vs_frame_size(&frame) > size || vs_frame_decode_rest(bytes, &frame, &crc) != NULL) {
        return;
    }
    uint32_t again = vs_frame_encode(&frame, written[0]);
    require(vs_frame_decode_header(written[0], &frame) == NULL &&
                vs_frame_decode_rest(written[0], &frame, &crc) == NULL && crc == again,
            "a frame written again is refused");
    (void)vs_frame_encode(&frame, written[1]);
    require_same(written[0], vs_frame_size(&frame), written[1], vs_frame_size(&frame),
                 "two frames of one");
    check_operations(frame.operations.data, frame.operations.size);
}

static void check_segment(const uint8_t *bytes, size_t size)
{
    uint8_t written[2][VS_SEGMENT_HEADER];
    struct vs_segment_header header;
    if (size < VS_SEGMENT_HEADER || vs_segment_header_decode(bytes, &header) != NULL) {
        return;
    }
    vs_segment_header_encode(&header, written[0]);
    require(vs_segment_header_decode(written[0], &header) == NULL,
            "a segment written again is refused");
    vs_segment_header_encode(&header, written[1]);
    require_same(written[0], VS_SEGMENT_HEADER, written[1], VS_SEGMENT_HEADER,
                 "two segments of one");
    if (header.lsn < VS_LSN_MAX / 2) {
        uint64_t lsn = vs_segment_frame_lsn(header.lsn, header.size);
        uint64_t next = vs_segment_next_lsn(lsn, VS_FRAME_HEADER, header.size);
        require(lsn >= header.lsn && next >= lsn + VS_FRAME_HEADER, "the log runs backwards");
    }
}

static void check_increment(const uint8_t *bytes, size_t size)
{
    uint8_t written[2][VS_INCREMENT_HEADER];
    struct vs_increment_header header;
    uint32_t crc = 0;
    if (size < VS_INCREMENT_HEADER ||
        vs_increment_header_decode(bytes, &header, &crc) != VS_INCREMENT_OK) {
        return;
    }
    uint32_t again = vs_increment_header_encode(&header, written[0]);
    require(vs_increment_header_decode(written[0], &header, &crc) == VS_INCREMENT_OK &&
                crc == again,
            "an increment's header written again is refused");
    (void)vs_increment_header_encode(&header, written[1]);
    require_same(written[0], VS_INCREMENT_HEADER, written[1], VS_INCREMENT_HEADER,
                 "two headers of one");
}

static void check_increment_body(enum vs_increment_kind kind, verso_slice body)
{
    uint8_t written[VS_INCREMENT_ROOT_MAX];
    struct vs_increment_root root;
    struct vs_increment_counts counts;
    switch (kind) {
    case VS_INCREMENT_ROOT:
        vs_increment_root_decode(body, &root);
        require_same(written, vs_increment_root_encode(&root, written), body.data, body.size,
                     "an increment's root has two forms");
        break;
    case VS_INCREMENT_OPERATIONS:
        check_operations(body.data, body.size);
        break;
    case VS_INCREMENT_CLOSE:
        vs_increment_end_decode(body.data, &counts);
        vs_increment_end_encode(&counts, written);
        require_same(written, VS_INCREMENT_END, body.data, body.size, "an end has two forms");
        break;
    }
}

static void check_increment_record(const uint8_t *bytes, size_t size)
{
    uint8_t written[VS_INCREMENT_RECORD];
    enum vs_increment_kind kind;
    uint64_t body_size = 0;
    uint32_t crc = 0;
    if (size < VS_INCREMENT_RECORD ||
        vs_increment_record_decode(bytes, &kind, &body_size) != NULL ||
        body_size > size - VS_INCREMENT_RECORD) {
        return;
    }
    verso_slice body = {bytes + VS_INCREMENT_RECORD, (size_t)body_size};
    if (!vs_increment_record_is_whole(bytes, body, &crc)) {
        return;
    }
    require(vs_increment_record_encode(kind, body, 0, written) == crc,
            "a record's checksum is another");
    require_same(written, sizeof written, bytes, sizeof written, "a record has two forms");
    check_increment_body(kind, body);
}

/* ---- by kind ---- */

void record_check(unsigned kind, const uint8_t *bytes, size_t size)
{
    static void (*const checks[RECORD_KINDS])(const uint8_t *, size_t) = {
        [KIND_META] = check_meta,           [KIND_ROOT] = check_root,
        [KIND_CATALOGUE] = check_catalogue, [KIND_RUN_REF] = check_run_ref,
        [KIND_RETENTION] = check_retention, [KIND_OPERATIONS] = check_operations,
        [KIND_FRAME] = check_frame,         [KIND_SEGMENT] = check_segment,
        [KIND_INCREMENT] = check_increment, [KIND_INCREMENT_RECORD] = check_increment_record};
    checks[kind](bytes, size);
}

static void repair_frame(uint8_t *bytes, size_t size)
{
    struct vs_frame frame;
    vs_put_le32(bytes, vs_crc32c(0, bytes + 8, VS_FRAME_HEADER - 8));
    if (vs_frame_decode_header(bytes, &frame) == NULL && vs_frame_size(&frame) <= size) {
        uint32_t crc = vs_crc32c(vs_get_le32(bytes), bytes + VS_FRAME_HEADER,
                                 vs_frame_size(&frame) - VS_FRAME_HEADER);
        vs_put_le32(bytes + 4, crc);
    }
}

void record_repair(unsigned kind, uint8_t *bytes, size_t size)
{
    if (kind == KIND_META && size >= VS_PART_BYTES) {
        vs_put_le32(bytes + META_CRC_AT, vs_crc32c(0, bytes, META_CRC_AT));
    } else if (kind == KIND_FRAME && size >= VS_FRAME_HEADER) {
        repair_frame(bytes, size);
    } else if (kind == KIND_SEGMENT && size >= VS_SEGMENT_HEADER) {
        vs_put_le32(bytes, vs_crc32c(0, bytes + 4, VS_SEGMENT_HEADER - 4));
    } else if (kind == KIND_INCREMENT && size >= VS_INCREMENT_HEADER) {
        vs_put_le32(bytes + INCREMENT_CRC_AT, vs_crc32c(0, bytes, INCREMENT_CRC_AT));
    } else if (kind == KIND_INCREMENT_RECORD && size >= VS_INCREMENT_RECORD) {
        uint64_t body = vs_get_le64(bytes + 8);
        size_t whole = body <= size - VS_INCREMENT_RECORD ? (size_t)body : 0;
        vs_put_le32(bytes, vs_crc32c(0, bytes + 4, VS_INCREMENT_RECORD - 4 + whole));
    }
}

/* ---- seeds ---- */

static size_t seed_operations(uint8_t *bytes)
{
    struct vs_operation put = {.kind = VS_OPERATION_PUT,
                               .number = {1, 0},
                               .key = verso_text("key"),
                               .value = verso_text("value")};
    struct vs_operation range = {.kind = VS_OPERATION_DELETE_RANGE,
                                 .number = {0, 3},
                                 .key = verso_text("a"),
                                 .value = verso_text("b")};
    struct vs_operation tag = {
        .kind = VS_OPERATION_SET_TAG, .number = {5, 1000}, .key = verso_text("tag")};
    const struct vs_operation *operations[] = {&put, &range, &tag};
    size_t size = 0;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        size += operation_bytes(operations[i], bytes + size);
    }
    return size;
}

static size_t seed_meta(uint8_t *bytes)
{
    struct vs_meta meta = {.page_size = 512,
                           .epoch = 1,
                           .generation = 3,
                           .root = {.version = 7, .tree = {20, 2, 30}, .fingerprint = 9},
                           .high_water = 40,
                           .retention = verso_keep_default()};
    vs_meta_encode(&meta, bytes);
    return VS_PART_BYTES;
}

static size_t seed_catalogue(uint8_t *bytes)
{
    struct vs_condemned condemned = {.page = 9, .depth = 2, .index = {1, 2}};
    verso_slice key = vs_condemned_key(9, bytes + 1);
    bytes[0] = (uint8_t)key.size;
    return 1 + key.size + vs_condemned_encode(&condemned, bytes + 1 + key.size).size;
}

static size_t seed_run_ref(uint8_t *bytes)
{
    struct vs_run_ref ref = {.length = 1500, .hash = 5, .extents = 2, .extent = {{9, 1}, {20, 2}}};
    bytes[0] = 0;
    return 1 + vs_run_ref_encode(&ref, bytes + 1);
}

static size_t seed_frame(uint8_t *bytes)
{
    uint8_t operations[64];
    struct vs_frame frame = {.kind = VS_FRAME_COMMIT,
                             .epoch = 2,
                             .lsn = 64,
                             .durable_lsn = 64,
                             .version = 1,
                             .note = verso_text("note"),
                             .operations = {operations, seed_operations(operations)}};
    (void)vs_frame_encode(&frame, bytes);
    return vs_frame_size(&frame);
}

static size_t seed_increment_record(uint8_t *bytes)
{
    struct vs_increment_root root = {.version = 5, .time_us = 6, .note = verso_text("note")};
    uint8_t *body = bytes + VS_INCREMENT_RECORD;
    size_t size = vs_increment_root_encode(&root, body);
    (void)vs_increment_record_encode(VS_INCREMENT_ROOT, (verso_slice){body, size}, 0, bytes);
    return VS_INCREMENT_RECORD + size;
}

size_t record_seed(unsigned kind, uint8_t *bytes)
{
    struct vs_root_record root = {
        .version = 7, .tree = {20, 2, 30}, .fingerprint = 9, .note = verso_text("note")};
    struct vs_segment_header segment = {.epoch = 2, .lsn = 65536, .size = 65536};
    struct vs_increment_header increment = {.base = 4, .fingerprint = 5};
    verso_retention policy = verso_keep_default();
    switch ((enum kind)kind) {
    case KIND_META:
        return seed_meta(bytes);
    case KIND_ROOT:
        bytes[0] = 7;
        return 1 + vs_root_record_encode(&root, bytes + 1);
    case KIND_CATALOGUE:
        return seed_catalogue(bytes);
    case KIND_RUN_REF:
        return seed_run_ref(bytes);
    case KIND_RETENTION:
        return vs_retention_encode(&policy, bytes);
    case KIND_OPERATIONS:
        return seed_operations(bytes);
    case KIND_FRAME:
        return seed_frame(bytes);
    case KIND_SEGMENT:
        vs_segment_header_encode(&segment, bytes);
        return VS_SEGMENT_HEADER;
    case KIND_INCREMENT:
        (void)vs_increment_header_encode(&increment, bytes);
        return VS_INCREMENT_HEADER;
    case KIND_INCREMENT_RECORD:
        return seed_increment_record(bytes);
    }
    return 0;
}
