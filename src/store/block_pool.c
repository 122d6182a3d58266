/*
 * block_pool.c - a bump pointer and a stack; see block_pool.h.
 */
#include "store/block_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "format/layout.h"
#include "os/fault.h"
#include "os/memory.h"

verso_err vs_block_pool_init(struct vs_block_pool *pool, uint64_t blocks)
{
    *pool = (struct vs_block_pool){.touched = 1};
    pool->size = (size_t)(blocks + 1) * VS_PART_BYTES;
    pool->bytes = vs_memory_reserve(pool->size);
    if (pool->bytes == NULL) {
        return vs_fault(VERSO_NOMEM, "no address space for the page table");
    }
    pool->capacity = (uint32_t)blocks + 1;
    return VERSO_OK;
}

void vs_block_pool_clear(struct vs_block_pool *pool)
{
    free(pool->free);
    vs_memory_release(pool->bytes, pool->size);
    pool->bytes = NULL;
    pool->free = NULL;
}

verso_err vs_block_pool_take(struct vs_block_pool *pool, uint32_t *block)
{
    if (pool->free_count > 0) {
        *block = pool->free[--pool->free_count];
        return VERSO_OK;
    }
    if (pool->touched == pool->capacity) {
        return vs_fault(VERSO_NOMEM, "the page table's address space is used up");
    }
    if (pool->touched == pool->free_capacity || pool->free == NULL) {
        uint32_t capacity = pool->free_capacity == 0 ? 256 : pool->free_capacity * 2;
        uint32_t *grown = realloc(pool->free, (size_t)capacity * sizeof *grown);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the page table");
        }
        pool->free = grown;
        pool->free_capacity = capacity;
    }
    *block = pool->touched++;
    return VERSO_OK;
}

void vs_block_pool_return(struct vs_block_pool *pool, uint32_t block)
{
    assert(block != 0 && block < pool->touched);
    assert(pool->free_count < pool->free_capacity);
    pool->free[pool->free_count++] = block;
}
