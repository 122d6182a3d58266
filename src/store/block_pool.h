/*
 * block_pool.h - 4 KiB blocks of memory that never move: the changed blocks of the page table.
 *
 * Threads: the owner's lock.
 */
#ifndef VERSO_STORE_BLOCK_POOL_H
#define VERSO_STORE_BLOCK_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "verso.h"

struct vs_block_pool {
    uint8_t *bytes; /* reserved; block 0 is never used */
    size_t size;
    uint32_t capacity;
    uint32_t touched;
    uint32_t *free; /* a stack, with room for all touched blocks */
    uint32_t free_count;
    uint32_t free_capacity;
};

verso_err vs_block_pool_init(struct vs_block_pool *pool, uint64_t blocks);
void vs_block_pool_clear(struct vs_block_pool *pool);
verso_err vs_block_pool_take(struct vs_block_pool *pool, uint32_t *block);
void vs_block_pool_return(struct vs_block_pool *pool, uint32_t block);

static inline uint8_t *vs_block_pool_bytes(const struct vs_block_pool *pool, uint32_t block)
{
    return pool->bytes + (size_t)block * 4096;
}

#endif
