/*
 * tree_set.c - opening, creating, dropping and renaming trees within a transaction.
 *
 * The root's fingerprint is the sum of all trees' and of a term for each name. The default tree's
 * edit begins with the whole sum; `drift` is what names and dropped trees have added to it since
 * (modulo 2^64, as all of it), and an open tree adds what it has gained:
 *
 *     main + drift + sum over open trees (now - begun)
 */
#include "tree/tree_set.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "store/page_writer.h"
#include "tree/condemned.h"

enum {
    TREES_FIRST = 16,
    RECLAIM_MIN = 64, /* pages of dropped trees that a commit takes apart beside as many as it
                         made, so that whoever drops and fills trees again keeps a bounded file */
};

/* ---- begin and end ---- */

void vs_tree_set_begin(struct vs_tree_set *set, struct vs_page_writer *writer,
                       const struct vs_root_record *root)
{
    assert(set->count == 0);
    set->drift = 0;
    vs_tree_edit_restart(&set->main, writer, root->tree, 0, root->fingerprint);
    vs_tree_edit_restart(&set->catalogue, writer, root->catalogue, 0, 0);
}

void vs_tree_set_end(struct vs_tree_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->tree[i]); /* its workspace is lent */
    }
    set->count = 0;
}

void vs_tree_set_clear(struct vs_tree_set *set)
{
    assert(set->count == 0);
    vs_tree_edit_clear(&set->main);
    vs_tree_edit_clear(&set->catalogue);
    for (unsigned i = 0; i < VS_TREE_SET_WORKSPACES; i++) {
        free(set->workspace[i]);
        set->workspace[i] = NULL;
    }
    free(set->tree);
    set->tree = NULL;
    set->capacity = 0;
}

struct vs_tree_view vs_tree_set_catalogue(const struct vs_tree_set *set)
{
    return vs_tree_edit_view(&set->catalogue);
}

uint64_t vs_tree_set_fingerprint(const struct vs_tree_set *set)
{
    uint64_t sum = set->main.fingerprint + set->drift;
    for (size_t i = 0; i < set->count; i++) {
        const struct vs_named_tree *tree = set->tree[i];
        sum += tree->edit.dropped ? 0 : tree->edit.fingerprint - tree->begun.fingerprint;
    }
    return sum;
}

uint64_t vs_tree_set_relief_copies(const struct vs_tree_set *set)
{
    uint64_t sum = set->main.relief_copies + set->catalogue.relief_copies;
    for (size_t i = 0; i < set->count; i++) {
        sum += set->tree[i]->edit.relief_copies;
    }
    return sum;
}

/* ---- open trees ---- */

/** Place of a number among the open trees, or where it would be. */
static size_t place_of(const struct vs_tree_set *set, uint64_t number)
{
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->tree[middle]->edit.tree_id < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/** The handle of that number, of a tree that may have been dropped. */
static struct vs_named_tree *find_any(const struct vs_tree_set *set, uint64_t number)
{
    size_t at = place_of(set, number);
    bool found = at < set->count && set->tree[at]->edit.tree_id == number;
    return found ? set->tree[at] : NULL;
}

struct vs_named_tree *vs_tree_set_find(const struct vs_tree_set *set, uint64_t number)
{
    struct vs_named_tree *tree = find_any(set, number);
    return tree == NULL || tree->edit.dropped ? NULL : tree;
}

/** Memory for the changes of one more open tree. */
static struct vs_edit_workspace *lend_workspace(struct vs_tree_set *set)
{
    struct vs_edit_workspace **lent = set->count < VS_TREE_SET_WORKSPACES
                                          ? &set->workspace[set->count]
                                          : &set->catalogue.workspace;
    if (*lent == NULL) {
        *lent = vs_edit_workspace_new(vs_writer_pages(set->main.writer)->page_size);
    }
    return *lent;
}

static verso_err make_room(struct vs_tree_set *set)
{
    if (set->count < set->capacity) {
        return VERSO_OK;
    }
    size_t capacity = set->capacity == 0 ? TREES_FIRST : 2 * set->capacity;
    struct vs_named_tree **grown = realloc(set->tree, capacity * sizeof(struct vs_named_tree *));
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for another tree");
    }
    set->tree = grown;
    set->capacity = capacity;
    return VERSO_OK;
}

