/*
 * store_model.c - what a run of the store model is like, and its steps one after the other.
 */
#include "store_model_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_kept.h"
#include "model_keeping.h"

uint64_t model_below(struct store_model *model, uint64_t bound)
{
    return simulated_random_below(&model->random, bound);
}

bool model_one_in(struct store_model *model, unsigned n)
{
    return n > 0 && model_below(model, n) == 0;
}

const char *model_failed(struct store_model *model, const char *what, verso_err err)
{
    snprintf(model->fault, sizeof model->fault, "%s: %s (%s)", what, verso_strerror(err),
             verso_error_detail());
    return model->fault;
}

const char *model_within(struct store_model *model, const char *what, const char *fault)
{
    if (fault == NULL) {
        return NULL;
    }
    char copy[700];
    snprintf(copy, sizeof copy, "%s", fault);
    snprintf(model->fault, sizeof model->fault, "%s: %s", what, copy);
    return model->fault;
}

/* ---- drawing a run ---- */

struct store_model_config store_model_draw(uint64_t seed, uint32_t page_size)
{
    struct simulated_random random = {seed};
    struct store_model_config config = {.seed = seed, .page_size = page_size};
    config.in_memory = simulated_random_below(&random, 12) == 0;
    config.policy = model_policy_draw(&random);
    config.durability = simulated_random_below(&random, 2) == 0
                            ? VERSO_DURABILITY_SYNC
                            : (verso_durability)(1 + simulated_random_below(&random, 3));
    config.arena_bytes = (uint64_t)page_size * 256 * (1 + simulated_random_below(&random, 8));
    config.log_bytes = UINT64_C(65536) << simulated_random_below(&random, 4);
    config.keys = (enum page_keys)simulated_random_below(&random, PAGE_KEYS_ANY + 1);
    const size_t values[] = {0, 20, 100, 400, 3000};
    config.value_max = values[simulated_random_below(&random, 5)];
    const unsigned longs[] = {0, 0, 8, 40};
    config.long_one_in = longs[simulated_random_below(&random, 4)];
    const size_t long_values[] = {5000, 40000, 400000};
    config.long_value_max = long_values[simulated_random_below(&random, 3)];
    const size_t targets[] = {20, 150, 600, 2000};
    config.keys_target = targets[simulated_random_below(&random, 4)];
    const unsigned changes[] = {1, 4, 20, 100};
    config.changes_max = changes[simulated_random_below(&random, 4)];
    config.large_one_in = simulated_random_below(&random, 2) == 0 ? 0 : 30;
    for (unsigned step = 0; step < STORE_MODEL_STEPS; step++) {
        const unsigned weights[] = {0, 1, 3, 10};
        config.weight[step] = weights[simulated_random_below(&random, 4)];
    }
    const unsigned savepoints[] = {0, 0, 6, 40};
    config.savepoint_one_in = savepoints[simulated_random_below(&random, 4)];
    config.sorted_max = SORTED_MAX;
    const unsigned reverts[] = {0, 0, 30, 200};
    config.revert_one_in = reverts[simulated_random_below(&random, 4)];
    const unsigned trees[] = {0, 0, 2, 8};
    config.tree_one_in = trees[simulated_random_below(&random, 4)];
    config.weight[STORE_MODEL_TRANSACTION] += 30;
    config.weight[STORE_MODEL_READ] += 5;
    config.weight[STORE_MODEL_CHECK] += 1;
    return config;
}

struct store_model *store_model_open(const struct store_model_config *config)
{
    struct store_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        abort();
    }
    model->config = *config;
    model->random.state = config->seed;
    model->value = malloc(VALUE_MAX);
    if (model->value == NULL) {
        abort();
    }
    expected_roots_init(&model->roots, &config->policy);
    model->disk = simulated_disk_open(config->seed);
    simulated_disk_set_any_subset(model->disk, config->seed % 2 == 0);
    simulated_disk_set_hook(model->disk, model_on_event, model);
    return model;
}

/* ---- steps ---- */

const char *model_step_beside(struct store_model *model)
{
    struct store_model_config config = model->config;
    model->config.changes_max = 4; /* see model_checkpoint_beside() */
    model->config.large_one_in = 0;
    model->config.long_one_in = 0;
    model->config.revert_one_in = 0;
    model->config.sorted_max =
        4; /* more, with long values, could outgrow the log: that waits too */
    const char *fault;
    switch (model_below(model, 6)) {
    case 0:
    case 1:
        fault = model_hold_or_let_go(model);
        break;
    case 2:
        fault = model_read(model);
        break;
    case 3:
        fault = model_one_in(model, 2) ? model_retain(model) : model_tag(model);
        break;
    default:
        fault = model_transaction(model);
        break;
    }
    model->config = config;
    return fault != NULL ? fault : expected_observe(&model->roots.keeping, model->store, false);
}

