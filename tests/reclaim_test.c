/*
 * reclaim_test.c - dead pages found free by judging and by the sweep, and the growth of the file.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "history/history.h"
#include "page_fixture.h"

enum { PAGE_SIZE = 512, LEAVES = 200 };

static void judge(struct vs_store *store)
{
    vs_fair_lock_take(&store->writer_lock);
    verso_err err = vs_store_judge(store, true);
    vs_fair_lock_release(&store->writer_lock);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void checkpoint(struct vs_store *store)
{
    verso_err err = vs_store_checkpoint(store, false);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void make_leaves(struct vs_store *store, vs_page_no *leaf)
{
    struct vs_page_writer *writer = page_begin(store);
    for (unsigned i = 0; i < LEAVES; i++) {
        leaf[i] = page_make_linked_leaf(writer, (char)('a' + i % 26), 0);
    }
    page_commit(store);
}

static void drop_leaves(struct vs_store *store, const vs_page_no *leaf)
{
    struct vs_page_writer *writer = page_begin(store);
    for (unsigned i = 0; i < LEAVES; i++) {
        verso_err err = vs_page_drop(writer, leaf[i]);
        cr_assert_eq(err, VERSO_OK);
    }
    page_commit(store);
}

static unsigned count_free(const struct vs_store *store, const vs_page_no *leaf)
{
    unsigned count = 0;
    for (unsigned i = 0; i < LEAVES; i++) {
        count += vs_space_is_free(&store->space, leaf[i]);
    }
    return count;
}

Test(reclaim, what_died_unkept_is_free_at_the_next_judging)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf);
    drop_leaves(store, leaf);
    cr_assert_eq(count_free(store, leaf), 0);
    judge(store);
    cr_assert_eq(count_free(store, leaf), LEAVES);
    judge(store);
    page_store_close(store);
}

Test(reclaim, what_the_retention_keeps_is_free_once_it_lets_go)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 3);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf); /* version 1, dropped in 2 */
    drop_leaves(store, leaf);
    page_commit_up_to(store, 3);
    judge(store);
    cr_assert_eq(count_free(store, leaf), 0, "version 1 is among the last three");
    page_commit_up_to(store, 4);
    judge(store);
    cr_assert_eq(count_free(store, leaf), LEAVES);
    page_store_close(store);
}

Test(reclaim, what_the_newest_roots_keep_is_not_looked_at_until_they_leave)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 3);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf);
    drop_leaves(store, leaf);
    page_commit_up_to(store, 3);
    judge(store);
    cr_assert_eq(store->deaths.judged, 0);
    cr_assert_eq(store->deaths.recent.count, LEAVES);
    cr_assert_eq(store->deaths.parked.count, 0);
    cr_assert_eq(vs_store_held_pages(store), LEAVES, "counted for the budget all the same");
    page_commit_up_to(store, 4);
    judge(store);
    cr_assert_eq(store->deaths.recent.count, 0);
    cr_assert_eq(vs_store_held_pages(store), 0);
    page_store_close(store);
}

Test(reclaim, of_deaths_that_wait_the_oldest_are_parked_when_they_are_too_many)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no leaf[LEAVES];
    size_t dropped = 0;
    for (; dropped <= VS_WAITING_MAX + LEAVES; dropped += LEAVES) {
        make_leaves(store, leaf);
        drop_leaves(store, leaf);
    }
    judge(store);
    size_t waiting = store->deaths.recent.count - store->deaths.judged;
    cr_assert_eq(waiting, VS_WAITING_MAX);
    cr_assert_eq(store->deaths.parked.count, dropped - waiting);
    cr_assert_eq(vs_store_held_pages(store), dropped);
    page_store_close(store);
}

/* As many as fill two slices and a half are parked; then the roots that keep them go. */
static struct vs_store *store_with_many_parked(void)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no leaf[LEAVES];
    for (size_t dropped = 0; dropped < VS_WAITING_MAX + 80 * 1024; dropped += LEAVES) {
        make_leaves(store, leaf);
        drop_leaves(store, leaf);
    }
    judge(store);
    cr_assert_geq(store->deaths.parked.count, 80 * 1024);
    struct vs_version_range old = {1, store->tip.version - 1};
    cr_assert_eq(vs_retained_drop(&store->retained, &old, 1), VERSO_OK);
    return store;
}

Test(reclaim, the_parked_are_judged_a_slice_at_a_time)
{
    struct vs_store *store = store_with_many_parked();
    unsigned slices = 0;
    bool over = false;
    while (!over) {
        size_t before = store->space.free_count;
        cr_assert_eq(vs_store_judge_on(store, &over), VERSO_OK, "%s", verso_error_detail());
        cr_assert_gt(store->space.free_count, before);
        slices++;
    }
    cr_assert_eq(slices, 3);
    cr_assert_eq(store->deaths.parked.count, 0);
    page_store_close(store);
}

