/*
 * cost_test.c - what roots cost and what holds the file's space: against counting page by page, and
 * against really dropping roots.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/layout.h"
#include "simulated_disk.h"
#include "simulated_random.h"
#include "verso.h"

enum { PAGE = 512, KEYS = 400, COMMITS = 60, ROOM = 2 * COMMITS };

struct fixture {
    struct simulated_disk *disk; /* NULL: in memory */
    verso_store *store;
    struct simulated_random random;
    uint64_t seed;
};

static uint64_t seed_of_run(void)
{
    const char *seed = getenv("VERSO_TEST_SEED");
    return seed != NULL ? strtoull(seed, NULL, 10) : 41;
}

static void open_store(struct fixture *fixture, bool read_only)
{
    verso_retention all = verso_keep_all();
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = read_only ? 0 : PAGE;
    options.retention = read_only ? NULL : &all;
    options.system = fixture->disk != NULL ? simulated_disk_os(fixture->disk) : NULL;
    verso_err err = verso_open(fixture->disk != NULL ? "store" : NULL, &options, &fixture->store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static struct fixture open_fixture(bool in_memory)
{
    struct fixture fixture = {.seed = seed_of_run()};
    fixture.random.state = fixture.seed;
    fixture.disk = in_memory ? NULL : simulated_disk_open(fixture.seed);
    open_store(&fixture, false);
    return fixture;
}

static void close_store(struct fixture *fixture)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(fixture->store, &report);
    cr_assert_eq(err, VERSO_OK, "seed %" PRIu64 ": root %" PRIu64 ", page %" PRIu32 ": %s",
                 fixture->seed, report.bad_root, report.bad_page, report.fault);
    err = verso_close(fixture->store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void close_fixture(struct fixture *fixture)
{
    close_store(fixture);
    if (fixture->disk != NULL) {
        simulated_disk_close(fixture->disk);
    }
}

static void commit(struct fixture *fixture)
{
    verso_txn *txn;
    verso_err err = verso_begin(fixture->store, &txn);
    unsigned changes = 1 + (unsigned)(simulated_random_next(&fixture->random) % 12);
    for (unsigned i = 0; i < changes && err == VERSO_OK; i++) {
        char key[16];
        char value[90];
        uint64_t random = simulated_random_next(&fixture->random);
        (void)snprintf(key, sizeof key, "key %04u", (unsigned)(random % KEYS));
        memset(value, 'a' + (int)(random >> 32) % 26, sizeof value);
        verso_slice bytes = {value, (random >> 40) % sizeof value};
        err = random % 5 == 0 ? verso_delete(txn, verso_text(key))
                              : verso_put(txn, verso_text(key), bytes);
        err = err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = verso_commit(txn, NULL, NULL);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void checkpoint(struct fixture *fixture)
{
    if (fixture->disk != NULL) {
        verso_err err = verso_checkpoint(fixture->store);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
}

static void grow_history(struct fixture *fixture)
{
    for (unsigned i = 0; i < COMMITS; i++) {
        commit(fixture);
        if (i % 17 == 11) {
            checkpoint(fixture);
        }
    }
}

static size_t costs_of(struct fixture *fixture, verso_root_id from, verso_root_cost *costs,
                       size_t room)
{
    for (size_t i = 0; i < room; i++) {
        costs[i] = (verso_root_cost){.size = sizeof costs[i]};
    }
    size_t count = 0;
    verso_err err = verso_root_costs(fixture->store, from, costs, room, &count);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return count;
}

static verso_space_report space_of(struct fixture *fixture)
{
    verso_space_report report = {.size = sizeof report};
    verso_err err = verso_space(fixture->store, &report);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(report.live_bytes + report.history_bytes + report.tag_bytes + report.reader_bytes +
                     report.passing_bytes + report.free_bytes + report.fixed_bytes +
                     report.ahead_bytes,
                 report.file_bytes);
    return report;
}

static void drop_all_but(struct fixture *fixture, uint64_t last)
{
    verso_retention policy = verso_keep_last(last);
    verso_err err = verso_retention_set(fixture->store, &policy);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void tag(struct fixture *fixture, const char *name, verso_root_id root)
{
    verso_err err = verso_tag_set(fixture->store, verso_text(name), root);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void untag(struct fixture *fixture, const char *name)
{
    verso_err err = verso_tag_delete(fixture->store, verso_text(name));
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* ---- against counting page by page ---- */

static bool lives_in(const struct vs_descriptor *descriptor, uint64_t version)
{
    return (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) == 0 &&
           vs_descriptor_born(descriptor) <= version && version < vs_descriptor_died(descriptor);
}

/* The costs of all roots, page by page and root by root. */
static void count_slowly(struct fixture *fixture, verso_root_cost *costs, size_t count)
{
    struct vs_store *store = fixture->store->store;
    for (uint64_t page = 0; page < store->space.high_water; page++) {
        const struct vs_descriptor *descriptor;
        cr_assert_eq(vs_page_table_get(&store->table, (vs_page_no)page, &descriptor), VERSO_OK);
        if (vs_layout_is_reserved(PAGE, (vs_page_no)page)) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (!lives_in(descriptor, costs[i].root)) {
                continue;
            }
            bool before = i > 0 && lives_in(descriptor, costs[i - 1].root);
            bool after = i + 1 < count && lives_in(descriptor, costs[i + 1].root);
            costs[i].before_bytes += before ? PAGE : 0;
            costs[i].after_bytes += after ? PAGE : 0;
            costs[i].own_bytes += before || after ? 0 : PAGE;
        }
    }
}

static void expect_true_costs(struct fixture *fixture)
{
    verso_root_cost costs[ROOM];
    verso_root_cost slow[ROOM];
    size_t count = costs_of(fixture, 0, costs, ROOM);
    cr_assert_lt(count, (size_t)ROOM);
    for (size_t i = 0; i < count; i++) {
        slow[i] = (verso_root_cost){.size = sizeof slow[i], .root = costs[i].root};
    }
    count_slowly(fixture, slow, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(memcmp(&costs[i], &slow[i], sizeof slow[i]), 0,
                     "seed %" PRIu64 ", root %" PRIu64 ": own %" PRIu64 ", before %" PRIu64
                     ", after %" PRIu64 "; page by page %" PRIu64 ", %" PRIu64 ", %" PRIu64,
                     fixture->seed, costs[i].root, costs[i].own_bytes, costs[i].before_bytes,
                     costs[i].after_bytes, slow[i].own_bytes, slow[i].before_bytes,
                     slow[i].after_bytes);
    }
    for (size_t from = 0; from < count; from += 7) { /* in parts, with the same results */
        verso_root_cost part[3];
        size_t got = costs_of(fixture, costs[from].root, part, 3);
        cr_assert_eq(got, count - from < 3 ? count - from : 3);
        cr_assert_eq(memcmp(part, &costs[from], got * sizeof part[0]), 0);
    }
}

static void check_costs(bool in_memory)
{
    struct fixture fixture = open_fixture(in_memory);
    expect_true_costs(&fixture); /* no root at all */
    commit(&fixture);
    expect_true_costs(&fixture);
    grow_history(&fixture);
    expect_true_costs(&fixture);
    for (unsigned i = 3; i < COMMITS; i += 1 + (unsigned)(fixture.seed + i) % 9) {
        char name[16];
        (void)snprintf(name, sizeof name, "tag %u", i);
        tag(&fixture, name, i);
    }
    drop_all_but(&fixture, 7);
    expect_true_costs(&fixture);
    checkpoint(&fixture);
    expect_true_costs(&fixture);
    close_fixture(&fixture);
}

Test(cost, agrees_with_counting_page_by_page)
{
    check_costs(false);
}

Test(cost, agrees_with_counting_page_by_page_in_memory)
{
    check_costs(true);
}

/* ---- against dropping ---- */

/* Drop a root by deleting its only tag: what becomes free must be what it was said to own. */
static void drop_tagged(struct fixture *fixture, verso_root_id root, const char *name)
{
    verso_root_cost cost;
    size_t count = costs_of(fixture, root, &cost, 1);
    cr_assert(count == 1 && cost.root == root);
    checkpoint(fixture);
    verso_space_report before = space_of(fixture);
    untag(fixture, name);
    checkpoint(fixture);
    verso_space_report after = space_of(fixture);
    uint64_t freed = after.free_bytes + after.passing_bytes + after.ahead_bytes -
                     before.free_bytes - before.passing_bytes - before.ahead_bytes;
    /* what the checkpoints' own pages take changes the fixed parts, and nothing else */
    int64_t fixed = (int64_t)(after.fixed_bytes - before.fixed_bytes);
    int64_t longer = (int64_t)(after.file_bytes - before.file_bytes);
    cr_assert_eq((int64_t)freed + fixed - longer, (int64_t)cost.own_bytes,
                 "seed %" PRIu64 ", root %" PRIu64 ": own %" PRIu64 ", freed %" PRIu64
                 ", fixed %+" PRId64,
                 fixture->seed, root, cost.own_bytes, freed, fixed);
    cr_assert_eq(before.live_bytes, after.live_bytes);
    cr_assert_eq(before.history_bytes, after.history_bytes);
    cr_assert_eq(before.tag_bytes - after.tag_bytes, cost.own_bytes);
}

Test(cost, dropping_a_root_frees_exactly_what_it_owns)
{
    struct fixture fixture = open_fixture(false);
    grow_history(&fixture);
    static const verso_root_id roots[] = {4, 5, 6, 17, 30, 33};
    char name[16];
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        (void)snprintf(name, sizeof name, "tag %zu", i);
        tag(&fixture, name, roots[i]);
    }
    drop_all_but(&fixture, 9);
    static const size_t order[] = {1, 5, 0, 3, 4, 2}; /* neighbours gone and still there */
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        (void)snprintf(name, sizeof name, "tag %zu", order[i]);
        drop_tagged(&fixture, roots[order[i]], name);
        expect_true_costs(&fixture);
    }
    cr_assert_eq(space_of(&fixture).tag_bytes, 0);
    close_fixture(&fixture);
}

/* ---- what holds the space ---- */

Test(cost, space_is_put_down_to_what_holds_it)
{
    struct fixture fixture = open_fixture(false);
    verso_space_report empty = space_of(&fixture);
    cr_assert_eq(empty.live_bytes + empty.history_bytes + empty.tag_bytes + empty.reader_bytes, 0);
    grow_history(&fixture);
    verso_space_report all = space_of(&fixture);
    cr_assert(all.live_bytes > 0 && all.history_bytes > 0 && all.tag_bytes == 0);

    verso_view *view;
    cr_assert_eq(verso_view_open_root(fixture.store, 10, &view), VERSO_OK);
    tag(&fixture, "kept", 20);
    drop_all_but(&fixture, 1);
    checkpoint(&fixture);
    verso_space_report few = space_of(&fixture);
    cr_assert_eq(few.live_bytes, all.live_bytes);
    cr_assert_eq(few.history_bytes, 0);
    cr_assert(few.tag_bytes > 0 && few.reader_bytes > 0 && few.free_bytes > all.free_bytes);

    verso_view_close(view);
    cr_assert_eq(space_of(&fixture).reader_bytes, 0);
    drop_all_but(&fixture, 1); /* it was spared for the view's sake */
    verso_space_report without = space_of(&fixture);
    cr_assert_eq(without.reader_bytes, 0);
    cr_assert_eq(without.tag_bytes, few.tag_bytes);
    cr_assert_eq(without.free_bytes + without.passing_bytes,
                 few.free_bytes + few.passing_bytes + few.reader_bytes);
    untag(&fixture, "kept");
    checkpoint(&fixture);
    cr_assert_eq(space_of(&fixture).tag_bytes, 0);
    close_fixture(&fixture);
}

Test(cost, space_sums_to_the_length_of_the_file)
{
    struct fixture fixture = open_fixture(false);
    grow_history(&fixture);
    verso_root_cost costs[ROOM];
    verso_root_cost again[ROOM];
    size_t count = costs_of(&fixture, 0, costs, ROOM);
    uint64_t live = space_of(&fixture).live_bytes;
    close_store(&fixture);

    open_store(&fixture, true); /* reads what the last checkpoint has left */
    cr_assert_eq(costs_of(&fixture, 0, again, ROOM), count);
    cr_assert_eq(memcmp(costs, again, count * sizeof costs[0]), 0);
    verso_space_report report = space_of(&fixture);
    struct vs_file_identity identity;
    cr_assert_eq(fixture.store->store->os->identify(fixture.store->store->file, &identity),
                 VERSO_OK);
    cr_assert_eq(report.file_bytes, identity.size);
    cr_assert_eq(report.live_bytes, live);
    close_fixture(&fixture);
}

Test(cost, bad_arguments_are_refused)
{
    struct fixture fixture = open_fixture(true);
    commit(&fixture);
    verso_root_cost cost = {.size = sizeof cost};
    verso_space_report report = {.size = sizeof report};
    size_t count = 99;
    cr_assert_eq(verso_root_costs(NULL, 0, &cost, 1, &count), VERSO_INVALID);
    cr_assert_eq(verso_root_costs(fixture.store, 0, NULL, 1, &count), VERSO_INVALID);
    cr_assert_eq(verso_root_costs(fixture.store, 0, &cost, 1, NULL), VERSO_INVALID);
    cr_assert_eq(verso_root_costs(fixture.store, 0, NULL, 0, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(verso_root_costs(fixture.store, 2, &cost, 1, &count), VERSO_OK);
    cr_assert_eq(count, 0, "there is no root 2");
    cost.size = 0;
    cr_assert_eq(verso_root_costs(fixture.store, 0, &cost, 1, &count), VERSO_INVALID);
    cr_assert_eq(verso_space(NULL, &report), VERSO_INVALID);
    cr_assert_eq(verso_space(fixture.store, NULL), VERSO_INVALID);
    report.size = 0;
    cr_assert_eq(verso_space(fixture.store, &report), VERSO_INVALID);
    close_fixture(&fixture);
}
