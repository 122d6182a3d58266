/*
 * page_table.c - finding, verifying and changing descriptors; see page_table.h. What a checkpoint
 * asks of the table stands in page_table_freeze.c.
 */
#include "store/page_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "os/fault.h"
#include "os/memory.h"
#include "os/turns.h"
#include "store/file_guard.h"

static const struct vs_descriptor never_used[VS_BLOCK_PAGES]; /* all zero: free */

static uint32_t directories_of(uint32_t blocks)
{
    return (blocks + VS_DIRECTORY_ENTRIES - 1) / VS_DIRECTORY_ENTRIES;
}

verso_err vs_page_table_init(struct vs_page_table *table, const uint8_t *map, size_t page_size,
                             vs_page_no pages, const struct vs_reader_slots *readers)
{
    memset(table, 0, sizeof *table);
    atomic_store_explicit(&table->map, map, memory_order_release);
    table->page_size = page_size;
    table->blocks = (uint32_t)(((uint64_t)pages + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES);
    table->blocks_at_open = table->blocks;
    table->pages_at_open = UINT64_MAX;
    table->versions_at_open = UINT64_MAX;
    table->generations_at_open = UINT64_MAX;
    table->readers = readers;
    table->interval = 1;
    vs_lock_init(&table->load_lock, VS_LOCK_LOAD);
    vs_lock_init(&table->freeze_lock, VS_LOCK_FREEZE);
    uint32_t directories = directories_of(table->blocks);
    table->block = vs_memory_reserve((size_t)table->blocks * sizeof *table->block);
    table->entry =
        vs_memory_reserve((size_t)directories * VS_DIRECTORY_ENTRIES * sizeof *table->entry);
    table->directory_entry = vs_memory_reserve((size_t)VS_TOPS_MAX * VS_DIRECTORY_ENTRIES *
                                               sizeof *table->directory_entry);
    table->directory_loaded = vs_memory_reserve((size_t)directories);
    /* twice: live blocks and those saved aside or on their way back */
    verso_err err = vs_block_pool_init(&table->pool, 2 * (uint64_t)table->blocks);
    if (err != VERSO_OK || table->block == NULL || table->entry == NULL ||
        table->directory_entry == NULL || table->directory_loaded == NULL) {
        vs_page_table_clear(table);
        return vs_fault(VERSO_NOMEM, "no address space for the page table");
    }
    return VERSO_OK;
}

void vs_page_table_clear(struct vs_page_table *table)
{
    uint32_t directories = directories_of(table->blocks);
    vs_memory_release(table->block, (size_t)table->blocks * sizeof *table->block);
    vs_memory_release(table->entry,
                      (size_t)directories * VS_DIRECTORY_ENTRIES * sizeof *table->entry);
    vs_memory_release(table->directory_entry,
                      (size_t)VS_TOPS_MAX * VS_DIRECTORY_ENTRIES * sizeof *table->directory_entry);
    vs_memory_release(table->directory_loaded, (size_t)directories);
    vs_block_pool_clear(&table->pool);
    free(table->limbo);
    free(table->changed);
    free(table->entries);
    vs_lock_clear(&table->load_lock);
    vs_lock_clear(&table->freeze_lock);
}

void vs_page_table_set_high_water(struct vs_page_table *table, uint64_t high_water)
{
    table->blocks_at_open = (high_water + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES;
    table->pages_at_open = high_water;
}

void vs_page_table_set_newest(struct vs_page_table *table, uint64_t version, uint64_t generation)
{
    table->versions_at_open = version;
    table->generations_at_open = generation;
}

void vs_page_table_set_top(struct vs_page_table *table, const uint64_t *top)
{
    vs_lock_take(&table->load_lock); /* a reader may be loading another top page */
    memcpy(table->top, top, sizeof table->top);
    vs_lock_release(&table->load_lock);
}

/* ---- loading from the mapping ---- */

/* A fixed part of the file, if it agrees with the entry above it. */
static verso_err checked_part(struct vs_page_table *table, uint64_t at, uint64_t entry,
                              const char *what, uint32_t number, const uint8_t **bytes)
{
    uint64_t file_bytes = atomic_load_explicit(
        &table->file_bytes, memory_order_acquire); /* first: see address_space.c, M1 */
    const uint8_t *map = atomic_load_explicit(&table->map, memory_order_relaxed);
    assert(map != NULL); /* in memory there are no entries */
    if (at + VS_PART_BYTES > file_bytes) {
        return vs_fault(VERSO_CORRUPT, "%s %u lies beyond the end of the file", what, number);
    }
    verso_err err = vs_file_guard(table->guard, at, VS_PART_BYTES);
    if (err != VERSO_OK) {
        return err;
    }
    if (vs_crc32c(0, map + at, VS_PART_BYTES) != vs_entry_crc(entry)) {
        return vs_fault(VERSO_CORRUPT, "%s %u (at byte %llu): checksum does not match its entry",
                        what, number, (unsigned long long)at);
    }
    *bytes = map + at;
    return VERSO_OK;
}

static void load_entries(_Atomic uint64_t *entries, const uint8_t *bytes)
{
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        /* relaxed: published by the loaded flag */
        atomic_store_explicit(&entries[i], vs_get_le64(bytes + (size_t)i * 8),
                              memory_order_relaxed);
    }
}

static verso_err load_top_locked(struct vs_page_table *table, uint32_t top)
{
    if (atomic_load_explicit(&table->top_loaded[top], memory_order_relaxed)) {
        return VERSO_OK;
    }
    uint64_t entry = table->top[top];
    if (entry != 0) {
        const uint8_t *bytes = NULL;
        uint64_t at = vs_layout_top_at(table->page_size, top, vs_entry_copy(entry));
        verso_err err = checked_part(table, at, entry, "top page", top, &bytes);
        if (err != VERSO_OK) {
            return err;
        }
        load_entries(table->directory_entry + (size_t)top * VS_DIRECTORY_ENTRIES, bytes);
    }
    atomic_store_explicit(&table->top_loaded[top], 1, memory_order_release);
    return VERSO_OK;
}

static verso_err load_directory_locked(struct vs_page_table *table, uint32_t directory)
{
    if (atomic_load_explicit(&table->directory_loaded[directory], memory_order_relaxed)) {
        return VERSO_OK;
    }
    verso_err err = load_top_locked(table, directory / VS_DIRECTORY_ENTRIES);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t entry = atomic_load_explicit(&table->directory_entry[directory], memory_order_relaxed);
    if (entry != 0) {
        const uint8_t *bytes = NULL;
        uint64_t at = vs_layout_directory_at(table->page_size, directory, vs_entry_copy(entry));
        err = checked_part(table, at, entry, "directory page", directory, &bytes);
        if (err != VERSO_OK) {
            return err;
        }
        load_entries(table->entry + (size_t)directory * VS_DIRECTORY_ENTRIES, bytes);
    }
    /* release: pairs with the acquire in load_directory(); entries come before the flag */
    atomic_store_explicit(&table->directory_loaded[directory], 1, memory_order_release);
    return VERSO_OK;
}

static verso_err load_directory(struct vs_page_table *table, uint32_t directory)
{
    if (atomic_load_explicit(&table->directory_loaded[directory], memory_order_acquire)) {
        return VERSO_OK;
    }
    vs_lock_take(&table->load_lock);
    verso_err err = load_directory_locked(table, directory);
    vs_lock_release(&table->load_lock);
    return err;
}

/* What a page on disk cannot be: born after what the meta names, other than one of an aborted
 * transaction, which died at once; alive from the high-water mark on, where numbers are given out
 * without a look. */
static verso_err check_lives(const struct vs_page_table *table, uint32_t number,
                             const uint8_t *bytes)
{
    uint64_t page = (uint64_t)number * VS_BLOCK_PAGES;
    for (unsigned i = 0; i < VS_BLOCK_PAGES; i++, page++, bytes += VS_DESCRIPTOR_SIZE) {
        uint64_t born = vs_get_le64(bytes + 8 * VS_WORD_BORN);
        uint64_t died = vs_get_le64(bytes + 8 * VS_WORD_DIED);
        uint64_t kind = vs_get_le64(bytes + 8 * VS_WORD_KIND) >> 32;
        uint64_t newest =
            (kind & VS_CLOCK_HISTORY) != 0 ? table->generations_at_open : table->versions_at_open;
        if (born > newest && died != born) {
            return vs_fault(VERSO_CORRUPT, "table block %u: page %llu is born in %llu, after %llu",
                            number, (unsigned long long)page, (unsigned long long)born,
                            (unsigned long long)newest);
        }
        if (died == VS_ALIVE && page >= table->pages_at_open) {
            return vs_fault(VERSO_CORRUPT,
                            "table block %u: page %llu is alive beyond the high-water mark", number,
                            (unsigned long long)page);
        }
    }
    return VERSO_OK;
}

/* First look at a block since open: check the copy that counts. */
static verso_err verify_block(struct vs_page_table *table, uint32_t number)
{
    verso_err err = load_directory(table, number / VS_DIRECTORY_ENTRIES);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_block *block = &table->block[number];
    uint64_t entry = atomic_load_explicit(&table->entry[number], memory_order_acquire);
    uint32_t where = VS_BLOCK_EMPTY;
    if (entry != 0 && number >= table->blocks_at_open) {
        return vs_fault(VERSO_CORRUPT, "table block %u lies beyond the high-water mark", number);
    }
    if (entry != 0) {
        const uint8_t *bytes = NULL;
        unsigned copy = vs_entry_copy(entry);
        vs_turn(VS_POINT_READ_BLOCK);
        err = checked_part(table, vs_layout_block_at(table->page_size, number, copy), entry,
                           "table block", number, &bytes);
        if (err == VERSO_OK) {
            err = check_lives(table, number, bytes);
        }
        if (err != VERSO_OK) {
            /* The copy counts only while nobody has been quicker: a block is moved before a
             * checkpoint gives it another entry and the next one overwrites this copy. */
            bool moved =
                atomic_load_explicit(&block->where, memory_order_acquire) != VS_BLOCK_UNKNOWN;
            return moved ? VERSO_OK : err;
        }
        where = VS_BLOCK_COPY_A + copy;
    }
    uint32_t unknown = VS_BLOCK_UNKNOWN;
    vs_turn(VS_POINT_PLACE_BLOCK);
    /* release: whoever follows the place has a mapping that covers it (address_space.c, M1); if another
     * thread was quicker, the caller looks again */
    atomic_compare_exchange_strong_explicit(&block->where, &unknown, where, memory_order_release,
                                            memory_order_relaxed);
    return VERSO_OK;
}

static const struct vs_descriptor *block_bytes(const struct vs_page_table *table, uint32_t number,
                                               uint32_t where)
{
    if (where >= VS_BLOCK_MEMORY) {
        return (const struct vs_descriptor *)(const void *)vs_block_pool_bytes(
            &table->pool, where - VS_BLOCK_MEMORY);
    }
    if (where == VS_BLOCK_EMPTY) {
        return never_used;
    }
    uint64_t at = vs_layout_block_at(table->page_size, number, where - VS_BLOCK_COPY_A);
    const uint8_t *map = atomic_load_explicit(&table->map, memory_order_relaxed);
    return (const struct vs_descriptor *)(const void *)(map + at);
}

static verso_err locate(struct vs_page_table *table, uint32_t number, uint32_t *where)
{
    assert(number < table->blocks);
    for (;;) {
        /* acquire: pairs with the release that published the block's bytes in memory */
        *where = atomic_load_explicit(&table->block[number].where, memory_order_acquire);
        if (*where != VS_BLOCK_UNKNOWN) {
            return VERSO_OK;
        }
        verso_err err = verify_block(table, number);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

verso_err vs_page_table_get(struct vs_page_table *table, vs_page_no page,
                            const struct vs_descriptor **descriptor)
{
    uint32_t where;
    uint32_t number = page / VS_BLOCK_PAGES;
    if (number >= table->blocks) { /* the number may come from a page, whose word nobody proved */
        return vs_fault(VERSO_CORRUPT, "page %u: no such page", page);
    }
    verso_err err = locate(table, number, &where);
    if (err == VERSO_OK) {
        *descriptor = block_bytes(table, number, where) + page % VS_BLOCK_PAGES;
    }
    return err;
}

verso_err vs_page_table_is_empty(struct vs_page_table *table, uint32_t block, bool *empty)
{
    uint32_t where;
    verso_err err = locate(table, block, &where);
    *empty = where == VS_BLOCK_EMPTY;
    return err;
}

/* ---- changing ---- */

verso_err vs_page_table_reserve_changed(struct vs_page_table *table, size_t more)
{
    if (table->changed_count + more <= table->changed_capacity) {
        return VERSO_OK;
    }
    size_t capacity = table->changed_capacity * 2 + more + 256;
    uint32_t *changed = realloc(table->changed, capacity * sizeof *changed);
    table->changed = changed == NULL ? table->changed : changed;
    uint64_t *entries = realloc(table->entries, capacity * sizeof *entries);
    table->entries = entries == NULL ? table->entries : entries;
    if (changed == NULL || entries == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the list of changed table blocks");
    }
    table->changed_capacity = capacity;
    return VERSO_OK;
}

/* Memory whose readers are all gone. */
static void settle_limbo_locked(struct vs_page_table *table)
{
    if (table->limbo_count == 0) {
        return;
    }
    uint64_t oldest = vs_reader_oldest_epoch(table->readers);
    size_t left = 0;
    for (size_t i = 0; i < table->limbo_count; i++) {
        if (oldest < table->limbo[i].epoch) {
            table->limbo[left++] = table->limbo[i];
        } else {
            vs_block_pool_return(&table->pool, table->limbo[i].block);
        }
    }
    table->limbo_count = left;
}

/* Bring a block into memory, saving a frozen one's bytes for the checkpoint first. */
static verso_err make_changeable_locked(struct vs_page_table *table, uint32_t number)
{
    struct vs_block *block = &table->block[number];
    uint32_t where = atomic_load_explicit(&block->where, memory_order_relaxed);
    uint32_t fresh;
    bool in_memory = where >= VS_BLOCK_MEMORY;
    bool frozen = table->freezing && block->changed_in == table->interval - 1 &&
                  block->written_in != table->interval - 1;
    assert(!frozen || block->aside == 0); /* this is the first change since the freeze */
    if (!in_memory || frozen) {
        if (table->pool.free_count == 0) {
            settle_limbo_locked(table);
        }
        verso_err err = vs_block_pool_take(&table->pool, &fresh);
        if (err != VERSO_OK) {
            return err;
        }
        memcpy(vs_block_pool_bytes(&table->pool, fresh),
               (const void *)block_bytes(table, number, where), VS_PART_BYTES);
        if (in_memory) {
            block->aside = fresh;
        } else {
            vs_turn(VS_POINT_MOVE_BLOCK);
            /* release: the copied bytes come before the word that leads readers to them */
            atomic_store_explicit(&block->where, VS_BLOCK_MEMORY + fresh, memory_order_release);
        }
    }
    block->changed_in = table->interval;
    return VERSO_OK;
}

verso_err vs_page_table_change(struct vs_page_table *table, vs_page_no page,
                               struct vs_descriptor **descriptor)
{
    uint32_t number = page / VS_BLOCK_PAGES;
    uint32_t where;
    struct vs_block *block = &table->block[number];
    if (block->changed_in != table->interval) { /* only the writer writes this word */
        verso_err err = locate(table, number, &where);
        if (err == VERSO_OK) {
            err = vs_page_table_reserve_changed(table, 1);
        }
        if (err != VERSO_OK) {
            return err;
        }
        vs_lock_take(&table->freeze_lock);
        err = make_changeable_locked(table, number);
        vs_lock_release(&table->freeze_lock);
        if (err != VERSO_OK) {
            return err;
        }
        table->changed[table->changed_count++] = number;
    }
    where = atomic_load_explicit(&block->where, memory_order_relaxed);
    assert(where >= VS_BLOCK_MEMORY);
    *descriptor =
        (struct vs_descriptor *)(void *)vs_block_pool_bytes(&table->pool, where - VS_BLOCK_MEMORY) +
        page % VS_BLOCK_PAGES;
    return VERSO_OK;
}
