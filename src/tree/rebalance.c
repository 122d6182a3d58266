/*
 * rebalance.c - keep pages at least a quarter full after deletions.
 *
 * Two neighbours under one parent, of which one is less than a quarter full: if their union fits
 * one page, encoded with the prefix that all have in common, they merge into the left one; else
 * their cells are dealt out evenly and the separator between them changes. Where that separator
 * does not fit the parent, both stay as they are: fill is a duty, not an invariant.
 *
 *     merge:     K -> L -> R -> S   becomes   K -> L' -> S
 *     even out:  K -> L -> R -> S   becomes   K -> L' -> R' -> S
 */
#include <assert.h>
#include <string.h>

#include "tree/edit.h"

/** Two neighbours under the path's branch at level + 1, and the place of the left one there. */
struct pair {
    unsigned level;
    unsigned index;
    vs_page_no page[2]; /* left, right */
    const uint8_t *bytes[2];
};

static size_t page_size_of(const struct vs_tree_edit *edit)
{
    return vs_writer_pages(edit->writer)->page_size;
}

bool vs_edit_is_underfull(const struct vs_tree_edit *edit, const struct vs_path *path,
                          unsigned level)
{
    const uint8_t *bytes = path->level[level].bytes;
    return level == 0 ? vs_leaf_is_underfull(bytes, page_size_of(edit))
                      : vs_branch_is_underfull(bytes, page_size_of(edit));
}

