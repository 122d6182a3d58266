/*
 * cost.c - counting what versions cost; see cost.h.
 *
 * A page shared by many versions is not added to each of them: its first and last one are marked,
 * and running sums spread the marks when all pages are counted. While that lasts `before` and
 * `after` hold differences, which may be below 0: unsigned arithmetic gets them right.
 */
#include "history/cost.h"

#include <assert.h>
#include <stdlib.h>

#include "history/page_survey.h"
#include "os/fault.h"

/* The number of ranges that end before `version`. */
static size_t ranges_before(const struct vs_version_set *kept, uint64_t version)
{
    size_t low = 0;
    size_t high = kept->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kept->range[middle].to < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many kept versions are below `version`. */
static uint64_t rank_of(const struct vs_costs *costs, uint64_t version)
{
    const struct vs_version_set *kept = costs->kept;
    size_t range = ranges_before(kept, version);
    if (range == kept->count) {
        return costs->rank[range];
    }
    uint64_t from = kept->range[range].from;
    return costs->rank[range] + (version > from ? version - from : 0);
}

static verso_err rank_ranges(struct vs_costs *costs)
{
    const struct vs_version_set *kept = costs->kept;
    costs->rank = malloc((kept->count + 1) * sizeof *costs->rank);
    if (costs->rank == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to count what versions cost");
    }
    costs->rank[0] = 0;
    for (size_t i = 0; i < kept->count; i++) {
        const struct vs_version_range *range = &kept->range[i];
        costs->rank[i + 1] = costs->rank[i] + (range->to - range->from) + 1;
    }
    return VERSO_OK;
}

/* Add 1 to one field of the places [from, to) of all kept versions, as far as they are counted. */
static void mark(struct vs_costs *costs, uint64_t from, uint64_t to, bool before)
{
    uint64_t end = costs->first_rank + costs->count;
    from = from < costs->first_rank ? costs->first_rank : from;
    to = to > end ? end : to;
    if (from >= to) {
        return;
    }
    struct vs_cost *begins = &costs->cost[from - costs->first_rank];
    struct vs_cost *ends = &costs->cost[to - costs->first_rank];
    *(before ? &begins->before : &begins->after) += 1;
    *(before ? &ends->before : &ends->after) -= 1;
}

static void count_page(void *argument, const struct vs_surveyed_page *page)
{
    struct vs_costs *costs = argument;
    if (page->generations || page->born >= page->died) {
        return;
    }
    uint64_t first = rank_of(costs, page->born);
    uint64_t end = rank_of(costs, page->died);
    if (end - first == 1) {
        if (first >= costs->first_rank && first - costs->first_rank < costs->count) {
            costs->cost[first - costs->first_rank].own++;
        }
    } else if (end > first) {
        mark(costs, first + 1, end, true);
        mark(costs, first, end - 1, false);
    }
}

static void spread_marks(struct vs_costs *costs)
{
    for (uint64_t i = 1; i < costs->count; i++) {
        costs->cost[i].before += costs->cost[i - 1].before;
        costs->cost[i].after += costs->cost[i - 1].after;
    }
}

verso_err vs_costs_count(struct vs_store *store, const struct vs_version_set *kept, uint64_t first,
                         uint64_t last, struct vs_costs *costs)
{
    *costs = (struct vs_costs){.kept = kept};
    verso_err err = rank_ranges(costs);
    if (err != VERSO_OK) {
        return err;
    }
    costs->first_rank = rank_of(costs, first);
    costs->count = rank_of(costs, last) + 1 - costs->first_rank;
    costs->cost = calloc(costs->count + 1, sizeof *costs->cost); /* one more for the last mark */
    if (costs->cost == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to count what versions cost");
    }
    err = vs_page_survey(store, count_page, costs);
    if (err == VERSO_OK) {
        spread_marks(costs);
    }
    return err;
}

void vs_costs_clear(struct vs_costs *costs)
{
    free(costs->rank);
    free(costs->cost);
    *costs = (struct vs_costs){0};
}

const struct vs_cost *vs_costs_of(const struct vs_costs *costs, uint64_t version)
{
    uint64_t rank = rank_of(costs, version);
    assert(rank >= costs->first_rank && rank - costs->first_rank < costs->count);
    return &costs->cost[rank - costs->first_rank];
}