/** Have a tree among the open ones as its record says. */
static verso_err adopt(struct vs_tree_set *set, const struct vs_tree_record *record,
                       struct vs_named_tree **tree)
{
    struct vs_named_tree *fresh = find_any(set, record->number);
    if (fresh != NULL && !fresh->edit.dropped) {
        *tree = fresh;
        return VERSO_OK;
    }
    if (fresh == NULL) {
        verso_err err = make_room(set);
        if (err != VERSO_OK) {
            return err;
        }
        struct vs_edit_workspace *workspace = lend_workspace(set);
        fresh = workspace == NULL ? NULL : calloc(1, sizeof *fresh);
        if (fresh == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for another tree");
        }
        fresh->edit.workspace = workspace;
        size_t at = place_of(set, record->number);
        memmove(set->tree + at + 1, set->tree + at, (set->count - at) * sizeof *set->tree);
        set->tree[at] = fresh;
        set->count++;
    }
    *tree = fresh;
    fresh->created = false;
    fresh->begun = (struct vs_tree_mark){.root = record->root, .fingerprint = record->fingerprint};
    uint64_t changes = fresh->edit.changes + 1; /* cursors of a tree that comes back look anew */
    uint64_t relief_copies = fresh->edit.relief_copies;
    vs_tree_edit_restart(&fresh->edit, set->main.writer, record->root, record->number,
                         record->fingerprint);
    fresh->edit.changes = changes;
    fresh->edit.relief_copies = relief_copies;
    return VERSO_OK;
}

verso_err vs_tree_set_open(struct vs_tree_set *set, verso_slice name, struct vs_named_tree **tree)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(&catalogue, name, &record);
    return err == VERSO_OK ? adopt(set, &record, tree) : err;
}

verso_err vs_tree_set_open_number(struct vs_tree_set *set, uint64_t number,
                                  struct vs_named_tree **tree)
{
    *tree = vs_tree_set_find(set, number);
    if (*tree != NULL) {
        return VERSO_OK;
    }
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find_number(&catalogue, number, bytes, &name, &record);
    return err == VERSO_OK ? adopt(set, &record, tree) : err;
}

/* ---- names ---- */

/** VERSO_EXISTS if the catalogue has the name or the number. */
static verso_err check_free(const struct vs_tree_view *catalogue, verso_slice name, uint64_t number)
{
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(catalogue, name, &record);
    if (err == VERSO_OK) {
        return vs_fault(VERSO_EXISTS, "a tree is named \"%.*s\" already", (int)name.size,
                        (const char *)name.data);
    }
    if (err != VERSO_NOT_FOUND || number == 0) {
        return err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice other;
    err = vs_catalogue_find_number(catalogue, number, bytes, &other, &record);
    if (err == VERSO_OK) {
        return vs_fault(VERSO_EXISTS, "a tree has the number %llu already",
                        (unsigned long long)number);
    }
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

verso_err vs_tree_set_create(struct vs_tree_set *set, verso_slice name, uint64_t number,
                             struct vs_named_tree **tree, bool *broken)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    struct vs_tree_record record = {.number = number};
    verso_err err = check_free(&catalogue, name, number);
    if (err == VERSO_OK && number == 0) {
        err = vs_catalogue_next_number(&catalogue, &record.number);
    }
    if (err == VERSO_OK && record.number >= UINT64_MAX - 1) {
        err = vs_fault(VERSO_LIMIT, "all numbers of trees are used up");
    }
    if (err == VERSO_OK) {
        err = vs_catalogue_enter(&set->catalogue, name, &record, broken);
    }
    if (err != VERSO_OK) {
        return err;
    }
    set->drift += vs_tree_name_term(name, record.number);
    err = adopt(set, &record, tree);
    if (err != VERSO_OK) {
        *broken = true;
        return err;
    }
    (*tree)->created = true;
    return VERSO_OK;
}

verso_err vs_tree_set_drop(struct vs_tree_set *set, verso_slice name, uint64_t *number,
                           bool *broken)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(&catalogue, name, &record);
    if (err == VERSO_OK) {
        err = vs_catalogue_remove(&set->catalogue, name, record.number, broken);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_named_tree *tree = vs_tree_set_find(set, record.number);
    struct vs_tree_root root = tree != NULL ? tree->edit.root : record.root;
    if (root.depth > 0) {
        err = vs_condemned_add(&set->catalogue, &root, broken);
        *broken = *broken || err != VERSO_OK;
    }
    if (tree != NULL) {
        tree->edit.root = (struct vs_tree_root){0};
        tree->edit.dropped = true;
    }
    set->drift -= record.fingerprint + vs_tree_name_term(name, record.number);
    *number = record.number;
    return err;
}

verso_err vs_tree_set_rename(struct vs_tree_set *set, verso_slice name, verso_slice to,
                             uint64_t *number, bool *broken)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(&catalogue, name, &record);
    if (err == VERSO_OK) {
        err = check_free(&catalogue, to, 0);
    }
    if (err == VERSO_OK) {
        err = vs_catalogue_rename(&set->catalogue, name, &record, to, broken);
    }
    if (err == VERSO_OK) {
        set->drift += vs_tree_name_term(to, record.number) - vs_tree_name_term(name, record.number);
        *number = record.number;
    }
    return err;
}

