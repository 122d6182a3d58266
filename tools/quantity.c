/*
 * quantity.c - read and write durations, sizes and ratios; see quantity.h.
 */
#include "quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MILLION = 1000000, PERCENT_MAX = 1000000 };

struct unit {
    const char *name;
    uint64_t size;
};

/* ms stands before m, whose name begins it, when units are looked for from the end */
static const struct unit durations[] = {
    {"w", UINT64_C(604800) * MILLION},
    {"d", UINT64_C(86400) * MILLION},
    {"h", UINT64_C(3600) * MILLION},
    {"m", UINT64_C(60) * MILLION},
    {"s", MILLION},
    {"ms", 1000},
};
static const struct unit sizes[] = {
    {"T", UINT64_C(1) << 40},
    {"G", UINT64_C(1) << 30},
    {"M", UINT64_C(1) << 20},
    {"K", UINT64_C(1) << 10},
};

enum {
    DURATIONS = sizeof durations / sizeof durations[0],
    SIZES = sizeof sizes / sizeof sizes[0],
};

/** The unit that comes next, by its place; `DURATIONS` if there is none. */
static unsigned skip_duration_unit(struct word *word)
{
    for (unsigned i = DURATIONS; i > 0; i--) {
        if (word_skip(word, durations[i - 1].name)) {
            return i - 1;
        }
    }
    return DURATIONS;
}

bool quantity_duration(struct word *word, uint64_t *us)
{
    uint64_t sum = 0;
    unsigned least = 0; /* units before this one cannot come any more */
    do {
        const char *begin = word->next;
        uint64_t number;
        if (!word_number(word, &number)) {
            return false;
        }
        const char *name = word->next;
        unsigned unit = skip_duration_unit(word);
        if (unit == DURATIONS) {
            return word_fails(word, name, "a unit is needed: w, d, h, m, s or ms");
        }
        if (unit < least) {
            return word_fails(word, begin, "larger units come first, each once");
        }
        if (number > (uint64_t)INT64_MAX / durations[unit].size ||
            number * durations[unit].size > (uint64_t)INT64_MAX - sum) {
            return word_fails(word, begin, "the duration is too long");
        }
        sum += number * durations[unit].size;
        least = unit + 1;
    } while (word_at_digit(word));
    *us = sum;
    return true;
}

struct quantity_text quantity_duration_text(uint64_t us)
{
    struct quantity_text result = {""};
    size_t used = 0;
    for (unsigned i = 0; i < DURATIONS; i++) {
        if (i == 0 && us % durations[0].size != 0) {
            continue; /* 30d reads better than 4w2d */
        }
        uint64_t number = us / durations[i].size;
        us %= durations[i].size;
        if (number > 0 || (i == DURATIONS - 1 && used == 0)) {
            int more = snprintf(result.text + used, sizeof result.text - used, "%" PRIu64 "%s",
                                number, durations[i].name);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    return result;
}

static uint64_t skip_size_unit(struct word *word)
{
    for (unsigned i = 0; i < SIZES; i++) {
        if (word_skip(word, sizes[i].name)) {
            return sizes[i].size;
        }
    }
    return 1;
}

/** number + millionths as whole percents. */
static bool set_ratio(struct word *word, const char *begin, uint64_t number, uint32_t millionths,
                      uint32_t scale, struct budget *budget)
{
    uint64_t parts = (uint64_t)millionths * scale;
    if (parts % MILLION != 0) {
        return word_fails(word, begin, "a ratio is a whole number of percents");
    }
    if (number > PERCENT_MAX / scale) {
        return word_fails(word, begin, "a ratio is at most 1000000%");
    }
    if (budget->percent != 0) {
        return word_fails(word, begin, "one size and one ratio at most");
    }
    budget->percent = (uint32_t)(number * scale + parts / MILLION);
    return budget->percent > 0 || word_fails(word, begin, "the budget is 0");
}

static bool set_size(struct word *word, const char *begin, uint64_t number, uint32_t millionths,
                     uint64_t unit, struct budget *budget)
{
    uint64_t part = millionths * unit / MILLION; /* at most 2^20 * 2^40 before the division */
    if (number > ((uint64_t)INT64_MAX - part) / unit) {
        return word_fails(word, begin, "the size is too large");
    }
    if (budget->bytes != 0) {
        return word_fails(word, begin, "one size and one ratio at most");
    }
    budget->bytes = number * unit + part;
    return budget->bytes > 0 || word_fails(word, begin, "the budget is 0");
}

/** One size or ratio: what tells them apart comes last. */
static bool read_part(struct word *word, struct budget *budget)
{
    const char *begin = word->next;
    uint64_t number;
    uint32_t millionths = 0;
    if (!word_number(word, &number)) {
        return false;
    }
    bool fraction = word_skip(word, ".");
    if (fraction && !word_millionths(word, false, &millionths)) {
        return false;
    }
    if (word_skip(word, "%")) {
        return set_ratio(word, begin, number, millionths, 1, budget);
    }
    uint64_t unit = skip_size_unit(word);
    if (fraction && unit == 1) {
        return set_ratio(word, begin, number, millionths, 100, budget);
    }
    return set_size(word, begin, number, millionths, unit, budget);
}

bool quantity_budget(const char *text, struct budget *budget, struct word_fault *fault)
{
    struct word word = {text, fault};
    struct budget result = {0, 0};
    do {
        if (!read_part(&word, &result)) {
            return false;
        }
    } while (word_skip(&word, ","));
    *budget = result;
    return word_ends(&word, "a size ends with K, M, G or T or nothing, a ratio with %");
}

struct quantity_text quantity_size_text(uint64_t bytes)
{
    const char *name = "";
    for (unsigned i = 0; i < SIZES && bytes > 0; i++) {
        if (bytes % sizes[i].size == 0) {
            bytes /= sizes[i].size;
            name = sizes[i].name;
            break;
        }
    }
    struct quantity_text result;
    (void)snprintf(result.text, sizeof result.text, "%" PRIu64 "%s", bytes, name);
    return result;
}
