/*
 * budget_test.c - what roots hold, counted and bounded; and what a trial foretells, page by page.
 */
#include "history/budget.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "format/layout.h"
#include "simulated_disk.h"
#include "simulated_random.h"

enum { PAGE = 512, TAGGED = VS_HOLDINGS_ROOTS_MAX + 500, ROUNDS = 40, KEYS = 60 };

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void open_store(bool in_memory)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = PAGE;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    must(verso_open(in_memory ? NULL : "store", &options, &store));
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
}

static void tear_down(void)
{
    must(verso_close(store));
    simulated_disk_close(disk);
}

TestSuite(budget, .init = set_up, .fini = tear_down);

static void put(verso_txn *txn, uint64_t number, size_t size)
{
    char key[16];
    static char value[3000];
    memset(value, 'v', sizeof value);
    (void)snprintf(key, sizeof key, "%03u", (unsigned)number);
    must(verso_put(txn, verso_text(key), (verso_slice){value, size}));
}

static verso_root_id commit_one(uint64_t number, size_t size)
{
    verso_txn *txn;
    verso_root_id root = 0;
    must(verso_begin(store, &txn));
    put(txn, number, size);
    must(verso_commit(txn, NULL, &root));
    return root;
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
}

static bool is_kept(verso_root_id root)
{
    return vs_retained_has(&store->store->retained, root);
}

/* Pages in use, but for those of the history tree. */
static uint64_t count_used(void)
{
    struct vs_store *inner = store->store;
    uint64_t used = 0;
    vs_fair_lock_take(&inner->writer_lock);
    must(vs_store_judge(inner, true));
    for (uint64_t number = 1; number < inner->space.high_water; number++) {
        vs_page_no page = (vs_page_no)number;
        const struct vs_descriptor *descriptor;
        must(vs_page_table_get(&inner->table, page, &descriptor));
        bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
        used +=
            !history && !vs_space_is_free(&inner->space, page) && !vs_layout_is_reserved(PAGE, page)
                ? 1
                : 0;
    }
    vs_fair_lock_release(&inner->writer_lock);
    return used;
}

/* What roots that are not the newest hold now. */
static uint64_t count_held(uint64_t *live)
{
    struct vs_store *inner = store->store;
    struct vs_holdings holdings;
    vs_fair_lock_take(&inner->writer_lock);
    must(vs_holdings_begin(&holdings, inner, &inner->retained.set, inner->tip.version));
    must(vs_holdings_count(&holdings, inner, &inner->retained.set, 0, vs_holdings_blocks(inner)));
    uint64_t held = holdings.held;
    *live = holdings.live;
    vs_holdings_clear(&holdings);
    vs_fair_lock_release(&inner->writer_lock);
    return held;
}

/* ---- what a trial foretells ---- */

static verso_retention draw_policy(struct simulated_random *random, uint64_t roots)
{
    verso_retention policy = verso_keep_last(1 + simulated_random_below(random, roots));
    policy.checkpoints = simulated_random_below(random, 3) == 0;
    if (simulated_random_below(random, 2) == 0) {
        policy.class_count = 1;
        policy.classes[0].age_us = UINT64_MAX;
        policy.classes[0].spacing_us = simulated_random_below(random, 2) * 7000;
    }
    if (simulated_random_below(random, 2) == 0) {
        policy.last = 1 + simulated_random_below(random, 4);
        policy.has_budget = true;
        policy.budget_bytes = simulated_random_below(random, 300) * PAGE;
        policy.budget_percent = (uint32_t)simulated_random_below(random, 200);
    }
    return policy;
}

static void commit_some(struct simulated_random *random, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        simulated_disk_advance(disk, 1000);
        size_t size = simulated_random_below(random, 5) == 0 ? 2500 : 80; /* its own pages or not */
        commit_one(simulated_random_below(random, KEYS), size);
        if (simulated_random_below(random, 30) == 0) {
            must(verso_checkpoint(store));
        }
    }
}

static void tag_some(struct simulated_random *random, unsigned round)
{
    verso_root_id newest = store->store->tip.version;
    for (unsigned i = 0; i < 3; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "%u %u", round, i);
        verso_err err =
            verso_tag_set(store, verso_text(name), 1 + simulated_random_below(random, newest));
        cr_assert(err == VERSO_OK || err == VERSO_GONE, "%s", verso_error_detail());
    }
    char old[24];
    (void)snprintf(old, sizeof old, "%u 1", round / 2);
    verso_err err = verso_tag_delete(store, verso_text(old));
    cr_assert(err == VERSO_OK || err == VERSO_NOT_FOUND);
}

