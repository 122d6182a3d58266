/*
 * scenario_judge.c - whether a store that met a fault keeps its promises; see scenario_judge.h.
 */
#include "scenario_judge.h"

#include <criterion/criterion.h>

static bool is_poisoned(const struct scenario_run *run)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(run->store, &stats), VERSO_OK);
    return stats.poisoned;
}

/* Writes are refused, reads go on: right, or saying what they cannot give. */
static const char *look_at_poisoned(struct scenario_run *run)
{
    verso_txn *txn;
    if (verso_begin(run->store, &txn) != VERSO_POISONED) {
        return "a poisoned handle began a transaction";
    }
    if (verso_checkpoint(run->store) == VERSO_OK) {
        return "a poisoned handle made a checkpoint";
    }
    verso_view *view;
    if (verso_view_open(run->store, &view) != VERSO_OK) {
        return "a poisoned handle opens no view";
    }
    verso_slice value;
    verso_err err = verso_get(view, scenario_key(100), &value);
    verso_view_close(view);
    return err == VERSO_OK || err == VERSO_NOT_FOUND || err == VERSO_CORRUPT
               ? NULL
               : "a poisoned handle does not read";
}

/* What a power cut leaves now must be recovered. */
static const char *judge_power_cut(const struct scenario_run *run, uint64_t nth,
                                   const struct scenario_reference *reference)
{
    struct scenario_run left = *run;
    left.store = NULL;
    left.disk = simulated_disk_crash(
        run->disk, nth, nth % 2 == 0 ? SIMULATED_CRASH_RANDOM : SIMULATED_CRASH_ALL_OLD);
    const char *fault = scenario_work_on(&left, reference);
    if (left.store == NULL) { /* else the fault stopped it, and the test ends */
        simulated_disk_close(left.disk);
    }
    return fault;
}

const char *scenario_judge(struct scenario_run *run, uint64_t nth,
                           const struct scenario_reference *reference)
{
    const char *fault = run->path == NULL ? NULL : judge_power_cut(run, nth, reference);
    if (fault == NULL && run->store != NULL && is_poisoned(run)) {
        fault = look_at_poisoned(run);
        verso_err closed = verso_close(run->store); /* it may say so, too */
        (void)closed;
        run->store = NULL;
    }
    return fault == NULL ? scenario_work_on(run, reference) : fault;
}
