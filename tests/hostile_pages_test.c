/*
 * hostile_pages_test.c - pages whose checksums and structure are right and whose contents are not:
 * a change that meets them fails before it relies on them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_memory.h"
#include "forged_store.h"
#include "format/branch.h"
#include "format/fingerprint.h"
#include "format/layout.h"
#include "format/leaf.h"
#include "format/run_ref.h"
#include "simulated_disk.h"
#include "verso.h"

#define PATH "store"

enum {
    PAGE_SIZE = 512,
    KEYS = 200,
    PREFIX_AT = 24,
    /* of a leaf */ HIGH_WATER_AT = 156 /* of a meta */
};

static struct simulated_disk *disk;
static verso_store *store;
static uint32_t high_water; /* as forged; 0: as it is */
static struct forged_store forged;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(1);
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    must(verso_open(PATH, &options, &store));
}

static verso_slice key_of(unsigned number)
{
    static char text[16];
    (void)snprintf(text, sizeof text, "key %04u", number);
    return verso_text(text);
}

static verso_txn *begin(void)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    return txn;
}

/* A closed store of three levels whose leaves hold few keys; its bytes in `forged`. */
static void set_up(void)
{
    static const uint8_t value[90];
    disk = simulated_disk_open(1);
    open_store();
    verso_txn *txn = begin();
    for (unsigned i = 0; i < KEYS; i++) {
        must(verso_put(txn, key_of(i), (verso_slice){value, sizeof value}));
    }
    must(verso_commit(txn, NULL, NULL));
    must(verso_close(store));
    forged = forged_store_take(disk, PATH);
}

/* Each test closes what it has opened. */
static void tear_down(void)
{
    forged_store_clear(&forged);
    simulated_disk_close(disk);
}

TestSuite(hostile_pages, .init = set_up, .fini = tear_down);

/* ---- forging ---- */

static void forge_pages(forged_change *change)
{
    forged_store_change_all(&forged, change);
    for (unsigned meta = 0; meta < 2 && high_water > 0; meta++) {
        vs_put_le32(forged.file + (size_t)meta * VS_META_B_AT + HIGH_WATER_AT, high_water);
    }
    forged_store_put(&forged, disk, PATH);
    open_store();
}

/* All keys of each leaf rise above those of the leaves behind it. */
static void raise_keys(const struct forged_page *page)
{
    if (vs_page_kind(page->bytes) == VS_KIND_LEAF && page->bytes[PREFIX_AT] == 'k') {
        page->bytes[PREFIX_AT] = 'z';
    }
}

static bool is_low_branch(const uint8_t *page)
{
    return vs_page_kind(page) == VS_KIND_BRANCH && vs_page_level(page) == 1;
}

/* A key that is below the first child is counted below the second. */
static void move_count(const struct forged_page *page)
{
    if (is_low_branch(page->bytes)) {
        vs_branch_set_keys(page->bytes, 0, vs_branch_keys(page->bytes, 0) - 1);
        vs_branch_set_keys(page->bytes, 1, vs_branch_keys(page->bytes, 1) + 1);
    }
}

/* Every page died in the newest root, so that its number may be free. */
static void die(const struct forged_page *page)
{
    vs_put_le64(page->descriptor + 8, vs_get_le64(page->descriptor) + 1);
}

/* What stands left of the second leaf is nowhere. */
static void lead_nowhere(const struct forged_page *page)
{
    if (is_low_branch(page->bytes)) {
        vs_branch_set_child(page->bytes, 0, UINT32_MAX - 1);
    }
}

/* The first children of each branch, the second of them behind an empty separator. */
static void empty_separator(const struct forged_page *forged_page)
{
    enum { CHILDREN = 4 };
    static uint8_t separators[CHILDREN][PAGE_SIZE];
    struct vs_branch_cell cells[CHILDREN];
    uint8_t *page = forged_page->bytes;
    if (vs_page_kind(page) != VS_KIND_BRANCH) {
        return;
    }
    unsigned count = vs_page_count(page) < CHILDREN ? vs_page_count(page) : CHILDREN;
    for (unsigned i = 0; i < count; i++) {
        size_t size = i < 2 ? 0 : vs_branch_separator(page, i, separators[i]);
        cells[i] = (struct vs_branch_cell){.child = vs_branch_child(page, i),
                                           .keys = vs_branch_keys(page, i),
                                           .separator = {separators[i], size}};
    }
    vs_branch_encode(page, PAGE_SIZE, vs_page_birth(page), vs_page_level(page), cells, count);
}

