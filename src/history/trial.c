/*
 * trial.c - a policy at work on a copy of the retained set; see trial.h.
 */
#include "history/trial.h"

#include <stdlib.h>

#include "history/budget.h"
#include "history/page_survey.h"
#include "history/retention.h"
#include "os/fault.h"

enum { SLICE = 1024 }; /* roots judged at once */

/* What classes, checkpoints and the newest `last` keep. A root is judged by the next one, which in
 * its turn may be dropped for one after it in the same span: so judging all of them beside each
 * other gives what judging them one after the other does. */
static verso_err try_classes(struct vs_store *store, const verso_retention *policy,
                             struct vs_version_set *kept)
{
    struct vs_version_range *ranges = malloc(SLICE * sizeof *ranges);
    if (ranges == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to try a policy");
    }
    struct vs_retention_question question = vs_retention_ask(store, policy);
    uint64_t version = 1;
    verso_err err = VERSO_OK;
    while (version != 0 && err == VERSO_OK) {
        unsigned count;
        vs_retention_judge(&question, &version, SLICE, ranges, &count);
        err = vs_version_set_drop_ranges(kept, ranges, count);
    }
    free(ranges);
    return err;
}

static verso_err try_budget(struct vs_store *store, const verso_retention *policy,
                            struct vs_version_set *kept, bool *more)
{
    struct vs_holdings holdings = {0};
    uint64_t newest_from = 0;
    vs_version_set_newest(kept, store->tip.version, policy->last, &newest_from);
    verso_err err = vs_holdings_begin(&holdings, store, kept, newest_from);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_holdings_count(&holdings, store, kept, 0, vs_holdings_blocks(store));
    uint64_t allowed = vs_budget_pages(store, policy, holdings.live);
    *more = false;
    if (err == VERSO_OK && holdings.held > allowed) {
        struct vs_version_range *ranges = malloc((holdings.count + 1) * sizeof *ranges);
        unsigned count = 0;
        if (ranges == NULL) {
            err = vs_fault(VERSO_NOMEM, "no memory to try a policy");
        } else {
            uint64_t excess = vs_budget_excess(&holdings, allowed);
            uint64_t freed = vs_budget_choose(store, &holdings, excess, ranges, &count);
            err = vs_version_set_drop_ranges(kept, ranges, count);
            *more = count > 0 && freed < excess && holdings.count == VS_HOLDINGS_ROOTS_MAX;
        }
        free(ranges);
    }
    vs_holdings_clear(&holdings);
    return err;
}

/* Looking for pages that a retained root keeps now, and that neither those left nor the views would
 * keep. */
struct freed_pages {
    struct vs_store *store;
    const struct vs_version_set *kept;
    uint64_t count;
};

static void count_if_freed(void *argument, const struct vs_surveyed_page *page)
{
    struct freed_pages *freed = argument;
    struct vs_store *store = freed->store;
    if (page->generations || vs_space_is_free(&store->space, page->page)) {
        return;
    }
    if (vs_version_set_meets(&store->retained.set, page->born, page->died) &&
        !vs_version_set_meets(freed->kept, page->born, page->died) &&
        !vs_version_set_meets(&store->kept.passing, page->born, page->died)) {
        freed->count++;
    }
}

/* The oldest of those that would go. */
static void list_dropped(const struct vs_version_set *retained, const struct vs_version_set *kept,
                         uint64_t tip, uint64_t *dropped, size_t capacity)
{
    size_t filled = 0;
    for (uint64_t root = 1; filled < capacity; root++) {
        root = vs_retention_next(retained, root);
        if (root > tip) {
            break;
        }
        if (!vs_version_set_has(kept, root)) {
            dropped[filled++] = root;
        }
    }
}

static verso_err choose_kept(struct vs_store *store, const verso_retention *policy,
                             struct vs_version_set *kept)
{
    verso_err err = vs_version_set_copy(kept, &store->retained.set);
    if (err == VERSO_OK) {
        err = try_classes(store, policy, kept);
    }
    bool more = policy->has_budget && !policy->all;
    while (err == VERSO_OK && more) {
        err = try_budget(store, policy, kept, &more);
    }
    return err;
}

verso_err vs_trial_run(struct vs_store *store, const verso_retention *policy, uint64_t *dropped,
                       size_t capacity, struct vs_trial *trial)
{
    *trial = (struct vs_trial){0};
    struct vs_version_set kept = {NULL, 0, 0};
    vs_fair_lock_take(&store->writer_lock);
    const struct vs_version_set *retained = &store->retained.set;
    uint64_t tip = store->tip.version;
    struct freed_pages freed = {store, &kept, 0};
    verso_err err = choose_kept(store, policy, &kept);
    if (err == VERSO_OK) {
        err = vs_store_refresh_kept(store);
    }
    if (err == VERSO_OK) {
        err = vs_page_survey(store, count_if_freed, &freed);
        trial->freed_pages = freed.count;
    }
    if (err == VERSO_OK && tip > 0) {
        trial->kept_count = vs_version_set_count(&kept, 1, tip);
        trial->dropped_count = vs_version_set_count(retained, 1, tip) - trial->kept_count;
        list_dropped(retained, &kept, tip, dropped, capacity);
    }
    vs_fair_lock_release(&store->writer_lock);
    vs_version_set_clear(&kept);
    return err;
}
