/*
 * page_table_freeze_test.c - freezing blocks for a checkpoint while the writer goes on.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "store/page_table.h"

enum { PAGE_SIZE = 512, PAGES = 16384, ROUNDS = 60, SPREAD = 40 };

static struct vs_reader_slots readers;
static struct vs_page_table table;
static uint8_t *file;

static void set_up(void)
{
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    file = calloc(PAGES, PAGE_SIZE);
    cr_assert_not_null(file);
    err = vs_page_table_init(&table, file, PAGE_SIZE, PAGES, &readers);
    cr_assert_eq(err, VERSO_OK);
    atomic_store(&table.file_bytes, (uint64_t)PAGES * PAGE_SIZE);
}

static void tear_down(void)
{
    vs_page_table_clear(&table);
    vs_reader_slots_clear(&readers);
    free(file);
}

TestSuite(page_table_freeze, .init = set_up, .fini = tear_down);

static void set_born(vs_page_no page, uint64_t born)
{
    struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_change(&table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    vs_descriptor_set(descriptor, VS_WORD_BORN, born);
}

static uint64_t born(vs_page_no page)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return vs_descriptor_born(descriptor);
}

static uint64_t born_in(const uint8_t *block, vs_page_no page)
{
    return vs_get_le64(block + page % VS_BLOCK_PAGES * VS_DESCRIPTOR_SIZE);
}

/* Take a block, write it over the copy that does not count, and say so: what a checkpoint does. */
static void write_out(uint32_t block, uint64_t generation)
{
    _Alignas(8) uint8_t bytes[VS_PART_BYTES];
    vs_page_table_take(&table, block, bytes);
    uint64_t entry = atomic_load(&table.entry[block]);
    unsigned copy = entry == 0 ? 0 : 1 - vs_entry_copy(entry);
    memcpy(file + vs_layout_block_at(PAGE_SIZE, block, copy), bytes, sizeof bytes);
    vs_page_table_set_entry(&table, block,
                            vs_entry(vs_crc32c(0, bytes, sizeof bytes), generation, copy));
}

static bool is_in_memory(vs_page_no page)
{
    return atomic_load(&table.block[page / VS_BLOCK_PAGES].where) >= VS_BLOCK_MEMORY;
}

Test(page_table_freeze, hands_out_each_changed_block_once_and_sorted)
{
    static const vs_page_no pages[] = {700, 5, 701, 6, 16383, 64, 5};
    static const uint32_t expected[] = {0, 1, 10, 255};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        set_born(pages[i], 1);
    }
    uint32_t *blocks;
    size_t count;
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    cr_assert_eq(count, 4);
    cr_assert_arr_eq(blocks, expected, sizeof expected);
    vs_page_table_thaw(&table, blocks, count, false, 1);
    free(blocks);
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    cr_assert_eq(count, 0, "nothing changed since");
    vs_page_table_thaw(&table, blocks, count, true, 1);
    free(blocks);
}

Test(page_table_freeze, a_block_changed_before_it_was_taken_is_taken_as_it_was)
{
    set_born(1, 10);
    set_born(64, 10);
    uint32_t *blocks;
    size_t count;
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    const struct vs_descriptor *before;
    verso_err err = vs_page_table_get(&table, 1, &before);
    cr_assert_eq(err, VERSO_OK);
    set_born(1, 11);
    set_born(2, 12); /* the frozen bytes are aside already */
    cr_assert_eq(born(1), 11);
    cr_assert_eq(vs_descriptor_born(before), 11, "the live block stays at its address");
    _Alignas(8) uint8_t bytes[VS_PART_BYTES];
    vs_page_table_take(&table, 0, bytes);
    cr_assert_eq(born_in(bytes, 1), 10);
    cr_assert_eq(born_in(bytes, 2), 0);
    vs_page_table_take(&table, 1, bytes);
    cr_assert_eq(born_in(bytes, 64), 10);
    set_born(64, 13); /* taken already: nothing is to be saved */
    cr_assert_eq(table.block[1].aside, 0);
    vs_page_table_thaw(&table, blocks, count, false, 2);
    free(blocks);
    cr_assert_eq(born(1), 11);
    cr_assert_eq(born(64), 13);
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    cr_assert_eq(count, 2, "both belong to the next checkpoint");
    vs_page_table_thaw(&table, blocks, count, false, 3);
    free(blocks);
}

