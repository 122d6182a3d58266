/*
 * runs_test.c - long values in pages of their own: sizes at the edges, one run or several, dropped.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "page_fixture.h"

enum { PAGE_SIZE = 512 };

static uint8_t *make_value(size_t size)
{
    uint8_t *value = malloc(size + 1);
    cr_assert_not_null(value);
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(i * 7 + i / 251);
    }
    return value;
}

static struct vs_run_ref write_run(struct vs_page_writer *writer, const uint8_t *value, size_t size)
{
    struct vs_run_ref ref;
    verso_err err = vs_run_write(writer, (verso_slice){value, size}, 42, VS_RUN_EXTENTS_MAX, &ref);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(ref.length, size);
    cr_assert_eq(ref.hash, 42);
    uint64_t pages = 0;
    for (unsigned i = 0; i < ref.extents; i++) {
        pages += ref.extent[i].pages;
    }
    cr_assert_eq(pages, (size + PAGE_SIZE - 1) / PAGE_SIZE);
    return ref;
}

static void expect_run(struct vs_store *store, const struct vs_run_ref *ref, const uint8_t *value)
{
    uint8_t *copy = malloc(ref->length);
    cr_assert_not_null(copy);
    verso_err err = vs_run_copy(&store->pages, ref, 0, copy, ref->length);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_arr_eq(copy, value, ref->length);
    free(copy);
    const uint8_t *bytes = NULL;
    err = vs_run_borrow(&store->pages, ref, &bytes);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(bytes != NULL, ref->extents == 1);
    if (bytes != NULL) {
        cr_assert_arr_eq(bytes, value, ref->length);
    }
}

static void try_sizes(struct simulated_disk *disk)
{
    static const size_t sizes[] = {1,     PAGE_SIZE - 1,  PAGE_SIZE,          PAGE_SIZE + 1,
                                   3000,  64 * PAGE_SIZE, 64 * PAGE_SIZE + 1, 1000 * PAGE_SIZE,
                                   200000};
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    struct vs_run_ref ref[sizeof sizes / sizeof *sizes];
    uint8_t *value = make_value(1000 * PAGE_SIZE);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ref[i] = write_run(page_begin(store), value, sizes[i]);
        expect_run(store, &ref[i], value);
        page_commit(store);
    }
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        expect_run(store, &ref[i], value);
    }
    free(value);
    page_store_close(store);
}

Test(runs, of_every_size_come_back_from_memory)
{
    try_sizes(NULL);
}

Test(runs, of_every_size_come_back_from_a_file)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    try_sizes(disk);
    simulated_disk_close(disk);
}

Test(runs, parts_are_copied_from_any_offset)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    size_t size = 5 * PAGE_SIZE + 100;
    uint8_t *value = make_value(size);
    struct vs_run_ref ref = write_run(page_begin(store), value, size);
    page_commit(store);
    uint8_t part[2 * PAGE_SIZE];
    for (size_t at = 0; at < size; at += 37) {
        for (size_t want = 1; want <= sizeof part && at + want <= size; want += 101) {
            verso_err err = vs_run_copy(&store->pages, &ref, at, part, want);
            cr_assert_eq(err, VERSO_OK);
            cr_assert_arr_eq(part, value + at, want, "%zu bytes from %zu", want, at);
        }
    }
    verso_err err = vs_run_copy(&store->pages, &ref, (uint64_t)6 * PAGE_SIZE, part, 1);
    cr_assert_eq(err, VERSO_CORRUPT, "beyond its pages");
    free(value);
    page_store_close(store);
}

/* Zones of 512-byte pages are small: a value longer than what one has left goes on in the next. */
Test(runs, a_value_too_long_for_a_zone_lies_in_several)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    size_t size = 3000 * PAGE_SIZE + 1;
    uint8_t *value = make_value(size);
    struct vs_run_ref ref = write_run(page_begin(store), value, size);
    cr_assert_gt(ref.extents, 1);
    for (unsigned i = 0; i < ref.extents; i++) {
        for (uint32_t j = 0; j < ref.extent[i].pages; j++) {
            cr_assert_not(vs_layout_is_reserved(PAGE_SIZE, ref.extent[i].page + j));
        }
    }
    expect_run(store, &ref, value);
    uint8_t part[PAGE_SIZE];
    uint64_t edge = (uint64_t)ref.extent[0].pages * PAGE_SIZE;
    verso_err err = vs_run_copy(&store->pages, &ref, edge - 100, part, 200);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_arr_eq(part, value + edge - 100, 200, "across the edge");
    page_commit(store);
    free(value);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(runs, more_extents_than_allowed_are_refused_and_an_abort_frees_all)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    size_t size = 3000 * PAGE_SIZE;
    uint8_t *value = make_value(size);
    struct vs_run_ref ref;
    verso_err err = vs_run_write(page_begin(store), (verso_slice){value, size}, 1, 1, &ref);
    cr_assert_eq(err, VERSO_TOO_BIG);
    vs_store_abort(store);
    uint64_t usable = 0;
    for (uint64_t page = 1; page < store->space.high_water; page++) {
        usable += !vs_layout_is_reserved(PAGE_SIZE, (vs_page_no)page);
    }
    cr_assert_eq(store->space.free_count, usable);
    free(value);
    page_store_close(store);
}

