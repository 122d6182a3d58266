/*
 * trees_hostile_test.c - catalogues that nobody should have written, and logs that name trees which
 * are not there: found by the check, and an error wherever they are met.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "api/handles.h"
#include "simulated_disk.h"
#include "tree/catalogue.h"
#include "tree/condemned.h"
#include "verso.h"

static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_txn *begin(void)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    return txn;
}

static verso_txn *create(verso_txn *txn, const char *name)
{
    verso_txn *tree = NULL;
    must(verso_txn_tree(txn, verso_text(name), true, &tree));
    return tree;
}

/* In memory: two trees, "a" with keys and "b" without. */
static void set_up(void)
{
    must(verso_open(NULL, NULL, &store));
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "a");
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t key[2] = {(uint8_t)(i >> 8), (uint8_t)i};
        must(verso_put(tree, (verso_slice){key, 2}, verso_text("value")));
    }
    create(txn, "b");
    must(verso_commit(txn, NULL, NULL));
}

static void tear_down(void)
{
    must(verso_close(store));
}

TestSuite(trees_hostile, .init = set_up, .fini = tear_down);

static struct vs_tree_edit *catalogue_of(verso_txn *txn)
{
    return &txn->shared->trees.catalogue;
}

/* Commit an entry into the catalogue; a value of size 0 takes it out. */
static verso_err commit_entry(verso_slice key, verso_slice value)
{
    verso_txn *txn = begin();
    bool broken = false;
    if (value.size > 0) {
        must(vs_tree_put(catalogue_of(txn), VS_PUT_UPSERT, key, value, NULL, NULL, &broken));
    } else {
        must(vs_tree_delete(catalogue_of(txn), key, NULL, NULL, &broken));
    }
    must(verso_put(txn, verso_text("k"), verso_text("v")));
    return verso_commit(txn, NULL, NULL);
}

static void keep_only_newest(void)
{
    verso_retention policy = verso_keep_last(1);
    must(verso_retention_set(store, &policy));
}

static void expect_check_to_say(const char *text)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_CORRUPT);
    cr_assert_not_null(strstr(report.fault, text), "%s", report.fault);
}

static struct vs_tree_record record_of(const char *name)
{
    verso_txn *txn = begin();
    struct vs_tree_view catalogue = vs_tree_set_catalogue(&txn->shared->trees);
    struct vs_tree_record record;
    must(vs_catalogue_find(&catalogue, verso_text(name), &record));
    verso_abort(txn);
    return record;
}

static void commit_record(const char *name, const struct vs_tree_record *record)
{
    uint8_t bytes[VS_TREE_RECORD_SIZE];
    must(commit_entry(verso_text(name), vs_tree_record_encode(record, bytes)));
}

/* Whoever opens the tree meets the fault. */
static void expect_corrupt(const char *name)
{
    verso_view *view = NULL;
    verso_view *tree;
    verso_txn *handle;
    must(verso_view_open(store, &view));
    cr_assert_eq(verso_view_tree(view, verso_text(name), &tree), VERSO_CORRUPT);
    verso_view_close(view);
    verso_txn *txn = begin();
    cr_assert_eq(verso_txn_tree(txn, verso_text(name), true, &handle), VERSO_CORRUPT);
    cr_assert_eq(verso_tree_drop(txn, verso_text(name)), VERSO_CORRUPT);
    cr_assert_eq(verso_tree_rename(txn, verso_text(name), verso_text("c")), VERSO_CORRUPT);
    verso_abort(txn);
}

Test(trees_hostile, a_record_of_the_wrong_size)
{
    must(commit_entry(verso_text("a"), verso_text("not a record")));
    expect_corrupt("a");
    expect_check_to_say("wrong size");
    verso_view *view = NULL;
    verso_tree_info info = {.size = sizeof info};
    must(verso_view_open(store, &view));
    cr_assert_eq(verso_tree_next(view, (verso_slice){NULL, 0}, &info), VERSO_CORRUPT);
    must(verso_tree_next(view, verso_text("a"), &info)); /* b is well */
    verso_view_close(view);
}

Test(trees_hostile, a_record_too_long_for_its_leaf)
{
    static const char huge[5000] = "x";
    must(commit_entry(verso_text("a"), (verso_slice){huge, sizeof huge}));
    expect_corrupt("a");
    expect_check_to_say("pages of its own");
}

Test(trees_hostile, a_tree_that_cannot_be)
{
    struct vs_tree_record record = record_of("a");
    record.root.depth = 1000;
    commit_record("a", &record);
    expect_corrupt("a");
    expect_check_to_say("impossible tree");
}

