/*
 * retention_test.c - which roots a policy keeps: by number, age and spacing, as checkpoints', within
 * a budget; what is tagged or open; and what a trial says beforehand.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "history/retention.h"
#include "simulated_disk.h"
#include "simulated_random.h"
#include "verso.h"

#define SECOND_US INT64_C(1000000)

static struct simulated_disk *disk;
static verso_store *store;

static void open_store(const verso_retention *policy)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 512;
    options.retention = policy;
    options.system = simulated_disk_os(disk);
    verso_err err = verso_open("store", &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void close_store(void)
{
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

static void begin(const verso_retention *policy)
{
    disk = simulated_disk_open(1);
    open_store(policy);
}

static void end(void)
{
    close_store();
    simulated_disk_close(disk);
}

static verso_root_id commit_one(unsigned number)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    char key[24];
    snprintf(key, sizeof key, "key %u", number % 50);
    char value[120];
    memset(value, 'v', sizeof value);
    snprintf(value, 24, "%u", number);
    cr_assert_eq(verso_put(txn, verso_text(key), (verso_slice){value, sizeof value}), VERSO_OK);
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK, "%s", verso_error_detail());
    return root;
}

/* As many commits, `step_us` apart. */
static void commit_many(unsigned count, int64_t step_us)
{
    for (unsigned i = 0; i < count; i++) {
        simulated_disk_advance(disk, step_us);
        commit_one(i);
    }
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "root %" PRIu64 ": %s", report.bad_root,
                 report.fault);
}

static bool is_kept(verso_root_id root)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, root, &view);
    if (err == VERSO_OK) {
        verso_view_close(view);
    } else {
        cr_assert_eq(err, VERSO_GONE, "root %" PRIu64 ": %s", root, verso_error_detail());
    }
    return err == VERSO_OK;
}

static verso_root_info info_of(verso_root_id root)
{
    verso_root_info info = {.size = sizeof info};
    size_t count = 0;
    cr_assert_eq(verso_roots(store, root, &info, 1, NULL, &count), VERSO_OK);
    cr_assert_eq(count, 1);
    cr_assert_eq(info.id, root);
    return info;
}

static void set_policy(const verso_retention *policy)
{
    cr_assert_eq(verso_retention_set(store, policy), VERSO_OK, "%s", verso_error_detail());
}

Test(retention, the_newest_stay_and_the_others_go_with_each_commit)
{
    verso_retention policy = verso_keep_last(5);
    begin(&policy);
    for (unsigned i = 1; i <= 300; i++) {
        verso_root_id root = commit_one(i);
        cr_assert_eq(root, i);
        for (verso_root_id id = root > 20 ? root - 20 : 1; id <= root; id++) {
            cr_assert_eq(is_kept(id), id + 5 > root, "root %" PRIu64 " at %u", id, i);
        }
    }
    check_store();
    verso_view *view;
    cr_assert_eq(verso_view_open_root(store, 301, &view), VERSO_NOT_FOUND);
    cr_assert_eq(verso_view_open_root(store, 295, &view), VERSO_GONE);
    end();
}

Test(retention, of_each_second_the_last_stays)
{
    verso_retention policy = verso_keep_default();
    policy.last = 10;
    policy.checkpoints = false;
    policy.has_budget = false;
    begin(&policy);
    commit_many(2000, SECOND_US / 7);
    int64_t times[2001];
    for (verso_root_id root = 1; root <= 2000; root++) {
        times[root] = INT64_MIN;
    }
    unsigned kept = 0;
    for (verso_root_id root = 1990; root >= 1; root--) {
        if (is_kept(root)) {
            times[root] = info_of(root).time_us;
            kept++;
        }
    }
    int64_t after = info_of(1991).time_us;
    for (verso_root_id root = 1990; root >= 1; root--) {
        if (times[root] != INT64_MIN) {
            cr_assert_neq(times[root] / SECOND_US, after / SECOND_US, "two of one second");
            after = times[root];
        }
    }
    cr_assert_geq(kept, 1990 / 7 - 2, "%u kept", kept);
    cr_assert_leq(kept, 1990 / 7 + 2, "%u kept", kept);
    check_store();
    end();
}

