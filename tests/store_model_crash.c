/*
 * store_model_crash.c - the lives of a store model's store: opening, closing, power cuts.
 *
 * A power cut is prepared, not waited for: after a drawn number of changes to the disk the hook
 * takes the disk as the cut would leave it and notes what was promised by then. The operations
 * under way go on; then the store is closed, its disk thrown away, and a store opened on the one
 * that was cut.
 *
 * What runs beside a checkpoint runs within the hook, between two of its writes: the writer lock is
 * free there, and the interleaving is the same in each run of a seed.
 */
#include "store_model_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/layout.h"

/* ---- power cuts ---- */

static void cut_power(void *argument, struct simulated_disk *disk,
                      const struct simulated_event *event)
{
    struct store_model *model = argument;
    struct cut *cut = &model->cut;
    if (!cut->armed || cut->left != NULL || !event->is_change || event->is_after != cut->after ||
        event->change < cut->change) {
        return;
    }
    cut->left = simulated_disk_crash(disk, cut->seed, cut->mode);
    cut->least = cut->mode == SIMULATED_CRASH_ALL_NEW && model->written > model->durable
                     ? model->written
                     : model->durable;
    cut->issued = model->roots.issued;
    cut->keeping = expected_keeping_copy(&model->roots.keeping);
}

/* Between two writes of a checkpoint to the fixed parts of the store file; what it writes to other
 * pages may belong to its freeze, when the writer has to wait. */
static void run_beside(struct store_model *model, const struct simulated_event *event)
{
    bool here = model->beside > 0 && strcmp(event->path, STORE_PATH) == 0 &&
                (event->kind == SIMULATED_SYNC ||
                 (event->kind == SIMULATED_WRITE &&
                  vs_layout_is_reserved(model->config.page_size,
                                        (vs_page_no)(event->offset / model->config.page_size))));
    while (here && model->beside > 0 && model->beside_fault == NULL && model_one_in(model, 2)) {
        unsigned left = model->beside - 1;
        model->beside = 0; /* nothing beside what runs beside */
        model->beside_fault = model_step_beside(model);
        model->beside = left;
    }
}

void model_on_event(void *argument, struct simulated_disk *disk,
                    const struct simulated_event *event)
{
    struct store_model *model = argument;
    run_beside(model, event);
    if (event->is_change && !event->is_after && event->change % 61 == 0) {
        simulated_disk_write_back(disk, model->config.seed + event->change);
    }
    cut_power(argument, disk, event);
}

void model_arm_cut(struct store_model *model)
{
    const enum simulated_crash modes[] = {SIMULATED_CRASH_ALL_OLD, SIMULATED_CRASH_ALL_NEW,
                                          SIMULATED_CRASH_RANDOM,  SIMULATED_CRASH_RANDOM,
                                          SIMULATED_CRASH_ONE_NEW, SIMULATED_CRASH_ONE_OLD,
                                          SIMULATED_CRASH_TORN};
    uint64_t reach = UINT64_C(1) << model_below(model, 8);
    model->cut = (struct cut){
        .armed = true,
        .after = model_below(model, 2) == 0,
        .change = simulated_disk_changes(model->disk) + 1 + model_below(model, reach),
        .seed = simulated_random_next(&model->random),
        .mode = modes[model_below(model, 7)],
    };
}

/* ---- opening and closing ---- */

verso_err model_open_store(struct store_model *model)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = model->config.page_size;
    options.retention = &model->config.policy;
    options.durability = model->config.durability;
    options.arena_bytes = model->config.arena_bytes;
    options.log_bytes = model->config.log_bytes;
    options.system = simulated_disk_os(model->disk);
    verso_err err =
        verso_open(model->config.in_memory ? NULL : STORE_PATH, &options, &model->store);
    model->roots.keeping.checkpoints = 0;
    uint64_t frames = model->config.arena_bytes / model->config.page_size;
    if (err == VERSO_OK && frames < model->store->store->arena_limit) {
        model->store->store->arena_limit = frames; /* fewer than verso_open() allows */
    }
    return err;
}

void model_close_views(struct store_model *model)
{
    while (model->held_count > 0) {
        struct held *held = &model->held[--model->held_count];
        expected_keeping_close(&model->roots.keeping, held->version);
        verso_view_close(held->view);
    }
}

/* The disk is thrown away for the one that the power cut left. */
const char *model_recover(struct store_model *model)
{
    struct cut cut = model->cut;
    model_close_views(model);
    verso_err err = verso_close(model->store);
    model->store = NULL;
    if (err != VERSO_OK) {
        simulated_disk_close(cut.left);
        expected_keeping_clear(&cut.keeping);
        return model_failed(model, "closing before the crash", err);
    }
    simulated_disk_close(model->disk);
    model->disk = cut.left;
    model->cut = (struct cut){.armed = false};
    simulated_disk_set_hook(model->disk, model_on_event, model);
    expected_keeping_clear(&model->roots.keeping);
    model->roots.keeping = cut.keeping;
    expected_forget_after(&model->roots, cut.issued);
    if (model_one_in(model,
                     3)) { /* a second cut, perhaps within the recovery: nothing may be lost */
        model->durable = cut.least;
        model->written = cut.least;
        model_arm_cut(model);
    }
    err = model_open_store(model);
    if (err != VERSO_OK) {
        return model_failed(model, "opening after a crash", err);
    }
    const char *fault =
        expected_compare_recovered(&model->roots, model->store, cut.least, &model->random);
    if (fault != NULL) {
        char what[80];
        snprintf(what, sizeof what, "after a crash of mode %d", (int)cut.mode);
        return model_within(model, what, fault);
    }
    model->durable = model->roots.issued;
    model->written = model->roots.issued;
    fault = model_copies_recovered(&model->roots, model->disk);
    model_copies_remove(&model->mirror, model->disk);
    return model_within(model, "a copy after a crash", fault);
}

/* A file beside the store that is no copy. */
static const char *left_companion(struct simulated_disk *disk)
{
    const char *path;
    for (size_t index = 0; (path = simulated_disk_path(disk, index)) != NULL; index++) {
        if (strncmp(path, STORE_PATH "-", strlen(STORE_PATH "-")) == 0) {
            return path;
        }
    }
    return NULL;
}

const char *model_reopen(struct store_model *model)
{
    model_close_views(model);
    verso_err err = verso_close(model->store);
    model->store = NULL;
    if (err != VERSO_OK) {
        return model_failed(model, "closing", err);
    }
    if (simulated_disk_open_files(model->disk) != 0) {
        return "closing left files open";
    }
    if (model->config.in_memory) {
        model_copies_remove(&model->mirror, model->disk);
        expected_roots_clear(&model->roots);
        expected_roots_init(&model->roots, &model->config.policy);
    }
    model->durable = model->roots.issued;
    model->written = model->roots.issued;
    if (model->cut.left != NULL) {
        err = model_open_store(model);
        return err == VERSO_OK ? NULL : model_failed(model, "opening again", err);
    }
    const char *companion = left_companion(model->disk);
    if (companion != NULL) {
        return model_within(model, "closing left a companion file", companion);
    }
    err = model_open_store(model);
    if (err != VERSO_OK) {
        return model_failed(model, "opening again", err);
    }
    return model_within(model, "opened again",
                        expected_compare_recovered(&model->roots, model->store, model->roots.issued,
                                                   &model->random));
}
