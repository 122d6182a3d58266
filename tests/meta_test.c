/*
 * meta_test.c - the meta page: every field comes back, every flipped bit shows, strangers are told
 * apart.
 */
#include "format/meta.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/checksum.h"
#include "format/retention.h"

enum {
    FORMAT_AT = 8,
    MUST_AT = 12,
    MAY_AT = 16,
    PAGE_SIZE_AT = 20,
    GENERATION_AT = 48,
    VERSION_AT = 56,
    ROOT_AT = 64,
    HISTORY_AT = 116,
    POLICY_SIZE_AT = 2304,
    CRC_AT = VS_PART_BYTES - 4
};

static struct vs_meta sample(void)
{
    struct vs_meta meta;
    memset(&meta, 0, sizeof meta);
    meta.page_size = 8192;
    memcpy(meta.uuid, "sixteen bytes id", 16);
    meta.epoch = 3;
    meta.generation = 17;
    meta.root.version = 123456789;
    meta.root.tree = (struct vs_tree_root){77, 3, 1000000};
    meta.root.catalogue = (struct vs_tree_root){0, 0, 0};
    meta.root.fingerprint = UINT64_C(0x1234567890ABCDEF);
    meta.root.time_us = -5;
    meta.history = (struct vs_tree_root){80, 2, 4000};
    meta.log_lsn = UINT64_C(1) << 40;
    meta.log_previous_crc = 0xC0FFEE;
    meta.high_water = UINT32_MAX;
    meta.tags = (struct vs_tree_root){81, 1, 3};
    meta.retention = verso_keep_default();
    meta.held_pages = 123450000;
    meta.budget_pages = 6789;
    meta.top[0] = vs_entry(1, 17, 1);
    meta.top[VS_TOPS_MAX - 1] = UINT64_MAX;
    return meta;
}

static void seal(uint8_t *bytes)
{
    vs_put_le32(bytes + CRC_AT, vs_crc32c(0, bytes, CRC_AT));
}

Test(meta, comes_back_as_it_was_written)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    for (unsigned clean = 0; clean < 2; clean++) {
        meta.clean = clean != 0;
        memset(bytes, 0xA5, sizeof bytes); /* what stood there before must not show */
        vs_meta_encode(&meta, bytes);
        struct vs_meta decoded;
        memset(&decoded, 0, sizeof decoded);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_OK);
        cr_assert_eq(decoded.clean, meta.clean);
        cr_assert_eq(decoded.page_size, meta.page_size);
        cr_assert_arr_eq(decoded.uuid, meta.uuid, sizeof meta.uuid);
        cr_assert_eq(decoded.epoch, meta.epoch);
        cr_assert_eq(decoded.generation, meta.generation);
        cr_assert_eq(decoded.root.version, meta.root.version);
        cr_assert_eq(decoded.root.tree.page, meta.root.tree.page);
        cr_assert_eq(decoded.root.tree.depth, meta.root.tree.depth);
        cr_assert_eq(decoded.root.tree.keys, meta.root.tree.keys);
        cr_assert_eq(decoded.root.catalogue.page, 0);
        cr_assert_eq(decoded.root.fingerprint, meta.root.fingerprint);
        cr_assert_eq(decoded.root.time_us, meta.root.time_us);
        cr_assert_eq(decoded.root.note.size, 0);
        cr_assert_eq(decoded.history.page, meta.history.page);
        cr_assert_eq(decoded.history.depth, meta.history.depth);
        cr_assert_eq(decoded.history.keys, meta.history.keys);
        cr_assert_eq(decoded.log_lsn, meta.log_lsn);
        cr_assert_eq(decoded.log_previous_crc, meta.log_previous_crc);
        cr_assert_eq(decoded.high_water, meta.high_water);
        cr_assert_eq(decoded.tags.page, meta.tags.page);
        cr_assert_eq(decoded.tags.depth, meta.tags.depth);
        cr_assert_eq(decoded.tags.keys, meta.tags.keys);
        cr_assert_eq(decoded.retention.last, meta.retention.last);
        cr_assert_eq(decoded.retention.classes[0].spacing_us, meta.retention.classes[0].spacing_us);
        cr_assert_eq(decoded.held_pages, meta.held_pages);
        cr_assert_eq(decoded.budget_pages, meta.budget_pages);
        cr_assert_arr_eq(decoded.top, meta.top, sizeof meta.top);
    }
}

Test(meta, note_of_the_root_is_not_kept_here)
{
    uint8_t with[VS_PART_BYTES];
    uint8_t without[VS_PART_BYTES];
    struct vs_meta meta = sample();
    vs_meta_encode(&meta, without);
    meta.root.note = (verso_slice){"a note", 6};
    vs_meta_encode(&meta, with);
    cr_assert_arr_eq(with, without, sizeof with);
}

