/*
 * thread_test.c - threads of the engine's own.
 */
#include "os/thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* ---- the C library, where it refuses; its real functions have other names in them ---- */

static const char *refused; /* the function that fails; NULL: none */

static bool is_refused(const char *function)
{
    return refused != NULL && strcmp(refused, function) == 0;
}

extern int __real_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes);
int __wrap_pthread_attr_init(pthread_attr_t *attributes)
{
    return is_refused("init") ? ENOMEM : __real_pthread_attr_init(attributes);
}

extern int __real_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int __wrap_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size);
int __wrap_pthread_attr_setstacksize(pthread_attr_t *attributes, size_t size)
{
    return is_refused("size") ? EINVAL : __real_pthread_attr_setstacksize(attributes, size);
}

extern int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*work)(void *), void *argument)
{
    return is_refused("create") ? EAGAIN
                                : __real_pthread_create(thread, attributes, work, argument);
}

/* ---- a thread that tells what it has ---- */

static sigset_t mask_inside;
static _Atomic bool may_end;
static _Atomic bool handled;
static pthread_t handled_by;

static size_t stack_size;

static void *note_itself(void *unused)
{
    pthread_attr_t attributes;
    cr_assert_eq(pthread_getattr_np(pthread_self(), &attributes), 0);
    cr_assert_eq(pthread_attr_getstacksize(&attributes, &stack_size), 0);
    cr_assert_eq(pthread_attr_destroy(&attributes), 0);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &mask_inside), 0);
    while (!atomic_load(&may_end)) {
        (void)usleep(1000);
    }
    return unused;
}

static void note_handler(int number)
{
    (void)number;
    handled_by = pthread_self();
    atomic_store(&handled, true);
}

static void run_until_told(struct vs_thread *thread)
{
    atomic_store(&may_end, false);
    cr_assert_eq(vs_thread_start(thread, note_itself, NULL), VERSO_OK);
}

static void end(struct vs_thread *thread)
{
    atomic_store(&may_end, true);
    vs_thread_join(thread);
}

Test(thread, blocks_the_signals_that_are_for_the_host)
{
    static const int of_host[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGCHLD, SIGXFSZ};
    static const int of_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct vs_thread thread;
    run_until_told(&thread);
    end(&thread);
    for (size_t i = 0; i < sizeof of_host / sizeof of_host[0]; i++) {
        cr_assert(sigismember(&mask_inside, of_host[i]), "%s", strsignal(of_host[i]));
    }
    for (size_t i = 0; i < sizeof of_faults / sizeof of_faults[0]; i++) {
        cr_assert_not(sigismember(&mask_inside, of_faults[i]), "%s", strsignal(of_faults[i]));
    }
}

Test(thread, leaves_what_its_maker_blocks_as_it_was)
{
    sigset_t before;
    sigset_t after;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    struct vs_thread thread;
    run_until_told(&thread);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    for (int number = 1; number < 32; number++) {
        cr_assert_eq(sigismember(&before, number), sigismember(&after, number), "%d", number);
    }
    end(&thread);
}

/* As whoever waits in sigsuspend() or ppoll() has it: blocked but while he waits. */
Test(thread, takes_no_signal_while_the_host_blocks_it)
{
    struct sigaction action = {.sa_handler = note_handler};
    sigset_t usual;
    sigset_t one;
    cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
    struct vs_thread thread;
    run_until_told(&thread);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    cr_assert_eq(pthread_sigmask(SIG_BLOCK, &one, &usual), 0);
    cr_assert_eq(kill(getpid(), SIGUSR1), 0);
    (void)usleep(20 * 1000);
    cr_assert_not(atomic_load(&handled), "the signal was taken by another thread");
    (void)sigsuspend(&usual);
    cr_assert(atomic_load(&handled));
    cr_assert(pthread_equal(handled_by, pthread_self()));
    end(&thread);
}

/* As under `ulimit -s 128`. */
Test(thread, has_a_stack_of_its_own_size)
{
    pthread_attr_t attributes;
    cr_assert_eq(pthread_attr_init(&attributes), 0);
    cr_assert_eq(pthread_attr_setstacksize(&attributes, 128 * 1024), 0);
    cr_assert_eq(pthread_setattr_default_np(&attributes), 0);
    cr_assert_eq(pthread_attr_destroy(&attributes), 0);
    struct vs_thread thread;
    run_until_told(&thread);
    end(&thread);
    cr_assert_geq(stack_size, (size_t)512 * 1024);
}

Test(thread, that_cannot_be_started_is_reported_and_changes_no_mask)
{
    static const char *const functions[] = {"init", "size", "create"};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        struct vs_thread thread;
        sigset_t after;
        refused = functions[i];
        cr_assert_eq(vs_thread_start(&thread, note_itself, NULL), VERSO_NOMEM, "%s", refused);
        cr_assert_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
        cr_assert_not(sigismember(&after, SIGTERM), "%s", refused);
    }
}
