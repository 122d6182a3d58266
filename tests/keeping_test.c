/*
 * keeping_test.c - the tags' tree: what is written is read again, and what nobody should have written
 * is refused; operations of the log that say what cannot be.
 */
#include "history/keeping.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "history/history.h"
#include "simulated_disk.h"
#include "tree/tree.h"

enum { ROOTS = 10 };

static struct simulated_disk *disk;
static verso_store *store;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_err open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = 512;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    return verso_open("store", &options, &store);
}

static void commit_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        verso_txn *txn;
        must(verso_begin(store, &txn));
        must(verso_put(txn, verso_text("key"), verso_text("value")));
        must(verso_commit(txn, NULL, NULL));
    }
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    must(open_store());
    commit_many(ROOTS);
    must(verso_tag_set(store, verso_text("tag"), 3));
}

static void tear_down(void)
{
    simulated_disk_close(disk);
}

TestSuite(keeping, .init = set_up, .fini = tear_down);

/* ---- entries that a checkpoint is made to write ---- */

static verso_slice bad_key;
static verso_slice bad_value;

static verso_err enter_badly(struct vs_store *inner, struct vs_page_writer *writer, uint64_t from,
                             uint64_t to, struct vs_history_roots *roots)
{
    must(vs_history_calls.enter(inner, writer, from, to, roots));
    struct vs_tree_edit edit;
    bool broken;
    vs_tree_edit_init(&edit, writer, roots->tags, 0, 0);
    must(vs_tree_put(&edit, VS_PUT_UPSERT, bad_key, bad_value, NULL, NULL, &broken));
    roots->tags = edit.root;
    vs_tree_edit_clear(&edit);
    return VERSO_OK;
}

static void expect_refused(const char *text)
{
    cr_assert_eq(open_store(), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), text), "%s", verso_error_detail());
    cr_assert_eq(simulated_disk_open_files(disk), 0);
}

static void expect_entry_refused(verso_slice key, verso_slice value, const char *text)
{
    struct vs_history_calls calls = vs_history_calls;
    calls.enter = enter_badly;
    bad_key = key;
    bad_value = value;
    store->store->history_calls = &calls;
    must(verso_close(store));
    expect_refused(text);
}

#define BYTES(text_) ((verso_slice){text_, sizeof(text_) - 1})

Test(keeping, a_tag_of_the_wrong_size)
{
    expect_entry_refused(verso_text("tag"), BYTES("15 bytes of it."), "no tag");
}

Test(keeping, a_tag_too_long_for_its_leaf)
{
    static const char huge[3000] = "x";
    expect_entry_refused(verso_text("tag"), (verso_slice){huge, sizeof huge}, "no tag");
}

