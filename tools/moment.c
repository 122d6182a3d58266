/*
 * moment.c - read and write points in time; see moment.h.
 */
#include "moment.h"

#include <inttypes.h>
#include <time.h>

#include "quantity.h"

enum { SECOND_US = 1000000, MINUTE_S = 60, HOUR_S = 3600 };

static bool in_range(struct word *word, const char *at, unsigned number, unsigned least,
                     unsigned most, const char *reason)
{
    return (number >= least && number <= most) || word_fails(word, at, reason);
}

/** Read two digits from `least` to `most`. */
static bool read_pair(struct word *word, unsigned least, unsigned most, const char *reason,
                      unsigned *number)
{
    const char *at = word->next;
    return word_digits(word, 2, reason, number) && in_range(word, at, *number, least, most, reason);
}

/** Read a day into the seconds since 1970 at which it begins. */
static bool read_day(struct word *word, int64_t *seconds)
{
    unsigned year;
    unsigned month;
    const char *at = word->next;
    static const char form[] = "a day is written as 2026-11-21";
    if (!word_digits(word, 4, form, &year) || !in_range(word, at, year, 1, 9999, form)) {
        return false;
    }
    if (!word_skip(word, "-")) {
        return word_fails(word, word->next, form);
    }
    if (!read_pair(word, 1, 12, "a month is 01 to 12", &month)) {
        return false;
    }
    if (!word_skip(word, "-")) {
        return word_fails(word, word->next, form);
    }
    unsigned day;
    at = word->next;
    if (!read_pair(word, 1, 31, "a day is 01 to 31", &day)) {
        return false;
    }
    struct tm parts = {.tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
    *seconds = timegm(&parts); /* moves a day that the month lacks to the next one */
    return parts.tm_mday == (int)day || word_fails(word, at, "the month has no such day");
}

/** Read what follows the T, without the offset. */
static bool read_clock(struct word *word, int64_t *seconds, uint32_t *fraction_us)
{
    unsigned hour;
    unsigned minute;
    unsigned second = 0;
    if (!read_pair(word, 0, 23, "an hour is 00 to 23", &hour)) {
        return false;
    }
    if (!word_skip(word, ":")) {
        return word_fails(word, word->next, "a time of day is written as 12:30 or 12:30:00");
    }
    if (!read_pair(word, 0, 59, "a minute is 00 to 59", &minute)) {
        return false;
    }
    *fraction_us = 0;
    if (word_skip(word, ":")) {
        if (!read_pair(word, 0, 59, "a second is 00 to 59", &second)) {
            return false;
        }
        if (word_skip(word, ".") && !word_millionths(word, true, fraction_us)) {
            return false;
        }
    }
    *seconds = (int64_t)hour * HOUR_S + (int64_t)minute * MINUTE_S + second;
    return true;
}

/** Read Z, an offset, or nothing. */
static bool read_offset(struct word *word, int64_t *offset_s)
{
    *offset_s = 0;
    if (word_skip(word, "Z")) {
        return true;
    }
    bool west = word_skip(word, "-");
    if (!west && !word_skip(word, "+")) {
        return true;
    }
    unsigned hours;
    unsigned minutes = 0;
    if (!read_pair(word, 0, 23, "an offset is written as +02:00", &hours)) {
        return false;
    }
    if ((word_skip(word, ":") || word_at_digit(word)) &&
        !read_pair(word, 0, 59, "an offset is written as +02:00", &minutes)) {
        return false;
    }
    *offset_s = (int64_t)hours * HOUR_S + (int64_t)minutes * MINUTE_S;
    *offset_s = west ? -*offset_s : *offset_s;
    return true;
}

static bool read_calendar(struct word *word, int64_t *time_us)
{
    int64_t day_s = 0;
    int64_t clock_s = 0;
    int64_t offset_s = 0;
    uint32_t fraction_us = 0;
    if (!read_day(word, &day_s)) {
        return false;
    }
    if ((word_skip(word, "T") || word_skip(word, " ")) &&
        (!read_clock(word, &clock_s, &fraction_us) || !read_offset(word, &offset_s))) {
        return false;
    }
    *time_us = (day_s + clock_s - offset_s) * SECOND_US + fraction_us;
    return word_ends(word, "nothing may follow here");
}

static bool read_relative(struct word *word, int64_t now_us, int64_t *time_us)
{
    uint64_t back_us;
    if (!quantity_duration(word, &back_us)) {
        return false;
    }
    /* a duration is at most INT64_MAX, and so is the present: no overflow */
    *time_us = now_us - (int64_t)back_us;
    return word_ends(word, "nothing may follow here");
}

bool moment_read(const char *text, int64_t now_us, int64_t *time_us, struct word_fault *fault)
{
    struct word word = {text, fault};
    if (word_skip(&word, "-")) {
        return read_relative(&word, now_us, time_us);
    }
    if (!word_at_digit(&word)) {
        return word_fails(&word, text, "a time is written as 2026-11-21T12:30:00Z or -2h");
    }
    return read_calendar(&word, time_us);
}

struct moment_text moment_text(int64_t time_us)
{
    struct moment_text result;
    int64_t fraction_us = time_us % SECOND_US;
    int64_t whole_s = time_us / SECOND_US;
    if (fraction_us < 0) {
        fraction_us += SECOND_US;
        whole_s--;
    }
    time_t seconds = (time_t)whole_s;
    struct tm parts;
    size_t used = gmtime_r(&seconds, &parts) == NULL
                      ? 0
                      : strftime(result.text, sizeof result.text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (used == 0) { /* a year beyond what a calendar can hold */
        (void)snprintf(result.text, sizeof result.text, "%" PRId64 "us", time_us);
    } else {
        (void)snprintf(result.text + used, sizeof result.text - used, ".%06" PRId64 "Z",
                       fraction_us);
    }
    return result;
}

int64_t moment_now(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now); /* exists everywhere */
    return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}
