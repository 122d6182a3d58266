/*
 * address_space.h - what a store reserves of its process's address space, and how the mapping of
 * its file grows.
 *
 * At open the file is mapped with room to grow. When that is used up, a larger range is mapped
 * beside it and takes its place; the old one goes when nobody can hold an address in it.
 */
#ifndef VERSO_STORE_ADDRESS_SPACE_H
#define VERSO_STORE_ADDRESS_SPACE_H

#include <stdint.h>

#include "verso.h"

struct vs_store;
struct vs_old_mapping; /* one that a larger mapping has replaced */

/** How the file lies in memory. Guarded by the writer lock; readers use vs_pages.map. */
struct vs_mapping {
    uint64_t bytes;             /* of the present one */
    struct vs_old_mapping *old; /* newest first */
};

/**
 * At open: map the file of `file_bytes` bytes, reserve the arena, and what is counted by page.
 * Where the process cannot have the usual room, a small part of what it can have is taken: the host
 * program, the next store and a larger mapping want some too.
 *
 * @retval VERSO_NOMEM  There is not even room for the file as it is.
 */
verso_err vs_store_reserve_for_file(struct vs_store *store, uint64_t file_bytes);

/** The same for a store in memory: the arena is all there is. VERSO_NOMEM. */
verso_err vs_store_reserve_in_memory(struct vs_store *store);

/** Undo either of them, whole or half done. */
void vs_store_release_address_space(struct vs_store *store);

/**
 * Before the file grows to `bytes`: map at least as much of it. Holder of the writer lock.
 *
 * @retval VERSO_NOMEM  The process has no room beside the present mapping; that one stays as it is,
 *                      and so does everything else.
 */
verso_err vs_store_map_at_least(struct vs_store *store, uint64_t bytes);

/** Unmap the replaced mappings that nobody can be reading. Holder of the writer lock, within a
 *  checkpoint and before its freeze. */
void vs_store_drop_old_mappings(struct vs_store *store);

#endif
