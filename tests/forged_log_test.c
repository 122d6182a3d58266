/*
 * forged_log_test.c - frames with right checksums whose operations cannot have been committed: the
 * log is refused as damaged, and not a byte of the store changes.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "api/handles.h"
#include "forged_changes.h"
#include "operation_bytes.h"
#include "simulated_disk.h"
#include "store/log.h"
#include "store/store.h"
#include "verso.h"

enum { TREE = 1, TIP = 3 };

static struct simulated_disk *disk;
static verso_store *store;

static verso_err open_on(struct simulated_disk *on, verso_store **opened)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    options.create = true;
    options.retention = &all;
    options.system = simulated_disk_os(on);
    *opened = NULL;
    return verso_open("store", &options, opened);
}

static void set_up(void)
{
    disk = simulated_disk_open(1);
    cr_assert_eq(open_on(disk, &store), VERSO_OK);
    for (unsigned i = 0; i < TIP; i++) {
        verso_txn *txn;
        verso_txn *tree;
        cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
        cr_assert_eq(verso_put(txn, verso_text("key"), (verso_slice){&i, sizeof i}), VERSO_OK);
        cr_assert_eq(verso_txn_tree(txn, verso_text("tree"), true, &tree), VERSO_OK);
        cr_assert_eq(verso_put(tree, verso_text("leaf"), (verso_slice){&i, sizeof i}), VERSO_OK);
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    }
    cr_assert_eq(verso_tag_set(store, verso_text("tag"), 2), VERSO_OK);
}

static void tear_down(void)
{
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

TestSuite(forged_log, .init = set_up, .fini = tear_down);

/* What a crash leaves of a store at whose end one frame was forged: one of the next root, or a
 * setting. */
static struct simulated_disk *forge(const char *what, bool setting, const uint8_t *bytes,
                                    size_t size)
{
    struct simulated_disk *forged = simulated_disk_clone(disk);
    verso_store *victim;
    cr_assert_eq(open_on(forged, &victim), VERSO_OK, "%s", verso_error_detail());
    verso_txn *txn; /* so that it has a log */
    cr_assert_eq(verso_begin(victim, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text("other"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    struct vs_store *inner = victim->store;
    struct vs_log_record record = {.setting = setting,
                                   .version = inner->tip.version + (setting ? 0 : 1),
                                   .fingerprint = inner->tip.fingerprint,
                                   .operations = {bytes, size}};
    uint64_t end;
    cr_assert_eq(vs_log_append(inner->log, &record, &end), VERSO_OK, "%s", what);
    cr_assert_eq(vs_log_flush(inner->log, VS_LOG_DURABLE), VERSO_OK, "%s", what);
    struct simulated_disk *left = simulated_disk_crash(forged, 1, SIMULATED_CRASH_ALL_OLD);
    verso_err closed = verso_close(victim); /* its own log has gone on behind its back */
    (void)closed;
    simulated_disk_close(forged);
    return left;
}

/* A salvage has what the log says up to the frame, and whatever of that makes sense; but it does not
 * call it whole. */
static void expect_part(const char *what, bool concerns_trees, struct simulated_disk *left)
{
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(left)};
    verso_salvage_report report = {.size = sizeof report};
    verso_err err = verso_salvage("store", "salvaged", &options, &report);
    cr_assert_eq(err, VERSO_OK, "%s: %s", what, verso_error_detail());
    cr_assert_geq(report.root, TIP + 1, "%s", what);
    cr_assert(!concerns_trees || !report.whole, "%s: called whole", what);
    cr_assert_eq(report.losses, 0, "%s", what);
    verso_store *salvaged;
    verso_options reading = VERSO_OPTIONS_INIT;
    reading.read_only = true;
    reading.system = simulated_disk_os(left);
    cr_assert_eq(verso_open("salvaged", &reading, &salvaged), VERSO_OK, "%s", what);
    verso_check_report check = {.size = sizeof check};
    cr_assert_eq(verso_check(salvaged, &check), VERSO_OK, "%s: %s", what, check.fault);
    cr_assert_eq(verso_close(salvaged), VERSO_OK);
}

/* Tags and policies are no part of a salvage. */
static bool is_of_trees(bool setting, const uint8_t *bytes, size_t size)
{
    struct vs_operation first;
    const uint8_t *at = bytes;
    return !setting && (vs_operation_decode(&at, bytes + size, &first) != NULL ||
                        vs_operation_is_of_tree(first.kind));
}

static void expect_refused(const char *what, bool setting, const uint8_t *bytes, size_t size)
{
    struct simulated_disk *left = forge(what, setting, bytes, size);
    uint64_t digest = simulated_disk_digest(left);
    verso_store *opened;
    verso_err err = open_on(left, &opened);
    cr_assert_eq(err, VERSO_WAL_CORRUPT, "%s: %s (%s)", what, verso_strerror(err),
                 verso_error_detail());
    cr_assert_null(opened);
    cr_assert_eq(simulated_disk_digest(left), digest, "%s: the store was changed", what);
    expect_part(what, is_of_trees(setting, bytes, size), left);
    simulated_disk_close(left);
}

static void refuse_one(const char *what, bool setting, const struct vs_operation *operation)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    expect_refused(what, setting, bytes, operation_bytes(operation, bytes));
}

/* ---- operations ---------------------------------------------------------------------------- */

#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

Test(forged_log, changes_of_trees_that_do_not_fit_the_root_before_are_damage)
{
    for (size_t i = 0; i < forged_change_count; i++) {
        refuse_one(forged_changes[i].what, false, &forged_changes[i].operation);
    }
}

/* Each fits by itself. */
Test(forged_log, a_change_of_a_tree_that_the_same_root_has_dropped_is_damage)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    struct vs_operation drop = {.kind = VS_OPERATION_DROP_TREE, .number = {TREE}};
    struct vs_operation put = {
        .kind = VS_OPERATION_PUT, .number = {TREE}, .key = TEXT("a"), .value = TEXT("b")};
    size_t size = operation_bytes(&put, bytes);
    size += operation_bytes(&drop, bytes + size);
    size += operation_bytes(&put, bytes + size);
    expect_refused("a tree dropped before", false, bytes, size);
}