Test(reclaim, a_freeze_judges_only_what_has_a_frame)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    vs_page_no old[LEAVES];
    vs_page_no young[LEAVES];
    make_leaves(store, old);
    cr_assert_eq(vs_store_checkpoint(store, false), VERSO_OK, "%s", verso_error_detail());
    make_leaves(store, young);
    drop_leaves(store, old);
    drop_leaves(store, young);
    uint32_t slot = page_pin(store, store->tip.version - 2);
    struct vs_version_range all = {1, store->tip.version - 1};
    cr_assert_eq(vs_retained_drop(&store->retained, &all, 1), VERSO_OK);
    judge(store); /* the reader keeps both */
    cr_assert_eq(store->deaths.parked.count, 2 * LEAVES);
    vs_reader_unpin(&store->readers, slot);
    cr_assert_eq(vs_store_judge_frames(store), VERSO_OK);
    cr_assert_eq(store->deaths.parked.count, LEAVES);
    cr_assert_eq(count_free(store, young), LEAVES);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, what_a_reader_keeps_is_free_once_it_leaves_and_nothing_else_waits_for_it)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no old[LEAVES];
    vs_page_no young[LEAVES];
    make_leaves(store, old);
    uint32_t slot = page_pin(store, 1);
    make_leaves(store, young); /* born after the reader's version */
    drop_leaves(store, old);
    drop_leaves(store, young);
    judge(store);
    cr_assert_eq(count_free(store, old), 0);
    cr_assert_eq(count_free(store, young), LEAVES);
    cr_assert_eq(page_mark(store, old[1]), 'b');
    vs_reader_unpin(&store->readers, slot);
    judge(store);
    cr_assert_eq(count_free(store, old), LEAVES);
    page_store_close(store);
}

Test(reclaim, what_the_metas_name_is_kept_until_the_next_checkpoint)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf);
    checkpoint(store);
    drop_leaves(store, leaf);
    judge(store);
    cr_assert_eq(count_free(store, leaf), 0);
    checkpoint(store);
    judge(store);
    cr_assert_eq(count_free(store, leaf), LEAVES);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, a_full_arena_of_dead_pages_gives_its_frames_back)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    vs_page_no leaf[LEAVES];
    page_commit_up_to(store, 1);
    checkpoint(store);
    uint64_t busy = atomic_load(&store->arena.busy);
    make_leaves(store, leaf);
    drop_leaves(store, leaf);
    cr_assert_geq(atomic_load(&store->arena.busy), busy + LEAVES);
    judge(store);
    cr_assert_eq(atomic_load(&store->arena.busy), busy, "never written, never moved");
    page_store_close(store);
    simulated_disk_close(disk);
}

/* The queue of deaths lives in memory only: after a reopening the table alone knows of them. */
Test(reclaim, deaths_that_nobody_remembers_are_found_by_the_sweep)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf);
    checkpoint(store);
    drop_leaves(store, leaf);
    page_store_close(store);
    store = page_store_open(disk, 0, 0);
    uint64_t high_water = store->space.high_water;
    cr_assert_eq(store->space.free_count, 0);
    vs_page_no again[LEAVES];
    make_leaves(store, again);
    cr_assert_leq(store->space.high_water, high_water + 2 * VS_BLOCK_PAGES,
                  "the file grew although dead pages were there");
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, free_pages_are_used_again_for_ever)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    uint64_t high_water = 0;
    for (unsigned round = 0; round < 40; round++) {
        vs_page_no leaf[LEAVES];
        make_leaves(store, leaf);
        drop_leaves(store, leaf);
        if (round % 5 == 4) {
            checkpoint(store);
        }
        high_water = round == 10 ? store->space.high_water : high_water;
    }
    cr_assert_leq(store->space.high_water, high_water + LEAVES);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, the_file_grows_before_pages_beyond_its_end_are_handed_out)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    for (unsigned i = 0; i < 10 * LEAVES; i++) {
        vs_page_no page = page_make_leaf(writer, 'a');
        uint64_t size = 0;
        simulated_disk_bytes(disk, "store", &size);
        cr_assert_leq(((uint64_t)page + 1) * PAGE_SIZE, size);
        cr_assert_leq(store->space.high_water * PAGE_SIZE, size);
    }
    page_commit(store);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, growth_beyond_the_limit_is_refused)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    page_begin(store);
    verso_err err = vs_store_grow(store, (uint64_t)store->pages.limit + 1);
    cr_assert_eq(err, VERSO_LIMIT);
    err = vs_store_grow(store, store->pages.limit);
    cr_assert_eq(err, VERSO_OK);
    vs_store_abort(store);
    page_store_close(store);
}