static enum store_model_step draw_step(struct store_model *model)
{
    unsigned sum = 0;
    for (unsigned step = 0; step < STORE_MODEL_STEPS; step++) {
        sum += model->config.weight[step];
    }
    uint64_t drawn = model_below(model, sum);
    unsigned step = 0;
    while (drawn >= model->config.weight[step]) {
        drawn -= model->config.weight[step++];
    }
    return (enum store_model_step)step;
}

static const char *copy(struct store_model *model)
{
    return model_within(model, "a copy",
                        model_copy_step(&model->roots, model->store, model->disk, &model->random));
}

static const char *follow(struct store_model *model)
{
    return model_within(model, "a mirror",
                        model_mirror_step(&model->mirror, &model->roots, model->store, model->disk,
                                          &model->random));
}

static const char *run_step(struct store_model *model, enum store_model_step step)
{
    switch (step) {
    case STORE_MODEL_TRANSACTION:
        return model_transaction(model);
    case STORE_MODEL_READ:
        return model_read(model);
    case STORE_MODEL_HOLD:
        return model_hold_or_let_go(model);
    case STORE_MODEL_COMPARE:
        return model_compare_root(model);
    case STORE_MODEL_HISTORY:
        return model_compare_history(model);
    case STORE_MODEL_SYNC:
        return model_sync(model);
    case STORE_MODEL_CHECKPOINT:
        return model_checkpoint(model);
    case STORE_MODEL_BESIDE:
        return model_checkpoint_beside(model);
    case STORE_MODEL_RETAIN:
        return model_retain(model);
    case STORE_MODEL_TAG:
        return model_tag(model);
    case STORE_MODEL_OPEN:
        return model_within(model, "opening a root otherwise",
                            model_open_otherwise(&model->roots, model->store, &model->random));
    case STORE_MODEL_COPY:
        return model_one_in(model, 4) ? copy(model) : NULL;
    case STORE_MODEL_MIRROR:
        return model_one_in(model, 2) ? follow(model) : NULL;
    case STORE_MODEL_CHECK:
        return expected_check(model->store);
    case STORE_MODEL_REOPEN:
        return model_one_in(model, 4) ? model_reopen(model) : NULL;
    case STORE_MODEL_CRASH:
        if (!model->cut.armed && !model->config.in_memory) {
            model_arm_cut(model);
        }
        return NULL;
    case STORE_MODEL_STEPS:
        break;
    }
    return "no such step";
}

/* Ages count from the clock, which stands still within a step but for its ticks. */
static void pass_time(struct store_model *model)
{
    int64_t us = model_time_draw(&model->random);
    const struct vs_os *os = simulated_disk_os(model->disk);
    simulated_disk_advance(model->disk, us);
    model->roots.keeping.clock_us = os->clock_us(os);
}

const char *store_model_step(struct store_model *model)
{
    if (model->store == NULL) {
        verso_err err = model_open_store(model);
        if (err != VERSO_OK) {
            return model_failed(model, "the first open", err);
        }
    }
    pass_time(model);
    model->operations++;
    const char *fault = run_step(model, draw_step(model));
    if (fault == NULL) {
        fault = expected_observe(&model->roots.keeping, model->store, false);
    }
    while (fault == NULL && model->cut.left != NULL) {
        fault = model_recover(model);
    }
    return fault;
}

uint64_t store_model_operations(const struct store_model *model)
{
    return model->operations;
}

const char *store_model_finish(struct store_model *model)
{
    const char *fault = expected_check(model->store);
    if (fault == NULL) {
        fault = expected_compare_store(&model->roots, model->store, &model->random);
    }
    for (unsigned i = 0; i < model->held_count && fault == NULL; i++) {
        fault = expected_compare_view(&model->roots, model->held[i].view, model->held[i].version,
                                      &model->random);
    }
    model->cut.armed = false;
    return fault == NULL ? model_reopen(model) : fault;
}

const char *store_model_close(struct store_model *model)
{
    const char *fault = NULL;
    model_close_views(model);
    if (verso_close(model->store) != VERSO_OK) {
        fault = "the last close failed";
    }
    if (simulated_disk_open_files(model->disk) == 0) {
        simulated_disk_close(model->disk);
    }
    simulated_disk_close(model->cut.left);
    expected_keeping_clear(&model->cut.keeping);
    expected_roots_clear(&model->roots);
    free(model->value);
    free(model);
    return fault;
}
