/*
 * checksum_test.c - CRC32C against published values, and its two implementations against each
 * other.
 */
#include "format/checksum.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t sample[16384 + 64];

static void fill_sample(void)
{
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof sample; i++) {
        state = state * 1664525 + 1013904223;
        sample[i] = (uint8_t)(state >> 24);
    }
}

/* The examples of RFC 3720 (iSCSI), appendix B.4, and the customary check value. */
static void check_published(uint32_t (*crc32c)(uint32_t, const void *, size_t))
{
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    cr_assert_eq(crc32c(0, bytes, sizeof bytes), 0x8A9136AAu);
    memset(bytes, 0xFF, sizeof bytes);
    cr_assert_eq(crc32c(0, bytes, sizeof bytes), 0x62A8AB43u);
    for (uint8_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    cr_assert_eq(crc32c(0, bytes, sizeof bytes), 0x46DD794Eu);
    for (uint8_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    cr_assert_eq(crc32c(0, bytes, sizeof bytes), 0x113FDB5Cu);
    cr_assert_eq(crc32c(0, "123456789", 9), 0xE3069283u);
    cr_assert_eq(crc32c(0, NULL, 0), 0u);
}

Test(checksum, agrees_with_published_values)
{
    check_published(vs_crc32c);
}

Test(checksum, by_table_agrees_with_published_values)
{
    check_published(vs_crc32c_by_table);
}

Test(checksum, both_ways_agree_at_every_size_and_alignment)
{
    fill_sample();
    for (size_t size = 0; size < 2100; size++) { /* over two blocks of three lanes */
        size_t from = size % 9;
        cr_assert_eq(vs_crc32c(7, sample + from, size), vs_crc32c_by_table(7, sample + from, size),
                     "size=%zu", size);
    }
    for (size_t size = 4000; size <= 16384; size += 123) {
        cr_assert_eq(vs_crc32c(0, sample, size), vs_crc32c_by_table(0, sample, size), "size=%zu",
                     size);
    }
}

Test(checksum, continues_where_it_stopped)
{
    fill_sample();
    uint32_t whole = vs_crc32c(0, sample, 4096);
    for (size_t cut = 0; cut <= 4096; cut += 37) {
        uint32_t first = vs_crc32c(0, sample, cut);
        cr_assert_eq(vs_crc32c(first, sample + cut, 4096 - cut), whole, "cut=%zu", cut);
    }
}

Test(checksum, of_a_page_covers_number_birth_and_bytes)
{
    fill_sample();
    uint8_t joined[12 + 1024] = {0x04, 0x03, 0x02, 0x01, 0x18, 0x17,
                                 0x16, 0x15, 0x14, 0x13, 0x12, 0x11};
    memcpy(joined + 12, sample, 1024);
    uint32_t crc = vs_page_checksum(0x01020304, 0x1112131415161718, sample, 1024);
    cr_assert_eq(crc, vs_crc32c(0, joined, sizeof joined));
    cr_assert_neq(crc, vs_page_checksum(0x01020305, 0x1112131415161718, sample, 1024));
    cr_assert_neq(crc, vs_page_checksum(0x01020304, 0x1112131415161719, sample, 1024));
}
