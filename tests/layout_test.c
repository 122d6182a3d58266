/*
 * layout_test.c - the fixed parts of a store file: apart from each other, inside their zones, few.
 */
#include "format/layout.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { PART = VS_PART_BYTES };

#define FOR_EACH_PAGE_SIZE(size)                                                                   \
    for (size_t size = VS_PAGE_SIZE_MIN; size <= VS_PAGE_SIZE_MAX; size *= 2)

/** Which 4 KiB part of the file is taken by what. */
struct map_of_parts {
    size_t parts;
    uint8_t *taken;
};

static struct map_of_parts map_for(size_t page_size, uint64_t pages)
{
    struct map_of_parts map = {.parts = (size_t)(pages * page_size / PART)};
    map.taken = calloc(map.parts + 1, 1);
    cr_assert_not_null(map.taken);
    return map;
}

static void take(struct map_of_parts *map, size_t page_size, uint64_t at)
{
    cr_assert_eq(at % PART, 0, "page size %zu: a part at byte %llu", page_size,
                 (unsigned long long)at);
    cr_assert_lt(at / PART, map->parts, "page size %zu: byte %llu lies outside", page_size,
                 (unsigned long long)at);
    cr_assert_eq(map->taken[at / PART], 0, "page size %zu: byte %llu is taken twice", page_size,
                 (unsigned long long)at);
    map->taken[at / PART] = 1;
}

/* Take every fixed part for the pages [0, pages), the metas first. */
static struct map_of_parts all_parts(size_t page_size, uint64_t pages)
{
    struct map_of_parts map = map_for(page_size, pages);
    take(&map, page_size, 0);
    take(&map, page_size, VS_META_B_AT);
    for (unsigned copy = 0; copy < 2; copy++) {
        for (uint64_t page = 0; page < pages; page += VS_BLOCK_PAGES) {
            take(&map, page_size,
                 vs_layout_block_at(page_size, (uint32_t)(page / VS_BLOCK_PAGES), copy));
        }
        for (uint64_t page = 0; page < pages; page += VS_DIRECTORY_PAGES) {
            take(&map, page_size,
                 vs_layout_directory_at(page_size, (uint32_t)(page / VS_DIRECTORY_PAGES), copy));
        }
        take(&map, page_size, vs_layout_top_at(page_size, 0, copy));
    }
    return map;
}

Test(layout, no_fixed_part_overlaps_another_or_a_meta)
{
    FOR_EACH_PAGE_SIZE(size)
    {
        struct map_of_parts map = all_parts(size, 4 * VS_ZONE_PAGES_MAX);
        free(map.taken);
    }
}

Test(layout, a_page_is_reserved_exactly_where_a_fixed_part_lies)
{
    FOR_EACH_PAGE_SIZE(size)
    {
        uint64_t pages = 3 * VS_ZONE_PAGES_MAX;
        struct map_of_parts map = all_parts(size, pages);
        for (vs_page_no page = 0; page < pages; page++) {
            bool fixed = false;
            uint64_t from = (uint64_t)page * size;
            for (uint64_t part = from / PART; part * PART < from + size; part++) {
                fixed = fixed || map.taken[part] != 0;
            }
            cr_assert_eq(vs_layout_is_reserved(size, page), fixed, "page size %zu, page %u", size,
                         page);
        }
        free(map.taken);
    }
}

