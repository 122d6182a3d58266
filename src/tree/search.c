/*
 * search.c - from a key to its value: one at a time, or many in turns.
 *
 * A search waits for memory more than it computes: about one miss a branch level outside the cache
 * and two in the leaf. A leaf's first lines are asked for as soon as its number is known. A batch
 * goes further: the searches of a group take turns, level by level, each asking for what it will
 * need at its next turn, so that their misses overlap.
 */
#include <assert.h>

#include "os/fault.h"
#include "tree/path.h"
#include "tree/value.h"

enum {
    GROUP = 16,       /* searches that take turns: measured, more brings nothing */
    BRANCH_LINES = 5, /* header and hints, and the first heads */
};

/** Read the value of a key from the leaf that would hold it. */
static verso_err value_in_leaf(const struct vs_tree_view *view, vs_page_no leaf,
                               const uint8_t *bytes, verso_slice key, struct vs_tree_value *value)
{
    unsigned index = 0;
    if (!vs_leaf_find(bytes, key, &index)) {
        return vs_fault_text(VERSO_NOT_FOUND, "no such key");
    }
    return vs_value_of(view->pages, leaf, vs_leaf_payload(bytes, index), value);
}

enum { WIDE_FROM_DEPTH = 4 };

/** The child to go on with. The lowest branches of a deep tree lie beyond the second-level cache:
 *  there all heads are asked for at once, one miss instead of two (10 million keys: 6 to 10 % of a
 *  get). */
static inline vs_page_no next_down(const struct vs_tree_view *view, const uint8_t *bytes,
                                   verso_slice key)
{
    bool wide = view->root.depth >= WIDE_FROM_DEPTH;
    return vs_branch_child(bytes,
                           wide ? vs_branch_find_wide(bytes, key) : vs_branch_find(bytes, key));
}

verso_err vs_tree_get(const struct vs_tree_view *view, verso_slice key, struct vs_tree_value *value)
{
    assert(vs_tree_root_is_possible(&view->root));
    if (view->root.depth == 0) {
        return vs_fault_text(VERSO_NOT_FOUND, "no such key");
    }
    vs_page_no page = view->root.page;
    const uint8_t *bytes = NULL;
    for (unsigned level = view->root.depth - 1; level > 0; level--) {
        verso_err err = vs_path_read(view->pages, page, level, &bytes);
        if (err != VERSO_OK) {
            return err;
        }
        page = next_down(view, bytes, key);
    }
    vs_leaf_prefetch(vs_path_hint(view->pages, page));
    verso_err err = vs_path_read(view->pages, page, 0, &bytes);
    return err != VERSO_OK ? err : value_in_leaf(view, page, bytes, key, value);
}

/** Up to GROUP searches on their way down. */
struct group {
    const struct vs_tree_view *view;
    const verso_slice *keys;
    unsigned count;
    vs_page_no page[GROUP];
    const uint8_t *bytes[GROUP];
};

static void prefetch_page(const struct vs_pages *pages, vs_page_no page)
{
    const uint8_t *bytes = vs_path_hint(pages, page);
    for (unsigned line = 0; line < BRANCH_LINES; line++) {
        __builtin_prefetch(bytes + (size_t)line * 64);
    }
}

/** Take every search of the group to its leaf, whose first lines are on their way then. */
static verso_err descend(struct group *group)
{
    const struct vs_tree_view *view = group->view;
    for (unsigned i = 0; i < group->count; i++) {
        group->page[i] = view->root.page;
    }
    for (unsigned level = view->root.depth - 1; level > 0; level--) {
        for (unsigned i = 0; i < group->count; i++) {
            verso_err err = vs_path_read(view->pages, group->page[i], level, &group->bytes[i]);
            if (err != VERSO_OK) {
                return err;
            }
            const uint8_t *bytes = group->bytes[i];
            group->page[i] = next_down(group->view, bytes, group->keys[i]);
            prefetch_page(view->pages, group->page[i]);
        }
    }
    return VERSO_OK;
}

static verso_err search_group(struct group *group, struct vs_tree_value *values, verso_err *found)
{
    verso_err err = descend(group);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < group->count; i++) {
        err = vs_path_read(group->view->pages, group->page[i], 0, &group->bytes[i]);
        if (err != VERSO_OK) {
            return err;
        }
        vs_leaf_prefetch_cell(group->bytes[i], group->keys[i]);
    }
    for (unsigned i = 0; i < group->count; i++) {
        found[i] =
            value_in_leaf(group->view, group->page[i], group->bytes[i], group->keys[i], &values[i]);
        if (found[i] != VERSO_OK && found[i] != VERSO_NOT_FOUND) {
            return found[i];
        }
    }
    return VERSO_OK;
}

verso_err vs_tree_get_many(const struct vs_tree_view *view, const verso_slice *keys, size_t count,
                           struct vs_tree_value *values, verso_err *found)
{
    assert(vs_tree_root_is_possible(&view->root));
    if (view->root.depth == 0) {
        for (size_t i = 0; i < count; i++) {
            found[i] = VERSO_NOT_FOUND;
        }
        return VERSO_OK;
    }
    for (size_t at = 0; at < count; at += GROUP) {
        struct group group = {.view = view, .keys = keys + at};
        group.count = count - at < GROUP ? (unsigned)(count - at) : GROUP;
        verso_err err = search_group(&group, values + at, found + at);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}