/* ---- going back ---- */

struct vs_tree_set_state *vs_tree_set_save(const struct vs_tree_set *set)
{
    struct vs_tree_set_state *state =
        malloc(sizeof *state + set->count * sizeof(struct vs_tree_state));
    if (state == NULL) {
        return NULL;
    }
    state->drift = set->drift;
    state->main = vs_tree_edit_mark(&set->main);
    state->catalogue = vs_tree_edit_mark(&set->catalogue);
    state->count = set->count;
    for (size_t i = 0; i < set->count; i++) {
        const struct vs_named_tree *tree = set->tree[i];
        state->tree[i] = (struct vs_tree_state){.number = tree->edit.tree_id,
                                                .now = vs_tree_edit_mark(&tree->edit),
                                                .begun = tree->begun,
                                                .created = tree->created};
    }
    return state;
}

void vs_tree_set_restore(struct vs_tree_set *set, const struct vs_tree_set_state *state)
{
    set->drift = state->drift;
    vs_tree_edit_return(&set->main, &state->main);
    vs_tree_edit_return(&set->catalogue, &state->catalogue);
    size_t next = 0; /* of the saved ones, which are all still open */
    for (size_t i = 0; i < set->count; i++) {
        struct vs_named_tree *tree = set->tree[i];
        struct vs_tree_state opened_since = {
            .now = tree->begun, .begun = tree->begun, .created = tree->created};
        opened_since.now.dropped = tree->created;
        bool saved = next < state->count && state->tree[next].number == tree->edit.tree_id;
        const struct vs_tree_state *to = saved ? &state->tree[next++] : &opened_since;
        tree->begun = to->begun;
        tree->created = to->created;
        vs_tree_edit_return(&tree->edit, &to->now);
    }
}

/* ---- before the commit ---- */

static bool has_changed(const struct vs_named_tree *tree)
{
    /* each change copies the root's page, or makes a first one, and no number is used again here */
    bool changed = tree->edit.root.page != tree->begun.root.page;
    assert(changed || tree->edit.fingerprint == tree->begun.fingerprint);
    return changed;
}

static verso_err settle_tree(struct vs_tree_set *set, const struct vs_named_tree *tree,
                             bool *broken)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(set);
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find_number(&catalogue, tree->edit.tree_id, bytes, &name, &record);
    if (err != VERSO_OK) {
        return err != VERSO_NOT_FOUND
                   ? err
                   : vs_fault(VERSO_CORRUPT, "catalogue: the number of an open tree is missing");
    }
    record.root = tree->edit.root;
    record.fingerprint = tree->edit.fingerprint;
    return vs_catalogue_update(&set->catalogue, name, &record, broken);
}

verso_err vs_tree_set_settle(struct vs_tree_set *set, bool *broken)
{
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < set->count && err == VERSO_OK; i++) {
        const struct vs_named_tree *tree = set->tree[i];
        if (!tree->edit.dropped && has_changed(tree)) {
            err = settle_tree(set, tree, broken);
        }
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t born = vs_writer_births(set->main.writer);
    return vs_condemned_reclaim(&set->catalogue, RECLAIM_MIN + born, broken);
}
