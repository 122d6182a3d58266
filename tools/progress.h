/*
 * progress.h - one line on a terminal that tells how far a load has come.
 *
 * It goes to standard error, and only if that is a terminal.
 */
#ifndef VERSO_TOOLS_PROGRESS_H
#define VERSO_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool on_terminal;
    bool shown;       /* the line stands there and must be cleared before other output */
    int64_t began_us; /* monotonic */
    int64_t shown_us; /* when it was last written */
};

void progress_begin(struct progress *progress);

/** Bring the line up to date, at most five times a second; cheap to call for each entry. */
void progress_show(struct progress *progress, uint64_t entries, uint64_t bytes);

/** Take the line away, if it stands there. */
void progress_clear(struct progress *progress);

/** Seconds since progress_begin(). */
double progress_seconds(const struct progress *progress);

#endif
