/*
 * root_record_test.c - root records: all fields, notes of every size, and bytes that are none.
 */
#include "format/root_record.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static struct vs_root_record sample(size_t note_size)
{
    static char note[VS_NOTE_MAX];
    memset(note, 'n', sizeof note);
    return (struct vs_root_record){
        .version = 41,
        .tree = {UINT32_MAX, VS_TREE_DEPTH_MAX, UINT64_MAX},
        .catalogue = {5, 1, 2},
        .fingerprint = UINT64_C(0xFEDCBA9876543210),
        .time_us = INT64_MIN,
        .note = {note, note_size},
    };
}

Test(root_record, comes_back_with_notes_of_every_size)
{
    static const size_t sizes[] = {0, 1, 255, 256, VS_NOTE_MAX - 1, VS_NOTE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct vs_root_record record = sample(sizes[i]);
        uint8_t bytes[VS_ROOT_RECORD_MAX];
        size_t size = vs_root_record_encode(&record, bytes);
        cr_assert_eq(size, VS_ROOT_RECORD_FIXED + sizes[i]);
        struct vs_root_record decoded;
        cr_assert_null(vs_root_record_decode(bytes, size, 41, &decoded));
        cr_assert_eq(decoded.version, 41);
        cr_assert_eq(decoded.tree.page, record.tree.page);
        cr_assert_eq(decoded.tree.depth, record.tree.depth);
        cr_assert_eq(decoded.tree.keys, record.tree.keys);
        cr_assert_eq(decoded.catalogue.page, 5);
        cr_assert_eq(decoded.catalogue.depth, 1);
        cr_assert_eq(decoded.catalogue.keys, 2);
        cr_assert_eq(decoded.fingerprint, record.fingerprint);
        cr_assert_eq(decoded.time_us, INT64_MIN);
        cr_assert_eq(decoded.note.size, sizes[i]);
        cr_assert_arr_eq(decoded.note.data, record.note.data, sizes[i]);
    }
}

Test(root_record, empty_trees_have_neither_page_nor_depth_nor_keys)
{
    struct vs_root_record record = {.version = 1};
    uint8_t bytes[VS_ROOT_RECORD_MAX];
    struct vs_root_record decoded;
    size_t size = vs_root_record_encode(&record, bytes);
    cr_assert_null(vs_root_record_decode(bytes, size, 1, &decoded));
    static const struct vs_tree_root bad[] = {
        {0, 1, 0}, {0, 0, 1}, {1, 0, 0}, {1, VS_TREE_DEPTH_MAX + 1, 1}, {1, UINT32_MAX, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        record.tree = bad[i];
        record.catalogue = (struct vs_tree_root){0, 0, 0};
        size = vs_root_record_encode(&record, bytes);
        cr_assert_not_null(vs_root_record_decode(bytes, size, 1, &decoded), "tree %zu", i);
        record.catalogue = bad[i];
        record.tree = (struct vs_tree_root){0, 0, 0};
        size = vs_root_record_encode(&record, bytes);
        cr_assert_not_null(vs_root_record_decode(bytes, size, 1, &decoded), "catalogue %zu", i);
    }
}

Test(root_record, every_other_size_than_its_own_is_refused)
{
    struct vs_root_record record = sample(20);
    uint8_t bytes[VS_ROOT_RECORD_MAX + 1] = {0};
    size_t size = vs_root_record_encode(&record, bytes);
    struct vs_root_record decoded;
    for (size_t cut = 0; cut < sizeof bytes; cut++) {
        const char *fault = vs_root_record_decode(bytes, cut, 41, &decoded);
        cr_assert_eq(fault == NULL, cut == size, "%zu bytes", cut);
    }
}

Test(root_record, a_note_beyond_the_limit_is_refused)
{
    struct vs_root_record record = sample(VS_NOTE_MAX);
    uint8_t bytes[VS_ROOT_RECORD_MAX + 1] = {0};
    size_t size = vs_root_record_encode(&record, bytes);
    vs_put_le16(bytes + VS_ROOT_RECORD_FIXED - 2, VS_NOTE_MAX + 1);
    struct vs_root_record decoded;
    cr_assert_not_null(vs_root_record_decode(bytes, size + 1, 41, &decoded));
}

#ifndef NDEBUG /* the contract is asserted */
Test(root_record, encoding_a_note_beyond_the_limit_aborts, .signal = SIGABRT)
{
#ifdef NDEBUG
    cr_skip_test("asserts are compiled away");
#endif
    struct vs_root_record record = sample(VS_NOTE_MAX);
    uint8_t bytes[VS_ROOT_RECORD_MAX + 1];
    record.note.size = VS_NOTE_MAX + 1;
    vs_root_record_encode(&record, bytes);
}
#endif

Test(root_record, an_empty_root_has_no_fingerprint_and_root_0_is_empty)
{
    struct vs_root_record record = {.version = 1, .fingerprint = 5};
    uint8_t bytes[VS_ROOT_RECORD_MAX];
    struct vs_root_record decoded;
    size_t size = vs_root_record_encode(&record, bytes);
    cr_assert_not_null(vs_root_record_decode(bytes, size, 1, &decoded));
    record.tree = (struct vs_tree_root){7, 1, 1};
    size = vs_root_record_encode(&record, bytes);
    cr_assert_null(vs_root_record_decode(bytes, size, 1, &decoded));
    cr_assert_not_null(vs_root_record_decode(bytes, size, 0, &decoded));
}
