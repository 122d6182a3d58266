/*
 * scheduler.h - runs a few threads of the engine one at a time, in every order that matters.
 *
 * A scenario is a world and up to four threads in it. Each runs until it comes to a point
 * (os/turns.h), blocks or ends; there the scheduler decides who goes on. Whose turn ends though it
 * could go on is *preempted*. scheduler_all() runs the scenario once for every schedule with so
 * many preemptions or fewer: first the one without any, then, by walking the tree of decisions
 * depth first, all others. The same decisions make the same run, so a schedule can be repeated.
 *
 *     thread 0   ====.   ,=========.       preempted once, then thread 1 blocks,
 *     thread 1        `=='          `===   and goes on at the end
 *
 * A wait with a limit of time may end at any point, which counts as a preemption, and ends when
 * nobody else can go on. If nobody can go on at all, the engine is deadlocked: a failure.
 *
 * What is seen is what sequentially consistent memory shows: whether weaker orders suffice is for
 * the review (docs/threads.md) and the thread sanitiser.
 */
#ifndef VERSO_TESTS_SCHEDULER_H
#define VERSO_TESTS_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

enum { SCHEDULER_THREADS_MAX = 4 }; /* a scenario's own; the engine may start more */

struct scenario {
    const char *name;
    /** Make a world in which the threads run; no decision is made here. */
    void *(*begin)(void);
    unsigned thread_count;
    void (*thread[SCHEDULER_THREADS_MAX])(void *world);
    /** All are over: look whether the world is as it must be, and take it down. */
    void (*end)(void *world);
};

/** Run every schedule with at most so many preemptions. @return How many there are. */
uint64_t scheduler_all(const struct scenario *scenario, unsigned preemptions);

/** Run `runs` schedules, drawn from `seed`, with at most so many preemptions each. */
void scheduler_some(const struct scenario *scenario, unsigned preemptions, uint64_t runs,
                    uint64_t seed);

/**
 * Run the scenario once for each point of one thread, which is held there until all others are over.
 * None of them may wait for it: that is a failure. @return How many points there were.
 */
uint64_t scheduler_holding(const struct scenario *scenario, unsigned thread);

/**
 * Pass over these points (bits, 1 << point) in the running thread from now on: there it shares
 * nothing with others, and each decision less is a hundred schedules less. 0: over none. Returns
 * what was passed over before. Threads without turns: does nothing.
 */
uint64_t scheduler_pass_over(uint64_t points);

/** Demand something of the world. If it does not hold, print the schedule and abort. Any thread. */
void scheduler_must(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
