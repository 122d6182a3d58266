/*
 * fork.h - has this process been forked off since a store was opened?
 *
 * A child shares the parent's file descriptions and copies its memory, but not its threads: a store
 * handle must not be used in it. A counter that only children raise tells, at the price of one
 * load.
 */
#ifndef VERSO_OS_FORK_H
#define VERSO_OS_FORK_H

#include <stdatomic.h>
#include <stdint.h>

/** Forks between the process that first asked and this one; not to be written elsewhere. */
extern _Atomic uint32_t vs_forks;

/** Begin counting; at each opening of a store. */
void vs_fork_watch(void);

static inline uint32_t vs_fork_count(void)
{
    /* relaxed: whoever raised it was the only thread of its process */
    return atomic_load_explicit(&vs_forks, memory_order_relaxed);
}

#endif
