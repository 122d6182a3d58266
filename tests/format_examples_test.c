/*
 * format_examples_test.c - the worked examples of docs/format.md are true: the format floor writes
 * these bytes, and the engine opens what they make up.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/branch.h"
#include "format/descriptor.h"
#include "format/fingerprint.h"
#include "format/leaf.h"
#include "format/run_ref.h"
#include "format/segment.h"
#include "fruit_store.h"
#include "hex_example.h"

static void must_show(const char *name, const uint8_t *bytes, size_t size)
{
    char fault[HEX_FAULT_MAX] = "";
    bool same = hex_example_shows(VERSO_FORMAT_DOCUMENT, name, bytes, size, fault);
    cr_assert(same, "%s", fault);
}

/* ---- the store of the examples ---- */

static struct fruit_store fruit;

static void must_show_page(const char *name, vs_page_no page)
{
    must_show(name, fruit.file + (size_t)page * FRUIT_PAGE_SIZE, FRUIT_PAGE_SIZE);
}

Test(format_examples, meta)
{
    fruit_store_make(&fruit);
    must_show("meta", fruit.file, VS_PART_BYTES);
}

Test(format_examples, table)
{
    fruit_store_make(&fruit);
    must_show("top", fruit.file + vs_layout_top_at(FRUIT_PAGE_SIZE, 0, 0), VS_PART_BYTES);
    must_show("directory", fruit.file + vs_layout_directory_at(FRUIT_PAGE_SIZE, 0, 0),
              VS_PART_BYTES);
    must_show("block", fruit.file + vs_layout_block_at(FRUIT_PAGE_SIZE, 0, 0), VS_PART_BYTES);
}

Test(format_examples, pages)
{
    fruit_store_make(&fruit);
    must_show_page("leaf", FRUIT_LEAF_OF_1);
    must_show_page("leaf-after-delete", FRUIT_LEAF_OF_2);
    must_show_page("history", FRUIT_HISTORY);
}

Test(format_examples, log)
{
    fruit_store_make(&fruit);
    must_show("log", fruit.log, sizeof fruit.log);
}

Test(format_examples, places)
{
    const size_t size = FRUIT_PAGE_SIZE;
    cr_assert_eq(vs_layout_top_at(size, 0, 0), 4096u);
    cr_assert_eq(vs_layout_directory_at(size, 0, 0), 12288u);
    cr_assert_eq(vs_layout_directory_at(size, 0, 1), 16384u);
    cr_assert_eq(vs_layout_block_at(size, 0, 0), 20480u);
    cr_assert_eq(vs_layout_block_at(size, 0, 1), 24576u);
    cr_assert_eq(vs_layout_block_at(size, 1, 1), 266240u);
    cr_assert_eq(vs_layout_block_at(size, 2, 0), 524288u);
    cr_assert_eq(vs_layout_block_at(size, 3, 1), 536576u);
    cr_assert_eq(vs_layout_directory_at(size, 1, 0), 134217728u);
    cr_assert(vs_layout_is_reserved(size, 6));
    cr_assert_not(vs_layout_is_reserved(size, 7));
    cr_assert(vs_layout_is_reserved(size, 16));
}

/* ---- structures that so small a store does not have ---- */

Test(format_examples, links)
{
    struct vs_descriptor descriptor;
    vs_descriptor_set(&descriptor, VS_WORD_BORN, 5);
    vs_descriptor_set(&descriptor, VS_WORD_DIED, 12);
    vs_descriptor_set(&descriptor, VS_WORD_KIND, vs_kind_word(VS_KIND_LEAF, 0x1a2b3c4d));
    vs_descriptor_set(&descriptor, VS_WORD_LINK, vs_link_word(5, 5, 41));
    vs_descriptor_set(&descriptor, VS_WORD_LINK + 1, vs_link_word(8, 5, 57));
    vs_descriptor_set(&descriptor, VS_WORD_LINK + 2, vs_link_word(11, 5, 0));
    for (unsigned i = 3; i < VS_LINKS; i++) {
        vs_descriptor_set(&descriptor, VS_WORD_LINK + i, VS_NO_LINK);
    }
    uint8_t bytes[VS_DESCRIPTOR_SIZE];
    memcpy(bytes, &descriptor, sizeof bytes);
    must_show("links", bytes, sizeof bytes);
}

