/*
 * salvage_test.c - out of a damaged store comes what can be proved, never anything else; what is
 * missing lies in a loss that was reported; and the damaged store is left as it is.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "format/layout.h"
#include "format/meta.h"
#include "format/page.h"
#include "run_length.h"
#include "simulated_disk.h"
#include "simulated_random.h"
#include "verso.h"

enum {
    PAGE_SIZE = 512,
    KEYS = 1600, /* of the default tree; the others have fewer */
    TREES = 3,
    ENTRIES_MAX = 4000,
    LOSSES_MAX = 400,
    TEXT = 64,
    LONG_VALUE = 3000,
    ROOTS_MAX = 40,
    FLIPS = 150, /* pairs of damaged pages */
};

static const char *const tree_names[TREES] = {"", "one", "two"};
static const unsigned tree_keys[TREES] = {KEYS, KEYS / 2, 12};

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* ---- the store to be damaged ---- */

static struct simulated_disk *disk; /* a store that was closed, or crashed */
static verso_root_id newest;
static verso_root_id checkpointed;
static uint64_t fingerprints[ROOTS_MAX]; /* of the roots by id */

static verso_store *open_on(struct simulated_disk *on, const char *path, bool read_only)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = read_only ? 0 : PAGE_SIZE;
    options.retention = &all;
    options.system = simulated_disk_os(on);
    verso_store *store;
    must(verso_open(path, &options, &store));
    return store;
}

static verso_slice key_of(unsigned number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, TEXT, "key %05u", number)};
}

static void commit(verso_store *store, verso_txn *txn)
{
    (void)store;
    must(verso_commit(txn, NULL, &newest));
    cr_assert_lt(newest, ROOTS_MAX);
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    must(verso_view_open_root(store, newest, &view));
    must(verso_view_info(view, &info));
    fingerprints[newest] = info.fingerprint;
    verso_view_close(view);
}

static void fill_tree(verso_txn *tree, unsigned keys)
{
    static const char letters[LONG_VALUE] = "a long value";
    char key[TEXT];
    char value[TEXT];
    for (unsigned i = 0; i < keys; i++) {
        verso_slice text = {value, (size_t)snprintf(value, TEXT, "value of %05u", i)};
        bool is_long = i % 97 == 5;
        must(verso_put(tree, key_of(2 * i, key),
                       is_long ? (verso_slice){letters, LONG_VALUE - i} : text));
    }
}

static void begin_store(verso_store *store)
{
    verso_txn *txn;
    verso_txn *tree;
    must(verso_begin(store, &txn));
    for (unsigned i = 0; i < TREES; i++) {
        tree = txn;
        if (i > 0) {
            must(verso_txn_tree(txn, verso_text(tree_names[i]), true, &tree));
        }
        fill_tree(tree, tree_keys[i]);
    }
    commit(store, txn);
    must(verso_begin(store, &txn)); /* pages of several ages */
    char key[TEXT];
    for (unsigned i = 0; i < KEYS; i += 50) {
        must(verso_put(txn, key_of(2 * i, key), verso_text("changed")));
    }
    commit(store, txn);
    must(verso_checkpoint(store));
    checkpointed = newest;
}

/* What no page says: puts, deletes, ranges, a tree made, one renamed, one dropped. */
static void go_on(verso_store *store)
{
    verso_txn *txn;
    verso_txn *tree;
    char key[TEXT];
    char to[TEXT];
    for (unsigned i = 0; i < 8; i++) {
        must(verso_begin(store, &txn));
        must(verso_put(txn, key_of(100 * i + 1, key), verso_text("new")));
        must(verso_delete(txn, key_of(100 * i + 2, key)));
        verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
        range.from = key_of(100 * i + 20, key);
        range.to = key_of(100 * i + 30, to);
        must(verso_delete_range(txn, &range, NULL));
        if (i == 3) {
            must(verso_txn_tree(txn, verso_text("three"), true, &tree));
            must(verso_put(tree, verso_text("only"), verso_text("one")));
            must(verso_tree_rename(txn, verso_text("two"), verso_text("second")));
        }
        commit(store, txn);
    }
}

