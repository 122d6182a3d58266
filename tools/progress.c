/*
 * progress.c - the progress line.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    INTERVAL_US = 200000,
    ENTRIES_A_LOOK = 256, /* entries between two looks at the clock */
};

static int64_t now_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* never fails for this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress)
{
    *progress = (struct progress){.on_terminal = isatty(STDERR_FILENO) == 1, .began_us = now_us()};
    progress->shown_us = progress->began_us;
}

void progress_show(struct progress *progress, uint64_t entries, uint64_t bytes)
{
    if (!progress->on_terminal || entries % ENTRIES_A_LOOK != 0) {
        return;
    }
    int64_t now = now_us();
    if (now - progress->shown_us < INTERVAL_US) {
        return;
    }
    progress->shown = true;
    progress->shown_us = now;
    (void)fprintf(stderr, "\rloading: %" PRIu64 " entries, %.1f MB, %.1f s\033[K", entries,
                  (double)bytes / 1e6, progress_seconds(progress));
}

void progress_clear(struct progress *progress)
{
    if (progress->shown) {
        (void)fputs("\r\033[K", stderr);
        progress->shown = false;
    }
}

double progress_seconds(const struct progress *progress)
{
    return (double)(now_us() - progress->began_us) / 1e6;
}