Test(trees_hostile, a_tree_whose_page_is_another)
{
    struct vs_tree_record record = record_of("a");
    record.root.page = 1; /* no leaf nor branch */
    commit_record("a", &record);
    verso_view *view = NULL;
    verso_view *tree = NULL;
    verso_slice value;
    must(verso_view_open(store, &view));
    must(verso_view_tree(view, verso_text("a"), &tree));
    cr_assert_eq(verso_get(tree, verso_text("k"), &value), VERSO_CORRUPT);
    verso_view_close(view);
    expect_check_to_say("");
}

Test(trees_hostile, two_trees_with_the_same_pages)
{
    struct vs_tree_record record = record_of("a");
    record.number = record_of("b").number;
    commit_record("b", &record);
    expect_check_to_say("reached twice");
}

Test(trees_hostile, other_fingerprints_and_counts_than_recorded)
{
    struct vs_tree_record record = record_of("a");
    struct vs_tree_record wrong = record;
    wrong.fingerprint++;
    commit_record("a", &wrong);
    expect_check_to_say("another fingerprint");
    wrong = record;
    wrong.root.keys++;
    commit_record("a", &wrong);
    keep_only_newest();
    expect_check_to_say("keys below it");
}

/* Splits and merges add and subtract counts: they look at them before. */
Test(trees_hostile, a_change_where_another_number_of_keys_is_counted)
{
    struct vs_tree_record record = record_of("a");
    record.root.keys -= 998;
    commit_record("a", &record);
    verso_txn *txn = begin();
    verso_txn *tree = create(txn, "a");
    cr_assert_eq(verso_put(tree, verso_text("k"), verso_text("v")), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "are counted"), "%s", verso_error_detail());
    cr_assert_eq(verso_put(tree, verso_text("k"), verso_text("v")), VERSO_MUST_ABORT);
    verso_abort(txn);
}

Test(trees_hostile, a_page_that_is_replaced_twice)
{
    struct vs_tree_record record = record_of("a");
    record.number = record_of("b").number;
    commit_record("b", &record);
    verso_txn *txn = begin();
    must(verso_put(create(txn, "a"), verso_text("k"), verso_text("v")));
    cr_assert_eq(verso_put(create(txn, "b"), verso_text("k"), verso_text("v")), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "not alive"), "%s", verso_error_detail());
    verso_abort(txn);
}

Test(trees_hostile, numbers_that_lead_nowhere)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    must(commit_entry(vs_number_key(1, key), verso_text("none")));
    expect_check_to_say("not that tree's");
    keep_only_newest();
    must(commit_entry(vs_number_key(1, key), verso_text("b")));
    expect_check_to_say("not that tree's");
    must(commit_entry(vs_number_key(1, key), (verso_slice){"a\0b", 3}));
    expect_check_to_say("no name");
    must(commit_entry(vs_number_key(1, key), (verso_slice){NULL, 0}));
    expect_check_to_say("other numbers than trees");
    verso_txn *txn = begin(); /* a change of that tree cannot be entered */
    must(verso_put(create(txn, "a"), verso_text("k"), verso_text("v")));
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_CORRUPT);
    must(commit_entry(vs_number_key(1, key), verso_text("a")));
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report)); /* and now it can */
}

Test(trees_hostile, a_next_number_that_is_not_next)
{
    uint8_t bytes[VS_NUMBER_VALUE_SIZE];
    must(commit_entry(vs_next_number_key(), verso_text("bytes")));
    expect_check_to_say("wrong size");
    verso_txn *txn = begin();
    verso_txn *tree;
    cr_assert_eq(verso_txn_tree(txn, verso_text("c"), true, &tree), VERSO_CORRUPT);
    verso_abort(txn);
    keep_only_newest();
    must(commit_entry(vs_next_number_key(), vs_number_value_encode(2, bytes)));
    expect_check_to_say("not below the next");
}

Test(trees_hostile, an_entry_behind_a_name_that_is_none)
{
    static const char huge[5000] = "x";
    verso_view *view = NULL;
    verso_tree_info info = {.size = sizeof info};
    struct vs_tree_record record = record_of("b");
    uint8_t bytes[VS_TREE_RECORD_SIZE];
    verso_slice zero = {"a\0c", 3};
    must(commit_entry(zero, vs_tree_record_encode(&record, bytes)));
    must(verso_view_open(store, &view));
    cr_assert_eq(verso_tree_next(view, verso_text("a"), &info), VERSO_CORRUPT, "no name");
    verso_view_close(view);
    must(commit_entry(zero, (verso_slice){NULL, 0}));
    must(commit_entry(verso_text("aa"), (verso_slice){huge, sizeof huge}));
    must(verso_view_open(store, &view));
    cr_assert_eq(verso_tree_next(view, verso_text("a"), &info), VERSO_CORRUPT, "no record");
    verso_view_close(view);
}