static void make_closed(void)
{
    disk = simulated_disk_open(3);
    verso_store *store = open_on(disk, "store", false);
    begin_store(store);
    must(verso_close(store));
}

/* Leaves of a dropped tree are left, which are no tree's. */
static void make_with_dropped_tree(void)
{
    disk = simulated_disk_open(5);
    verso_store *store = open_on(disk, "store", false);
    verso_txn *txn;
    verso_txn *tree;
    must(verso_begin(store, &txn));
    fill_tree(txn, 60); /* few pages, next to each other */
    must(verso_txn_tree(txn, verso_text("dropped"), true, &tree));
    fill_tree(tree, KEYS + KEYS / 2);
    commit(store, txn);
    must(verso_begin(store, &txn));
    must(verso_tree_drop(txn, verso_text("dropped")));
    commit(store, txn);
    must(verso_close(store));
}

static void make_crashed(void)
{
    struct simulated_disk *live = simulated_disk_open(4);
    verso_store *store = open_on(live, "store", false);
    begin_store(store);
    go_on(store);
    disk = simulated_disk_crash(live, 1, SIMULATED_CRASH_ALL_NEW);
    must(verso_close(store));
    simulated_disk_close(live);
}

/* ---- content ---- */

struct entry {
    unsigned tree; /* place in tree_names */
    char key[TEXT];
    size_t size;      /* of the value */
    char value[TEXT]; /* its begin */
};

struct content {
    struct entry entry[ENTRIES_MAX];
    size_t count;
    uint64_t fingerprint;
};

static void read_tree(verso_view *view, unsigned tree, struct content *content)
{
    verso_cursor *cursor;
    verso_entry entry;
    must(verso_cursor_open(view, NULL, &cursor));
    while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
        cr_assert_lt(content->count, ENTRIES_MAX);
        struct entry *to = &content->entry[content->count++];
        memset(to, 0, sizeof *to);
        to->tree = tree;
        memcpy(to->key, entry.key.data, entry.key.size);
        to->size = entry.value.size;
        memcpy(to->value, entry.value.data, to->size < TEXT ? to->size : TEXT);
    }
    verso_cursor_close(cursor);
}

static void read_content(struct simulated_disk *on, const char *path, struct content *content)
{
    content->count = 0;
    verso_store *store = open_on(on, path, true);
    verso_view *view;
    must(verso_view_open(store, &view));
    verso_root_info info = {.size = sizeof info};
    must(verso_view_info(view, &info));
    content->fingerprint = info.fingerprint;
    for (unsigned i = 0; i < TREES; i++) {
        verso_view *tree = view;
        if (i == 0 || verso_view_tree(view, verso_text(tree_names[i]), &tree) == VERSO_OK) {
            read_tree(tree, i, content);
        }
    }
    verso_view_close(view);
    verso_check_report report = {.size = sizeof report};
    must(verso_check(store, &report));
    must(verso_close(store));
}

/* ---- what was reported lost ---- */

struct loss {
    int tree; /* place in tree_names; -1: names */
    bool has_from;
    bool has_to;
    char from[TEXT];
    char to[TEXT];
};

struct losses {
    struct loss loss[LOSSES_MAX];
    size_t count;
};

static void copy_text(char *to, verso_slice from)
{
    memset(to, 0, TEXT);
    memcpy(to, from.data, from.size < TEXT - 1 ? from.size : TEXT - 1);
}

static void note_loss(void *argument, const verso_salvage_loss *lost)
{
    struct losses *losses = argument;
    cr_assert_lt(losses->count, LOSSES_MAX);
    cr_assert_neq(lost->reason[0], '\0');
    struct loss *loss = &losses->loss[losses->count++];
    *loss = (struct loss){.tree = -1, .has_from = lost->has_from, .has_to = lost->has_to};
    for (unsigned i = 0; i < TREES && lost->tree != NULL; i++) {
        loss->tree = strcmp(lost->tree, tree_names[i]) == 0 ? (int)i : loss->tree;
    }
    if (lost->has_from) {
        copy_text(loss->from, lost->from);
    }
    if (lost->has_to) {
        copy_text(loss->to, lost->to);
    }
}

