/*
 * page_table_test.c - descriptors in memory and in a mapping, sound and damaged.
 */
#include "store/page_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "meanwhile.h"

enum { PAGE_SIZE = 512, PAGES = 2 * VS_DIRECTORY_PAGES, PLANTED = 5 };

static struct vs_reader_slots readers;
static struct vs_page_table table;
static uint8_t *file; /* what the table reads as its mapping; NULL: in memory */
static uint64_t top[VS_TOPS_MAX];

static void set_up(void)
{
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    file = NULL;
    memset(top, 0, sizeof top);
}

static void tear_down(void)
{
    vs_page_table_clear(&table);
    vs_reader_slots_clear(&readers);
    free(file);
}

TestSuite(page_table, .init = set_up, .fini = tear_down);

static void open_table(void)
{
    verso_err err = vs_page_table_init(&table, file, PAGE_SIZE, PAGES, &readers);
    cr_assert_eq(err, VERSO_OK);
    if (file != NULL) {
        vs_page_table_set_top(&table, top);
        atomic_store(&table.file_bytes, (uint64_t)PAGES * PAGE_SIZE);
    }
}

static const struct vs_descriptor *get(vs_page_no page)
{
    const struct vs_descriptor *descriptor = NULL;
    verso_err err = vs_page_table_get(&table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK, "page %u: %s", page, verso_error_detail());
    return descriptor;
}

static verso_err outcome(vs_page_no page)
{
    const struct vs_descriptor *descriptor = NULL;
    return vs_page_table_get(&table, page, &descriptor);
}

static struct vs_descriptor *change(vs_page_no page)
{
    struct vs_descriptor *descriptor = NULL;
    verso_err err = vs_page_table_change(&table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK, "page %u: %s", page, verso_error_detail());
    return descriptor;
}

/* ---- a file with a few blocks, as a checkpoint would have left them ---- */

static const vs_page_no planted[PLANTED] = {1, 64, 32767, 32768, PAGES - 1};

static uint64_t born_of(vs_page_no page)
{
    return 1000 + page;
}

static uint64_t write_part(uint64_t at, const uint8_t *bytes, unsigned copy)
{
    memcpy(file + at, bytes, VS_PART_BYTES);
    return vs_entry(vs_crc32c(0, bytes, VS_PART_BYTES), 7, copy);
}

static uint64_t write_block(vs_page_no page, unsigned copy)
{
    uint8_t bytes[VS_PART_BYTES] = {0};
    vs_put_le64(bytes + page % VS_BLOCK_PAGES * VS_DESCRIPTOR_SIZE, born_of(page));
    return write_part(vs_layout_block_at(PAGE_SIZE, page / VS_BLOCK_PAGES, copy), bytes, copy);
}

static uint64_t write_directory(uint32_t directory, unsigned copy)
{
    uint8_t bytes[VS_PART_BYTES] = {0};
    for (unsigned i = 0; i < PLANTED; i++) {
        if (planted[i] / VS_DIRECTORY_PAGES == directory) {
            vs_put_le64(bytes + planted[i] / VS_BLOCK_PAGES % VS_DIRECTORY_ENTRIES * 8,
                        write_block(planted[i], i % 2));
        }
    }
    return write_part(vs_layout_directory_at(PAGE_SIZE, directory, copy), bytes, copy);
}

static void plant_file(void)
{
    file = calloc(PAGES, PAGE_SIZE);
    cr_assert_not_null(file);
    uint8_t bytes[VS_PART_BYTES] = {0};
    vs_put_le64(bytes, write_directory(0, 1));
    vs_put_le64(bytes + 8, write_directory(1, 0));
    top[0] = write_part(vs_layout_top_at(PAGE_SIZE, 0, 1), bytes, 1);
}

/* ---- in memory ---- */

Test(page_table, pages_never_changed_are_free)
{
    open_table();
    static const vs_page_no pages[] = {0, 1, 63, 64, PAGES - 1};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const struct vs_descriptor *descriptor = get(pages[i]);
        cr_assert_eq(vs_descriptor_born(descriptor), vs_descriptor_died(descriptor));
        bool empty = false;
        verso_err err = vs_page_table_is_empty(&table, pages[i] / VS_BLOCK_PAGES, &empty);
        cr_assert_eq(err, VERSO_OK);
        cr_assert(empty);
        cr_assert_neq(table.block[pages[i] / VS_BLOCK_PAGES].changed_in, table.interval);
    }
}

