/*
 * forged_pages_test.c - one page at a time of a store that has a bit of everything is forged in each of
 * many ways, its checksums right; then everything is done that can be done with a store. What the
 * check takes for sound works in every way; of the others each call gives an answer or says that the
 * store is damaged, and what it has begun leaves nothing behind.
 *
 * Of all forgeries every VERSO_FORGED_STRIDE-th is made: 1 makes all of them; of pairs of forgeries one
 * in four of that.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forged_store.h"
#include "fuzz/store_reading.h"
#include "fuzz/store_writing.h"
#include "fuzz/verdict.h"
#include "page_forgeries.h"
#include "run_length.h"
#include "simulated_disk.h"
#include "verso.h"

#define PATH "store"

enum {
    PAGE_SIZE = 512,
    KEYS = 300,
    GONE_KEYS = 560, /* more than two commits take apart */
    TREES = 24,      /* empty ones, so that the catalogue has several leaves */
    USUAL_STRIDE = 29,
    DISK_BYTES = 16 << 20,
    LONG_SIZE = 1400,
};

static verso_store *store; /* the one that is used */

/* ---- the store ----------------------------------------------------------------------------- */

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_err open_on(struct simulated_disk *disk)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.arena_bytes = 1; /* the least there is */
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    return verso_open(PATH, &options, &store);
}

static verso_slice key_of(unsigned number)
{
    static char text[4][24];
    static unsigned next;
    char *key = text[next++ % 4];
    (void)snprintf(key, sizeof text[0], "key %06u", number);
    return verso_text(key);
}

static verso_slice value_of(unsigned number, size_t size)
{
    static uint8_t bytes[LONG_SIZE];
    memset(bytes, (int)number, size);
    return (verso_slice){bytes, size};
}

static void fill(verso_txn *txn, unsigned keys, size_t size)
{
    for (unsigned i = 0; i < keys; i++) {
        must(verso_put(txn, key_of(2 * i), value_of(i, i % 23 == 7 ? LONG_SIZE : size)));
    }
}

static verso_txn *tree_of(verso_txn *txn, const char *name)
{
    verso_txn *tree = NULL;
    must(verso_txn_tree(txn, verso_text(name), true, &tree));
    return tree;
}

/* Root 1: keys, named trees; root 2: changes, a tree dropped; root 3: some keys less. */
static void commit_root(unsigned root)
{
    verso_txn *txn;
    must(verso_begin(store, &txn));
    if (root == 1) {
        fill(txn, KEYS, 90);
        fill(tree_of(txn, "gone"), GONE_KEYS, 200);
        fill(tree_of(txn, "users"), 30, 20);
        (void)tree_of(txn, "void");
        for (unsigned i = 0; i < TREES; i++) {
            (void)tree_of(txn, key_of(i).data);
        }
    }
    if (root == 2) {
        must(verso_tree_drop(txn, verso_text("gone")));
    }
    for (unsigned i = 10 * root; i < KEYS && root > 1; i += 40) { /* the first leaf stays */
        must(root == 2 ? verso_put(txn, key_of(2 * i), value_of(root, 60))
                       : verso_delete(txn, key_of(2 * i)));
    }
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = value_of('n', 700 + root); /* so long that it lies in pages of its own */
    must(verso_commit(txn, &options, NULL));
}

static struct simulated_disk *make_store(void)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    must(open_on(disk));
    for (unsigned root = 1; root <= 3; root++) {
        commit_root(root);
        must(verso_tag_set(store, key_of(root), 0));
    }
    must(verso_close(store));
    return disk;
}

/* ---- changes ------------------------------------------------------------------------------- */

typedef verso_err change(verso_txn *txn);

static verso_err unless_missing(verso_err err)
{
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err insert_between(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 3) {
        err = verso_put(txn, key_of(2 * i + 1), value_of(i, 90));
    }
    return err;
}

static verso_err exchange_each(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i += 2) {
        verso_slice old;
        err = verso_exchange(txn, key_of(2 * i), value_of(i, i % 4 == 0 ? LONG_SIZE : 9), &old);
    }
    return err;
}

