/*
 * thinning_test.c - the classes of a retention policy on the command line.
 */
#include "../tools/thinning.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)

static verso_retention read_classes(const char *text)
{
    verso_retention retention = {.size = sizeof retention};
    struct word_fault fault = {NULL, NULL};
    cr_assert(thinning_read(text, &retention, &fault), "%s: %s", text, fault.reason);
    return retention;
}

static void expect_fault(const verso_retention *begin, const char *text, size_t at,
                         const char *reason)
{
    verso_retention retention = *begin;
    struct word_fault fault = {NULL, NULL};
    cr_assert_not(thinning_read(text, &retention, &fault), "%s", text);
    cr_assert_not_null(strstr(fault.reason, reason), "%s: %s", text, fault.reason);
    cr_assert_eq((size_t)(fault.at - text), at, "%s: at %zu", text, (size_t)(fault.at - text));
}

Test(thinning, a_spacing_alone_is_for_ever)
{
    verso_retention retention = read_classes("1s");
    cr_assert_eq(retention.class_count, 1);
    cr_assert_eq(retention.classes[0].age_us, UINT64_MAX);
    cr_assert_eq(retention.classes[0].spacing_us, SECOND);
}

Test(thinning, classes_are_read_in_order)
{
    verso_retention retention = read_classes("1d/1h,30d/1d,forever/1w");
    const verso_retention_class expected[] = {{DAY, HOUR}, {30 * DAY, DAY}, {UINT64_MAX, 7 * DAY}};
    cr_assert_eq(retention.class_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(retention.classes[i].age_us, expected[i].age_us);
        cr_assert_eq(retention.classes[i].spacing_us, expected[i].spacing_us);
    }
    retention = read_classes("1h/0s,1d/1m");
    cr_assert_eq(retention.classes[0].spacing_us, 0);
}

Test(thinning, bad_texts_name_the_place)
{
    const verso_retention none = {.size = sizeof none};
    expect_fault(&none, "", 0, "a number is needed");
    expect_fault(&none, "1d/", 3, "a number is needed");
    expect_fault(&none, "1d/1", 4, "a unit is needed");
    expect_fault(&none, "1d/1h/1m", 5, "AGE/SPACING");
    expect_fault(&none, "1d/1h,", 6, "a number is needed");
    expect_fault(&none, "1d/1h;30d/1d", 5, "AGE/SPACING");
    expect_fault(&none, "0s/1h", 0, "more than 0");
    expect_fault(&none, "forever", 7, "a spacing is needed");
    expect_fault(&none, "1d/1h,1d/1d", 6, "ages ascend");
    expect_fault(&none, "1s,2s", 3, "ages ascend");
    expect_fault(&none, "forever/1h,30d/1d", 11, "ages ascend");
    expect_fault(&none, "1d/1h,30d/1h", 6, "spacings ascend");
    expect_fault(&none, "1h/0s,1d/0s", 6, "spacings ascend");
}

Test(thinning, classes_go_on_after_those_that_are_there)
{
    verso_retention within = {.size = sizeof within, .class_count = 1, .classes = {{DAY, 0}}};
    expect_fault(&within, "1h/1m", 0, "ages ascend");
    struct word_fault fault;
    cr_assert(thinning_read("30d/1h", &within, &fault));
    cr_assert_eq(within.class_count, 2);
}

Test(thinning, sixteen_classes_are_the_most)
{
    char text[256] = "";
    for (int i = 1; i <= 16; i++) {
        char class[32];
        snprintf(class, sizeof class, "%s%dd/%dh", i == 1 ? "" : ",", i, i);
        strcat(text, class);
    }
    cr_assert_eq(read_classes(text).class_count, (uint32_t)VERSO_RETENTION_CLASSES_MAX);
    size_t full = strlen(text) + 1;
    strcat(text, ",17d/17h");
    const verso_retention none = {.size = sizeof none};
    expect_fault(&none, text, full, "at most 16");
}

Test(thinning, what_is_written_reads_back)
{
    verso_retention retention = read_classes("36h/90s,forever/1w");
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    cr_assert_not_null(stream);
    cr_assert(thinning_write(stream, retention.classes, retention.class_count));
    fclose(stream);
    cr_assert_str_eq(text, "1d12h/1m30s,forever/1w");
    verso_retention again = read_classes(text);
    cr_assert_eq(memcmp(&again, &retention, sizeof again), 0);
    free(text);
}