/* The next root of the one that leaves is then the one being committed. */
Test(retention, thins_with_each_commit_though_only_the_newest_is_spared)
{
    verso_retention policy = verso_keep_last(1);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, SECOND_US};
    begin(&policy);
    commit_many(3000, 1000);
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_leq(stats.kept_roots, 6, "3 seconds, and the newest: %" PRIu64, stats.kept_roots);
    end();
}

/* What the rule says of roots at these times, the newest `last` spared; naively, from the newest. */
static void expect_by_rule(const verso_retention *policy, const int64_t *times, unsigned count,
                           int64_t now, bool *expected)
{
    for (unsigned i = 0; i < count; i++) {
        expected[i] = false;
    }
    for (unsigned i = count; i-- > 0;) {
        if (count - i <= policy->last) {
            expected[i] = true;
            continue;
        }
        uint64_t age = (uint64_t)(now - times[i]);
        unsigned class = 0;
        while (class < policy->class_count && age > policy->classes[class].age_us) {
            class ++;
        }
        if (class == policy->class_count) {
            continue;
        }
        int64_t spacing = (int64_t)policy->classes[class].spacing_us;
        unsigned next = i + 1; /* all of this set were there when it was judged */
        expected[i] = spacing == 0 || times[i] / spacing != times[next] / spacing;
    }
}

Test(retention, classes_of_age_keep_what_the_rule_says)
{
    verso_retention all = verso_keep_all();
    begin(&all);
    enum { ROOTS = 1500 };
    static int64_t times[ROOTS];
    struct simulated_random random = {7};
    for (unsigned i = 0; i < ROOTS; i++) {
        simulated_disk_advance(disk, (int64_t)simulated_random_below(&random, 4) * SECOND_US / 2);
        commit_one(i);
        times[i] = info_of(i + 1).time_us;
        if (i % 400 == 399) {
            cr_assert_eq(verso_checkpoint(store), VERSO_OK);
        }
    }
    verso_retention policy = verso_keep_last(20);
    policy.class_count = 3;
    const uint64_t quarter = SECOND_US / 4; /* the clock ticks a little at each look */
    policy.classes[0] = (verso_retention_class){60 * SECOND_US + quarter, 0};
    policy.classes[1] = (verso_retention_class){300 * SECOND_US + quarter, 5 * SECOND_US};
    policy.classes[2] = (verso_retention_class){800 * SECOND_US + quarter, 60 * SECOND_US};
    bool expected[ROOTS];
    expect_by_rule(&policy, times, ROOTS, times[ROOTS - 1], expected);
    static verso_root_id dropped[ROOTS];
    verso_retention_effect effect = {.size = sizeof effect};
    cr_assert_eq(verso_retention_try(store, &policy, dropped, ROOTS, &effect), VERSO_OK, "%s",
                 verso_error_detail());
    set_policy(&policy);
    unsigned at = 0;
    for (unsigned i = 0; i < ROOTS; i++) {
        cr_assert_eq(is_kept(i + 1), expected[i], "root %u", i + 1);
        if (!expected[i]) {
            cr_assert_eq(dropped[at], i + 1, "the trial says so, too");
            at++;
        }
    }
    cr_assert_eq(effect.dropped, at);
    cr_assert_eq(effect.kept_roots, ROOTS - at);
    check_store();
    close_store();
    open_store(NULL);
    for (unsigned i = 0; i < ROOTS; i++) {
        cr_assert_eq(is_kept(i + 1), expected[i], "root %u after reopening", i + 1);
    }
    check_store();
    end();
}

/* How many of the roots before the newest a policy drops at a moment. */
static unsigned dropped_at(const verso_retention *policy, int64_t now_us)
{
    struct vs_store *inner = store->store;
    struct vs_version_range ranges[8];
    uint64_t version = 1;
    unsigned count = 0;
    vs_fair_lock_take(&inner->writer_lock);
    struct vs_retention_question question = vs_retention_ask(inner, policy);
    question.now_us = now_us;
    vs_retention_judge(&question, &version, 8, ranges, &count);
    vs_fair_lock_release(&inner->writer_lock);
    unsigned dropped = 0;
    for (unsigned i = 0; i < count; i++) {
        dropped += (unsigned)(ranges[i].to - ranges[i].from) + 1;
    }
    return dropped;
}

