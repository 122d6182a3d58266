/*
 * pages_test.c - the first touch of pages in a file, sound and damaged, and the links of leaves.
 */
#include "store/pages.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/branch.h"
#include "format/checksum.h"
#include "format/leaf.h"
#include "meanwhile.h"
#include "os/fault.h"
#include "os/memory.h"
#include "os/os.h"
#include "store/page_table.h"

enum {
    PAGE_SIZE = 512,
    PAGES = 4096,
    LEAF = 100,
    RUN = 101,
    IMPOSTOR = 102,
    UNUSED = 103,
    BORN = 7
};

static struct vs_reader_slots readers;
static struct vs_page_table table;
static struct vs_pages pages;
static uint8_t *file;

static uint8_t *page_bytes(vs_page_no page)
{
    return file + (size_t)page * PAGE_SIZE;
}

static struct vs_descriptor *descriptor_of(vs_page_no page)
{
    struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_change(&table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK);
    return descriptor;
}

static void describe(vs_page_no page, unsigned kind)
{
    struct vs_descriptor *descriptor = descriptor_of(page);
    vs_descriptor_set(descriptor, VS_WORD_BORN, BORN);
    vs_descriptor_set(descriptor, VS_WORD_DIED, VS_ALIVE);
    vs_descriptor_set(
        descriptor, VS_WORD_KIND,
        vs_kind_word(kind, vs_page_checksum(page, BORN, page_bytes(page), PAGE_SIZE)));
    for (unsigned i = 0; i < VS_LINKS; i++) {
        vs_descriptor_set(descriptor, VS_WORD_LINK + i, VS_NO_LINK);
    }
}

static void set_up(void)
{
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    file = calloc(PAGES, PAGE_SIZE);
    err = vs_page_table_init(&table, NULL, PAGE_SIZE, PAGES, &readers);
    cr_assert_eq(err, VERSO_OK);
    atomic_store(&table.file_bytes, (uint64_t)PAGES * PAGE_SIZE);
    pages = (struct vs_pages){.map = file,
                              .verified = vs_memory_reserve(PAGES / 8),
                              .frame_of = vs_memory_reserve(PAGES * sizeof(uint32_t)),
                              .limit = PAGES,
                              .page_shift = 9,
                              .page_size = PAGE_SIZE,
                              .table = &table};
    cr_assert(file != NULL && pages.verified != NULL && pages.frame_of != NULL);
    struct vs_leaf_cell cell = {.key = {"key", 3},
                                .payload = {.bytes = (const uint8_t *)"value", .size = 5}};
    vs_leaf_encode(page_bytes(LEAF), PAGE_SIZE, BORN, &cell, 1);
    describe(LEAF, VS_KIND_LEAF);
    memset(page_bytes(RUN), 'r', PAGE_SIZE);
    describe(RUN, VS_KIND_RUN);
    /* a value that pretends to be a leaf with cells all over memory */
    memset(page_bytes(IMPOSTOR), 0xFF, PAGE_SIZE);
    memcpy(page_bytes(IMPOSTOR), page_bytes(LEAF), 16);
    describe(IMPOSTOR, VS_KIND_RUN);
}

static void tear_down(void)
{
    vs_memory_release(pages.verified, PAGES / 8);
    vs_memory_release(pages.frame_of, PAGES * sizeof(uint32_t));
    vs_page_table_clear(&table);
    vs_reader_slots_clear(&readers);
    free(file);
}

TestSuite(pages, .init = set_up, .fini = tear_down);

static verso_err read_tree(vs_page_no page)
{
    const uint8_t *bytes = NULL;
    verso_err err = vs_page_read(&pages, page, &bytes);
    cr_assert(err != VERSO_OK || bytes == page_bytes(page));
    return err;
}

static verso_err read_run(vs_page_no page)
{
    const uint8_t *bytes = NULL;
    verso_err err = vs_page_read_run(&pages, page, &bytes);
    cr_assert(err != VERSO_OK || bytes == page_bytes(page));
    return err;
}

static bool is_verified(vs_page_no page)
{
    return atomic_load(&pages.verified[page / 64]) >> (page % 64) & 1;
}

Test(pages, sound_ones_are_verified_once)
{
    cr_assert_not(is_verified(LEAF));
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
    cr_assert(is_verified(LEAF));
    page_bytes(LEAF)[PAGE_SIZE - 1] ^= 1; /* past the first touch its bytes are trusted */
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
    cr_assert_eq(read_run(RUN), VERSO_OK);
    cr_assert(is_verified(RUN));
}

