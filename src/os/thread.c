/*
 * thread.c - the thread's number, asked for once a thread; see thread.h.
 */
#include "os/thread.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

#include "os/fork.h"

uint64_t vs_thread_id(void)
{
    static _Thread_local uint64_t id;
    static _Thread_local uint32_t forks; /* when it was asked for: a child's thread has another */
    if (id == 0 || forks != vs_fork_count()) {
        id = (uint64_t)syscall(SYS_gettid); /* never fails */
        forks = vs_fork_count();
    }
    return id;
}

#else

uint64_t vs_thread_id(void)
{
    return 0;
}

#endif
