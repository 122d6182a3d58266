/*
 * address_limits_test.c - how much address space is taken for files of any length, and what happens
 * where memory or address space end in the middle of that.
 *
 * The system beneath is the real one, in one thread, but for the sizes of files and mappings, which
 * the tests choose.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/handles.h"
#include "failing_memory.h"
#include "os/fault.h"
#include "os/os.h"
#include "store/address_space.h"
#include "verso.h"

enum {
    MIB = 1 << 20,
    KEYS = 400,
    VALUE_SIZE = 900,
    ALLOCATIONS_MAX = 10000,
    ROOTS_IN_MEMORY = 64 * 1024
};

#define GIB (UINT64_C(1) << 30)

static struct vs_os system_below;
static uint64_t pretended; /* bytes that every file is said to have; 0: what it has */
static size_t map_max;     /* bytes of one mapping at most; 0: any number */
static size_t mapped;      /* bytes of the last one */
static char folder[64];
static char path[96];
static verso_store *store;

static verso_err identify(struct vs_file *file, struct vs_file_identity *identity)
{
    verso_err err = vs_os_real()->identify(file, identity);
    identity->size = pretended > 0 ? pretended : identity->size;
    return err;
}

static verso_err map(struct vs_file *file, size_t size, const uint8_t **address)
{
    if (map_max > 0 && size > map_max) {
        return vs_fault(VERSO_NOMEM, "a narrow system");
    }
    mapped = size;
    return vs_os_real()->map(file, size, address);
}

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-limits-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    system_below = *vs_os_real();
    system_below.identify = identify;
    system_below.map = map;
    system_below.background = false;
}

static void tear_down(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0, "%s holds more than the store", folder);
}

TestSuite(address_limits, .init = set_up, .fini = tear_down);

static verso_err open_with(uint32_t page_size, uint64_t arena_bytes)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    options.arena_bytes = arena_bytes;
    options.durability = VERSO_DURABILITY_INTERVAL;
    options.system = &system_below;
    store = NULL;
    return verso_open(path, &options, &store);
}

static void open_store(void)
{
    cr_assert_eq(open_with(0, 4 * MIB), VERSO_OK, "%s", verso_error_detail());
}

static void close_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

static verso_err try_round(unsigned round)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i++) {
        char key[32];
        uint8_t value[VALUE_SIZE];
        memset(value, (int)(round + i), sizeof value);
        (void)snprintf(key, sizeof key, "%05u of round %04u", i, round);
        err = verso_put(txn, verso_text(key), (verso_slice){value, sizeof value});
    }
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

static void add_round(unsigned round)
{
    verso_err err = try_round(round);
    cr_assert_eq(err, VERSO_OK, "round %u: %s", round, verso_error_detail());
}

/* ---- long files ---- */

Test(address_limits, the_first_mapping_covers_sixteen_times_a_long_file)
{
    static const struct {
        uint64_t file;
        uint64_t mapping;
    } rows[] = {{GIB, 256 * GIB}, {20 * GIB, 512 * GIB}, {2048 * GIB, 16384 * GIB}};
    open_store();
    close_store();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (truncate(path, (off_t)rows[i].file) != 0) {
            cr_skip_test("the file system has no files of so many bytes");
        }
        open_store();
        cr_assert_eq(mapped, rows[i].mapping, "%zu bytes for %" PRIu64, mapped, rows[i].file);
        add_round((unsigned)i + 1);
        close_store();
    }
}

Test(address_limits, a_file_longer_than_any_store_is_refused)
{
    open_store();
    close_store();
    pretended = 16384 * GIB + 1;
    cr_assert_eq(open_with(0, 0), VERSO_LIMIT, "%s", verso_error_detail());
    cr_assert_null(store);
}

/* ---- little address space ---- */

/* Each allocation and each reservation of opening fails, alone and with all that follow. */
static void sweep_open(const char *name, uint32_t page_size, uint64_t arena_bytes)
{
    for (unsigned for_ever = 0; for_ever < 2; for_ever++) {
        uint64_t nth = 1;
        bool failed = true;
        for (; failed && nth < ALLOCATIONS_MAX; nth++) {
            int64_t held = failing_memory_held();
            failing_memory_arm(nth, for_ever);
            verso_err err = open_with(page_size, arena_bytes);
            failed = failing_memory_disarm() > 0;
            cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "%s, allocation %" PRIu64 ": %s", name,
                      nth, verso_error_detail());
            if (err == VERSO_OK) {
                close_store();
            }
            cr_assert_eq(failing_memory_held(), held, "%s, allocation %" PRIu64, name, nth);
        }
        cr_assert_gt(nth, 3);
    }
}

