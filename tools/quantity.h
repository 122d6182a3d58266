/*
 * quantity.h - durations and sizes as text: 1d12h, 64M.
 *
 * Each reader returns false with `fault` filled; each writer's text reads back as the same number.
 */
#ifndef VERSO_TOOLS_QUANTITY_H
#define VERSO_TOOLS_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "word.h"

/** A duration or a size as text. */
struct quantity_text {
    char text[64];
};

/** Read a duration such as 36h or 1d12h into microseconds: numbers with the units w d h m s ms,
 *  the larger first. It ends where no digit follows; the caller looks at what comes after. */
bool quantity_duration(struct word *word, uint64_t *us);

/** A duration of whole milliseconds as text. */
struct quantity_text quantity_duration_text(uint64_t us);

/** What a budget may be. */
struct budget {
    uint64_t bytes;
    uint32_t percent;
};

/**
 * Read a budget: a size (bytes, or with K M G T, powers of 1,024: 64M, 1.5G), a ratio (100%, 1.0),
 * or one of each, separated by a comma. What is not named is 0.
 */
bool quantity_budget(const char *text, struct budget *budget, struct word_fault *fault);

/** A size as text: 64M, 1000. */
struct quantity_text quantity_size_text(uint64_t bytes);

#endif