Test(retention, a_root_as_old_as_its_class_allows_is_in_it)
{
    verso_retention policy = verso_keep_all();
    begin(&policy);
    commit_many(3, SECOND_US);
    policy = verso_keep_last(1);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){100 * SECOND_US, 0};
    int64_t oldest_us = info_of(1).time_us;
    cr_assert_eq(dropped_at(&policy, oldest_us + 100 * SECOND_US), 0);
    cr_assert_eq(dropped_at(&policy, oldest_us + 100 * SECOND_US + 1), 1);
    end();
}

static uint64_t kept_roots(void)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats.kept_roots;
}

Test(retention, the_longest_spacing_there_is_leaves_the_last_root_of_all_time)
{
    verso_retention policy = verso_keep_all();
    begin(&policy);
    commit_many(5, SECOND_US);
    policy = verso_keep_last(1);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, UINT64_MAX};
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_OK, "%s", verso_error_detail());
    commit_one(6);
    cr_assert_eq(kept_roots(), 1);
    end();
}

Test(retention, as_many_roots_as_there_are_numbers_are_all_of_them)
{
    verso_retention policy = verso_keep_last(UINT64_MAX);
    begin(&policy);
    commit_many(5, SECOND_US);
    cr_assert_eq(kept_roots(), 5);
    end();
}

Test(retention, what_is_tagged_or_open_stays_until_it_is_not)
{
    verso_retention all = verso_keep_all();
    begin(&all);
    commit_many(50, 1000);
    cr_assert_eq(verso_tag_set(store, verso_text("ten"), 10), VERSO_OK, "%s", verso_error_detail());
    verso_view *view;
    cr_assert_eq(verso_view_open_root(store, 20, &view), VERSO_OK);
    verso_retention policy = verso_keep_last(1);
    set_policy(&policy);
    for (verso_root_id root = 1; root <= 50; root++) {
        cr_assert_eq(is_kept(root), root == 10 || root == 20 || root == 50, "root %u",
                     (unsigned)root);
    }
    commit_many(30, 2000);
    check_store();
    cr_assert(is_kept(10));
    cr_assert(is_kept(20));
    verso_view_close(view);
    commit_many(10, 2000);
    cr_assert_not(is_kept(20), "its reader has left, and the walk came by");
    cr_assert(is_kept(10));
    cr_assert_eq(verso_tag_delete(store, verso_text("ten")), VERSO_OK);
    cr_assert_not(is_kept(10));
    check_store();
    end();
}

/* Found by the store model (seed 1021, pages of 1 KiB): what only the budget drove out came back. */
Test(retention, what_a_new_policy_drops_is_gone_after_a_power_cut)
{
    verso_retention policy = verso_keep_all();
    begin(&policy);
    commit_many(60, 1000);
    policy.all = false;
    policy.last = 10;
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 0};
    policy.has_budget = true;
    policy.budget_bytes = 0;
    set_policy(&policy);
    cr_assert_not(is_kept(50));
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    end();
    disk = left;
    open_store(NULL);
    cr_assert_not(is_kept(50));
    cr_assert(is_kept(51));
    end();
}

Test(retention, a_trial_says_exactly_what_is_freed)
{
    verso_retention all = verso_keep_all();
    begin(&all);
    commit_many(200, 1000);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    verso_retention policy = verso_keep_last(40);
    verso_retention_effect effect = {.size = sizeof effect};
    cr_assert_eq(verso_retention_try(store, &policy, NULL, 0, &effect), VERSO_OK);
    cr_assert_eq(effect.dropped, 160);
    set_policy(&policy);
    verso_retention_effect again = {.size = sizeof again};
    cr_assert_eq(verso_retention_try(store, &policy, NULL, 0, &again), VERSO_OK);
    cr_assert_eq(again.dropped, 0);
    cr_assert_eq(again.freed_bytes, 0);
    cr_assert_gt(effect.freed_bytes, 160 * 512, "each commit copies a page at least");
    end();
}

