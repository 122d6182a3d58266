/*
 * arguments_test.c - arguments that cannot be are refused by every call that takes them, one by one,
 * and nothing else changes; whatever may be left out may be left out.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum { HUGE_STRUCT = 4097 }; /* bytes: no struct of ours is that long */

#define LIMIT_BYTES (UINT64_C(1) << 40)

static struct simulated_disk *disk;
static verso_store *store;
static verso_txn *txn;
static verso_view *view;
static verso_root_id root;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK);
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("other"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK);
    txn = NULL;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
}

static void tear_down(void)
{
    verso_view_close(view);
    verso_abort(txn);
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.roots, 1);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

TestSuite(arguments, .init = set_up, .fini = tear_down, .timeout = 60);

static void begin(void)
{
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
}

static void refused(verso_err err, const char *what)
{
    cr_assert_eq(err, VERSO_INVALID, "%s: %s", what, verso_strerror(err));
}

#define REFUSED(call) refused(call, #call)

/* ---- structs ------------------------------------------------------------------------------- */

/* Calls that fill a struct, with its size one byte too small to hold itself, or absurd. */
static void fill_structs(size_t size)
{
    verso_root_info root_info = {.size = size};
    verso_tree_info tree_info = {.size = size};
    verso_tag_info tag_info = {.size = size};
    verso_retention retention = {.size = size};
    verso_retention policy = verso_keep_all();
    verso_retention_effect effect = {.size = size};
    verso_space_report space = {.size = size};
    verso_check_report check = {.size = size};
    verso_stats stats = {.size = size};
    verso_copy_report copy = {.size = size};
    verso_root_cost cost = {.size = size};
    verso_reader_info reader = {.size = size};
    verso_key_version version = {.size = size};
    size_t count;
    REFUSED(verso_view_info(view, &root_info));
    REFUSED(verso_roots(store, 0, &root_info, 1, NULL, &count));
    REFUSED(verso_tree_next(view, verso_text(""), &tree_info));
    REFUSED(verso_tag_get(store, verso_text("tag"), &tag_info));
    REFUSED(verso_tag_next(store, verso_text(""), &tag_info));
    REFUSED(verso_retention_get(store, &retention));
    REFUSED(verso_retention_try(store, &policy, NULL, 0, &effect));
    REFUSED(verso_space(store, &space));
    REFUSED(verso_check(store, &check));
    REFUSED(verso_stat(store, &stats));
    REFUSED(verso_copy(store, "copy", NULL, &copy));
    REFUSED(verso_copy_since(store, root, "copy", &copy));
    REFUSED(verso_copy_apply(store, "copy", &copy));
    REFUSED(verso_root_costs(store, 0, &cost, 1, &count));
    REFUSED(verso_readers(store, &reader, 1, &count));
    verso_history *history;
    cr_assert_eq(verso_history_open(view, verso_text("key"), &history), VERSO_OK);
    REFUSED(verso_history_next(history, &version));
    verso_history_close(history);
}

/* Calls that read one. */
static void read_structs(size_t size)
{
    verso_options options = {.size = size, .system = simulated_disk_os(disk)};
    verso_commit_options commit = {.size = size};
    verso_range range = {.size = size};
    verso_retention retention = {.size = size, .last = 1};
    verso_copy_options copy = {.size = size};
    verso_store *second = NULL;
    verso_cursor *cursor = NULL;
    verso_diff *diff = NULL;
    uint64_t count;
    REFUSED(verso_open("other", &options, &second));
    begin();
    REFUSED(verso_commit(txn, &commit, NULL)); /* and the transaction has ended */
    begin();
    REFUSED(verso_cursor_open(view, &range, &cursor));
    REFUSED(verso_diff_open(view, view, &range, &diff));
    REFUSED(verso_delete_range(txn, &range, NULL));
    verso_abort(txn);
    txn = NULL;
    REFUSED(verso_count(view, &range, &count));
    REFUSED(verso_retention_set(store, &retention));
    REFUSED(verso_copy(store, "copy", &copy, NULL));
    cr_assert_null(second);
    cr_assert_null(cursor);
    cr_assert_null(diff);
}

