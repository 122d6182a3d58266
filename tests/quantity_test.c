/*
 * quantity_test.c - durations, sizes and ratios of the command line.
 */
#include "../tools/quantity.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define MIB (UINT64_C(1) << 20)

Test(quantity, durations_are_read)
{
    const struct {
        const char *text;
        uint64_t us;
    } cases[] = {
        {"0s", 0},
        {"1ms", 1000},
        {"90s", 90 * SECOND},
        {"15m", 15 * 60 * SECOND},
        {"36h", 36 * HOUR},
        {"1d12h", 36 * HOUR},
        {"3d", 3 * DAY},
        {"1w", 7 * DAY},
        {"1w2d3h4m5s6ms", 9 * DAY + 3 * HOUR + 4 * 60 * SECOND + 5 * SECOND + 6000},
        {"5m30s", 330 * SECOND},
        {"9223372036854775ms", UINT64_C(9223372036854775000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        struct word word = {cases[i].text, &fault};
        uint64_t us = 99;
        cr_assert(quantity_duration(&word, &us), "%s: %s", cases[i].text, fault.reason);
        cr_assert_eq(us, cases[i].us, "%s: %" PRIu64, cases[i].text, us);
        cr_assert_eq(*word.next, '\0');
    }
}

Test(quantity, bad_durations_name_the_place)
{
    const struct {
        const char *text;
        size_t at;
        const char *reason;
    } cases[] = {
        {"", 0, "a number is needed"},
        {"h", 0, "a number is needed"},
        {"-1h", 0, "a number is needed"},
        {"36", 2, "a unit is needed"},
        {"36x", 2, "a unit is needed"},
        {"1y", 1, "a unit is needed"},
        {"1h2", 3, "a unit is needed"},
        {"12h1d", 3, "larger units come first"},
        {"1h1h", 2, "larger units come first"},
        {"99999999999999999999s", 0, "the number is too large"},
        {"9223372036855s", 0, "the duration is too long"},
        {"1w9223372036854s", 2, "the duration is too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        struct word word = {cases[i].text, &fault};
        uint64_t us;
        cr_assert_not(quantity_duration(&word, &us), "%s", cases[i].text);
        cr_assert_not_null(strstr(fault.reason, cases[i].reason), "%s: %s", cases[i].text,
                           fault.reason);
        cr_assert_eq((size_t)(fault.at - cases[i].text), cases[i].at, "%s", cases[i].text);
    }
}

Test(quantity, durations_written_read_back)
{
    const struct {
        uint64_t us;
        const char *text;
    } cases[] = {
        {0, "0ms"},        {SECOND, "1s"},  {36 * HOUR, "1d12h"},
        {30 * DAY, "30d"}, {7 * DAY, "1w"}, {1500000, "1s500ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quantity_text text = quantity_duration_text(cases[i].us);
        struct word_fault fault = {NULL, NULL};
        struct word word = {text.text, &fault};
        uint64_t us;
        cr_assert_str_eq(text.text, cases[i].text);
        cr_assert(quantity_duration(&word, &us));
        cr_assert_eq(us, cases[i].us);
    }
    struct quantity_text longest = quantity_duration_text(UINT64_MAX);
    cr_assert_lt(strlen(longest.text), sizeof longest.text - 1);
}

Test(quantity, budgets_are_read)
{
    const struct {
        const char *text;
        uint64_t bytes;
        uint32_t percent;
    } cases[] = {
        {"1", 1, 0},
        {"4096", 4096, 0},
        {"64M", 64 * MIB, 0},
        {"1.5G", 1536 * MIB, 0},
        {"0.5K", 512, 0},
        {"2T", UINT64_C(2) << 40, 0},
        {"100%", 0, 100},
        {"1.0", 0, 100},
        {"0.5", 0, 50},
        {"2.25", 0, 225},
        {"250%", 0, 250},
        {"64M,100%", 64 * MIB, 100},
        {"1.0,64M", 64 * MIB, 100},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        struct budget budget = {99, 99};
        cr_assert(quantity_budget(cases[i].text, &budget, &fault), "%s: %s", cases[i].text,
                  fault.reason);
        cr_assert_eq(budget.bytes, cases[i].bytes, "%s: %" PRIu64, cases[i].text, budget.bytes);
        cr_assert_eq(budget.percent, cases[i].percent, "%s: %u", cases[i].text, budget.percent);
    }
}

Test(quantity, bad_budgets_name_the_place)
{
    const struct {
        const char *text;
        size_t at;
        const char *reason;
    } cases[] = {
        {"", 0, "a number is needed"},
        {"much", 0, "a number is needed"},
        {"64MB", 3, "a size ends with"},
        {"64m", 2, "a size ends with"},
        {"64 M", 2, "a size ends with"},
        {"1.", 2, "digits are needed"},
        {"1.0000001G", 2, "at most 6 digits"},
        {"0.125", 0, "whole number of percents"},
        {"12.5%", 0, "whole number of percents"},
        {"1000001%", 0, "at most 1000000%"},
        {"10001.0", 0, "at most 1000000%"},
        {"0", 0, "the budget is 0"},
        {"0%", 0, "the budget is 0"},
        {"0.0", 0, "the budget is 0"},
        {"8388608T", 0, "the size is too large"},
        {"1M,2M", 3, "one size and one ratio"},
        {"100%,1.0", 5, "one size and one ratio"},
        {"1M,", 3, "a number is needed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        struct budget budget;
        cr_assert_not(quantity_budget(cases[i].text, &budget, &fault), "%s", cases[i].text);
        cr_assert_not_null(strstr(fault.reason, cases[i].reason), "%s: %s", cases[i].text,
                           fault.reason);
        cr_assert_eq((size_t)(fault.at - cases[i].text), cases[i].at, "%s", cases[i].text);
    }
}

Test(quantity, sizes_written_read_back)
{
    const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{1, "1"},          {1000, "1000"},        {1024, "1K"},
                 {64 * MIB, "64M"}, {1536 * MIB, "1536M"}, {UINT64_C(1) << 40, "1T"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct quantity_text text = quantity_size_text(cases[i].bytes);
        struct word_fault fault = {NULL, NULL};
        struct budget budget;
        cr_assert_str_eq(text.text, cases[i].text);
        cr_assert(quantity_budget(text.text, &budget, &fault));
        cr_assert_eq(budget.bytes, cases[i].bytes);
    }
    cr_assert_str_eq(quantity_size_text(0).text, "0");
}
