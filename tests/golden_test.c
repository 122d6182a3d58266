/*
 * golden_test.c - stores of format 2 as this format's first release wrote them (tests/golden), kept
 * for ever: whatever reads format 2 must read them. Each holds the same history, written here as
 * code; the files were made by the same code, see tests/golden/README.md.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "format/meta.h"
#include "simulated_disk.h"
#include "verso.h"

enum { ROOTS = 6, KEYS = 120, LONG_VALUE = 9000, FILE_MAX = 4 << 20 };

static const char path[] = "store";
static const int64_t begun_us = INT64_C(1767225600000000); /* 2026-01-01 */

/* ---- the history ---- */

static verso_slice key_of(unsigned number)
{
    static char text[24];
    (void)snprintf(text, sizeof text, "golden/%04u", number);
    return verso_text(text);
}

/* The value that `number` has in `root`; size 0: it is not there. */
static verso_slice value_of(unsigned number, unsigned root)
{
    static uint8_t value[LONG_VALUE];
    unsigned since = root;
    while (since > 1 && number % ROOTS != since - 1) {
        since--; /* the last root that wrote it */
    }
    if (number % 17 == 5 && root >= 4) {
        return (verso_slice){NULL, 0}; /* root 4 deletes it */
    }
    size_t size = number == 40 ? LONG_VALUE : 8 + number % 50;
    for (size_t i = 0; i < size; i++) {
        value[i] = (uint8_t)(number * 7 + since * 31 + i);
    }
    return (verso_slice){value, size};
}

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void write_root(verso_store *store, unsigned root)
{
    verso_txn *txn;
    verso_txn *tree;
    must(verso_begin(store, &txn));
    for (unsigned i = 0; i < KEYS; i++) {
        if (i % 17 == 5 && root >= 4) {
            if (root == 4) {
                must(verso_delete(txn, key_of(i)));
            }
        } else if (root == 1 || i % ROOTS == root - 1) {
            must(verso_put(txn, key_of(i), value_of(i, root)));
        }
    }
    must(verso_txn_tree(txn, verso_text("side"), true, &tree));
    must(verso_put(tree, verso_text("root"), verso_text(&"abcdefgh"[root])));
    char note[16];
    (void)snprintf(note, sizeof note, "root %u", root);
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text(note);
    must(verso_commit(txn, &options, NULL));
}

/* ---- reading ---- */

static void read_root(verso_store *store, unsigned root)
{
    verso_view *view;
    verso_view *tree;
    verso_slice found;
    must(verso_view_open_root(store, root, &view));
    for (unsigned i = 0; i < KEYS; i++) {
        verso_err err = verso_get(view, key_of(i), &found);
        verso_slice expected = value_of(i, root);
        cr_assert_eq(err, expected.size == 0 ? VERSO_NOT_FOUND : VERSO_OK, "root %u, key %u", root,
                     i);
        cr_assert(expected.size == 0 || (found.size == expected.size &&
                                         memcmp(found.data, expected.data, found.size) == 0),
                  "root %u, key %u has another value", root, i);
    }
    must(verso_view_tree(view, verso_text("side"), &tree));
    must(verso_get(tree, verso_text("root"), &found));
    cr_assert(found.size == 8 - root && memcmp(found.data, &"abcdefgh"[root], found.size) == 0);
    char note[16];
    (void)snprintf(note, sizeof note, "root %u", root);
    verso_root_info info = {.size = sizeof info};
    must(verso_view_info(view, &info));
    cr_assert(info.note.size == 6 && memcmp(info.note.data, note, 6) == 0);
    cr_assert(info.time_us >= begun_us && info.time_us < begun_us + 10000000);
    verso_view_close(view);
}

static void read_all(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.roots, ROOTS);
    for (unsigned root = 1; root <= ROOTS; root++) {
        read_root(store, root);
    }
    verso_tag_info tag = {.size = sizeof tag};
    must(verso_tag_get(store, verso_text("second"), &tag));
    cr_assert_eq(tag.root, 2);
    verso_retention policy = {.size = sizeof policy};
    must(verso_retention_get(store, &policy));
    cr_assert_eq(policy.last, 50);
    cr_assert_eq(policy.class_count, 1);
    cr_assert_eq(policy.classes[0].spacing_us, 1000);
}

