/*
 * thread.c - starting threads, deaf to signals, and the thread's number, asked for once a thread; see
 * thread.h.
 */
#include "os/thread.h"

#include <sched.h>
#include <signal.h>

#include "os/fault.h"
#include "os/turns.h"

/* A checkpoint takes up to 128 KiB. What a thread gets by itself may be less: 128 KiB from some C
 * libraries, whatever `ulimit -s` says from others. */
enum { STACK_BYTES = 1 << 20 };

static int create(pthread_t *thread, void *(*work)(void *), void *argument)
{
    pthread_attr_t attributes;
    int result = pthread_attr_init(&attributes);
    if (result != 0) {
        return result;
    }
    result = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (result == 0) {
        result = pthread_create(thread, &attributes, work, argument);
    }
    (void)pthread_attr_destroy(&attributes);
    return result;
}

/* Signals are for the host's threads: a handler of its own that ran here would interrupt nothing that
 * the host waits in. Those that a thread sends to itself by a fault stay as they are. */
static void block_signals(sigset_t *before)
{
    static const int of_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t blocked;
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof of_faults / sizeof of_faults[0]; i++) {
        sigdelset(&blocked, of_faults[i]);
    }
    pthread_sigmask(SIG_BLOCK, &blocked, before);
}

verso_err vs_thread_start(struct vs_thread *thread, void *(*work)(void *), void *argument)
{
    struct vs_turns *turns = vs_turns_here();
    if (turns != NULL) {
        return turns->start(turns, thread, work, argument);
    }
    sigset_t before; /* the new thread inherits what is blocked */
    block_signals(&before);
    int result = create(&thread->thread, work, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0 ? VERSO_OK : vs_fault(VERSO_NOMEM, "cannot start a thread");
}

void vs_thread_join(struct vs_thread *thread)
{
    struct vs_turns *turns = vs_turns_here();
    if (turns != NULL) {
        turns->join(turns, thread);
    } else {
        pthread_join(thread->thread, NULL);
    }
}

void vs_thread_give_way(void)
{
    if (vs_turns_here() != NULL) {
        vs_turn(VS_POINT_GIVE_WAY);
    } else {
        sched_yield();
    }
}

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
