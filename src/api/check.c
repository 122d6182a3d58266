/*
 * check.c - proving the invariants of every kept root, and that no page leaks.
 *
 * The writer waits meanwhile: pages are counted against the table as it stands. A page reached from
 * several roots is counted once and proved once; what is proved anew for each root is its place in
 * it (tree/proofs.h). A store of one root needs no proofs remembered, and every page is met once by
 * walking.
 */
#include <stdlib.h>
#include <string.h>

#include "api/check_parts.h"

static verso_err check_root(struct vs_whole_check *whole, uint64_t id)
{
    struct vs_root_record record;
    uint32_t slot;
    verso_err err = vs_history_pin(whole->store, id, &slot, &record, NULL);
    if (err != VERSO_OK) {
        return err == VERSO_CORRUPT ? vs_check_found(whole, id, 0, vs_fault_detail()) : err;
    }
    err = vs_check_record(whole, &record);
    vs_reader_unpin(&whole->store->readers, slot);
    if (err == VERSO_OK) {
        whole->report->roots++;
        whole->report->keys = record.tree.keys;
    }
    return err;
}

/* The trees of roots and tags are read whole: they are few, and live by another clock. */
static verso_err check_history(struct vs_whole_check *whole)
{
    struct vs_store *store = whole->store;
    const struct vs_tree_root *trees[] = {&store->history.roots, &store->history.tags};
    struct vs_proofs *proofs = whole->proofs;
    whole->proofs = NULL;
    whole->by_generation = true;
    whole->visits_before = whole->report->visits;
    memset(whole->met, 0, (size_t)whole->high_water);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < 2 && err == VERSO_OK; i++) {
        struct vs_tree_view view = {&store->pages, *trees[i], vs_store_generation(store) + 1};
        uint64_t unused;
        err = vs_check_tree(whole, &view, 0, 0, &unused);
    }
    whole->proofs = proofs;
    whole->by_generation = false;
    return err;
}

/* A root that does not reach each of its pages once, by sums: is one reached twice, or not at all by
 * the newest? Pages that are alive in an older root without being reached are no fault: a copy has such pages where the source
 * has a dropped tree, and they go with that root. */
static verso_err check_amiss(struct vs_whole_check *whole, uint64_t version)
{
    struct vs_root_record record = whole->store->tip;
    verso_err err = VERSO_OK;
    if (version != record.version) {
        err = vs_history_find(whole->store, version, &record, NULL);
    }
    uint64_t underfull = whole->report->underfull; /* the newest root's */
    if (err == VERSO_OK) {
        err = vs_check_record_whole(whole, &record);
    }
    whole->report->underfull = underfull;
    return err == VERSO_OK && version == whole->store->tip.version ? vs_check_newest_met(whole)
                                                                   : err;
}

static verso_err check_all(struct vs_whole_check *whole)
{
    struct vs_store *store = whole->store;
    uint64_t published = vs_roots_published(&store->roots);
    verso_err err = VERSO_OK;
    for (uint64_t id = 1; err == VERSO_OK && vs_history_next(store, id, &id); id++) {
        err = check_root(whole, id);
    }
    if (err == VERSO_OK && store->tip.version > published) { /* committed, not durable yet */
        err = vs_check_record(whole, &store->tip);
    }
    if (err == VERSO_OK) {
        err = check_history(whole);
    }
    if (err == VERSO_OK && store->keeping_damaged) {
        err = vs_check_found(whole, 0, 0, "what says which roots are kept makes no sense");
    }
    if (err == VERSO_OK) {
        err = vs_check_table(whole);
    }
    for (size_t i = 0; i < whole->roots && err == VERSO_OK; i++) {
        if (whole->root[i].is_amiss) {
            err = check_amiss(whole, whole->root[i].version);
        }
    }
    return err;
}

static bool has_several_roots(struct vs_store *store)
{
    bool is_waiting = store->tip.version > vs_roots_published(&store->roots);
    return vs_history_count(store) + is_waiting > 1;
}

/* Get all that grows with the store, and check. */
static verso_err run(struct vs_whole_check *whole)
{
    struct vs_proofs proofs = {.limit = 0};
    whole->reached = calloc(1, (size_t)whole->high_water + 1);
    whole->met = calloc(1, (size_t)whole->high_water + 1);
    verso_err err = VERSO_OK;
    if (whole->reached == NULL || whole->met == NULL) {
        err = vs_fault(VERSO_NOMEM, "no memory for a check");
    } else if (has_several_roots(whole->store)) {
        err = vs_proofs_init(&proofs, whole->high_water);
        whole->proofs = &proofs;
    }
    if (err == VERSO_OK) {
        err = check_all(whole);
    }
    vs_proofs_clear(&proofs);
    free(whole->root);
    free(whole->reached);
    free(whole->met);
    return err;
}

verso_err verso_check(verso_store *store, verso_check_report *given)
{
    if (store == NULL || given == NULL || given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_check: an argument is NULL or has no size");
    }
    verso_err err = vs_check_process(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    verso_check_report report;
    memset(&report, 0, sizeof report);
    report.size = given->size;
    vs_fair_lock_take(&inner->writer_lock);
    struct vs_whole_check whole = {
        .store = inner, .report = &report, .high_water = inner->space.high_water};
    err = run(&whole);
    vs_fair_lock_release(&inner->writer_lock);
    memcpy(given, &report, given->size < sizeof report ? given->size : sizeof report);
    return err;
}