Test(forged_log, a_tag_of_a_root_that_the_same_frame_has_dropped_is_damage)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    struct vs_operation drop = {.kind = VS_OPERATION_DROP_ROOTS, .number = {1, 1}};
    struct vs_operation tag = {.kind = VS_OPERATION_SET_TAG, .number = {1, 1}, .key = TEXT("new")};
    size_t size = operation_bytes(&drop, bytes);
    size += operation_bytes(&tag, bytes + size);
    expect_refused("a tag of a dropped root", true, bytes, size);
}

Test(forged_log, settings_that_cannot_be_are_damage)
{
    static const struct {
        const char *what;
        struct vs_operation operation;
    } rows[] = {
        {"roots dropped that do not exist",
         {.kind = VS_OPERATION_DROP_ROOTS, .number = {TIP, 1000}}},
        {"roots dropped backwards", {.kind = VS_OPERATION_DROP_ROOTS, .number = {2, 1}}},
        {"no roots dropped", {.kind = VS_OPERATION_DROP_ROOTS, .number = {0, 0}}},
        {"a policy that is none", {.kind = VS_OPERATION_SET_RETENTION, .value = TEXT("keep!")}},
        {"a tag without a name", {.kind = VS_OPERATION_SET_TAG, .number = {2, 1}}},
        {"a tag of no root",
         {.kind = VS_OPERATION_SET_TAG, .number = {1000, 1}, .key = TEXT("new")}},
        {"a tag deleted that has no name", {.kind = VS_OPERATION_DELETE_TAG}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        refuse_one(rows[i].what, true, &rows[i].operation);
        refuse_one(rows[i].what, false, &rows[i].operation);
    }
    struct vs_operation put = {.kind = VS_OPERATION_PUT, .key = TEXT("a"), .value = TEXT("b")};
    refuse_one("a change of a tree in a setting", true, &put);
}

Test(forged_log, operations_of_no_kind_or_cut_short_are_damage)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    struct vs_operation put = {.kind = VS_OPERATION_PUT, .key = TEXT("key"), .value = TEXT("b")};
    size_t size = operation_bytes(&put, bytes);
    expect_refused("cut short", false, bytes, size - 1);
    bytes[0] = 255;
    expect_refused("no kind", false, bytes, size);
    bytes[0] = 0;
    expect_refused("no kind", true, bytes, size);
}

/* ---- between the readings ------------------------------------------------------------------ */

/* The log was proved, and the store is about to be written: somebody puts another log there. */
static void exchange_log(void *argument, struct simulated_disk *of,
                         const struct simulated_event *event)
{
    struct simulated_disk *other = argument;
    if (event->kind != SIMULATED_WRITE || event->is_after) {
        return;
    }
    simulated_disk_set_hook(of, NULL, NULL);
    const char *path;
    for (size_t i = 0; (path = simulated_disk_path(other, i)) != NULL; i++) {
        uint64_t size;
        const uint8_t *bytes = simulated_disk_bytes(other, path, &size);
        if (strstr(path, "wal") != NULL) {
            simulated_disk_put(of, path, bytes, size);
        }
    }
}

Test(forged_log, one_that_is_another_at_its_second_reading_is_damage)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    struct vs_operation put = {.kind = VS_OPERATION_PUT, .key = TEXT("key"), .value = TEXT("b")};
    size_t size = operation_bytes(&put, bytes);
    struct simulated_disk *proved = forge("sound", false, bytes, size);
    bytes[0] = 255;
    struct simulated_disk *other = forge("no kind", false, bytes, size);
    simulated_disk_set_hook(proved, exchange_log, other);
    verso_store *opened;
    cr_assert_eq(open_on(proved, &opened), VERSO_WAL_CORRUPT, "%s", verso_error_detail());
    cr_assert_not_null(strstr(verso_error_detail(), "kind"), "%s", verso_error_detail());
    cr_assert_null(opened);
    simulated_disk_close(proved);
    simulated_disk_close(other);
}

/* ---- salvage ---- */

/* Whatever stands in a frame, a salvage has all that lies before it. */
static void expect_salvage(const char *what, const struct vs_operation *operation)
{
    static uint8_t bytes[FORGED_CHANGE_SIZE];
    struct simulated_disk *left = forge(what, false, bytes, operation_bytes(operation, bytes));
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(left)};
    verso_salvage_report report = {.size = sizeof report};
    verso_err err = verso_salvage("store", "salvaged", &options, &report);
    cr_assert_eq(err, VERSO_OK, "%s: %s (%s)", what, verso_strerror(err), verso_error_detail());
    cr_assert(!report.whole, "%s", what);
    cr_assert_geq(report.root, TIP + 1, "%s", what);
    simulated_disk_close(left);
}

Test(forged_log, what_cannot_be_does_not_end_a_salvage)
{
    struct vs_operation create = {
        .kind = VS_OPERATION_CREATE_TREE, .number = {UINT64_MAX}, .key = TEXT("another")};
    expect_salvage("a tree of the last number", &create);
    for (size_t i = 0; i < forged_change_count; i++) {
        expect_salvage(forged_changes[i].what, &forged_changes[i].operation);
    }
}
