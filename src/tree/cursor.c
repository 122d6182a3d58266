/*
 * cursor.c - where a cursor stands, and how it moves from entry to entry and from leaf to leaf.
 *
 * A cursor holds the path of its last descent, moved along with it: its branches know the leaves
 * ahead (prefetch, read-ahead) and behind (steps back). A step forward into the next leaf takes the
 * chain's link, which must agree with the path; the target must be alive in the version and its
 * first key above the key before.
 *
 * The key under the cursor always lies whole in the key buffer. Within one leaf only the part
 * behind the leaf's prefix is written anew.
 *
 * On a tree being changed, page bytes die with each change; the cursor then looks anew by its key.
 */
#include "tree/cursor.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "tree/count.h"
#include "tree/cursor_place.h"
#include "tree/value.h"

enum {
    AHEAD_LINES = 8, /* lines of the next leaf to ask for on entering one: what a search reads */
    AHEAD_LINES_MAX =
        32,            /* and one more with each entry, up to so many: the rest comes by itself */
    AHEAD_LEAVES = 32, /* leaves that a cold scan asks the system for at once */
    AHEAD_FIRST = 4,   /* and on its first step into another leaf */
};

verso_err vs_tree_cursor_open(const struct vs_tree_view *view, const struct vs_tree_edit *edit,
                              struct vs_tree_cursor **cursor)
{
    size_t key_max = vs_leaf_key_max(view->pages->page_size) + 1; /* see stand_in_gap() */
    struct vs_tree_cursor *fresh = malloc(sizeof *fresh + 2 * key_max);
    if (fresh == NULL) {
        return vs_fault_text(VERSO_NOMEM, "no memory for a cursor");
    }
    fresh->view = *view;
    fresh->edit = edit;
    fresh->changes = edit != NULL ? edit->changes : 0;
    fresh->moves = edit != NULL ? vs_writer_moves(edit->writer) : 0;
    fresh->place = PLACE_FRESH;
    fresh->error = VERSO_OK;
    fresh->path.depth = 0;
    fresh->key_size = 0;
    fresh->asked_in = 0;
    fresh->ahead = NULL;
    fresh->ahead_end = NULL;
    fresh->asked_to = 0;
    fresh->window = AHEAD_FIRST;
    fresh->key = (uint8_t *)(fresh + 1);
    fresh->sought = fresh->key + key_max;
    fresh->pool = (struct vs_key_pool){.blocks = NULL};
    *cursor = fresh;
    return VERSO_OK;
}

void vs_tree_cursor_close(struct vs_tree_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    vs_key_pool_clear(&cursor->pool);
    free(cursor);
}

verso_err vs_cursor_fail(struct vs_tree_cursor *cursor, verso_err err)
{
    assert(err != VERSO_NOT_FOUND);
    if (err != VERSO_OK) {
        cursor->place = PLACE_FAILED;
        cursor->error = err;
    }
    return err;
}

static verso_err stand(struct vs_tree_cursor *cursor, enum place place)
{
    cursor->place = place;
    return VERSO_NOT_FOUND;
}

/** Ask the system for leaves ahead: few after the first step out of a leaf, more as the scan goes
 * on. */
static void read_ahead(struct vs_tree_cursor *cursor, const struct vs_path_step *parent)
{
    unsigned children = vs_page_count(parent->bytes);
    unsigned from = parent->index + 1;
    if (parent->page == cursor->asked_in && from < cursor->asked_to) {
        return;
    }
    unsigned count = children - from < cursor->window ? children - from : cursor->window;
    vs_page_no ahead[AHEAD_LEAVES];
    for (unsigned i = 0; i < count; i++) {
        ahead[i] = vs_branch_child(parent->bytes, from + i);
    }
    vs_pages_will_need(cursor->view.pages, ahead, count);
    cursor->asked_in = parent->page;
    cursor->asked_to = from + count;
    if (cursor->window < AHEAD_LEAVES) {
        cursor->window *= 2;
    }
}

/** Begin to ask for the leaf that is next by the path, and for its descriptor. */
static void look_ahead(struct vs_tree_cursor *cursor, bool forward)
{
    const struct vs_path_step *parent = &cursor->path.level[1];
    cursor->ahead = NULL;
    cursor->ahead_end = NULL;
    if (cursor->path.depth < 2 ||
        (forward ? parent->index + 1 >= vs_page_count(parent->bytes) : parent->index == 0)) {
        return;
    }
    const struct vs_pages *pages = cursor->view.pages;
    vs_page_no page =
        vs_branch_child(parent->bytes, forward ? parent->index + 1 : parent->index - 1);
    const uint8_t *bytes = vs_path_hint(pages, page);
    size_t size = (size_t)AHEAD_LINES_MAX * VS_CURSOR_LINE;
    for (unsigned line = 0; line < AHEAD_LINES; line++) {
        __builtin_prefetch(bytes + (size_t)line * VS_CURSOR_LINE);
    }
    cursor->ahead = bytes + (size_t)AHEAD_LINES * VS_CURSOR_LINE;
    cursor->ahead_end = bytes + (size < pages->page_size ? size : pages->page_size);
    vs_page_prefetch_descriptor(pages, page);
}

