/*
 * statistics.c - medians and percentiles.
 */
#include "statistics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stop.h"

void latencies_clear(struct latencies *latencies)
{
    free(latencies->ns);
    *latencies = (struct latencies){0};
}

void latencies_reserve(struct latencies *latencies, size_t more)
{
    if (latencies->capacity - latencies->count >= more) {
        return;
    }
    size_t capacity = latencies->count + more;
    uint64_t *ns = realloc(latencies->ns, capacity * sizeof *ns);
    if (ns == NULL) {
        stop_with("out of memory for %zu latencies", capacity);
    }
    latencies->ns = ns;
    latencies->capacity = capacity;
}

void latencies_join(struct latencies *latencies, const struct latencies *from)
{
    if (from->count == 0) {
        return;
    }
    latencies_reserve(latencies, from->count);
    memcpy(latencies->ns + latencies->count, from->ns, from->count * sizeof *from->ns);
    latencies->count += from->count;
}

static int compare_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void latencies_sort(struct latencies *latencies)
{
    if (latencies->count > 0) {
        qsort(latencies->ns, latencies->count, sizeof *latencies->ns, compare_ns);
    }
}

uint64_t latencies_percentile(const struct latencies *latencies, double percent)
{
    if (latencies->count == 0) {
        return 0;
    }
    double exact = (double)latencies->count * percent / 100.0;
    size_t rank = (size_t)exact;
    if ((double)rank < exact) {
        rank++;
    }
    if (rank < 1) {
        rank = 1;
    }
    return latencies->ns[rank <= latencies->count ? rank - 1 : latencies->count - 1];
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, size_t count)
{
    assert(count <= MEDIAN_MAX);
    if (count == 0) {
        return 0.0;
    }
    double sorted[MEDIAN_MAX];
    memcpy(sorted, values, count * sizeof *values);
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    if (count % 2 == 1) {
        return sorted[count / 2];
    }
    return (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0;
}
