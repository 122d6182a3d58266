/*
 * tags_test.c - naming roots: the calls, what they refuse, restarts, crashes, and many of them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simulated_disk.h"
#include "simulated_random.h"
#include "verso.h"

enum { MANY = 3000, ROOTS = 40 };

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(bool read_only)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(3);
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = 512;
    options.log_bytes = 64 * 1024;
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    must(verso_open("store", &options, &store));
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    open_store(false);
}

static void tear_down(void)
{
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(tags, .init = set_up, .fini = tear_down);

static void reopen(void)
{
    must(verso_close(store));
    open_store(false);
}

/* A power cut now; the store is opened again from what it leaves. */
static void crash(uint64_t seed, enum simulated_crash mode)
{
    struct simulated_disk *left = simulated_disk_crash(disk, seed, mode);
    must(verso_close(store));
    simulated_disk_close(disk);
    disk = left;
    open_store(false);
}

static verso_root_id commit_one(unsigned number)
{
    verso_txn *txn;
    must(verso_begin(store, &txn));
    char key[16];
    (void)snprintf(key, sizeof key, "%u", number % 9);
    char value[16];
    (void)snprintf(value, sizeof value, "%u", number);
    must(verso_put(txn, verso_text(key), verso_text(value)));
    verso_root_id root = 0;
    must(verso_commit(txn, NULL, &root));
    return root;
}

static void commit_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        simulated_disk_advance(disk, 2000);
        commit_one(i);
    }
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
}

static verso_err opening(verso_root_id root)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, root, &view);
    if (err == VERSO_OK) {
        verso_view_close(view);
    }
    return err;
}

/* The root that a tag names; 0: there is no such tag. */
static verso_root_id named(const char *name)
{
    verso_tag_info info = {.size = sizeof info};
    verso_err err = verso_tag_get(store, verso_text(name), &info);
    if (err == VERSO_NOT_FOUND) {
        return 0;
    }
    must(err);
    cr_assert_str_eq(info.name, name);
    verso_view *view;
    verso_root_info root = {.size = sizeof root};
    must(verso_view_open_tag(store, verso_text(name), &view));
    must(verso_view_info(view, &root));
    verso_view_close(view);
    cr_assert_eq(root.id, info.root);
    return info.root;
}

static unsigned count_tags(void)
{
    verso_tag_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    char last[VERSO_NAME_MAX + 1] = "";
    unsigned count = 0;
    while (verso_tag_next(store, after, &info) == VERSO_OK) {
        cr_assert(strcmp(last, info.name) < 0, "in the order of their names");
        memcpy(last, info.name, sizeof last);
        after = verso_text(last);
        count++;
    }
    return count;
}

Test(tags, a_tagged_root_outlives_the_policy_until_its_last_tag_goes)
{
    commit_many(5);
    must(verso_tag_set(store, verso_text("three"), 3));
    must(verso_tag_set(store, verso_text("three too"), 3));
    must(verso_tag_set(store, verso_text("newest"), 0));
    commit_many(20);
    cr_assert_eq(named("three"), 3);
    cr_assert_eq(named("newest"), 5);
    cr_assert_eq(opening(4), VERSO_GONE);
    check_store();
    must(verso_tag_delete(store, verso_text("three")));
    cr_assert_eq(opening(3), VERSO_OK, "it has another tag");
    must(verso_tag_delete(store, verso_text("three too")));
    cr_assert_eq(opening(3), VERSO_GONE);
    must(verso_tag_delete(store, verso_text("newest")));
    cr_assert_eq(opening(5), VERSO_GONE);
    must(verso_tag_set(store, verso_text("last"), 0));
    must(verso_tag_delete(store, verso_text("last")));
    cr_assert_eq(opening(25), VERSO_OK, "the policy keeps it");
    check_store();
}

