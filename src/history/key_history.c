/*
 * key_history.c - one key followed back through the roots, from leaf to leaf.
 *
 *     root      3    4    5    6    7    8    9
 *     leaf      |--- L1 --|------- L2 --------|       found at 9: L2, born in 5
 *               ^                             ^       so the next root to look at is 4
 *
 * Where the key is in the leaf, it has had that value since the leaf's birth. Where it is not, the
 * leaf's birth proves less: a leaf takes over the keys of a neighbour that was dropped without being
 * copied, and the key may have been in that neighbour. But what a leaf covers never shrinks while
 * it lives (it would have to be copied). So "this leaf covers the key" is false up to some root and
 * true from there on, and that root is found by halving.
 *
 * Leaves are told apart by their page numbers: a number is not used again while a root is pinned
 * in which it is alive.
 */
#include "history/key_history.h"

#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "tree/catalogue.h"
#include "tree/path.h"

/** The key as one root has it. */
struct spot {
    bool is_pinned; /* in `slot`; else by the caller, or the spot is empty */
    uint32_t slot;
    struct vs_root_record root; /* without its note */
    vs_page_no leaf;            /* that covers the key; 0: the tree is empty */
    uint64_t birth;             /* of that leaf; of an empty tree this is the root's id */
    bool is_unborn;             /* no older root can have the tree */
    bool there;
    struct vs_payload payload;
};

struct vs_key_history {
    struct vs_store *store;
    uint64_t tree;      /* its number; 0: the default one */
    verso_err error;    /* VERSO_NOT_FOUND: the end was met */
    struct spot told;   /* that of the last state handed out */
    struct spot coming; /* that of the next one */
    uint64_t lookups;
    uint8_t note[VS_NOTE_MAX];
    size_t key_size;
    uint8_t key[];
};

static verso_slice key_of(const struct vs_key_history *history)
{
    return (verso_slice){history->key, history->key_size};
}

/* ---- one root ---- */

static void let_go(struct vs_key_history *history, struct spot *spot)
{
    if (spot->is_pinned) {
        vs_reader_unpin(&history->store->readers, spot->slot);
        spot->is_pinned = false;
    }
}

/** The top of the tree in the spot's root. A tree that the root does not have counts as empty. */
static verso_err find_tree(struct vs_key_history *history, struct spot *spot,
                           struct vs_tree_root *tree)
{
    *tree = spot->root.tree;
    spot->is_unborn = false;
    if (history->tree == 0) {
        return VERSO_OK;
    }
    struct vs_tree_view catalogue = {&history->store->pages, spot->root.catalogue,
                                     spot->root.version};
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name;
    struct vs_tree_record record = {0};
    verso_err err = vs_catalogue_find_number(&catalogue, history->tree, bytes, &name, &record);
    if (err == VERSO_NOT_FOUND) { /* dropped, or not made yet: numbers are given in order */
        uint64_t next = 0;
        err = vs_catalogue_next_number(&catalogue, &next);
        spot->is_unborn = next <= history->tree;
    }
    *tree = record.root;
    return err;
}

/** Look the key up in the spot's root, which is pinned. */
static verso_err look(struct vs_key_history *history, struct spot *spot)
{
    struct vs_tree_view view = {.pages = &history->store->pages, .version = spot->root.version};
    struct vs_path path;
    verso_err err = find_tree(history, spot, &view.root);
    if (err == VERSO_OK) {
        err = vs_path_to_key(&view, key_of(history), false, &path);
    }
    if (err != VERSO_OK) {
        return err;
    }
    history->lookups++;
    spot->there = false;
    spot->leaf = 0;
    spot->birth = spot->root.version;
    if (path.depth == 0) {
        return VERSO_OK;
    }
    const struct vs_path_step *leaf = &path.level[0];
    spot->leaf = leaf->page;
    spot->birth = vs_page_birth(leaf->bytes);
    if (spot->birth == 0 || spot->birth > spot->root.version) {
        return vs_fault(VERSO_CORRUPT, "page %u: born in version %llu, but found in root %llu",
                        leaf->page, (unsigned long long)spot->birth,
                        (unsigned long long)spot->root.version);
    }
    unsigned index = 0;
    spot->there = vs_leaf_find(leaf->bytes, key_of(history), &index);
    if (spot->there) {
        spot->payload = vs_leaf_payload(leaf->bytes, index);
    }
    return VERSO_OK;
}