/* Texts compare as the bytes do: no key has a zero but the bound behind a key, which ends with it. */
static bool covers(const struct losses *losses, const struct entry *entry)
{
    for (size_t i = 0; i < losses->count; i++) {
        const struct loss *loss = &losses->loss[i];
        bool of_tree = loss->tree == (int)entry->tree || (loss->tree < 0 && entry->tree > 0);
        if (of_tree && (!loss->has_from || strcmp(entry->key, loss->from) >= 0) &&
            (!loss->has_to || strcmp(entry->key, loss->to) <= 0)) {
            return true;
        }
    }
    return false;
}

static int compare(const struct entry *a, const struct entry *b)
{
    return a->tree != b->tree ? (a->tree < b->tree ? -1 : 1) : strcmp(a->key, b->key);
}

/* All in `found` is in `whole`, and what is missing was reported. @return How much is missing. */
static size_t judge(const struct content *whole, const struct content *found,
                    const struct losses *losses, const char *what)
{
    size_t at = 0;
    size_t missing = 0;
    for (size_t i = 0; i < whole->count; i++) {
        const struct entry *expected = &whole->entry[i];
        if (at < found->count && compare(&found->entry[at], expected) == 0) {
            cr_assert_eq(memcmp(&found->entry[at], expected, sizeof *expected), 0,
                         "%s: %s has another value", what, expected->key);
            at++;
            continue;
        }
        missing++;
        cr_assert(covers(losses, expected), "%s: %s of tree %u is missing, and not reported", what,
                  expected->key, expected->tree);
    }
    cr_assert_eq(at, found->count, "%s: a key came up that was not there: %s", what,
                 found->entry[at].key);
    return missing;
}

/* ---- salvaging ---- */

static verso_err salvage(struct simulated_disk *on, struct losses *losses,
                         verso_salvage_report *report)
{
    losses->count = 0;
    verso_salvage_options options = {.size = sizeof options,
                                     .lost = note_loss,
                                     .argument = losses,
                                     .system = simulated_disk_os(on)};
    *report = (verso_salvage_report){.size = sizeof *report};
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(on, "store", &size);
    uint8_t *before = malloc(size);
    cr_assert_not_null(before);
    memcpy(before, bytes, size);
    verso_err err = verso_salvage("store", "new", &options, report);
    uint64_t now;
    bytes = simulated_disk_bytes(on, "store", &now);
    cr_assert(now == size && memcmp(bytes, before, size) == 0, "the damaged store was changed");
    cr_assert_eq(simulated_disk_open_files(on), 0);
    free(before);
    return err;
}

/* Salvage a damaged disk and compare with what there was. @return How much is missing. */
static size_t salvage_and_judge(struct simulated_disk *on, const struct content *whole,
                                const char *what, verso_salvage_report *report)
{
    static struct losses losses;
    static struct content found;
    verso_err err = salvage(on, &losses, report);
    cr_assert_eq(err, VERSO_OK, "%s: %s", what, verso_error_detail());
    read_content(on, "new", &found);
    size_t missing = judge(whole, &found, &losses, what);
    bool is_whole = losses.count == 0 && found.fingerprint == whole->fingerprint;
    cr_assert(report->whole == is_whole && (missing == 0 || !is_whole),
              "%s: %zu missing, %u losses, %u bad pages", what, missing, (unsigned)report->losses,
              (unsigned)report->bad_pages);
    cr_assert_eq(report->losses, losses.count, "%s", what);
    return missing;
}

Test(salvage, of_a_sound_store_is_whole)
{
    static struct content whole;
    verso_salvage_report report;
    make_closed();
    read_content(disk, "store", &whole);
    cr_assert_eq(salvage_and_judge(disk, &whole, "closed", &report), 0);
    cr_assert(report.whole);
    cr_assert_eq(report.root, newest);
    cr_assert_eq(report.trees, 2);
    cr_assert_eq(report.keys, whole.count);
    simulated_disk_close(disk);
    make_crashed();
    read_content(disk, "store", &whole);
    cr_assert_eq(salvage_and_judge(disk, &whole, "crashed", &report), 0);
    cr_assert(report.whole);
    cr_assert_eq(report.root, newest);
    cr_assert_eq(report.log_roots, newest - checkpointed);
    simulated_disk_close(disk);
}

