/*
 * settings_fault_test.c - policies and tags while memory, syncs and space fail: what is done is what
 * is in the log, and what failed is neither.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "failing_memory.h"
#include "simulated_disk.h"
#include "store/store.h"
#include "verso.h"

enum { ROOTS = 24, TAGS = 3, ALLOCATIONS_MAX = 400, SYNCS_MAX = 12 };

/* ---- a store, and what it keeps ---- */

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = 512;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    must(verso_open("store", &options, &store));
}

static verso_err commit_one(void)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_put(txn, verso_text("key"), verso_text("value"));
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

/* Some roots in a checkpoint, some in the log; tags on some of both. */
static void set_up(void)
{
    disk = simulated_disk_open(1);
    open_store();
    for (unsigned i = 1; i <= ROOTS; i++) {
        simulated_disk_advance(disk, 1000);
        must(commit_one());
        if (i == ROOTS / 2) {
            must(verso_tag_set(store, verso_text("0"), 3));
            must(verso_checkpoint(store));
        }
    }
    must(verso_tag_set(store, verso_text("1"), ROOTS - 5));
}

static void tear_down(void)
{
    must(verso_close(store));
    simulated_disk_close(disk);
}

/** What a store keeps, and why. */
struct keeping {
    bool root[ROOTS + 3];
    verso_root_id tag[TAGS];
    bool all;
    uint64_t last;
};

static struct keeping look(void)
{
    struct keeping keeping = {.all = false};
    for (verso_root_id id = 1; id < ROOTS + 3; id++) {
        verso_view *view;
        verso_err err = verso_view_open_root(store, id, &view);
        keeping.root[id] = err == VERSO_OK;
        if (err == VERSO_OK) {
            verso_view_close(view);
        } else {
            cr_assert(err == VERSO_GONE || err == VERSO_NOT_FOUND, "%s", verso_error_detail());
        }
    }
    for (unsigned i = 0; i < TAGS; i++) {
        char name[2] = {(char)('0' + i), 0};
        verso_tag_info info = {.size = sizeof info};
        verso_err err = verso_tag_get(store, verso_text(name), &info);
        keeping.tag[i] = err == VERSO_OK ? info.root : 0;
    }
    verso_retention policy = {.size = sizeof policy};
    must(verso_retention_get(store, &policy));
    keeping.all = policy.all;
    keeping.last = policy.last;
    return keeping;
}

static void expect_same(const struct keeping *a, const struct keeping *b, const char *what,
                        uint64_t n)
{
    for (unsigned id = 1; id < ROOTS + 3; id++) {
        cr_assert_eq(a->root[id], b->root[id], "%s %" PRIu64 ": root %u", what, n, id);
    }
    for (unsigned i = 0; i < TAGS; i++) {
        cr_assert_eq(a->tag[i], b->tag[i], "%s %" PRIu64 ": tag %u", what, n, i);
    }
    cr_assert_eq(a->all, b->all, "%s %" PRIu64, what, n);
    cr_assert_eq(a->last, b->last, "%s %" PRIu64, what, n);
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
}

/* Power is cut, and the store opened again from what is left. */
static void crash(uint64_t seed, enum simulated_crash mode)
{
    struct simulated_disk *left = simulated_disk_crash(disk, seed, mode);
    verso_err closed = verso_close(store);
    (void)closed; /* what it still writes is no concern of the copy */
    simulated_disk_close(disk);
    disk = left;
    open_store();
}

/* ---- what is done meanwhile ---- */

typedef verso_err action(void);

static verso_err set_tag(void)
{
    return verso_tag_set(store, verso_text("2"), 7);
}

static verso_err delete_tag(void)
{
    return verso_tag_delete(store, verso_text("1"));
}

static verso_err keep_last_three(void)
{
    verso_retention policy = verso_keep_last(3);
    return verso_retention_set(store, &policy);
}

static verso_err keep_within_budget(void)
{
    verso_retention policy = verso_keep_last(1);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 4000};
    policy.has_budget = true;
    policy.budget_bytes = 8 * 512;
    return verso_retention_set(store, &policy);
}

static verso_err settle(void)
{
    verso_err err = verso_checkpoint(store);
    return err == VERSO_OK ? commit_one() : err;
}

static const struct {
    const char *name;
    action *run;
} actions[] = {
    {"set a tag", set_tag},
    {"delete a tag", delete_tag},
    {"keep the last three", keep_last_three},
    {"keep within a budget", keep_within_budget},
    {"checkpoint and commit", settle},
};

enum { ACTIONS = sizeof actions / sizeof *actions };

static bool is_poisoned(void)
{
    verso_err err = verso_sync(store);
    cr_assert(err == VERSO_OK || err == VERSO_POISONED, "%s", verso_error_detail());
    return err == VERSO_POISONED;
}

/* One allocation fails; what memory says then is what the log says. @return Whether one failed. */
static bool fail_allocation(unsigned which, uint64_t n)
{
    const char *name = actions[which].name;
    set_up();
    struct keeping before = look();
    failing_memory_arm(n, false);
    verso_err err = actions[which].run();
    bool allocation_failed = failing_memory_disarm() > 0;
    cr_assert(allocation_failed || err == VERSO_OK, "%s: %s", name, verso_error_detail());
    struct keeping after = look();
    if (err != VERSO_OK && (actions[which].run == set_tag || actions[which].run == delete_tag)) {
        expect_same(&before, &after, name, n);
    }
    if (!is_poisoned()) {
        check_store();
        crash(n, SIMULATED_CRASH_ALL_OLD);
        struct keeping replayed = look();
        expect_same(&after, &replayed, name, n);
        err = actions[which].run();
        cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND, "%s", verso_error_detail());
        check_store();
        tear_down();
        return allocation_failed;
    }
    crash(n, SIMULATED_CRASH_ALL_OLD);
    check_store();
    tear_down();
    return allocation_failed;
}

