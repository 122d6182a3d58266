/*
 * forged_increment_test.c - increments with right checksums whose records or operations cannot have
 * been written: refused as damaged, and the store keeps the root it had.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "forged_changes.h"
#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/increment.h"
#include "operation_bytes.h"
#include "simulated_disk.h"
#include "verso.h"

enum { FILE_SIZE = 65536 };

static struct simulated_disk *disk;
static verso_store *store; /* with one root; the increment goes on from there */
static struct vs_increment_header header;
static struct vs_increment_root root; /* the real next one */

/* An increment under construction. */
static uint8_t file[FILE_SIZE];
static size_t file_size;
static uint32_t crc;

static verso_store *open_at(const char *path)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention all = verso_keep_all();
    verso_store *opened = NULL;
    options.create = true;
    options.retention = &all;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open(path, &options, &opened), VERSO_OK, "%s", verso_error_detail());
    return opened;
}

static void commit(verso_store *to, const char *key)
{
    verso_txn *txn;
    verso_txn *tree;
    cr_assert_eq(verso_begin(to, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_txn_tree(txn, verso_text("tree"), true, &tree), VERSO_OK);
    cr_assert_eq(verso_put(tree, verso_text(key), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
}

/* Header and root of a real increment, to be forged after. */
static void set_up(void)
{
    disk = simulated_disk_open(1);
    verso_store *source = open_at("source");
    commit(source, "first");
    cr_assert_eq(verso_copy(source, "copy", NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    commit(source, "second");
    cr_assert_eq(verso_copy_since(source, 1, "real", NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_close(source), VERSO_OK);
    const uint8_t *bytes = simulated_disk_bytes(disk, "real", NULL);
    enum vs_increment_kind kind;
    uint64_t size;
    cr_assert_eq(vs_increment_header_decode(bytes, &header, &crc), VS_INCREMENT_OK);
    bytes += VS_INCREMENT_HEADER;
    cr_assert_null(vs_increment_record_decode(bytes, &kind, &size));
    cr_assert_eq(kind, VS_INCREMENT_ROOT);
    vs_increment_root_decode((verso_slice){bytes + VS_INCREMENT_RECORD, (size_t)size}, &root);
    root.note = (verso_slice){NULL, 0};
    store = open_at("copy");
}

static void tear_down(void)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

TestSuite(forged_increment, .init = set_up, .fini = tear_down);

/* ---- building ------------------------------------------------------------------------------ */

static void begin_file(void)
{
    crc = vs_increment_header_encode(&header, file);
    file_size = VS_INCREMENT_HEADER;
}

static void add_record(enum vs_increment_kind kind, const uint8_t *body, size_t size)
{
    cr_assert_leq(file_size + VS_INCREMENT_RECORD + size, sizeof file);
    crc = vs_increment_record_encode(kind, (verso_slice){body, size}, crc, file + file_size);
    memcpy(file + file_size + VS_INCREMENT_RECORD, body, size);
    file_size += VS_INCREMENT_RECORD + size;
}

static void add_root(uint64_t version)
{
    uint8_t body[VS_INCREMENT_ROOT_MAX];
    struct vs_increment_root named = root;
    named.version = version;
    add_record(VS_INCREMENT_ROOT, body, vs_increment_root_encode(&named, body));
}

static void add_operation(const struct vs_operation *operation)
{
    static uint8_t body[FORGED_CHANGE_SIZE];
    add_record(VS_INCREMENT_OPERATIONS, body, operation_bytes(operation, body));
}

static void add_end(uint64_t roots, uint64_t operations)
{
    uint8_t body[VS_INCREMENT_END];
    vs_increment_end_encode(&(struct vs_increment_counts){roots, operations}, body);
    add_record(VS_INCREMENT_CLOSE, body, sizeof body);
}

static void expect_damaged(const char *what)
{
    simulated_disk_put(disk, "forged", file, file_size);
    verso_err err = verso_copy_apply(store, "forged", NULL);
    cr_assert_eq(err, VERSO_CORRUPT, "%s: %s (%s)", what, verso_strerror(err),
                 verso_error_detail());
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.tip, 1, "%s: root %" PRIu64, what, stats.tip);
}

/* ---- records ------------------------------------------------------------------------------- */

static const struct vs_operation put = {
    .kind = VS_OPERATION_PUT, .key = {"key", 3}, .value = {"value", 5}};

Test(forged_increment, records_in_an_order_that_cannot_be_are_damage)
{
    begin_file();
    add_operation(&put);
    add_end(0, 1);
    expect_damaged("operations before a root");
    begin_file();
    add_root(2);
    add_root(2);
    add_end(2, 0);
    expect_damaged("a root twice");
    begin_file();
    add_root(1);
    add_end(1, 0);
    expect_damaged("the root to begin from");
    begin_file();
    add_root(2);
    expect_damaged("no end");
    begin_file();
    add_root(2);
    add_end(1, 0);
    add_root(3);
    expect_damaged("a record behind the end");
}

Test(forged_increment, an_end_that_counts_wrongly_is_damage)
{
    static const uint64_t counts[][2] = {{0, 1}, {2, 1}, {1, 0}, {1, 2}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        begin_file();
        add_root(2);
        add_operation(&put);
        add_end(counts[i][0], counts[i][1]);
        expect_damaged("counts");
    }
}

/* ---- operations ---------------------------------------------------------------------------- */

static void expect_misfit(const struct forged_change *change)
{
    begin_file();
    add_root(2);
    add_operation(&change->operation);
    add_end(1, 1);
    expect_damaged(change->what);
}

Test(forged_increment, operations_that_do_not_fit_the_root_before_are_damage)
{
    static const struct forged_change setting = {
        "no change of a tree", {.kind = VS_OPERATION_DROP_ROOTS, .number = {1, 1}}};
    for (size_t i = 0; i < forged_change_count; i++) {
        expect_misfit(&forged_changes[i]);
    }
    expect_misfit(&setting);
}

Test(forged_increment, operations_cut_short_are_damage)
{
    static const uint8_t garbage[] = {255, 1, 2, 3};
    begin_file();
    add_root(2);
    add_record(VS_INCREMENT_OPERATIONS, garbage, sizeof garbage);
    add_end(1, 1);
    expect_damaged("garbage");
}

Test(forged_increment, another_format_than_this_is_named)
{
    begin_file();
    add_root(2);
    add_end(1, 0);
    file[8]++; /* the format's number */
    vs_put_le32(file + VS_INCREMENT_HEADER - 4, vs_crc32c(0, file, VS_INCREMENT_HEADER - 4));
    simulated_disk_put(disk, "forged", file, file_size);
    cr_assert_eq(verso_copy_apply(store, "forged", NULL), VERSO_FORMAT);
    cr_assert_not_null(strstr(verso_error_detail(), "unknown format"), "%s", verso_error_detail());
}

Test(forged_increment, is_not_applied_to_a_store_that_is_only_read)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_store *reading;
    options.read_only = true;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_close(store), VERSO_OK);
    cr_assert_eq(verso_open("copy", &options, &reading), VERSO_OK);
    cr_assert_eq(verso_copy_apply(reading, "real", NULL), VERSO_READ_ONLY);
    cr_assert_eq(verso_close(reading), VERSO_OK);
    store = open_at("copy");
}

Test(forged_increment, the_real_one_still_applies)
{
    cr_assert_eq(verso_copy_apply(store, "real", NULL), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(verso_copy_apply(store, "real", NULL), VERSO_OK, "once more: it is there");
}
