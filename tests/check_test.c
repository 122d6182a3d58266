/*
 * check_test.c - a check of many kept roots: what they share is proved once, and every fault that a
 * walk through each root would find is found.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/check_parts.h"
#include "format/branch.h"
#include "format/key_order.h"
#include "random_history.h"
#include "simulated_random.h"
#include "verso.h"

enum { SMALL_PAGE = 512 };

static verso_store *open_in_memory(uint32_t page_size)
{
    verso_retention all = verso_keep_all();
    verso_options options = VERSO_OPTIONS_INIT;
    options.page_size = page_size;
    options.retention = &all;
    verso_store *store = NULL;
    cr_assert_eq(verso_open(NULL, &options, &store), VERSO_OK, "%s", verso_error_detail());
    return store;
}

static verso_check_report check_of(verso_store *store, verso_err expected)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, expected, "%d: root %" PRIu64 ", page %" PRIu32 ": %s", (int)err,
                 report.bad_root, report.bad_page, report.fault);
    return report;
}

static void put(verso_txn *txn, unsigned number, const void *value, size_t size)
{
    char key[16];
    (void)snprintf(key, sizeof key, "key%08u", number);
    verso_err err = verso_put(txn, verso_text(key), (verso_slice){value, size});
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    return txn;
}

static verso_root_id commit(verso_txn *txn)
{
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK, "%s", verso_error_detail());
    return root;
}

static void commit_keys(verso_store *store, unsigned keys, size_t value_size)
{
    static const uint8_t value[100] = {1};
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < keys; i++) {
        put(txn, i, value, value_size);
    }
    (void)commit(txn);
}

static verso_root_id commit_key(verso_store *store, unsigned number, unsigned value)
{
    verso_txn *txn = begin(store);
    put(txn, number, &value, sizeof value);
    return commit(txn);
}

static unsigned draw(struct simulated_random *random, uint64_t bound)
{
    return (unsigned)simulated_random_below(random, bound);
}

static struct vs_pages *pages_of(verso_store *store)
{
    return &store->store->pages;
}

/* ---- a walk through every page of every root, to compare with ---- */

static verso_err check_each_root(struct vs_whole_check *whole)
{
    struct vs_store *store = whole->store;
    verso_err err = VERSO_OK;
    for (uint64_t id = 1; err == VERSO_OK && vs_history_next(store, id, &id); id++) {
        struct vs_root_record record;
        err = vs_history_find(store, id, &record, NULL);
        if (err == VERSO_OK) {
            err = vs_check_record(whole, &record);
        }
    }
    return err == VERSO_OK ? vs_check_table(whole) : err;
}

static verso_err check_by_walking(verso_store *store, verso_check_report *report)
{
    struct vs_store *inner = store->store;
    memset(report, 0, sizeof *report);
    struct vs_whole_check whole = {
        .store = inner, .report = report, .high_water = inner->space.high_water};
    whole.reached = calloc(1, whole.high_water + 1);
    whole.met = calloc(1, whole.high_water + 1);
    cr_assert(whole.reached != NULL && whole.met != NULL);
    vs_fair_lock_take(&inner->writer_lock);
    verso_err err = check_each_root(&whole);
    vs_fair_lock_release(&inner->writer_lock);
    free(whole.reached);
    free(whole.met);
    return err;
}

/* ---- what it costs ---- */

