/*
 * inner_sweep_test.c - every call from the upper floors into the store floor fails in every scenario,
 * as it does where a page is damaged, memory is short or the disk is full at that very moment. The
 * failure comes up, nothing acknowledged is lost, nothing leaks, and a handle that was not poisoned
 * works on.
 *
 * Points that are met often fail the first VERSO_TEST_OCCURRENCES times one by one, and then ever
 * more seldom. Of all these runs every VERSO_INNER_STRIDE-th is made: 1 makes all of them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "failing_calls.h"
#include "run_length.h"
#include "scenario_judge.h"

enum { USUAL_STRIDE = 4 };

/* What is injected, and what may follow from it. */
static bool is_plausible(verso_err err)
{
    return err == VERSO_OK || err == VERSO_CORRUPT || err == VERSO_NOMEM || err == VERSO_NOSPC ||
           err == VERSO_MUST_ABORT || err == VERSO_UNKNOWN || err == VERSO_POISONED;
}

/* Of a point's site, as addr2line takes it. */
static ptrdiff_t offset_of(const struct failing_point *point)
{
    extern const char __executable_start[]; /* the linker's */
    return (const char *)point->site - __executable_start;
}

static void fail_one(const struct scenario *scenario, struct simulated_disk *made,
                     const struct scenario_reference *reference, const struct failing_point *point,
                     uint64_t nth)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    struct scenario_run run = scenario_begin(scenario, disk);
    run.again = true;
    failing_calls_arm(point, nth);
    verso_err err = scenario_play(scenario, &run);
    cr_assert(failing_calls_disarm(), "%s, %s() %" PRIu64 " from %#tx was not met", scenario->name,
              point->call, nth, offset_of(point));
    cr_assert(is_plausible(err), "%s, %s() %" PRIu64 " from %#tx: %s (%s)", scenario->name,
              point->call, nth, offset_of(point), verso_strerror(err), verso_error_detail());
    cr_assert(err != VERSO_OK || run.seen == reference->seen,
              "%s, %s() %" PRIu64 " from %#tx: it read something else", scenario->name, point->call,
              nth, point->site);
    const char *fault = scenario_judge(&run, nth, reference);
    cr_assert(fault == NULL, "%s, %s() %" PRIu64 " from %#tx failed (%s), then: %s", scenario->name,
              point->call, nth, offset_of(point), verso_strerror(err), fault);
    simulated_disk_close(disk);
}

/* The points of a scenario, met without faults. The caller frees them. */
static struct failing_point *points_of(const struct scenario *scenario, struct simulated_disk *made,
                                       size_t *count)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    struct scenario_run run = scenario_begin(scenario, disk);
    failing_calls_record();
    verso_err err = scenario_play(scenario, &run);
    const struct failing_point *recorded;
    *count = failing_calls_recorded(&recorded);
    cr_assert_eq(err, VERSO_OK);
    struct failing_point *points = calloc(*count + 1, sizeof *points);
    cr_assert_not_null(points);
    memcpy(points, recorded, *count * sizeof *points);
    cr_assert_eq(verso_close(run.store), VERSO_OK);
    simulated_disk_close(disk);
    return points;
}

/* @param[in,out] turn  Of all runs; every `stride`-th is made. */
static void fail_each(const struct scenario *scenario, uint64_t stride, uint64_t *turn)
{
    static struct scenario_reference reference;
    const uint64_t one_by_one = run_length("VERSO_TEST_OCCURRENCES", 3);
    struct simulated_disk *made = scenario_disk(scenario->start);
    scenario_refer(scenario, made, &reference);
    size_t count;
    struct failing_point *points = points_of(scenario, made, &count);
    for (size_t i = 0; i < count; i++) {
        for (uint64_t nth = 1; nth <= points[i].met; nth += 1 + nth / one_by_one) {
            if ((*turn)++ % stride == 0) {
                fail_one(scenario, made, &reference, &points[i], nth);
            }
        }
    }
    free(points);
    simulated_disk_close(made);
}

static void fail_all(const struct scenario *scenarios, size_t count)
{
    const uint64_t stride = run_length("VERSO_INNER_STRIDE", USUAL_STRIDE);
    uint64_t turn = 0;
    for (size_t i = 0; i < count; i++) {
        fail_each(&scenarios[i], stride, &turn);
    }
    run_count("inner_failures", (turn + stride - 1) / stride);
}

Test(inner_sweep, changes_survive_every_call_that_fails_below_them)
{
    fail_all(scenario_changes, scenario_change_count);
}

Test(inner_sweep, readings_survive_every_call_that_fails_below_them)
{
    fail_all(scenario_readings, scenario_reading_count);
}