Test(meta, every_single_flipped_bit_is_noticed)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    vs_meta_encode(&meta, bytes);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct vs_meta decoded;
        cr_assert_neq(vs_meta_decode(bytes, &decoded), VS_META_OK, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

Test(meta, every_changed_byte_is_noticed)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    vs_meta_encode(&meta, bytes);
    for (size_t at = 0; at < sizeof bytes; at++) {
        uint8_t before = bytes[at];
        bytes[at] = (uint8_t)~before;
        struct vs_meta decoded;
        cr_assert_neq(vs_meta_decode(bytes, &decoded), VS_META_OK, "byte %zu", at);
        bytes[at] = before;
    }
}

Test(meta, what_was_never_a_meta_is_foreign)
{
    uint8_t bytes[VS_PART_BYTES] = {0};
    struct vs_meta decoded;
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FOREIGN);
    memset(bytes, 'x', sizeof bytes);
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FOREIGN);
}

Test(meta, unknown_formats_are_named_even_where_their_checksum_stands_elsewhere)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    struct vs_meta decoded;
    vs_meta_encode(&meta, bytes);
    vs_put_le32(bytes + FORMAT_AT, VS_FORMAT_VERSION + 1);
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FORMAT);
    seal(bytes);
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FORMAT);
    vs_put_le32(bytes + FORMAT_AT,
                0); /* no format was ever 0: damage, unless the checksum says so */
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_DAMAGED);
    seal(bytes);
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FORMAT);
}

Test(meta, features_that_must_be_understood_are_refused)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    struct vs_meta decoded;
    for (unsigned bit = 0; bit < 32; bit++) {
        vs_meta_encode(&meta, bytes);
        vs_put_le32(bytes + MUST_AT, UINT32_C(1) << bit);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_DAMAGED, "a flipped bit %u", bit);
        seal(bytes);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_FORMAT, "feature %u", bit);
    }
}

Test(meta, features_that_may_be_ignored_are_ignored)
{
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    struct vs_meta decoded;
    vs_meta_encode(&meta, bytes);
    vs_put_le32(bytes + MAY_AT, UINT32_MAX);
    seal(bytes);
    cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_OK);
}

Test(meta, only_powers_of_two_from_512_to_65536_are_page_sizes)
{
    static const uint32_t bad[] = {0, 1, 256, 511, 513, 4095, 6144, 65535, 131072, UINT32_MAX};
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    struct vs_meta decoded;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vs_meta_encode(&meta, bytes);
        vs_put_le32(bytes + PAGE_SIZE_AT, bad[i]);
        seal(bytes);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_DAMAGED, "page size %u", bad[i]);
    }
    for (uint32_t size = VS_PAGE_SIZE_MIN; size <= VS_PAGE_SIZE_MAX; size *= 2) {
        meta.page_size = size;
        vs_meta_encode(&meta, bytes);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_OK, "page size %u", size);
    }
}

Test(meta, impossible_trees_and_numbers_are_refused_though_the_checksum_agrees)
{
    static const struct {
        size_t at;
        uint64_t word;
        size_t size;
    } rows[] = {
        {ROOT_AT, 0, 4},     /* a tree of depth 3 without a page */
        {ROOT_AT + 4, 0, 4}, /* a page without a depth */
        {ROOT_AT + 4, VS_TREE_DEPTH_MAX + 1, 4},
        {HISTORY_AT, 0, 4},
        {HISTORY_AT + 4, 0, 4},
        {HISTORY_AT + 4, UINT32_MAX, 4},
        {VERSION_AT, UINT64_MAX, 8},
        {VERSION_AT, UINT64_C(1) << 63, 8},
        {GENERATION_AT, UINT64_MAX, 8},
        {GENERATION_AT, UINT64_C(1) << 63, 8},
        {POLICY_SIZE_AT, VS_RETENTION_MAX + 1, 4}, /* a policy that runs into what follows it */
        {POLICY_SIZE_AT, VS_RETENTION_FIXED - 1, 4},
    };
    uint8_t bytes[VS_PART_BYTES];
    struct vs_meta meta = sample();
    struct vs_meta decoded;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        vs_meta_encode(&meta, bytes);
        if (rows[i].size == 4) {
            vs_put_le32(bytes + rows[i].at, (uint32_t)rows[i].word);
        } else {
            vs_put_le64(bytes + rows[i].at, rows[i].word);
        }
        seal(bytes);
        cr_assert_eq(vs_meta_decode(bytes, &decoded), VS_META_DAMAGED, "row %zu", i);
    }
}

Test(meta, directory_entries_hold_checksum_and_copy)
{
    uint64_t entry = vs_entry(0xDEADBEEF, 0x7FFFFFFF, 1);
    cr_assert_eq(vs_entry_crc(entry), 0xDEADBEEF);
    cr_assert_eq(vs_entry_copy(entry), 1);
    entry = vs_entry(0, 1, 0);
    cr_assert_eq(vs_entry_crc(entry), 0);
    cr_assert_eq(vs_entry_copy(entry), 0);
    cr_assert_neq(entry, 0, "an entry of a written block differs from an empty one");
}
