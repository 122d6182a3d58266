/*
 * page.h - what every page of the store has in common: numbers, kinds, the header's first bytes.
 *
 *      0      1       2        4        8                16
 *      +------+-------+--------+--------+----------------+----
 *      | kind | level | count  | (own)  | birth          | ...
 *      +------+-------+--------+--------+----------------+----
 * kind 1 leaf (level 0), 2 branch (level 1 and up; children are one level lower). `birth` is the
 * version (in history trees: the generation) whose transaction made the page: the writer's test
 * "is it mine?" needs no look at the page's descriptor. Value runs have no header.
 */
#ifndef VERSO_FORMAT_PAGE_H
#define VERSO_FORMAT_PAGE_H

#include <stdint.h>

#include "format/byte_order.h"

typedef uint32_t vs_page_no; /* pages from the start of the file; 0 is never a tree's */

enum {
    VS_PAGE_SIZE_MIN = 512,
    VS_PAGE_SIZE_MAX = 65536,
    VS_PAGE_SIZE_DEFAULT = 4096,
    VS_TREE_DEPTH_MAX = 32, /* 512-byte pages: far beyond 2^32 pages at the least fan-out */
};

/** Kinds of page: in headers (leaf, branch) and descriptors (all). */
enum vs_page_kind {
    VS_KIND_NONE = 0,
    VS_KIND_LEAF = 1,
    VS_KIND_BRANCH = 2,
    VS_KIND_RUN = 3, /* part of a long value */
};

static inline unsigned vs_page_kind(const uint8_t *page)
{
    return page[0];
}

static inline unsigned vs_page_level(const uint8_t *page)
{
    return page[1];
}

/** Cells of a leaf, children of a branch. */
static inline unsigned vs_page_count(const uint8_t *page)
{
    return vs_get_le16(page + 2);
}

static inline uint64_t vs_page_birth(const uint8_t *page)
{
    return vs_get_le64(page + 8);
}

static inline void vs_page_set_birth(uint8_t *page, uint64_t birth)
{
    vs_put_le64(page + 8, birth);
}

#endif
