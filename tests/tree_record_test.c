/*
 * tree_record_test.c - entries of the catalogue: all fields, all kinds of keys, and bytes that are
 * none.
 */
#include "format/tree_record.h"

#include <criterion/criterion.h>
#include <string.h>

Test(tree_record, comes_back)
{
    const struct vs_tree_record record = {
        .number = UINT64_C(0x0102030405060708),
        .root = {UINT32_MAX, VS_TREE_DEPTH_MAX, UINT64_MAX},
        .fingerprint = UINT64_C(0xFEDCBA9876543210),
    };
    uint8_t bytes[VS_TREE_RECORD_SIZE];
    verso_slice value = vs_tree_record_encode(&record, bytes);
    cr_assert_eq(value.size, VS_TREE_RECORD_SIZE);
    static const uint8_t expected[] = {8,    7,    6,    5,    4,    3,    2,    1,
                                       0xFF, 0xFF, 0xFF, 0xFF, 32,   0,    0,    0,
                                       0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                       0x10, 0x32, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE};
    cr_assert_arr_eq(value.data, expected, sizeof expected);
    struct vs_tree_record decoded;
    cr_assert_null(vs_tree_record_decode(value, &decoded));
    cr_assert_eq(decoded.number, record.number);
    cr_assert_eq(decoded.root.page, record.root.page);
    cr_assert_eq(decoded.root.depth, record.root.depth);
    cr_assert_eq(decoded.root.keys, record.root.keys);
    cr_assert_eq(decoded.fingerprint, record.fingerprint);
}

Test(tree_record, refuses_impossible_trees)
{
    static const struct vs_tree_record bad[] = {
        {0, {1, 1, 1}, 0},          {UINT64_MAX, {1, 1, 1}, 0},
        {1, {0, 1, 0}, 0},          {1, {0, 0, 1}, 0},
        {1, {1, 0, 0}, 0},          {1, {1, VS_TREE_DEPTH_MAX + 1, 1}, 0},
        {1, {1, UINT32_MAX, 1}, 0},
    };
    uint8_t bytes[VS_TREE_RECORD_SIZE + 1] = {0};
    struct vs_tree_record decoded;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not_null(vs_tree_record_decode(vs_tree_record_encode(&bad[i], bytes), &decoded),
                           "%zu", i);
    }
    const struct vs_tree_record good = {1, {1, 1, 1}, 0};
    verso_slice value = vs_tree_record_encode(&good, bytes);
    for (value.size = 0; value.size <= sizeof bytes; value.size++) {
        const char *fault = vs_tree_record_decode(value, &decoded);
        cr_assert_eq(fault == NULL, value.size == VS_TREE_RECORD_SIZE, "size %zu", value.size);
    }
    cr_assert_not_null(vs_tree_record_decode((verso_slice){NULL, VS_TREE_RECORD_SIZE}, &decoded));
}

