/*
 * budget.c - counting what roots hold, and dropping the oldest beyond the budget; see budget.h.
 */
#include "history/budget.h"

#include <stdlib.h>

#include "history/page_survey.h"
#include "history/retention.h"
#include "os/fault.h"

enum {
    SLICE_BLOCKS = 1024, /* counted with the writer lock held once: a few milliseconds */
    SLACK = 8,           /* this part of the budget is free after roots were dropped */
};

/* ---- counting ---- */

/* List the roots below `end`: those that are protected apart. */
static verso_err list_roots(struct vs_holdings *holdings, struct vs_store *store,
                            const struct vs_version_set *set, uint64_t end, size_t room)
{
    uint64_t protected = 0;
    bool any = true;
    uint64_t root = 0;
    verso_err err = VERSO_OK;
    for (; err == VERSO_OK && holdings->count < room; root++) {
        root = vs_retention_next(set, root);
        if (root >= end) {
            break;
        }
        if (any && protected < root) {
            any = vs_retention_protected(store, root, &protected);
        }
        if (any && protected == root) {
            err = vs_version_set_add(&holdings->spared, root, root);
        } else {
            holdings->root[holdings->count++] = root;
        }
    }
    return err;
}

verso_err vs_holdings_begin(struct vs_holdings *holdings, struct vs_store *store,
                            const struct vs_version_set *set, uint64_t end)
{
    *holdings = (struct vs_holdings){0};
    uint64_t count = end == 0 ? 0 : vs_version_set_count(set, 0, end - 1);
    count = count > VS_HOLDINGS_ROOTS_MAX ? VS_HOLDINGS_ROOTS_MAX : count;
    holdings->root = malloc((size_t)(count + 1) * sizeof *holdings->root);
    holdings->pages = calloc((size_t)count + 1, sizeof *holdings->pages);
    verso_err err = holdings->root == NULL || holdings->pages == NULL
                        ? VERSO_NOMEM
                        : list_roots(holdings, store, set, end, (size_t)count);
    if (err != VERSO_OK) {
        vs_holdings_clear(holdings);
        return vs_fault(VERSO_NOMEM, "no memory to count what roots hold");
    }
    return VERSO_OK;
}

void vs_holdings_clear(struct vs_holdings *holdings)
{
    free(holdings->root);
    free(holdings->pages);
    vs_version_set_clear(&holdings->spared);
    *holdings = (struct vs_holdings){0};
}

/* Put a dead page down to the newest root of the set in its life span. */
static void put_down(struct vs_holdings *holdings, const struct vs_version_set *set, uint64_t born,
                     uint64_t died)
{
    uint64_t root;
    if (born >= died || !vs_version_set_at_or_below(set, died - 1, &root) || root < born) {
        return;
    }
    holdings->held++;
    if (vs_version_set_meets(&holdings->spared, born, died)) {
        return; /* it stays, whatever else goes */
    }
    size_t low = 0;
    size_t high = holdings->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (holdings->root[middle] < root) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < holdings->count && holdings->root[low] == root) {
        holdings->pages[low]++;
    }
}

uint32_t vs_holdings_blocks(const struct vs_store *store)
{
    return (uint32_t)((store->space.high_water + VS_BLOCK_PAGES - 1) / VS_BLOCK_PAGES);
}

/* Where a survey puts down what it meets. */
struct held_pages {
    struct vs_holdings *holdings;
    const struct vs_store *store;
    const struct vs_version_set *set;
};

static void count_page(void *argument, const struct vs_surveyed_page *page)
{
    const struct held_pages *into = argument;
    const struct vs_store *store = into->store;
    if (page->generations) {
        return;
    }
    if (page->died == VS_ALIVE) {
        into->holdings->live += page->born <= store->tip.version ? 1 : 0;
    } else if (!vs_space_is_free(&store->space, page->page)) {
        put_down(into->holdings, into->set, page->born, page->died);
    }
}

verso_err vs_holdings_count(struct vs_holdings *holdings, struct vs_store *store,
                            const struct vs_version_set *set, uint32_t first, uint32_t end)
{
    struct held_pages into = {holdings, store, set};
    verso_err err = VERSO_OK;
    for (uint32_t block = first; block < end && err == VERSO_OK; block++) {
        bool empty;
        err = vs_page_table_is_empty(&store->table, block, &empty);
        if (err == VERSO_OK && !empty) {
            uint64_t page = (uint64_t)block * VS_BLOCK_PAGES;
            err = vs_page_survey_part(store, page, page + VS_BLOCK_PAGES, count_page, &into);
        }
    }
    return err;
}

/* ---- choosing ---- */

uint64_t vs_budget_pages(const struct vs_store *store, const verso_retention *policy, uint64_t live)
{
    uint64_t by_size = policy->budget_bytes >> store->pages.page_shift;
    uint64_t by_share =
        live / 100 * policy->budget_percent + live % 100 * policy->budget_percent / 100;
    return by_size > by_share ? by_size : by_share;
}

uint64_t vs_budget_excess(const struct vs_holdings *holdings, uint64_t allowed)
{
    return holdings->held > allowed ? holdings->held - allowed + allowed / SLACK : 0;
}