/* ---- pages ---- */

/* The damage of a branch costs nothing; that of a leaf its keys. */
Test(salvage, of_each_page_damaged_loses_what_only_it_holds)
{
    static struct content whole;
    make_closed();
    read_content(disk, "store", &whole);
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(disk, "store", &size);
    unsigned branches = 0;
    unsigned leaves = 0;
    for (uint64_t at = PAGE_SIZE; at + PAGE_SIZE <= size; at += PAGE_SIZE) {
        unsigned kind = vs_page_kind(bytes + at);
        unsigned count = vs_page_count(bytes + at);
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        simulated_disk_flip(damaged, "store", at + 9, 0x40);
        char what[TEXT];
        (void)snprintf(what, sizeof what, "page %u", (unsigned)(at / PAGE_SIZE));
        verso_salvage_report report;
        size_t missing = salvage_and_judge(damaged, &whole, what, &report);
        bool met =
            report.bad_pages > 0 && !vs_layout_is_reserved(PAGE_SIZE, (vs_page_no)(at / PAGE_SIZE));
        if (met && kind == VS_KIND_BRANCH && vs_page_level(bytes + at) > 0) {
            cr_assert(report.whole, "%s: a branch", what);
            branches++;
        } else if (met && kind == VS_KIND_LEAF && report.missing_keys > 0) {
            cr_assert(missing <= count || missing == tree_keys[1] + tree_keys[2],
                      "%s: a leaf of %u keys costs %zu", what, count, missing);
            leaves++;
        }
        simulated_disk_close(damaged);
    }
    printf("%u branches, %u leaves\n", branches, leaves);
    cr_assert_geq(branches, 6, "%u", branches);
    cr_assert_geq(leaves, 30);
    simulated_disk_close(disk);
}

Test(salvage, of_a_store_with_a_dropped_tree_never_brings_it_back)
{
    static struct content whole;
    make_with_dropped_tree();
    read_content(disk, "store", &whole);
    uint64_t size;
    (void)simulated_disk_bytes(disk, "store", &size);
    size_t most = 0;
    for (uint64_t at = VS_PART_BYTES; at < size; at += PAGE_SIZE) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        simulated_disk_flip(damaged, "store", at + 9, 0x40);
        char what[TEXT];
        (void)snprintf(what, sizeof what, "page %u", (unsigned)(at / PAGE_SIZE));
        verso_salvage_report report;
        size_t missing = salvage_and_judge(damaged, &whole, what, &report);
        most = missing > most ? missing : most;
        simulated_disk_close(damaged);
    }
    cr_assert_eq(most, whole.count, "only the dropped tree's leaves are left to be seen");
    simulated_disk_close(disk);
}

static void damage_some(struct simulated_disk *on, struct simulated_random *random, unsigned count)
{
    uint64_t size;
    (void)simulated_disk_bytes(on, "store", &size);
    for (unsigned i = 0; i < count; i++) {
        uint64_t at = VS_PART_BYTES + simulated_random_next(random) % (size - VS_PART_BYTES);
        simulated_disk_flip(on, "store", at, (uint8_t)(1U << simulated_random_next(random) % 8));
    }
}

Test(salvage, of_many_damaged_pages_gives_nothing_wrong)
{
    static struct content whole;
    uint64_t seed = run_length("VERSO_TEST_SEED", 1);
    uint64_t runs = run_length("VERSO_TEST_RUNS", FLIPS);
    struct simulated_random random = {seed};
    size_t missing = 0;
    make_closed();
    read_content(disk, "store", &whole);
    for (uint64_t i = 0; i < runs; i++) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        damage_some(damaged, &random, 2 + (unsigned)(i % 12));
        char what[TEXT];
        (void)snprintf(what, sizeof what, "seed %" PRIu64 ", run %" PRIu64, seed, i);
        verso_salvage_report report;
        missing += salvage_and_judge(damaged, &whole, what, &report);
        simulated_disk_close(damaged);
    }
    run_count("salvages", runs);
    cr_assert_gt(missing, 0);
    simulated_disk_close(disk);
}