Test(keeping, a_name_that_is_none)
{
    expect_entry_refused(BYTES("a\0b"), BYTES("\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "no tag");
}

Test(keeping, a_tag_of_root_0)
{
    expect_entry_refused(verso_text("b"), BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "root 0");
}

Test(keeping, a_tag_of_a_root_to_come)
{
    expect_entry_refused(verso_text("b"), BYTES("\xB\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "root 11");
}

Test(keeping, a_set_that_is_no_set)
{
    expect_entry_refused((verso_slice){NULL, 0}, BYTES("\1"), "damaged");
}

Test(keeping, a_set_that_ends)
{
    expect_entry_refused((verso_slice){NULL, 0}, BYTES("\1\5"), "none that a store can have");
}

Test(keeping, a_set_of_nothing)
{
    expect_entry_refused((verso_slice){NULL, 0}, (verso_slice){NULL, 0},
                         "none that a store can have");
}

Test(keeping, a_set_that_begins_with_root_0)
{
    expect_entry_refused((verso_slice){NULL, 0}, BYTES("\0\0"), "none that a store can have");
}

Test(keeping, a_set_that_begins_beyond_the_next_root)
{
    expect_entry_refused((verso_slice){NULL, 0}, BYTES("\xC\0"), "none that a store can have");
}

Test(keeping, a_set_in_pages_of_its_own)
{
    verso_retention thin = verso_keep_last(1);
    commit_many(1500);
    char name[8];
    for (unsigned root = 1; root <= 1500; root += 2) { /* every other one: 750 ranges */
        (void)snprintf(name, sizeof name, "%u", root);
        must(verso_tag_set(store, verso_text(name), root));
    }
    must(verso_retention_set(store, &thin));
    must(verso_close(store));
    must(open_store());
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    cr_assert_eq(stats.kept_roots, 750 + 1);
    for (uint64_t root = 1; root <= 1500; root++) {
        cr_assert_eq(vs_retained_has(&store->store->retained, root), root % 2 == 1);
    }
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report));
    must(verso_close(store));
}

/* What is entered already is not written again: one more tag is one more leaf. */
Test(keeping, a_checkpoint_writes_the_tags_that_have_changed)
{
    char name[8];
    for (unsigned i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "%03u", i);
        must(verso_tag_set(store, verso_text(name), 1 + i % ROOTS));
    }
    must(verso_checkpoint(store));
    must(verso_tag_set(store, verso_text("one more"), 5));
    size_t before = store->store->deaths.parked.count;
    must(verso_checkpoint(store));
    size_t died = store->store->deaths.parked.count - before;
    cr_assert_leq(died, 12, "%zu pages were copied", died);
    must(verso_close(store));
}

/* ---- operations ---- */

enum { NEWEST = 5 }; /* the last root that is there before the operation */

static const char *fault_of(enum vs_operation_kind kind, uint64_t one, uint64_t two,
                            verso_slice key, verso_slice value)
{
    struct vs_operation operation = {
        .kind = kind, .number = {one, two}, .key = key, .value = value};
    return vs_keeping_fault(store->store, &operation, NEWEST);
}

Test(keeping, operations_that_say_what_cannot_be)
{
    verso_slice none = {NULL, 0};
    verso_slice name = verso_text("name");
    char longest[VERSO_NAME_MAX] = "";
    memset(longest, 'n', sizeof longest);
    cr_assert_null(fault_of(VS_OPERATION_DROP_ROOTS, 1, 1, none, none));
    cr_assert_not_null(fault_of(VS_OPERATION_DROP_ROOTS, 0, 1, none, none));
    cr_assert_not_null(fault_of(VS_OPERATION_DROP_ROOTS, 2, 1, none, none));
    cr_assert_not_null(fault_of(VS_OPERATION_DROP_ROOTS, 1, UINT64_MAX, none, none));
    cr_assert_null(fault_of(VS_OPERATION_DROP_ROOTS, 1, NEWEST, none, none));
    cr_assert_not_null(fault_of(VS_OPERATION_DROP_ROOTS, 1, NEWEST + 1, none, none));
    cr_assert_null(fault_of(VS_OPERATION_SET_TAG, NEWEST, 0, name, none));
    cr_assert_not_null(fault_of(VS_OPERATION_SET_TAG, NEWEST + 1, 0, name, none));
    cr_assert_null(fault_of(VS_OPERATION_SET_TAG, 1, 0, name, none));
    cr_assert_not_null(fault_of(VS_OPERATION_SET_TAG, 0, 0, name, none));
    cr_assert_not_null(fault_of(VS_OPERATION_SET_TAG, 1, 0, none, none));
    verso_slice too_long = {longest, sizeof longest}; /* for pages of 512 bytes */
    cr_assert_not_null(fault_of(VS_OPERATION_SET_TAG, 1, 0, too_long, none));
    cr_assert_not_null(fault_of(VS_OPERATION_DELETE_TAG, 0, 0, BYTES("a\0"), none));
    cr_assert_not_null(fault_of(VS_OPERATION_SET_RETENTION, 0, 0, none, name));
    cr_assert_not_null(fault_of(VS_OPERATION_PUT, 0, 0, name, name));
    must(verso_close(store));
}