Test(runs, the_rest_of_the_last_page_is_zero_in_the_file)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    uint8_t *value = make_value(PAGE_SIZE + 10);
    struct vs_run_ref ref = write_run(page_begin(store), value, PAGE_SIZE + 10);
    page_commit(store);
    const uint8_t *last =
        simulated_disk_bytes(disk, "store", NULL) + ((size_t)ref.extent[0].page + 1) * PAGE_SIZE;
    cr_assert_arr_eq(last, value + PAGE_SIZE, 10);
    for (unsigned i = 10; i < PAGE_SIZE; i++) {
        cr_assert_eq(last[i], 0, "stale memory at byte %u", i);
    }
    free(value);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(runs, a_damaged_page_of_a_value_is_noticed)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    uint8_t *value = make_value(4 * PAGE_SIZE);
    struct vs_run_ref ref = write_run(page_begin(store), value, 4 * PAGE_SIZE);
    page_commit(store);
    simulated_disk_flip(disk, "store", ((uint64_t)ref.extent[0].page + 2) * PAGE_SIZE + 5, 1);
    uint8_t part[PAGE_SIZE];
    const uint8_t *bytes;
    cr_assert_eq(vs_run_copy(&store->pages, &ref, PAGE_SIZE, part, PAGE_SIZE), VERSO_OK);
    cr_assert_eq(vs_run_copy(&store->pages, &ref, 2 * PAGE_SIZE, part, 1), VERSO_CORRUPT);
    cr_assert_eq(vs_run_borrow(&store->pages, &ref, &bytes), VERSO_CORRUPT);
    free(value);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(runs, a_dropped_value_gives_its_pages_back)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    uint8_t *value = make_value(100 * PAGE_SIZE);
    struct vs_run_ref ref = write_run(page_begin(store), value, 100 * PAGE_SIZE);
    page_commit(store);
    verso_err err = vs_run_drop(page_begin(store), &ref);
    cr_assert_eq(err, VERSO_OK);
    page_commit(store);
    vs_fair_lock_take(&store->writer_lock);
    err = vs_store_judge(store, true);
    vs_fair_lock_release(&store->writer_lock);
    cr_assert_eq(err, VERSO_OK);
    for (uint32_t i = 0; i < ref.extent[0].pages; i++) {
        cr_assert(vs_space_is_free(&store->space, ref.extent[0].page + i));
    }
    free(value);
    page_store_close(store);
}

