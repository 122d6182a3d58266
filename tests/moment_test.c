/*
 * moment_test.c - points in time on the command line.
 */
#include "../tools/moment.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define NOON INT64_C(1795262400) /* 2026-11-21T12:00:00Z, as date(1) says */
#define NOW (NOON * SECOND)

Test(moment, times_are_read)
{
    const struct {
        const char *text;
        int64_t time_us;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -SECOND},
        {"2026-11-21", (NOON - 12 * 3600) * SECOND},
        {"2026-11-21T12:00", NOW},
        {"2026-11-21 12:00:00", NOW},
        {"2026-11-21T12:00:00Z", NOW},
        {"2026-11-21T12:00:00.5Z", NOW + 500000},
        {"2026-11-21T12:00:00.000001Z", NOW + 1},
        {"2026-11-21T12:00:00.1234567899", NOW + 123456},
        {"2026-11-21T14:00:00+02:00", NOW},
        {"2026-11-21T14:00+0200", NOW},
        {"2026-11-21T14:00+02", NOW},
        {"2026-11-21T07:30:00.25-04:30", NOW + 250000},
        {"2024-02-29", INT64_C(1709164800) * SECOND},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799) * SECOND},
        {"-0s", NOW},
        {"-90s", NOW - 90 * SECOND},
        {"-15m", NOW - 900 * SECOND},
        {"-2h", NOW - 7200 * SECOND},
        {"-3d", NOW - 3 * 86400 * SECOND},
        {"-1w", NOW - 7 * 86400 * SECOND},
        {"-1d12h", NOW - 36 * 3600 * SECOND},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        int64_t time_us = 99;
        cr_assert(moment_read(cases[i].text, NOW, &time_us, &fault), "%s: %s", cases[i].text,
                  fault.reason);
        cr_assert_eq(time_us, cases[i].time_us, "%s: %" PRId64, cases[i].text, time_us);
    }
}

Test(moment, bad_times_name_the_place)
{
    const struct {
        const char *text;
        size_t at;
        const char *reason;
    } cases[] = {
        {"", 0, "a time is written"},
        {"yesterday", 0, "a time is written"},
        {"+2h", 0, "a time is written"},
        {"2h", 0, "a day is written"},
        {"26-11-21", 0, "a day is written"},
        {"0000-01-01", 0, "a day is written"},
        {"2026/11/21", 4, "a day is written"},
        {"2026-11", 7, "a day is written"},
        {"2026-13-01", 5, "a month is"},
        {"2026-1-01", 5, "a month is"},
        {"2026-11-00", 8, "a day is 01"},
        {"2026-11-32", 8, "a day is 01"},
        {"2026-11-31", 8, "no such day"},
        {"2026-02-29", 8, "no such day"},
        {"1900-02-29", 8, "no such day"},
        {"2026-11-21x", 10, "nothing may follow"},
        {"2026-11-21Z", 10, "nothing may follow"},
        {"2026-11-21T", 11, "an hour is"},
        {"2026-11-21T24:00", 11, "an hour is"},
        {"2026-11-21T12", 13, "a time of day"},
        {"2026-11-21T12:60", 14, "a minute is"},
        {"2026-11-21T12:00:60", 17, "a second is"},
        {"2026-11-21T12:00:00.", 20, "digits are needed"},
        {"2026-11-21T12:00:00z", 19, "nothing may follow"},
        {"2026-11-21T12:00+2", 17, "an offset is"},
        {"2026-11-21T12:00+02:", 20, "an offset is"},
        {"2026-11-21T12:00+02:60", 20, "an offset is"},
        {"2026-11-21T12:00ZZ", 17, "nothing may follow"},
        {"-", 1, "a number is needed"},
        {"-2", 2, "a unit is needed"},
        {"-2hours", 3, "nothing may follow"},
        {"-99999999999999w", 1, "too long"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        int64_t time_us;
        cr_assert_not(moment_read(cases[i].text, NOW, &time_us, &fault), "%s", cases[i].text);
        cr_assert_not_null(strstr(fault.reason, cases[i].reason), "%s: %s", cases[i].text,
                           fault.reason);
        cr_assert_eq((size_t)(fault.at - cases[i].text), cases[i].at, "%s: %zu", cases[i].text,
                     (size_t)(fault.at - cases[i].text));
    }
}

Test(moment, times_written_read_back)
{
    const struct {
        int64_t time_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {NOW + 42, "2026-11-21T12:00:00.000042Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct word_fault fault = {NULL, NULL};
        struct moment_text text = moment_text(cases[i].time_us);
        int64_t time_us = 99;
        cr_assert_str_eq(text.text, cases[i].text);
        cr_assert(moment_read(text.text, NOW, &time_us, &fault));
        cr_assert_eq(time_us, cases[i].time_us);
    }
    cr_assert_str_eq(moment_text(INT64_MAX).text, "294247-01-10T04:00:54.775807Z");
    cr_assert_not_null(strchr(moment_text(INT64_MIN).text, '-'));
}
