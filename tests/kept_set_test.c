/*
 * kept_set_test.c - what is kept: by the retention, by metas, by a checkpoint, by readers.
 */
#include "store/kept_set.h"

#include <criterion/criterion.h>

#include "store/reader_slots.h"

static void add(struct vs_version_set *set, uint64_t from, uint64_t to)
{
    cr_assert_eq(vs_version_set_add(set, from, to), VERSO_OK);
}

Test(kept_set, a_set_without_a_snapshot_keeps_everything)
{
    struct vs_kept_set kept = {0};
    cr_assert(vs_kept_set_meets(&kept, 0, 1));
    cr_assert(vs_kept_set_meets(&kept, 5, UINT64_MAX));
    cr_assert_not(vs_kept_set_meets(&kept, 5, 5), "an empty life span holds no version");
    vs_kept_set_clear(&kept);
}

Test(kept_set, each_part_alone_keeps_a_version)
{
    struct vs_kept_set kept = {.known = true};
    add(&kept.retained, 10, 10);
    add(&kept.on_disk, 20, 20);
    add(&kept.frozen, 30, 30);
    add(&kept.passing, 40, UINT64_MAX);
    for (uint64_t version = 0; version < 50; version++) {
        bool expected = version == 10 || version == 20 || version == 30 || version >= 40;
        cr_assert_eq(vs_kept_set_meets(&kept, version, version + 1), expected, "version %u",
                     (unsigned)version);
    }
    vs_kept_set_clear(&kept);
}

Test(kept_set, gathers_the_published_version_and_what_readers_pin)
{
    struct vs_reader_slots slots;
    cr_assert_eq(vs_reader_slots_init(&slots), VERSO_OK);
    const uint64_t pins[] = {3, 7, 7, 100};
    uint32_t slot[4];
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(vs_reader_pin(&slots, pins[i], &slot[i]), VERSO_OK);
    }
    vs_reader_unpin(&slots, slot[0]);
    struct vs_kept_set kept = {.known = true};
    cr_assert_eq(vs_kept_set_gather(&kept, 50, &slots), VERSO_OK);
    cr_assert_not(vs_kept_set_meets(&kept, 0, 7), "whoever has left keeps nothing");
    cr_assert(vs_kept_set_meets(&kept, 7, 8));
    cr_assert_not(vs_kept_set_meets(&kept, 8, 50));
    cr_assert(vs_kept_set_meets(&kept, 50, 51));
    cr_assert(vs_kept_set_meets(&kept, UINT64_MAX - 1, UINT64_MAX));
    vs_kept_set_clear(&kept);
    vs_reader_slots_clear(&slots);
}

Test(kept_set, flattened_it_keeps_the_same_up_to_a_version)
{
    struct vs_kept_set kept = {.known = true};
    add(&kept.retained, 1, 5);
    add(&kept.retained, 60, UINT64_MAX);
    add(&kept.on_disk, 4, 9);
    add(&kept.frozen, 30, 30);
    add(&kept.passing, 40, UINT64_MAX);
    struct vs_version_set flat = {0};
    cr_assert_eq(vs_kept_set_flatten(&kept, 70, &flat), VERSO_OK);
    for (uint64_t version = 0; version < 100; version++) {
        bool expected = version <= 70 && vs_kept_set_meets(&kept, version, version + 1);
        cr_assert_eq(vs_version_set_has(&flat, version), expected, "version %u", (unsigned)version);
    }
    vs_version_set_clear(&flat);
    vs_kept_set_clear(&kept);
}
