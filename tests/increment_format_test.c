/*
 * increment_format_test.c - the parts of an increment, byte by byte, and hostile ones.
 */
#include "format/increment.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"

static const struct vs_increment_header example = {
    .uuid = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    .base = 0x1122334455667788,
    .fingerprint = 0x99aabbccddeeff00,
};

Test(increment_format, headers_come_back)
{
    uint8_t bytes[VS_INCREMENT_HEADER];
    uint32_t crc = vs_increment_header_encode(&example, bytes);
    struct vs_increment_header decoded;
    uint32_t again = 0;
    cr_assert_eq(vs_increment_header_decode(bytes, &decoded, &again), VS_INCREMENT_OK);
    cr_assert_eq(again, crc);
    cr_assert_eq(memcmp(&decoded, &example, sizeof example), 0);
}

Test(increment_format, a_header_with_any_bit_flipped_is_refused)
{
    uint8_t bytes[VS_INCREMENT_HEADER];
    vs_increment_header_encode(&example, bytes);
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        struct vs_increment_header decoded;
        uint32_t crc;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        enum vs_increment_state state = vs_increment_header_decode(bytes, &decoded, &crc);
        cr_assert_eq(state, bit < 64 ? VS_INCREMENT_FOREIGN : VS_INCREMENT_DAMAGED, "bit %u", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(increment_format, a_sound_header_of_another_format_is_named_so)
{
    uint8_t bytes[VS_INCREMENT_HEADER];
    vs_increment_header_encode(&example, bytes);
    bytes[8] = VS_INCREMENT_FORMAT + 1;
    vs_put_le32(bytes + 60, vs_crc32c(0, bytes, 60));
    struct vs_increment_header decoded;
    uint32_t crc;
    cr_assert_eq(vs_increment_header_decode(bytes, &decoded, &crc), VS_INCREMENT_UNKNOWN);
}

Test(increment_format, a_record_belongs_behind_one_other_alone)
{
    uint8_t bytes[VS_INCREMENT_RECORD];
    verso_slice body = verso_text("operations");
    uint32_t crc = vs_increment_record_encode(VS_INCREMENT_OPERATIONS, body, 77, bytes);
    enum vs_increment_kind kind;
    uint64_t size = 0;
    cr_assert_null(vs_increment_record_decode(bytes, &kind, &size));
    cr_assert_eq(kind, VS_INCREMENT_OPERATIONS);
    cr_assert_eq(size, body.size);
    uint32_t before = 77;
    cr_assert(vs_increment_record_is_whole(bytes, body, &before));
    cr_assert_eq(before, crc);
    before = 78;
    cr_assert_not(vs_increment_record_is_whole(bytes, body, &before));
    before = 77;
    cr_assert_not(vs_increment_record_is_whole(bytes, verso_text("Operations"), &before));
    for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        before = 77;
        cr_assert_not(vs_increment_record_is_whole(bytes, body, &before), "bit %u", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Kind and size as said; would they be believed? */
static bool is_possible(uint32_t said_kind, uint64_t said_size)
{
    uint8_t bytes[VS_INCREMENT_RECORD] = {0};
    vs_put_le32(bytes + 4, said_kind);
    vs_put_le64(bytes + 8, said_size);
    enum vs_increment_kind kind;
    uint64_t size = 0;
    return vs_increment_record_decode(bytes, &kind, &size) == NULL;
}

Test(increment_format, impossible_kinds_and_sizes_are_refused)
{
    cr_assert_not(is_possible(0, 16));
    cr_assert_not(is_possible(4, 16));
    cr_assert_not(is_possible(UINT32_MAX, 16));
    cr_assert_not(is_possible(VS_INCREMENT_OPERATIONS, 0));
    cr_assert(is_possible(VS_INCREMENT_OPERATIONS, 1));
    cr_assert(is_possible(VS_INCREMENT_OPERATIONS, UINT64_C(1) << 30));
    cr_assert_not(is_possible(VS_INCREMENT_OPERATIONS, UINT64_C(1) << 31));
    cr_assert_not(is_possible(VS_INCREMENT_OPERATIONS, UINT64_MAX));
    cr_assert_not(is_possible(VS_INCREMENT_ROOT, 23));
    cr_assert(is_possible(VS_INCREMENT_ROOT, 24));
    cr_assert(is_possible(VS_INCREMENT_ROOT, VS_INCREMENT_ROOT_MAX));
    cr_assert_not(is_possible(VS_INCREMENT_ROOT, VS_INCREMENT_ROOT_MAX + 1));
    cr_assert_not(is_possible(VS_INCREMENT_CLOSE, 15));
    cr_assert(is_possible(VS_INCREMENT_CLOSE, 16));
    cr_assert_not(is_possible(VS_INCREMENT_CLOSE, 17));
}

Test(increment_format, roots_and_ends_come_back)
{
    uint8_t bytes[VS_INCREMENT_ROOT_MAX];
    const struct vs_increment_root root = {9, -5, 0xfedcba9876543210, verso_text("a note")};
    size_t size = vs_increment_root_encode(&root, bytes);
    cr_assert_eq(size, 24 + 6);
    struct vs_increment_root decoded;
    vs_increment_root_decode((verso_slice){bytes, size}, &decoded);
    cr_assert_eq(decoded.version, 9);
    cr_assert_eq(decoded.time_us, -5);
    cr_assert_eq(decoded.fingerprint, root.fingerprint);
    cr_assert_eq(decoded.note.size, 6);
    cr_assert_arr_eq(decoded.note.data, "a note", 6);
    const struct vs_increment_counts counts = {3, 70000};
    struct vs_increment_counts said;
    vs_increment_end_encode(&counts, bytes);
    vs_increment_end_decode(bytes, &said);
    cr_assert_eq(said.roots, 3);
    cr_assert_eq(said.operations, 70000);
}
