/*
 * retention.c - the calls that say which roots are kept.
 */
#include <string.h>

#include "api/handles.h"
#include "format/retention.h"
#include "history/budget.h"
#include "history/history.h"
#include "history/keeping.h"
#include "history/retention.h"
#include "history/trial.h"
#include "os/fault.h"

enum { DEFAULT_LAST = 100, DEFAULT_PERCENT = 100 };

#define DEFAULT_SPACING_US UINT64_C(1000000)
#define DEFAULT_BUDGET_BYTES (UINT64_C(64) << 20)

/* ---- policies ---- */

verso_retention verso_keep_default(void)
{
    return (verso_retention){
        .size = sizeof(verso_retention),
        .checkpoints = true,
        .last = DEFAULT_LAST,
        .class_count = 1,
        .classes = {{UINT64_MAX, DEFAULT_SPACING_US}},
        .has_budget = true,
        .budget_bytes = DEFAULT_BUDGET_BYTES,
        .budget_percent = DEFAULT_PERCENT,
    };
}

verso_retention verso_keep_all(void)
{
    return (verso_retention){.size = sizeof(verso_retention), .all = true, .last = 1};
}

verso_retention verso_keep_last(uint64_t last)
{
    return (verso_retention){.size = sizeof(verso_retention), .last = last == 0 ? 1 : last};
}

verso_err vs_retention_read(const verso_retention *given, verso_retention *policy)
{
    if (given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "retention: `size` is %zu; begin with verso_keep_default()",
                        given->size);
    }
    *policy = (verso_retention){0};
    memcpy(policy, given, given->size < sizeof *policy ? given->size : sizeof *policy);
    policy->size = sizeof *policy;
    const char *fault = vs_retention_fault(policy);
    return fault == NULL ? VERSO_OK : vs_fault(VERSO_INVALID, "retention: %s", fault);
}

/* ---- calls ---- */

verso_err verso_retention_get(verso_store *store, verso_retention *given)
{
    if (store == NULL || given == NULL || given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_retention_get: an argument is NULL or has no size");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    verso_retention policy = vs_retained_policy(&store->store->retained);
    policy.size = given->size;
    memcpy(given, &policy, given->size < sizeof policy ? given->size : sizeof policy);
    return VERSO_OK;
}

static verso_err set_policy(struct vs_store *store, const verso_retention *policy)
{
    uint8_t bytes[VS_RETENTION_MAX];
    struct vs_operation operation = {.kind = VS_OPERATION_SET_RETENTION,
                                     .value = {bytes, vs_retention_encode(policy, bytes)}};
    verso_err err = vs_store_begin_setting(store);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t end_lsn;
    err = vs_keeping_do(store, &operation, &end_lsn);
    vs_store_end_setting(store);
    return err == VERSO_OK ? vs_store_wait(store, end_lsn, VERSO_DURABILITY_SYNC) : err;
}

verso_err verso_retention_set(verso_store *store, const verso_retention *given)
{
    if (store == NULL || given == NULL) {
        return vs_fault(VERSO_INVALID, "verso_retention_set: an argument is NULL");
    }
    verso_retention policy;
    verso_err err = vs_check_process(store);
    if (err == VERSO_OK) {
        err = vs_retention_read(given, &policy);
    }
    if (err == VERSO_OK) {
        err = set_policy(store->store, &policy);
    }
    if (err == VERSO_OK && !policy.all) {
        err = vs_retention_apply(store->store);
        if (err == VERSO_OK && policy.has_budget) {
            err = vs_budget_enforce_now(store->store);
        }
    }
    return err;
}

verso_err verso_retention_try(verso_store *store, const verso_retention *given,
                              verso_root_id *dropped, size_t capacity,
                              verso_retention_effect *effect)
{
    if (store == NULL || given == NULL || effect == NULL || (dropped == NULL && capacity > 0) ||
        effect->size < sizeof effect->size || effect->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_retention_try: an argument is NULL or has no size");
    }
    verso_retention policy;
    verso_err err = vs_check_process(store);
    if (err == VERSO_OK) {
        err = vs_retention_read(given, &policy);
    }
    struct vs_trial trial;
    if (err == VERSO_OK) {
        err = vs_trial_run(store->store, &policy, dropped, capacity, &trial);
    }
    if (err != VERSO_OK) {
        return err;
    }
    verso_retention_effect full = {
        .size = effect->size,
        .kept_roots = trial.kept_count,
        .dropped = trial.dropped_count,
        .freed_bytes = trial.freed_pages << store->store->pages.page_shift,
    };
    memcpy(effect, &full, effect->size < sizeof full ? effect->size : sizeof full);
    return VERSO_OK;
}
