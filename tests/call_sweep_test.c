/*
 * call_sweep_test.c - every call of the system that a scenario makes fails: reads, writes, growth,
 * syncs, names, locks, mappings; each alone, in pairs with one of the three behind it, and with all
 * that come after it. What was acknowledged stays, on the handle and after a power cut; a handle
 * that was not poisoned works on.
 *
 * VERSO_SWEEP_STRIDE (default 1 for single faults, 7 for pairs) sets how many places are passed
 * over: 1 plays all of them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "run_length.h"
#include "scenario_judge.h"

enum { CALLS_MAX = 20000, PAIR_STRIDE = 7, PAIR_DISTANCE_MAX = 3 };

struct failure {
    const char *name;
    enum simulated_kind kind; /* SIMULATED_ANY: all calls */
    enum simulated_effect effect;
    verso_err err;
    bool for_ever;
    unsigned distance; /* a second call fails so many calls later; 0: none */
};

/* ---- the judge ---- */

/* A failed call shows as what it is, or as what follows from it: an unknown outcome, poison. */
static bool is_plausible(verso_err err, const struct failure *failure)
{
    return err == VERSO_OK || err == failure->err || err == VERSO_UNKNOWN || err == VERSO_POISONED;
}

/* ---- the sweep ---- */

static void inject(struct simulated_disk *disk, uint64_t nth, const struct failure *failure)
{
    struct simulated_fault fault = {.kind = failure->kind,
                                    .nth = nth,
                                    .err = failure->err,
                                    .effect = failure->effect,
                                    .for_ever = failure->for_ever};
    simulated_disk_inject(disk, &fault);
    if (failure->distance > 0) {
        fault.nth = nth + failure->distance;
        simulated_disk_inject(disk, &fault);
    }
}

/* @return Whether the scenario met the fault. */
static bool fail_one(const struct scenario *scenario, struct simulated_disk *made,
                     const struct scenario_reference *reference, uint64_t nth,
                     const struct failure *failure)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    struct scenario_run run = scenario_begin(scenario, disk);
    run.again = !failure->for_ever;
    inject(disk, nth, failure);
    verso_err err = scenario_play(scenario, &run);
    bool met = simulated_disk_faults_met(disk) > 0;
    simulated_disk_heal(disk);
    cr_assert(is_plausible(err, failure), "%s, call %" PRIu64 " %s: %s (%s)", scenario->name, nth,
              failure->name, verso_strerror(err), verso_error_detail());
    cr_assert(err != VERSO_OK || run.seen == reference->seen,
              "%s, call %" PRIu64 " %s: it read something else", scenario->name, nth,
              failure->name);
    const char *fault = scenario_judge(&run, nth, reference);
    cr_assert(fault == NULL, "%s, call %" PRIu64 " %s (%s), then: %s", scenario->name, nth,
              failure->name, verso_strerror(err), fault);
    simulated_disk_close(disk);
    return met;
}

static unsigned stride(unsigned usual)
{
    return (unsigned)run_stride("VERSO_SWEEP_STRIDE", usual);
}

static void fail_each(const struct scenario *scenario, const struct failure *failure, unsigned step)
{
    static struct scenario_reference reference;
    if (scenario->start == SCENARIO_IN_MEMORY) {
        return; /* it makes no calls worth failing */
    }
    struct simulated_disk *made = scenario_disk(scenario->start);
    scenario_refer(scenario, made, &reference);
    uint64_t nth = 1;
    while (fail_one(scenario, made, &reference, nth, failure)) {
        nth += step;
        cr_assert_lt(nth, CALLS_MAX);
    }
    simulated_disk_close(made);
}

static void fail_all(const struct failure *failure, unsigned step)
{
    for (size_t i = 0; i < scenario_change_count; i++) {
        fail_each(&scenario_changes[i], failure, step);
    }
    for (size_t i = 0; i < scenario_reading_count; i++) {
        fail_each(&scenario_readings[i], failure, step);
    }
}

Test(call_sweep, a_call_that_fails_costs_nothing_acknowledged)
{
    fail_all(&(struct failure){.name = "failed", .err = VERSO_IO}, stride(1));
}

Test(call_sweep, a_call_that_fails_half_done_costs_nothing_acknowledged)
{
    struct failure failure = {
        .name = "failed half done", .err = VERSO_IO, .effect = SIMULATED_FAILS_PARTLY};
    fail_all(&failure, stride(1));
}

Test(call_sweep, a_sync_that_takes_writes_back_costs_nothing_acknowledged)
{
    struct failure failure = {.name = "took writes back",
                              .kind = SIMULATED_SYNC,
                              .err = VERSO_IO,
                              .effect = SIMULATED_FAILS_AND_REVERTS};
    fail_all(&failure, stride(1));
}

Test(call_sweep, a_disk_that_fills_up_costs_nothing_acknowledged)
{
    fail_all(&(struct failure){.name = "found no room", .err = VERSO_NOSPC}, stride(1));
}

Test(call_sweep, a_disk_that_is_gone_costs_nothing_acknowledged)
{
    struct failure failure = {.name = "and all after it failed", .err = VERSO_IO, .for_ever = true};
    fail_all(&failure, stride(1));
}

Test(call_sweep, two_calls_that_fail_cost_nothing_acknowledged)
{
    for (unsigned distance = 1; distance <= PAIR_DISTANCE_MAX; distance++) {
        struct failure failure = {
            .name = "and a second one failed", .err = VERSO_IO, .distance = distance};
        fail_all(&failure, stride(PAIR_STRIDE));
    }
}