/* Born in the root to come; the death stays as it is. */
static void be_born_late(const struct forged_page *page)
{
    uint64_t late = vs_get_le64(page->descriptor) + 1;
    vs_put_le64(page->descriptor, late);
    vs_page_set_birth(page->bytes, late);
}

static void never_be_alive(const struct forged_page *page)
{
    be_born_late(page);
    vs_put_le64(page->descriptor + 8, vs_get_le64(page->descriptor));
}

/* ---- changes ---- */

typedef verso_err call(verso_txn *txn, unsigned number);

static verso_err put(verso_txn *txn, unsigned number)
{
    static const uint8_t value[60];
    char text[24];
    (void)snprintf(text, sizeof text, "key %04u+", number);
    return verso_put(txn, verso_text(text), (verso_slice){value, sizeof value});
}

static verso_err delete (verso_txn *txn, unsigned number)
{
    return verso_delete(txn, key_of(number));
}

static verso_err put_sorted(verso_txn *txn, unsigned number)
{
    char texts[2][24];
    (void)snprintf(texts[0], sizeof texts[0], "key %04u+", number);
    (void)snprintf(texts[1], sizeof texts[1], "key %04u-", number);
    verso_entry entries[2] = {{verso_text(texts[0]), verso_text("v")},
                              {verso_text(texts[1]), verso_text("v")}};
    return verso_put_sorted(txn, entries, 2);
}

/* One change in each place of the tree: some meet the fault, and those say so. */
static void expect_refusal(call *change, const char *text)
{
    unsigned refused = 0;
    for (unsigned number = 0; number < KEYS; number++) {
        verso_txn *txn = begin();
        verso_err err = change(txn, number);
        if (err == VERSO_CORRUPT) {
            cr_assert_not_null(strstr(verso_error_detail(), text), "%s", verso_error_detail());
            refused++;
        } else {
            cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND, "%s", verso_error_detail());
        }
        verso_abort(txn);
    }
    cr_assert_gt(refused, 0);
}

/* Splits and merges make separators of a leaf's keys: of these they would be out of order, and too
 * short for the branch's prefix. */
Test(hostile_pages, a_leaf_whose_keys_lie_elsewhere_is_not_changed)
{
    forge_pages(raise_keys);
    expect_refusal(put, "do not lie where");
    expect_refusal(put_sorted, "do not lie where");
    must(verso_close(store));
}

/* Splits take from counts, merges add them up, and the last key of a leaf takes the leaf with it. */
Test(hostile_pages, a_leaf_that_is_counted_wrong_is_not_changed)
{
    forge_pages(move_count);
    expect_refusal(put, "are counted");
    expect_refusal(put_sorted, "are counted");
    expect_refusal(delete, "are counted");
    must(verso_close(store));
}

/* The copies of the branches above might get its number before its own turn comes. */
Test(hostile_pages, a_page_that_is_not_alive_is_not_changed)
{
    forge_pages(die);
    expect_refusal(put, "not alive");
    expect_refusal(put_sorted, "not alive");
    must(verso_close(store));
}

/* A leaf that is copied is linked to from its left neighbour, whose page nobody has read. */
Test(hostile_pages, a_left_neighbour_that_is_no_page_is_not_linked)
{
    forge_pages(lead_nowhere);
    expect_refusal(put, "no such page");
    must(verso_close(store));
}

/* The child before it could hold no key at all, and what is put below the empty key's place would be
 * found by no search. */
Test(hostile_pages, a_page_whose_separator_is_empty_is_refused)
{
    verso_check_report report = {.size = sizeof report};
    verso_view *view = NULL;
    verso_slice value;
    forge_pages(empty_separator);
    expect_refusal(put, "separator 1 is empty");
    expect_refusal(put_sorted, "separator 1 is empty");
    expect_refusal(delete, "separator 1 is empty");
    must(verso_view_open(store, &view));
    cr_assert_eq(verso_get(view, key_of(0), &value), VERSO_CORRUPT);
    verso_view_close(view);
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_not_null(strstr(report.fault, "separator 1 is empty"), "%s", report.fault);
    must(verso_close(store));
}

