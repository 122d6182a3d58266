/*
 * segment_test.c - headers of log segments, and where frames go around them.
 */
#include "format/segment.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/frame.h"

enum { SIZE_AT = 8, LSN_AT = 40, S = 4096, H = VS_SEGMENT_HEADER, F = VS_FRAME_HEADER };

static const struct vs_segment_header sample = {
    .uuid = "sixteen bytes id", .epoch = 9, .lsn = 7 * S, .size = S};

static void seal(uint8_t *bytes)
{
    vs_put_le32(bytes, vs_crc32c(0, bytes + 4, VS_SEGMENT_HEADER - 4));
}

Test(segment, header_comes_back_as_it_was_written)
{
    uint8_t bytes[VS_SEGMENT_HEADER];
    vs_segment_header_encode(&sample, bytes);
    struct vs_segment_header decoded;
    cr_assert_null(vs_segment_header_decode(bytes, &decoded));
    cr_assert_arr_eq(decoded.uuid, sample.uuid, sizeof sample.uuid);
    cr_assert_eq(decoded.epoch, sample.epoch);
    cr_assert_eq(decoded.lsn, sample.lsn);
    cr_assert_eq(decoded.size, sample.size);
    cr_assert_not(vs_segment_header_is_blank(bytes));
}

Test(segment, damage_of_the_header_shows_at_every_byte)
{
    uint8_t bytes[VS_SEGMENT_HEADER];
    vs_segment_header_encode(&sample, bytes);
    for (size_t at = 0; at < sizeof bytes; at++) {
        bytes[at] ^= 0x20;
        struct vs_segment_header decoded;
        cr_assert_not_null(vs_segment_header_decode(bytes, &decoded), "byte %zu", at);
        bytes[at] ^= 0x20;
    }
}

Test(segment, impossible_headers_are_refused_though_the_checksum_agrees)
{
    static const uint32_t sizes[] = {0, 1, 511, 513, VS_SEGMENT_SIZE_MAX + 512u, UINT32_MAX};
    static const uint64_t lsns[] = {1, S - 1, UINT64_MAX, UINT64_MAX - S + 1};
    uint8_t bytes[VS_SEGMENT_HEADER];
    struct vs_segment_header decoded;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        vs_segment_header_encode(&sample, bytes);
        vs_put_le32(bytes + SIZE_AT, sizes[i]);
        seal(bytes);
        cr_assert_not_null(vs_segment_header_decode(bytes, &decoded), "size %u", sizes[i]);
    }
    for (size_t i = 0; i < sizeof lsns / sizeof *lsns; i++) {
        vs_segment_header_encode(&sample, bytes);
        vs_put_le64(bytes + LSN_AT, lsns[i]);
        seal(bytes);
        cr_assert_not_null(vs_segment_header_decode(bytes, &decoded), "row %zu", i);
    }
}

Test(segment, zeros_are_a_blank_header_and_nothing_else)
{
    uint8_t bytes[VS_SEGMENT_HEADER] = {0};
    struct vs_segment_header decoded;
    cr_assert(vs_segment_header_is_blank(bytes));
    cr_assert_not_null(vs_segment_header_decode(bytes, &decoded));
    bytes[VS_SEGMENT_HEADER - 1] = 1;
    cr_assert_not(vs_segment_header_is_blank(bytes));
}

Test(segment, frames_keep_their_headers_whole)
{
    cr_assert_eq(vs_segment_frame_lsn(0, S), (uint64_t)H);
    cr_assert_eq(vs_segment_frame_lsn(H - 8, S), (uint64_t)H);
    cr_assert_eq(vs_segment_frame_lsn(H, S), (uint64_t)H);
    cr_assert_eq(vs_segment_frame_lsn(S - F, S), (uint64_t)(S - F));
    cr_assert_eq(vs_segment_frame_lsn(S - F + 8, S), (uint64_t)(S + H));
    cr_assert_eq(vs_segment_frame_lsn(S, S), (uint64_t)(S + H));
}

Test(segment, next_frame_comes_behind_all_headers_between)
{
    cr_assert_eq(vs_segment_next_lsn(H, F, S), (uint64_t)(H + F));
    cr_assert_eq(vs_segment_next_lsn(H, S - H - F, S), (uint64_t)(S - F));
    cr_assert_eq(vs_segment_next_lsn(H, S - H - F + 8, S), (uint64_t)(S + H));
    cr_assert_eq(vs_segment_next_lsn(H, S - H, S), (uint64_t)(S + H));
    cr_assert_eq(vs_segment_next_lsn(H, S - H + 8, S), (uint64_t)(S + H + 8));
    cr_assert_eq(vs_segment_next_lsn(S - F, F + 8, S), (uint64_t)(S + H + 8));
    cr_assert_eq(vs_segment_next_lsn(H, 2 * (S - H) + 8, S), (uint64_t)(2 * S + H + 8));
    cr_assert_eq(vs_segment_next_lsn(H, 3 * (S - H) - 8, S), (uint64_t)(3 * S + H));
}