Test(tree_record, names_are_up_to_255_bytes_without_a_zero)
{
    char name[VERSO_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    cr_assert(vs_name_is_sound((verso_slice){name, 1}));
    cr_assert(vs_name_is_sound((verso_slice){name, VERSO_NAME_MAX}));
    cr_assert_not(vs_name_is_sound((verso_slice){name, VERSO_NAME_MAX + 1}));
    cr_assert_not(vs_name_is_sound((verso_slice){name, 0}));
    cr_assert_not(vs_name_is_sound((verso_slice){NULL, 0}));
    for (size_t i = 0; i < VERSO_NAME_MAX; i += 50) {
        name[i] = '\0';
        cr_assert_not(vs_name_is_sound((verso_slice){name, VERSO_NAME_MAX}));
        name[i] = 'n';
    }
}

Test(tree_record, keys_tell_their_kind)
{
    uint8_t bytes[VS_NUMBER_KEY_SIZE];
    cr_assert_eq(vs_catalogue_kind(verso_text("name")), VS_CATALOGUE_NAME);
    cr_assert_eq(vs_catalogue_kind(verso_text("\x01")), VS_CATALOGUE_NAME);
    cr_assert_eq(vs_catalogue_kind(vs_next_number_key()), VS_CATALOGUE_NEXT_NUMBER);
    verso_slice key = vs_number_key(UINT64_C(0x0102030405060708), bytes);
    static const uint8_t expected[] = {0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    cr_assert_eq(key.size, sizeof expected);
    cr_assert_arr_eq(key.data, expected, sizeof expected);
    cr_assert_eq(vs_catalogue_kind(key), VS_CATALOGUE_NUMBER);
    cr_assert_eq(vs_number_of_key(key), UINT64_C(0x0102030405060708));
    key = vs_condemned_key(7, bytes);
    cr_assert_eq(vs_catalogue_kind(key), VS_CATALOGUE_CONDEMNED);
    const verso_slice bad[] = {{NULL, 0},
                               {"a\0", 2},
                               {"\0\1", 2},
                               {"\0\3\0\0\0\0\0\0\0\1", 10},
                               {"\0\0", 2},
                               {"\0\2\0\0\0\0\0\0\0", 9},
                               {"a\1\0\0\0\0\0\0\0\1", 10}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(vs_catalogue_kind(bad[i]), VS_CATALOGUE_UNKNOWN, "%zu", i);
    }
}

Test(tree_record, the_next_number_has_eight_bytes_and_is_not_zero)
{
    uint8_t bytes[VS_NUMBER_VALUE_SIZE];
    uint64_t number = 0;
    cr_assert_null(vs_number_value_decode(vs_number_value_encode(300, bytes), &number));
    cr_assert_eq(number, 300);
    cr_assert_not_null(vs_number_value_decode(vs_number_value_encode(0, bytes), &number));
    cr_assert_not_null(vs_number_value_decode((verso_slice){bytes, 7}, &number));
    cr_assert_not_null(vs_number_value_decode((verso_slice){NULL, 8}, &number));
}

Test(tree_record, condemned_trees_of_every_depth_come_back)
{
    uint8_t key_bytes[VS_NUMBER_KEY_SIZE];
    uint8_t bytes[VS_CONDEMNED_MAX];
    for (uint32_t depth = 0; depth <= VS_TREE_DEPTH_MAX; depth++) { /* 0: nothing is left */
        uint32_t run_pages = depth == 0 ? 0 : 70000;
        struct vs_condemned condemned = {
            .page = UINT32_MAX, .depth = depth, .run_pages = run_pages};
        for (uint32_t level = 0; level < depth; level++) {
            condemned.index[level] = (uint16_t)(1000 * level);
        }
        verso_slice key = vs_condemned_key(condemned.page, key_bytes);
        verso_slice value = vs_condemned_encode(&condemned, bytes);
        cr_assert_eq(value.size, 8 + 2 * depth);
        struct vs_condemned decoded = {0};
        cr_assert_null(vs_condemned_decode(key, value, &decoded));
        cr_assert_eq(decoded.page, UINT32_MAX);
        cr_assert_eq(decoded.depth, depth);
        cr_assert_eq(decoded.run_pages, run_pages);
        cr_assert_arr_eq(decoded.index, condemned.index, sizeof decoded.index);
        for (value.size = 0; value.size < 8 + 2 * depth; value.size++) {
            cr_assert_not_null(vs_condemned_decode(key, value, &decoded));
        }
    }
}

Test(tree_record, condemned_trees_that_cannot_be_are_refused)
{
    uint8_t key_bytes[VS_NUMBER_KEY_SIZE];
    uint8_t bytes[VS_CONDEMNED_MAX + 8] = {0};
    struct vs_condemned decoded;
    struct vs_condemned condemned = {.page = 9, .depth = 1};
    verso_slice value = vs_condemned_encode(&condemned, bytes);
    cr_assert_null(vs_condemned_decode(vs_condemned_key(9, key_bytes), value, &decoded));
    cr_assert_not_null(vs_condemned_decode(vs_condemned_key(0, key_bytes), value, &decoded));
    verso_slice key = vs_condemned_key(9, key_bytes);
    key_bytes[2] = 1; /* a page number of more than 32 bits */
    cr_assert_not_null(vs_condemned_decode(key, value, &decoded));
    key = vs_condemned_key(9, key_bytes);
    cr_assert_not_null(vs_condemned_decode(key, (verso_slice){NULL, 0}, &decoded));
    cr_assert_not_null(
        vs_condemned_decode(key, (verso_slice){bytes, VS_CONDEMNED_HEADER - 1}, &decoded));
    bytes[0] = 0; /* nothing left, but more bytes, or pages of a value that have gone */
    cr_assert_not_null(vs_condemned_decode(key, (verso_slice){bytes, 10}, &decoded));
    bytes[4] = 1;
    cr_assert_not_null(vs_condemned_decode(key, (verso_slice){bytes, 8}, &decoded));
    bytes[4] = 0;
    bytes[0] = VS_TREE_DEPTH_MAX + 1;
    cr_assert_not_null(
        vs_condemned_decode(key, (verso_slice){bytes, VS_CONDEMNED_MAX + 2}, &decoded));
    bytes[3] = 0x80;
    cr_assert_not_null(vs_condemned_decode(key, (verso_slice){bytes, VS_CONDEMNED_MAX}, &decoded));
}

Test(tree_record, names_and_numbers_have_terms_of_their_own)
{
    uint64_t term = vs_tree_name_term(verso_text("name"), 1);
    cr_assert_neq(term, vs_tree_name_term(verso_text("name"), 2));
    cr_assert_neq(term, vs_tree_name_term(verso_text("other"), 1));
}