/* From the right, so that it is the leaf before that has not been read yet. */
static verso_err replace_downwards(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = KEYS; i-- > 0 && err == VERSO_OK;) {
        err = verso_put(txn, key_of(2 * i), value_of(i + 1, 90));
    }
    return err;
}

static verso_err delete_upwards(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i++) {
        err = unless_missing(verso_delete(txn, key_of(2 * i)));
    }
    return err;
}

static verso_err delete_downwards(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = KEYS; i-- > 0 && err == VERSO_OK;) {
        verso_slice old;
        err = unless_missing(verso_take(txn, key_of(2 * i), &old));
    }
    return err;
}

/* And then let it be there again. */
static verso_err delete_and_return(verso_txn *txn, const verso_range *range)
{
    uint32_t savepoint;
    uint64_t deleted;
    verso_err err = verso_savepoint(txn, &savepoint);
    err = err == VERSO_OK ? verso_delete_range(txn, range, &deleted) : err;
    return err == VERSO_OK ? verso_rollback(txn, savepoint) : err;
}

/* Ranges that begin and end at many places of the tree, the last ones first. */
static verso_err delete_ranges(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = KEYS; i-- > 1 && err == VERSO_OK;) {
        verso_range range = {.size = sizeof range, .has_from = true, .has_to = i % 5 > 0};
        range.from = key_of(2 * i - 1);
        range.to = key_of(2 * i + i * 7 % 120);
        err = delete_and_return(txn, &range);
    }
    return err;
}

/* No key lies between a key and itself with a letter more; or should not. */
static verso_err delete_gaps(verso_txn *txn)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS && err == VERSO_OK; i++) {
        char from[24];
        char to[24];
        (void)snprintf(from, sizeof from, "key %06ua", 2 * i);
        (void)snprintf(to, sizeof to, "key %06ub", 2 * i);
        verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
        range.from = verso_text(from);
        range.to = verso_text(to);
        err = delete_and_return(txn, &range);
    }
    return err;
}

static verso_err delete_beginning(verso_txn *txn)
{
    verso_range range = {.size = sizeof range, .has_to = true};
    uint64_t deleted;
    range.to = key_of(2 * KEYS - 30);
    return verso_delete_range(txn, &range, &deleted);
}

static verso_err delete_all(verso_txn *txn)
{
    uint64_t deleted;
    return verso_delete_range(txn, NULL, &deleted);
}

static verso_err put_in_order(verso_txn *txn)
{
    static char text[KEYS][16];
    static verso_entry entries[KEYS];
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(text[i], sizeof text[i], "key %06u", 3 * i);
        entries[i] = (verso_entry){verso_text(text[i]), value_of(1, 40)};
    }
    return verso_put_sorted(txn, entries, KEYS);
}

static verso_err change_trees(verso_txn *txn)
{
    verso_txn *tree;
    verso_err err = verso_txn_tree(txn, verso_text("users"), true, &tree);
    err = err == VERSO_OK ? put_in_order(tree) : err;
    err = err == VERSO_OK ? verso_tree_rename(txn, verso_text("void"), verso_text("full")) : err;
    err = err == VERSO_OK ? verso_txn_tree(txn, verso_text("more"), true, &tree) : err;
    err = err == VERSO_OK ? insert_between(tree) : err;
    return err == VERSO_OK ? verso_tree_drop(txn, verso_text("users")) : err;
}

static verso_err revert_by(verso_txn *txn, bool all)
{
    verso_view *first;
    uint64_t changes;
    verso_err err = verso_view_open_root(store, 1, &first);
    if (err == VERSO_OK) {
        err =
            all ? verso_revert_all(txn, first, &changes) : verso_revert(txn, first, NULL, &changes);
        verso_view_close(first);
    }
    return err;
}

static verso_err revert(verso_txn *txn)
{
    return revert_by(txn, false);
}

static verso_err revert_all(verso_txn *txn)
{
    return revert_by(txn, true);
}

static const struct {
    const char *name;
    change *make;
} changes[] = {
    {"inserting", insert_between},
    {"exchanging", exchange_each},
    {"replacing downwards", replace_downwards},
    {"deleting upwards", delete_upwards},
    {"deleting downwards", delete_downwards},
    {"deleting ranges", delete_ranges},
    {"deleting gaps", delete_gaps},
    {"deleting the beginning", delete_beginning},
    {"deleting all", delete_all},
    {"putting in order", put_in_order},
    {"changing trees", change_trees},
    {"reverting the tree", revert},
    {"reverting all trees", revert_all},
};