/* It would pass for a page of the next transaction, which changes its own in place. */
Test(hostile_pages, a_page_born_in_the_root_to_come_is_damage)
{
    forge_pages(be_born_late);
    expect_refusal(put, "is born in 2, after 1");
    must(verso_close(store));
}

/* Its number is free: somebody else may be using it. */
Test(hostile_pages, a_page_that_never_was_alive_is_damage)
{
    forge_pages(never_be_alive);
    expect_refusal(put, "never was alive");
    must(verso_close(store));
}

static void leave_as_is(const struct forged_page *page)
{
    (void)page;
}

/* From there on numbers are given out unseen: a copy would get that of a page below it. */
Test(hostile_pages, a_page_alive_beyond_the_high_water_mark_is_damage)
{
    for (vs_page_no page = 1; page < forged.size / PAGE_SIZE; page++) {
        high_water = vs_page_kind(forged.file + (size_t)page * PAGE_SIZE) == VS_KIND_LEAF &&
                             !vs_layout_is_reserved(PAGE_SIZE, page)
                         ? page
                         : high_water;
    }
    forge_pages(leave_as_is);
    expect_refusal(put, "alive beyond the high-water mark");
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_not_null(strstr(report.fault, "beyond the high-water mark"), "%s", report.fault);
    must(verso_close(store));
}

/* Move the separators of a low branch by `by`, those whose order allows it. */
static void move_separators(const struct forged_page *page, int by)
{
    for (unsigned i = 1; is_low_branch(page->bytes) && i < vs_page_count(page->bytes); i++) {
        uint8_t key[PAGE_SIZE];
        uint8_t before[PAGE_SIZE];
        verso_slice separator = {key, vs_branch_separator(page->bytes, i, key)};
        key[separator.size - 1] = (uint8_t)(key[separator.size - 1] + by);
        memcpy(before, page->bytes, PAGE_SIZE);
        if (!vs_branch_set_separator(page->bytes, page->size, i, separator) ||
            vs_branch_check(page->bytes, page->size) != NULL) {
            memcpy(page->bytes, before, PAGE_SIZE);
        }
    }
}

/* Keys are looked for in the leaf before the one that may have them, */
static void raise_separators(const struct forged_page *page)
{
    move_separators(page, 1);
}

/* or in the one behind it. */
static void sink_separators(const struct forged_page *page)
{
    move_separators(page, -1);
}

/* @return How many said that the store is damaged. */
static unsigned seek_each(verso_cursor *cursor, verso_seek how)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < 2 * KEYS; i++) {
        char text[24];
        verso_entry found;
        int size = snprintf(text, sizeof text, "key %04u%s", i / 2, i % 2 == 0 ? "" : "+");
        verso_slice key = {text, (size_t)size};
        verso_err err = verso_cursor_seek(cursor, how, key, &found);
        refused += err == VERSO_CORRUPT;
        if (err != VERSO_OK) {
            cr_assert(err == VERSO_CORRUPT || err == VERSO_NOT_FOUND, "%s", verso_error_detail());
            continue;
        }
        size_t common = key.size < found.key.size ? key.size : found.key.size;
        int order = memcmp(found.key.data, key.data, common);
        order = order != 0 ? order : (int)found.key.size - (int)key.size;
        cr_assert(how == VERSO_SEEK_GE ? order >= 0 : order < 0, "key %u", i);
    }
    return refused;
}

static unsigned seek_in_store(verso_seek how)
{
    verso_view *view;
    verso_cursor *cursor;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    unsigned refused = seek_each(cursor, how);
    verso_cursor_close(cursor);
    verso_view_close(view);
    must(verso_close(store));
    return refused;
}

Test(hostile_pages, a_seek_past_a_leaf_lands_beyond_its_key_where_separators_are_too_high)
{
    forge_pages(raise_separators);
    cr_assert_gt(seek_in_store(VERSO_SEEK_GE), 0);
}

Test(hostile_pages, a_seek_before_a_leaf_lands_before_its_key_where_separators_are_too_low)
{
    forge_pages(sink_separators);
    cr_assert_gt(seek_in_store(VERSO_SEEK_LT), 0);
}

/* ---- long values ---- */

enum { CLAIMED = 30 /* pages of one long value */ };

