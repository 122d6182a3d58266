/*
 * commit_fault_test.c - transactions, settings and checkpoints of the store floor where ids, memory,
 * the disk or the log end in their middle.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "failing_memory.h"
#include "meanwhile.h"
#include "page_fixture.h"

enum { PAGE_SIZE = 512, LONG_FRAME = 1 << 20, TAIL = 4000 };

static struct simulated_disk *disk;

static void set_up(void)
{
    disk = simulated_disk_open(1);
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(commit_fault, .init = set_up, .fini = tear_down, .timeout = 60);

static verso_err begin_at(struct vs_store *store, uint64_t version)
{
    struct vs_page_writer *writer;
    return vs_store_begin_at(store, version, &writer);
}

static verso_err commit(struct vs_store *store, const struct vs_commit *what)
{
    uint64_t version;
    uint64_t end_lsn;
    return vs_store_commit(store, what, &version, &end_lsn);
}

/* ---- ids ---- */

Test(commit_fault, ids_that_are_taken_or_beyond_the_last_are_refused)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_commit_up_to(store, 2);
    cr_assert_eq(begin_at(store, 2), VERSO_MISMATCH);
    cr_assert_eq(begin_at(store, VS_NUMBER_MAX + 1), VERSO_LIMIT);
    cr_assert_eq(begin_at(store, 3), VERSO_OK, "the lock is free: %s", verso_error_detail());
    cr_assert_eq(page_commit(store), 3);
    page_store_close(store);
}

/* Each attempt fails at another allocation, and for good from there on. */
Test(commit_fault, ids_passed_over_by_a_commit_that_fails_may_be_given_again)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_commit_up_to(store, 1);
    verso_err err = VERSO_NOMEM;
    unsigned failures = 0;
    for (uint64_t nth = 1; err != VERSO_OK; nth++) {
        cr_assert_eq(begin_at(store, 5), VERSO_OK);
        page_make_leaf(&store->writer, 'a');
        failing_memory_arm(nth, true);
        err = commit(store, &(struct vs_commit){.note = {"note", 4}});
        bool failed = failing_memory_disarm() > 0;
        failures += failed;
        cr_assert_eq(err, failed ? VERSO_NOMEM : VERSO_OK, "allocation %" PRIu64, nth);
        for (uint64_t id = 2; id < 5; id++) {
            cr_assert_eq(vs_retained_has(&store->retained, id), failed, "allocation %" PRIu64, nth);
        }
        cr_assert_eq(store->tip.version, failed ? 1 : 5);
    }
    cr_assert_gt(failures, 0);
    page_store_close(store);
}

/* ---- settings ---- */

Test(commit_fault, a_setting_learns_that_the_checkpoint_before_it_failed)
{
    static uint8_t operations[LONG_FRAME];
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_begin(store);
    struct vs_commit full = {.operations = {operations, sizeof operations}};
    cr_assert_eq(commit(store, &full), VERSO_OK, "%s", verso_error_detail());
    struct simulated_fault fault = {.kind = SIMULATED_IDENTIFY, .nth = 1};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_store_begin_setting(store), VERSO_IO);
    cr_assert_eq(vs_store_begin_setting(store), VERSO_OK, "%s", verso_error_detail());
    vs_store_end_setting(store);
    page_store_close(store);
}

Test(commit_fault, a_setting_for_which_no_log_can_be_made_is_none)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    uint64_t end_lsn;
    verso_slice nothing = {"", 0};
    cr_assert_eq(vs_store_begin_setting(store), VERSO_OK);
    struct simulated_fault fault = {.kind = SIMULATED_CREATE, .nth = 1, .err = VERSO_NOSPC};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(vs_store_log_setting(store, nothing, &end_lsn), VERSO_NOSPC);
    cr_assert_eq(end_lsn, 0);
    cr_assert_eq(vs_store_log_setting(store, nothing, &end_lsn), VERSO_OK);
    cr_assert_gt(end_lsn, 0);
    vs_store_end_setting(store);
    page_store_close(store);
}

/* ---- checkpoints ---- */

static void end_memory(void *argument, struct simulated_disk *of,
                       const struct simulated_event *event)
{
    if (event->is_after && event->err != VERSO_OK) {
        simulated_disk_set_hook(of, NULL, NULL);
        *(bool *)argument = true;
        failing_memory_arm(1, true);
    }
}

/* Commit by a checkpoint whose first write fails, and from there on there is no memory. */
static void commit_in_vain(struct vs_store *store)
{
    bool memory_ended = false;
    struct simulated_fault fault = {.kind = SIMULATED_WRITE, .nth = 1};
    simulated_disk_inject(disk, &fault);
    simulated_disk_set_hook(disk, end_memory, &memory_ended);
    cr_assert_eq(commit(store, &(struct vs_commit){.bypass_log = true}), VERSO_UNKNOWN);
    cr_assert(memory_ended);
    cr_assert_eq(failing_memory_disarm(), 0, "taking it back asked for memory");
    cr_assert_eq(begin_at(store, 0), VERSO_POISONED);
}

