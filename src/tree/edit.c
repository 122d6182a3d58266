/*
 * edit.c - the frame of every change: workspace, remembered path, path copying, counts.
 *
 * The remembered path: after a change the workspace keeps the way to its leaf and the bounds of
 * what that leaf may hold, so that ascending and clustered keys skip the descent. It holds page
 * numbers and indices; bytes are asked for anew, since vs_writer_step() may have moved them. A
 * change of structure forgets it.
 */
#include "tree/edit.h"
#include "os/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/fingerprint.h"
#include "format/key_order.h"
#include "tree/value.h"

enum {
    LEAF_CELL_MIN = 8,    /* bytes a leaf's cell takes at least: head, offset, sizes */
    BRANCH_CELL_MIN = 16, /* bytes a branch's cell takes at least: head, offset, child, count */
    KEY_BUFFERS = 6,
    SCRATCH_PAGES = 2,
};

void vs_tree_edit_init(struct vs_tree_edit *edit, struct vs_page_writer *writer,
                       struct vs_tree_root root, uint64_t tree_id, uint64_t fingerprint)
{
    assert(vs_tree_root_is_possible(&root));
    *edit = (struct vs_tree_edit){
        .writer = writer, .root = root, .tree_id = tree_id, .fingerprint = fingerprint};
}

void vs_tree_edit_restart(struct vs_tree_edit *edit, struct vs_page_writer *writer,
                          struct vs_tree_root root, uint64_t tree_id, uint64_t fingerprint)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    if (workspace != NULL) {
        workspace->remembered = false;
    }
    vs_tree_edit_init(edit, writer, root, tree_id, fingerprint);
    edit->workspace = workspace;
}

void vs_tree_edit_clear(struct vs_tree_edit *edit)
{
    free(edit->workspace);
    edit->workspace = NULL;
}

struct vs_tree_view vs_tree_edit_view(const struct vs_tree_edit *edit)
{
    return (struct vs_tree_view){.pages = vs_writer_pages(edit->writer),
                                 .root = edit->root,
                                 .version = vs_writer_version(edit->writer)};
}

struct vs_tree_mark vs_tree_edit_mark(const struct vs_tree_edit *edit)
{
    return (struct vs_tree_mark){
        .root = edit->root, .fingerprint = edit->fingerprint, .dropped = edit->dropped};
}

void vs_tree_edit_return(struct vs_tree_edit *edit, const struct vs_tree_mark *mark)
{
    edit->root = mark->root;
    edit->fingerprint = mark->fingerprint;
    edit->dropped = mark->dropped;
    edit->changes++; /* cursors look anew */
    if (edit->workspace != NULL) {
        edit->workspace->remembered = false;
    }
}

/** One block: the struct, cells, scratch pages, key buffers, in falling order of alignment. */
struct vs_edit_workspace *vs_edit_workspace_new(size_t page_size)
{
    size_t key_max = vs_leaf_key_max(page_size);
    unsigned leaf_cells_max = 2 * (unsigned)(page_size / LEAF_CELL_MIN) + 1;
    unsigned branch_cells_max = 2 * (unsigned)(page_size / BRANCH_CELL_MIN) + 1;
    size_t leaf_cells_size = leaf_cells_max * sizeof(struct vs_leaf_cell);
    size_t branch_cells_size = branch_cells_max * sizeof(struct vs_branch_cell);
    size_t size = sizeof(struct vs_edit_workspace) + leaf_cells_size + branch_cells_size +
                  SCRATCH_PAGES * page_size + KEY_BUFFERS * key_max;
    struct vs_edit_workspace *workspace = malloc(size);
    if (workspace == NULL) {
        return NULL;
    }
    workspace->user = NULL;
    workspace->remembered = false;
    workspace->leaf_cells_max = leaf_cells_max;
    workspace->branch_cells_max = branch_cells_max;
    workspace->leaf_cells = (struct vs_leaf_cell *)(void *)(workspace + 1);
    workspace->branch_cells =
        (struct vs_branch_cell *)(void *)(workspace->leaf_cells + leaf_cells_max);
    uint8_t *at = (uint8_t *)(workspace->branch_cells + branch_cells_max);
    for (unsigned i = 0; i < SCRATCH_PAGES; i++, at += page_size) {
        workspace->scratch[i] = at;
    }
    uint8_t **buffers[KEY_BUFFERS] = {&workspace->low_bytes,    &workspace->high_bytes,
                                      &workspace->separator[0], &workspace->separator[1],
                                      &workspace->key,          &workspace->edge};
    for (unsigned i = 0; i < KEY_BUFFERS; i++, at += key_max) {
        *buffers[i] = at;
    }
    return workspace;
}