Test(pages, every_damaged_byte_is_noticed_at_the_first_touch)
{
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        page_bytes(LEAF)[i] ^= 0x10;
        page_bytes(RUN)[i] ^= 0x10;
        cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT, "byte %u", i);
        cr_assert_eq(read_run(RUN), VERSO_CORRUPT, "byte %u", i);
        page_bytes(LEAF)[i] ^= 0x10;
        page_bytes(RUN)[i] ^= 0x10;
    }
    cr_assert_not(is_verified(LEAF));
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
}

Test(pages, a_page_in_another_ones_place_is_noticed)
{
    vs_page_no other = LEAF + 20;
    memcpy(page_bytes(other), page_bytes(LEAF), PAGE_SIZE);
    struct vs_descriptor *descriptor = descriptor_of(other);
    vs_descriptor_set(descriptor, VS_WORD_BORN, BORN);
    vs_descriptor_set(descriptor, VS_WORD_DIED, VS_ALIVE);
    vs_descriptor_set(descriptor, VS_WORD_KIND,
                      vs_descriptor_word(descriptor_of(LEAF), VS_WORD_KIND));
    cr_assert_eq(read_tree(other), VERSO_CORRUPT);
}

Test(pages, numbers_that_cannot_be_are_refused)
{
    cr_assert_eq(read_tree(0), VERSO_CORRUPT);
    cr_assert_eq(read_tree(PAGES), VERSO_CORRUPT);
    cr_assert_eq(read_tree(UINT32_MAX), VERSO_CORRUPT);
    cr_assert_eq(read_run(0), VERSO_CORRUPT);
    cr_assert_eq(read_run(UINT32_MAX), VERSO_CORRUPT);
    cr_assert_eq(read_tree(UNUSED), VERSO_CORRUPT);
    cr_assert_eq(read_run(UNUSED), VERSO_CORRUPT);
    bool alive;
    cr_assert_eq(vs_page_is_alive(&pages, 0, 1, &alive), VERSO_CORRUPT);
    cr_assert_eq(vs_page_is_alive(&pages, PAGES, 1, &alive), VERSO_CORRUPT);
    vs_page_prefetch_descriptor(&pages, UINT32_MAX);
}

static unsigned prefetched;

static void count_prefetch(struct vs_file *of, const uint8_t *map, uint64_t at, size_t size)
{
    (void)of;
    (void)map;
    cr_assert(at + size <= (uint64_t)PAGES * PAGE_SIZE);
    prefetched++;
}

Test(pages, only_cold_ones_that_there_are_are_asked_for)
{
    const struct vs_os os = {.prefetch = count_prefetch};
    struct vs_file on_disk = {.os = &os};
    vs_page_no wanted[] = {LEAF, RUN, PAGES - 1, PAGES, UINT32_MAX};
    vs_pages_will_need(&pages, wanted, 5);
    cr_assert_eq(prefetched, 0, "in memory there is nothing to be read");
    pages.file = &on_disk;
    cr_assert_eq(read_run(RUN), VERSO_OK);
    vs_pages_will_need(&pages, wanted, 5);
    cr_assert_eq(prefetched, 2);
}

Test(pages, beyond_the_end_of_the_file_nothing_is_touched)
{
    atomic_store(&table.file_bytes, (uint64_t)LEAF * PAGE_SIZE + PAGE_SIZE - 1);
    cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT);
    atomic_store(&table.file_bytes, (uint64_t)LEAF * PAGE_SIZE + PAGE_SIZE);
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
}

Test(pages, headers_must_agree_with_the_descriptor)
{
    describe(LEAF, VS_KIND_BRANCH);
    cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT);
    describe(LEAF, VS_KIND_LEAF);
    vs_page_set_birth(page_bytes(LEAF), BORN + 1);
    describe(LEAF, VS_KIND_LEAF);
    cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT);
}

Test(pages, a_sound_checksum_does_not_excuse_an_impossible_structure)
{
    vs_put_le16(page_bytes(LEAF) + 2, UINT16_MAX); /* cells */
    describe(LEAF, VS_KIND_LEAF);
    cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT);
}

Test(pages, of_a_long_value_are_no_leaves_whatever_they_hold)
{
    const uint8_t *bytes;
    cr_assert_eq(read_tree(IMPOSTOR), VERSO_CORRUPT);
    cr_assert_eq(read_run(IMPOSTOR), VERSO_OK, "as a value it is sound");
    cr_assert_eq(read_tree(IMPOSTOR), VERSO_CORRUPT, "and still no leaf after that");
    cr_assert_eq(vs_page_read_level(&pages, IMPOSTOR, 0, &bytes), VERSO_CORRUPT);
    cr_assert_eq(read_run(IMPOSTOR), VERSO_OK);
    page_bytes(IMPOSTOR)[PAGE_SIZE - 1] ^= 1;
    cr_assert_eq(read_run(IMPOSTOR), VERSO_CORRUPT, "it is checked at each touch");
    cr_assert_eq(read_run(LEAF), VERSO_CORRUPT, "nor is a leaf a value");
}

