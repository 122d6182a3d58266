/*
 * page_table.h - the descriptors of all pages: where each block of 64 lies, and which copy counts.
 *
 * A block that nobody changed since open is read where it lies in the mapping, in the copy that its
 * directory entry names, after its CRC was checked once. The writer's first change moves it to a
 * block in memory. A checkpoint freezes the changed blocks by their interval number; before the
 * writer first changes a frozen block that is not yet written, the frozen bytes are saved aside for
 * the checkpoint.
 *
 * Where a block lies is one word, read anew in each call. Blocks that a checkpoint has written go
 * back to the mapping; their memory waits until no reader of an earlier location epoch is left.
 *
 * Threads: reading by any; changing by the holder of the writer lock; freezing as each call says.
 */
#ifndef VERSO_STORE_PAGE_TABLE_H
#define VERSO_STORE_PAGE_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/descriptor.h"
#include "format/meta.h"
#include "os/lock.h"
#include "store/block_pool.h"
#include "store/reader_slots.h"
#include "verso.h"

/** One block's whereabouts. */
struct vs_block {
    /* see enum vs_block_where. Stored with release, under freeze_lock, or from "unknown" by whoever
       verified the block; acquired by readers, who else might see a block's memory before its bytes.
       Who holds freeze_lock looks relaxed. Memory that it has led to waits in limbo:
       reader_slots.h, P2 */
    _Atomic uint32_t where;
    uint32_t changed_in; /* the interval of its last change; guarded by freeze_lock */
    uint32_t written_in; /* whose checkpoint has taken it; guarded by freeze_lock */
    uint32_t aside;      /* memory block of the frozen bytes, or 0; guarded by freeze_lock */
};

enum vs_block_where {
    VS_BLOCK_UNKNOWN = 0, /* as its directory entry says; not verified yet */
    VS_BLOCK_COPY_A = 1,  /* in the mapping, verified */
    VS_BLOCK_COPY_B = 2,
    VS_BLOCK_EMPTY = 3,  /* never written: all its pages are free */
    VS_BLOCK_MEMORY = 4, /* this and more: memory block where - VS_BLOCK_MEMORY */
};

/** Memory blocks on their way back to the pool. */
struct vs_block_limbo {
    uint64_t epoch;
    uint32_t block;
};

struct vs_page_table {
    _Atomic(const uint8_t *) map; /* the store file, as in vs_pages, and in the same orders */
    struct vs_file *guard;        /* as in vs_pages; constant after open */
    size_t page_size;
    uint32_t blocks;           /* that can be */
    uint64_t blocks_at_open;   /* none beyond was written before */
    uint64_t pages_at_open;    /* no page from there on is in use */
    uint64_t versions_at_open; /* no page on disk was born after, as after the next */
    uint64_t generations_at_open;
    /* nothing beyond may be touched in the mapping. Stored with release when the file has grown or
       was cut, by the holder of the writer lock, who looks relaxed; acquired before the mapping's
       address is loaded: address_space.c, M1 */
    _Atomic uint64_t file_bytes;

    struct vs_block *block;
    /* entries of each block, valid where its directory page is loaded, and of each directory page,
       valid where its top page is. Filled relaxed under load_lock, published by the `loaded` flags
       (release; acquire in load_directory(), without which an entry might be missed); then changed
       with release by the checkpoint alone, when metas name others. It looks relaxed */
    _Atomic uint64_t *entry;
    _Atomic uint64_t *directory_entry;
    _Atomic uint8_t *directory_loaded; /* a byte a directory page */
    _Atomic uint8_t top_loaded[VS_TOPS_MAX];
    uint64_t top[VS_TOPS_MAX]; /* entries from the meta; guarded by load_lock */
    struct vs_lock load_lock;  /* loading of directory and top pages */

    struct vs_lock freeze_lock;
    struct vs_block_pool pool;    /* guarded by freeze_lock */
    struct vs_block_limbo *limbo; /* guarded by freeze_lock */
    size_t limbo_count;
    size_t limbo_capacity;
    const struct vs_reader_slots *readers;

    uint32_t interval; /* counts freezes since open; changed under the writer lock */
    bool freezing;     /* a checkpoint is at work; guarded by freeze_lock */
    uint32_t *changed; /* blocks changed in this interval; the writer's */
    uint64_t *entries; /* as much room, for what the checkpoint will enter for them */
    size_t changed_count;
    size_t changed_capacity;
};