verso_err vs_edit_begin(struct vs_tree_edit *edit)
{
    edit->changes++; /* even if nothing comes of it: bytes may move from here on */
    if (edit->workspace == NULL) {
        edit->workspace = vs_edit_workspace_new(vs_writer_pages(edit->writer)->page_size);
        if (edit->workspace == NULL) {
            return vs_fault_text(VERSO_NOMEM, "no memory for a transaction");
        }
    }
    if (edit->workspace->user != edit) { /* what is remembered is of another tree */
        edit->workspace->user = edit;
        edit->workspace->remembered = false;
    }
    return vs_writer_step(edit->writer);
}

/** Does the remembered leaf's range hold the key? */
static bool remembers(const struct vs_edit_workspace *workspace, verso_slice key)
{
    return workspace->remembered &&
           (!workspace->has_high || vs_key_compare(key, workspace->high) < 0) &&
           (!workspace->has_low || vs_key_compare(key, workspace->low) >= 0);
}

/** Note the bounds of the path's leaf: the nearest separators on its two sides. */
static void remember_bounds(struct vs_edit_workspace *workspace)
{
    const struct vs_path *path = &workspace->path;
    workspace->has_low = false;
    workspace->has_high = false;
    for (unsigned level = 1; level < path->depth; level++) {
        const struct vs_path_step *step = &path->level[level];
        if (!workspace->has_low && step->index > 0) {
            size_t size = vs_branch_separator(step->bytes, step->index, workspace->low_bytes);
            workspace->low = (verso_slice){workspace->low_bytes, size};
            workspace->has_low = true;
        }
        if (!workspace->has_high && step->index + 1 < vs_page_count(step->bytes)) {
            size_t size = vs_branch_separator(step->bytes, step->index + 1, workspace->high_bytes);
            workspace->high = (verso_slice){workspace->high_bytes, size};
            workspace->has_high = true;
        }
        if (workspace->has_low && workspace->has_high) {
            break;
        }
    }
}

verso_err vs_edit_locate(struct vs_tree_edit *edit, verso_slice key)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    assert(workspace != NULL);
    assert(edit->root.depth > 0);

    struct vs_tree_view view = vs_tree_edit_view(edit);
    if (remembers(workspace, key)) {
        struct vs_path_step *leaf = &workspace->path.level[0];
        leaf->own = NULL;
        return vs_path_read(view.pages, leaf->page, 0, &leaf->bytes);
    }
    workspace->remembered = false;
    verso_err err = vs_path_to_key(&view, key, true, &workspace->path);
    if (err != VERSO_OK) {
        return err;
    }
    remember_bounds(workspace);
    workspace->remembered = true;
    return VERSO_OK;
}

unsigned vs_edit_worst_case(const struct vs_tree_edit *edit)
{
    /* a level: its copy, and a split's new page or a neighbour's copy; above all, a new root; the
     * rest is for the left neighbour's own path */
    return 3 * (edit->root.depth + 1) + 2;
}

/** Do the branches lead from the root to this place for the key? */
static bool leads_here(const struct vs_path *path, unsigned level, unsigned index, verso_slice key)
{
    for (unsigned above = level + 1; above < path->depth; above++) {
        const struct vs_path_step *step = &path->level[above];
        unsigned at = above == level + 1 ? index : step->index;
        if (!vs_branch_leads_to(step->bytes, at, key)) {
            return false;
        }
        if (at > 0 && at + 1 < vs_page_count(step->bytes)) {
            break; /* bounded on both sides */
        }
    }
    return true;
}

/** A page's first or last key; of a branch, separator. */
static verso_slice edge_of(const uint8_t *bytes, unsigned level, bool last, uint8_t *buffer)
{
    unsigned end = vs_page_count(bytes) - 1;
    size_t size = level == 0 ? vs_leaf_key(bytes, last ? end : 0, buffer)
                             : vs_branch_separator(bytes, last ? end : 1, buffer);
    return (verso_slice){buffer, size};
}

verso_err vs_edit_trust(const struct vs_tree_edit *edit, const struct vs_path *path, unsigned level,
                        unsigned index, vs_page_no page, const uint8_t *bytes)
{
    bool is_root = level + 1 == path->depth;
    uint64_t keys = vs_path_keys(bytes, level);
    uint64_t counted =
        is_root ? edit->root.keys : vs_branch_keys(path->level[level + 1].bytes, index);
    if (keys != counted) {
        return vs_path_wrong_count(page, keys, counted);
    }
    if (is_root || (level > 0 && vs_page_count(bytes) == 1)) {
        return VERSO_OK;
    }
    uint8_t *buffer = edit->workspace->edge;
    if (!leads_here(path, level, index, edge_of(bytes, level, false, buffer)) ||
        !leads_here(path, level, index, edge_of(bytes, level, true, buffer))) {
        return vs_fault(VERSO_CORRUPT, "page %u: its keys do not lie where the branches say", page);
    }
    return VERSO_OK;
}