/** Take over the leaf to which the path leads: its bytes are read. */
static void enter(struct vs_tree_cursor *cursor)
{
    cursor->bytes = cursor->path.level[0].bytes;
    cursor->count = vs_page_count(cursor->bytes);
    cursor->key_size = vs_leaf_prefix(cursor->bytes, cursor->key);
}

/** Stand on entry `index` of the leaf and hand it out. */
static inline verso_err stand_on(struct vs_tree_cursor *cursor, unsigned index,
                                 struct vs_tree_entry *entry)
{
    struct vs_payload payload;
    assert(index < cursor->count);
    vs_cursor_ask_on(cursor);
    cursor->place = PLACE_ON;
    cursor->index = index;
    cursor->key_size = vs_leaf_entry(cursor->bytes, index, cursor->key, &payload);
    if (entry == NULL) {
        return VERSO_OK;
    }
    entry->key = (verso_slice){cursor->key, cursor->key_size};
    return vs_cursor_fail(cursor, vs_value_of(cursor->view.pages, cursor->path.level[0].page,
                                              payload, &entry->value));
}

/** Move the path to the leaf after or before, read it and prove the order of keys across the
 * border. */
static verso_err cross(struct vs_tree_cursor *cursor, bool forward)
{
    struct vs_path *path = &cursor->path;
    struct vs_path_step *leaf = &path->level[0];
    vs_page_no from = leaf->page;
    vs_page_no linked = 0;
    if (forward) {
        verso_err err = vs_page_next_leaf(cursor->view.pages, from, cursor->view.version, &linked);
        if (err != VERSO_OK) {
            return err;
        }
    }
    bool moved = false;
    verso_err err = vs_path_step_aside(cursor->view.pages, forward, path, &moved);
    if (err != VERSO_OK) {
        return err;
    }
    if (forward && linked != (moved ? leaf->page : 0)) {
        return vs_fault(VERSO_CORRUPT, "page %u: linked to page %u, but the branches name page %u",
                        from, linked, moved ? leaf->page : 0);
    }
    if (!moved) {
        return VERSO_NOT_FOUND;
    }
    bool alive = false;
    err = vs_page_is_alive(cursor->view.pages, leaf->page, cursor->view.version, &alive);
    if (err != VERSO_OK) {
        return err;
    }
    if (!alive) {
        return vs_fault(VERSO_CORRUPT, "page %u: follows page %u but is not alive", leaf->page,
                        from);
    }
    err = vs_path_read(cursor->view.pages, leaf->page, 0, &leaf->bytes);
    if (err != VERSO_OK) {
        return err;
    }
    unsigned nearest = forward ? 0 : vs_page_count(leaf->bytes) - 1;
    int order = vs_leaf_compare(leaf->bytes, nearest, (verso_slice){cursor->key, cursor->key_size});
    if (forward ? order <= 0 : order >= 0) {
        return vs_fault(VERSO_CORRUPT, "page %u: its keys do not continue those of page %u",
                        leaf->page, from);
    }
    enter(cursor);
    return VERSO_OK;
}

verso_err vs_cursor_next_leaf(struct vs_tree_cursor *cursor)
{
    verso_err err = cross(cursor, true);
    if (err == VERSO_NOT_FOUND) {
        return stand(cursor, PLACE_AFTER_LAST);
    }
    if (err != VERSO_OK) {
        return vs_cursor_fail(cursor, err);
    }
    assert(cursor->path.depth > 1); /* there is another leaf */
    read_ahead(cursor, &cursor->path.level[1]);
    look_ahead(cursor, true);
    return VERSO_OK;
}

static verso_err previous_leaf(struct vs_tree_cursor *cursor)
{
    verso_err err = cross(cursor, false);
    if (err == VERSO_NOT_FOUND) {
        return stand(cursor, PLACE_BEFORE_FIRST);
    }
    if (err != VERSO_OK) {
        return vs_cursor_fail(cursor, err);
    }
    look_ahead(cursor, false);
    return VERSO_OK;
}