Test(pages, of_another_level_are_refused)
{
    const uint8_t *bytes;
    cr_assert_eq(vs_page_read_level(&pages, LEAF, 0, &bytes), VERSO_OK);
    cr_assert_eq(vs_page_read_level(&pages, LEAF, 1, &bytes), VERSO_CORRUPT);
    cr_assert_eq(vs_page_read_level(&pages, LEAF, 255, &bytes), VERSO_CORRUPT);
    vs_branch_init(page_bytes(UNUSED), PAGE_SIZE, BORN, 2, LEAF, 10);
    describe(UNUSED, VS_KIND_BRANCH);
    cr_assert_eq(vs_page_read_level(&pages, UNUSED, 2, &bytes), VERSO_OK, "%s", vs_fault_detail());
    cr_assert_eq(vs_page_read_level(&pages, UNUSED, 1, &bytes), VERSO_CORRUPT);
}

Test(pages, are_alive_from_birth_to_before_death)
{
    bool alive = true;
    vs_descriptor_set(descriptor_of(LEAF), VS_WORD_DIED, 12);
    static const struct {
        uint64_t version;
        bool alive;
    } rows[] = {{0, false}, {BORN - 1, false}, {BORN, true}, {11, true}, {12, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        verso_err err = vs_page_is_alive(&pages, LEAF, rows[i].version, &alive);
        cr_assert_eq(err, VERSO_OK);
        cr_assert_eq(alive, rows[i].alive, "version %u", (unsigned)rows[i].version);
    }
}

static verso_err next_of(uint64_t version, vs_page_no *next)
{
    return vs_page_next_leaf(&pages, LEAF, version, next);
}

Test(pages, the_link_with_the_greatest_stamp_not_above_the_version_counts)
{
    struct vs_descriptor *descriptor = descriptor_of(LEAF);
    vs_page_no next = 1;
    cr_assert_eq(next_of(BORN, &next), VERSO_CORRUPT, "no link at all");
    vs_descriptor_set(descriptor, VS_WORD_LINK + 3, vs_link_word(BORN, BORN, 200));
    vs_descriptor_set(descriptor, VS_WORD_LINK + 0, vs_link_word(BORN + 5, BORN, 300));
    vs_descriptor_set(descriptor, VS_WORD_LINK + 4, vs_link_word(BORN + 3, BORN, 0));
    static const struct {
        uint64_t version;
        vs_page_no next;
    } rows[] = {{BORN, 200},   {BORN + 2, 200}, {BORN + 3, 0},
                {BORN + 4, 0}, {BORN + 5, 300}, {UINT64_MAX - 1, 300}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        verso_err err = next_of(rows[i].version, &next);
        cr_assert_eq(err, VERSO_OK);
        cr_assert_eq(next, rows[i].next, "row %zu", i);
    }
    cr_assert_eq(next_of(BORN - 1, &next), VERSO_CORRUPT);
}

/* Touching it would be a signal where the system maps the file. */
Test(pages, what_lies_beyond_the_end_of_the_file_is_not_touched)
{
    atomic_store(&table.file_bytes, (uint64_t)(LEAF + 1) * PAGE_SIZE - 1);
    cr_assert_eq(read_tree(LEAF), VERSO_CORRUPT);
    cr_assert_not_null(strstr(vs_fault_detail(), "beyond the end"), "%s", vs_fault_detail());
    cr_assert_eq(read_run(RUN), VERSO_CORRUPT);
    atomic_store(&table.file_bytes, (uint64_t)(LEAF + 1) * PAGE_SIZE);
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
    cr_assert_eq(read_run(RUN), VERSO_CORRUPT);
}

/* ---- beside a failed sync ---- */

static void distrust(void *argument)
{
    vs_pages_distrust(argument);
}

Test(pages, one_verified_while_a_sync_fails_is_not_trusted)
{
    need_points();
    const struct vs_os os = {.prefetch = count_prefetch};
    struct vs_file on_disk = {.os = &os};
    pages.file = &on_disk;
    meanwhile_at(VS_POINT_MARK_VERIFIED, 1, distrust, &pages);
    cr_assert_eq(read_tree(LEAF), VERSO_OK);
    cr_assert(meanwhile_done());
    cr_assert_not(is_verified(LEAF), "nobody would look at it again");
}