Test(commit_fault, a_commit_by_checkpoint_that_fails_is_taken_back_without_memory)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    vs_page_no old = page_make_linked_leaf(page_begin(store), 'a', 0);
    page_commit(store);
    struct page_words before = page_words(store, old);
    vs_page_no own = page_set_mark(page_begin(store), old, 'b');
    cr_assert_neq(own, old);
    commit_in_vain(store);
    cr_assert_eq(store->tip.version, 1);
    cr_assert_eq(page_mark(store, old), 'a');
    struct page_words after = page_words(store, old);
    cr_assert_eq(after.word[VS_WORD_DIED], before.word[VS_WORD_DIED]);
    after = page_words(store, own);
    cr_assert_eq(after.word[VS_WORD_DIED], after.word[VS_WORD_BORN], "it never lived");
    cr_assert(vs_space_is_free(&store->space, own));
    cr_assert_eq(vs_store_close(store), VERSO_POISONED);
}

/* Its checkpoint has given up the tail that the transaction made and left. */
Test(commit_fault, a_commit_by_checkpoint_that_fails_leaves_a_tail_given_up_alone)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_commit_up_to(store, 1);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no first = page_make_leaf(writer, 'a');
    for (unsigned i = 0; i < TAIL; i++) {
        page_drop(writer, page_make_leaf(writer, 'b'));
    }
    uint64_t high_water = store->space.high_water;
    commit_in_vain(store);
    cr_assert_lt(store->space.high_water, high_water);
    cr_assert(vs_space_is_free(&store->space, first));
    for (uint64_t page = store->space.high_water; page < high_water; page++) {
        cr_assert_not(vs_space_is_free(&store->space, (vs_page_no)page), "it is beyond the end");
    }
    cr_assert_eq(vs_store_close(store), VERSO_POISONED);
}

Test(commit_fault, a_checkpoint_without_a_reader_slot_comes_later)
{
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_commit_up_to(store, 1);
    uint64_t generation = vs_store_generation(store);
    for (uint32_t i = 0; i < VS_READER_SLOTS_MAX; i++) { /* one by one takes seconds */
        atomic_store(&store->readers.slot[i].pinned, 1 + 1);
    }
    atomic_store(&store->readers.used_below, VS_READER_SLOTS_MAX);
    cr_assert_eq(vs_store_checkpoint(store, false), VERSO_LIMIT);
    cr_assert_eq(vs_store_generation(store), generation);
    cr_assert_not(vs_store_is_poisoned(store));
    vs_reader_unpin(&store->readers, VS_READER_SLOTS_MAX - 1);
    cr_assert_eq(vs_store_checkpoint(store, false), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(vs_store_generation(store), generation + 1);
    page_store_close(store);
}

static void fail_as_witness(void *argument)
{
    struct vs_store *store = argument;
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1};
    simulated_disk_inject(disk, &fault);
    cr_assert_neq(vs_log_witness(vs_store_log(store)), VERSO_OK);
}

/* The thread that syncs appends a witness between the freeze's own sync and the end that the metas are
 * to name. */
Test(commit_fault, a_checkpoint_names_no_end_of_the_log_that_could_not_be_synced)
{
    need_points();
    struct vs_store *store = page_store_open(disk, PAGE_SIZE, 0);
    page_commit_up_to(store, 1);
    uint64_t writes = simulated_disk_events(disk, SIMULATED_WRITE);
    meanwhile_at(VS_POINT_COLLECT_PINS, 2, fail_as_witness, store); /* 1: before the freeze */
    cr_assert_eq(vs_store_checkpoint(store, false), VERSO_UNKNOWN, "%s", verso_error_detail());
    cr_assert(meanwhile_done());
    cr_assert_eq(simulated_disk_events(disk, SIMULATED_WRITE), writes + 1, "the witness itself");
    cr_assert_eq(begin_at(store, 0), VERSO_POISONED);
    cr_assert_eq(vs_store_close(store), VERSO_POISONED);
}

Test(commit_fault, roots_in_memory_are_settled_later_if_memory_ends_for_good)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    page_commit_up_to(store, 100);
    for (uint64_t root = 2; root < 100; root += 2) { /* more ranges than the judge has room for */
        cr_assert_eq(vs_retained_drop(&store->retained, &(struct vs_version_range){root, root}, 1),
                     VERSO_OK);
    }
    uint64_t generation = vs_store_generation(store);
    verso_err err = VERSO_NOMEM;
    unsigned failures = 0;
    for (uint64_t nth = 1; err != VERSO_OK; nth++) {
        failing_memory_arm(nth, true);
        err = vs_store_settle_memory(store);
        bool failed = failing_memory_disarm() > 0;
        failures += failed;
        cr_assert_eq(err, failed ? VERSO_NOMEM : VERSO_OK, "allocation %" PRIu64, nth);
        cr_assert_eq(vs_store_generation(store), generation + (failed ? 0 : 1));
    }
    cr_assert_gt(failures, 2);
    page_store_close(store);
}
