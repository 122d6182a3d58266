/*
 * insert.c - put one pair; split leaves and branches.
 *
 * A leaf that is full splits into itself and a new right neighbour:
 *
 *     L -> N -> R           L -> N -> N2 -> R        N keeps its page (born in this transaction)
 *
 * and the parent gets a separator and a child more, which may split it in turn, up to a new root. A
 * key beyond the last of the tree leaves N full and starts N2 with that key alone, so that
 * ascending keys fill pages completely.
 */
#include <assert.h>
#include <string.h>

#include "format/fingerprint.h"
#include "format/key_order.h"
#include "os/fault.h"
#include "tree/edit.h"
#include "tree/value.h"

/** A put under way. */
struct put {
    struct vs_leaf_cell cell;  /* what the leaf is to hold; its payload may be in run_bytes */
    struct vs_run_ref run;     /* of the new value, if the payload is a reference */
    struct vs_run_ref old_run; /* of the replaced value, likewise */
    uint64_t term;             /* of the fingerprint, for the new pair */
    uint64_t old_term;         /* for the replaced pair; 0 if the key is new */
    unsigned index;            /* of the cell in the leaf */
    bool replace;              /* the key is there */
    bool old_is_run;
    uint8_t run_bytes[VS_RUN_REF_MAX];
};

static size_t page_size_of(const struct vs_tree_edit *edit)
{
    return vs_writer_pages(edit->writer)->page_size;
}

/** Make a new root above the path's top page. */
static verso_err grow_root(struct vs_tree_edit *edit, struct vs_path *path)
{
    assert(path->depth < VS_TREE_DEPTH_MAX);
    struct vs_path_step *root = &path->level[path->depth];
    verso_err err = vs_page_new(edit->writer, VS_KIND_BRANCH, &root->page, &root->own);
    if (err != VERSO_OK) {
        return err;
    }
    vs_branch_init(root->own, page_size_of(edit), vs_writer_version(edit->writer), path->depth,
                   edit->root.page, edit->root.keys);
    root->bytes = root->own;
    root->index = 0;
    path->depth++;
    edit->root.page = root->page;
    edit->root.depth = path->depth;
    return VERSO_OK;
}

/** A child to be put into a branch: what splitting leaves for the level above. */
struct new_child {
    verso_slice separator; /* in one of workspace->separator */
    vs_page_no page;
    uint64_t keys;
};

/** Split the path's branch at `level`, which has no room for `child` at `at`; *child becomes the
 *  new right half. @param[in,out] follow Whether the path is on the new child, here and then
 *  above. */
static verso_err split_branch(struct vs_tree_edit *edit, struct vs_path *path, unsigned level,
                              bool append, struct new_child *child, bool *follow)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    struct vs_path_step *step = &path->level[level];
    size_t page_size = page_size_of(edit);
    uint64_t version = vs_writer_version(edit->writer);
    unsigned at = step->index + 1;

    vs_page_no right = 0;
    uint8_t *right_bytes = NULL;
    verso_err err = vs_page_new(edit->writer, VS_KIND_BRANCH, &right, &right_bytes);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_branch_cell put = {
        .separator = child->separator, .child = child->page, .keys = child->keys};
    struct vs_branch_cell *cells = workspace->branch_cells;
    unsigned count = vs_branch_gather(step->own, NULL, (verso_slice){NULL, 0}, &put, at, cells);
    assert(count <= workspace->branch_cells_max);
    assert(!append || at + 1 == count);
    unsigned cut = vs_branch_split_point(cells, count, level, page_size, append);
    vs_branch_encode(right_bytes, page_size, version, level, cells + cut, count - cut);
    vs_branch_encode(workspace->scratch[0], page_size, version, level, cells, cut);
    uint8_t *buffer = child->separator.data == workspace->separator[0] ? workspace->separator[1]
                                                                       : workspace->separator[0];
    child->separator = (verso_slice){buffer, vs_branch_cell_separator(&cells[cut], buffer)};
    child->page = right;
    child->keys = vs_branch_total(right_bytes);
    memcpy(step->own, workspace->scratch[0], page_size);

    unsigned target = step->index + *follow;
    *follow = target >= cut;
    step->index = *follow ? target - cut : target;
    if (*follow) {
        step->page = right;
        step->own = right_bytes;
        step->bytes = right_bytes;
    }
    return VERSO_OK;
}

