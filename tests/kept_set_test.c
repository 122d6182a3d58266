/*
 * kept_set_test.c - the set of kept versions beside a naive one: a byte a version.
 */
#include "store/kept_set.h"

#include <criterion/criterion.h>
#include <string.h>

#include "simulated_random.h"

enum { VERSIONS = 64, ROUNDS = 300 };

static void add(struct vs_kept_set *kept, uint64_t from, uint64_t to)
{
    verso_err err = vs_kept_set_add(kept, (struct vs_version_range){from, to});
    cr_assert_eq(err, VERSO_OK);
}

static void begin(struct vs_kept_set *kept, uint64_t from)
{
    verso_err err = vs_kept_set_begin(kept, from);
    cr_assert_eq(err, VERSO_OK);
}

Test(kept_set, a_set_without_a_snapshot_keeps_everything)
{
    struct vs_kept_set kept = {0};
    cr_assert(vs_kept_set_meets(&kept, 0, 1));
    cr_assert(vs_kept_set_meets(&kept, 5, UINT64_MAX));
    cr_assert_not(vs_kept_set_meets(&kept, 5, 5), "an empty life span holds no version");
    begin(&kept, 100);
    vs_kept_set_finish(&kept);
    cr_assert_not(vs_kept_set_meets(&kept, 5, 100));
    vs_kept_set_forget(&kept);
    cr_assert(vs_kept_set_meets(&kept, 5, 100));
    vs_kept_set_clear(&kept);
}

Test(kept_set, the_newest_range_is_open_ended)
{
    struct vs_kept_set kept = {0};
    begin(&kept, 10);
    vs_kept_set_finish(&kept);
    cr_assert_not(vs_kept_set_meets(&kept, 0, 10));
    cr_assert_not(vs_kept_set_meets(&kept, 9, 10));
    cr_assert(vs_kept_set_meets(&kept, 9, 11));
    cr_assert(vs_kept_set_meets(&kept, 10, 11));
    cr_assert(vs_kept_set_meets(&kept, UINT64_MAX - 1, UINT64_MAX));
    cr_assert_not(vs_kept_set_meets(&kept, 10, 10));
    cr_assert_not(vs_kept_set_meets(&kept, 11, 10), "a span turned round holds no version");
    vs_kept_set_clear(&kept);
}

Test(kept_set, overlapping_and_touching_ranges_join)
{
    struct vs_kept_set kept = {0};
    begin(&kept, 50);
    add(&kept, 10, 20);
    add(&kept, 21, 25); /* touches */
    add(&kept, 15, 22); /* overlaps both */
    add(&kept, 12, 12); /* lies within */
    add(&kept, 30, 30);
    add(&kept, 49, 49); /* touches the open end */
    add(&kept, 60, 70);
    vs_kept_set_finish(&kept);
    cr_assert_eq(kept.count, 3);
    cr_assert_eq(kept.range[0].from, 10);
    cr_assert_eq(kept.range[0].to, 25);
    cr_assert_eq(kept.range[1].from, 30);
    cr_assert_eq(kept.range[2].from, 49);
    cr_assert_eq(kept.range[2].to, UINT64_MAX);
    vs_kept_set_clear(&kept);
}

Test(kept_set, pinned_versions_are_kept_and_newer_ones_anyway)
{
    struct vs_reader_slots readers;
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    static const uint64_t pinned[] = {0, 7, 7, 3, 20, 100};
    uint32_t slot[sizeof pinned / sizeof *pinned];
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        err = vs_reader_pin(&readers, pinned[i], 1, &slot[i]);
        cr_assert_eq(err, VERSO_OK);
    }
    vs_reader_unpin(&readers, slot[3]);
    struct vs_kept_set kept = {0};
    begin(&kept, 20);
    err = vs_kept_set_add_readers(&kept, &readers);
    cr_assert_eq(err, VERSO_OK);
    vs_kept_set_finish(&kept);
    cr_assert_eq(kept.count, 3);
    cr_assert(vs_kept_set_meets(&kept, 0, 1));
    cr_assert_not(vs_kept_set_meets(&kept, 1, 7), "3 was unpinned");
    cr_assert(vs_kept_set_meets(&kept, 7, 8));
    cr_assert_not(vs_kept_set_meets(&kept, 8, 20));
    cr_assert(vs_kept_set_meets(&kept, 20, 21));
    vs_kept_set_clear(&kept);
    vs_reader_slots_clear(&readers);
}

static bool naive_meets(const uint8_t *is_kept, uint64_t born, uint64_t died)
{
    for (uint64_t version = born; version < died && version < VERSIONS; version++) {
        if (is_kept[version]) {
            return true;
        }
    }
    return false;
}

Test(kept_set, agrees_with_a_byte_a_version)
{
    struct simulated_random random = {20};
    struct vs_kept_set kept = {0};
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t is_kept[VERSIONS] = {0};
        uint64_t open = simulated_random_below(&random, VERSIONS);
        begin(&kept, open);
        memset(is_kept + open, 1, VERSIONS - open);
        for (uint64_t ranges = simulated_random_below(&random, 24); ranges > 0; ranges--) {
            uint64_t from = simulated_random_below(&random, VERSIONS);
            uint64_t to = from + simulated_random_below(&random, 4);
            to = to < VERSIONS ? to : VERSIONS - 1;
            add(&kept, from, to);
            memset(is_kept + from, 1, to - from + 1);
        }
        vs_kept_set_finish(&kept);
        for (uint64_t born = 0; born < VERSIONS; born++) {
            for (uint64_t died = born; died <= VERSIONS; died++) {
                cr_assert_eq(vs_kept_set_meets(&kept, born, died), naive_meets(is_kept, born, died),
                             "round %u: [%llu, %llu)", round, (unsigned long long)born,
                             (unsigned long long)died);
            }
        }
    }
    vs_kept_set_clear(&kept);
}