/** Forget errors and take the tree as it is now. */
static void renew(struct vs_tree_cursor *cursor)
{
    if (cursor->edit != NULL) {
        cursor->view = vs_tree_edit_view(cursor->edit);
        cursor->changes = cursor->edit->changes;
        cursor->moves = vs_writer_moves(cursor->edit->writer);
    }
    cursor->error = VERSO_OK;
    cursor->asked_in = 0;
    cursor->window = AHEAD_FIRST;
}

static verso_err go_to_edge(struct vs_tree_cursor *cursor, bool last, struct vs_tree_entry *entry)
{
    renew(cursor);
    verso_err err = vs_path_to_edge(&cursor->view, last, &cursor->path);
    if (err != VERSO_OK) {
        return vs_cursor_fail(cursor, err);
    }
    if (cursor->path.depth == 0) {
        return stand(cursor, last ? PLACE_BEFORE_FIRST : PLACE_AFTER_LAST);
    }
    enter(cursor);
    look_ahead(cursor, !last);
    return stand_on(cursor, cursor->path.level[0].index, entry);
}

verso_err vs_tree_cursor_first(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry)
{
    return go_to_edge(cursor, false, entry);
}

verso_err vs_tree_cursor_last(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry)
{
    return go_to_edge(cursor, true, entry);
}

verso_err vs_tree_cursor_nth(struct vs_tree_cursor *cursor, uint64_t rank,
                             struct vs_tree_entry *entry)
{
    renew(cursor);
    if (rank >= cursor->view.root.keys) {
        return stand(cursor, PLACE_AFTER_LAST);
    }
    verso_err err = vs_path_to_rank(&cursor->view, rank, &cursor->path);
    if (err != VERSO_OK) {
        return vs_cursor_fail(cursor, err);
    }
    enter(cursor);
    return stand_on(cursor, cursor->path.level[0].index, entry);
}

/** Stand between entries, where `key` is missing; steps go from there. */
static verso_err stand_in_gap(struct vs_tree_cursor *cursor, verso_slice key)
{
    /* of a key that no leaf can hold, one byte more than they can says where it would be */
    size_t enough = vs_leaf_key_max(cursor->view.pages->page_size) + 1;
    cursor->key_size = key.size < enough ? key.size : enough;
    if (key.size != 0) {
        memmove(cursor->key, key.data, cursor->key_size); /* it may be the cursor's own */
    }
    return stand(cursor, PLACE_GAP);
}

/**
 * A seek has gone on to the leaf beside that of its key: does that leaf's nearest key lie on the far
 * side of the separator between the two, on whose near side the key sought lies?
 */
static verso_err check_side(struct vs_tree_cursor *cursor, bool forward)
{
    const struct vs_path_step *step = &cursor->path.level[1];
    while (forward ? step->index == 0 : step->index + 1 == vs_page_count(step->bytes)) {
        step++; /* the two leaves' common branch is higher up */
        assert(step < &cursor->path.level[cursor->path.depth]);
    }
    unsigned between = forward ? step->index : step->index + 1;
    verso_slice separator = {cursor->sought,
                             vs_branch_separator(step->bytes, between, cursor->sought)};
    int order = vs_leaf_compare(cursor->bytes, forward ? 0 : cursor->count - 1, separator);
    if (forward ? order >= 0 : order < 0) {
        return VERSO_OK;
    }
    return vs_cursor_fail(cursor, vs_fault(VERSO_CORRUPT,
                                           "page %u: its keys do not lie where the branches say",
                                           cursor->path.level[0].page));
}

/** Stand where `how` says, `index` being the place of the sought key in the leaf entered, or in the
 *  leaf beside it. */
static verso_err land(struct vs_tree_cursor *cursor, verso_seek how, unsigned index, bool found,
                      struct vs_tree_entry *entry)
{
    struct vs_payload payload;
    switch (how) {
    case VERSO_SEEK_EQ:
        assert(found);
        return stand_on(cursor, index, entry);
    case VERSO_SEEK_LT:
    case VERSO_SEEK_LE:
        if (how == VERSO_SEEK_LE && found) {
            return stand_on(cursor, index, entry);
        }
        if (index > 0) {
            return stand_on(cursor, index - 1, entry);
        }
        cursor->key_size = vs_leaf_entry(cursor->bytes, 0, cursor->key, &payload);
        verso_err err = previous_leaf(cursor);
        err = err == VERSO_OK ? check_side(cursor, false) : err;
        return err != VERSO_OK ? err : stand_on(cursor, cursor->count - 1, entry);
    case VERSO_SEEK_GE:
    case VERSO_SEEK_GT:
    default:
        index += how == VERSO_SEEK_GT && found;
        look_ahead(cursor, true);
        if (index < cursor->count) {
            return stand_on(cursor, index, entry);
        }
        cursor->key_size = vs_leaf_entry(cursor->bytes, cursor->count - 1, cursor->key, &payload);
        err = vs_cursor_next_leaf(cursor);
        err = err == VERSO_OK ? check_side(cursor, true) : err;
        return err != VERSO_OK ? err : stand_on(cursor, 0, entry);
    }
}