/* A reference that no commit wrote, to the pages of two values whose frames are no neighbours. */
Test(runs, a_value_that_does_not_lie_in_one_piece_is_damage)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    page_store_close(page_store_open(disk, PAGE_SIZE, 0));
    struct vs_store *store = page_store_open_to_replay(disk);
    struct vs_page_writer *writer = page_begin(store);
    uint8_t *value = make_value(PAGE_SIZE);
    uint32_t frame;
    struct vs_run_ref ref = write_run(writer, value, PAGE_SIZE);
    cr_assert_eq(vs_arena_take(&store->arena, 1, &frame), VERSO_OK);
    struct vs_run_ref next = write_run(writer, value, PAGE_SIZE);
    cr_assert_eq(next.extent[0].page, ref.extent[0].page + 1);
    ref.extent[0].pages = 2;
    ref.length = 2 * PAGE_SIZE;
    uint8_t copy[2 * PAGE_SIZE];
    const uint8_t *bytes;
    cr_assert_eq(vs_run_copy(&store->pages, &ref, 0, copy, PAGE_SIZE), VERSO_OK);
    cr_assert_eq(vs_run_copy(&store->pages, &ref, 0, copy, sizeof copy), VERSO_CORRUPT);
    cr_assert_eq(vs_run_borrow(&store->pages, &ref, &bytes), VERSO_CORRUPT);
    vs_store_abort(store);
    vs_store_discard(store);
    free(value);
    simulated_disk_close(disk);
}

Test(runs, that_find_all_page_numbers_given_out_are_refused)
{
    enum { LONG = 100 * PAGE_SIZE }; /* more pages than one block has */
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_space *space = &store->space;
    uint64_t high_water = space->high_water;
    uint8_t *value = make_value(LONG);
    struct vs_run_ref ref;
    struct vs_page_writer *writer = page_begin(store);
    page_make_leaf(writer, 'a');
    space->high_water = space->limit; /* as if all were in use */
    cr_assert_eq(vs_run_write(writer, (verso_slice){value, LONG}, 1, 1, &ref), VERSO_LIMIT, "%s",
                 verso_error_detail());
    space->high_water = high_water + VS_BLOCK_PAGES; /* the leaf's block is in use */
    ref = write_run(writer, value, LONG);
    expect_run(store, &ref, value);
    page_commit(store);
    free(value);
    page_store_close(store);
}

/* Whoever only reads replays into memory. What a value holds there was chosen by whoever wrote it, and a
 * forged tree may name its page. */
Test(runs, replayed_by_a_reader_are_no_leaves_whatever_they_hold)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    page_store_close(page_store_open(disk, PAGE_SIZE, 0));
    struct vs_store *store = page_store_open_to_replay(disk);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no leaf = page_make_leaf(writer, 'a');
    uint8_t value[2 * PAGE_SIZE];
    const uint8_t *bytes;
    cr_assert_eq(vs_page_read(&store->pages, leaf, &bytes), VERSO_OK);
    memset(value, 0xFF, sizeof value);
    memcpy(value, bytes, 16); /* a leaf's header, with cells all over memory */
    memcpy(value + PAGE_SIZE, bytes, 16);
    struct vs_run_ref ref = write_run(writer, value, sizeof value);
    expect_run(store, &ref, value);
    for (vs_page_no page = ref.extent[0].page; page < ref.extent[0].page + 2; page++) {
        cr_assert_eq(vs_page_read(&store->pages, page, &bytes), VERSO_CORRUPT);
        cr_assert_eq(vs_page_read_level(&store->pages, page, 0, &bytes), VERSO_CORRUPT);
    }
    expect_run(store, &ref, value);
    cr_assert_eq(vs_run_drop(writer, &ref), VERSO_OK, "%s", verso_error_detail());
    page_step(writer);
    cr_assert_eq(atomic_load(&store->arena.busy), 1, "its frames are free, the leaf's is not");
    vs_store_abort(store);
    vs_store_discard(store);
    simulated_disk_close(disk);
}