Test(salvage, of_a_store_cut_short_has_what_lies_before_the_cut)
{
    static struct content whole;
    make_closed();
    read_content(disk, "store", &whole);
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(disk, "store", &size);
    size_t least = whole.count;
    for (uint64_t cut = size; cut >= 4096; cut -= cut / 7) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        simulated_disk_put(damaged, "store", bytes, cut);
        char what[TEXT];
        (void)snprintf(what, sizeof what, "%u bytes", (unsigned)cut);
        verso_salvage_report report;
        size_t missing = salvage_and_judge(damaged, &whole, what, &report);
        least = missing < least && cut < size ? missing : least;
        simulated_disk_close(damaged);
    }
    cr_assert_lt(least, whole.count, "something was there");
    simulated_disk_close(disk);
}

/* ---- the log ---- */

/* Where the first frame behind the checkpoint begins. @return The path of its file. */
static const char *find_log(uint64_t *begin)
{
    const char *path;
    for (size_t i = 1; (path = simulated_disk_path(disk, i)) != NULL; i++) {
        uint64_t size;
        const uint8_t *bytes = simulated_disk_bytes(disk, path, &size);
        for (uint64_t at = 64; at + VS_FRAME_HEADER <= size; at += 8) {
            struct vs_frame frame;
            if (vs_frame_decode_header(bytes + at, &frame) == NULL &&
                frame.version == checkpointed + 1) {
                *begin = at;
                return path;
            }
        }
    }
    cr_assert_fail("no frame behind the checkpoint");
    return NULL;
}

/* An open of the damaged store changes nothing where it fails. */
static verso_err try_to_open(struct simulated_disk *damaged)
{
    struct simulated_disk *tried = simulated_disk_clone(damaged);
    verso_options options = VERSO_OPTIONS_INIT;
    options.system = simulated_disk_os(tried);
    verso_store *store = NULL;
    verso_err err = verso_open("store", &options, &store);
    if (err == VERSO_OK) {
        must(verso_close(store));
    } else {
        cr_assert_eq(err, VERSO_WAL_CORRUPT, "%s", verso_error_detail());
        cr_assert_eq(simulated_disk_digest(tried), simulated_disk_digest(damaged),
                     "a failed open wrote");
    }
    simulated_disk_close(tried);
    return err;
}

/* Damage at every place of the log: the root found is one of those that were, whole. */
Test(salvage, of_a_damaged_log_ends_before_the_damage)
{
    make_crashed();
    static struct losses losses;
    static struct content found;
    uint64_t begin;
    const char *log = find_log(&begin);
    uint64_t size;
    (void)simulated_disk_bytes(disk, log, &size);
    unsigned refused = 0;
    verso_root_id last = checkpointed;
    for (uint64_t at = begin; at < begin + 2600 && at < size; at += 23) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        simulated_disk_flip(damaged, log, at, 0x21);
        verso_err err = try_to_open(damaged);
        refused += err != VERSO_OK;
        verso_salvage_report report;
        cr_assert_eq(salvage(damaged, &losses, &report), VERSO_OK, "%s", verso_error_detail());
        cr_assert_eq(losses.count, 0);
        cr_assert_eq(report.log_damaged, err != VERSO_OK, "byte %u", (unsigned)at);
        cr_assert_eq(report.whole, err == VERSO_OK);
        cr_assert_geq(report.root, last, "a later damage leaves no less");
        last = report.root;
        read_content(damaged, "new", &found);
        cr_assert_eq(found.fingerprint, fingerprints[report.root], "byte %u", (unsigned)at);
        simulated_disk_close(damaged);
    }
    cr_assert_gt(refused, 20, "%u", refused);
    cr_assert_gt(last, checkpointed + 2);
    simulated_disk_close(disk);
}