Test(retention, the_budget_drives_the_oldest_out_and_bounds_the_file)
{
    verso_retention policy = verso_keep_all();
    policy.all = false;
    policy.last = 10;
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 0};
    policy.has_budget = true;
    policy.budget_bytes = 256 * 1024;
    begin(&policy);
    uint64_t largest = 0;
    for (unsigned round = 0; round < 40; round++) {
        commit_many(200, 1000);
        cr_assert_eq(verso_checkpoint(store), VERSO_OK);
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        largest = stats.file_bytes > largest ? stats.file_bytes : largest;
        cr_assert_geq(stats.kept_roots, 10);
    }
    printf("8,000 roots under a budget of 256 KiB: file of %" PRIu64 " bytes at most\n", largest);
    cr_assert_lt(largest, 6 * policy.budget_bytes);
    check_store();
    end();
}

Test(retention, survives_a_restart)
{
    verso_retention policy = verso_keep_last(7);
    begin(&policy);
    commit_many(30, 1000);
    close_store();
    verso_retention other = verso_keep_all();
    open_store(&other);
    verso_retention got = {.size = sizeof got};
    cr_assert_eq(verso_retention_get(store, &got), VERSO_OK);
    cr_assert_eq(got.last, 7, "an existing store keeps its own policy");
    cr_assert_not(got.all);
    commit_many(30, 1000);
    cr_assert_eq(is_kept(53), false);
    cr_assert(is_kept(54));
    end();
}

Test(retention, policies_that_make_no_sense_are_refused)
{
    begin(NULL);
    verso_retention policy = verso_keep_last(0);
    cr_assert_eq(policy.last, 1);
    policy.last = 0;
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_INVALID);
    policy = verso_keep_default();
    policy.class_count = 2;
    policy.classes[1] = policy.classes[0];
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_INVALID);
    policy.class_count = VERSO_RETENTION_CLASSES_MAX + 1;
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_INVALID);
    policy = verso_keep_default();
    policy.size = 0;
    cr_assert_eq(verso_retention_set(store, &policy), VERSO_INVALID);
    cr_assert_eq(verso_retention_set(store, NULL), VERSO_INVALID);
    cr_assert_eq(verso_retention_set(NULL, &policy), VERSO_INVALID);
    verso_retention got = {.size = sizeof got};
    cr_assert_eq(verso_retention_get(store, &got), VERSO_OK);
    cr_assert_eq(got.last, 100, "nothing was changed");
    end();
}

Test(retention, roots_are_found_by_time)
{
    verso_retention all = verso_keep_all();
    begin(&all);
    verso_view *view;
    cr_assert_eq(verso_view_open_at(store, INT64_MAX, &view), VERSO_NOT_FOUND);
    commit_many(300, SECOND_US);
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    commit_many(100, SECOND_US);
    int64_t times[401];
    for (verso_root_id root = 1; root <= 400; root++) {
        times[root] = info_of(root).time_us;
    }
    verso_retention policy = verso_keep_last(50);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 10 * SECOND_US};
    set_policy(&policy);
    int64_t first = times[1];
    for (int64_t t = first - SECOND_US; t < first + 402 * SECOND_US; t += SECOND_US / 3) {
        verso_root_id expected = 0;
        for (verso_root_id root = 1; root <= 400; root++) {
            expected = times[root] <= t && is_kept(root) ? root : expected;
        }
        verso_err err = verso_view_open_at(store, t, &view);
        if (expected == 0) {
            cr_assert_eq(err, VERSO_NOT_FOUND);
            continue;
        }
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        verso_root_info info = {.size = sizeof info};
        cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
        cr_assert_eq(info.id, expected, "at %" PRId64, t - first);
        verso_view_close(view);
        t += (t > first + 30 * SECOND_US && t < first + 340 * SECOND_US) ? 3 * SECOND_US : 0;
    }
    end();
}
