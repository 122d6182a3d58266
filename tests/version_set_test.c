/*
 * version_set_test.c - sets of versions beside a naive one: a byte a version.
 */
#include "store/version_set.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "failing_memory.h"
#include "simulated_random.h"

enum { VERSIONS = 96, ROUNDS = 200, STEPS = 40 };

static void check_order(const struct vs_version_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        cr_assert_leq(set->range[i].from, set->range[i].to);
        if (i > 0) {
            cr_assert_gt(set->range[i].from, set->range[i - 1].to + 1, "ranges touch");
        }
    }
}

static void compare(const struct vs_version_set *set, const bool *has, unsigned round)
{
    check_order(set);
    uint64_t count = 0;
    for (uint64_t version = 0; version < VERSIONS; version++) {
        cr_assert_eq(vs_version_set_has(set, version), has[version], "round %u version %u", round,
                     (unsigned)version);
        count += has[version] ? 1 : 0;
        uint64_t found;
        uint64_t above = version;
        while (above < VERSIONS && !has[above]) {
            above++;
        }
        bool any = vs_version_set_at_or_above(set, version, &found) && found < VERSIONS;
        cr_assert_eq(any, above < VERSIONS, "round %u", round);
        cr_assert(!any || found == above);
        int64_t below = (int64_t)version;
        while (below >= 0 && !has[below]) {
            below--;
        }
        any = vs_version_set_at_or_below(set, version, &found);
        cr_assert_eq(any, below >= 0, "round %u", round);
        cr_assert(!any || found == (uint64_t)below);
    }
    cr_assert_eq(vs_version_set_count(set, 0, VERSIONS - 1), count);
    uint64_t nth = 0;
    for (uint64_t version = VERSIONS; version-- > 0;) {
        uint64_t found;
        if (has[version]) {
            nth++;
            cr_assert(vs_version_set_newest(set, VERSIONS - 1, nth, &found));
            cr_assert_eq(found, version, "round %u", round);
        }
    }
    uint64_t none;
    cr_assert_not(vs_version_set_newest(set, VERSIONS - 1, nth + 1, &none));
}

static void compare_spans(const struct vs_version_set *set, const bool *has, unsigned round)
{
    for (uint64_t born = 0; born < VERSIONS; born++) {
        bool meets = false;
        for (uint64_t died = born; died < VERSIONS; died++) {
            cr_assert_eq(vs_version_set_meets(set, born, died), meets, "round %u [%u, %u)", round,
                         (unsigned)born, (unsigned)died);
            meets = meets || has[died];
        }
    }
}

static void change(struct vs_version_set *set, bool *has, struct simulated_random *random)
{
    uint64_t from = simulated_random_below(random, VERSIONS);
    uint64_t length = simulated_random_below(random, simulated_random_below(random, 2) ? 3 : 30);
    uint64_t to = from + length < VERSIONS ? from + length : VERSIONS - 1;
    bool adds = simulated_random_below(random, 2) == 0;
    bool open = simulated_random_below(random, 8) == 0;
    to = open ? VERSIONS - 1 : to;
    verso_err err = adds ? vs_version_set_add(set, from, open ? UINT64_MAX : to)
                         : vs_version_set_drop(set, from, open ? UINT64_MAX : to);
    cr_assert_eq(err, VERSO_OK);
    for (uint64_t version = from; version <= to; version++) {
        has[version] = adds;
    }
}

static void check_bytes(const struct vs_version_set *set)
{
    uint8_t *bytes;
    size_t size;
    cr_assert_eq(vs_version_set_encode(set, &bytes, &size), VERSO_OK);
    struct vs_version_set decoded = {0};
    cr_assert_eq(vs_version_set_decode(bytes, size, &decoded), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(decoded.count, set->count);
    for (size_t i = 0; i < set->count; i++) {
        cr_assert_eq(decoded.range[i].from, set->range[i].from);
        cr_assert_eq(decoded.range[i].to, set->range[i].to);
    }
    vs_version_set_clear(&decoded);
    free(bytes);
}

Test(version_set, agrees_with_a_naive_one)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct simulated_random random = {.state = round};
        struct vs_version_set set = {0};
        bool has[VERSIONS] = {false};
        for (unsigned step = 0; step < STEPS; step++) {
            change(&set, has, &random);
            compare(&set, has, round);
        }
        compare_spans(&set, has, round);
        check_bytes(&set);
        vs_version_set_clear(&set);
    }
}

/* Ranges that ascend and do not overlap, but may touch; the last may be open. */
static size_t draw_ranges(struct simulated_random *random, struct vs_version_range *ranges,
                          bool *in_them)
{
    size_t count = 0;
    uint64_t from = simulated_random_below(random, VERSIONS / 2);
    while (from < VERSIONS) {
        uint64_t to = from + simulated_random_below(random, 5);
        to = to < VERSIONS ? to : VERSIONS - 1;
        for (uint64_t version = from; version <= to; version++) {
            in_them[version] = true;
        }
        bool open = to == VERSIONS - 1 && simulated_random_below(random, 2) == 0;
        ranges[count++] = (struct vs_version_range){from, open ? UINT64_MAX : to};
        from = to + 1 + simulated_random_below(random, simulated_random_below(random, 2) ? 3 : 30);
    }
    return count;
}