Test(arguments, structs_without_a_size_or_of_an_absurd_one_are_refused)
{
    static const size_t sizes[] = {0, sizeof(size_t) - 1, HUGE_STRUCT, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill_structs(sizes[i]);
        read_structs(sizes[i]);
    }
}

/* ---- options ------------------------------------------------------------------------------- */

static void refuse_options(const verso_options *options)
{
    verso_store *second = NULL;
    refused(verso_open("other", options, &second), "options");
    cr_assert_null(second);
    cr_assert_not(simulated_disk_exists(disk, "other"));
}

Test(arguments, options_that_cannot_be_are_refused)
{
    static const uint32_t page_sizes[] = {1, 256, 511, 513, 4095, 65537, 131072, UINT32_MAX};
    static const int durabilities[] = {-1, VERSO_DURABILITY_INTERVAL + 1, 1000};
    verso_options good = VERSO_OPTIONS_INIT;
    good.create = true;
    good.system = simulated_disk_os(disk);
    verso_options options = good;
    for (size_t i = 0; i < sizeof page_sizes / sizeof page_sizes[0]; i++) {
        options.page_size = page_sizes[i];
        refuse_options(&options);
    }
    options = good;
    for (size_t i = 0; i < sizeof durabilities / sizeof durabilities[0]; i++) {
        options.durability = (verso_durability)durabilities[i];
        refuse_options(&options);
    }
    verso_retention nothing = {.size = sizeof nothing};
    options = good;
    options.retention = &nothing;
    refuse_options(&options);
    options = good;
    options.arena_bytes = LIMIT_BYTES + 1;
    refuse_options(&options);
    options = good;
    options.log_bytes = LIMIT_BYTES + 1;
    refuse_options(&options);
}

Test(arguments, a_commit_refuses_options_that_cannot_be_and_ends_the_transaction)
{
    static const int durabilities[] = {-1, VERSO_DURABILITY_INTERVAL + 1, 1000};
    for (size_t i = 0; i < sizeof durabilities / sizeof durabilities[0]; i++) {
        verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
        options.durability = (verso_durability)durabilities[i];
        begin();
        refused(verso_commit(txn, &options, NULL), "durability");
        txn = NULL;
    }
}

/* ---- places for results, keys -------------------------------------------------------------- */

static const verso_slice bare = {NULL, 1}; /* a size without bytes */