/** Pin the newest kept root at or below `version`, and look the key up there. */
static verso_err look_at_or_below(struct vs_key_history *history, uint64_t version,
                                  struct spot *spot)
{
    verso_err err =
        vs_history_pin_at_or_below(history->store, version, &spot->slot, &spot->root, NULL);
    spot->is_pinned = err == VERSO_OK;
    if (err == VERSO_OK) {
        err = look(history, spot);
    }
    if (err != VERSO_OK) {
        let_go(history, spot);
    }
    return err;
}

/* ---- how far back a spot's state reaches ---- */

/** Does the spot's leaf cover the key in the newest kept root at or below `version` too? */
static verso_err is_covered(struct vs_key_history *history, const struct spot *spot,
                            uint64_t version, bool *covered)
{
    struct spot other;
    *covered = false;
    verso_err err = look_at_or_below(history, version, &other);
    if (err == VERSO_NOT_FOUND) {
        return VERSO_OK;
    }
    if (err == VERSO_OK) {
        *covered = other.leaf == spot->leaf;
        let_go(history, &other);
    }
    return err;
}

/** The oldest kept root from `version` on; that of the spot if there is none before it. */
static verso_err oldest_kept(struct vs_key_history *history, uint64_t version,
                             const struct spot *spot, uint64_t *oldest)
{
    uint32_t slot;
    struct vs_root_record record;
    verso_err err = vs_history_pin_at_or_above(history->store, version, &slot, &record, NULL);
    *oldest = spot->root.version;
    if (err == VERSO_OK) {
        vs_reader_unpin(&history->store->readers, slot);
        *oldest = record.version < *oldest ? record.version : *oldest;
    }
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

/** Since which version the leaf of a spot without the key has covered it, in the kept roots. */
static verso_err covered_since(struct vs_key_history *history, const struct spot *spot,
                               uint64_t *since)
{
    uint64_t oldest = 0;
    bool covered = true;
    verso_err err = oldest_kept(history, spot->birth, spot, &oldest);
    if (err == VERSO_OK && oldest < spot->root.version) {
        err = is_covered(history, spot, oldest, &covered);
    }
    uint64_t without = covered ? oldest - 1 : oldest;
    uint64_t with = covered ? oldest : spot->root.version;
    while (err == VERSO_OK && with - without > 1) {
        uint64_t middle = without + (with - without) / 2;
        err = is_covered(history, spot, middle, &covered);
        with = covered ? middle : with;
        without = covered ? without : middle;
    }
    *since = with;
    return err;
}

/** Look at the newest kept root before those of which the spot tells. VERSO_NOT_FOUND: none. */
static verso_err look_before(struct vs_key_history *history, const struct spot *spot,
                             struct spot *before)
{
    uint64_t since = spot->birth;
    if (!spot->there && spot->leaf != 0) {
        verso_err err = covered_since(history, spot, &since);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return since <= 1 || spot->is_unborn ? VERSO_NOT_FOUND
                                         : look_at_or_below(history, since - 1, before);
}

static verso_err is_same(struct vs_key_history *history, const struct spot *a, const struct spot *b,
                         bool *same)
{
    *same = a->there == b->there;
    if (!a->there || !b->there) {
        return VERSO_OK;
    }
    struct vs_value_place left = {a->leaf, a->payload};
    struct vs_value_place right = {b->leaf, b->payload};
    return vs_value_is_same(&history->store->pages, &left, &right, same);
}

/** Go back from the state that is to be told to the first root with another one, which becomes the
 *  coming spot. VERSO_NOT_FOUND: no kept root has another. */
static verso_err find_coming(struct vs_key_history *history)
{
    struct spot *told = &history->told;
    struct spot at = *told; /* its pin stays with `told` */
    at.is_pinned = false;
    for (;;) {
        struct spot before;
        bool same = false;
        verso_err err = look_before(history, &at, &before);
        let_go(history, &at); /* until here its leaf's number must not be used again */
        if (err == VERSO_OK) {
            err = is_same(history, told, &before, &same);
            if (err != VERSO_OK) {
                let_go(history, &before);
            }
        }
        if (err != VERSO_OK) {
            return err;
        }
        if (!same) {
            history->coming = before;
            return VERSO_OK;
        }
        at = before;
    }
}

/* ---- the walk ---- */

/** The oldest kept root from `version` on, with its note: if that is none of those that the told
 *  spot speaks for, they were dropped meanwhile, and its own root stands for them. */
static verso_err describe_root(struct vs_key_history *history, uint64_t version,
                               struct vs_root_record *root)
{
    struct vs_store *store = history->store;
    uint32_t slot;
    verso_err err = vs_history_pin_at_or_above(store, version, &slot, root, history->note);
    if (err == VERSO_OK) {
        vs_reader_unpin(&store->readers, slot);
    }
    if (err != VERSO_NOT_FOUND &&
        (err != VERSO_OK || root->version <= history->told.root.version)) {
        return err;
    }
    err = vs_history_find(store, history->told.root.version, root, history->note);
    if (err == VERSO_GONE) { /* its content is pinned, its note is not */
        *root = history->told.root;
        root->note = (verso_slice){NULL, 0};
        err = VERSO_OK;
    }
    return err;
}

static verso_err next_state(struct vs_key_history *history, struct vs_key_state *state)
{
    let_go(history, &history->told);
    history->told = history->coming;
    history->coming.is_pinned = false;
    verso_err err = find_coming(history);
    bool is_last = err == VERSO_NOT_FOUND;
    if (err != VERSO_OK && !is_last) {
        return err;
    }
    if (is_last && !history->told.there) {
        return VERSO_NOT_FOUND; /* before the key was first there */
    }
    state->deleted = !history->told.there;
    state->value = (struct vs_value_place){history->told.leaf, history->told.payload};
    err = describe_root(history, is_last ? 1 : history->coming.root.version + 1, &state->root);
    history->error = is_last && err == VERSO_OK ? VERSO_NOT_FOUND : err;
    return err;
}

verso_err vs_key_history_next(struct vs_key_history *history, struct vs_key_state *state)
{
    verso_err err = history->error;
    if (err == VERSO_OK) {
        err = next_state(history, state);
        history->error = err != VERSO_OK ? err : history->error;
    }
    return err == VERSO_NOT_FOUND ? vs_fault_text(VERSO_NOT_FOUND, "no older value") : err;
}

verso_err vs_key_history_open(struct vs_store *store, const struct vs_root_record *root,
                              uint64_t tree, verso_slice key, struct vs_key_history **history)
{
    struct vs_key_history *fresh = calloc(1, sizeof *fresh + key.size);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a key's history");
    }
    fresh->store = store;
    fresh->tree = tree;
    fresh->key_size = key.size;
    if (key.size > 0) {
        memcpy(fresh->key, key.data, key.size);
    }
    fresh->coming.root = *root;
    verso_err err = look(fresh, &fresh->coming);
    if (err != VERSO_OK) {
        free(fresh);
        return err;
    }
    *history = fresh;
    return VERSO_OK;
}

uint64_t vs_key_history_lookups(const struct vs_key_history *history)
{
    return history->lookups;
}

void vs_key_history_close(struct vs_key_history *history)
{
    let_go(history, &history->told);
    let_go(history, &history->coming);
    free(history);
}