Test(salvage, of_a_lost_log_is_the_checkpoint)
{
    make_crashed();
    static struct losses losses;
    static struct content found;
    verso_salvage_report report;
    for (const char *path; (path = simulated_disk_path(disk, 1)) != NULL;) {
        simulated_disk_remove(disk, path);
    }
    must(salvage(disk, &losses, &report));
    cr_assert(report.log_damaged && !report.whole);
    cr_assert_eq(report.root, checkpointed);
    cr_assert_neq(report.log_fault[0], '\0');
    read_content(disk, "new", &found);
    cr_assert_eq(found.fingerprint, fingerprints[checkpointed]);
    simulated_disk_close(disk);
}

/* Where leaves are lost, too, the log still puts what it has to put. */
Test(salvage, of_damaged_pages_and_a_log_applies_the_log)
{
    make_crashed();
    static struct content whole;
    static struct content found;
    static struct losses losses;
    verso_salvage_report report;
    read_content(disk, "store", &whole);
    uint64_t size;
    (void)simulated_disk_bytes(disk, "store", &size);
    for (uint64_t at = PAGE_SIZE; at + PAGE_SIZE <= size; at += PAGE_SIZE) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        simulated_disk_flip(damaged, "store", at + 9, 0x40);
        must(salvage(damaged, &losses, &report));
        cr_assert_eq(report.root, newest);
        read_content(damaged, "new", &found);
        char what[TEXT];
        (void)snprintf(what, sizeof what, "page %u", (unsigned)(at / PAGE_SIZE));
        (void)judge(&whole, &found, &losses, what);
        bool has_new = false;
        for (size_t i = 0; i < found.count; i++) {
            has_new = has_new || (found.entry[i].tree == 0 && found.entry[i].size == 3);
        }
        cr_assert(has_new, "%s: what the log puts is there", what);
        simulated_disk_close(damaged);
    }
    simulated_disk_close(disk);
}

/* ---- what cannot be ---- */

Test(salvage, of_a_store_without_metas_is_refused)
{
    make_closed();
    struct losses losses;
    verso_salvage_report report;
    simulated_disk_flip(disk, "store", 100, 1);
    must(salvage(disk, &losses, &report));
    cr_assert(report.whole, "one meta is enough");
    simulated_disk_remove(disk, "new");
    simulated_disk_flip(disk, "store", VS_META_B_AT + 100, 1);
    cr_assert_eq(salvage(disk, &losses, &report), VERSO_CORRUPT);
    cr_assert_not_null(strstr(verso_error_detail(), "both meta pages"), "%s", verso_error_detail());
    cr_assert_not(simulated_disk_exists(disk, "new"));
    simulated_disk_close(disk);
}

Test(salvage, replaces_nothing_and_disturbs_nobody)
{
    make_closed();
    struct losses losses;
    verso_salvage_report report;
    simulated_disk_put(disk, "new", "something", 9);
    cr_assert_eq(salvage(disk, &losses, &report), VERSO_EXISTS);
    simulated_disk_remove(disk, "new");
    verso_store *store = open_on(disk, "store", false);
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    cr_assert_eq(verso_salvage("store", "new", &options, NULL), VERSO_BUSY);
    must(verso_close(store));
    cr_assert_eq(verso_salvage("nothing", "new", &options, NULL), VERSO_NO_STORE);
    cr_assert_eq(verso_salvage(NULL, "new", &options, NULL), VERSO_INVALID);
    cr_assert_eq(verso_salvage("store", "", &options, NULL), VERSO_INVALID);
    options.size = 3;
    cr_assert_eq(verso_salvage("store", "new", &options, NULL), VERSO_INVALID);
    report.size = 3;
    cr_assert_eq(verso_salvage("store", "new", NULL, &report), VERSO_INVALID);
    cr_assert_not(simulated_disk_exists(disk, "new"));
    simulated_disk_close(disk);
}

