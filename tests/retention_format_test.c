/*
 * retention_format_test.c - policies as bytes, and the numbers of seven bits a byte.
 */
#include "format/retention.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/leb128.h"
#include "simulated_random.h"

enum { ROUNDS = 2000 };

static verso_retention draw(struct simulated_random *random)
{
    verso_retention policy = {
        .size = sizeof policy,
        .all = simulated_random_below(random, 2) == 0,
        .checkpoints = simulated_random_below(random, 2) == 0,
        .last = 1 + simulated_random_below(random, 1000),
        .class_count = (uint32_t)simulated_random_below(random, VERSO_RETENTION_CLASSES_MAX + 1),
        .has_budget = simulated_random_below(random, 2) == 0,
        .budget_bytes = simulated_random_below(random, UINT64_MAX),
        .budget_percent = (uint32_t)simulated_random_below(random, UINT32_MAX),
    };
    uint64_t age = 0;
    uint64_t spacing = 0;
    for (uint32_t i = 0; i < policy.class_count; i++) {
        age += 1 + simulated_random_below(random, 1000);
        spacing += simulated_random_below(random, 2) * 10;
        policy.classes[i] = (verso_retention_class){age, spacing};
    }
    return policy;
}

static const char *decode(const uint8_t *bytes, size_t size, verso_retention *policy)
{
    uint8_t *exact = malloc(size + 1); /* so that the sanitiser sees a read too far */
    memcpy(exact, bytes, size);
    const char *fault = vs_retention_decode(exact, size, policy);
    free(exact);
    return fault;
}

Test(retention_format, what_is_written_is_read_again)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct simulated_random random = {.state = round};
        verso_retention policy = draw(&random);
        uint8_t bytes[VS_RETENTION_MAX];
        size_t size = vs_retention_encode(&policy, bytes);
        verso_retention got;
        cr_assert_null(decode(bytes, size, &got), "round %u", round);
        cr_assert_eq(got.size, sizeof got);
        cr_assert_eq(got.all, policy.all);
        cr_assert_eq(got.checkpoints, policy.checkpoints);
        cr_assert_eq(got.has_budget, policy.has_budget);
        cr_assert_eq(got.last, policy.last);
        cr_assert_eq(got.budget_bytes, policy.budget_bytes);
        cr_assert_eq(got.budget_percent, policy.budget_percent);
        cr_assert_eq(got.class_count, policy.class_count);
        for (uint32_t i = 0; i < policy.class_count; i++) {
            cr_assert_eq(got.classes[i].age_us, policy.classes[i].age_us);
            cr_assert_eq(got.classes[i].spacing_us, policy.classes[i].spacing_us);
        }
        for (size_t shorter = 0; shorter < size; shorter++) {
            cr_assert_not_null(decode(bytes, shorter, &got), "%zu of %zu bytes", shorter, size);
        }
    }
}

Test(retention_format, a_policy_that_breaks_a_rule_is_refused)
{
    verso_retention policy = verso_keep_default();
    policy.class_count = 2;
    policy.classes[0] = (verso_retention_class){100, 10};
    policy.classes[1] = (verso_retention_class){200, 20};
    uint8_t good[VS_RETENTION_MAX];
    size_t size = vs_retention_encode(&policy, good);
    static const struct {
        size_t at;
        uint64_t number;
    } bad[] = {
        {0, 8},    /* an unknown flag; the count goes, too */
        {4, 17},   /* more classes than there may be, and than there are */
        {4, 1},    /* fewer than there are */
        {8, 0},    /* last */
        {48, 100}, /* an age that does not ascend */
        {56, 9},   /* a spacing that descends */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t bytes[VS_RETENTION_MAX];
        memcpy(bytes, good, sizeof bytes);
        if (bad[i].at < 8) {
            vs_put_le32(bytes + bad[i].at, (uint32_t)bad[i].number);
        } else {
            vs_put_le64(bytes + bad[i].at, bad[i].number);
        }
        verso_retention got = {.last = 77};
        cr_assert_not_null(decode(bytes, size, &got), "row %zu", i);
        cr_assert_eq(got.last, 77, "row %zu: nothing was written", i);
    }
    verso_retention got;
    cr_assert_not_null(decode(good, size + 1, &got));
    cr_assert_null(decode(good, size, &got));
}

/* ---- numbers ---- */

Test(leb128, numbers_come_back_in_the_shortest_form)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int more = -1; more <= 1; more++) {
            uint64_t number = (UINT64_C(1) << bit) + (uint64_t)(int64_t)more;
            uint8_t bytes[VS_LEB128_MAX];
            uint8_t *end = vs_leb128_put(bytes, number);
            size_t shortest = 1;
            for (uint64_t rest = number >> 7; rest > 0; rest >>= 7) {
                shortest++;
            }
            cr_assert_eq((size_t)(end - bytes), shortest);
            uint64_t got = 0;
            const uint8_t *at = bytes;
            cr_assert(vs_leb128_get(&at, end, UINT64_MAX, &got));
            cr_assert_eq(got, number);
            cr_assert_eq(at, end);
            at = bytes;
            cr_assert_not(vs_leb128_get(&at, end - 1, UINT64_MAX, &got), "cut short");
            at = bytes;
            cr_assert_eq(vs_leb128_get(&at, end, number, &got), true, "at the limit");
            at = bytes;
            cr_assert(number == 0 || !vs_leb128_get(&at, end, number - 1, &got), "above it");
        }
    }
}

Test(leb128, longer_forms_and_numbers_are_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"", 0},
        {"\x80", 1},
        {"\x80\x00", 2},                                      /* 0 in two bytes */
        {"\xFF\x00", 2},                                      /* 127 in two */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10},     /* a 65th bit */
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00", 11}, /* an eleventh byte */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const uint8_t *at = (const uint8_t *)bad[i].bytes;
        uint64_t got;
        cr_assert_not(vs_leb128_get(&at, at + bad[i].size, UINT64_MAX, &got), "row %zu", i);
    }
}