verso_err vs_tree_cursor_seek(struct vs_tree_cursor *cursor, verso_seek how, verso_slice key,
                              struct vs_tree_entry *entry)
{
    renew(cursor);
    verso_err err = vs_path_to_key(&cursor->view, key, false, &cursor->path);
    if (err != VERSO_OK) {
        return vs_cursor_fail(cursor, err);
    }
    bool below = how == VERSO_SEEK_LT || how == VERSO_SEEK_LE;
    if (cursor->path.depth == 0) {
        return stand(cursor, below ? PLACE_BEFORE_FIRST : PLACE_AFTER_LAST);
    }
    unsigned index = 0;
    bool found = vs_leaf_find(cursor->path.level[0].bytes, key, &index);
    if (how == VERSO_SEEK_EQ && !found) {
        return stand_in_gap(cursor, key);
    }
    enter(cursor); /* from here on the caller's key is not needed: it may be the cursor's own */
    return land(cursor, how, index, found, entry);
}

/** Place the cursor relative to the key in its buffer. */
static verso_err seek_own_key(struct vs_tree_cursor *cursor, verso_seek how,
                              struct vs_tree_entry *entry)
{
    size_t size = cursor->key_size;
    memcpy(cursor->sought, cursor->key, size);
    return vs_tree_cursor_seek(cursor, how, (verso_slice){cursor->sought, size}, entry);
}

/** Has the tree changed since the cursor last looked, or have its pages moved? */
static bool is_stale(const struct vs_tree_cursor *cursor)
{
    const struct vs_tree_edit *edit = cursor->edit;
    return edit != NULL &&
           (edit->changes != cursor->changes || vs_writer_moves(edit->writer) != cursor->moves);
}

/** A step from anywhere but an entry of a leaf that is still good. */
static verso_err step_from_elsewhere(struct vs_tree_cursor *cursor, bool forward,
                                     struct vs_tree_entry *entry)
{
    switch (cursor->place) {
    case PLACE_FAILED:
        return cursor->error;
    case PLACE_FRESH:
        return go_to_edge(cursor, !forward, entry);
    case PLACE_BEFORE_FIRST:
        return forward ? go_to_edge(cursor, false, entry) : VERSO_NOT_FOUND;
    case PLACE_AFTER_LAST:
        return forward ? VERSO_NOT_FOUND : go_to_edge(cursor, true, entry);
    case PLACE_AHEAD:
        return seek_own_key(cursor, forward ? VERSO_SEEK_GE : VERSO_SEEK_LT, entry);
    case PLACE_ON:
    case PLACE_GAP:
    default:
        return seek_own_key(cursor, forward ? VERSO_SEEK_GT : VERSO_SEEK_LT, entry);
    }
}

verso_err vs_tree_cursor_next(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry)
{
    if (__builtin_expect(cursor->place != PLACE_ON || is_stale(cursor), 0)) {
        return step_from_elsewhere(cursor, true, entry);
    }
    if (__builtin_expect(cursor->index + 1 < cursor->count, 1)) {
        return stand_on(cursor, cursor->index + 1, entry);
    }
    verso_err err = vs_cursor_next_leaf(cursor);
    return err != VERSO_OK ? err : stand_on(cursor, 0, entry);
}

verso_err vs_tree_cursor_previous(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry)
{
    if (__builtin_expect(cursor->place != PLACE_ON || is_stale(cursor), 0)) {
        return step_from_elsewhere(cursor, false, entry);
    }
    if (__builtin_expect(cursor->index > 0, 1)) {
        return stand_on(cursor, cursor->index - 1, entry);
    }
    verso_err err = previous_leaf(cursor);
    return err != VERSO_OK ? err : stand_on(cursor, cursor->count - 1, entry);
}

verso_err vs_tree_cursor_current(struct vs_tree_cursor *cursor, struct vs_tree_entry *entry)
{
    if (cursor->place == PLACE_FAILED) {
        return cursor->error;
    }
    if (cursor->place != PLACE_ON) {
        return VERSO_NOT_FOUND;
    }
    return is_stale(cursor) ? seek_own_key(cursor, VERSO_SEEK_EQ, entry)
                            : stand_on(cursor, cursor->index, entry);
}