Test(tags, the_time_of_a_tag_is_that_of_its_setting)
{
    commit_many(1);
    simulated_disk_set_clock(disk, 1234567);
    must(verso_tag_set(store, verso_text("t"), 1));
    verso_tag_info info = {.size = sizeof info};
    must(verso_tag_get(store, verso_text("t"), &info));
    cr_assert(info.time_us >= 1234567 && info.time_us < 1234600);
    int64_t time_us = info.time_us;
    reopen();
    must(verso_tag_get(store, verso_text("t"), &info));
    cr_assert_eq(info.time_us, time_us);
}

Test(tags, what_cannot_be_tagged_is_refused)
{
    verso_slice name = verso_text("name");
    cr_assert_eq(verso_tag_set(store, name, 0), VERSO_NOT_FOUND, "there is no root yet");
    commit_many(10);
    cr_assert_eq(verso_tag_set(store, name, 11), VERSO_NOT_FOUND);
    cr_assert_eq(verso_tag_set(store, name, UINT64_MAX), VERSO_NOT_FOUND);
    cr_assert_eq(verso_tag_set(store, name, 7), VERSO_GONE);
    must(verso_tag_set(store, name, 9));
    must(verso_tag_set(store, name, 9)); /* again is no fault */
    cr_assert_eq(verso_tag_set(store, name, 10), VERSO_EXISTS);
    cr_assert_eq(named("name"), 9);
    cr_assert_eq(verso_tag_set(NULL, name, 9), VERSO_INVALID);
    cr_assert_eq(verso_tag_delete(NULL, name), VERSO_INVALID);
    cr_assert_eq(verso_tag_delete(store, verso_text("other")), VERSO_NOT_FOUND);
    verso_view *view;
    cr_assert_eq(verso_view_open_tag(store, verso_text("other"), &view), VERSO_NOT_FOUND);
    verso_tag_info info = {.size = sizeof info};
    cr_assert_eq(verso_tag_get(store, verso_text("other"), &info), VERSO_NOT_FOUND);
    cr_assert_eq(verso_tag_get(store, name, NULL), VERSO_INVALID);
    info.size = 0;
    cr_assert_eq(verso_tag_get(store, name, &info), VERSO_INVALID);
    cr_assert_eq(verso_tag_next(store, (verso_slice){NULL, 1}, &info), VERSO_INVALID);
}

Test(tags, names_are_of_1_to_255_bytes_and_without_zeros)
{
    char longest[VERSO_NAME_MAX + 2];
    memset(longest, 'n', sizeof longest);
    longest[VERSO_NAME_MAX] = 0;
    commit_many(1);
    cr_assert_eq(verso_tag_set(store, verso_text(longest), 1), VERSO_TOO_BIG, "in these pages");
    longest[verso_key_size_max(store)] = 0;
    must(verso_tag_set(store, verso_text(longest), 1));
    must(verso_tag_set(store, verso_text("\xFF\x01 \n"), 1));
    reopen();
    cr_assert_eq(named(longest), 1);
    cr_assert_eq(named("\xFF\x01 \n"), 1);
    memset(longest, 'n', sizeof longest);
    verso_slice too_long = {longest, VERSO_NAME_MAX + 1};
    cr_assert_eq(verso_tag_set(store, too_long, 1), VERSO_INVALID);
    cr_assert_eq(verso_tag_set(store, (verso_slice){"", 0}, 1), VERSO_INVALID);
    cr_assert_eq(verso_tag_set(store, (verso_slice){"a\0b", 3}, 1), VERSO_INVALID);
    cr_assert_eq(verso_tag_set(store, (verso_slice){NULL, 3}, 1), VERSO_INVALID);
    cr_assert_eq(verso_tag_delete(store, too_long), VERSO_INVALID);
    cr_assert_eq(count_tags(), 2);
}

Test(tags, the_longest_names_fit_pages_of_the_usual_size)
{
    verso_store *small = store;
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    must(verso_open("other", &options, &store));
    commit_many(1);
    char longest[VERSO_NAME_MAX + 1] = "";
    memset(longest, 'n', VERSO_NAME_MAX);
    must(verso_tag_set(store, verso_text(longest), 1));
    must(verso_close(store));
    must(verso_open("other", &options, &store));
    cr_assert_eq(named(longest), 1);
    must(verso_close(store));
    store = small;
}