/** `map` may be NULL (in-memory store: every block is empty until changed). */
verso_err vs_page_table_init(struct vs_page_table *table, const uint8_t *map, size_t page_size,
                             vs_page_no pages, const struct vs_reader_slots *readers);
void vs_page_table_clear(struct vs_page_table *table);

/** Pages from `high_water` on were never used, as the meta at open says: an entry that describes
 *  them is damage. Before the first look. */
void vs_page_table_set_high_water(struct vs_page_table *table, uint64_t high_water);

/** The newest version and generation that the meta at open names: a page on disk that claims to be
 *  born later is damage. It would pass for one of a transaction to come, which changes its own pages
 *  in place. Before the first look. */
void vs_page_table_set_newest(struct vs_page_table *table, uint64_t version, uint64_t generation);

/** Set the top entries that a meta names; nothing else was loaded yet. */
void vs_page_table_set_top(struct vs_page_table *table, const uint64_t *top);

/** The descriptor of a page; good for this moment only, look anew in each call. VERSO_CORRUPT: the
 *  table is damaged there, or there is no such page. */
verso_err vs_page_table_get(struct vs_page_table *table, vs_page_no page,
                            const struct vs_descriptor **descriptor);

/** The same for the writer, to be changed. VERSO_NOMEM, VERSO_CORRUPT. */
verso_err vs_page_table_change(struct vs_page_table *table, vs_page_no page,
                               struct vs_descriptor **descriptor);

/** Room for `more` entries in the list of changed blocks. For this module's two files.
 * VERSO_NOMEM. */
verso_err vs_page_table_reserve_changed(struct vs_page_table *table, size_t more);

/** Does the block exist at all (false: no page of it was ever used)? */
verso_err vs_page_table_is_empty(struct vs_page_table *table, uint32_t block, bool *empty);

/* ---- for the checkpoint ---- */

/** Blocks [first, end) describe no page any more: they become empty, and count as changed so that
 *  the coming freeze hands them out. Holder of the writer lock. VERSO_NOMEM: nothing was done. */
verso_err vs_page_table_forget(struct vs_page_table *table, uint32_t first, uint32_t end,
                               uint64_t epoch);

/**
 * Freeze what has changed. Holder of the writer lock.
 *
 * @param[out] blocks   Their numbers, sorted; taken over by the caller, who frees it.
 * @param[out] entries  Room for an entry each, not filled, freed likewise; may be NULL.
 */
void vs_page_table_freeze(struct vs_page_table *table, uint32_t **blocks, uint64_t **entries,
                          size_t *count);

/**
 * The checkpoint of a commit has failed, and no other will come: what was frozen counts as changed
 * since before it again, so that taking the transaction back needs no memory. Holder of the writer
 * lock since the freeze; the lists are the table's again.
 */
void vs_page_table_unfreeze(struct vs_page_table *table, uint32_t *blocks, uint64_t *entries,
                            size_t count);

/** Copy a frozen block's bytes; from then on the writer may change it freely. */
void vs_page_table_take(struct vs_page_table *table, uint32_t block, uint8_t *bytes);

/** Set a page's CRC in the live table, after vs_page_table_take() of its block. */
void vs_page_table_set_crc(struct vs_page_table *table, vs_page_no page, uint32_t crc);

/** Load what is needed and hand out the 512 entries of a directory page or a top page. */
verso_err vs_page_table_directory(struct vs_page_table *table, uint32_t directory,
                                  uint64_t *entries);
verso_err vs_page_table_top(struct vs_page_table *table, uint32_t top, uint64_t *entries);

/** A directory page's entry and a block's entry, once the metas name them. */
void vs_page_table_set_directory_entry(struct vs_page_table *table, uint32_t directory,
                                       uint64_t entry);
void vs_page_table_set_entry(struct vs_page_table *table, uint32_t block, uint64_t entry);

/** The checkpoint is over, its entries are set: blocks not changed since go back to the mapping
 *  where `move`; `epoch` is the location epoch that follows. */
void vs_page_table_thaw(struct vs_page_table *table, const uint32_t *blocks, size_t count,
                        bool move, uint64_t epoch);

#endif
