/*
 * page_table_freeze.c - what a checkpoint asks of the page table: the changed blocks as they were
 * at the freeze, whatever the writer does to them meanwhile, and their way back to the mapping.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "os/turns.h"
#include "store/page_table.h"

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

void vs_page_table_freeze(struct vs_page_table *table, uint32_t **blocks, uint64_t **entries,
                          size_t *count)
{
    vs_lock_take(&table->freeze_lock);
    assert(!table->freezing);
    table->freezing = true;
    table->interval++;
    vs_lock_release(&table->freeze_lock);
    *blocks = table->changed;
    *count = table->changed_count;
    if (entries != NULL) {
        *entries = table->entries;
    } else {
        free(table->entries);
    }
    table->changed = NULL;
    table->entries = NULL;
    table->changed_count = 0;
    table->changed_capacity = 0;
    if (*count > 0) {
        qsort(*blocks, *count, sizeof **blocks, by_number);
    }
}

void vs_page_table_unfreeze(struct vs_page_table *table, uint32_t *blocks, uint64_t *entries,
                            size_t count)
{
    vs_lock_take(&table->freeze_lock);
    assert(table->freezing && table->changed_count == 0);
    table->freezing = false;
    table->interval--;
    vs_lock_release(&table->freeze_lock);
    table->changed = blocks;
    table->entries = entries;
    table->changed_count = count;
    table->changed_capacity = count;
}

static uint8_t *live_bytes(const struct vs_page_table *table, uint32_t number)
{
    uint32_t where = atomic_load_explicit(&table->block[number].where, memory_order_relaxed);
    assert(where >= VS_BLOCK_MEMORY); /* a changed block stays until its checkpoint is over */
    return vs_block_pool_bytes(&table->pool, where - VS_BLOCK_MEMORY);
}

void vs_page_table_take(struct vs_page_table *table, uint32_t number, uint8_t *bytes)
{
    struct vs_block *block = &table->block[number];
    vs_lock_take(&table->freeze_lock);
    if (block->aside != 0) {
        memcpy(bytes, vs_block_pool_bytes(&table->pool, block->aside), VS_PART_BYTES);
        vs_block_pool_return(&table->pool, block->aside);
        block->aside = 0;
    } else {
        memcpy(bytes, live_bytes(table, number), VS_PART_BYTES);
    }
    block->written_in = table->interval - 1;
    vs_lock_release(&table->freeze_lock);
}

void vs_page_table_set_crc(struct vs_page_table *table, vs_page_no page, uint32_t crc)
{
    uint8_t *bytes = live_bytes(table, page / VS_BLOCK_PAGES);
    struct vs_descriptor *descriptor =
        (struct vs_descriptor *)(void *)bytes + page % VS_BLOCK_PAGES;
    /* nobody else writes this word while the page is kept, and the checkpoint keeps it */
    vs_descriptor_set(descriptor, VS_WORD_KIND, vs_kind_word(vs_descriptor_kind(descriptor), crc));
}

verso_err vs_page_table_directory(struct vs_page_table *table, uint32_t directory,
                                  uint64_t *entries)
{
    const struct vs_descriptor *unused;
    verso_err err = vs_page_table_get(table, directory * (vs_page_no)VS_DIRECTORY_PAGES, &unused);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        entries[i] = atomic_load_explicit(
            &table->entry[(size_t)directory * VS_DIRECTORY_ENTRIES + i], memory_order_relaxed);
    }
    return VERSO_OK;
}

verso_err vs_page_table_top(struct vs_page_table *table, uint32_t top, uint64_t *entries)
{
    const struct vs_descriptor *unused;
    verso_err err = vs_page_table_get(table, top * (vs_page_no)VS_TOP_PAGES, &unused);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        entries[i] = atomic_load_explicit(
            &table->directory_entry[(size_t)top * VS_DIRECTORY_ENTRIES + i], memory_order_relaxed);
    }
    return VERSO_OK;
}

void vs_page_table_set_directory_entry(struct vs_page_table *table, uint32_t directory,
                                       uint64_t entry)
{
    atomic_store_explicit(&table->directory_entry[directory], entry, memory_order_release);
}

void vs_page_table_set_entry(struct vs_page_table *table, uint32_t block, uint64_t entry)
{
    atomic_store_explicit(&table->entry[block], entry, memory_order_release);
}

static verso_err make_limbo_room_locked(struct vs_page_table *table, size_t more)
{
    if (table->limbo_count + more <= table->limbo_capacity) {
        return VERSO_OK;
    }
    size_t capacity = table->limbo_count + more;
    struct vs_block_limbo *grown = realloc(table->limbo, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the page table");
    }
    table->limbo = grown;
    table->limbo_capacity = capacity;
    return VERSO_OK;
}

verso_err vs_page_table_forget(struct vs_page_table *table, uint32_t first, uint32_t end,
                               uint64_t epoch)
{
    verso_err err = vs_page_table_reserve_changed(table, end - first);
    if (err != VERSO_OK) {
        return err;
    }
    vs_lock_take(&table->freeze_lock);
    err = make_limbo_room_locked(table, end - first);
    for (uint32_t number = first; number < end && err == VERSO_OK; number++) {
        struct vs_block *block = &table->block[number];
        uint32_t where = atomic_load_explicit(&block->where, memory_order_relaxed);
        if (block->changed_in != table->interval) {
            table->changed[table->changed_count++] = number;
            block->changed_in = table->interval;
        }
        if (where >= VS_BLOCK_MEMORY) {
            table->limbo[table->limbo_count++] =
                (struct vs_block_limbo){epoch, where - VS_BLOCK_MEMORY};
        }
        atomic_store_explicit(&block->where, VS_BLOCK_EMPTY, memory_order_release);
    }
    vs_lock_release(&table->freeze_lock);
    return err;
}

/* A block that is on disk as it stands in memory goes back to the mapping. */
static void move_back_locked(struct vs_page_table *table, uint32_t number, uint64_t epoch)
{
    struct vs_block *block = &table->block[number];
    uint32_t where = atomic_load_explicit(&block->where, memory_order_relaxed);
    uint64_t entry = atomic_load_explicit(&table->entry[number], memory_order_relaxed);
    vs_turn(VS_POINT_MOVE_BLOCK_BACK);
    table->limbo[table->limbo_count++] = (struct vs_block_limbo){epoch, where - VS_BLOCK_MEMORY};
    atomic_store_explicit(&block->where, VS_BLOCK_COPY_A + vs_entry_copy(entry),
                          memory_order_release);
}

void vs_page_table_thaw(struct vs_page_table *table, const uint32_t *blocks, size_t count,
                        bool move, uint64_t epoch)
{
    vs_lock_take(&table->freeze_lock);
    if (move && make_limbo_room_locked(table, count) != VERSO_OK) {
        move = false; /* they stay in memory, which is right too */
    }
    for (size_t i = 0; i < count; i++) {
        const struct vs_block *block = &table->block[blocks[i]];
        bool in_memory =
            atomic_load_explicit(&block->where, memory_order_relaxed) >= VS_BLOCK_MEMORY;
        if (move && in_memory && block->changed_in == table->interval - 1) {
            move_back_locked(table, blocks[i], epoch);
        }
    }
    table->freezing = false;
    vs_lock_release(&table->freeze_lock);
}