Test(settings_fault, what_is_done_is_what_is_logged_whichever_allocation_fails)
{
    for (unsigned which = 0; which < ACTIONS; which++) {
        uint64_t n = 1;
        while (n < ALLOCATIONS_MAX && fail_allocation(which, n)) {
            n++;
        }
        cr_assert_lt(n, ALLOCATIONS_MAX);
        printf("%s: %" PRIu64 " allocations\n", actions[which].name, n - 1);
    }
}

/* A tag or a policy is then there as before or as wanted, and nothing is half. */
static bool fail_sync(unsigned which, uint64_t n)
{
    set_up();
    struct keeping before = look();
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = n, .for_ever = true};
    simulated_disk_inject(disk, &fault);
    verso_err err = actions[which].run();
    bool met = simulated_disk_faults_met(disk) > 0;
    if (met) {
        cr_assert_neq(err, VERSO_OK);
        cr_assert_eq(verso_tag_set(store, verso_text("other"), 0), VERSO_POISONED);
        cr_assert_eq(verso_tag_delete(store, verso_text("0")), VERSO_POISONED);
        verso_retention policy = verso_keep_all();
        cr_assert_eq(verso_retention_set(store, &policy), VERSO_POISONED);
    }
    simulated_disk_heal(disk);
    crash(n, SIMULATED_CRASH_RANDOM);
    struct keeping after = look();
    cr_assert_eq(after.tag[0], 3, "no action touches it");
    cr_assert(after.tag[1] == before.tag[1] || actions[which].run == delete_tag);
    cr_assert(after.tag[2] == 0 || actions[which].run == set_tag);
    cr_assert(after.root[3] && after.root[ROOTS]);
    for (unsigned id = 1; id <= ROOTS && (after.all || which < 2); id++) {
        cr_assert(after.root[id] || (which == 1 && id == ROOTS - 5), "root %u", id);
    }
    check_store();
    tear_down();
    return met;
}

Test(settings_fault, a_failed_sync_leaves_the_one_state_or_the_other)
{
    for (unsigned which = 0; which < ACTIONS; which++) {
        uint64_t n = 1;
        while (n < SYNCS_MAX && fail_sync(which, n)) {
            n++;
        }
        cr_assert_lt(n, SYNCS_MAX);
        cr_assert_gt(n, 1);
    }
}

/* ---- settings that cannot begin ---- */

static uint64_t begins_left; /* before one fails; 0: none will */
static bool begin_failed;

static bool begin_fails(void)
{
    bool fails = begins_left == 1;
    begins_left -= begins_left > 0;
    begin_failed = begin_failed || fails;
    return fails;
}

/* The linker gives these names. */
verso_err __real_vs_store_begin_setting(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting(struct vs_store *inner)
{
    return begin_fails() ? VERSO_NOSPC : __real_vs_store_begin_setting(inner);
}

verso_err __real_vs_store_begin_setting_now(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting_now(struct vs_store *inner);
verso_err __wrap_vs_store_begin_setting_now(struct vs_store *inner)
{
    return begin_fails() ? VERSO_NOSPC : __real_vs_store_begin_setting_now(inner);
}

/* As where no room can be made in the log. @return Whether one has failed. */
static bool fail_begin(unsigned which, uint64_t n)
{
    const char *name = actions[which].name;
    set_up();
    struct keeping before = look();
    begin_failed = false;
    begins_left = n;
    verso_err err = actions[which].run();
    begins_left = 0;
    cr_assert_eq(err, begin_failed ? VERSO_NOSPC : VERSO_OK, "%s: %s", name, verso_error_detail());
    struct keeping after = look();
    if (begin_failed && n == 1) {
        expect_same(&before, &after, name, n);
    }
    check_store();
    crash(n, SIMULATED_CRASH_ALL_OLD);
    struct keeping replayed = look();
    expect_same(&after, &replayed, name, n);
    tear_down();
    return begin_failed;
}

Test(settings_fault, what_cannot_begin_changes_nothing_and_what_was_done_before_stays)
{
    uint64_t failed = 0;
    for (unsigned which = 0; which < ACTIONS; which++) {
        for (uint64_t n = 1; fail_begin(which, n); n++) {
            cr_assert_lt(n, ALLOCATIONS_MAX);
            failed++;
        }
    }
    cr_assert_gt(failed, 5);
}

Test(settings_fault, on_a_full_disk_roots_can_be_given_up)
{
    set_up();
    simulated_disk_set_capacity(disk, simulated_disk_used_bytes(disk));
    must(keep_last_three());
    struct keeping after = look();
    cr_assert_eq(after.last, 3);
    cr_assert_not(after.root[5]);
    cr_assert(after.root[3], "tagged");
    must(verso_tag_delete(store, verso_text("0")));
    cr_assert_not(look().root[3]);
    must(verso_checkpoint(store));
    verso_err err = verso_tag_set(store, verso_text("2"), ROOTS);
    cr_assert(err == VERSO_OK || err == VERSO_NOSPC, "%s", verso_error_detail());
    simulated_disk_set_capacity(disk, UINT64_MAX);
    must(verso_tag_set(store, verso_text("2"), ROOTS));
    check_store();
    tear_down();
}
