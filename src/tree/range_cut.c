/*
 * range_cut.c - finding the edges of a range, cutting it out, settling what is left.
 *
 * C1  The leaves at both edges lose at least one entry each: edges that lose none were moved
 *     inwards. So whatever stays of the two paths has changed and is copied.
 * C2  A page of a path below the fork stays if it has a child (or entry) on the outer side of the
 *     path, or if the page below it stays.
 * C3  No separator changes: the first child behind the cut keeps the separator that it had, unless
 *     it becomes the first of its branch, which has none. What lies between the edges' keys and that
 *     separator falls to the left edge.
 */
#include "tree/range_cut.h"

#include <assert.h>
#include <string.h>

#include "format/key_order.h"
#include "os/fault.h"

static size_t page_size_of(const struct vs_tree_edit *edit)
{
    return vs_writer_pages(edit->writer)->page_size;
}

/* ---- finding ---- */

static verso_err out_of_order(const struct vs_path_step *step)
{
    return vs_fault(VERSO_CORRUPT, "page %u: its keys do not lie where the branches say",
                    step->page);
}

/** The first entry at or above `from`, or of all. @param[out] found  There is one. */
static verso_err find_left(const struct vs_tree_view *view, const struct vs_key_range *range,
                           struct vs_path *path, bool *found)
{
    *found = true;
    if (!range->has_from) {
        return vs_path_to_edge(view, false, path);
    }
    verso_err err = vs_path_to_key(view, range->from, true, path);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_path_step *leaf = &path->level[0];
    (void)vs_leaf_find(leaf->bytes, range->from, &leaf->index);
    if (leaf->index < vs_page_count(leaf->bytes)) {
        return VERSO_OK;
    }
    err = vs_path_step_aside(view->pages, true, path, found);
    return err == VERSO_OK && *found ? vs_path_read(view->pages, leaf->page, 0, &leaf->bytes) : err;
}

/** Behind the last entry below `to`, or behind all. There is one. */
static verso_err find_right(const struct vs_tree_view *view, const struct vs_key_range *range,
                            struct vs_path *path)
{
    struct vs_path_step *leaf = &path->level[0];
    verso_err err;
    if (!range->has_to) {
        err = vs_path_to_edge(view, true, path);
    } else {
        err = vs_path_to_key(view, range->to, true, path);
        if (err != VERSO_OK) {
            return err;
        }
        (void)vs_leaf_find(leaf->bytes, range->to, &leaf->index);
        if (leaf->index > 0) {
            return VERSO_OK;
        }
        bool moved = false;
        err = vs_path_step_aside(view->pages, false, path, &moved);
        /* in the first leaf of all, the key that find_left() has found would be before it */
        assert(err != VERSO_OK || moved);
        if (err == VERSO_OK) {
            err = vs_path_read(view->pages, leaf->page, 0, &leaf->bytes);
        }
    }
    if (err == VERSO_OK) {
        leaf->index = vs_page_count(leaf->bytes);
    }
    return err;
}

/** Index of the first entry behind what goes of the right path's page. */
static unsigned behind(const struct vs_path *path, unsigned level)
{
    return path->level[level].index + (level > 0);
}

static bool is_last(const struct vs_path *path, unsigned level)
{
    return behind(path, level) == vs_page_count(path->level[level].bytes);
}

static verso_err find_fork(struct vs_range_cut *cut)
{
    unsigned level = cut->left.depth - 1;
    while (level > 0 && cut->left.level[level].index == cut->right.level[level].index) {
        level--;
    }
    cut->fork = level;
    return cut->left.level[level].index < cut->right.level[level].index
               ? VERSO_OK
               : out_of_order(&cut->left.level[level]);
}