Test(trees_hostile, a_tree_whose_number_is_missing_is_not_dropped)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    must(commit_entry(vs_number_key(record_of("b").number, key), (verso_slice){NULL, 0}));
    verso_txn *txn = begin();
    cr_assert_eq(verso_tree_drop(txn, verso_text("b")), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "number is missing"), "%s",
                       verso_error_detail());
    cr_assert_eq(verso_put(txn, verso_text("k"), verso_text("v")), VERSO_MUST_ABORT);
    verso_abort(txn);
}

/* As a replay does, which knows the number. */
Test(trees_hostile, a_tree_is_not_entered_where_the_next_number_is_damaged)
{
    must(commit_entry(vs_next_number_key(), verso_text("bytes")));
    struct vs_tree_record record = {.number = 7};
    verso_txn *txn = begin();
    bool broken = false;
    cr_assert_eq(vs_catalogue_enter(catalogue_of(txn), verso_text("c"), &record, &broken),
                 VERSO_CORRUPT);
    cr_assert(broken, "its name is there already");
    verso_abort(txn);
}

/* Names whose numbers lead elsewhere are met by going through the names. */
Test(trees_hostile, a_name_that_no_number_leads_to)
{
    static const char huge[5000] = "x";
    must(commit_entry(verso_text("z"), verso_text("not a record")));
    expect_check_to_say("a tree's record has the wrong size");
    must(commit_entry(verso_text("z"), (verso_slice){huge, sizeof huge}));
    keep_only_newest();
    expect_check_to_say("an entry of no kind");
    must(commit_entry(verso_text("z"), (verso_slice){NULL, 0}));
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report));
}

Test(trees_hostile, all_numbers_used_up)
{
    uint8_t bytes[VS_NUMBER_VALUE_SIZE];
    must(commit_entry(vs_next_number_key(), vs_number_value_encode(UINT64_MAX - 2, bytes)));
    verso_txn *txn = begin();
    verso_txn *tree = NULL;
    must(verso_txn_tree(txn, verso_text("last"), true, &tree));
    must(verso_put(tree, verso_text("k"), verso_text("v")));
    cr_assert_eq(verso_txn_tree(txn, verso_text("one more"), true, &tree), VERSO_LIMIT);
    must(verso_commit(txn, NULL, NULL));
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report));
}

/* No file has room for such a tree; a branch of one child each could lead there. */
Test(trees_hostile, a_tree_that_can_get_no_deeper)
{
    struct vs_tree_record record = record_of("a");
    record.root.depth = VS_TREE_DEPTH_MAX;
    commit_record("a", &record);
    verso_txn *txn = begin();
    cr_assert_eq(verso_put(create(txn, "a"), verso_text("k"), verso_text("v")), VERSO_LIMIT);
    verso_abort(txn);
}

Test(trees_hostile, keys_of_no_kind)
{
    must(commit_entry((verso_slice){"\0\7", 2}, verso_text("v")));
    expect_check_to_say("no kind");
}

static void condemn(const struct vs_condemned *condemned, verso_err expected, const char *text)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    uint8_t value[VS_CONDEMNED_MAX];
    verso_err err =
        commit_entry(vs_condemned_key(condemned->page, key), vs_condemned_encode(condemned, value));
    cr_assert_eq(err, expected, "%d", (int)err);
    cr_assert_not_null(strstr(verso_error_detail(), text), "%s", verso_error_detail());
}

Test(trees_hostile, condemned_trees_whose_values_are_shorter_than_what_is_gone_of_them)
{
    static const char value[20000] = "long";
    verso_txn *txn = begin();
    must(verso_put(create(txn, "long"), verso_text("k"), (verso_slice){value, sizeof value}));
    must(verso_commit(txn, NULL, NULL));
    struct vs_condemned passed = {.page = record_of("long").root.page, .depth = 1};
    passed.run_pages = 1000;
    condemn(&passed, VERSO_CORRUPT, "a value shorter than passed");
}

Test(trees_hostile, condemned_trees_that_are_none)
{
    condemn(&(struct vs_condemned){.page = 1, .depth = 1}, VERSO_CORRUPT, "page 1");
    condemn(&(struct vs_condemned){.page = UINT32_MAX, .depth = 1}, VERSO_CORRUPT, "");
    struct vs_tree_root root = record_of("a").root;
    struct vs_condemned passed = {.page = root.page, .depth = root.depth};
    passed.index[root.depth - 1] = 4000;
    condemn(&passed, VERSO_CORRUPT, "fewer entries than passed");
    passed.depth++;
    condemn(&passed, VERSO_CORRUPT, "where the tree has level");
    uint8_t key[VS_NUMBER_KEY_SIZE];
    cr_assert_eq(commit_entry(vs_condemned_key(5, key), verso_text("bytes")), VERSO_CORRUPT);
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report)); /* none of these commits came about */
}