Test(page_table, changes_are_seen_at_once_and_concern_one_page)
{
    open_table();
    for (vs_page_no page = 60; page < 70; page++) {
        vs_descriptor_set(change(page), VS_WORD_BORN, born_of(page));
        cr_assert_eq(table.block[page / VS_BLOCK_PAGES].changed_in, table.interval);
    }
    cr_assert_eq(table.changed_count, 2, "two blocks");
    for (vs_page_no page = 50; page < 80; page++) {
        cr_assert_eq(vs_descriptor_born(get(page)), page >= 60 && page < 70 ? born_of(page) : 0);
    }
    bool empty = true;
    verso_err err = vs_page_table_is_empty(&table, 0, &empty);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_not(empty);
}

Test(page_table, a_changed_block_stays_at_its_address)
{
    open_table();
    struct vs_descriptor *first = change(5);
    for (vs_page_no page = 0; page < PAGES; page += VS_BLOCK_PAGES) {
        change(page);
    }
    cr_assert_eq(change(5), first);
    cr_assert_eq(get(5), first);
}

/* ---- from a mapping ---- */

Test(page_table, blocks_are_read_where_they_lie)
{
    plant_file();
    open_table();
    for (unsigned i = 0; i < PLANTED; i++) {
        const struct vs_descriptor *descriptor = get(planted[i]);
        cr_assert_eq(vs_descriptor_born(descriptor), born_of(planted[i]));
        const uint8_t *at = (const uint8_t *)descriptor;
        cr_assert(at >= file && at < file + (size_t)PAGES * PAGE_SIZE);
    }
    bool empty = false;
    verso_err err = vs_page_table_is_empty(&table, 2, &empty);
    cr_assert_eq(err, VERSO_OK);
    cr_assert(empty, "an empty entry: never written");
}

Test(page_table, a_change_leaves_the_mapping_alone)
{
    plant_file();
    open_table();
    uint8_t before[VS_PART_BYTES];
    uint64_t at = vs_layout_block_at(PAGE_SIZE, 1, 1);
    memcpy(before, file + at, sizeof before);
    vs_descriptor_set(change(64), VS_WORD_DIED, 5);
    cr_assert_eq(vs_descriptor_born(get(64)), born_of(64), "the block came along");
    cr_assert_eq(vs_descriptor_died(get(64)), 5);
    cr_assert_arr_eq(file + at, before, sizeof before);
}

Test(page_table, every_damaged_byte_of_a_block_is_noticed_at_its_first_touch)
{
    plant_file();
    uint64_t at = vs_layout_block_at(PAGE_SIZE, 1, 1);
    for (unsigned i = 0; i < VS_PART_BYTES; i += 61) {
        file[at + i] ^= 1;
        open_table();
        cr_assert_eq(outcome(64), VERSO_CORRUPT, "byte %u", i);
        cr_assert_eq(outcome(127), VERSO_CORRUPT);
        struct vs_descriptor *descriptor;
        cr_assert_eq(vs_page_table_change(&table, 64, &descriptor), VERSO_CORRUPT);
        bool empty;
        cr_assert_eq(vs_page_table_is_empty(&table, 1, &empty), VERSO_CORRUPT);
        cr_assert_eq(table.changed_count, 0);
        get(1); /* other blocks are not concerned */
        file[at + i] ^= 1;
        cr_assert_eq(outcome(64), VERSO_OK, "and nothing was remembered of the fault");
        vs_page_table_clear(&table);
    }
    open_table();
}

Test(page_table, the_copy_that_does_not_count_is_never_looked_at)
{
    plant_file();
    for (unsigned i = 0; i < PLANTED; i++) {
        memset(file + vs_layout_block_at(PAGE_SIZE, planted[i] / VS_BLOCK_PAGES, 1 - i % 2), 0xEE,
               VS_PART_BYTES);
    }
    memset(file + vs_layout_directory_at(PAGE_SIZE, 0, 0), 0xEE, VS_PART_BYTES);
    memset(file + vs_layout_directory_at(PAGE_SIZE, 1, 1), 0xEE, VS_PART_BYTES);
    memset(file + vs_layout_top_at(PAGE_SIZE, 0, 0), 0xEE, VS_PART_BYTES);
    open_table();
    for (unsigned i = 0; i < PLANTED; i++) {
        cr_assert_eq(vs_descriptor_born(get(planted[i])), born_of(planted[i]));
    }
}

