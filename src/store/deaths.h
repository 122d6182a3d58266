/*
 * deaths.h - pages that have died, waiting to be found free.
 *
 * `recent` is judged every few commits, in the order of the deaths. It is not looked at from the
 * version on from which all are kept: what waits for durability, or is one of the newest roots that
 * the policy keeps, costs nothing while it waits. What a reader, a checkpoint on disk or an older
 * root still keeps is parked and judged again when space is wanted; what does not fit there is left
 * to the sweep over the page table, which finds it by its descriptor.
 *
 * Threads: the holder of the writer lock.
 */
#ifndef VERSO_STORE_DEATHS_H
#define VERSO_STORE_DEATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "verso.h"

struct vs_death {
    uint64_t born;
    uint64_t died;
    vs_page_no page;
    bool history; /* born and died are generations */
};

struct vs_death_list {
    struct vs_death *death;
    size_t count;
    size_t capacity;
};

enum {
    VS_WAITING_MAX = 64 * 1024, /* recent ones that need not be looked at: 2 MiB */
    VS_PARKED_MAX = 512 * 1024, /* 16 MiB */
};

struct vs_deaths {
    struct vs_death_list recent; /* of versions, never of generations: died ascends */
    size_t judged;               /* so many of them at the front were judged */
    struct vs_death_list parked;
    size_t parked_at_judging; /* count left by the last round over the parked */
    size_t parked_next;       /* where that round goes on */
    bool round_under_way;
    uint32_t sweep_block;         /* where the sweep goes on */
    uint64_t swept_at_high_water; /* high-water mark when the last round began */
    bool sweep_under_way;
};

/** Room for `more` entries, so that pushing cannot fail. VERSO_NOMEM. */
verso_err vs_death_list_reserve(struct vs_death_list *list, size_t more);
void vs_death_list_clear(struct vs_death_list *list);

#endif
