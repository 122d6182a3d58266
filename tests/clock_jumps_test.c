/*
 * clock_jumps_test.c - a wall clock that is set back, far ahead, or to nonsense: order, ids, content
 * and replay do not look at it, and the times of roots never descend.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum { COMMITS = 40 };

#define SECOND INT64_C(1000000)
#define NOW (INT64_C(1790000000) * SECOND)

/* What the clock says before each commit, over and over; 0: it just goes on. */
static const int64_t jumps[] = {
    NOW,
    0,
    NOW - 3600 * SECOND,
    0,
    NOW + 86400 * SECOND,
    NOW,
    1,
    -5 * SECOND,
    INT64_MIN + 1000,
    NOW + 1,
    0,
    INT64_MAX / 4,
    NOW,
    0,
};

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_store *open_store(struct simulated_disk *disk, const verso_retention *policy)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.retention = policy;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    must(verso_open("store", &options, &store));
    return store;
}

static verso_root_id commit(verso_store *store, unsigned number)
{
    verso_txn *txn;
    verso_root_id root;
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    must(verso_begin(store, &txn));
    must(verso_put(txn, verso_text(text), verso_text("value")));
    must(verso_commit(txn, NULL, &root));
    return root;
}

static uint64_t fingerprint_of(verso_store *store, verso_root_id root, int64_t *time_us)
{
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    must(verso_view_open_root(store, root, &view));
    must(verso_view_info(view, &info));
    cr_assert_eq(info.id, root);
    cr_assert_eq(info.keys, root);
    *time_us = info.time_us;
    verso_view_close(view);
    return info.fingerprint;
}

/* Ids ascend by one, times never descend, and fingerprints are those of a clock that does not jump. */
static void judge(verso_store *store, const uint64_t *expected, unsigned roots, const char *when)
{
    int64_t last = INT64_MIN;
    for (verso_root_id root = 1; root <= roots; root++) {
        int64_t time_us;
        cr_assert_eq(fingerprint_of(store, root, &time_us), expected[root], "%s, root %" PRIu64,
                     when, root);
        cr_assert_geq(time_us, last, "%s, root %" PRIu64, when, root);
        last = time_us;
    }
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s: %s", when, report.fault);
}

static void commit_many(struct simulated_disk *disk, verso_store *store, bool jumping)
{
    for (unsigned i = 1; i <= COMMITS; i++) {
        int64_t clock = jumps[i % (sizeof jumps / sizeof jumps[0])];
        if (jumping && clock != 0) {
            simulated_disk_set_clock(disk, clock);
        }
        cr_assert_eq(commit(store, i), i, "ids go up by one");
        if (i % 11 == 0) {
            must(verso_checkpoint(store));
        }
    }
}

Test(clock_jumps, change_neither_order_nor_content_nor_replay)
{
    static uint64_t expected[COMMITS + 1];
    verso_retention all = verso_keep_all();
    struct simulated_disk *steady = simulated_disk_open(1);
    verso_store *store = open_store(steady, &all);
    commit_many(steady, store, false);
    for (verso_root_id root = 1; root <= COMMITS; root++) {
        int64_t unused;
        expected[root] = fingerprint_of(store, root, &unused);
    }
    must(verso_close(store));
    simulated_disk_close(steady);

    struct simulated_disk *disk = simulated_disk_open(2);
    store = open_store(disk, &all);
    commit_many(disk, store, true);
    judge(store, expected, COMMITS, "while open");
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    must(verso_close(store));
    simulated_disk_set_clock(left, INT64_MIN + 5);
    store = open_store(left, NULL);
    judge(store, expected, COMMITS, "replayed in another time");
    cr_assert_eq(commit(store, 77777), COMMITS + 1);
    int64_t last;
    int64_t next;
    (void)fingerprint_of(store, COMMITS, &last);
    (void)fingerprint_of(store, COMMITS + 1, &next);
    cr_assert_geq(next, last);
    must(verso_close(store));
    simulated_disk_close(left);
    simulated_disk_close(disk);
}

/* A policy that goes by age may drop more or less than it should; never the newest, and what is left
 * is whole. */
Test(clock_jumps, leave_a_policy_by_age_with_whole_roots)
{
    verso_retention policy = verso_keep_last(3);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){.age_us = 3600 * (uint64_t)SECOND, .spacing_us = 0};
    struct simulated_disk *disk = simulated_disk_open(3);
    verso_store *store = open_store(disk, &policy);
    commit_many(disk, store, true);
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    cr_assert_eq(stats.published, COMMITS);
    for (verso_root_id root = COMMITS - 2; root <= COMMITS; root++) {
        int64_t unused;
        (void)fingerprint_of(store, root, &unused);
    }
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    uint64_t kept = stats.kept_roots;
    must(verso_close(store));
    simulated_disk_set_clock(left,
                             INT64_MAX / 2); /* replay drops what was dropped, and asks no clock */
    store = open_store(left, NULL);
    must(verso_stat(store, &stats));
    cr_assert_eq(stats.kept_roots, kept);
    must(verso_close(store));
    simulated_disk_close(left);
    simulated_disk_close(disk);
}