Test(check, ten_thousand_roots_cost_what_is_theirs)
{
    enum { KEYS = 100000, ROOTS = 10000 };
    verso_store *store = open_in_memory(0);
    struct simulated_random random = {.state = 11};
    commit_keys(store, KEYS, 100);
    uint64_t pages = check_of(store, VERSO_OK).pages;
    for (unsigned i = 1; i < ROOTS; i++) {
        (void)commit_key(store, draw(&random, KEYS), i);
    }
    verso_check_report report = check_of(store, VERSO_OK);
    cr_assert_eq(report.roots, ROOTS);
    cr_assert_eq(report.keys, KEYS);
    /* a leaf's parent has up to 340 children; leaves are copied for their links, too */
    uint64_t most = report.pages + UINT64_C(340) * ROOTS;
    cr_assert_leq(report.visits, most, "%" PRIu64 " visits of %" PRIu64 " pages", report.visits,
                  report.pages);
    cr_assert_lt(report.visits * 8, pages * ROOTS); /* and less in a larger store */
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/** Pages met, by kind. */
struct met {
    uint8_t *page; /* a byte a page */
    uint64_t leaves;
};

static const char *meet(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct met *met = argument;
    met->leaves += kind == VS_KIND_LEAF && met->page[page] == 0;
    met->page[page] = 1;
    return NULL;
}

Test(check, hashes_each_leaf_once_whichever_roots_share_it)
{
    enum { ROOTS = 300 };
    verso_store *store = open_in_memory(SMALL_PAGE);
    struct simulated_random random = {.state = 3};
    commit_keys(store, 3000, 60);
    for (unsigned i = 1; i < ROOTS; i++) {
        (void)commit_key(store, draw(&random, 3000), i);
    }
    uint64_t limit = store->store->space.high_water;
    struct vs_proofs proofs;
    cr_assert_eq(vs_proofs_init(&proofs, limit), VERSO_OK);
    struct met met = {.page = calloc(1, limit)};
    cr_assert_not_null(met.page);
    uint64_t summed = 0;
    for (uint64_t id = 1; id <= ROOTS; id++) {
        struct vs_root_record record;
        cr_assert_eq(vs_history_find(store->store, id, &record, NULL), VERSO_OK);
        struct vs_tree_view view = {pages_of(store), record.tree, id};
        struct vs_tree_check check = {.visit = meet, .argument = &met, .proofs = &proofs};
        cr_assert_eq(vs_tree_check(&view, 0, &check), VERSO_OK, "%s", check.fault);
        cr_assert_eq(check.fingerprint, record.fingerprint);
        cr_assert_eq(check.keys, record.tree.keys);
        summed += check.summed;
    }
    cr_assert_eq(summed, met.leaves);
    cr_assert_gt(summed, ROOTS);
    free(met.page);
    vs_proofs_clear(&proofs);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(check, a_root_that_changes_nothing_in_a_tree_passes_it_at_its_root)
{
    verso_store *store = open_in_memory(0);
    verso_txn *txn = begin(store);
    verso_txn *tree = NULL;
    cr_assert_eq(verso_txn_tree(txn, verso_text("named"), true, &tree), VERSO_OK);
    for (unsigned i = 0; i < 5000; i++) {
        put(tree, i, "value", 5);
    }
    (void)commit(txn);
    uint64_t before = check_of(store, VERSO_OK).visits;
    for (unsigned i = 0; i < 100; i++) {
        (void)commit_key(store, 0, i); /* one leaf, one page */
    }
    verso_check_report report = check_of(store, VERSO_OK);
    cr_assert_eq(report.visits, before + 100);
    cr_assert_eq(report.pages, before + 100);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(check, says_of_many_roots_what_a_walk_through_each_says)
{
    struct random_history history = {.random = {.state = 5},
                                     .keys = PAGE_KEYS_ANY,
                                     .changes_max = 40,
                                     .long_value_max = 3000,
                                     .trees = true};
    verso_store *store = open_in_memory(SMALL_PAGE);
    for (unsigned round = 0; round < 20; round++) {
        random_history_commits(&history, store, 10);
        verso_check_report report = check_of(store, VERSO_OK);
        verso_check_report walked;
        cr_assert_eq(check_by_walking(store, &walked), VERSO_OK, "%s", walked.fault);
        cr_assert_eq(report.underfull, walked.underfull);
        cr_assert_leq(report.visits, walked.visits);
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- forged pages, which only the check of a root can find ---- */

static uint8_t *bytes_of(verso_store *store, vs_page_no page)
{
    const uint8_t *bytes = NULL;
    cr_assert_eq(vs_page_read_run(pages_of(store), page, &bytes), VERSO_OK);
    return (uint8_t *)(uintptr_t)bytes; /* in memory, every page lies in private memory */
}

static struct vs_descriptor *descriptor_of(verso_store *store, vs_page_no page)
{
    struct vs_descriptor *descriptor = NULL;
    cr_assert_eq(vs_page_table_change(&store->store->table, page, &descriptor), VERSO_OK);
    return descriptor;
}

/* The leaf of a key in a root, and the branch above it. */
static vs_page_no leaf_of(verso_store *store, verso_root_id root, unsigned number,
                          vs_page_no *branch)
{
    char key[16];
    (void)snprintf(key, sizeof key, "key%08u", number);
    struct vs_root_record record;
    cr_assert_eq(vs_history_find(store->store, root, &record, NULL), VERSO_OK);
    vs_page_no page = record.tree.page;
    *branch = 0;
    for (unsigned level = record.tree.depth; level-- > 1;) {
        const uint8_t *bytes = bytes_of(store, page);
        *branch = page;
        page = vs_branch_child(bytes, vs_branch_find(bytes, verso_text(key)));
    }
    return page;
}

/* Forty roots, each with another value of key `number`, and the check of all of them. */
static void commit_forty(verso_store *store, unsigned number)
{
    commit_keys(store, 2000, 30);
    for (unsigned i = 2; i <= 40; i++) {
        cr_assert_eq(commit_key(store, number, i), i);
    }
    (void)check_of(store, VERSO_OK);
}

/* Each commit links the leaf left of the changed one anew: to another page, in one version only. */
static void forge_link(unsigned number, vs_page_no target)
{
    enum { VERSION = 20 };
    verso_store *store = open_in_memory(SMALL_PAGE);
    commit_forty(store, number);
    vs_page_no branch;
    vs_page_no changed = leaf_of(store, VERSION, number, &branch);
    unsigned forged = 0;
    for (vs_page_no page = 1; page < store->store->space.high_water; page++) {
        struct vs_descriptor *descriptor = descriptor_of(store, page);
        uint64_t born = vs_descriptor_born(descriptor);
        for (unsigned i = 0; i < VS_LINKS; i++) {
            uint64_t word = vs_descriptor_word(descriptor, VS_WORD_LINK + i);
            bool is_leaf = vs_descriptor_kind(descriptor) == VS_KIND_LEAF && word != VS_NO_LINK;
            if (is_leaf && vs_link_version(word, born) == VERSION &&
                vs_link_page(word) == changed) {
                vs_descriptor_set(descriptor, VS_WORD_LINK + i,
                                  vs_link_word(VERSION, born, target));
                forged++;
            }
        }
    }
    cr_assert_eq(forged, 1);
    cr_assert_eq(check_of(store, VERSO_CORRUPT).bad_root, VERSION);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(check, a_link_that_is_wrong_in_one_root_of_many)
{
    for (unsigned number = 100; number < 300; number += 5) { /* also across branches */
        forge_link(number, 0);
        forge_link(number, 8);
    }
}

Test(check, a_separator_that_is_wrong_in_one_root_of_many)
{
    enum { VERSION = 20, NUMBER = 1000 };
    verso_store *store = open_in_memory(SMALL_PAGE);
    commit_forty(store, NUMBER);
    vs_page_no branch;
    (void)leaf_of(store, VERSION, NUMBER, &branch);
    uint8_t *bytes = bytes_of(store, branch);
    uint8_t before[SMALL_PAGE];
    memcpy(before, bytes, sizeof before);
    for (unsigned i = 1; i < vs_page_count(before); i++) {
        uint8_t separator[SMALL_PAGE];
        size_t size = vs_branch_separator(bytes, i, separator);
        separator[size++] = 'x'; /* now above the first key that it stands before */
        if (!vs_branch_set_separator(bytes, SMALL_PAGE, i, (verso_slice){separator, size})) {
            continue;
        }
        cr_assert_eq(check_of(store, VERSO_CORRUPT).bad_root, VERSION);
        memcpy(bytes, before, sizeof before);
    }
    (void)check_of(store, VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* The next transaction would write over it. */
Test(check, a_page_in_use_that_is_taken_for_free)
{
    verso_store *store = open_in_memory(SMALL_PAGE);
    verso_txn *txn = begin(store);
    put(txn, 1, "value", 5);
    (void)commit(txn);
    vs_page_no page = store->store->tip.tree.page;
    vs_space_give(&store->store->space, page);
    verso_check_report report = check_of(store, VERSO_CORRUPT);
    cr_assert_eq(report.bad_page, page);
    cr_assert_str_eq(report.fault, "is reached, but taken for free");
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Two keys have long values of the same bytes. In one root the second one's reference names the
 * pages of the first: content, hashes and counts are as they should be. */
Test(check, pages_that_are_reached_twice_in_one_root_of_many)
{
    enum { VERSION = 3 };
    static const uint8_t value[1500] = {7};
    verso_store *store = open_in_memory(SMALL_PAGE);
    verso_txn *txn = begin(store);
    put(txn, 1, value, sizeof value);
    put(txn, 2, value, sizeof value);
    (void)commit(txn);
    for (unsigned i = 2; i < 10; i++) {
        (void)commit_key(store, 3, i);
    }
    (void)check_of(store, VERSO_OK);
    vs_page_no branch;
    uint8_t *leaf = bytes_of(store, leaf_of(store, VERSION, 1, &branch));
    struct vs_payload first = vs_leaf_payload(leaf, 0);
    struct vs_payload second = vs_leaf_payload(leaf, 1);
    cr_assert(first.is_run && second.is_run && first.size == second.size);
    memcpy((uint8_t *)(uintptr_t)second.bytes, first.bytes, first.size);
    verso_check_report report = check_of(store, VERSO_CORRUPT);
    cr_assert_eq(report.bad_root, VERSION);
    cr_assert_not_null(strstr(report.fault, "reached twice"), "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* ---- forgeries drawn at random ---- */

/* A page of some root, with what it was. */
struct forgery {
    vs_page_no page;
    uint8_t bytes[SMALL_PAGE];
    uint64_t words[8];
};

static void remember(verso_store *store, vs_page_no page, struct forgery *forgery)
{
    struct vs_descriptor *descriptor = descriptor_of(store, page);
    forgery->page = page;
    memcpy(forgery->bytes, bytes_of(store, page), SMALL_PAGE);
    for (unsigned i = 0; i < 8; i++) {
        forgery->words[i] = vs_descriptor_word(descriptor, i);
    }
}

static void undo(verso_store *store, const struct forgery *forgery)
{
    struct vs_descriptor *descriptor = descriptor_of(store, forgery->page);
    memcpy(bytes_of(store, forgery->page), forgery->bytes, SMALL_PAGE);
    for (unsigned i = 0; i < 8; i++) {
        vs_descriptor_set(descriptor, i, forgery->words[i]);
    }
}

static vs_page_no draw_page(verso_store *store, struct simulated_random *random, unsigned kind)
{
    for (;;) {
        vs_page_no page = 1 + draw(random, store->store->space.high_water - 1);
        const struct vs_descriptor *descriptor = descriptor_of(store, page);
        bool lives = vs_descriptor_born(descriptor) < vs_descriptor_died(descriptor);
        if (lives && vs_descriptor_kind(descriptor) == kind) {
            return page;
        }
    }
}

static void forge_word(verso_store *store, struct simulated_random *random, vs_page_no page)
{
    struct vs_descriptor *descriptor = descriptor_of(store, page);
    uint64_t born = vs_descriptor_born(descriptor);
    unsigned slot = draw(random, VS_LINKS);
    uint64_t word = vs_descriptor_word(descriptor, VS_WORD_LINK + slot);
    switch (draw(random, 4)) {
    case 0:
        vs_descriptor_set(descriptor, VS_WORD_BORN, born + 1);
        return;
    case 1:
        vs_descriptor_set(descriptor, VS_WORD_DIED, vs_descriptor_died(descriptor) - 1);
        return;
    case 2:
        vs_descriptor_set(descriptor, VS_WORD_LINK + slot, word + 1); /* from a version later on */
        return;
    default:
        vs_descriptor_set(
            descriptor, VS_WORD_LINK + slot,
            vs_link_word(born + draw(random, 5), born, draw_page(store, random, VS_KIND_LEAF)));
        return;
    }
}

/* To a longer one, as long as they ascend: else the branch is damaged for everybody. */
static void raise_separator(uint8_t *branch, unsigned index)
{
    uint8_t raised[SMALL_PAGE];
    uint8_t next[SMALL_PAGE];
    if (index == 0) {
        return;
    }
    size_t size = vs_branch_separator(branch, index, raised);
    raised[size++] = 0x70;
    bool is_last = index + 1 == vs_page_count(branch);
    size_t next_size = is_last ? 0 : vs_branch_separator(branch, index + 1, next);
    bool ascends =
        is_last || vs_key_compare((verso_slice){raised, size}, (verso_slice){next, next_size}) < 0;
    if (ascends && size <= vs_leaf_key_max(SMALL_PAGE)) {
        (void)vs_branch_set_separator(branch, SMALL_PAGE, index, (verso_slice){raised, size});
    }
}

static void forge_branch(verso_store *store, struct simulated_random *random, vs_page_no page)
{
    uint8_t *bytes = bytes_of(store, page);
    unsigned count = vs_page_count(bytes);
    unsigned index = draw(random, count);
    switch (draw(random, 3)) {
    case 0:
        vs_branch_set_child(bytes, index, draw_page(store, random, VS_KIND_LEAF));
        return;
    case 1:
        vs_branch_set_child(bytes, index, draw_page(store, random, VS_KIND_BRANCH));
        return;
    default:
        raise_separator(bytes, index);
        return;
    }
}

static void forge(verso_store *store, struct simulated_random *random, struct forgery *forgery)
{
    static const unsigned kinds[] = {VS_KIND_LEAF, VS_KIND_BRANCH, VS_KIND_RUN};
    unsigned way = draw(random, 3);
    unsigned kind = way == 1 ? VS_KIND_BRANCH : kinds[draw(random, 3)];
    vs_page_no page = draw_page(store, random, kind);
    remember(store, page, forgery);
    if (way == 0) {
        forge_word(store, random, page);
    } else if (way == 1) {
        forge_branch(store, random, page);
    } else {
        bytes_of(store, page)[draw(random, SMALL_PAGE)] ^= (uint8_t)(1U << draw(random, 8));
    }
}

Test(check, finds_what_a_walk_through_every_root_finds)
{
    enum { FORGERIES = 1500 };
    uint64_t seed = page_keys_seed();
    struct random_history history = {.random = {.state = seed},
                                     .keys = PAGE_KEYS_ANY,
                                     .changes_max = 30,
                                     .long_value_max = 2000,
                                     .trees = true};
    struct simulated_random random = {.state = seed + 1};
    verso_store *store = open_in_memory(SMALL_PAGE);
    random_history_commits(&history, store, 40);
    unsigned found = 0;
    for (unsigned step = 0; step < FORGERIES; step++) {
        struct forgery forgery;
        forge(store, &random, &forgery);
        verso_check_report walked;
        verso_err expected = check_by_walking(store, &walked);
        verso_check_report report = {.size = sizeof report};
        verso_err err = verso_check(store, &report);
        cr_assert_eq(err, expected, "seed=%" PRIu64 " step=%u: %d %s, but by walking %d %s", seed,
                     step, (int)err, report.fault, (int)expected, walked.fault);
        found += err != VERSO_OK;
        undo(store, &forgery);
    }
    printf("%u of %u forgeries found\n", found, (unsigned)FORGERIES);
    cr_assert_gt(found, FORGERIES / 2);
    (void)check_of(store, VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
