/*
 * savepoint_test.c - pages and descriptors rolled back within a transaction.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "failing_memory.h"
#include "page_fixture.h"

enum { PAGE_SIZE = 512 };

/* Write all pages of the running transaction to the file. */
static void spill_everything(struct vs_store *store)
{
    uint64_t limit = store->arena_limit;
    store->arena_limit = 1;
    page_step(&store->writer);
    store->arena_limit = limit;
}

Test(savepoint, a_page_made_before_gets_its_bytes_back)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    cr_assert_eq(page_set_mark(writer, page, 'b'), page);
    page_set_mark(writer, page, 'c');
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_set_mark(writer, page, 'd'); /* the savepoint is still open */
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_commit(store);
    cr_assert_eq(page_mark(store, page), 'a');
    page_store_close(store);
}

Test(savepoint, a_page_about_to_be_encoded_anew_is_saved_too)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    vs_page_no own = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_replace(writer, page, &own, &bytes);
    cr_assert_eq(err, VERSO_OK);
    memset(bytes, 0xAA, PAGE_SIZE);
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    vs_store_abort(store);
    page_store_close(store);
}

Test(savepoint, a_page_made_after_is_free_again)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    page_make_leaf(writer, 'a');
    page_savepoint(writer);
    vs_page_no page = page_make_leaf(writer, 'b');
    page_set_mark(writer, page, 'c');
    cr_assert_null(writer->savepoints.saved, "what was made since needs no saving");
    page_roll_back(writer, 1);
    cr_assert(vs_space_is_free(&store->space, page));
    vs_store_abort(store);
    page_store_close(store);
}

Test(savepoint, words_of_committed_pages_are_as_they_were)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no copied = page_make_linked_leaf(writer, 'a', 7);
    vs_page_no dropped = page_make_linked_leaf(writer, 'b', 8);
    page_commit(store);
    writer = page_begin(store);
    page_link(writer, copied, 9);
    struct page_words before[2] = {page_words(store, copied), page_words(store, dropped)};
    page_savepoint(writer);
    page_link(writer, copied, 10);
    page_set_mark(writer, copied, 'x');
    page_drop(writer, dropped);
    cr_assert_eq(writer->deaths.count, 2);
    page_roll_back(writer, 1);
    struct page_words after[2] = {page_words(store, copied), page_words(store, dropped)};
    cr_assert_arr_eq(after, before, sizeof before);
    cr_assert_eq(writer->deaths.count, 0);
    page_commit(store);
    cr_assert_eq(page_next(store, copied, 2), 9);
    cr_assert_eq(page_words(store, dropped).word[VS_WORD_DIED], VS_ALIVE);
    page_store_close(store);
}

Test(savepoint, a_page_dropped_after_it_keeps_number_and_bytes_until_the_release)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    page_set_mark(writer, page, 'b');
    page_drop(writer, page);
    page_step(writer);
    cr_assert_not(vs_space_is_free(&store->space, page));
    page_roll_back(writer, 1);
    page_step(writer);
    cr_assert_eq(page_mark(store, page), 'a', "it lives again");
    page_drop(writer, page);
    page_step(writer);
    vs_writer_release(writer, 1);
    page_step(writer);
    cr_assert(vs_space_is_free(&store->space, page));
    page_commit(store);
    page_store_close(store);
}

Test(savepoint, a_page_made_and_dropped_after_it_is_free_at_the_next_step)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    page_savepoint(writer);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_drop(writer, page);
    page_step(writer);
    cr_assert(vs_space_is_free(&store->space, page));
    vs_page_no again = page_make_leaf(writer, 'b');
    cr_assert_eq(again, page, "the number is taken anew");
    page_roll_back(writer, 1); /* born twice since: freed once */
    cr_assert(vs_space_is_free(&store->space, page));
    vs_store_abort(store);
    page_store_close(store);
}

Test(savepoint, a_page_dropped_before_it_does_not_come_back)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_drop(writer, page);
    page_savepoint(writer);
    cr_assert(vs_space_is_free(&store->space, page));
    page_roll_back(writer, 1);
    cr_assert(vs_space_is_free(&store->space, page));
    page_commit(store);
    page_store_close(store);
}

Test(savepoint, nested_ones_are_rolled_back_to_each_in_its_state)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    for (char mark = 'b'; mark <= 'f'; mark++) {
        page_savepoint(writer);
        page_set_mark(writer, page, mark);
    }
    page_roll_back(writer, 5);
    cr_assert_eq(page_mark(store, page), 'e');
    page_roll_back(writer, 3);
    cr_assert_eq(page_mark(store, page), 'c');
    cr_assert_eq(writer->savepoints.count, 3, "those inside it are gone");
    page_savepoint(writer);
    page_set_mark(writer, page, 'x');
    vs_writer_release(writer, 3);
    cr_assert_eq(page_mark(store, page), 'x', "a release changes nothing");
    page_roll_back(writer, 2);
    cr_assert_eq(page_mark(store, page), 'b');
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_commit(store);
    page_store_close(store);
}

