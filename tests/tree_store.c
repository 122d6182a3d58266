/*
 * tree_store.c - a tree in an in-memory store of the store floor.
 */
#include "tree_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "history/history.h"
#include "os/os.h"
#include "store/store.h"

enum { ARENA_BYTES = 64 << 20, VERSIONS_STEP = 256 };

struct tree_store {
    struct vs_store *store;
    struct vs_tree_edit edit; /* of the running transaction */
    bool running;
    uint64_t keep_last;
    struct vs_root_record *version; /* by number */
    size_t versions_capacity;
};

static void keep_record(struct tree_store *store, const struct vs_root_record *record)
{
    if (record->version >= store->versions_capacity) {
        store->versions_capacity += VERSIONS_STEP;
        store->version =
            realloc(store->version, store->versions_capacity * sizeof store->version[0]);
        cr_assert_not_null(store->version);
    }
    store->version[record->version] = *record;
}

struct tree_store *tree_store_open(uint32_t page_size, uint64_t keep_last)
{
    struct tree_store *store = calloc(1, sizeof *store);
    cr_assert_not_null(store);
    struct vs_store_config config = {
        .os = vs_os_real(),
        .create = true,
        .page_size = page_size,
        .retention = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last),
        .durability = VERSO_DURABILITY_SYNC,
        .arena_bytes = ARENA_BYTES,
        .log_bytes = ARENA_BYTES,
    };
    store->keep_last = keep_last;
    verso_err err = vs_store_open(&config, &vs_history_calls, &store->store);
    cr_assert_eq(err, VERSO_OK);
    struct vs_log_scan nothing;
    memset(&nothing, 0, sizeof nothing);
    err = vs_store_settle(store->store, &nothing);
    cr_assert_eq(err, VERSO_OK);
    keep_record(store, &store->store->tip);
    return store;
}

void tree_store_close(struct tree_store *store)
{
    if (store->running) {
        tree_store_abort(store);
    }
    verso_err err = vs_store_close(store->store);
    cr_assert_eq(err, VERSO_OK);
    free(store->version);
    free(store);
}

struct vs_tree_edit *tree_store_begin(struct tree_store *store)
{
    struct vs_page_writer *writer = NULL;
    cr_assert(!store->running);
    verso_err err = vs_store_begin(store->store, &writer);
    cr_assert_eq(err, VERSO_OK);
    const struct vs_root_record *tip = &store->store->tip;
    vs_tree_edit_init(&store->edit, writer, tip->tree, 0, tip->fingerprint);
    store->running = true;
    return &store->edit;
}

uint64_t tree_store_commit(struct tree_store *store)
{
    struct vs_commit commit = {
        .tree = store->edit.root,
        .fingerprint = store->edit.fingerprint,
    };
    uint64_t next = store->store->writer.version;
    if (store->keep_last > 0 && next > store->keep_last) {
        struct vs_version_range old = {1, next - store->keep_last};
        verso_err dropped = vs_retained_drop(&store->store->retained, &old, 1);
        cr_assert_eq(dropped, VERSO_OK);
    }
    uint64_t version = 0;
    uint64_t end_lsn = 0;
    vs_tree_edit_clear(&store->edit);
    store->running = false;
    verso_err err = vs_store_commit(store->store, &commit, &version, &end_lsn);
    cr_assert_eq(err, VERSO_OK);
    keep_record(store, &store->store->tip);
    return version;
}

void tree_store_abort(struct tree_store *store)
{
    vs_tree_edit_clear(&store->edit);
    store->running = false;
    vs_store_abort(store->store);
}

uint64_t tree_store_tip(const struct tree_store *store)
{
    return store->store->tip.version;
}

uint64_t tree_store_oldest(const struct tree_store *store)
{
    uint64_t retained;
    vs_retained_at_or_above(&store->store->retained, 0, &retained);
    return retained < store->store->tip.version ? retained : store->store->tip.version;
}

struct vs_tree_view tree_store_view(const struct tree_store *store, uint64_t version)
{
    return (struct vs_tree_view){
        .pages = &store->store->pages, .root = store->version[version].tree, .version = version};
}

/** The pages that a check has met. */
struct met_pages {
    uint8_t *met; /* a byte a page */
    uint64_t limit;
};

static const char *meet(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct met_pages *pages = argument;
    (void)kind;
    if (page >= pages->limit) {
        return "beyond the high-water mark";
    }
    if (pages->met[page] != 0) {
        return "reached twice";
    }
    pages->met[page] = 1;
    return NULL;
}

static void check(struct tree_store *store, const struct vs_tree_view *view, uint64_t fingerprint)
{
    struct met_pages pages = {.limit = store->store->space.high_water};
    pages.met = calloc(pages.limit + 1, 1);
    cr_assert_not_null(pages.met);
    struct vs_tree_check result = {.visit = meet, .argument = &pages};
    verso_err err = vs_tree_check(view, 0, &result);
    free(pages.met);
    cr_assert_eq(err, VERSO_OK, "version %llu, page %u: %s", (unsigned long long)view->version,
                 result.bad_page, result.fault);
    cr_assert_eq(result.keys, view->root.keys);
    cr_assert_eq(result.fingerprint, fingerprint, "fingerprint of version %llu",
                 (unsigned long long)view->version);
}

void tree_store_check(struct tree_store *store, uint64_t version)
{
    struct vs_tree_view view = tree_store_view(store, version);
    check(store, &view, store->version[version].fingerprint);
}

void tree_store_check_edit(struct tree_store *store)
{
    struct vs_tree_view view = vs_tree_edit_view(&store->edit);
    check(store, &view, store->edit.fingerprint);
}
