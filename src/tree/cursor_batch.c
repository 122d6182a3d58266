/*
 * cursor_batch.c - many entries in one call, decoded leaf by leaf.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "tree/cursor_place.h"
#include "tree/value.h"

enum { KEY_BLOCK_SIZE = 65536 }; /* bytes; longer than any key */

struct vs_key_block {
    struct vs_key_block *next;
    uint8_t bytes[KEY_BLOCK_SIZE];
};

void vs_key_pool_clear(struct vs_key_pool *pool)
{
    while (pool->blocks != NULL) {
        struct vs_key_block *block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
    pool->block = NULL;
}

/** Room for a key of `size` bytes; NULL when out of memory. */
static inline uint8_t *pool_room(struct vs_key_pool *pool, size_t size)
{
    if (pool->block != NULL && KEY_BLOCK_SIZE - pool->used >= size) {
        return pool->block->bytes + pool->used;
    }
    struct vs_key_block **link = pool->block != NULL ? &pool->block->next : &pool->blocks;
    if (*link == NULL) {
        *link = malloc(sizeof **link);
        if (*link == NULL) {
            return NULL;
        }
        (*link)->next = NULL;
    }
    pool->block = *link;
    pool->used = 0;
    return pool->block->bytes;
}

/** A batch being filled. */
struct batch {
    verso_entry *entries;
    size_t capacity;
    size_t count;
    bool has_to;
    bool to_inclusive;
    verso_slice to;
};

/** The first cell of the leaf that is beyond the bound; its count if none is. */
static unsigned end_in_leaf(const struct vs_tree_cursor *cursor, const struct batch *batch)
{
    if (!batch->has_to || vs_leaf_compare(cursor->bytes, cursor->count - 1, batch->to) < 0) {
        return cursor->count;
    }
    unsigned end = 0;
    bool found = vs_leaf_find(cursor->bytes, batch->to, &end);
    return end + (found && batch->to_inclusive);
}

/** Take the cells [from, end) of the leaf. Afterwards the cursor stands on the last one taken. */
static verso_err take_cells(struct vs_tree_cursor *cursor, unsigned from, unsigned end,
                            struct batch *batch)
{
    const uint8_t *bytes = cursor->bytes;
    vs_page_no leaf = cursor->path.level[0].page;
    uint8_t *prefix = cursor->key;
    size_t prefix_size = vs_leaf_prefix(bytes, prefix);
    for (unsigned i = from; i < end; i++) {
        uint8_t *key = pool_room(&cursor->pool, vs_leaf_key_size(bytes, i));
        if (key == NULL) {
            return vs_fault_text(VERSO_NOMEM, "no memory for the keys of a batch");
        }
        memcpy(key, prefix, prefix_size);
        vs_cursor_ask_on(cursor);
        struct vs_payload payload;
        size_t size = vs_leaf_entry(bytes, i, key, &payload);
        cursor->pool.used += size;
        verso_entry *entry = &batch->entries[batch->count];
        entry->key = (verso_slice){key, size};
        entry->value = (verso_slice){payload.bytes, payload.size};
        if (payload.is_run) {
            struct vs_tree_value value;
            verso_err err = vs_value_of(cursor->view.pages, leaf, payload, &value);
            if (err != VERSO_OK) {
                return err;
            }
            entry->value = value.slice;
        }
        batch->count++;
    }
    struct vs_payload payload;
    cursor->index = end - 1;
    cursor->key_size = vs_leaf_entry(bytes, cursor->index, cursor->key, &payload);
    cursor->place = PLACE_ON;
    return VERSO_OK;
}

/** Stand just before cell `index` of the leaf: the first one beyond the bound. */
static void stand_before(struct vs_tree_cursor *cursor, unsigned index)
{
    struct vs_payload payload;
    cursor->key_size = vs_leaf_entry(cursor->bytes, index, cursor->key, &payload);
    cursor->place = PLACE_AHEAD;
}

/** Take what the leaf has from cell `from` on. @param[out] done The bound or the capacity is
 * reached. */
static verso_err take_leaf(struct vs_tree_cursor *cursor, unsigned from, struct batch *batch,
                           bool *done)
{
    unsigned bound = end_in_leaf(cursor, batch);
    unsigned end = bound < from ? from : bound;
    size_t room = batch->capacity - batch->count;
    if (end - from >= room) {
        *done = true;
        return take_cells(cursor, from, from + (unsigned)room, batch);
    }
    *done = bound < cursor->count;
    verso_err err = end > from ? take_cells(cursor, from, end, batch) : VERSO_OK;
    if (err == VERSO_OK && *done) {
        stand_before(cursor, end);
    }
    return err;
}

verso_err vs_tree_cursor_batch(struct vs_tree_cursor *cursor, bool has_to, verso_slice to,
                               bool to_inclusive, verso_entry *entries, size_t capacity,
                               size_t *count)
{
    struct batch batch = {.entries = entries,
                          .capacity = capacity,
                          .has_to = has_to,
                          .to_inclusive = to_inclusive,
                          .to = to};
    *count = 0;
    assert(capacity > 0);
    cursor->pool.block = NULL; /* its blocks are filled anew from the first on */
    cursor->pool.used = 0;
    verso_err err = vs_tree_cursor_next(cursor, NULL);
    unsigned from = cursor->index;
    for (bool done = false; err == VERSO_OK && !done; from = 0) {
        err = take_leaf(cursor, from, &batch, &done);
        if (err != VERSO_OK) {
            return vs_cursor_fail(cursor, err);
        }
        if (!done) {
            err = vs_cursor_next_leaf(cursor);
        }
    }
    if (err != VERSO_OK && err != VERSO_NOT_FOUND) {
        return err;
    }
    *count = batch.count;
    return batch.count == 0 ? VERSO_NOT_FOUND : VERSO_OK;
}
