/*
 * statistics.h - medians, percentiles, and the latencies that they are taken of.
 *
 * Threads: a list of latencies belongs to one thread at a time.
 */
#ifndef VERSO_BENCH_STATISTICS_H
#define VERSO_BENCH_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/** A growing list of latencies. Zeroed means empty; free it with latencies_clear(). */
struct latencies {
    uint64_t *ns;
    size_t count;
    size_t capacity;
};

void latencies_clear(struct latencies *latencies);

/** Make room for `more` further entries, so that adding them costs no memory call. */
void latencies_reserve(struct latencies *latencies, size_t more);

/** Append all of `from`. */
void latencies_join(struct latencies *latencies, const struct latencies *from);

static inline void latencies_add(struct latencies *latencies, uint64_t ns)
{
    if (latencies->count == latencies->capacity) {
        latencies_reserve(latencies, latencies->count + 1024); /* doubles */
    }
    latencies->ns[latencies->count++] = ns;
}

/** Sort, so that latencies_percentile() may be asked. */
void latencies_sort(struct latencies *latencies);

/** The smallest entry that at least `percent` of all do not exceed; 0 for an empty list. */
uint64_t latencies_percentile(const struct latencies *latencies, double percent);

/** Median of up to MEDIAN_MAX values; the mean of the middle two for an even count. */
double median(const double *values, size_t count);

enum { MEDIAN_MAX = 1000 };

#endif