static verso_err read_pair(const struct vs_tree_edit *edit, const struct vs_path *path,
                           unsigned level, unsigned index, struct pair *pair)
{
    const uint8_t *parent = path->level[level + 1].bytes;
    pair->level = level;
    pair->index = index;
    for (unsigned side = 0; side < 2; side++) {
        pair->page[side] = vs_branch_child(parent, index + side);
        verso_err err = vs_path_read(vs_writer_pages(edit->writer), pair->page[side], level,
                                     &pair->bytes[side]);
        if (err != VERSO_OK) {
            return err;
        }
        err = vs_page_check_alive(edit->writer, pair->page[side]);
        if (err != VERSO_OK) {
            return err;
        }
        err = vs_edit_trust(edit, path, level, index + side, pair->page[side], pair->bytes[side]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/** Gather the pair's cells in the workspace. @return How many. *size: encoded as one page. */
static unsigned gather(const struct vs_tree_edit *edit, const struct vs_path *path,
                       const struct pair *pair, size_t *size)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    unsigned count;
    if (pair->level == 0) {
        count =
            vs_leaf_gather(pair->bytes[0], pair->bytes[1], NULL, 0, false, workspace->leaf_cells);
        *size = vs_leaf_encoded_size(workspace->leaf_cells, count);
        return count;
    }
    verso_slice middle = {workspace->separator[0], 0};
    middle.size = vs_branch_separator(path->level[pair->level + 1].bytes, pair->index + 1,
                                      workspace->separator[0]);
    count =
        vs_branch_gather(pair->bytes[0], pair->bytes[1], middle, NULL, 0, workspace->branch_cells);
    *size = vs_branch_encoded_size(workspace->branch_cells, count, pair->level);
    return count;
}

/** Encode gathered cells into a scratch page. */
static void encode(struct vs_tree_edit *edit, unsigned level, unsigned from, unsigned count,
                   uint8_t *page)
{
    uint64_t version = vs_writer_version(edit->writer);
    if (level == 0) {
        vs_leaf_encode(page, page_size_of(edit), version, edit->workspace->leaf_cells + from,
                       count);
    } else {
        vs_branch_encode(page, page_size_of(edit), version, level,
                         edit->workspace->branch_cells + from, count);
    }
}

/** Put what a scratch page holds in the place of one of the pair, which gets a page of its own. */
static verso_err replace_side(struct vs_tree_edit *edit, struct vs_path *path,
                              const struct pair *pair, unsigned side, vs_page_no *own,
                              uint8_t **bytes)
{
    verso_err err = vs_page_replace(edit->writer, pair->page[side], own, bytes);
    if (err != VERSO_OK) {
        return err;
    }
    memcpy(*bytes, edit->workspace->scratch[side], page_size_of(edit));
    uint64_t keys = vs_path_keys(*bytes, pair->level);
    struct vs_path_step *parent = &path->level[pair->level + 1];
    vs_branch_set_child(parent->own, pair->index + side, *own);
    vs_branch_set_keys(parent->own, pair->index + side, keys);
    return VERSO_OK;
}

/** Let the path lead to the left one of a pair that has been written anew; link to it if its number
 *  changed. */
static verso_err enter_left(struct vs_tree_edit *edit, struct vs_path *path,
                            const struct pair *pair, vs_page_no own, uint8_t *bytes)
{
    path->level[pair->level + 1].index = pair->index;
    path->level[pair->level] = (struct vs_path_step){.bytes = bytes, .own = bytes, .page = own};
    if (pair->level > 0 || own == pair->page[0]) {
        return VERSO_OK;
    }
    return vs_chain_relink(edit, path, own);
}

/** Make one page of the pair, whose `count` cells are gathered and fit. */
static verso_err merge(struct vs_tree_edit *edit, struct vs_path *path, const struct pair *pair,
                       unsigned count)
{
    vs_page_no next = 0;
    if (pair->level == 0) {
        verso_err err = vs_page_next_leaf(vs_writer_pages(edit->writer), pair->page[1],
                                          vs_writer_version(edit->writer), &next);
        if (err != VERSO_OK) {
            return err;
        }
    }
    encode(edit, pair->level, 0, count, edit->workspace->scratch[0]);
    vs_page_no own = 0;
    uint8_t *bytes = NULL;
    verso_err err = replace_side(edit, path, pair, 0, &own, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_page_drop(edit->writer, pair->page[1]);
    if (err != VERSO_OK) {
        return err;
    }
    vs_branch_remove(path->level[pair->level + 1].own, page_size_of(edit), pair->index + 1);
    if (pair->level == 0) {
        err = vs_chain_link(edit, own, next);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return enter_left(edit, path, pair, own, bytes);
}

/** Where to cut the gathered cells, and the separator there, in workspace->separator[1]. */
static unsigned cut_evenly(const struct vs_tree_edit *edit, const struct pair *pair, unsigned count,
                           verso_slice *separator)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    uint8_t *buffer = workspace->separator[1]; /* gathered branch cells refer to the other one */
    unsigned cut;
    if (pair->level == 0) {
        const struct vs_leaf_cell *cells = workspace->leaf_cells;
        cut = vs_leaf_split_point(cells, count, page_size_of(edit), false);
        *separator = (verso_slice){buffer, vs_leaf_separator(&cells[cut - 1], &cells[cut], buffer)};
    } else {
        const struct vs_branch_cell *cells = workspace->branch_cells;
        cut = vs_branch_split_point(cells, count, pair->level, page_size_of(edit), false);
        *separator = (verso_slice){buffer, vs_branch_cell_separator(&cells[cut], buffer)};
    }
    return cut;
}

/** Deal the pair's gathered cells out evenly, unless the parent has no room for the separator. */
static verso_err even_out(struct vs_tree_edit *edit, struct vs_path *path, const struct pair *pair,
                          unsigned count)
{
    verso_slice separator;
    unsigned cut = cut_evenly(edit, pair, count, &separator);
    verso_err err = vs_edit_check_separator(&path->level[pair->level + 1], pair->index,
                                            pair->index + 2, separator);
    if (err != VERSO_OK) {
        return err;
    }
    if (!vs_branch_set_separator(path->level[pair->level + 1].own, page_size_of(edit),
                                 pair->index + 1, separator)) {
        return VERSO_OK;
    }
    encode(edit, pair->level, 0, cut, edit->workspace->scratch[0]);
    encode(edit, pair->level, cut, count - cut, edit->workspace->scratch[1]);
    vs_page_no own[2] = {0, 0};
    uint8_t *bytes[2] = {NULL, NULL};
    for (unsigned side = 0; side < 2; side++) {
        err = replace_side(edit, path, pair, side, &own[side], &bytes[side]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    if (pair->level == 0) {
        err = vs_chain_link(edit, own[0], own[1]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return enter_left(edit, path, pair, own[0], bytes[0]);
}

/** Merge the path's page at `level` with a neighbour, or even it out. @param[out] merged The parent
 *  has a child less. */
static verso_err settle(struct vs_tree_edit *edit, struct vs_path *path, unsigned level,
                        bool *merged)
{
    const struct vs_path_step *parent = &path->level[level + 1];
    unsigned index = parent->index;
    unsigned children = vs_page_count(parent->bytes);
    struct pair pair = {.level = level};
    unsigned count = 0;
    size_t size = 0;
    *merged = false;
    assert(children > 1);
    /* with the left neighbour first: what is left of a leaf that shrank is then encoded once */
    for (unsigned side = 0; side < 2; side++) {
        bool exists = side == 0 ? index > 0 : index + 1 < children;
        if (!exists) {
            continue;
        }
        verso_err err = read_pair(edit, path, level, side == 0 ? index - 1 : index, &pair);
        if (err != VERSO_OK) {
            return err;
        }
        count = gather(edit, path, &pair, &size);
        if (size <= page_size_of(edit)) {
            *merged = true;
            return merge(edit, path, &pair, count);
        }
    }
    return even_out(edit, path, &pair, count);
}

verso_err vs_edit_lose_height(struct vs_tree_edit *edit)
{
    while (edit->root.depth > 1) {
        /* the path may lead to a page that is no more: it is the child that says what it has */
        const uint8_t *root = NULL;
        verso_err err = vs_path_read(vs_writer_pages(edit->writer), edit->root.page,
                                     edit->root.depth - 1, &root);
        if (err != VERSO_OK || vs_page_count(root) > 1) {
            return err;
        }
        vs_page_no child = vs_branch_child(root, 0);
        err = vs_page_drop(edit->writer, edit->root.page);
        if (err != VERSO_OK) {
            return err;
        }
        edit->root.page = child;
        edit->root.depth--;
    }
    return VERSO_OK;
}

verso_err vs_edit_rebalance(struct vs_tree_edit *edit, struct vs_path *path, unsigned level)
{
    edit->workspace->remembered = false;
    for (; level + 1 < path->depth && vs_edit_is_underfull(edit, path, level); level++) {
        if (vs_page_count(path->level[level + 1].bytes) == 1) {
            continue; /* no neighbour under this parent, which is less than a quarter full itself */
        }
        bool merged = false;
        verso_err err = settle(edit, path, level, &merged);
        if (err != VERSO_OK) {
            return err;
        }
        if (!merged) {
            break;
        }
    }
    return vs_edit_lose_height(edit);
}

verso_err vs_edit_remove_child(struct vs_tree_edit *edit, struct vs_path *path, unsigned level)
{
    edit->workspace->remembered = false;
    for (level++; level < path->depth; level++) {
        struct vs_path_step *step = &path->level[level];
        if (vs_page_count(step->bytes) > 1) {
            vs_branch_remove(step->own, page_size_of(edit), step->index);
            return vs_edit_rebalance(edit, path, level);
        }
        verso_err err = vs_page_drop(edit->writer, step->page);
        if (err != VERSO_OK) {
            return err;
        }
    }
    assert(edit->root.keys == 0);
    edit->root = (struct vs_tree_root){.page = 0, .depth = 0, .keys = 0};
    return VERSO_OK;
}
