/*
 * moment.h - points in time as text.
 *
 * Read: 2026-11-21, 2026-11-21T12:30Z, with seconds, a fraction, an offset such as +02:00 (without
 * one: UTC; a day alone begins at 00:00 UTC), or back from now: -90s, -1d12h. Written: UTC.
 */
#ifndef VERSO_TOOLS_MOMENT_H
#define VERSO_TOOLS_MOMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "word.h"

/**
 * Read a point in time.
 *
 * @param now_us        What relative times count from: microseconds since 1970 UTC, like all here.
 * @param[out] time_us  Digits of the fraction beyond the sixth are dropped.
 * @return False with `fault` filled.
 */
bool moment_read(const char *text, int64_t now_us, int64_t *time_us, struct word_fault *fault);

/** A point in time as text. */
struct moment_text {
    char text[48];
};

/** As 2026-01-31T23:59:59.000001Z. */
struct moment_text moment_text(int64_t time_us);

/** Now. */
int64_t moment_now(void);

#endif