Test(version_set, many_ranges_at_once_do_what_they_do_one_by_one)
{
    for (unsigned round = 0; round < 20 * ROUNDS; round++) {
        struct simulated_random random = {.state = round};
        struct vs_version_set set = {0};
        bool has[VERSIONS] = {false};
        for (unsigned step = 0; step < STEPS / 2; step++) {
            change(&set, has, &random);
        }
        struct vs_version_range ranges[VERSIONS];
        bool in_them[VERSIONS] = {false};
        size_t count = draw_ranges(&random, ranges, in_them);
        bool adds = round % 2 == 0;
        cr_assert_eq(adds ? vs_version_set_add_ranges(&set, ranges, count)
                          : vs_version_set_drop_ranges(&set, ranges, count),
                     VERSO_OK);
        for (unsigned version = 0; version < VERSIONS; version++) {
            has[version] = in_them[version] ? adds : has[version];
        }
        compare(&set, has, round);
        vs_version_set_clear(&set);
    }
}

Test(version_set, no_ranges_at_once_change_nothing)
{
    struct vs_version_set set = {0};
    cr_assert_eq(vs_version_set_add_ranges(&set, NULL, 0), VERSO_OK);
    cr_assert_eq(vs_version_set_drop_ranges(&set, NULL, 0), VERSO_OK);
    cr_assert_eq(set.count, 0);
}

Test(version_set, joined_with_another_it_has_what_either_had)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct simulated_random random = {.state = round};
        struct vs_version_set one = {0};
        struct vs_version_set other = {0};
        bool has[VERSIONS] = {false};
        bool others[VERSIONS] = {false};
        for (unsigned step = 0; step < STEPS / 2; step++) {
            change(&one, has, &random);
            change(&other, others, &random);
        }
        cr_assert_eq(vs_version_set_join(&one, &other), VERSO_OK);
        for (unsigned version = 0; version < VERSIONS; version++) {
            has[version] = has[version] || others[version];
        }
        compare(&one, has, round);
        vs_version_set_clear(&one);
        vs_version_set_clear(&other);
    }
}

Test(version_set, bytes_that_are_no_set_are_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"\x01", 1},                                          /* half a range */
        {"\x01\x80", 2},                                      /* a number cut short */
        {"\x01\x00\x01\x01", 4},                              /* something behind an open range */
        {"\x01\x02\x00\x01", 4},                              /* ranges that touch */
        {"\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 11}, /* beyond the last version */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x01", 11}, /* begins there */
        {"\x81\x00\x01", 3},                                  /* not the shortest form */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t *exact = malloc(bad[i].size); /* so that the sanitiser sees a read too far */
        memcpy(exact, bad[i].bytes, bad[i].size);
        struct vs_version_set set = {0};
        cr_assert_eq(vs_version_set_decode(exact, bad[i].size, &set), VERSO_CORRUPT, "row %zu", i);
        vs_version_set_clear(&set);
        free(exact);
    }
}

/* ---- without memory ---- */

Test(version_set, a_copy_of_an_empty_one_is_empty)
{
    struct vs_version_set set = {0};
    struct vs_version_set empty = {0};
    cr_assert_eq(vs_version_set_copy(&set, &empty), VERSO_OK);
    cr_assert_eq(vs_version_set_add(&set, 1, 9), VERSO_OK);
    cr_assert_eq(vs_version_set_copy(&set, &empty), VERSO_OK);
    cr_assert_eq(set.count, 0);
    vs_version_set_clear(&set);
}

/* Every change asks for memory before it changes anything. */
Test(version_set, without_memory_stays_as_it_is)
{
    static const struct vs_version_range two[] = {{1001, 1001}, {1003, 1003}};
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct vs_version_set set = {0};
    struct vs_version_set none = {0};
    for (uint64_t version = 1; set.count == 0 || set.count < set.capacity; version += 2) {
        cr_assert_eq(vs_version_set_add(&set, version, version), VERSO_OK);
    }
    size_t count = set.count;
    failing_memory_arm(1, true);
    cr_assert_eq(vs_version_set_add(&set, 1001, 1001), VERSO_NOMEM);
    cr_assert_eq(vs_version_set_drop(&set, 1, 1), VERSO_NOMEM);
    cr_assert_eq(vs_version_set_add_ranges(&set, two, 2), VERSO_NOMEM);
    cr_assert_eq(vs_version_set_drop_ranges(&set, two, 2), VERSO_NOMEM);
    cr_assert_eq(vs_version_set_copy(&none, &set), VERSO_NOMEM);
    cr_assert_eq(vs_version_set_decode(bytes, sizeof bytes, &none), VERSO_NOMEM);
    cr_assert_eq(failing_memory_disarm(), 6);
    cr_assert_eq(set.count, count);
    cr_assert_eq(none.count, 0);
    vs_version_set_clear(&set);
}