/* Another store comes to its name once salvage has seen that the place is free. */
static void come_between(void *argument, struct simulated_disk *on,
                         const struct simulated_event *event)
{
    (void)argument;
    if (event->kind == SIMULATED_LIST && event->is_after && strncmp(event->path, "new", 3) == 0 &&
        !simulated_disk_exists(on, "new")) {
        uint64_t size;
        const uint8_t *bytes = simulated_disk_bytes(on, "store", &size);
        simulated_disk_put(on, "new", bytes, size);
    }
}

Test(salvage, leaves_a_store_alone_that_came_between)
{
    make_closed();
    struct losses losses;
    verso_salvage_report report;
    simulated_disk_set_hook(disk, come_between, NULL);
    cr_assert_eq(salvage(disk, &losses, &report), VERSO_EXISTS);
    simulated_disk_set_hook(disk, NULL, NULL);
    verso_store *store = open_on(disk, "new", true);
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    cr_assert_eq(stats.tip, newest);
    must(verso_close(store));
    simulated_disk_close(disk);
}

Test(salvage, leaves_nothing_behind_on_a_full_disk)
{
    make_closed();
    struct losses losses;
    verso_salvage_report report;
    uint64_t used = simulated_disk_used_bytes(disk);
    unsigned refused = 0;
    for (uint64_t room = 0;; room += 20000) {
        simulated_disk_set_capacity(disk, used + room);
        verso_err err = salvage(disk, &losses, &report);
        if (err == VERSO_OK) {
            break;
        }
        cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
        cr_assert_not(simulated_disk_exists(disk, "new"));
        cr_assert_null(simulated_disk_path(disk, 1), "%s is left", simulated_disk_path(disk, 1));
        refused++;
    }
    cr_assert(report.whole);
    cr_assert_gt(refused, 3);
    simulated_disk_close(disk);
}

/* A file of the log that stayed would be another store's to whoever salvages once more. */
Test(salvage, leaves_nothing_behind_on_a_disk_that_fails)
{
    static const enum simulated_kind kinds[] = {SIMULATED_WRITE, SIMULATED_SYNC,
                                                SIMULATED_TRUNCATE};
    unsigned refused = 0;
    make_closed();
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (unsigned nth = 1;; nth += i == 0 && nth > 40 ? 13 : 1) {
            struct losses losses;
            verso_salvage_report report;
            struct simulated_disk *on = simulated_disk_clone(disk);
            struct simulated_fault fault = {.kind = kinds[i], .path_part = "new", .nth = nth};
            simulated_disk_inject(on, &fault);
            verso_err err = salvage(on, &losses, &report);
            bool met = simulated_disk_faults_met(on) > 0;
            simulated_disk_heal(on);
            if (err != VERSO_OK) {
                cr_assert(met, "%s", verso_error_detail());
                cr_assert_null(simulated_disk_path(on, 1), "kind %u, call %u: %s is left", i, nth,
                               simulated_disk_path(on, 1));
                must(salvage(on, &losses, &report));
                refused++;
            }
            cr_assert(report.whole);
            simulated_disk_close(on);
            if (!met) {
                break;
            }
        }
    }
    cr_assert_gt(refused, 10);
    simulated_disk_close(disk);
}

/* A bad sector is damage like any other. */
Test(salvage, of_a_disk_that_cannot_be_read_goes_on)
{
    static struct content whole;
    make_closed();
    read_content(disk, "store", &whole);
    unsigned whole_ones = 0;
    for (uint64_t nth = 3; nth < 200; nth += 7) {
        struct simulated_disk *damaged = simulated_disk_clone(disk);
        struct simulated_fault fault = {.kind = SIMULATED_READ, .path_part = "store", .nth = nth};
        simulated_disk_inject(damaged, &fault);
        static struct losses losses;
        static struct content found;
        verso_salvage_report report;
        cr_assert_eq(salvage(damaged, &losses, &report), VERSO_OK, "read %u: %s", (unsigned)nth,
                     verso_error_detail());
        simulated_disk_heal(damaged);
        read_content(damaged, "new", &found);
        (void)judge(&whole, &found, &losses, "a read that failed");
        whole_ones += report.whole;
        simulated_disk_close(damaged);
    }
    cr_assert_lt(whole_ones, 20);
    simulated_disk_close(disk);
}
