/*
 * check_names.c - proving the named trees of one root: what the catalogue says, and the trees.
 *
 * It is gone through as a whole for each root with another catalogue than the root before; a named
 * tree that has not changed is passed at its root page.
 */
#include "api/check_parts.h"
#include "tree/condemned.h"

/** The named trees of one root, while its catalogue is gone through. */
struct names {
    struct vs_whole_check *whole;
    struct vs_tree_view catalogue;
    uint64_t root;
    uint64_t next_number;
    uint64_t fingerprint; /* of all of them so far, names included */
    uint64_t trees;
    uint64_t numbers;
};

static verso_err bad_entry(const struct names *names, const char *text)
{
    return vs_check_found(names->whole, names->root, 0, text);
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
    verso_err err = vs_check_tree(names->whole, &view, record.number, names->root, &found);
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
    struct vs_whole_check *whole = names->whole;
    struct vs_span life;
    verso_err err = vs_page_life(names->catalogue.pages, page, &life);
    bool alive = err == VERSO_OK && vs_span_has(life, names->root);
    const char *fault = err != VERSO_OK ? vs_fault_detail()
                        : !alive        ? "of a dropped tree, reached, but not alive"
                                        : vs_check_visit(whole, page, kind);
    if (fault != NULL) {
        return vs_check_found(whole, names->root, page, fault);
    }
    vs_check_join(whole, life, vs_page_mark(page), 1);
    return VERSO_OK;
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
static verso_err check_entries(struct names *names)
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

verso_err vs_check_names(struct vs_whole_check *whole, const struct vs_root_record *record,
                         uint64_t *fingerprint)
{
    struct names names = {
        .whole = whole,
        .catalogue = {&whole->store->pages, record->catalogue, record->version},
        .root = record->version,
    };
    uint64_t unused = 0;
    verso_err err = vs_check_tree(whole, &names.catalogue, 0, record->version, &unused);
    if (err == VERSO_OK && record->catalogue.depth > 0) {
        err = check_entries(&names);
    }
    *fingerprint = names.fingerprint;
    return err;
}