Test(page_table_freeze, checksums_set_after_the_taking_stay_in_the_live_table)
{
    set_born(1, 10);
    uint32_t *blocks;
    size_t count;
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    _Alignas(8) uint8_t bytes[VS_PART_BYTES];
    vs_page_table_take(&table, 0, bytes);
    vs_page_table_set_crc(&table, 1, 0xC0FFEE);
    set_born(2, 11);
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&table, 1, &descriptor);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(vs_descriptor_crc(descriptor), 0xC0FFEE);
    cr_assert_eq(vs_descriptor_born(descriptor), 10);
    vs_page_table_thaw(&table, blocks, count, false, 2);
    free(blocks);
}

Test(page_table_freeze, blocks_not_changed_since_go_back_to_the_mapping)
{
    set_born(1, 10);
    set_born(64, 10);
    uint32_t *blocks;
    size_t count;
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    write_out(0, 1);
    write_out(1, 1);
    set_born(64, 11);
    vs_page_table_thaw(&table, blocks, count, true, 2);
    free(blocks);
    cr_assert_not(is_in_memory(1));
    cr_assert(is_in_memory(64));
    cr_assert_eq(born(1), 10);
    cr_assert_eq(born(64), 11);
    set_born(1, 12); /* and comes into memory again */
    cr_assert(is_in_memory(1));
    cr_assert_eq(born(1), 12);
}

Test(page_table_freeze, their_memory_waits_for_readers_of_an_earlier_epoch)
{
    uint32_t slot;
    vs_reader_raise_epoch(&readers, 1);
    verso_err err = vs_reader_pin(&readers, 5, &slot);
    cr_assert_eq(err, VERSO_OK);
    set_born(1, 10);
    const struct vs_descriptor *held;
    err = vs_page_table_get(&table, 1, &held); /* the reader's */
    cr_assert_eq(err, VERSO_OK);
    uint32_t *blocks;
    size_t count;
    vs_page_table_freeze(&table, &blocks, NULL, &count);
    write_out(0, 1);
    vs_page_table_thaw(&table, blocks, count, true, 2);
    free(blocks);
    for (vs_page_no page = 64; page < PAGES; page += VS_BLOCK_PAGES) {
        set_born(page, 77);
    }
    cr_assert_eq(vs_descriptor_born(held), 10, "its block was used again");
    cr_assert_eq(table.limbo_count, 1);
    vs_reader_unpin(&readers, slot);
    set_born(1, 11);
    cr_assert_eq(table.limbo_count, 0);
}

/* ---- a writer beside it ---- */

static vs_page_no page_of(unsigned i)
{
    return i * (PAGES / SPREAD) + i % 3;
}

struct checkpointer {
    uint32_t *blocks;
    size_t count;
    uint64_t frozen; /* `born` of every page at the freeze, or the round before's */
    uint64_t before;
    const char *fault;
};

static void *write_frozen(void *argument)
{
    struct checkpointer *checkpointer = argument;
    for (size_t i = 0; i < checkpointer->count; i++) {
        uint32_t block = checkpointer->blocks[i];
        write_out(block, checkpointer->frozen);
        uint64_t entry = atomic_load(&table.entry[block]);
        const uint8_t *bytes = file + vs_layout_block_at(PAGE_SIZE, block, vs_entry_copy(entry));
        for (unsigned j = 0; j < SPREAD; j++) {
            if (page_of(j) / VS_BLOCK_PAGES == block &&
                born_in(bytes, page_of(j)) != checkpointer->frozen) {
                checkpointer->fault = "a block was not taken as it was at the freeze";
            }
        }
    }
    return NULL;
}

Test(page_table_freeze, a_writer_beside_it_changes_nothing_of_what_is_frozen)
{
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < SPREAD; i++) {
            set_born(page_of(i), 2 * round);
        }
        struct checkpointer checkpointer = {.frozen = 2 * round};
        vs_page_table_freeze(&table, &checkpointer.blocks, NULL, &checkpointer.count);
        cr_assert_eq(checkpointer.count, SPREAD);
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, write_frozen, &checkpointer), 0);
        for (unsigned i = SPREAD; i-- > 0;) { /* from the other end, to meet it half-way */
            if (i % 4 != 0) {
                set_born(page_of(i), 2 * round + 1);
            }
        }
        pthread_join(thread, NULL);
        cr_assert_null(checkpointer.fault, "round %u: %s", (unsigned)round, checkpointer.fault);
        vs_page_table_thaw(&table, checkpointer.blocks, checkpointer.count, true, round + 1);
        free(checkpointer.blocks);
        for (unsigned i = 0; i < SPREAD; i++) {
            cr_assert_eq(born(page_of(i)), i % 4 != 0 ? 2 * round + 1 : 2 * round);
            cr_assert_eq(is_in_memory(page_of(i)), i % 4 != 0);
        }
    }
}
