/*
 * check_parts.h - what the files of verso_check() share: check.c goes through the roots,
 * check_root.c proves one of them, check_names.c its named trees, check_table.c holds the page
 * table against what was reached.
 */
#ifndef VERSO_API_CHECK_PARTS_H
#define VERSO_API_CHECK_PARTS_H

#include "api/handles.h"

/** What was reached from one root, by sums (tree/proofs.h, P3). */
struct vs_root_reach {
    uint64_t version;
    uint64_t marks;
    uint32_t pages;
    bool is_amiss; /* by sums, and so still to be walked through */
};

/** The named trees of a root, proved. A root with the same catalogue has the same ones. */
struct vs_names_proof {
    bool is_set;
    struct vs_tree_root catalogue;
    struct vs_span holds;
    uint64_t fingerprint; /* of all of them, names included */
    uint64_t underfull;
    uint64_t marks;
    uint32_t pages;
};

/** What a whole check carries along. */
struct vs_whole_check {
    struct vs_store *store;
    verso_check_report *report;
    uint64_t high_water;
    uint8_t *reached;   /* a byte a page: some kept root, or the history, reaches it */
    uint8_t *met;       /* a byte a page: reached in the root last walked through as a whole */
    bool by_generation; /* what is being checked lives by the clock of the history */
    struct vs_proofs *proofs; /* NULL: every page is walked through, and noted in `met` */
    uint64_t visits_before;   /* the report's, when the root being checked began */
    struct vs_names_proof names;
    /* of the root being checked: */
    struct vs_root_reach reach;
    struct vs_span holds; /* versions in which its trees proved so far are sound too */
    /* of all roots, ascending; only where proofs save walking through them: */
    struct vs_root_reach *root;
    size_t roots;
    size_t capacity;
};

/** A page is reached. @return NULL, or the fault's text. `argument`: the whole check. */
const char *vs_check_visit(void *argument, vs_page_no page, enum vs_page_kind kind);

/** Report the first fault. @return VERSO_CORRUPT. */
verso_err vs_check_found(struct vs_whole_check *whole, uint64_t root, vs_page_no page,
                         const char *text);

/** Pages of the root being checked are reached, and that holds in an interval of versions. */
void vs_check_join(struct vs_whole_check *whole, struct vs_span holds, uint64_t marks,
                   uint32_t pages);

/** Prove one tree; its pages join what the root reaches. @param[out] found  Its fingerprint. */
verso_err vs_check_tree(struct vs_whole_check *whole, const struct vs_tree_view *view,
                        uint64_t number, uint64_t root, uint64_t *found);

/** Prove all named trees of a root. @param[out] fingerprint  Of all of them, names included. */
verso_err vs_check_names(struct vs_whole_check *whole, const struct vs_root_record *record,
                         uint64_t *fingerprint);

/** Prove all trees of a root together: they share no page. */
verso_err vs_check_record(struct vs_whole_check *whole, const struct vs_root_record *record);

/** The same, walking through every page whatever is proved already: `met` then says what the root
 *  reaches, and of a fault where it is. */
verso_err vs_check_record_whole(struct vs_whole_check *whole, const struct vs_root_record *record);

/** Nothing leaks, and no page that is reached is free: one pass over the page table. Roots that do
 *  not reach each of their pages once become amiss. */
verso_err vs_check_table(struct vs_whole_check *whole);

/** `met` says what the newest root reaches: that is all that is alive in it. */
verso_err vs_check_newest_met(struct vs_whole_check *whole);

#endif
