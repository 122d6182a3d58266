/*
 * thread.h - the system's number of the running thread.
 */
#ifndef VERSO_OS_THREAD_H
#define VERSO_OS_THREAD_H

#include <stdint.h>

/** As gettid() says on Linux, elsewhere 0. A system call at a thread's first question only. */
uint64_t vs_thread_id(void);

#endif
