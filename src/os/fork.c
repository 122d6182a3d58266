/*
 * fork.c - the counter that a child of fork() raises in itself; see fork.h.
 */
#include "os/fork.h"

#include <pthread.h>

_Atomic uint32_t vs_forks;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    /* relaxed: the child has one thread yet */
    atomic_fetch_add_explicit(&vs_forks, 1, memory_order_relaxed);
}

static void watch(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

void vs_fork_watch(void)
{
    pthread_once(&once, watch);
}
