/*
 * model_history.c - differences and reverts of a store model.
 */
#include "model_history.h"

#include <inttypes.h>
#include <stdio.h>

#include "expected_history.h"
#include "range_model.h"

static _Thread_local char fault_text[600];

/* All keys, or a range near those of the state; valid until the next call. */
static const verso_range *draw_range(const struct tree_state *state,
                                     struct simulated_random *random)
{
    static struct range_model range;
    if (simulated_random_below(random, 2) == 0) {
        return NULL;
    }
    range_model_draw(&range, state, random);
    return &range.range;
}

const char *model_history_difference(struct model_view from, struct model_view to,
                                     struct simulated_random *random)
{
    struct expected_walk walk = {
        .from = from.state, .to = to.state, .range = draw_range(from.state, random)};
    uint64_t pages = 0;
    return expected_compare_difference(from.view, to.view, &walk, &pages);
}

const char *model_history_revert(verso_txn *txn, struct tree_state *working, struct model_view to,
                                 struct simulated_random *random)
{
    const verso_range *range = draw_range(to.state, random);
    uint64_t expected = expected_revert(working, to.state, range);
    uint64_t changes = 0;
    verso_err err = verso_revert(txn, to.view, range, &changes);
    if (err == VERSO_OK && changes == expected) {
        return NULL;
    }
    snprintf(fault_text, sizeof fault_text,
             "a revert: %s (%s); %" PRIu64 " changes, expected %" PRIu64, verso_strerror(err),
             verso_error_detail(), changes, expected);
    return fault_text;
}

const char *model_history_revert_all(verso_txn *txn, struct expected_roots *roots, verso_view *to,
                                     uint64_t version)
{
    const struct expected_root *root = &roots->root[version];
    verso_err err = verso_revert_all(txn, to, NULL);
    verso_root_info info = {.size = sizeof info};
    err = err == VERSO_OK ? verso_view_info(verso_txn_view(txn), &info) : err;
    if (err != VERSO_OK || info.fingerprint != root->fingerprint ||
        info.keys != root->state.count) {
        snprintf(fault_text, sizeof fault_text,
                 "a revert of all trees to root %" PRIu64 ": %s (%s)", version, verso_strerror(err),
                 verso_error_detail());
        return fault_text;
    }
    uint64_t created = roots->working_named.created; /* no number is given twice */
    tree_state_clear(&roots->working);
    expected_trees_clear(&roots->working_named);
    roots->working = tree_state_copy(&root->state);
    roots->working_named = expected_trees_copy(&root->named);
    roots->working_named.created = created;
    return NULL;
}
