/*
 * check.c - proving the invariants of every kept root, and that no page leaks.
 *
 * The writer waits meanwhile: pages are counted against the table as it stands. A page reached from
 * several roots is counted once but looked at in each, for its place in each is to be proved.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"

/** What a whole check carries along. */
struct whole {
    struct vs_store *store;
    verso_check_report *report;
    uint8_t *reached; /* a byte a page: some kept root, or the history, reaches it */
    uint8_t *in_root; /* a byte a page: reached in the tree being checked */
    uint64_t high_water;
};

static const char *visit(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct whole *whole = argument;
    (void)kind;
    if (page >= whole->high_water) {
        return "lies beyond the high-water mark";
    }
    if (vs_space_is_free(&whole->store->space, page)) {
        return "is reached, but taken for free";
    }
    if (whole->in_root[page]) {
        return "is reached twice in one root";
    }
    whole->in_root[page] = 1;
    if (!whole->reached[page]) {
        whole->reached[page] = 1;
        whole->report->pages++;
    }
    return NULL;
}

static verso_err fault_found(struct whole *whole, uint64_t root, vs_page_no page, const char *text)
{
    whole->report->bad_root = root;
    whole->report->bad_page = page;
    snprintf(whole->report->fault, sizeof whole->report->fault, "%s", text);
    return vs_fault(VERSO_CORRUPT, "root %" PRIu64 ", page %u: %s", root, page, text);
}

static verso_err check_tree(struct whole *whole, const struct vs_tree_view *view, uint64_t root,
                            const uint64_t *fingerprint)
{
    memset(whole->in_root, 0, (size_t)whole->high_water);
    struct vs_tree_check check = {.visit = visit, .argument = whole};
    verso_err err = vs_tree_check(view, 0, &check);
    whole->report->underfull = check.underfull;
    if (err == VERSO_CORRUPT) {
        return fault_found(whole, root, check.bad_page,
                           check.fault[0] != '\0' ? check.fault : vs_fault_detail());
    }
    if (err == VERSO_OK && fingerprint != NULL && check.fingerprint != *fingerprint) {
        return fault_found(whole, root, 0, "its content has another fingerprint than recorded");
    }
    return err;
}

static verso_err check_root(struct whole *whole, uint64_t id)
{
    struct vs_root_record record;
    uint32_t slot;
    verso_err err = vs_history_pin(whole->store, id, &slot, &record, NULL);
    if (err != VERSO_OK) {
        return err == VERSO_CORRUPT ? fault_found(whole, id, 0, vs_fault_detail()) : err;
    }
    struct vs_tree_view view = {&whole->store->pages, record.tree, id};
    err = check_tree(whole, &view, id, &record.fingerprint);
    vs_reader_unpin(&whole->store->readers, slot);
    if (err == VERSO_OK) {
        whole->report->roots++;
        whole->report->keys = record.tree.keys;
    }
    return err;
}

/* ---- leaks ---- */

static bool is_kept_anyhow(struct whole *whole, const struct vs_descriptor *descriptor)
{
    uint64_t born = vs_descriptor_born(descriptor);
    uint64_t died = vs_descriptor_died(descriptor);
    if (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) {
        return born < died && died > atomic_load(&whole->store->generation);
    }
    return vs_kept_set_meets(&whole->store->kept, born, died);
}

/* Every page is fixed, reached, or free: its life span then meets no kept root. Pages alive in
 * roots that only a reader, a meta or the durable lag still holds are kept without being reached
 * here. */
static verso_err check_leaks(struct whole *whole)
{
    struct vs_store *store = whole->store;
    verso_err err = vs_store_refresh_kept(store);
    uint64_t tip = store->tip.version;
    for (uint64_t number = 1; number < whole->high_water && err == VERSO_OK; number++) {
        vs_page_no page = (vs_page_no)number;
        const struct vs_descriptor *descriptor;
        err = vs_page_table_get(&store->table, page, &descriptor);
        if (err != VERSO_OK) {
            return err == VERSO_CORRUPT ? fault_found(whole, 0, page, vs_fault_detail()) : err;
        }
        uint64_t born = vs_descriptor_born(descriptor);
        uint64_t died = vs_descriptor_died(descriptor);
        bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
        bool alive = died == VS_ALIVE && (history || born <= tip);
        if (alive && !whole->reached[page] &&
            !vs_layout_is_reserved(store->pages.page_size, page)) {
            return fault_found(whole, tip, page, "is alive, but no root reaches it: a leak");
        }
        if (whole->reached[page] && !is_kept_anyhow(whole, descriptor)) {
            return fault_found(whole, 0, page, "is reached, but its life span meets no kept root");
        }
    }
    return err;
}

static verso_err check_all(struct whole *whole)
{
    struct vs_store *store = whole->store;
    uint64_t published = vs_roots_published(&store->roots);
    verso_err err = VERSO_OK;
    uint64_t oldest = vs_history_oldest(store);
    for (uint64_t id = oldest == 0 ? 1 : oldest; id <= published && err == VERSO_OK; id++) {
        err = check_root(whole, id);
    }
    if (err == VERSO_OK && store->tip.version > published) { /* committed, not durable yet */
        struct vs_tree_view view = {&store->pages, store->tip.tree, store->tip.version};
        err = check_tree(whole, &view, store->tip.version, &store->tip.fingerprint);
    }
    if (err == VERSO_OK) {
        struct vs_tree_view view = {&store->pages, store->history,
                                    atomic_load(&store->generation) + 1};
        err = check_tree(whole, &view, 0, NULL);
    }
    return err == VERSO_OK ? check_leaks(whole) : err;
}

verso_err verso_check(verso_store *store, verso_check_report *given)
{
    if (store == NULL || given == NULL || given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "verso_check: an argument is NULL or has no size");
    }
    struct vs_store *inner = store->store;
    verso_check_report report;
    memset(&report, 0, sizeof report);
    report.size = given->size;
    vs_fair_lock_take(&inner->writer_lock);
    struct whole whole = {.store = inner, .report = &report, .high_water = inner->space.high_water};
    whole.reached = calloc(1, (size_t)whole.high_water + 1);
    whole.in_root = calloc(1, (size_t)whole.high_water + 1);
    verso_err err = whole.reached != NULL && whole.in_root != NULL
                        ? check_all(&whole)
                        : vs_fault(VERSO_NOMEM, "no memory for a check");
    vs_fair_lock_release(&inner->writer_lock);
    free(whole.reached);
    free(whole.in_root);
    memcpy(given, &report, given->size < sizeof report ? given->size : sizeof report);
    return err;
}