Test(layout, zones_double_and_then_stay)
{
    static const struct {
        vs_page_no page;
        uint64_t end;
    } rows[] = {
        {0, 64},
        {63, 64},
        {64, 128},
        {127, 128},
        {128, 256},
        {8191, 8192},
        {8192, 16384},
        {16383, 16384},
        {16384, 32768},
        {32767, 32768},
        {32768, 49152},
        {49151, 49152},
        {1 << 24, (1 << 24) + 16384},
        {UINT32_MAX, UINT64_C(1) << 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(vs_layout_zone_end(rows[i].page), rows[i].end, "page %u", rows[i].page);
    }
}

Test(layout, every_page_is_in_exactly_one_zone)
{
    uint64_t first = 0;
    unsigned zones = 0;
    while (first < UINT64_C(1) << 32) {
        uint64_t end = vs_layout_zone_end((vs_page_no)first);
        cr_assert_gt(end, first);
        cr_assert_leq(end - first, (uint64_t)VS_ZONE_PAGES_MAX);
        cr_assert_eq(vs_layout_zone_end((vs_page_no)(end - 1)), end);
        cr_assert_eq(vs_layout_zone_end((vs_page_no)(first + (end - first) / 2)), end);
        first = end;
        zones++;
    }
    cr_assert_eq(first, UINT64_C(1) << 32);
    cr_assert_eq(zones, 9 + (unsigned)((UINT64_C(1) << 32) / VS_ZONE_PAGES_MAX - 1));
}

Test(layout, fixed_parts_lie_in_the_zone_that_they_describe)
{
    FOR_EACH_PAGE_SIZE(size)
    {
        for (uint64_t first = 0; first < 8 * VS_ZONE_PAGES_MAX;) {
            uint64_t end = vs_layout_zone_end((vs_page_no)first);
            for (uint64_t page = first; page < end; page += VS_BLOCK_PAGES) {
                for (unsigned copy = 0; copy < 2; copy++) {
                    uint64_t at = vs_layout_block_at(size, (uint32_t)(page / VS_BLOCK_PAGES), copy);
                    cr_assert_geq(at, first * size);
                    cr_assert_leq(at + PART, end * size);
                }
            }
            first = end;
        }
    }
}

Test(layout, every_zone_begins_with_a_reserved_page_so_that_no_run_crosses_into_it)
{
    FOR_EACH_PAGE_SIZE(size)
    {
        for (uint64_t first = 0; first < UINT64_C(1) << 26;) {
            cr_assert(vs_layout_is_reserved(size, (vs_page_no)first), "page size %zu, page %llu",
                      size, (unsigned long long)first);
            first = vs_layout_zone_end((vs_page_no)first);
        }
    }
}

/* Behind its table region a zone is free to its end, but for the second meta in the smallest
   zones. */
Test(layout, a_full_zone_has_one_run_of_some_sixty_mebibytes)
{
    uint64_t first = VS_ZONE_PAGES_MAX;
    uint64_t end = vs_layout_zone_end((vs_page_no)first);
    uint64_t page = first;
    while (vs_layout_is_reserved(VS_PAGE_SIZE_DEFAULT, (vs_page_no)page)) {
        page++;
    }
    cr_assert_gt((end - page) * VS_PAGE_SIZE_DEFAULT, UINT64_C(60) << 20);
    for (; page < end; page++) {
        cr_assert_not(vs_layout_is_reserved(VS_PAGE_SIZE_DEFAULT, (vs_page_no)page));
    }
}

Test(layout, a_new_store_of_the_default_page_size_has_room_for_trees)
{
    unsigned usable = 0;
    for (vs_page_no page = 0; page < VS_BLOCK_PAGES; page++) {
        usable += !vs_layout_is_reserved(VS_PAGE_SIZE_DEFAULT, page);
    }
    cr_assert_geq(usable, 50);
    cr_assert_leq((uint64_t)VS_BLOCK_PAGES * VS_PAGE_SIZE_DEFAULT, (uint64_t)256 << 10);
}

Test(layout, the_last_pages_have_places_of_their_own_too)
{
    FOR_EACH_PAGE_SIZE(size)
    {
        uint32_t block = UINT32_MAX / VS_BLOCK_PAGES;
        uint32_t directory = UINT32_MAX / VS_DIRECTORY_PAGES;
        uint32_t top = VS_TOPS_MAX - 1;
        uint64_t zone = (UINT64_C(1) << 32) - VS_ZONE_PAGES_MAX;
        cr_assert_geq(vs_layout_block_at(size, block, 0), zone * size);
        cr_assert_lt(vs_layout_block_at(size, block, 1) + PART, size << 32);
        cr_assert_geq(vs_layout_directory_at(size, directory, 0),
                      ((uint64_t)directory * VS_DIRECTORY_PAGES) * size);
        cr_assert_eq(vs_layout_top_at(size, top, 0), (uint64_t)top * VS_TOP_PAGES * size);
        cr_assert_eq(vs_layout_directory_at(size, top * VS_DIRECTORY_ENTRIES, 0),
                     vs_layout_top_at(size, top, 1) + PART);
        cr_assert_eq(vs_layout_block_at(size, top * (VS_TOP_PAGES / VS_BLOCK_PAGES), 0),
                     vs_layout_directory_at(size, top * VS_DIRECTORY_ENTRIES, 1) + PART);
    }
}
