/*
 * forged_store.c - finding a page's descriptors, and keeping the two copies of them alike.
 */
#include "forged_store.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/descriptor.h"
#include "format/layout.h"
#include "fuzz/store_repair.h"

enum { KIND_AT = 20 /* in a descriptor */ };

static uint8_t *descriptor_of(const struct forged_store *store, vs_page_no page, unsigned copy)
{
    uint64_t at = vs_layout_block_at(store->page_size, page / VS_BLOCK_PAGES, copy) +
                  (uint64_t)page % VS_BLOCK_PAGES * VS_DESCRIPTOR_SIZE;
    return at + VS_DESCRIPTOR_SIZE <= store->size ? store->file + at : NULL;
}

static unsigned kind_of(const uint8_t *descriptor)
{
    return vs_get_le32(descriptor + KIND_AT);
}

static bool is_in_use(const uint8_t *descriptor)
{
    unsigned kind = kind_of(descriptor) & ~(unsigned)VS_CLOCK_HISTORY;
    return kind == VS_KIND_LEAF || kind == VS_KIND_BRANCH || kind == VS_KIND_RUN;
}

bool forged_store_uses(const struct forged_store *store, vs_page_no page)
{
    bool is_used = false;
    for (unsigned copy = 0; copy < 2 && !vs_layout_is_reserved(store->page_size, page); copy++) {
        const uint8_t *descriptor = descriptor_of(store, page, copy);
        is_used = is_used || (descriptor != NULL && is_in_use(descriptor));
    }
    return is_used;
}

static bool is_of_versions(const uint8_t *descriptor)
{
    return kind_of(descriptor) == VS_KIND_LEAF || kind_of(descriptor) == VS_KIND_BRANCH;
}

/* Has the page, as this copy of the table describes it, been changed? */
static bool change_copy(struct forged_store *store, vs_page_no page, uint8_t *descriptor,
                        forged_change *change)
{
    static uint8_t before[VS_PAGE_SIZE_MAX];
    uint8_t described[VS_DESCRIPTOR_SIZE];
    uint8_t *bytes = store->file + (size_t)page * store->page_size;
    memcpy(before, bytes, store->page_size);
    memcpy(described, descriptor, sizeof described);
    change(&(struct forged_page){bytes, descriptor, store->page_size, page, store->first_leaf});
    return memcmp(described, descriptor, sizeof described) != 0 ||
           memcmp(before, bytes, store->page_size) != 0;
}

static bool change_page(struct forged_store *store, vs_page_no page, forged_change *change,
                        bool (*is_meant)(const uint8_t *descriptor))
{
    static uint8_t before[VS_PAGE_SIZE_MAX];
    uint8_t *bytes = store->file + (size_t)page * store->page_size;
    bool changed = false;
    memcpy(before, bytes, store->page_size);
    for (unsigned copy = 0; copy < 2 && !vs_layout_is_reserved(store->page_size, page); copy++) {
        uint8_t *descriptor = descriptor_of(store, page, copy);
        if (descriptor != NULL && is_meant(descriptor)) {
            memcpy(bytes, before, store->page_size); /* else it would be changed twice */
            changed = change_copy(store, page, descriptor, change) || changed;
        }
    }
    return changed;
}

bool forged_store_change(struct forged_store *store, vs_page_no page, forged_change *change)
{
    return change_page(store, page, change, is_in_use);
}

void forged_store_change_all(struct forged_store *store, forged_change *change)
{
    for (vs_page_no page = 1; page < store->size / store->page_size; page++) {
        (void)change_page(store, page, change, is_of_versions);
    }
}

void forged_store_put(struct forged_store *store, struct simulated_disk *disk, const char *path)
{
    store_repair(store->file, store->size);
    simulated_disk_put(disk, path, store->file, store->size);
}

static bool is_leaf(const struct forged_store *store, vs_page_no page)
{
    const uint8_t *one = descriptor_of(store, page, 0);
    const uint8_t *other = descriptor_of(store, page, 1);
    return !vs_layout_is_reserved(store->page_size, page) &&
           ((one != NULL && kind_of(one) == VS_KIND_LEAF) ||
            (other != NULL && kind_of(other) == VS_KIND_LEAF));
}

struct forged_store forged_store_take(struct simulated_disk *disk, const char *path)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, path, &size);
    struct forged_store store = {.file = malloc((size_t)size), .size = (size_t)size};
    cr_assert_not_null(store.file);
    memcpy(store.file, bytes, store.size);
    store.page_size = store_page_size(store.file, store.size);
    store.first_leaf = 1;
    while (store.first_leaf < store.size / store.page_size && !is_leaf(&store, store.first_leaf)) {
        store.first_leaf++;
    }
    return store;
}

void forged_store_clear(struct forged_store *store)
{
    free(store->file);
    store->file = NULL;
}
