/*
 * second_top_test.c - a store of more than sixteen million pages: its page table has a second top page,
 * which comes with the first page behind them and goes with the last one.
 *
 * The file is nearly all holes, and the high-water mark of its metas is forged.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handles.h"
#include "format/meta.h"
#include "os/os.h"
#include "verso.h"

enum {
    PAGE_SIZE = 512,
    KEYS = 2000,
    LONG_VALUE = 80 << 20, /* more than the tail that a checkpoint gives up at least */
};

static struct vs_os system_below;
static char folder[64];
static char path[96];
static verso_store *store;

/* Nothing crashes here, and there is much to write. */
static verso_err sync_nothing(struct vs_file *file)
{
    (void)file;
    return VERSO_OK;
}

static void set_up(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-second-top-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/store", folder);
    system_below = *vs_os_real();
    system_below.background = false;
    system_below.sync_data = sync_nothing;
    system_below.sync_full = sync_nothing;
}

static void tear_down(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0, "%s holds more than the store", folder);
}

TestSuite(second_top, .init = set_up, .fini = tear_down, .timeout = 120);

static void open_store(void)
{
    verso_retention policy = verso_keep_last(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    options.arena_bytes = 4 << 20;
    options.system = &system_below;
    cr_assert_eq(verso_open(path, &options, &store), VERSO_OK, "%s", verso_error_detail());
}

static void close_store(void)
{
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

static void checkpoint(void)
{
    cr_assert_eq(verso_checkpoint(store), VERSO_OK, "%s", verso_error_detail());
}

static verso_txn *begin(void)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static void commit(verso_txn *txn)
{
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
}

static void put_keys(unsigned count)
{
    verso_txn *txn = begin();
    for (unsigned i = 0; i < count; i++) {
        cr_assert_eq(verso_put(txn, (verso_slice){&i, sizeof i}, verso_text("a value")), VERSO_OK,
                     "%s", verso_error_detail());
    }
    commit(txn);
}

/* As if all pages of the first top page were in use. @return False: the system has no such files. */
static bool fill_first_top(void)
{
    uint8_t bytes[VS_META_B_AT + VS_PART_BYTES];
    struct vs_meta meta;
    int file = open(path, O_RDWR);
    cr_assert_geq(file, 0);
    cr_assert_eq(pread(file, bytes, sizeof bytes, 0), (ssize_t)sizeof bytes);
    cr_assert_eq(vs_meta_decode(bytes, &meta), VS_META_OK);
    meta.high_water = VS_TOP_PAGES;
    vs_meta_encode(&meta, bytes);
    vs_meta_encode(&meta, bytes + VS_META_B_AT);
    bool can = ftruncate(file, (off_t)VS_TOP_PAGES * PAGE_SIZE) == 0;
    cr_assert_eq(pwrite(file, bytes, VS_PART_BYTES, 0), VS_PART_BYTES);
    cr_assert_eq(pwrite(file, bytes + VS_META_B_AT, VS_PART_BYTES, VS_META_B_AT), VS_PART_BYTES);
    cr_assert_eq(close(file), 0);
    return can;
}

static bool has_second_top(void)
{
    return store->store->meta.top[1] != 0;
}

/* The long value, as it was put. */
static void expect_long_value(const uint8_t *value)
{
    verso_view *view;
    verso_slice found;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_get(view, verso_text("long"), &found), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(found.size, LONG_VALUE);
    cr_assert_eq(memcmp(found.data, value, LONG_VALUE), 0);
    verso_view_close(view);
}

static void put_long_value(const uint8_t *value)
{
    verso_txn *txn = begin();
    verso_slice bytes = {value, LONG_VALUE};
    cr_assert_eq(verso_put(txn, verso_text("long"), bytes), VERSO_OK, "%s", verso_error_detail());
    commit(txn);
    checkpoint();
}

/* Its pages are free once no meta names them; then the tail goes, and the file with it. */
static void drop_long_value(void)
{
    verso_txn *txn = begin();
    cr_assert_eq(verso_delete(txn, verso_text("long")), VERSO_OK);
    commit(txn);
    for (unsigned i = 0; i < 4; i++) {
        put_keys(1);
        checkpoint();
    }
}

Test(second_top, comes_with_its_first_page_and_goes_with_its_last)
{
    uint8_t *value = malloc(LONG_VALUE);
    cr_assert_not_null(value);
    for (size_t i = 0; i < LONG_VALUE; i += PAGE_SIZE) {
        memset(value + i, (int)(i >> 12), PAGE_SIZE);
    }
    open_store();
    put_keys(KEYS);
    checkpoint();
    put_keys(KEYS); /* so that some of the first pages are free */
    close_store();
    if (!fill_first_top()) {
        cr_skip_test("no files of eight gibibytes");
    }
    open_store();
    cr_assert_not(has_second_top());
    put_long_value(value);
    cr_assert(has_second_top());
    close_store();

    open_store();
    expect_long_value(value);
    drop_long_value();
    cr_assert_not(has_second_top());
    close_store();
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_lt(status.st_size, (off_t)VS_TOP_PAGES * PAGE_SIZE + LONG_VALUE / 2);

    open_store(); /* and it comes again */
    put_long_value(value);
    expect_long_value(value);
    cr_assert(has_second_top());
    close_store();
    free(value);
}