Test(savepoint, a_page_is_saved_once_for_the_outer_one_however_many_inner_ones_come)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no old = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    vs_page_no fresh = page_make_leaf(writer, 'b');
    for (unsigned i = 0; i < 100; i++) {
        page_savepoint(writer);
        page_set_mark(writer, old, 'c');
        page_set_mark(writer, fresh, 'd');
        cr_assert_neq(vs_savepoint_knows(writer, fresh), false);
        vs_writer_release(writer, 2);
        cr_assert_eq(vs_savepoint_knows(writer, fresh), false);
    }
    unsigned saved = 0;
    void *entry = writer->savepoints.saved;
    for (; entry != NULL; memcpy(&entry, entry, sizeof entry)) { /* `next` stands first */
        saved++;
    }
    cr_assert_eq(saved, 1);
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, old), 'a');
    page_commit(store);
    page_store_close(store);
}

Test(savepoint, a_page_that_was_spilled_comes_right)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page[4];
    for (unsigned i = 0; i < 4; i++) {
        page[i] = page_make_leaf(writer, 'a');
    }
    vs_page_no untouched = page_make_leaf(writer, 'u');
    spill_everything(store);
    page_savepoint(writer);
    for (unsigned i = 0; i < 4; i++) {
        page_set_mark(writer, page[i], 'b');
    }
    spill_everything(store); /* over the bytes of before */
    cr_assert_eq(page_mark(store, page[1]), 'b', "verified where it lies in the file");
    page_set_mark(writer, page[2], 'c');
    page_drop(writer, page[3]);
    spill_everything(store);
    page_roll_back(writer, 1);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a');
    }
    spill_everything(store);
    cr_assert_eq(page_mark(store, untouched), 'u');
    page_commit(store);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(page_mark(store, page[i]), 'a');
    }
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(savepoint, a_rollback_without_frames_for_what_was_spilled_changes_nothing)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    page_savepoint(writer);
    page_set_mark(writer, page, 'b');
    vs_page_no fresh = page_make_leaf(writer, 'c');
    spill_everything(store);
    struct vs_arena *arena = &store->arena;
    uint32_t capacity = arena->capacity;
    uint32_t free_count = arena->free_count;
    arena->capacity = arena->touched; /* as if all frames were taken */
    arena->free_count = 0;
    cr_assert_eq(vs_writer_rollback_to(writer, 1), VERSO_NOMEM);
    cr_assert_eq(page_mark(store, page), 'b');
    cr_assert_eq(page_mark(store, fresh), 'c');
    cr_assert_eq(writer->savepoints.count, 2);
    arena->capacity = capacity;
    arena->free_count = free_count;
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_commit(store);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(savepoint, more_than_the_limit_are_refused)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    for (unsigned i = 0; i < VS_SAVEPOINTS_MAX; i++) {
        page_savepoint(writer);
        page_set_mark(writer, page, (char)('a' + i % 26));
    }
    cr_assert_eq(vs_writer_savepoint(writer), VERSO_LIMIT);
    vs_writer_release(writer, VS_SAVEPOINTS_MAX);
    page_savepoint(writer);
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_savepoint(writer);
    vs_store_abort(store); /* with two of them open */
    page_begin(store);
    page_commit(store);
    page_store_close(store);
}

Test(savepoint, what_was_reserved_can_be_saved_without_memory)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    page_savepoint(writer);
    verso_err err = vs_writer_reserve(writer, 20);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_geq(writer->savepoints.spare_count, 20);
    vs_store_abort(store);
    cr_assert_eq(writer->savepoints.spare_count, 0, "memory goes with the transaction");
    page_store_close(store);
}

Test(savepoint, what_cannot_be_saved_for_want_of_memory_is_not_changed)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no page = page_make_leaf(writer, 'a');
    page_savepoint(writer);
    vs_page_no own;
    uint8_t *bytes = NULL;
    failing_memory_arm(1, true);
    cr_assert_eq(vs_page_own(writer, page, &own, &bytes), VERSO_NOMEM);
    cr_assert_gt(failing_memory_disarm(), 0);
    cr_assert_null(bytes, "nobody may write there");
    page_set_mark(writer, page, 'b');
    page_roll_back(writer, 1);
    cr_assert_eq(page_mark(store, page), 'a');
    page_commit(store);
    page_store_close(store);
}
