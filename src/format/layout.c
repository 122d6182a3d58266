/*
 * layout.c - places computed from page numbers; see layout.h for the drawing.
 */
#include "format/layout.h"

struct zone {
    uint64_t first; /* page */
    uint64_t pages;
};

static struct zone zone_of(vs_page_no page)
{
    if (page < VS_BLOCK_PAGES) {
        return (struct zone){0, VS_BLOCK_PAGES};
    }
    if (page >= VS_ZONE_PAGES_MAX) {
        return (struct zone){page - page % VS_ZONE_PAGES_MAX, VS_ZONE_PAGES_MAX};
    }
    uint64_t first = UINT64_C(1) << (31 - __builtin_clz(page));
    return (struct zone){first, first};
}

/* First byte of the zone's table region. */
static uint64_t region_at(size_t page_size, struct zone zone)
{
    uint64_t at = zone.first * page_size;
    if (at == 0 || at == VS_META_B_AT) {
        at += VS_PART_BYTES; /* behind a meta */
    }
    return at;
}

/* Bytes of top and directory pages that stand before the region's blocks. */
static uint64_t upper_bytes(struct zone zone)
{
    uint64_t bytes = 0;
    if (zone.first % VS_TOP_PAGES == 0) {
        bytes += 2 * VS_PART_BYTES;
    }
    if (zone.first % VS_DIRECTORY_PAGES == 0) {
        bytes += 2 * VS_PART_BYTES;
    }
    return bytes;
}

uint64_t vs_layout_block_at(size_t page_size, uint32_t block, unsigned copy)
{
    struct zone zone = zone_of(block * VS_BLOCK_PAGES);
    uint64_t index = block - zone.first / VS_BLOCK_PAGES;
    return region_at(page_size, zone) + upper_bytes(zone) + (2 * index + copy) * VS_PART_BYTES;
}

uint64_t vs_layout_directory_at(size_t page_size, uint32_t directory, unsigned copy)
{
    struct zone zone = zone_of(directory * VS_DIRECTORY_PAGES);
    uint64_t before = zone.first % VS_TOP_PAGES == 0 ? 2 * VS_PART_BYTES : 0;
    return region_at(page_size, zone) + before + (uint64_t)copy * VS_PART_BYTES;
}

uint64_t vs_layout_top_at(size_t page_size, uint32_t top, unsigned copy)
{
    struct zone zone = zone_of(top * VS_TOP_PAGES);
    return region_at(page_size, zone) + (uint64_t)copy * VS_PART_BYTES;
}

static bool overlaps(size_t page_size, vs_page_no page, uint64_t from, uint64_t to)
{
    uint64_t at = (uint64_t)page * page_size;
    return at < to && at + page_size > from;
}

bool vs_layout_is_reserved(size_t page_size, vs_page_no page)
{
    struct zone zone = zone_of(page);
    uint64_t from = region_at(page_size, zone);
    uint64_t to = from + upper_bytes(zone) + zone.pages / VS_BLOCK_PAGES * 2 * VS_PART_BYTES;
    return overlaps(page_size, page, from, to) || overlaps(page_size, page, 0, VS_PART_BYTES) ||
           overlaps(page_size, page, VS_META_B_AT, VS_META_B_AT + VS_PART_BYTES);
}

uint64_t vs_layout_zone_end(vs_page_no page)
{
    struct zone zone = zone_of(page);
    return zone.first + zone.pages;
}