/* ---- files ---- */

static uint8_t bytes[FILE_MAX];

/* A golden file onto a disk. */
static void bring(struct simulated_disk *disk, const char *name, const char *suffix)
{
    char from[512];
    char to[64];
    (void)snprintf(from, sizeof from, "%s/%s%s", VERSO_GOLDEN_FILES, name, suffix);
    (void)snprintf(to, sizeof to, "%s%s", path, suffix);
    FILE *file = fopen(from, "rb");
    cr_assert_not_null(file, "%s is missing", from);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    cr_assert_eq(fclose(file), 0);
    cr_assert(size > 0 && size < sizeof bytes);
    simulated_disk_put(disk, to, bytes, size);
}

static verso_err open_as(struct simulated_disk *disk, bool read_only, uint32_t page_size,
                         verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = read_only;
    options.page_size = page_size;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, store);
}

static void read_golden(const char *name, bool has_log)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    bring(disk, name, "");
    if (has_log) {
        bring(disk, name, "-wal.0");
    }
    uint64_t before = simulated_disk_digest(disk);
    verso_store *store;
    must(open_as(disk, true, 0, &store));
    read_all(store);
    must(verso_close(store));
    cr_assert_eq(simulated_disk_digest(disk), before, "a read-only handle wrote");
    for (unsigned life = 0; life < 2; life++) { /* it can be worked with, too */
        must(open_as(disk, false, 0, &store));
        if (life == 0) {
            read_all(store);
        }
        verso_txn *txn;
        must(verso_begin(store, &txn));
        must(verso_put(txn, key_of(9000 + life), verso_text("later")));
        must(verso_commit(txn, NULL, NULL));
        must(verso_close(store));
    }
    simulated_disk_close(disk);
}

Test(golden, store_of_the_smallest_pages)
{
    read_golden("closed-512", false);
}

Test(golden, store_of_usual_pages)
{
    read_golden("closed-4096", false);
}

Test(golden, store_of_the_largest_pages)
{
    read_golden("copied-65536", false);
}

Test(golden, store_whose_log_is_needed)
{
    read_golden("in-use-512", true);
}

/* ---- formats to come ---- */

enum { META_A = 1, META_B = 2, BOTH_METAS = 3 };

/* Metas with another number at a byte, their checksums right. */
static void forge(struct simulated_disk *disk, unsigned metas, size_t at, uint32_t value)
{
    uint64_t size;
    const uint8_t *live = simulated_disk_bytes(disk, path, &size);
    memcpy(bytes, live, size);
    for (unsigned i = 0; i < 2; i++) {
        if ((metas >> i & 1) == 0) {
            continue;
        }
        uint8_t *meta = bytes + (i == 0 ? 0 : VS_META_B_AT);
        vs_put_le32(meta + at, value);
        vs_put_le32(meta + VS_PART_BYTES - 4, vs_crc32c(0, meta, VS_PART_BYTES - 4));
    }
    simulated_disk_put(disk, path, bytes, size);
}

static void open_forged(unsigned metas, size_t at, uint32_t value, verso_err expected,
                        const char *what)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    bring(disk, "closed-512", "");
    forge(disk, metas, at, value);
    uint64_t before = simulated_disk_digest(disk);
    for (unsigned read_only = 0; read_only < 2; read_only++) {
        verso_store *store = NULL;
        cr_assert_eq(open_as(disk, read_only, 0, &store), expected, "%s: %s", what,
                     verso_error_detail());
        must(verso_close(store));
        cr_assert_eq(simulated_disk_digest(disk), before, "%s: opening changed it", what);
    }
    simulated_disk_close(disk);
}

enum { FORMAT_AT = 8, MUST_AT = 12, MAY_AT = 16 };

