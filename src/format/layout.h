/*
 * layout.h - where the fixed parts of a store file lie: metas, table blocks, directory pages.
 *
 * Pages are grouped in blocks of 64 (one table block of 64 descriptors describes them), blocks in
 * zones. Zone 0 is pages [0, 64); then zones double: [64, 128), [128, 256) ... up to 16,384 pages,
 * and stay at that size. A zone begins with its table region, so that the rest of it is one run of
 * pages:
 *
 *     zone   +---------+---------+---------+---------+---------+---------+-----+----------------+
 *            | meta A  | top  A,B| dir. A,B| block A | block B | block A | ... | pages          |
 *            +---------+---------+---------+---------+---------+---------+-----+----------------+
 *              zone 0    every     every     4 KiB     4 KiB each, two copies a block
 *              only      2^24 pp.  32,768 pp.
 *
 * All fixed parts are 4 KiB, whatever the page size. The second meta is at byte 65,536; a table
 * region that would begin there begins 4 KiB later.
 */
#ifndef VERSO_FORMAT_LAYOUT_H
#define VERSO_FORMAT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "format/page.h"

enum {
    VS_PART_BYTES = 4096,       /* a meta, a table block, a directory page */
    VS_META_B_AT = 65536,       /* byte offset of the second meta; the first is at 0 */
    VS_BLOCK_PAGES = 64,        /* descriptors a block */
    VS_DIRECTORY_ENTRIES = 512, /* of 8 bytes, in directory pages and top pages */
    VS_DIRECTORY_PAGES = VS_BLOCK_PAGES * VS_DIRECTORY_ENTRIES, /* 32,768 pages a directory page */
    VS_TOP_PAGES = VS_DIRECTORY_PAGES * VS_DIRECTORY_ENTRIES,   /* 2^24 pages a top page */
    VS_TOPS_MAX = 256, /* top pages for 2^32 pages; their entries stand in the meta */
    VS_ZONE_PAGES_MAX = 16384,
};

/** Byte offset of copy 0 or 1 of the table block that describes pages [64 * block, 64 * block +
 * 64). */
uint64_t vs_layout_block_at(size_t page_size, uint32_t block, unsigned copy);
/** Of the directory page for blocks [512 * directory, ...). */
uint64_t vs_layout_directory_at(size_t page_size, uint32_t directory, unsigned copy);
/** Of the top page for directory pages [512 * top, ...). */
uint64_t vs_layout_top_at(size_t page_size, uint32_t top, unsigned copy);

/** Does the page hold a fixed part, so that it can hold nothing else? */
bool vs_layout_is_reserved(size_t page_size, vs_page_no page);

/** First page of the next zone. */
uint64_t vs_layout_zone_end(vs_page_no page);

#endif