static void make_changes(bool sound)
{
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        verso_txn *txn;
        if (!verdict_change(verso_begin(store, &txn), sound, "no transaction")) {
            return;
        }
        (void)verdict_change(changes[i].make(txn), sound, changes[i].name);
        verso_abort(txn);
    }
}

/* ---- readings ------------------------------------------------------------------------------ */

/* Where counts contradict each other, there may be fewer keys below one than below those before. */
static verso_err count_between(verso_view *view)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i + 1 < KEYS && err == VERSO_OK; i++) {
        verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
        uint64_t number;
        range.from = key_of(2 * i);
        range.to = key_of(2 * i + 1);
        err = verso_count(view, &range, &number);
    }
    return err;
}

static verso_err seek_everywhere(verso_view *view)
{
    verso_cursor *cursor;
    verso_entry entry;
    verso_err err = verso_cursor_open(view, NULL, &cursor);
    for (unsigned i = 2 * KEYS; err == VERSO_OK && i-- > 0;) {
        err = unless_missing(verso_cursor_seek(cursor, i % 2 == 0 ? VERSO_SEEK_LT : VERSO_SEEK_GT,
                                               key_of(i), &entry));
    }
    verso_cursor_close(cursor);
    return err;
}

static void make_readings(bool sound)
{
    verso_view *view;
    if (verdict_read(verso_view_open(store, &view), sound, "no view")) {
        (void)verdict_read(count_between(view), sound, "counting");
        (void)verdict_read(seek_everywhere(view), sound, "seeking");
        verso_view_close(view);
    }
}

/* ---- one forgery --------------------------------------------------------------------------- */

static void copy(struct simulated_disk *disk, const char *path, verso_err err, bool sound)
{
    bool made = verdict_change(err, sound, path);
    verdict_require(made == simulated_disk_exists(disk, path), path);
    if (made) {
        simulated_disk_remove(disk, path);
    }
}

/** What the forgeries have come to. */
static struct {
    uint64_t forged;
    uint64_t refused; /* the store did not open */
    uint64_t damaged; /* the check has found it */
} census;

static void use_store(struct simulated_disk *disk)
{
    bool sound = store_is_sound(store);
    census.damaged += !sound;
    make_changes(sound);
    make_readings(sound);
    verdict_require(store_is_sound(store) == sound,
                    "transactions that were aborted have done harm");
    store_read_all(store, sound);
    copy(disk, "copy", verso_copy(store, "copy", NULL, NULL), sound);
    copy(disk, "increment", verso_copy_since(store, 1, "increment", NULL), sound);
    (void)store_write_all(store, sound);
    verdict_require(!sound || store_is_sound(store), "what was sound is no more");
}

/* What comes out of a salvage is sound; and the damaged store is left as it is. */
static void salvage(struct simulated_disk *disk)
{
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    uint64_t digest = simulated_disk_digest(disk);
    verso_err err = verso_salvage(PATH, "salvaged", &options, NULL);
    if (verdict_change(err, false, "salvaging")) {
        verso_options reading = VERSO_OPTIONS_INIT;
        verso_store *salvaged;
        reading.read_only = true;
        reading.system = simulated_disk_os(disk);
        must(verso_open("salvaged", &reading, &salvaged));
        verdict_require(store_is_sound(salvaged), "what was salvaged is not sound");
        must(verso_close(salvaged));
        simulated_disk_remove(disk, "salvaged");
    }
    verdict_require(simulated_disk_digest(disk) == digest, "a salvage has changed something");
}

/* The bytes of the store once more; the caller frees them. */
static struct forged_store sample_of(const struct forged_store *sample)
{
    struct forged_store forged = *sample;
    forged.file = malloc(sample->size);
    cr_assert_not_null(forged.file);
    memcpy(forged.file, sample->file, sample->size);
    return forged;
}

static struct simulated_disk *disk_with(struct simulated_disk *made, struct forged_store *forged)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    simulated_disk_set_capacity(disk, DISK_BYTES);
    forged_store_put(forged, disk, PATH);
    return disk;
}