Test(golden, other_formats_are_refused_by_name)
{
    open_forged(BOTH_METAS, FORMAT_AT, 0, VERSO_FORMAT, "format 0");
    open_forged(BOTH_METAS, FORMAT_AT, 1, VERSO_FORMAT, "format 1");
    open_forged(BOTH_METAS, FORMAT_AT, 3, VERSO_FORMAT, "format 3");
    open_forged(BOTH_METAS, FORMAT_AT, 0x02000000, VERSO_FORMAT, "the other byte order");
    open_forged(BOTH_METAS, FORMAT_AT, UINT32_MAX, VERSO_FORMAT, "the last format");
}

Test(golden, features_that_must_be_understood_are_refused)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        open_forged(BOTH_METAS, MUST_AT, UINT32_C(1) << bit, VERSO_FORMAT, "a must bit");
    }
}

Test(golden, one_meta_of_a_later_release_refuses_the_store)
{
    for (unsigned meta = META_A; meta <= META_B; meta++) {
        open_forged(meta, FORMAT_AT, 3, VERSO_FORMAT, "format 3 in one meta");
        open_forged(meta, MUST_AT, 1, VERSO_FORMAT, "a must bit in one meta");
    }
}

Test(golden, features_that_may_be_ignored_are_ignored)
{
    for (unsigned bit = 0; bit < 32; bit++) {
        open_forged(BOTH_METAS, MAY_AT, UINT32_C(1) << bit, VERSO_OK, "a may bit");
    }
}

Test(golden, another_page_size_is_refused)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    bring(disk, "closed-4096", "");
    verso_store *store = NULL;
    cr_assert_eq(open_as(disk, false, 512, &store), VERSO_MISMATCH);
    must(open_as(disk, false, 4096, &store));
    must(verso_close(store));
    simulated_disk_close(disk);
}

/* ---- making them ---- */

static void take_away(struct simulated_disk *disk, const char *folder, const char *made,
                      const char *name, const char *suffix)
{
    char to[512];
    char from[64];
    uint64_t size;
    (void)snprintf(to, sizeof to, "%s/%s%s", folder, name, suffix);
    (void)snprintf(from, sizeof from, "%s%s", made, suffix);
    const uint8_t *live = simulated_disk_bytes(disk, from, &size);
    FILE *file = fopen(to, "wbx"); /* never over one that is there */
    cr_assert_not_null(file, "%s cannot be made", to);
    cr_assert_eq(fwrite(live, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

enum how { CLOSED, COPIED, IN_USE };

static const char *const names[] = {"closed", "copied", "in-use"};

static void make(const char *folder, uint32_t page_size, enum how how)
{
    struct simulated_disk *disk = simulated_disk_open(page_size);
    simulated_disk_set_clock(disk, begun_us);
    verso_retention policy = verso_keep_last(50);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){.age_us = UINT64_MAX, .spacing_us = 1000};
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    must(verso_open(path, &options, &store));
    for (unsigned root = 1; root <= ROOTS; root++) {
        write_root(store, root);
        if (root == 3) {
            must(verso_checkpoint(store));
        }
    }
    must(verso_tag_set(store, verso_text("second"), 2));
    char name[32];
    (void)snprintf(name, sizeof name, "%s-%" PRIu32, names[how], page_size);
    if (how == IN_USE) {
        take_away(disk, folder, path, name, "");
        take_away(disk, folder, path, name, "-wal.0");
    } else if (how == COPIED) {
        must(verso_copy(store, "copy", NULL, NULL));
        take_away(disk, folder, "copy", name, "");
    }
    must(verso_close(store));
    if (how == CLOSED) {
        take_away(disk, folder, path, name, "");
    }
    simulated_disk_close(disk);
}

/* For a format to come: its own files beside the old ones. Does nothing unless a folder is named. */
Test(golden, makes_files_where_they_are_asked_for)
{
    const char *folder = getenv("VERSO_MAKE_GOLDEN");
    if (folder == NULL) {
        return;
    }
    make(folder, 512, CLOSED);
    make(folder, 4096, CLOSED);
    make(folder, 65536, COPIED);
    make(folder, 512, IN_USE);
}
