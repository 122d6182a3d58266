/*
 * budget.h - what roots hold, counted in pages, and keeping history within its budget.
 *
 * A dead page is held by history if a retained root lies in its life span, and is then put down to
 * the newest such root. Dropping roots from the oldest on frees exactly what is put down to them,
 * but for pages that a protected root keeps as well: those are nobody's to free.
 *
 * Between two countings only an upper bound is known: what was held then, and one page for each
 * death that was found kept since (store/reclaim.c). When that passes the budget the table is
 * counted again, in slices, and roots are dropped until an eighth of the budget is free: so a
 * counting, which costs the whole table, comes once in many deaths. Where the budget cannot be kept,
 * because tags, views or the newest `last` hold more, it comes after an eighth more.
 */
#ifndef VERSO_HISTORY_BUDGET_H
#define VERSO_HISTORY_BUDGET_H

#include "store/store.h"

/** Pages held, and by which roots. */
struct vs_holdings {
    uint64_t *root;  /* the oldest roots of the set that may go, ascending */
    uint32_t *pages; /* put down to each, that its going and that of all before it would free */
    size_t count;
    struct vs_version_set spared; /* roots that were protected at the beginning */
    uint64_t held;                /* put down to any root of the set */
    uint64_t live;                /* alive in the newest root */
};

enum { VS_HOLDINGS_ROOTS_MAX = 64 * 1024 };

/** Begin to count: up to VS_HOLDINGS_ROOTS_MAX of the oldest roots below `end`, but for those that
 *  are protected. Writer lock. VERSO_NOMEM. */
verso_err vs_holdings_begin(struct vs_holdings *holdings, struct vs_store *store,
                            const struct vs_version_set *set, uint64_t end);
void vs_holdings_clear(struct vs_holdings *holdings);

/** Count the blocks [first, end) of the page table, by `set`. Writer lock. VERSO_CORRUPT. */
verso_err vs_holdings_count(struct vs_holdings *holdings, struct vs_store *store,
                            const struct vs_version_set *set, uint32_t first, uint32_t end);

/** Blocks of the page table in use. Writer lock. */
uint32_t vs_holdings_blocks(const struct vs_store *store);

/** Pages that the policy allows, with so many live ones. */
uint64_t vs_budget_pages(const struct vs_store *store, const verso_retention *policy,
                         uint64_t live);

/** Pages to be freed where more are held than is allowed; else 0. */
uint64_t vs_budget_excess(const struct vs_holdings *holdings, uint64_t allowed);

/**
 * Choose what goes for the budget's sake, oldest first, sparing what is protected.
 *
 * @param excess  Pages to be freed.
 * @param[out] ranges  Room for holdings->count. @return Pages that their going frees.
 */
uint64_t vs_budget_choose(struct vs_store *store, const struct vs_holdings *holdings,
                          uint64_t excess, struct vs_version_range *ranges, unsigned *count);

/** What vs_history_calls.enforce_budget does. */
verso_err vs_budget_enforce(struct vs_store *store);

/** The same, counting whether or not the bound is passed: after the policy was set. Durable on
 *  return. No lock held. */
verso_err vs_budget_enforce_now(struct vs_store *store);

#endif