/** C2: up to which level do pages go? */
static void find_kept(struct vs_range_cut *cut)
{
    unsigned fork = cut->fork;
    unsigned left = 0;
    while (left < fork && cut->left.level[left].index == 0) {
        left++;
    }
    unsigned right = 0;
    while (right < fork && is_last(&cut->right, right)) {
        right++;
    }
    if (left == fork && right == fork && cut->left.level[fork].index == 0 &&
        is_last(&cut->right, fork)) {
        for (left = fork + 1; left < cut->left.depth; left++) {
            if (vs_page_count(cut->left.level[left].bytes) > 1) {
                break;
            }
        }
        right = left;
    }
    cut->left_kept = left;
    cut->right_kept = right;
}

verso_err vs_range_cut_find(const struct vs_tree_view *view, const struct vs_key_range *range,
                            struct vs_range_cut *cut, bool *empty)
{
    *empty = true;
    if (view->root.depth == 0) {
        return VERSO_OK;
    }
    bool found = false;
    verso_err err = find_left(view, range, &cut->left, &found);
    if (err != VERSO_OK || !found) {
        return err;
    }
    const struct vs_path_step *leaf = &cut->left.level[0];
    if (range->has_to && vs_leaf_compare(leaf->bytes, leaf->index, range->to) >= 0) {
        return VERSO_OK;
    }
    err = find_right(view, range, &cut->right);
    if (err == VERSO_OK) {
        err = find_fork(cut);
    }
    if (err == VERSO_OK) {
        find_kept(cut);
        *empty = false;
    }
    return err;
}

/* ---- cutting ---- */

unsigned vs_range_cut_worst_case(const struct vs_tree_edit *edit)
{
    /* a level: the copies of both edges, of a neighbour of each, and of the path to a page that
     * comes to stand beside the left edge; the rest is for relief in the chain */
    return 5 * (edit->root.depth + 1) + vs_edit_worst_case(edit);
}

/** Make what stays of both paths the transaction's own. */
static verso_err own_edges(struct vs_tree_edit *edit, struct vs_range_cut *cut)
{
    verso_err err = vs_edit_own_path(edit, &cut->left, cut->left_kept);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned level = cut->fork; level < cut->left.depth; level++) {
        cut->right.level[level].page = cut->left.level[level].page;
    }
    return vs_edit_own_path(edit, &cut->right, cut->right_kept);
}

/**
 * Link the chain across the cut.
 *
 * @param before  The left leaf's page before it was copied.
 * @param next    What followed the right leaf.
 */
static verso_err mend_chain(struct vs_tree_edit *edit, const struct vs_range_cut *cut,
                            vs_page_no before, vs_page_no next)
{
    if (cut->fork > 0 && cut->right_kept == 0) {
        next = cut->right.level[0].page;
    }
    if (cut->left_kept > 0) {
        return vs_chain_relink(edit, &cut->left, next);
    }
    vs_page_no leaf = cut->left.level[0].page;
    verso_err err = vs_chain_link(edit, leaf, next);
    return err != VERSO_OK || leaf == before ? err : vs_chain_relink(edit, &cut->left, leaf);
}

/** Count the path's child anew, if it stays. */
static void count_child(const struct vs_path *path, unsigned level, unsigned kept)
{
    if (kept < level) {
        const struct vs_path_step *step = &path->level[level];
        vs_branch_set_keys(step->own, step->index,
                           vs_path_keys(path->level[level - 1].bytes, level - 1));
    }
}

/** Take the entries [from, to) out of an owned page, which keeps at least one. */
static void take_out(struct vs_tree_edit *edit, const struct vs_path *path, unsigned level,
                     unsigned from, unsigned to)
{
    if (from >= to) {
        return;
    }
    struct vs_edit_workspace *workspace = edit->workspace;
    uint8_t *own = path->level[level].own;
    size_t page_size = page_size_of(edit);
    uint64_t version = vs_writer_version(edit->writer);
    unsigned count = vs_page_count(own);
    unsigned left = count - (to - from);
    assert(left > 0);
    if (level == 0) {
        struct vs_leaf_cell *cells = workspace->leaf_cells;
        (void)vs_leaf_gather(own, NULL, NULL, 0, false, cells);
        memmove(cells + from, cells + to, (count - to) * sizeof *cells);
        vs_leaf_encode(workspace->scratch[0], page_size, version, cells, left);
    } else {
        struct vs_branch_cell *cells = workspace->branch_cells;
        (void)vs_branch_gather(own, NULL, (verso_slice){NULL, 0}, NULL, 0, cells);
        memmove(cells + from, cells + to, (count - to) * sizeof *cells);
        vs_branch_encode(workspace->scratch[0], page_size, version, level, cells, left);
    }
    memcpy(own, workspace->scratch[0], page_size);
}