Test(address_limits, opening_fails_cleanly_wherever_address_space_ends)
{
    open_store();
    close_store();
    sweep_open("plenty", 0, 4 * MIB);
    failing_memory_bound(512 * (size_t)MIB);
    sweep_open("512 MiB", 0, 4 * MIB);
}

Test(address_limits, a_store_of_large_pages_works_in_a_small_arena)
{
    failing_memory_bound(64 * (size_t)MIB); /* 64 large pages would be a modest part of this */
    cr_assert_eq(open_with(65536, MIB), VERSO_OK, "%s", verso_error_detail());
    for (unsigned round = 1; round <= 4; round++) {
        add_round(round);
    }
    close_store();
}

Test(address_limits, an_arena_takes_what_can_be_had_where_more_was_asked_for)
{
    failing_memory_bound(512 * (size_t)MIB);
    cr_assert_eq(open_with(0, 256 * (uint64_t)MIB), VERSO_OK, "%s", verso_error_detail());
    for (unsigned round = 1; round <= 4; round++) {
        add_round(round);
    }
    close_store();
}

Test(address_limits, small_pages_number_no_more_frames_than_there_are_numbers)
{
    cr_assert_eq(open_with(512, UINT64_C(1) << 40), VERSO_OK, "%s", verso_error_detail());
    add_round(1);
    close_store();
}

static verso_err open_in_memory(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    store = NULL;
    return verso_open(NULL, &options, &store);
}

Test(address_limits, a_store_in_memory_fails_cleanly_wherever_address_space_ends)
{
    for (unsigned for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        for (uint64_t nth = 1; failed; nth++) {
            int64_t held = failing_memory_held();
            failing_memory_arm(nth, for_ever);
            verso_err err = open_in_memory();
            failed = failing_memory_disarm() > 0;
            cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "%s", verso_error_detail());
            cr_assert_eq(verso_close(store), VERSO_OK);
            cr_assert_eq(failing_memory_held(), held, "allocation %" PRIu64, nth);
        }
    }
}

Test(address_limits, a_store_in_memory_that_is_full_says_so_and_takes_room_given_back)
{
    failing_memory_bound(4 * (size_t)MIB);
    cr_assert_eq(open_in_memory(), VERSO_OK, "%s", verso_error_detail());
    verso_err err = VERSO_OK;
    unsigned rounds = 0;
    while (err == VERSO_OK) {
        cr_assert_lt(rounds, 100);
        err = try_round(++rounds);
    }
    cr_assert(err == VERSO_NOSPC || err == VERSO_LIMIT || err == VERSO_NOMEM, "%s: %s",
              verso_strerror(err), verso_error_detail());
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_delete_range(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    verso_retention policy = verso_keep_last(1);
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK);
    add_round(1);
    close_store();
}

static verso_err commit_nearly_nothing(unsigned number)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_put(txn, verso_text("key"), (verso_slice){&number, sizeof number});
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

Test(address_limits, roots_gathered_in_memory_are_settled_whichever_allocation_fails)
{
    cr_assert_eq(open_in_memory(), VERSO_OK);
    for (unsigned i = 0; i < ROOTS_IN_MEMORY; i++) {
        cr_assert_eq(commit_nearly_nothing(i), VERSO_OK, "%s", verso_error_detail());
    }
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        failing_memory_arm(nth, false);
        verso_err err = commit_nearly_nothing((unsigned)nth);
        failed = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (failed && err == VERSO_NOMEM), "%s", verso_error_detail());
    }
    close_store();
}

/* ---- a larger mapping ---- */

static void open_narrow_store(void)
{
    map_max = 4 * (size_t)MIB;
    open_store();
    map_max = 0;
}

/* Commit rounds until one of them has made a larger mapping. @return The next round. */
static unsigned outgrow(unsigned round)
{
    size_t before = mapped;
    while (mapped == before) {
        cr_assert_lt(round, 100);
        add_round(round++);
    }
    return round;
}