verso_err vs_edit_check_separator(const struct vs_path_step *branch, unsigned index, unsigned end,
                                  verso_slice separator)
{
    unsigned at = vs_branch_find(branch->own, separator);
    if (separator.size > 0 && at >= index && at < end) {
        return VERSO_OK;
    }
    return vs_fault(VERSO_CORRUPT, "page %u: a separator behind child %u belongs behind child %u",
                    branch->page, index, at);
}

verso_err vs_edit_own_path(struct vs_tree_edit *edit, struct vs_path *path, unsigned lowest)
{
    assert(path->depth == edit->root.depth);
    for (unsigned level = path->depth; level-- > lowest;) {
        verso_err err = vs_page_check_alive(edit->writer, path->level[level].page);
        if (err != VERSO_OK) {
            return err;
        }
    }
    for (unsigned level = path->depth; level-- > lowest;) {
        struct vs_path_step *step = &path->level[level];
        vs_page_no own = 0;
        verso_err err = vs_page_own(edit->writer, step->page, &own, &step->own);
        if (err != VERSO_OK) {
            return err;
        }
        step->bytes = step->own;
        if (own == step->page) {
            continue;
        }
        unsigned index = level + 1 < path->depth ? path->level[level + 1].index : 0;
        err = vs_edit_trust(edit, path, level, index, step->page, step->own);
        if (err != VERSO_OK) {
            return err;
        }
        step->page = own;
        if (level + 1 == path->depth) {
            edit->root.page = own;
        } else {
            vs_branch_set_child(path->level[level + 1].own, path->level[level + 1].index, own);
        }
    }
    return VERSO_OK;
}

verso_err vs_edit_own_leaf(struct vs_tree_edit *edit, struct vs_path *path, bool with_path)
{
    struct vs_path_step *leaf = &path->level[0];
    vs_page_no before = leaf->page;
    if (!with_path && vs_page_birth(leaf->bytes) == vs_writer_version(edit->writer)) {
        /* born here, and so were the branches above: nothing there changes */
        verso_err err = vs_page_own(edit->writer, before, &leaf->page, &leaf->own);
        leaf->bytes = leaf->own;
        assert(err != VERSO_OK || leaf->page == before);
        return err;
    }
    verso_err err = vs_edit_own_path(edit, path, 0);
    if (err != VERSO_OK || leaf->page == before) {
        return err;
    }
    return vs_chain_relink(edit, path, leaf->page);
}

verso_err vs_edit_own_branches(struct vs_tree_edit *edit, struct vs_path *path, vs_page_no *next)
{
    const struct vs_path_step *leaf = &path->level[0];
    verso_err err = vs_page_next_leaf(vs_writer_pages(edit->writer), leaf->page,
                                      vs_writer_version(edit->writer), next);
    if (err == VERSO_OK) {
        err = vs_page_check_alive(edit->writer, leaf->page);
    }
    if (err == VERSO_OK) {
        err = vs_edit_own_path(edit, path, 1);
    }
    if (err != VERSO_OK) {
        return err;
    }
    unsigned index = path->depth > 1 ? path->level[1].index : 0;
    return vs_edit_trust(edit, path, 0, index, leaf->page, leaf->bytes);
}

void vs_edit_count(struct vs_tree_edit *edit, struct vs_path *path, int64_t keys)
{
    edit->root.keys += (uint64_t)keys;
    for (unsigned level = 1; level < path->depth; level++) {
        struct vs_path_step *step = &path->level[level];
        assert(step->own != NULL);
        vs_branch_set_keys(step->own, step->index,
                           vs_branch_keys(step->own, step->index) + (uint64_t)keys);
    }
}

verso_err vs_edit_term(const struct vs_tree_edit *edit, vs_page_no leaf, verso_slice key,
                       struct vs_payload payload, struct vs_run_ref *ref, uint64_t *term)
{
    uint64_t hash;
    if (payload.is_run) {
        verso_err err = vs_value_run_ref(vs_writer_pages(edit->writer), leaf, payload, ref);
        if (err != VERSO_OK) {
            return err;
        }
        hash = ref->hash;
    } else {
        hash = vs_value_hash((verso_slice){payload.bytes, payload.size});
    }
    *term = vs_fingerprint_term(edit->tree_id, key, hash);
    return VERSO_OK;
}
