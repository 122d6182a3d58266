/*
 * thread.h - a thread of the engine's own, and the system's number of the running one.
 */
#ifndef VERSO_OS_THREAD_H
#define VERSO_OS_THREAD_H

#include <pthread.h>
#include <stdint.h>

#include "verso.h"

struct vs_thread {
    pthread_t thread;
};

/** Run `work` in a thread of its own, which vs_thread_join() ends, with the host's signals blocked.
 *  VERSO_NOMEM. */
verso_err vs_thread_start(struct vs_thread *thread, void *(*work)(void *), void *argument);

/** Wait until its work is over. */
void vs_thread_join(struct vs_thread *thread);

/** Let other threads run, if any can. */
void vs_thread_give_way(void);

/** As gettid() says on Linux, elsewhere 0. A system call at a thread's first question only. */
uint64_t vs_thread_id(void);

#endif