Test(format_examples, leaf_with_prefix)
{
    struct vs_leaf_cell cells[2] = {
        {.key = verso_text("user:0017"), .payload = {.size = 3, .bytes = (const uint8_t *)"Ada"}},
        {.key = verso_text("user:0018/mail"), .payload = {.size = 0}},
    };
    static uint8_t page[FRUIT_PAGE_SIZE];
    vs_leaf_encode(page, sizeof page, 9, cells, 2);
    must_show("leaf-with-prefix", page, sizeof page);
}

Test(format_examples, branch)
{
    struct vs_branch_cell cells[3] = {
        {.child = 70, .keys = 90},
        {.separator = verso_text("user:0018"), .child = 71, .keys = 104},
        {.separator = verso_text("user:0140/mail"), .child = 75, .keys = 88},
    };
    static uint8_t page[FRUIT_PAGE_SIZE];
    vs_branch_encode(page, sizeof page, 9, 1, cells, 3);
    must_show("branch", page, sizeof page);
}

Test(format_examples, run_reference)
{
    static uint8_t value[10000];
    memset(value, 'v', sizeof value);
    struct vs_run_ref ref = {.length = sizeof value,
                             .hash = vs_value_hash((verso_slice){value, sizeof value}),
                             .extents = 2,
                             .extent = {{.page = 62, .pages = 2}, {.page = 66, .pages = 1}}};
    uint8_t bytes[VS_RUN_REF_MAX];
    size_t size = vs_run_ref_encode(&ref, bytes);
    must_show("run", bytes, size);
    cr_assert_null(vs_run_ref_decode(bytes, size, FRUIT_PAGE_SIZE, &ref));
}

/* ---- and the engine takes them for a store ---- */

static char folder[] = "/tmp/verso-format-XXXXXX";
static char store_path[64];
static char log_path[96];

static void write_file(const char *path, const uint8_t *bytes, size_t size, size_t whole)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(truncate(path, (off_t)whole), 0);
}

static void must_hold_both_roots(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    verso_store *store = NULL;
    verso_err err = verso_open(store_path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    verso_view *view = NULL;
    verso_slice value;
    cr_assert_eq(verso_view_open_root(store, 1, &view), VERSO_OK);
    cr_assert_eq(verso_get(view, verso_text("apricot"), &value), VERSO_OK);
    cr_assert_eq(value.size, 6u);
    cr_assert_arr_eq(value.data, "orange", 6);
    verso_view_close(view);
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    cr_assert_eq(verso_get(view, verso_text("apricot"), &value), VERSO_NOT_FOUND);
    verso_view_close(view);
    verso_check_report report = {.size = sizeof report};
    err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "%s", report.fault);
    cr_assert_eq(report.roots, 2u);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

static void make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(store_path, sizeof store_path, "%s/fruit.verso", folder);
    (void)snprintf(log_path, sizeof log_path, "%s-wal.0", store_path);
}

static void remove_folder(void)
{
    (void)unlink(store_path);
    (void)unlink(log_path);
    (void)rmdir(folder);
}

Test(format_examples, make_a_store_that_is_sound, .init = make_folder, .fini = remove_folder)
{
    fruit_store_make(&fruit);
    write_file(store_path, fruit.file, sizeof fruit.file, sizeof fruit.file);
    must_hold_both_roots();
}

Test(format_examples, make_a_log_that_is_replayed, .init = make_folder, .fini = remove_folder)
{
    fruit_store_make_crashed(&fruit);
    write_file(store_path, fruit.file, sizeof fruit.file, sizeof fruit.file);
    write_file(log_path, fruit.log, sizeof fruit.log, FRUIT_SEGMENT_SIZE);
    must_hold_both_roots();
}