uint64_t vs_budget_choose(struct vs_store *store, const struct vs_holdings *holdings,
                          uint64_t excess, struct vs_version_range *ranges, unsigned *count)
{
    uint64_t freed = 0;
    uint64_t protected = 0;
    bool any = true;
    *count = 0;
    for (size_t i = 0; i < holdings->count && freed < excess; i++) {
        uint64_t root = holdings->root[i];
        if (any && protected < root) {
            any = vs_retention_protected(store, root, &protected);
        }
        if (any && protected == root) {
            continue; /* since the counting began */
        }
        freed += holdings->pages[i];
        if (*count > 0 && ranges[*count - 1].to + 1 == root) {
            ranges[*count - 1].to = root;
        } else {
            ranges[(*count)++] = (struct vs_version_range){root, root};
        }
    }
    return freed;
}

/* ---- enforcing ---- */

/* One counting of the whole table, in slices between which others write. */
struct counting {
    struct vs_holdings holdings;
    uint64_t policy_stamp; /* of the policy that it is made for */
    uint64_t held_before;  /* the bound when it began: deaths go on being added to it */
};

static verso_err begin_counting(struct counting *counting, struct vs_store *store)
{
    struct vs_retained *retained = &store->retained;
    uint64_t newest_from = 0; /* the newest `last` stay, whatever they hold */
    vs_version_set_newest(&retained->set, store->tip.version, retained->policy.last, &newest_from);
    counting->policy_stamp = retained->policy_stamp;
    counting->held_before = vs_store_held_pages(store);
    return vs_holdings_begin(&counting->holdings, store, &retained->set, newest_from);
}

static verso_err count_all(struct counting *counting, struct vs_store *store)
{
    uint32_t block = 0;
    uint32_t blocks = 0;
    verso_err err = VERSO_OK;
    do {
        vs_fair_lock_take(&store->writer_lock);
        if (block == 0) {
            err = begin_counting(counting, store);
        }
        blocks = vs_holdings_blocks(store);
        uint32_t end = block + SLICE_BLOCKS < blocks ? block + SLICE_BLOCKS : blocks;
        if (err == VERSO_OK) {
            err = vs_holdings_count(&counting->holdings, store, &store->retained.set, block, end);
        }
        block = end;
        vs_fair_lock_release(&store->writer_lock);
    } while (err == VERSO_OK && block < blocks);
    return err;
}

/* What is held now is known, but for the deaths since. */
static void note_held(struct vs_store *store, const struct counting *counting, uint64_t freed,
                      uint64_t allowed)
{
    struct vs_retained *retained = &store->retained;
    uint64_t held = counting->holdings.held;
    held -= freed < held ? freed : held;
    uint64_t out_of_reach = held > allowed ? held + held / SLACK : 0; /* see budget.h */
    uint64_t bound = vs_store_held_pages(store);
    uint64_t waiting = bound - retained->held_pages; /* deaths not judged: they were counted, too */
    held += bound > counting->held_before ? bound - counting->held_before : 0;
    retained->held_pages = held > waiting ? held - waiting : 0;
    retained->budget_pages = out_of_reach > allowed ? out_of_reach : allowed;
}

static verso_err drop_excess(struct vs_store *store, const struct counting *counting,
                             uint64_t *end_lsn, bool *more)
{
    const struct vs_holdings *holdings = &counting->holdings;
    const verso_retention *policy = &store->retained.policy;
    if (store->retained.policy_stamp != counting->policy_stamp || policy->all ||
        !policy->has_budget) {
        return VERSO_OK; /* another policy meanwhile: whoever set it has it enforced */
    }
    uint64_t allowed = vs_budget_pages(store, policy, holdings->live);
    uint64_t excess = vs_budget_excess(holdings, allowed);
    uint64_t freed = 0;
    verso_err err = VERSO_OK;
    if (excess > 0) {
        struct vs_version_range *ranges = malloc((holdings->count + 1) * sizeof *ranges);
        if (ranges == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory to drop roots");
        }
        unsigned count = 0;
        freed = vs_budget_choose(store, holdings, excess, ranges, &count);
        if (count > 0) {
            err = vs_retention_drop(store, ranges, count, end_lsn);
        }
        free(ranges);
        *more = count > 0 && freed < excess && holdings->count == VS_HOLDINGS_ROOTS_MAX;
    }
    if (err == VERSO_OK) {
        note_held(store, counting, freed, allowed);
    }
    return err;
}

verso_err vs_budget_enforce_now(struct vs_store *store)
{
    uint64_t end_lsn = 0;
    bool more = true;
    verso_err err = VERSO_OK;
    while (more && err == VERSO_OK) {
        struct counting counting = {.held_before = 0};
        more = false;
        err = count_all(&counting, store);
        if (err == VERSO_OK) {
            err = vs_store_begin_setting_now(store);
            if (err == VERSO_OK) {
                err = drop_excess(store, &counting, &end_lsn, &more);
                vs_store_end_setting(store);
            }
        }
        vs_holdings_clear(&counting.holdings);
    }
    return err == VERSO_OK ? vs_store_wait(store, end_lsn, VERSO_DURABILITY_SYNC) : err;
}

verso_err vs_budget_enforce(struct vs_store *store)
{
    struct vs_retained *retained = &store->retained;
    vs_fair_lock_take(&store->writer_lock);
    uint64_t least = retained->policy.budget_bytes >> store->pages.page_shift;
    uint64_t allowed = retained->budget_pages > least ? retained->budget_pages : least;
    bool due = retained->policy.has_budget && !retained->policy.all &&
               vs_store_held_pages(store) > allowed;
    vs_fair_lock_release(&store->writer_lock);
    return due ? vs_budget_enforce_now(store) : VERSO_OK;
}
