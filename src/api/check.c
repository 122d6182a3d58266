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
#include "tree/condemned.h"

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

/* Prove one tree. @param[out] found  Its fingerprint. */
static verso_err check_tree(struct whole *whole, const struct vs_tree_view *view, uint64_t number,
                            uint64_t root, uint64_t *found)
{
    struct vs_tree_check check = {.visit = visit, .argument = whole};
    verso_err err = vs_tree_check(view, number, &check);
    whole->report->underfull += check.underfull;
    if (err == VERSO_CORRUPT) {
        return fault_found(whole, root, check.bad_page,
                           check.fault[0] != '\0' ? check.fault : vs_fault_detail());
    }
    *found = check.fingerprint;
    return err;
}

/* ---- named trees ---- */

/** The named trees of one root, while its catalogue is gone through. */
struct names {
    struct whole *whole;
    struct vs_tree_view catalogue;
    uint64_t root;
    uint64_t next_number;
    uint64_t fingerprint; /* of all of them so far, names included */
    uint64_t trees;
    uint64_t numbers;
};

static verso_err bad_entry(const struct names *names, const char *text)
{
    return fault_found(names->whole, names->root, 0, text);
}

static verso_err check_named(struct names *names, verso_slice name, verso_slice value)
{
    struct vs_tree_record record;
    const char *fault = vs_tree_record_decode(value, &record);
    if (fault == NULL && record.number >= names->next_number) {
        fault = "a tree's number is not below the next one";
    }
    if (fault != NULL) {
        return bad_entry(names, fault);
    }
    struct vs_tree_view view = names->catalogue;
    view.root = record.root;
    uint64_t found = 0;
    verso_err err = check_tree(names->whole, &view, record.number, names->root, &found);
    if (err == VERSO_OK && found != record.fingerprint) {
        err = bad_entry(names, "a named tree's content has another fingerprint than recorded");
    }
    names->fingerprint += found + vs_tree_name_term(name, record.number);
    names->trees++;
    return err;
}

/* With as many numbers as names, each number that leads to a name and back leads to another one. */
static verso_err check_number(struct names *names, verso_slice key)
{
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record record;
    verso_err err =
        vs_catalogue_find_number(&names->catalogue, vs_number_of_key(key), bytes, &name, &record);
    names->numbers++;
    return err == VERSO_CORRUPT ? bad_entry(names, vs_fault_detail()) : err;
}

static verso_err reach_condemned(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct names *names = argument;
    bool alive = false;
    verso_err err =
        vs_page_is_alive(names->catalogue.pages, page, names->catalogue.version, &alive);
    const char *fault = err != VERSO_OK ? vs_fault_detail()
                        : !alive        ? "of a dropped tree, reached, but not alive"
                                        : visit(names->whole, page, kind);
    return fault == NULL ? VERSO_OK : fault_found(names->whole, names->root, page, fault);
}

/* What is left of a dropped tree is no content any more, but its pages are not free. */
static verso_err check_condemned(struct names *names, verso_slice key, verso_slice value)
{
    struct vs_condemned condemned;
    const char *fault = vs_condemned_decode(key, value, &condemned);
    if (fault != NULL) {
        return bad_entry(names, fault);
    }
    uint64_t all = UINT64_MAX;
    bool done = false;
    verso_err err =
        vs_condemned_walk(names->catalogue.pages, &condemned, &all, reach_condemned, names, &done);
    bool said = names->whole->report->fault[0] != '\0';
    return err == VERSO_CORRUPT && !said ? bad_entry(names, vs_fault_detail()) : err;
}

static verso_err check_entry(struct names *names, const struct vs_tree_entry *entry)
{
    verso_slice value = entry->value.slice;
    switch (entry->value.is_run ? VS_CATALOGUE_UNKNOWN : vs_catalogue_kind(entry->key)) {
    case VS_CATALOGUE_NEXT_NUMBER:
        return VERSO_OK; /* proved when it was read */
    case VS_CATALOGUE_NUMBER:
        return check_number(names, entry->key);
    case VS_CATALOGUE_CONDEMNED:
        return check_condemned(names, entry->key, value);
    case VS_CATALOGUE_NAME:
        return check_named(names, entry->key, value);
    case VS_CATALOGUE_UNKNOWN:
    default:
        return bad_entry(names, "the catalogue has an entry of no kind");
    }
}

/* The catalogue is a sound tree: prove what it says. */
static verso_err check_names(struct names *names)
{
    verso_err err = vs_catalogue_next_number(&names->catalogue, &names->next_number);
    if (err != VERSO_OK) {
        return err == VERSO_CORRUPT ? bad_entry(names, vs_fault_detail()) : err;
    }
    struct vs_tree_cursor *cursor;
    err = vs_tree_cursor_open(&names->catalogue, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry entry;
    err = vs_tree_cursor_first(cursor, &entry);
    while (err == VERSO_OK) {
        err = check_entry(names, &entry);
        if (err == VERSO_OK) {
            err = vs_tree_cursor_next(cursor, &entry);
        }
    }
    vs_tree_cursor_close(cursor);
    if (err == VERSO_NOT_FOUND) {
        err = names->trees == names->numbers
                  ? VERSO_OK
                  : bad_entry(names, "the catalogue has other numbers than trees");
    }
    return err;
}

/* ---- roots ---- */

/* Prove all trees of a root together: they share no page. */
static verso_err check_record(struct whole *whole, const struct vs_root_record *record)
{
    struct vs_tree_view view = {&whole->store->pages, record->tree, record->version};
    struct names names = {.whole = whole, .catalogue = view, .root = record->version};
    names.catalogue.root = record->catalogue;
    memset(whole->in_root, 0, (size_t)whole->high_water);
    whole->report->underfull = 0;
    uint64_t fingerprint = 0;
    uint64_t unused = 0;
    verso_err err = check_tree(whole, &view, 0, record->version, &fingerprint);
    if (err == VERSO_OK) {
        err = check_tree(whole, &names.catalogue, 0, record->version, &unused);
    }
    if (err == VERSO_OK && record->catalogue.depth > 0) {
        err = check_names(&names);
    }
    if (err == VERSO_OK && fingerprint + names.fingerprint != record->fingerprint) {
        err = fault_found(whole, record->version, 0,
                          "its content has another fingerprint than recorded");
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
    err = check_record(whole, &record);
    vs_reader_unpin(&whole->store->readers, slot);
    if (err == VERSO_OK) {
        whole->report->roots++;
        whole->report->keys = record.tree.keys;
    }
    return err;
}

static verso_err check_history(struct whole *whole)
{
    struct vs_store *store = whole->store;
    const struct vs_tree_root *trees[] = {&store->history.roots, &store->history.tags};
    memset(whole->in_root, 0, (size_t)whole->high_water);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < 2 && err == VERSO_OK; i++) {
        struct vs_tree_view view = {&store->pages, *trees[i], atomic_load(&store->generation) + 1};
        uint64_t unused;
        err = check_tree(whole, &view, 0, 0, &unused);
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
    for (uint64_t id = 1; err == VERSO_OK && vs_history_next(store, id, &id); id++) {
        err = check_root(whole, id);
    }
    if (err == VERSO_OK && store->tip.version > published) { /* committed, not durable yet */
        err = check_record(whole, &store->tip);
    }
    if (err == VERSO_OK) {
        err = check_history(whole);
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
