/*
 * kept_set.c - gathering, joining and searching version ranges; see kept_set.h.
 */
#include "store/kept_set.h"

#include <stdlib.h>

#include "os/fault.h"

void vs_kept_set_clear(struct vs_kept_set *kept)
{
    free(kept->range);
    *kept = (struct vs_kept_set){NULL, 0, 0};
}

verso_err vs_kept_set_add(struct vs_kept_set *kept, struct vs_version_range range)
{
    if (kept->count == kept->capacity) {
        unsigned capacity = kept->capacity == 0 ? 16 : kept->capacity * 2;
        struct vs_version_range *grown = realloc(kept->range, capacity * sizeof *grown);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the set of kept versions");
        }
        kept->range = grown;
        kept->capacity = capacity;
    }
    kept->range[kept->count++] = range;
    return VERSO_OK;
}

verso_err vs_kept_set_begin(struct vs_kept_set *kept, uint64_t from)
{
    kept->count = 0;
    return vs_kept_set_add(kept, (struct vs_version_range){from, UINT64_MAX});
}

verso_err vs_kept_set_add_readers(struct vs_kept_set *kept, const struct vs_reader_slots *slots)
{
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_seq_cst);
    for (uint32_t i = 0; i < below; i++) {
        /* seq_cst: the judge's half of the protocol in reader_slots.h */
        uint64_t pinned = atomic_load_explicit(&slots->slot[i].pinned, memory_order_seq_cst);
        if (pinned == VS_SLOT_FREE || pinned > kept->range[0].from) {
            continue; /* from there on all is kept anyway */
        }
        uint64_t version = pinned - 1;
        verso_err err = vs_kept_set_add(kept, (struct vs_version_range){version, version});
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

static int by_from(const void *left, const void *right)
{
    const struct vs_version_range *a = left;
    const struct vs_version_range *b = right;
    return (a->from > b->from) - (a->from < b->from);
}

void vs_kept_set_finish(struct vs_kept_set *kept)
{
    qsort(kept->range, kept->count, sizeof *kept->range, by_from);
    unsigned joined = 0;
    for (unsigned i = 1; i < kept->count; i++) {
        struct vs_version_range *last = &kept->range[joined];
        if (last->to == UINT64_MAX || kept->range[i].from <= last->to + 1) {
            last->to = kept->range[i].to > last->to ? kept->range[i].to : last->to;
        } else {
            kept->range[++joined] = kept->range[i];
        }
    }
    kept->count = joined + 1;
}

bool vs_kept_set_meets(const struct vs_kept_set *kept, uint64_t born, uint64_t died)
{
    if (kept->count == 0) {
        return born < died;
    }
    unsigned low = 0;
    unsigned high = kept->count; /* the first range ending at or after born is in [low, high] */
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (kept->range[middle].to < born) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < kept->count && kept->range[low].from < died && born < died;
}