verso_err vs_edit_insert_child(struct vs_tree_edit *edit, struct vs_path *path, unsigned level,
                               verso_slice separator, vs_page_no child, uint64_t keys, bool append)
{
    struct new_child put = {separator, child, keys};
    bool follow = true;
    for (;; level++) {
        if (level == path->depth) {
            verso_err err = grow_root(edit, path);
            if (err != VERSO_OK) {
                return err;
            }
        }
        struct vs_path_step *step = &path->level[level];
        verso_err err = vs_edit_check_separator(step, step->index, step->index + 1, put.separator);
        if (err != VERSO_OK) {
            return err;
        }
        uint64_t before = vs_branch_keys(step->own, step->index);
        if (before < put.keys) {
            return vs_path_wrong_count(put.page, put.keys, before);
        }
        vs_branch_set_keys(step->own, step->index, before - put.keys);
        if (vs_branch_insert(step->own, page_size_of(edit), step->index + 1, put.separator,
                             put.page, put.keys)) {
            step->index += follow;
            return VERSO_OK;
        }
        err = split_branch(edit, path, level, append, &put, &follow);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

/** Write the new right leaf: one that an append begins keeps its neighbour's prefix, for the keys
 *  to come. */
static void encode_right(const struct vs_tree_edit *edit, const uint8_t *left,
                         const struct vs_leaf_cell *cells, unsigned count, bool append,
                         uint8_t *page)
{
    size_t page_size = page_size_of(edit);
    uint64_t version = vs_writer_version(edit->writer);
    if (!append || count > 1) {
        vs_leaf_encode(page, page_size, version, cells, count);
        return;
    }
    verso_slice first = {edit->workspace->key, 0};
    first.size = vs_leaf_key(left, 0, edit->workspace->key);
    verso_slice prefix = {cells->key.data, vs_common_prefix_size(first, cells->key)};
    vs_leaf_init(page, page_size, version, prefix);
    bool fits = vs_leaf_insert(page, page_size, 0, cells->key, cells->payload);
    assert(fits);
    (void)fits;
}

/** Split the path's leaf, which has no room for the cell. Counts include the cell already. */
static verso_err split_leaf(struct vs_tree_edit *edit, struct vs_path *path, const struct put *put)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    struct vs_path_step *leaf = &path->level[0];
    size_t page_size = page_size_of(edit);
    struct vs_leaf_cell *cells = workspace->leaf_cells;
    unsigned count = vs_leaf_gather(leaf->own, NULL, &put->cell, put->index, put->replace, cells);
    assert(count >= 2);
    assert(count <= workspace->leaf_cells_max);
    bool append = !put->replace && put->index + 1 == count && vs_path_is_rightmost(path);
    unsigned cut = vs_leaf_split_point(cells, count, page_size, append);

    vs_page_no next = 0;
    verso_err err = vs_page_next_leaf(vs_writer_pages(edit->writer), leaf->page,
                                      vs_writer_version(edit->writer), &next);
    if (err != VERSO_OK) {
        return err;
    }
    vs_page_no right = 0;
    uint8_t *right_bytes = NULL;
    err = vs_page_new(edit->writer, VS_KIND_LEAF, &right, &right_bytes);
    if (err != VERSO_OK) {
        return err;
    }
    encode_right(edit, leaf->own, cells + cut, count - cut, append, right_bytes);
    verso_slice separator = {workspace->separator[0], 0};
    separator.size = vs_leaf_separator(&cells[cut - 1], &cells[cut], workspace->separator[0]);
    if (!append || cut + 1 < count) { /* else the left one holds just what it held */
        vs_leaf_encode(workspace->scratch[0], page_size, vs_writer_version(edit->writer), cells,
                       cut);
        memcpy(leaf->own, workspace->scratch[0], page_size);
    }
    err = vs_chain_link(edit, right, next);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_chain_link(edit, leaf->page, right);
    if (err != VERSO_OK) {
        return err;
    }
    *leaf = (struct vs_path_step){.bytes = right_bytes, .own = right_bytes, .page = right};
    return vs_edit_insert_child(edit, path, 1, separator, right, count - cut, append);
}

/** Make the first leaf of an empty tree. */
static verso_err plant(struct vs_tree_edit *edit, const struct vs_leaf_cell *cell)
{
    vs_page_no page = 0;
    uint8_t *bytes = NULL;
    verso_err err = vs_page_new(edit->writer, VS_KIND_LEAF, &page, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    size_t page_size = page_size_of(edit);
    vs_leaf_init(bytes, page_size, vs_writer_version(edit->writer), (verso_slice){NULL, 0});
    bool fits = vs_leaf_insert(bytes, page_size, 0, cell->key, cell->payload);
    assert(fits);
    (void)fits;
    edit->root = (struct vs_tree_root){.page = page, .depth = 1, .keys = 1};
    return vs_chain_link(edit, page, 0);
}

/** Change the leaf found: the part of a put after which only success or abort is left. */
static verso_err change_leaf(struct vs_tree_edit *edit, struct put *put)
{
    struct vs_path *path = &edit->workspace->path;
    struct vs_path_step *leaf = &path->level[0];
    size_t page_size = page_size_of(edit);
    verso_err err = vs_edit_own_leaf(edit, path, !put->replace);
    if (err != VERSO_OK) {
        return err;
    }
    if (put->old_is_run) {
        err = vs_run_drop(edit->writer, &put->old_run);
        if (err != VERSO_OK) {
            return err;
        }
    }
    bool fits;
    if (put->replace) {
        fits = vs_leaf_replace(leaf->own, page_size, put->index, put->cell.payload);
    } else {
        fits = vs_leaf_insert(leaf->own, page_size, put->index, put->cell.key, put->cell.payload);
        vs_edit_count(edit, path, 1);
    }
    if (fits && !(put->replace && vs_leaf_is_underfull(leaf->own, page_size))) {
        return VERSO_OK;
    }
    edit->workspace->remembered = false;
    err = vs_edit_own_path(edit, path, 0); /* a replacement may have left the branches unread */
    if (err != VERSO_OK) {
        return err;
    }
    return fits ? vs_edit_rebalance(edit, path, 0) : split_leaf(edit, path, put);
}

/** Look at what the key has now, and decide whether the put may go on. Changes nothing. */
static verso_err look(struct vs_tree_edit *edit, enum vs_put_mode mode, vs_old_value old,
                      void *argument, struct put *put)
{
    put->replace = false;
    put->old_is_run = false;
    put->old_term = 0;
    if (edit->root.depth == 0) {
        return mode == VS_PUT_REPLACE ? VERSO_NOT_FOUND : VERSO_OK;
    }
    verso_err err = vs_edit_locate(edit, put->cell.key);
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_path_step *leaf = &edit->workspace->path.level[0];
    put->replace = vs_leaf_find(leaf->bytes, put->cell.key, &put->index);
    if (!put->replace) {
        return mode == VS_PUT_REPLACE ? VERSO_NOT_FOUND : VERSO_OK;
    }
    if (mode == VS_PUT_INSERT) {
        return vs_fault_text(VERSO_EXISTS, "the key is there already");
    }
    struct vs_payload payload = vs_leaf_payload(leaf->bytes, put->index);
    put->old_is_run = payload.is_run;
    err = vs_edit_term(edit, leaf->page, put->cell.key, payload, &put->old_run, &put->old_term);
    if (err != VERSO_OK || old == NULL) {
        return err;
    }
    struct vs_tree_value value;
    err = vs_value_of(vs_writer_pages(edit->writer), leaf->page, payload, &value);
    return err != VERSO_OK ? err : old(argument, &value);
}

/** Give the cell its payload: the value itself, or a run written for it. */
static verso_err write_value(struct vs_tree_edit *edit, verso_slice value, struct put *put)
{
    size_t room = vs_leaf_payload_max(page_size_of(edit), put->cell.key.size);
    uint64_t hash = vs_value_hash(value);
    put->term = vs_fingerprint_term(edit->tree_id, put->cell.key, hash);
    if (value.size <= room) {
        put->cell.payload = (struct vs_payload){.size = (uint16_t)value.size, .bytes = value.data};
        return VERSO_OK;
    }
    size_t extents = (room - VS_RUN_REF_HEADER) / VS_RUN_EXTENT_SIZE;
    unsigned extents_max = extents < VS_RUN_EXTENTS_MAX ? (unsigned)extents : VS_RUN_EXTENTS_MAX;
    verso_err err = vs_run_write(edit->writer, value, hash, extents_max, &put->run);
    if (err != VERSO_OK) {
        return err;
    }
    size_t size = vs_run_ref_encode(&put->run, put->run_bytes);
    assert(size <= room);
    put->cell.payload =
        (struct vs_payload){.is_run = true, .size = (uint16_t)size, .bytes = put->run_bytes};
    return VERSO_OK;
}

verso_err vs_tree_put(struct vs_tree_edit *edit, enum vs_put_mode mode, verso_slice key,
                      verso_slice value, vs_old_value old, void *argument, bool *broken)
{
    if (key.size > vs_leaf_key_max(page_size_of(edit))) {
        return vs_fault(VERSO_TOO_BIG, "key of %zu bytes; the limit is %zu", key.size,
                        vs_leaf_key_max(page_size_of(edit)));
    }
    if (value.size > VS_TREE_VALUE_MAX) {
        return vs_fault(VERSO_TOO_BIG, "value of %zu bytes; the limit is %d", value.size,
                        VS_TREE_VALUE_MAX);
    }
    if (edit->root.depth == VS_TREE_DEPTH_MAX) {
        return vs_fault(VERSO_LIMIT, "the tree has %d levels", VS_TREE_DEPTH_MAX);
    }
    verso_err err = vs_edit_begin(edit);
    if (err != VERSO_OK) {
        return err;
    }
    struct put put;
    put.cell = (struct vs_leaf_cell){.key = key};
    err = look(edit, mode, old, argument, &put);
    if (err != VERSO_OK) {
        return err;
    }
    err = write_value(edit, value, &put);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_writer_reserve(edit->writer, vs_edit_worst_case(edit));
    if (err != VERSO_OK) {
        if (put.cell.payload.is_run && vs_run_drop(edit->writer, &put.run) != VERSO_OK) {
            *broken = true;
        }
        return err;
    }
    err = edit->root.depth == 0 ? plant(edit, &put.cell) : change_leaf(edit, &put);
    if (err != VERSO_OK) {
        *broken = true;
        return err;
    }
    edit->fingerprint += put.term - put.old_term;
    return VERSO_OK;
}
