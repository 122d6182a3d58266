/*
 * space.c - the bitmap of known free pages; see space.h.
 */
#include "store/space.h"

#include <assert.h>
#include <string.h>

#include "os/fault.h"
#include "os/memory.h"

enum { RUN_SEARCH_BLOCKS = 4096 }; /* bounded work: 1 GiB of 4 KiB pages at 32 KiB of bitmap */

static size_t bitmap_size(const struct vs_space *space)
{
    return ((size_t)space->limit + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES * sizeof(uint64_t);
}

verso_err vs_space_init(struct vs_space *space, size_t page_size, vs_page_no limit)
{
    memset(space, 0, sizeof *space);
    space->page_size = page_size;
    space->limit = limit;
    space->free_bits = vs_memory_reserve(bitmap_size(space));
    if (space->free_bits == NULL) {
        return vs_fault(VERSO_NOMEM, "no address space for the bitmap of free pages");
    }
    return VERSO_OK;
}

void vs_space_clear(struct vs_space *space)
{
    vs_memory_release(space->free_bits, bitmap_size(space));
    space->free_bits = NULL;
}

static uint32_t used_blocks(const struct vs_space *space)
{
    return (uint32_t)((space->high_water + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES);
}

vs_page_no vs_space_take(struct vs_space *space)
{
    if (space->free_count == 0) {
        return 0;
    }
    while (space->free_bits[space->low_block] == 0) {
        space->low_block++;
        assert(space->low_block < used_blocks(space));
    }
    uint64_t *word = &space->free_bits[space->low_block];
    unsigned bit = (unsigned)__builtin_ctzll(*word);
    *word &= *word - 1;
    space->free_count--;
    return space->low_block * VS_BLOCK_PAGES + bit;
}

static void clear_run(struct vs_space *space, uint64_t first, uint32_t count)
{
    for (uint64_t page = first; page < first + count; page++) {
        space->free_bits[page / VS_BLOCK_PAGES] &= ~(UINT64_C(1) << (page % VS_BLOCK_PAGES));
    }
    space->free_count -= count;
}

vs_page_no vs_space_take_run(struct vs_space *space, uint32_t count)
{
    if (count == 1) {
        return vs_space_take(space);
    }
    if (space->free_count < count) {
        return 0;
    }
    uint32_t end = used_blocks(space);
    end = end - space->low_block > RUN_SEARCH_BLOCKS ? space->low_block + RUN_SEARCH_BLOCKS : end;
    uint64_t length = 0;
    for (uint32_t block = space->low_block; block < end; block++) {
        uint64_t word = space->free_bits[block];
        if (word == 0) {
            length = 0;
            continue;
        }
        for (unsigned bit = 0; bit < VS_BLOCK_PAGES; bit++) {
            length = word >> bit & 1 ? length + 1 : 0;
            if (length == count) {
                uint64_t first = (uint64_t)block * VS_BLOCK_PAGES + bit + 1 - count;
                clear_run(space, first, count);
                return (vs_page_no)first;
            }
        }
    }
    return 0;
}

/* Skip fixed parts of the file, which no tree can use. */
static uint64_t next_usable(const struct vs_space *space, uint64_t page)
{
    while (page < space->limit && vs_layout_is_reserved(space->page_size, (vs_page_no)page)) {
        page++;
    }
    return page;
}

static uint32_t usable_run(const struct vs_space *space, uint64_t first, uint32_t count)
{
    uint64_t end = vs_layout_zone_end((vs_page_no)first);
    end = end < space->limit ? end : space->limit;
    uint32_t length = 0;
    while (length < count && first + length < end &&
           !vs_layout_is_reserved(space->page_size, (vs_page_no)(first + length))) {
        length++;
    }
    return length;
}

uint64_t vs_space_needed(const struct vs_space *space, uint32_t count)
{
    uint64_t first = next_usable(space, space->high_water);
    if (first >= space->limit) {
        return first;
    }
    return first + usable_run(space, first, count);
}

uint32_t vs_space_take_fresh(struct vs_space *space, uint32_t count, vs_page_no *first)
{
    uint64_t page = next_usable(space, space->high_water);
    if (page >= space->limit) {
        return 0;
    }
    uint32_t length = usable_run(space, page, count);
    *first = (vs_page_no)page;
    space->high_water = page + length;
    return length;
}

void vs_space_give(struct vs_space *space, vs_page_no page)
{
    uint32_t block = page / VS_BLOCK_PAGES;
    uint64_t bit = UINT64_C(1) << (page % VS_BLOCK_PAGES);
    assert((space->free_bits[block] & bit) == 0);
    space->free_bits[block] |= bit;
    space->free_count++;
    if (block < space->low_block) {
        space->low_block = block;
    }
}

void vs_space_cut(struct vs_space *space, uint64_t page)
{
    assert(page % VS_BLOCK_PAGES == 0 && page <= space->high_water);
    for (uint32_t block = (uint32_t)(page / VS_BLOCK_PAGES); block < used_blocks(space); block++) {
        space->free_count -= (uint64_t)__builtin_popcountll(space->free_bits[block]);
        space->free_bits[block] = 0;
    }
    space->high_water = page;
}
