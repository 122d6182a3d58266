/*
 * delete.c - take one pair out.
 *
 * A leaf that would be left empty is dropped without being copied; the leaf left of it is linked to
 * the one that follows. A leaf left less than a quarter full is merged or evened out (rebalance.c).
 */
#include "os/fault.h"
#include "tree/edit.h"
#include "tree/value.h"

/** Drop the path's leaf, whose last cell goes. */
static verso_err drop_leaf(struct vs_tree_edit *edit, struct vs_path *path)
{
    const struct vs_path_step *leaf = &path->level[0];
    vs_page_no next = 0;
    verso_err err = vs_edit_own_branches(edit, path, &next);
    if (err != VERSO_OK) {
        return err;
    }
    vs_edit_count(edit, path, -1);
    err = vs_chain_relink(edit, path, next);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_page_drop(edit->writer, leaf->page);
    return err != VERSO_OK ? err : vs_edit_remove_child(edit, path, 0);
}

static verso_err remove_cell(struct vs_tree_edit *edit, unsigned index)
{
    struct vs_path *path = &edit->workspace->path;
    struct vs_path_step *leaf = &path->level[0];
    if (vs_page_count(leaf->bytes) == 1) {
        edit->workspace->remembered = false;
        return drop_leaf(edit, path);
    }
    verso_err err = vs_edit_own_leaf(edit, path, true);
    if (err != VERSO_OK) {
        return err;
    }
    size_t page_size = vs_writer_pages(edit->writer)->page_size;
    vs_leaf_remove(leaf->own, page_size, index);
    vs_edit_count(edit, path, -1);
    return vs_leaf_is_underfull(leaf->own, page_size) ? vs_edit_rebalance(edit, path, 0) : VERSO_OK;
}

verso_err vs_tree_delete(struct vs_tree_edit *edit, verso_slice key, vs_old_value old,
                         void *argument, bool *broken)
{
    verso_err err = vs_edit_begin(edit);
    if (err != VERSO_OK) {
        return err;
    }
    if (edit->root.depth == 0) {
        return vs_fault_text(VERSO_NOT_FOUND, "no such key");
    }
    err = vs_edit_locate(edit, key);
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_path_step *leaf = &edit->workspace->path.level[0];
    unsigned index = 0;
    if (!vs_leaf_find(leaf->bytes, key, &index)) {
        return vs_fault_text(VERSO_NOT_FOUND, "no such key");
    }
    struct vs_payload payload = vs_leaf_payload(leaf->bytes, index);
    struct vs_run_ref run;
    uint64_t term = 0;
    err = vs_edit_term(edit, leaf->page, key, payload, &run, &term);
    if (err != VERSO_OK) {
        return err;
    }
    if (old != NULL) {
        struct vs_tree_value value;
        err = vs_value_of(vs_writer_pages(edit->writer), leaf->page, payload, &value);
        if (err == VERSO_OK) {
            err = old(argument, &value);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    err = vs_writer_reserve(edit->writer, vs_edit_worst_case(edit));
    if (err != VERSO_OK) {
        return err;
    }
    if (payload.is_run) {
        err = vs_run_drop(edit->writer, &run);
    }
    if (err == VERSO_OK) {
        err = remove_cell(edit, index);
    }
    if (err != VERSO_OK) {
        *broken = true;
        return err;
    }
    edit->fingerprint -= term;
    return VERSO_OK;
}