/* Each round is tried with each of its allocations failing, so the exchange is, too. */
Test(address_limits, a_transaction_fails_alone_or_not_at_all_while_the_mapping_is_exchanged)
{
    open_narrow_store();
    size_t before = mapped;
    for (unsigned round = 1; mapped == before; round++) {
        cr_assert_lt(round, 100);
        bool failed = true;
        verso_err err = VERSO_NOMEM;
        for (uint64_t nth = 1; failed || err != VERSO_OK; nth++) {
            failing_memory_arm(nth, false);
            err = try_round(round);
            failed = failing_memory_disarm() > 0;
            cr_assert(err == VERSO_OK || (failed && err == VERSO_NOMEM), "%s",
                      verso_error_detail());
        }
    }
    close_store();
}

Test(address_limits, an_exchange_of_the_mapping_that_fails_leaves_the_old_one)
{
    open_narrow_store();
    struct vs_store *inner = store->store;
    uint64_t bytes = inner->mapping.bytes;
    failing_memory_arm(1, true);
    cr_assert_eq(vs_store_map_at_least(inner, bytes + 1), VERSO_NOMEM);
    cr_assert_gt(failing_memory_disarm(), 0);
    cr_assert_eq(inner->mapping.bytes, bytes);
    cr_assert_null(inner->mapping.old);
    (void)outgrow(1);
    close_store();
}

/* The first checkpoint notes when the old mapping may go; if it then fails, the next one meets that
 * note before its time. */
Test(address_limits, an_old_mapping_outlives_checkpoints_that_fail)
{
    open_narrow_store();
    unsigned round = outgrow(1);
    bool failed = true;
    for (uint64_t nth = 1; failed; nth++) {
        failing_memory_arm(nth, false);
        verso_err err = verso_checkpoint(store);
        failed = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "%s", verso_error_detail());
        cr_assert(err == VERSO_OK || failed);
    }
    for (unsigned i = 0; i < 3; i++) {
        add_round(round + i);
        cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%s", verso_error_detail());
    }
    close_store();
}

/* ---- a long tail of free pages ------------------------------------------------------------- */

/* So many small pages that whole directory pages of the table are given up with them. */
Test(address_limits, a_tail_of_thousands_of_blocks_is_given_up_or_waits_for_memory)
{
    static uint8_t value[1 << 20];
    cr_assert_eq(open_with(512, 4 * MIB), VERSO_OK);
    verso_retention policy = verso_keep_last(1);
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK);
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned i = 0; i < 40; i++) {
        memset(value, (int)i, sizeof value);
        cr_assert_eq(
            verso_put(txn, (verso_slice){&i, sizeof i}, (verso_slice){value, sizeof value}),
            VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_delete_range(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    uint64_t used = 0;
    for (uint64_t nth = 1; nth < 200; nth++) {
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(commit_nearly_nothing((unsigned)nth), VERSO_OK);
        failing_memory_arm(nth / 2 + 1, false);
        verso_err err = verso_checkpoint(store);
        bool failed = failing_memory_disarm() > 0;
        cr_assert(err == VERSO_OK || (failed && err == VERSO_NOMEM), "%s", verso_error_detail());
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        used = stats.used_pages;
        if (!failed) {
            break;
        }
    }
    cr_assert_eq(commit_nearly_nothing(1), VERSO_OK);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    cr_assert_lt(used, 40 * sizeof value / 512 / 2, "the tail is still there");
    close_store();
}

Test(address_limits, a_value_longer_than_a_zone_of_small_pages_comes_back)
{
    enum { LONG = 20 << 20 };
    uint8_t *value = malloc(LONG);
    cr_assert_not_null(value);
    for (size_t i = 0; i < LONG; i++) {
        value[i] = (uint8_t)(i * 31 >> 7);
    }
    cr_assert_eq(open_with(512, 4 * MIB), VERSO_OK);
    verso_txn *txn;
    verso_slice found;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("long"), (verso_slice){value, LONG}), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_get(view, verso_text("long"), &found), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(found.size, LONG);
    cr_assert_eq(memcmp(found.data, value, LONG), 0);
    verso_view_close(view);
    free(value);
    close_store();
}
