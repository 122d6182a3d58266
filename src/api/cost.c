/*
 * cost.c - what versions cost, and what holds the space of the file.
 */
#include "history/cost.h"

#include <string.h>

#include "api/handles.h"
#include "history/space_use.h"
#include "os/fault.h"

/* ---- roots ---- */

enum { COST_SIZE_MIN = sizeof(size_t) + sizeof(verso_root_id) };

/* List the roots that can be opened, from `from` on. */
static void list_roots(struct vs_store *store, verso_root_id from, verso_root_cost *costs,
                       size_t capacity, size_t *count)
{
    size_t filled = 0;
    uint64_t version = from == 0 ? 1 : from;
    for (; filled < capacity && vs_history_next(store, version, &version); version++) {
        verso_root_cost *cost = vs_element(costs, filled++);
        cost->root = version;
    }
    *count = filled;
}

/* Retained, open in a view, or not older than what is published: what stays when checkpoints have
 * passed. */
static verso_err gather_kept(struct vs_store *store, struct vs_version_set *kept)
{
    verso_err err = vs_store_refresh_kept(store);
    if (err == VERSO_OK) {
        err = vs_version_set_copy(kept, &store->kept.retained);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_join(kept, &store->kept.passing);
    }
    return err == VERSO_OK ? vs_version_set_drop(kept, store->tip.version + 1, UINT64_MAX) : err;
}

static verso_err fill_costs(struct vs_store *store, const struct vs_version_set *kept,
                            verso_root_cost *costs, size_t count)
{
    struct vs_costs counted = {0};
    const verso_root_cost *last = vs_element(costs, count - 1);
    verso_err err = vs_costs_count(store, kept, costs->root, last->root, &counted);
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        verso_root_cost *given = vs_element(costs, i);
        const struct vs_cost *cost = vs_costs_of(&counted, given->root);
        verso_root_cost full = {
            .size = given->size,
            .root = given->root,
            .own_bytes = cost->own << store->pages.page_shift,
            .before_bytes = cost->before << store->pages.page_shift,
            .after_bytes = cost->after << store->pages.page_shift,
        };
        memcpy(given, &full, given->size < sizeof full ? given->size : sizeof full);
    }
    vs_costs_clear(&counted);
    return err;
}

/* What is kept is gathered first: so a root that is published meanwhile belongs to it. */
static verso_err list_with_costs(struct vs_store *store, verso_root_id from, verso_root_cost *costs,
                                 size_t capacity, size_t *count)
{
    struct vs_version_set kept = {NULL, 0, 0};
    verso_err err = gather_kept(store, &kept);
    if (err == VERSO_OK) {
        list_roots(store, from, costs, capacity, count);
    }
    if (err == VERSO_OK && *count > 0) {
        err = fill_costs(store, &kept, costs, *count);
    }
    vs_version_set_clear(&kept);
    return err;
}

verso_err verso_root_costs(verso_store *store, verso_root_id from, verso_root_cost *costs,
                           size_t capacity, size_t *count)
{
    if (store == NULL || count == NULL || (costs == NULL && capacity > 0)) {
        return vs_fault(VERSO_INVALID, "verso_root_costs: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err == VERSO_OK) {
        err = vs_check_elements(costs, capacity, COST_SIZE_MIN, "verso_root_costs");
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    size_t filled = 0;
    vs_fair_lock_take(&inner->writer_lock);
    err = list_with_costs(inner, from, costs, capacity, &filled);
    vs_fair_lock_release(&inner->writer_lock);
    if (err == VERSO_OK) {
        *count = filled;
    }
    return err;
}

/* ---- the file ---- */

static void fill_report(const struct vs_store *store, const struct vs_space_use *use,
                        verso_space_report *report)
{
    unsigned shift = store->pages.page_shift;
    report->live_bytes = use->live << shift;
    report->history_bytes = use->history << shift;
    report->tag_bytes = use->tags << shift;
    report->reader_bytes = use->readers << shift;
    report->passing_bytes = use->passing << shift;
    report->free_bytes = use->free << shift;
    report->fixed_bytes = use->fixed << shift;
    report->ahead_bytes = use->ahead << shift;
    report->file_bytes = (use->live + use->history + use->tags + use->readers + use->passing +
                          use->free + use->fixed + use->ahead)
                         << shift;
}

verso_err verso_space(verso_store *store, verso_space_report *report)
{
    if (store == NULL || report == NULL || report->size != sizeof *report) {
        return vs_fault(VERSO_INVALID, "verso_space: an argument is NULL or has no size");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    struct vs_space_use use;
    vs_fair_lock_take(&inner->writer_lock);
    err = vs_space_use_count(inner, &use);
    vs_fair_lock_release(&inner->writer_lock);
    if (err == VERSO_OK) {
        fill_report(inner, &use, report);
    }
    return err;
}