/* Every long value claims the pages of the longest one, each with a length and a hash of its own. */
static void claim_pages(const struct forged_page *page)
{
    static vs_page_no first;
    for (unsigned i = 0;
         vs_page_kind(page->bytes) == VS_KIND_LEAF && i < vs_page_count(page->bytes); i++) {
        struct vs_payload payload = vs_leaf_payload(page->bytes, i);
        struct vs_run_ref ref;
        if (!payload.is_run ||
            vs_run_ref_decode(payload.bytes, payload.size, PAGE_SIZE, &ref) != NULL) {
            continue;
        }
        cr_assert_eq(ref.extents, 1, "a value lies in several pieces");
        if (ref.extent[0].pages == CLAIMED) {
            first = ref.extent[0].page;
            continue;
        }
        cr_assert_neq(first, 0, "the longest value has the first key");
        ref.extent[0] = (struct vs_run_extent){first, CLAIMED};
        ref.length = CLAIMED * PAGE_SIZE - i;
        ref.hash =
            vs_value_hash((verso_slice){forged.file + (size_t)first * PAGE_SIZE, ref.length});
        (void)vs_run_ref_encode(&ref, page->bytes + (payload.bytes - page->bytes));
    }
}

/* A check that reads a page as often as it is claimed takes a time that grows with the square of the
 * file. There are two roots, so that what they share is told by sums. */
Test(hostile_pages, a_check_reads_no_more_pages_than_there_are)
{
    static const uint8_t value[CLAIMED * PAGE_SIZE];
    open_store();
    for (unsigned root = 0; root < 2; root++) {
        verso_retention policy = verso_keep_all();
        must(verso_retention_set(store, &policy));
        verso_txn *txn = begin();
        for (unsigned i = 0; i < 60; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "long %u %02u", root, i);
            must(
                verso_put(txn, verso_text(key), (verso_slice){value, i == 0 ? sizeof value : 900}));
        }
        must(verso_commit(txn, NULL, NULL));
    }
    must(verso_close(store));
    forged_store_clear(&forged);
    forged = forged_store_take(disk, PATH);
    forge_pages(claim_pages);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_str_eq(report.fault, "is reached twice in one root");
    cr_assert_lt(report.visits, forged.size / PAGE_SIZE * 3 / 2);
    must(verso_close(store));
}

/* The first value of each leaf claims to be a long one in two pieces, which are nowhere. */
static void claim_a_gigabyte(const struct forged_page *page)
{
    enum { PIECE = 1 << 20 }; /* pages; there are two */
    if (vs_page_kind(page->bytes) != VS_KIND_LEAF || page->bytes[PREFIX_AT] != 'k') {
        return;
    }
    struct vs_run_ref ref = {.length = PIECE * PAGE_SIZE, .extents = 2};
    ref.extent[0] = (struct vs_run_extent){PIECE, PIECE / 2};
    ref.extent[1] = (struct vs_run_extent){3 * PIECE, PIECE / 2};
    uint8_t bytes[VS_RUN_REF_MAX];
    uint16_t size = (uint16_t)vs_run_ref_encode(&ref, bytes);
    (void)vs_leaf_replace(page->bytes, PAGE_SIZE, 0, (struct vs_payload){true, size, bytes});
}

/* Errors among the first values of the leaves, with no memory to be had. */
static unsigned count_damaged(verso_txn *txn)
{
    unsigned damaged = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        verso_slice value;
        failing_memory_arm(1, true);
        verso_err err = verso_get(verso_txn_view(txn), key_of(i), &value);
        (void)failing_memory_disarm();
        cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "%s", verso_error_detail());
        if (err == VERSO_CORRUPT) {
            damaged++;
            failing_memory_arm(1, true);
            err = verso_take(txn, key_of(i), &value);
            (void)failing_memory_disarm();
            cr_assert_eq(err, VERSO_CORRUPT, "%s", verso_error_detail());
        }
    }
    return damaged;
}

/* Sixteen bytes and as many more: memory for what they claim is taken only when its pages are there. */
Test(hostile_pages, no_memory_is_taken_for_a_length_that_is_only_claimed)
{
    forge_pages(claim_a_gigabyte);
    verso_txn *txn = begin();
    must(verso_put(txn, verso_text("z"), verso_text("gets what every change needs")));
    cr_assert_gt(count_damaged(txn), 10);
    verso_abort(txn);
    must(verso_close(store));
}
