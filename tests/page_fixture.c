/*
 * page_fixture.c - a store driven by its pages.
 */
#include "page_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/leaf.h"
#include "history/history.h"
#include "history/keeping.h"

enum { ARENA_BYTES = 4 << 20, LOG_BYTES = 1 << 20 };

struct vs_store *page_store_open(struct simulated_disk *disk, uint32_t page_size,
                                 uint64_t keep_last)
{
    struct vs_store_config config = {
        .os = disk != NULL ? simulated_disk_os(disk) : vs_os_real(),
        .path = disk != NULL ? "store" : NULL,
        .create = true,
        .page_size = page_size,
        .retention = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last),
        .durability = VERSO_DURABILITY_SYNC,
        .arena_bytes = ARENA_BYTES,
        .log_bytes = LOG_BYTES,
    };
    struct vs_store *store = NULL;
    verso_err err = vs_store_open(&config, &vs_history_calls, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = vs_keeping_load(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    struct vs_log_scan nothing;
    memset(&nothing, 0, sizeof nothing);
    err = vs_store_settle(store, &nothing);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

struct vs_store *page_store_open_to_replay(struct simulated_disk *disk)
{
    struct vs_store_config config = {
        .os = simulated_disk_os(disk),
        .path = "store",
        .read_only = true,
        .retention = verso_keep_all(),
        .arena_bytes = ARENA_BYTES,
        .log_bytes = LOG_BYTES,
    };
    struct vs_store *store = NULL;
    verso_err err = vs_store_open(&config, &vs_history_calls, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = vs_keeping_load(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

void page_store_close(struct vs_store *store)
{
    verso_err err = vs_store_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

struct vs_page_writer *page_begin(struct vs_store *store)
{
    struct vs_page_writer *writer = NULL;
    verso_err err = vs_store_begin(store, &writer);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return writer;
}

uint64_t page_commit(struct vs_store *store)
{
    struct vs_commit commit = {0};
    const verso_retention *policy = &store->retained.policy;
    uint64_t last = policy->last;
    uint64_t next = store->writer.version;
    if (!policy->all && next > last) {
        struct vs_version_range old = {1, next - last};
        verso_err dropped = vs_retained_drop(&store->retained, &old, 1);
        cr_assert_eq(dropped, VERSO_OK);
    }
    uint64_t version = 0;
    uint64_t end_lsn = 0;
    verso_err err = vs_store_commit(store, &commit, &version, &end_lsn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = vs_store_wait(store, end_lsn, VERSO_DURABILITY_SYNC);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return version;
}

void page_commit_up_to(struct vs_store *store, uint64_t version)
{
    while (store->tip.version < version) {
        page_begin(store);
        page_commit(store);
    }
}

vs_page_no page_make_leaf(struct vs_page_writer *writer, char mark)
{
    vs_page_no page = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_new(writer, VS_KIND_LEAF, &page, &bytes);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    struct vs_leaf_cell cell = {.key = {&mark, 1}};
    vs_leaf_encode(bytes, vs_writer_pages(writer)->page_size, vs_writer_version(writer), &cell, 1);
    return page;
}

vs_page_no page_make_linked_leaf(struct vs_page_writer *writer, char mark, vs_page_no next)
{
    vs_page_no page = page_make_leaf(writer, mark);
    cr_assert_not(page_link(writer, page, next));
    return page;
}

vs_page_no page_set_mark(struct vs_page_writer *writer, vs_page_no page, char mark)
{
    vs_page_no own = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_own(writer, page, &own, &bytes);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    struct vs_leaf_cell cell = {.key = {&mark, 1}};
    vs_leaf_encode(bytes, vs_writer_pages(writer)->page_size, vs_writer_version(writer), &cell, 1);
    return own;
}

void page_drop(struct vs_page_writer *writer, vs_page_no page)
{
    verso_err err = vs_page_drop(writer, page);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

void page_step(struct vs_page_writer *writer)
{
    verso_err err = vs_writer_step(writer);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

void page_savepoint(struct vs_page_writer *writer)
{
    verso_err err = vs_writer_savepoint(writer);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

void page_roll_back(struct vs_page_writer *writer, uint32_t savepoint)
{
    verso_err err = vs_writer_rollback_to(writer, savepoint);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

char page_mark(struct vs_store *store, vs_page_no page)
{
    const uint8_t *bytes = NULL;
    verso_err err = vs_page_read_level(&store->pages, page, 0, &bytes);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    uint8_t key[VS_PAGE_SIZE_MAX];
    cr_assert_eq(vs_leaf_key(bytes, 0, key), 1);
    return (char)key[0];
}

bool page_link(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next)
{
    bool relief = false;
    verso_err err = vs_link_set(writer, leaf, next, &relief);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return relief;
}

vs_page_no page_next(struct vs_store *store, vs_page_no leaf, uint64_t version)
{
    vs_page_no next = 0;
    verso_err err = vs_page_next_leaf(&store->pages, leaf, version, &next);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return next;
}

struct page_words page_words(struct vs_store *store, vs_page_no page)
{
    const struct vs_descriptor *descriptor = NULL;
    verso_err err = vs_page_table_get(&store->table, page, &descriptor);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    struct page_words words;
    for (unsigned i = 0; i < 8; i++) {
        words.word[i] = vs_descriptor_word(descriptor, i);
    }
    return words;
}

uint32_t page_pin(struct vs_store *store, uint64_t version)
{
    uint32_t slot = 0;
    verso_err err = vs_reader_pin(&store->readers, version, &slot);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return slot;
}
