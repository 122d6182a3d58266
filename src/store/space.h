/*
 * space.h - page numbers: which are known to be free, and the growth of the file.
 *
 * A page is free if no kept version lies in its life span; the bitmap only remembers which pages
 * were found so. Numbers are handed out block by block, lowest first, so that the descriptors of
 * new pages share few table blocks and the tail of the file empties by itself.
 *
 * Threads: the holder of the writer lock.
 */
#ifndef VERSO_STORE_SPACE_H
#define VERSO_STORE_SPACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/layout.h"
#include "verso.h"

struct vs_space {
    size_t page_size;
    vs_page_no limit;    /* page numbers from here on cannot be */
    uint64_t *free_bits; /* a word a block */
    uint64_t free_count;
    uint32_t low_block;     /* no free page in blocks below */
    uint64_t high_water;    /* first page never used */
    uint64_t file_pages;    /* that the file has room for, without the reserve */
    uint64_t reserve_pages; /* behind them; see file_size.c */
    uint64_t reserve_owed;  /* missing of it: so many free pages make up for that */
};

verso_err vs_space_init(struct vs_space *space, size_t page_size, vs_page_no limit);
void vs_space_clear(struct vs_space *space);

/** Take a known free page. @return 0 if there is none. */
vs_page_no vs_space_take(struct vs_space *space);

/** Take `count` known free pages in a row, looking at a bounded number of blocks. @return 0 if
 * none. */
vs_page_no vs_space_take_run(struct vs_space *space, uint32_t count);

/**
 * Take up to `count` pages never used, in a row: as many as the zone has. Only pages that hold
 * fixed parts are skipped on the way. The file must be grown to cover them before (see
 * vs_space_needed()).
 * @param[out] first  @return How many; 0: the limit is reached.
 */
uint32_t vs_space_take_fresh(struct vs_space *space, uint32_t count, vs_page_no *first);

/** File length in pages that vs_space_take_fresh(count) may need. */
uint64_t vs_space_needed(const struct vs_space *space, uint32_t count);

/** The page is free from now on. */
void vs_space_give(struct vs_space *space, vs_page_no page);

/** Pages from `page` (the first of a block) on, all free or fixed, were never used after all. */
void vs_space_cut(struct vs_space *space, uint64_t page);

/** Is it known to be free? */
static inline bool vs_space_is_free(const struct vs_space *space, vs_page_no page)
{
    return space->free_bits[page / VS_BLOCK_PAGES] >> (page % VS_BLOCK_PAGES) & 1;
}

#endif