/** Take out what goes of the paths' pages, from the leaves up, and count what stays. */
static void trim(struct vs_tree_edit *edit, const struct vs_range_cut *cut)
{
    const struct vs_path *left = &cut->left;
    const struct vs_path *right = &cut->right;
    for (unsigned level = 0; level < left->depth; level++) {
        bool left_stays = cut->left_kept <= level;
        bool right_stays = cut->right_kept <= level;
        /* the path's own child goes, or stays */
        unsigned from = left->level[level].index + (cut->left_kept < level);
        unsigned to = behind(right, level) - (cut->right_kept < level);
        if (left_stays) {
            count_child(left, level, cut->left_kept);
        }
        if (right_stays) {
            count_child(right, level, cut->right_kept);
        }
        if (level >= cut->fork) {
            if (left_stays) {
                take_out(edit, left, level, from, to);
            }
            continue;
        }
        if (left_stays) {
            take_out(edit, left, level, from, vs_page_count(left->level[level].bytes));
        }
        if (right_stays) {
            take_out(edit, right, level, 0, to);
        }
    }
}

verso_err vs_range_cut_apply(struct vs_tree_edit *edit, struct vs_range_cut *cut)
{
    struct vs_path *left = &cut->left;
    if (cut->left_kept == left->depth) {
        edit->root = (struct vs_tree_root){.page = 0, .depth = 0, .keys = 0};
        return VERSO_OK;
    }
    vs_page_no before = left->level[0].page;
    vs_page_no next = 0;
    verso_err err = vs_page_next_leaf(vs_writer_pages(edit->writer), cut->right.level[0].page,
                                      vs_writer_version(edit->writer), &next);
    if (err == VERSO_OK) {
        err = own_edges(edit, cut);
    }
    if (err == VERSO_OK) {
        err = mend_chain(edit, cut, before, next);
    }
    if (err != VERSO_OK) {
        return err;
    }
    trim(edit, cut);
    edit->root.keys = vs_path_keys(left->level[left->depth - 1].bytes, left->depth - 1);
    return VERSO_OK;
}

/* ---- settling ---- */

/** Settle the pages on the way to `key` from the top down: a page that has lost its neighbours gets
 *  new ones when its parent is settled. */
static verso_err settle_edge(struct vs_tree_edit *edit, verso_slice key)
{
    for (unsigned level = edit->root.depth; level-- > 0;) {
        if (level + 1 >= edit->root.depth) {
            continue; /* the root; or the tree has lost height meanwhile */
        }
        struct vs_tree_view view = vs_tree_edit_view(edit);
        struct vs_path path;
        verso_err err = vs_path_to_key(&view, key, true, &path);
        if (err != VERSO_OK) {
            return err;
        }
        if (!vs_edit_is_underfull(edit, &path, level)) {
            continue;
        }
        err = vs_edit_own_path(edit, &path, level + 1);
        if (err == VERSO_OK) {
            err = vs_edit_rebalance(edit, &path, level);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

verso_err vs_range_cut_settle(struct vs_tree_edit *edit, const struct vs_key_range *range)
{
    if (edit->root.depth == 0) {
        return VERSO_OK;
    }
    verso_err err = vs_edit_lose_height(edit);
    if (err == VERSO_OK && range->has_from) {
        err = settle_edge(edit, range->from);
    }
    if (err == VERSO_OK && range->has_to) {
        err = settle_edge(edit, range->to);
    }
    return err;
}
