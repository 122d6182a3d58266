/*
 * check_root.c - proving one root: its default tree, its catalogue, its named trees.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/check_parts.h"

enum { ROOTS_FIRST = 64 };

const char *vs_check_visit(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct vs_whole_check *whole = argument;
    const struct vs_descriptor *descriptor;
    (void)kind;
    if (page >= whole->high_water) {
        return "lies beyond the high-water mark";
    }
    if (vs_page_table_get(&whole->store->table, page, &descriptor) != VERSO_OK) {
        return vs_fault_detail();
    }
    if (((vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0) != whole->by_generation) {
        return "its life span is by the other clock";
    }
    if (vs_space_is_free(&whole->store->space, page)) {
        return "is reached, but taken for free";
    }
    if (whole->report->visits - whole->visits_before >= whole->high_water) {
        /* sums would tell in the end, but a page may be claimed as often as there are cells */
        return "is reached when one root has reached more pages than there are";
    }
    if (whole->proofs == NULL) {
        if (whole->met[page]) {
            return "is reached twice in one root";
        }
        whole->met[page] = 1;
    }
    whole->report->visits++;
    if (!whole->reached[page]) {
        whole->reached[page] = 1;
        whole->report->pages++;
    }
    return NULL;
}

verso_err vs_check_found(struct vs_whole_check *whole, uint64_t root, vs_page_no page,
                         const char *text)
{
    whole->report->bad_root = root;
    whole->report->bad_page = page;
    snprintf(whole->report->fault, sizeof whole->report->fault, "%s", text);
    return vs_fault(VERSO_CORRUPT, "root %" PRIu64 ", page %u: %s", root, page, text);
}

void vs_check_join(struct vs_whole_check *whole, struct vs_span holds, uint64_t marks,
                   uint32_t pages)
{
    whole->reach.marks += marks;
    whole->reach.pages += pages;
    struct vs_span *span = &whole->holds;
    span->from = holds.from > span->from ? holds.from : span->from;
    span->until = holds.until < span->until ? holds.until : span->until;
}

verso_err vs_check_tree(struct vs_whole_check *whole, const struct vs_tree_view *view,
                        uint64_t number, uint64_t root, uint64_t *found)
{
    struct vs_tree_check check = {
        .visit = vs_check_visit, .argument = whole, .proofs = whole->proofs};
    verso_err err = vs_tree_check(view, number, &check);
    if (err == VERSO_CORRUPT) {
        assert(check.fault[0] != '\0');
        return vs_check_found(whole, root, check.bad_page, check.fault);
    }
    *found = check.fingerprint;
    whole->report->underfull += check.underfull;
    vs_check_join(whole, check.holds, check.marks, check.pages);
    return err;
}

static bool is_same_tree(const struct vs_tree_root *one, const struct vs_tree_root *other)
{
    return one->page == other->page && one->depth == other->depth && one->keys == other->keys;
}

/* The newest root stands in the meta, too, and that is where views and transactions have it from. */
static bool is_same_root(const struct vs_root_record *one, const struct vs_root_record *other)
{
    return is_same_tree(&one->tree, &other->tree) &&
           is_same_tree(&one->catalogue, &other->catalogue) &&
           one->fingerprint == other->fingerprint && one->time_us == other->time_us;
}

/* The named trees, if another root has not had the same catalogue. */
static verso_err check_names(struct vs_whole_check *whole, const struct vs_root_record *record,
                             uint64_t *fingerprint)
{
    struct vs_names_proof *names = &whole->names;
    if (whole->proofs != NULL && names->is_set &&
        is_same_tree(&names->catalogue, &record->catalogue) &&
        vs_span_has(names->holds, record->version)) {
        whole->report->underfull += names->underfull;
        vs_check_join(whole, names->holds, names->marks, names->pages);
        *fingerprint = names->fingerprint;
        return VERSO_OK;
    }
    struct vs_names_proof fresh = {.is_set = true, .catalogue = record->catalogue};
    uint64_t underfull = whole->report->underfull;
    struct vs_root_reach before = whole->reach;
    whole->holds = (struct vs_span){0, VS_ALIVE};
    verso_err err = vs_check_names(whole, record, &fresh.fingerprint);
    if (err == VERSO_OK) {
        fresh.holds = whole->holds;
        fresh.underfull = whole->report->underfull - underfull;
        fresh.marks = whole->reach.marks - before.marks;
        fresh.pages = whole->reach.pages - before.pages;
        *fingerprint = fresh.fingerprint;
        *names = fresh;
    }
    return err;
}

/* Walk through what is not proved yet. */
static verso_err prove_record(struct vs_whole_check *whole, const struct vs_root_record *record)
{
    struct vs_tree_view view = {&whole->store->pages, record->tree, record->version};
    whole->report->underfull = 0;
    whole->visits_before = whole->report->visits;
    whole->reach = (struct vs_root_reach){.version = record->version};
    if (whole->proofs == NULL) {
        memset(whole->met, 0, (size_t)whole->high_water);
    }
    uint64_t fingerprint = 0;
    uint64_t named = 0;
    verso_err err = vs_check_tree(whole, &view, 0, record->version, &fingerprint);
    if (err == VERSO_OK) {
        err = check_names(whole, record, &named);
    }
    if (err == VERSO_OK && fingerprint + named != record->fingerprint) {
        err = vs_check_found(whole, record->version, 0,
                             "its content has another fingerprint than recorded");
    }
    return err;
}

verso_err vs_check_record_whole(struct vs_whole_check *whole, const struct vs_root_record *record)
{
    struct vs_proofs *proofs = whole->proofs;
    whole->proofs = NULL;
    verso_err err = prove_record(whole, record);
    whole->proofs = proofs;
    return err;
}

static verso_err note_reach(struct vs_whole_check *whole)
{
    if (whole->roots == whole->capacity) {
        size_t capacity = whole->capacity == 0 ? ROOTS_FIRST : 2 * whole->capacity;
        struct vs_root_reach *larger = realloc(whole->root, capacity * sizeof *larger);
        if (larger == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for a check");
        }
        whole->root = larger;
        whole->capacity = capacity;
    }
    whole->root[whole->roots++] = whole->reach;
    return VERSO_OK;
}

verso_err vs_check_record(struct vs_whole_check *whole, const struct vs_root_record *record)
{
    const struct vs_root_record *newest = &whole->store->tip;
    if (record->version == newest->version && !is_same_root(record, newest)) {
        return vs_check_found(whole, record->version, 0,
                              "the history has the newest root other than the meta");
    }
    verso_err err = prove_record(whole, record);
    if (whole->proofs == NULL) {
        return err;
    }
    if (err != VERSO_CORRUPT) {
        return err == VERSO_OK ? note_reach(whole) : err;
    }
    /* pages met twice come to light by walking only, and may be why something else is wrong */
    verso_check_report found = *whole->report;
    err = vs_check_record_whole(whole, record);
    return err != VERSO_OK ? err
                           : vs_check_found(whole, found.bad_root, found.bad_page, found.fault);
}