static void settle(void)
{
    must(verso_checkpoint(store));
    must(verso_checkpoint(store));
}

/* Set the policy; what goes and what becomes free is what the trial said. */
static void set_as_foretold(const verso_retention *policy, uint64_t seed)
{
    verso_retention_effect effect = {.size = sizeof effect};
    static verso_root_id dropped[10000];
    settle();
    uint64_t before = count_used();
    must(verso_retention_try(store, policy, dropped, 10000, &effect));
    cr_assert_eq(count_used(), before, "a trial changes nothing");
    must(verso_retention_set(store, policy));
    settle();
    uint64_t freed = before - count_used();
    cr_assert_eq(freed * PAGE, effect.freed_bytes,
                 "seed %" PRIu64 ": freed %" PRIu64 " of %" PRIu64 " pages", seed, freed,
                 effect.freed_bytes / PAGE);
    for (uint64_t i = 0; i < effect.dropped; i++) {
        cr_assert_not(is_kept(dropped[i]), "seed %" PRIu64 ": root %" PRIu64, seed, dropped[i]);
    }
    cr_assert_eq(vs_version_set_count(&store->store->retained.set, 1, store->store->tip.version),
                 effect.kept_roots);
}

Test(budget, a_trial_foretells_roots_and_pages_exactly)
{
    open_store(false);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct simulated_random random = {.state = seed};
        verso_retention all = verso_keep_all();
        must(verso_retention_set(store, &all));
        commit_some(&random, 60);
        tag_some(&random, (unsigned)seed);
        verso_view *view = NULL;
        verso_err err = verso_view_open_root(store, store->store->tip.version - 30, &view);
        cr_assert(err == VERSO_OK || err == VERSO_GONE);
        verso_retention policy = draw_policy(&random, 60);
        set_as_foretold(&policy, seed);
        verso_view_close(view);
        check_store();
    }
}

/* ---- bounds ---- */

static verso_retention within(uint64_t pages)
{
    verso_retention policy = verso_keep_last(1);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 0};
    policy.has_budget = true;
    policy.budget_bytes = pages * PAGE;
    return policy;
}

Test(budget, is_kept_and_leaves_an_eighth_free)
{
    open_store(false);
    struct simulated_random random = {.state = 5};
    commit_some(&random, 800);
    verso_retention policy = within(200);
    must(verso_retention_set(store, &policy));
    uint64_t live;
    uint64_t held = count_held(&live);
    cr_assert_leq(held, 200 - 200 / 8);
    cr_assert_gt(held, 150, "no more goes than has to: %" PRIu64, held);
    cr_assert_leq(held, vs_store_held_pages(store->store), "the bound is one");
    check_store();
}

Test(budget, what_tags_hold_beyond_it_is_not_counted_over_and_over)
{
    open_store(false);
    struct simulated_random random = {.state = 6};
    char name[8];
    for (unsigned i = 0; i < 100; i++) {
        commit_some(&random, 3);
        (void)snprintf(name, sizeof name, "%u", i);
        must(verso_tag_set(store, verso_text(name), 0));
    }
    verso_retention policy = within(10);
    must(verso_retention_set(store, &policy));
    uint64_t live;
    uint64_t held = count_held(&live);
    cr_assert_gt(held, 50);
    const struct vs_retained *retained = &store->store->retained;
    cr_assert_gt(retained->budget_pages, held, "the next counting comes after an eighth more");
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "%u", i);
        must(verso_tag_delete(store, verso_text(name)));
    }
    must(verso_checkpoint(store)); /* it is free to go now: */
    cr_assert_leq(count_held(&live), 10);
    check_store();
}

/* Roots that may not go do not stand before those that may, however many they are. */
Test(budget, more_tagged_roots_than_are_counted_at_once)
{
    open_store(true);
    char name[16];
    for (unsigned i = 0; i < TAGGED; i++) {
        commit_one(i % 3, 30);
        (void)snprintf(name, sizeof name, "%07u", i);
        must(verso_tag_set(store, verso_text(name), 0));
    }
    for (unsigned i = 0; i < 50; i++) {
        commit_one(i % 3, 30);
    }
    verso_retention policy = within(1);
    verso_retention_effect effect = {.size = sizeof effect};
    must(verso_retention_try(store, &policy, NULL, 0, &effect));
    cr_assert_eq(effect.dropped, 49);
    must(verso_retention_set(store, &policy));
    cr_assert(is_kept(1));
    cr_assert(is_kept(TAGGED));
    cr_assert_not(is_kept(TAGGED + 1));
    cr_assert_not(is_kept(TAGGED + 49));
    cr_assert(is_kept(TAGGED + 50));
}