static void forge_one(struct simulated_disk *made, const struct forged_store *sample,
                      vs_page_no page, const struct page_forgery *forgery)
{
    struct forged_store forged = sample_of(sample);
    if (forged_store_change(&forged, page, forgery->change)) {
        struct simulated_disk *disk = disk_with(made, &forged);
        salvage(disk);
        verso_err err = open_on(disk);
        census.forged++;
        if (verdict_change(err, false, "opening")) {
            use_store(disk);
            (void)verdict_change(verso_close(store), false, "closing");
        } else {
            census.refused++;
        }
        simulated_disk_close(disk);
    }
    forged_store_clear(&forged);
}

static void forge_two(struct simulated_disk *made, const struct forged_store *with_bad_branch,
                      vs_page_no page, const struct page_forgery *forgery)
{
    struct forged_store forged = sample_of(with_bad_branch);
    if (forged_store_change(&forged, page, forgery->change)) {
        struct simulated_disk *disk = disk_with(made, &forged);
        salvage(disk);
        census.forged++;
        simulated_disk_close(disk);
    }
    forged_store_clear(&forged);
}

/* Where a verdict ends the test, this line tells which forgery it was. */
static void announce(vs_page_no page, const struct page_forgery *forgery)
{
    if (getenv("VERSO_TEST_VERBOSE") != NULL) { // NOLINT(concurrency-mt-unsafe): one thread
        (void)fprintf(stderr, "page %u: %s\n", page, forgery->name);
    }
}

Test(forged_pages, are_answered_rightly_or_called_damaged, .timeout = 600)
{
    const uint64_t stride = run_stride("VERSO_FORGED_STRIDE", USUAL_STRIDE);
    struct simulated_disk *made = make_store();
    struct forged_store sample = forged_store_take(made, PATH);
    uint64_t turn = 0;
    for (vs_page_no page = 1; page < sample.size / sample.page_size; page++) {
        for (size_t how = 0; how < page_forgery_count && forged_store_uses(&sample, page); how++) {
            if (turn++ % stride == 0) {
                announce(page, &page_forgeries[how]);
                forge_one(made, &sample, page, &page_forgeries[how]);
            }
        }
    }
    cr_assert_gt(census.damaged, 5);
    run_count("forged_pages", census.forged);
    run_count("forged_pages_found", census.damaged + census.refused);
    forged_store_clear(&sample);
    simulated_disk_close(made);
}

/* Each page misleads in each way those who find the leaves of a bad branch. */
static void forge_chains(struct simulated_disk *made, const struct forged_store *with_bad_branch,
                         uint64_t stride, uint64_t *turn)
{
    vs_page_no pages = (vs_page_no)(with_bad_branch->size / PAGE_SIZE);
    for (vs_page_no page = 1; page < pages; page++) {
        bool is_used = forged_store_uses(with_bad_branch, page);
        for (size_t how = 0; is_used && how < chain_forgery_count; how++) {
            if ((*turn)++ % stride == 0) {
                announce(page, &chain_forgeries[how]);
                forge_two(made, with_bad_branch, page, &chain_forgeries[how]);
            }
        }
    }
}

Test(forged_pages, salvage_comes_to_an_end_wherever_the_chain_of_leaves_leads, .timeout = 600)
{
    const uint64_t stride = 4 * run_stride("VERSO_FORGED_STRIDE", USUAL_STRIDE);
    struct simulated_disk *made = make_store();
    struct forged_store sample = forged_store_take(made, PATH);
    uint64_t turn = 0;
    for (vs_page_no branch = 1; branch < sample.size / PAGE_SIZE; branch++) {
        struct forged_store forged = sample_of(&sample);
        if (vs_page_kind(forged.file + (size_t)branch * PAGE_SIZE) == VS_KIND_BRANCH &&
            forged_store_change(&forged, branch, page_becomes_unreadable)) {
            forge_chains(made, &forged, stride, &turn);
        }
        forged_store_clear(&forged);
    }
    cr_assert_gt(census.forged, 5);
    run_count("forged_chains", census.forged);
    forged_store_clear(&sample);
    simulated_disk_close(made);
}
