/*
 * meanwhile.h - does at one point of the engine (os/turns.h) what another thread might do just there.
 *
 * So a race of two threads is one call inside another, the same in every run. Builds without points
 * cannot: a test asks need_points() first.
 * Threads: one.
 */
#ifndef VERSO_TESTS_MEANWHILE_H
#define VERSO_TESTS_MEANWHILE_H

#include <stdbool.h>

#include "os/turns.h"

/** Skip the test in a build without points. */
void need_points(void);

/** The `nth` time (1: the next) that this thread comes to the point, `act` runs, itself without points. */
void meanwhile_at(enum vs_point point, unsigned nth, void (*act)(void *argument), void *argument);

/** Do so no more. @return Whether it has been done. */
bool meanwhile_done(void);

#endif
