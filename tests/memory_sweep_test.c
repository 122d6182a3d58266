/*
 * memory_sweep_test.c - every allocation of every scenario fails, each alone, and each with all that
 * come after it: VERSO_NOMEM or success, nothing leaks, the store is as it was and works on.
 *
 * VERSO_SWEEP_STRIDE (default 1) sets how many allocations are passed over.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "api_scenarios.h"
#include "failing_memory.h"
#include "run_length.h"

enum { ALLOCATIONS_MAX = 20000 };

/* What a run with failing memory may end in. */
static void judge_end(const struct scenario *scenario, const struct scenario_run *run,
                      const struct scenario_reference *reference, verso_err err, uint64_t nth)
{
    cr_assert(err == VERSO_OK || err == VERSO_NOMEM, "%s, allocation %" PRIu64 ": %s (%s)",
              scenario->name, nth, verso_strerror(err), verso_error_detail());
    cr_assert(err != VERSO_OK || run->seen == reference->seen,
              "%s, allocation %" PRIu64 ": it read something else", scenario->name, nth);
}

/* @return Whether an allocation failed. */
static bool fail_one(const struct scenario *scenario, struct simulated_disk *made,
                     const struct scenario_reference *reference, uint64_t nth, bool for_ever)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    int64_t held = failing_memory_held();
    struct scenario_run run = scenario_begin(scenario, disk);
    run.again = !for_ever;
    failing_memory_arm(nth, for_ever);
    verso_err err = scenario_play(scenario, &run);
    bool failed = failing_memory_disarm() > 0;
    judge_end(scenario, &run, reference, err, nth);
    const char *fault = scenario_work_on(&run, reference);
    cr_assert(fault == NULL, "%s, allocation %" PRIu64 "%s failed (%s), then: %s", scenario->name,
              nth, for_ever ? " and all after it" : "", verso_strerror(err), fault);
    cr_assert_eq(failing_memory_held(), held, "%s, allocation %" PRIu64 ": %" PRId64 " leaked",
                 scenario->name, nth, failing_memory_held() - held);
    simulated_disk_close(disk);
    return failed;
}

static void fail_each(const struct scenario *scenario)
{
    static struct scenario_reference reference;
    uint64_t stride = run_stride("VERSO_SWEEP_STRIDE", 1);
    struct simulated_disk *made = scenario_disk(scenario->start);
    scenario_refer(scenario, made, &reference);
    for (unsigned for_ever = 0; for_ever < 2; for_ever++) {
        uint64_t nth = 1;
        while (fail_one(scenario, made, &reference, nth, for_ever)) {
            nth += stride;
            cr_assert_lt(nth, ALLOCATIONS_MAX);
        }
    }
    simulated_disk_close(made);
}

Test(memory_sweep, changes_fail_cleanly_at_every_allocation)
{
    for (size_t i = 0; i < scenario_change_count; i++) {
        fail_each(&scenario_changes[i]);
    }
}

Test(memory_sweep, readings_fail_cleanly_at_every_allocation)
{
    for (size_t i = 0; i < scenario_reading_count; i++) {
        fail_each(&scenario_readings[i]);
    }
}