Test(tags, a_handle_for_reading_sees_them_and_sets_none)
{
    commit_many(4);
    must(verso_tag_set(store, verso_text("in the store"), 2));
    must(verso_checkpoint(store));
    must(verso_tag_set(store, verso_text("in the log"), 3));
    must(verso_tag_delete(store, verso_text("in the store")));
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *other = store;
    struct simulated_disk *others = disk;
    disk = left;
    open_store(true);
    cr_assert_eq(named("in the store"), 0);
    cr_assert_eq(named("in the log"), 3);
    cr_assert_eq(verso_tag_set(store, verso_text("x"), 3), VERSO_READ_ONLY);
    cr_assert_eq(verso_tag_delete(store, verso_text("in the log")), VERSO_READ_ONLY);
    must(verso_close(store));
    simulated_disk_close(left);
    store = other;
    disk = others;
}

/* Each call is durable on return, whatever a power cut leaves of what was not synced. */
Test(tags, survive_crashes_as_they_were_when_the_call_returned)
{
    struct simulated_random random = {.state = 7};
    verso_root_id expected[10] = {0};
    for (unsigned round = 0; round < 120; round++) {
        for (unsigned step = 0; step < 4; step++) {
            unsigned i = (unsigned)simulated_random_below(&random, 10);
            char name[8];
            (void)snprintf(name, sizeof name, "tag %u", i);
            verso_root_id newest = commit_one(round);
            if (expected[i] != 0) {
                must(verso_tag_delete(store, verso_text(name)));
                expected[i] = 0;
            } else {
                must(verso_tag_set(store, verso_text(name), newest));
                expected[i] = newest;
            }
            if (simulated_random_below(&random, 6) == 0) {
                must(verso_checkpoint(store));
            }
        }
        if (round % 3 == 0) {
            crash(round, round % 2 == 0 ? SIMULATED_CRASH_RANDOM : SIMULATED_CRASH_ALL_OLD);
        }
        for (unsigned i = 0; i < 10; i++) {
            char name[8];
            (void)snprintf(name, sizeof name, "tag %u", i);
            cr_assert_eq(named(name), expected[i], "round %u, %s", round, name);
        }
        check_store();
    }
}

/* Without a commit in between: the log's room has to be made by settings, too. */
Test(tags, thousands_are_kept_and_the_log_stays_short)
{
    commit_many(ROOTS);
    verso_retention all = verso_keep_all();
    must(verso_retention_set(store, &all));
    commit_many(ROOTS);
    verso_root_id expected[MANY];
    char name[16];
    uint64_t longest = 0;
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "%04u", (i * 7919) % MANY);
        expected[(i * 7919) % MANY] = ROOTS + 1 + i % ROOTS;
        must(verso_tag_set(store, verso_text(name), ROOTS + 1 + i % ROOTS));
        uint64_t used = simulated_disk_used_bytes(disk);
        longest = used > longest ? used : longest;
    }
    printf("%u tags of 4 bytes: files of %" PRIu64 " bytes at most\n", MANY, longest);
    cr_assert_lt(longest, 2 << 20, "the log is recycled");
    cr_assert_eq(count_tags(), MANY);
    check_store();
    for (unsigned i = 0; i < MANY; i += 2) {
        (void)snprintf(name, sizeof name, "%04u", i);
        must(verso_tag_delete(store, verso_text(name)));
    }
    must(verso_checkpoint(store));
    verso_retention few = verso_keep_last(1);
    must(verso_retention_set(store, &few));
    reopen();
    cr_assert_eq(count_tags(), MANY / 2);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof name, "%04u", i);
        cr_assert_eq(named(name), i % 2 == 0 ? 0 : expected[i]);
    }
    check_store();
}