Test(page_table, an_older_state_of_a_block_is_not_taken)
{
    plant_file();
    uint64_t at = vs_layout_block_at(PAGE_SIZE, 1, 1);
    memset(file + at, 0, VS_PART_BYTES); /* a lost write: what stood there before */
    open_table();
    cr_assert_eq(outcome(64), VERSO_CORRUPT);
}

Test(page_table, damaged_directory_and_top_pages_are_noticed)
{
    plant_file();
    uint64_t directory_at = vs_layout_directory_at(PAGE_SIZE, 0, 1);
    file[directory_at + 4095] ^= 0x80;
    open_table();
    cr_assert_eq(outcome(1), VERSO_CORRUPT);
    cr_assert_eq(outcome(32768), VERSO_OK, "another directory page");
    uint64_t entries[VS_DIRECTORY_ENTRIES];
    cr_assert_eq(vs_page_table_directory(&table, 0, entries), VERSO_CORRUPT);
    cr_assert_eq(vs_page_table_directory(&table, 1, entries), VERSO_OK);
    cr_assert_neq(entries[0], 0);
    cr_assert_eq(entries[1], 0);
    vs_page_table_clear(&table);

    file[directory_at + 4095] ^= 0x80;
    file[vs_layout_top_at(PAGE_SIZE, 0, 1) + 8] ^= 1;
    open_table();
    cr_assert_eq(outcome(1), VERSO_CORRUPT);
    cr_assert_eq(outcome(32768), VERSO_CORRUPT);
    cr_assert_eq(vs_page_table_top(&table, 0, entries), VERSO_CORRUPT);
}

Test(page_table, parts_beyond_the_end_of_the_file_are_not_touched)
{
    plant_file();
    open_table();
    atomic_store(&table.file_bytes, vs_layout_block_at(PAGE_SIZE, PAGES / 64 - 1, 0) + 4095);
    cr_assert_eq(outcome(1), VERSO_OK);
    cr_assert_eq(outcome(PAGES - 1), VERSO_CORRUPT);
    vs_page_table_clear(&table);
    open_table();
    atomic_store(&table.file_bytes, 0);
    cr_assert_eq(outcome(1), VERSO_CORRUPT);
}

/* They would lead to pages that a checkpoint may cut off. */
Test(page_table, blocks_beyond_the_high_water_mark_are_damage)
{
    plant_file();
    open_table();
    vs_page_table_set_high_water(&table, PAGES - 64);
    cr_assert_eq(outcome(1), VERSO_OK);
    cr_assert_eq(outcome(PAGES - 65), VERSO_OK);
    cr_assert_eq(outcome(PAGES - 1), VERSO_CORRUPT);
    vs_page_table_clear(&table);
    open_table();
    vs_page_table_set_high_water(&table, PAGES - 63);
    cr_assert_eq(outcome(PAGES - 1), VERSO_OK, "its block is partly used");
}

Test(page_table, impossible_entries_lead_nowhere)
{
    plant_file();
    uint8_t bytes[VS_PART_BYTES];
    memset(bytes, 0xFF, sizeof bytes); /* 512 entries, of blocks and pages that cannot be */
    top[0] = write_part(vs_layout_top_at(PAGE_SIZE, 0, 0), bytes, 0);
    top[1] = UINT64_MAX;
    top[VS_TOPS_MAX - 1] = UINT64_MAX;
    open_table();
    cr_assert_eq(outcome(1), VERSO_CORRUPT);
    cr_assert_eq(outcome(PAGES - 1), VERSO_CORRUPT);
}

/* ---- beside others ---- */

/* The writer moves the block into memory; two checkpoints later its copy is overwritten. */
static void move_and_overwrite(void *argument)
{
    vs_page_no page = *(const vs_page_no *)argument;
    (void)change(page);
    memset(file + vs_layout_block_at(PAGE_SIZE, page / VS_BLOCK_PAGES, 0), 0xEE, VS_PART_BYTES);
}

Test(page_table, a_copy_overwritten_while_it_is_verified_is_no_damage)
{
    need_points();
    plant_file();
    open_table();
    vs_page_no page = planted[0];
    meanwhile_at(VS_POINT_READ_BLOCK, 1, move_and_overwrite, &page);
    cr_assert_eq(vs_descriptor_born(get(page)), born_of(page));
    cr_assert(meanwhile_done());
}