Test(arguments, places_for_results_are_needed)
{
    verso_entry entry;
    verso_slice slice;
    verso_err result;
    verso_cursor *cursor;
    size_t count;
    cr_assert_eq(verso_cursor_open(view, NULL, &cursor), VERSO_OK);
    REFUSED(verso_cursor_batch(cursor, &entry, 1, NULL));
    REFUSED(verso_cursor_batch(cursor, NULL, 1, &count));
    cr_assert_eq(verso_cursor_batch(cursor, NULL, 0, &count), VERSO_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(verso_cursor_batch(cursor, &entry, 1, &count), VERSO_OK);
    cr_assert_eq(count, 1);
    verso_cursor_close(cursor);
    const verso_slice key = verso_text("key");
    REFUSED(verso_get_many(NULL, &key, 1, &slice, &result));
    REFUSED(verso_get_many(view, NULL, 1, &slice, &result));
    REFUSED(verso_get_many(view, &key, 1, NULL, &result));
    REFUSED(verso_get_many(view, &key, 1, &slice, NULL));
    REFUSED(verso_get_many(view, &bare, 1, &slice, &result));
    cr_assert_eq(verso_get_many(view, NULL, 0, NULL, NULL), VERSO_OK);
    REFUSED(verso_read(view, key, 0, NULL, 1, &count));
    REFUSED(verso_read(view, key, 0, &entry, sizeof entry, NULL));
    cr_assert_eq(verso_read(view, key, 0, NULL, 0, &count), VERSO_OK);
    REFUSED(verso_roots(store, 0, NULL, 1, NULL, &count));
    REFUSED(verso_roots(store, 0, NULL, 0, NULL, NULL));
    cr_assert_eq(verso_roots(store, 0, NULL, 0, NULL, &count), VERSO_OK);
    REFUSED(verso_view_open_at(store, 0, NULL));
    REFUSED(verso_view_open_at(NULL, 0, &view));
    REFUSED(verso_view_info(view, NULL));
    REFUSED(verso_view_info(NULL, &(verso_root_info){.size = sizeof(verso_root_info)}));
    REFUSED(verso_diff_open(view, NULL, NULL, NULL));
    REFUSED(verso_diff_open(NULL, NULL, NULL, &(verso_diff *){NULL}));
}

Test(arguments, a_trial_of_a_policy_needs_all_that_it_fills)
{
    verso_retention policy = verso_keep_all();
    verso_retention_effect effect = {.size = sizeof effect};
    REFUSED(verso_retention_try(NULL, &policy, NULL, 0, &effect));
    REFUSED(verso_retention_try(store, NULL, NULL, 0, &effect));
    REFUSED(verso_retention_try(store, &policy, NULL, 1, &effect));
    REFUSED(verso_retention_try(store, &policy, NULL, 0, NULL));
    cr_assert_eq(verso_retention_try(store, &policy, NULL, 0, &effect), VERSO_OK);
    REFUSED(verso_retention_get(NULL, &policy));
    REFUSED(verso_retention_get(store, NULL));
}

Test(arguments, entries_put_in_order_are_looked_at_before_any_is_put)
{
    static const char bytes[70000];
    const verso_slice good = verso_text("a");
    const verso_slice too_long = {bytes, verso_key_size_max(store) + 1};
    begin();
    const verso_entry bad[] = {{bare, good}, {good, bare}};
    for (size_t i = 0; i < 2; i++) {
        refused(verso_put_sorted(txn, &bad[i], 1), "an entry without bytes");
    }
    REFUSED(verso_put_sorted(txn, NULL, 1));
    cr_assert_eq(verso_put_sorted(txn, NULL, 0), VERSO_OK);
    cr_assert_eq(verso_put_sorted(txn, &(verso_entry){too_long, good}, 1), VERSO_TOO_BIG);
    const verso_slice too_big = {bytes, ((size_t)1 << 30) + 1}; /* never read so far */
    cr_assert_eq(verso_put_sorted(txn, &(verso_entry){good, too_big}, 1), VERSO_TOO_BIG);
}

Test(arguments, a_cursor_seeks_only_what_there_is_and_by_keys_with_bytes)
{
    verso_cursor *cursor;
    verso_entry entry;
    cr_assert_eq(verso_cursor_open(view, NULL, &cursor), VERSO_OK);
    static const int seeks[] = {-1, 0, VERSO_SEEK_GT + 1, 1000};
    for (size_t i = 0; i < sizeof seeks / sizeof seeks[0]; i++) {
        refused(verso_cursor_seek(cursor, (verso_seek)seeks[i], verso_text("key"), &entry), "seek");
    }
    REFUSED(verso_cursor_seek(cursor, VERSO_SEEK_GE, bare, &entry));
    cr_assert_eq(verso_cursor_seek(cursor, VERSO_SEEK_GE, verso_text("key"), NULL), VERSO_OK);
    cr_assert_eq(verso_cursor_current(cursor, NULL), VERSO_OK);
    cr_assert_eq(verso_cursor_current(cursor, &entry), VERSO_OK);
    cr_assert_eq(entry.key.size, 3);
    verso_cursor_close(cursor);
}

Test(arguments, a_copy_refuses_paths_too_long_for_the_names_of_its_log)
{
    char path[5000];
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    verso_err err = verso_copy(store, path, NULL, NULL);
    cr_assert_eq(err, VERSO_INVALID, "%s", verso_error_detail());
}

/* The name of the log is longer than its store's. */
Test(arguments, a_copy_refuses_a_path_too_long_for_the_name_of_a_log)
{
    char path[4096];
    memset(path, '/', sizeof path);
    memcpy(path, "nowhere", 7);
    path[sizeof path - 5] = '\0'; /* a path yet, but for "-wal." */
    verso_store *in_memory;
    cr_assert_eq(verso_open(NULL, NULL, &in_memory), VERSO_OK);
    verso_err err = verso_copy(in_memory, path, NULL, NULL);
    cr_assert_eq(err, VERSO_INVALID, "%s", verso_error_detail());
    cr_assert_eq(verso_close(in_memory), VERSO_OK);
}

Test(arguments, a_salvage_needs_two_paths_and_structs_with_a_size)
{
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    verso_salvage_report report = {.size = sizeof report};
    REFUSED(verso_salvage(NULL, "new", &options, &report));
    REFUSED(verso_salvage("", "new", &options, &report));
    REFUSED(verso_salvage("store", NULL, &options, &report));
    REFUSED(verso_salvage("store", "", &options, &report));
    options.size = HUGE_STRUCT;
    REFUSED(verso_salvage("store", "new", &options, &report));
    options.size = sizeof options;
    report.size = HUGE_STRUCT;
    REFUSED(verso_salvage("store", "new", &options, &report));
    cr_assert_eq(verso_salvage("/nowhere/store", "/nowhere/new", NULL, NULL), VERSO_NO_STORE);
}

Test(arguments, a_check_needs_a_store_and_a_report)
{
    verso_check_report report = {.size = sizeof report};
    REFUSED(verso_check(NULL, &report));
    REFUSED(verso_check(store, NULL));
}

Test(arguments, an_old_value_is_handed_out_to_those_who_want_it)
{
    verso_slice old;
    begin();
    cr_assert_eq(verso_exchange(txn, verso_text("key"), verso_text("new"), NULL), VERSO_OK);
    cr_assert_eq(verso_exchange(txn, verso_text("key"), verso_text("newer"), &old), VERSO_OK);
    cr_assert_eq(old.size, 3);
    cr_assert_eq(verso_take(txn, verso_text("key"), NULL), VERSO_OK);
    cr_assert_eq(verso_take(txn, verso_text("key"), &old), VERSO_NOT_FOUND);
}

Test(arguments, a_walk_over_differences_ends_with_its_transaction)
{
    verso_diff *diff;
    verso_change change;
    begin();
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("new")), VERSO_OK);
    cr_assert_eq(verso_diff_open(verso_txn_view(txn), view, NULL, &diff), VERSO_OK);
    verso_abort(txn);
    REFUSED(verso_diff_next(diff, &change));
    verso_diff *second = NULL;
    REFUSED(verso_diff_open(verso_txn_view(txn), view, NULL, &second));
    verso_diff_close(diff);
    txn = NULL;
}

Test(arguments, a_range_that_holds_nothing_gives_no_batch)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    verso_cursor *cursor;
    verso_entry entry;
    size_t count = 1;
    range.from = verso_text("z");
    range.to = verso_text("a");
    cr_assert_eq(verso_cursor_open(view, &range, &cursor), VERSO_OK);
    cr_assert_eq(verso_cursor_batch(cursor, &entry, 1, &count), VERSO_NOT_FOUND);
    cr_assert_eq(count, 0);
    verso_cursor_close(cursor);
}

/* ---- codes --------------------------------------------------------------------------------- */

Test(arguments, every_code_has_a_text_of_its_own)
{
    for (int code = VERSO_LIMIT - 1; code <= 1; code++) {
        const char *text = verso_strerror((verso_err)code);
        cr_assert_gt(strlen(text), 0);
        bool known = code <= 0 && code >= VERSO_LIMIT;
        cr_assert_eq(strcmp(text, "unknown error") != 0, known, "%d: %s", code, text);
        for (int other = VERSO_LIMIT; known && other < code; other++) {
            cr_assert_neq(strcmp(text, verso_strerror((verso_err)other)), 0, "%d and %d", code,
                          other);
        }
    }
}
