/*
 * page_writer_test.c - births, copies, drops, and what an abort leaves of them: nothing.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "page_fixture.h"

enum { PAGE_SIZE = 512, MANY = 300 };

static uint64_t free_pages(const struct vs_store *store)
{
    return store->space.free_count;
}

Test(page_writer, a_page_is_born_alive_and_in_nobody_elses_place)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        page[i] = page_make_leaf(writer, (char)('a' + i % 26));
        cr_assert_not(vs_layout_is_reserved(PAGE_SIZE, page[i]));
        struct page_words words = page_words(store, page[i]);
        cr_assert_eq(words.word[VS_WORD_BORN], 1);
        cr_assert_eq(words.word[VS_WORD_DIED], VS_ALIVE);
        cr_assert_eq(words.word[VS_WORD_KIND] >> 32, VS_KIND_LEAF);
    }
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a' + (int)(i % 26));
    }
    page_commit(store);
    page_store_close(store);
}

Test(page_writer, a_page_born_here_is_owned_in_place)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    vs_page_no own = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_own(writer, page, &own, &bytes);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(own, page);
    err = vs_page_replace(writer, page, &own, &bytes);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(own, page);
    page_commit(store);
    page_store_close(store);
}

Test(page_writer, a_committed_page_is_copied_with_its_link_and_dies)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no page = page_make_linked_leaf(page_begin(store), 'a', 77);
    page_commit(store);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no own = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_own(writer, page, &own, &bytes);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_neq(own, page);
    cr_assert_eq(vs_page_birth(bytes), 2);
    cr_assert_eq(page_mark(store, own), 'a');
    cr_assert_eq(page_next(store, own, 2), 77);
    cr_assert_eq(page_words(store, page).word[VS_WORD_DIED], 2);
    cr_assert_eq(page_mark(store, page), 'a', "the original stays for older versions");
    page_commit(store);
    cr_assert_eq(page_next(store, page, 1), 77);
    page_store_close(store);
}

Test(page_writer, an_abort_restores_every_word_and_gives_every_page_back)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no old[10];
    for (unsigned i = 0; i < 10; i++) {
        old[i] = page_make_linked_leaf(writer, 'a', i);
    }
    page_commit(store);
    struct page_words before[10];
    for (unsigned i = 0; i < 10; i++) {
        before[i] = page_words(store, old[i]);
    }
    writer = page_begin(store);
    uint64_t high_water = store->space.high_water;
    uint64_t free_before = free_pages(store);
    vs_page_no fresh[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        fresh[i] = page_make_linked_leaf(writer, 'b', 1);
    }
    for (unsigned i = 0; i < 10; i++) {
        vs_page_no own;
        uint8_t *bytes;
        page_link(writer, old[i], fresh[i]);
        verso_err err =
            i % 2 == 0 ? vs_page_drop(writer, old[i]) : vs_page_own(writer, old[i], &own, &bytes);
        cr_assert_eq(err, VERSO_OK);
        err = vs_page_drop(writer, fresh[i]);
        cr_assert_eq(err, VERSO_OK);
    }
    verso_err err = vs_writer_step(writer); /* the dropped ones are free, and taken again */
    cr_assert_eq(err, VERSO_OK);
    page_make_leaf(writer, 'c');
    vs_store_abort(store);
    for (unsigned i = 0; i < 10; i++) {
        struct page_words after = page_words(store, old[i]);
        cr_assert_arr_eq(&after, &before[i], sizeof after, "page %u", old[i]);
        cr_assert_eq(page_mark(store, old[i]), 'a');
    }
    uint64_t grown = 0; /* pages that hold fixed parts were skipped, not lost */
    for (uint64_t page = high_water; page < store->space.high_water; page++) {
        grown += !vs_layout_is_reserved(PAGE_SIZE, (vs_page_no)page);
    }
    cr_assert_eq(free_pages(store), free_before + grown);
    page_store_close(store);
}

Test(page_writer, a_page_dropped_where_it_was_born_is_readable_until_the_next_step)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'x');
    page_make_leaf(writer, 'y');
    verso_err err = vs_page_drop(writer, page);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(page_mark(store, page), 'x');
    cr_assert_not(vs_space_is_free(&store->space, page));
    err = vs_writer_step(writer);
    cr_assert_eq(err, VERSO_OK);
    cr_assert(vs_space_is_free(&store->space, page));
    struct page_words words = page_words(store, page);
    cr_assert_eq(words.word[VS_WORD_BORN], words.word[VS_WORD_DIED], "its life span is empty");
    page_commit(store);
    page_store_close(store);
}