Test(reclaim, roots_in_memory_move_to_the_history_tree)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 4);
    page_commit_up_to(store, 100);
    uint32_t slot = page_pin(store, 97);
    page_commit_up_to(store, 3 * VS_ROOT_CHUNK);
    cr_assert_eq(vs_store_settle_memory(store), VERSO_OK);
    cr_assert_eq(atomic_load(&store->roots.first), 3 * VS_ROOT_CHUNK + 1);
    struct vs_root_record record;
    for (uint64_t root = 3 * VS_ROOT_CHUNK - 3; root <= 3 * VS_ROOT_CHUNK; root++) {
        cr_assert_eq(vs_history_find(store, root, &record, NULL), VERSO_OK);
        cr_assert_eq(record.version, root);
    }
    cr_assert_eq(vs_history_find(store, 97, &record, NULL), VERSO_GONE);
    vs_reader_unpin(&store->readers, slot);
    page_commit_up_to(store, 5 * VS_ROOT_CHUNK);
    cr_assert_eq(vs_store_settle_memory(store), VERSO_OK);
    cr_assert_eq(vs_history_find(store, 3 * VS_ROOT_CHUNK, &record, NULL), VERSO_GONE);
    cr_assert_eq(store->history.roots.keys, 4);
    page_store_close(store);
}

/* On a full disk. */
static unsigned make_leaves_until_refused(struct vs_page_writer *writer, vs_page_no *leaf)
{
    unsigned count = 0;
    while (count < LEAVES && vs_writer_reserve(writer, 1) == VERSO_OK) {
        leaf[count++] = page_make_linked_leaf(writer, 'x', 0);
    }
    return count;
}

Test(reclaim, what_was_taken_from_the_reserve_is_owed_to_it)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no unused[LEAVES];
    vs_page_no leaf[LEAVES];
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    cr_assert_lt(make_leaves_until_refused(writer, unused), LEAVES);
    store->may_use_reserve = true;
    unsigned taken = make_leaves_until_refused(writer, leaf);
    cr_assert(taken > 5 && taken < LEAVES, "%u pages of a reserve", taken);
    for (unsigned i = 0; i < taken; i++) {
        page_drop(writer, leaf[i]);
    }
    page_step(writer); /* they are free */
    store->may_use_reserve = false;
    cr_assert_eq(vs_writer_reserve(writer, taken / 2), VERSO_NOSPC, "a put gets the reserve");
    store->may_use_reserve = true;
    cr_assert_eq(make_leaves_until_refused(writer, leaf), taken, "a deletion gets them all again");
    store->may_use_reserve = false;
    simulated_disk_set_capacity(disk, UINT64_MAX);
    cr_assert_eq(vs_writer_reserve(writer, 1), VERSO_OK, "%s", verso_error_detail());
    vs_store_abort(store);
    page_store_close(store);
    simulated_disk_close(disk);
}

Test(reclaim, of_deaths_that_no_list_has_room_for_the_sweep_finds_the_pages)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no leaf[LEAVES];
    make_leaves(store, leaf); /* version 1, dropped in 2 */
    struct vs_death_list *parked = &store->deaths.parked;
    cr_assert_eq(vs_death_list_reserve(parked, VS_PARKED_MAX), VERSO_OK);
    struct vs_death again = {1, 2, leaf[LEAVES - 1], false}; /* as if half a million were parked */
    for (parked->count = 0; parked->count < VS_PARKED_MAX - 1;) {
        parked->death[parked->count++] = again;
    }
    drop_leaves(store, leaf);
    struct vs_version_range kept = {2, store->tip.version + 1};
    cr_assert_eq(vs_retained_drop(&store->retained, &kept, 1), VERSO_OK);
    page_commit_up_to(store, 5); /* what died in 2 is among no open end any more, but 1 is kept */
    judge(store);
    cr_assert_eq(parked->count, VS_PARKED_MAX);
    cr_assert_eq(vs_store_held_pages(store), LEAVES, "those not on the list count, too");
    cr_assert_eq(count_free(store, leaf), 0);

    struct vs_version_range first = {1, 1};
    cr_assert_eq(vs_retained_drop(&store->retained, &first, 1), VERSO_OK);
    page_commit_up_to(store, 6);
    judge(store);
    cr_assert_eq(count_free(store, leaf), 2, "those on the list");
    vs_fair_lock_take(&store->writer_lock);
    store->deaths.swept_at_high_water = 0; /* as if the file had grown since */
    do {
        verso_err err = vs_store_make_space(store, store->space.free_count + 1);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    } while (store->deaths.sweep_under_way);
    vs_fair_lock_release(&store->writer_lock);
    cr_assert_eq(count_free(store, leaf), LEAVES);
    page_store_close(store);
}
