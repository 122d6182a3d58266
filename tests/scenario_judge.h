/*
 * scenario_judge.h - what a scenario that met a fault must leave: on its handle, and after a power
 * cut at that moment.
 */
#ifndef VERSO_TESTS_SCENARIO_JUDGE_H
#define VERSO_TESTS_SCENARIO_JUDGE_H

#include "api_scenarios.h"

/**
 * A power cut now leaves what recovery needs (scenario_work_on()), unless the store is in memory. A poisoned handle refuses writes
 * and reads on, a sound one works on. No fault may be due any more. At the end no store is open.
 *
 * @param nth  Chooses among the power cuts.
 * @return NULL, or what is wrong.
 */
const char *scenario_judge(struct scenario_run *run, uint64_t nth,
                           const struct scenario_reference *reference);

#endif