Test(page_writer, what_was_reserved_can_be_made_on_a_full_disk)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    page_begin(store); /* the log takes its place */
    page_commit(store);
    struct vs_page_writer *writer = page_begin(store);
    verso_err err = vs_writer_reserve(writer, MANY);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    for (unsigned i = 0; i < MANY; i++) {
        page_make_leaf(writer, 'a');
    }
    simulated_disk_set_capacity(disk, UINT64_MAX);
    page_commit(store);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(page_writer, a_full_disk_refuses_a_reservation_and_an_abort_gives_all_back)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    page_begin(store);
    page_commit(store);
    struct vs_page_writer *writer = page_begin(store);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    vs_page_no made = 0;
    while (vs_writer_reserve(writer, 1) == VERSO_OK) {
        made = page_make_leaf(writer, 'a');
    }
    cr_assert_eq(vs_writer_reserve(writer, 1), VERSO_NOSPC);
    vs_store_abort(store);
    cr_assert(made == 0 || vs_space_is_free(&store->space, made));
    page_make_leaf(page_begin(store), 'b');
    page_commit(store);
    simulated_disk_set_capacity(disk, UINT64_MAX);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(page_writer, pages_that_outgrow_the_arena_are_spilled_and_read_back)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    store->arena_limit = 64; /* frames */
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        verso_err err = vs_writer_step(writer);
        cr_assert_eq(err, VERSO_OK);
        page[i] = page_make_linked_leaf(writer, (char)('a' + i % 26), 0);
        cr_assert_leq(atomic_load(&store->arena.busy), 65);
    }
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a' + (int)(i % 26));
        vs_page_no own = 0;
        uint8_t *bytes = NULL;
        verso_err err = vs_writer_step(writer);
        cr_assert_eq(err, VERSO_OK);
        err = vs_page_own(writer, page[i], &own, &bytes);
        cr_assert_eq(err, VERSO_OK);
        cr_assert_eq(own, page[i], "a spilled page is still the transaction's own");
    }
    page_commit(store);
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a' + (int)(i % 26));
    }
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(page_writer, a_new_page_that_was_not_reserved_may_meet_a_full_disk)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    page_commit_up_to(store, 1); /* the log takes its place */
    struct vs_page_writer *writer = page_begin(store);
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    verso_err err = VERSO_OK;
    uint64_t made = 0;
    for (; err == VERSO_OK; made++) {
        vs_page_no page;
        uint8_t *bytes;
        err = vs_page_new(writer, VS_KIND_LEAF, &page, &bytes);
    }
    cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
    cr_assert_eq(writer->born_count, made - 1);
    vs_store_abort(store);
    simulated_disk_set_capacity(disk, UINT64_MAX);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(page_writer, a_spill_that_cannot_be_written_leaves_the_pages_where_they_are)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    store->arena_limit = 64; /* frames */
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page[MANY];
    unsigned made = 0;
    while (atomic_load(&store->arena.busy) < store->arena_limit) {
        page[made] = page_make_linked_leaf(writer, (char)('a' + made % 26), 0);
        made++;
    }
    struct simulated_fault fault = {.kind = SIMULATED_WRITE, .nth = 3, .err = VERSO_NOSPC};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_writer_step(writer), VERSO_NOSPC);
    cr_assert_eq(atomic_load(&store->arena.busy), 62, "two went");
    for (unsigned i = 0; i < 2; i++) {
        page[made] = page_make_linked_leaf(writer, (char)('a' + made % 26), 0);
        made++;
    }
    page_step(writer);
    cr_assert_eq(atomic_load(&store->arena.busy), 48, "three quarters of the limit");
    for (unsigned i = 0; i < made; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a' + (int)(i % 26));
    }
    page_commit(store);
    page_store_close(store);
    simulated_disk_close(disk);
}

/* The two kinds of trees count their lives by two clocks. */
Test(page_writer, a_page_of_the_history_is_no_part_of_a_root)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    page_commit_up_to(store, 3);
    cr_assert_eq(vs_store_checkpoint(store, false), VERSO_OK, "%s", verso_error_detail());
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = store->history.roots.page;
    cr_assert_neq(page, 0);
    cr_assert_eq(vs_page_check_alive(writer, page), VERSO_CORRUPT);
    cr_assert_eq(vs_page_drop(writer, page), VERSO_CORRUPT);
    cr_assert_eq(vs_page_check_alive(&store->history_writer, page), VERSO_OK);
    page_commit(store);
    page_store_close(store);
    simulated_disk_close(disk);
}
