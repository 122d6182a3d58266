/*
 * delete_range.c - take all pairs of a range out.
 *
 * Two walks from the first leaf of the range to its last. The first reads every leaf, for the
 * fingerprint and the count, and changes nothing: what is damaged is found before anything is done.
 * The second drops what goes whole, by the page numbers in the branches; it looks into leaves only
 * if the first has met values in pages of their own. Then the edges are cut (range_cut.c).
 *
 * All of it is one step of the writer: dropping needs no frames, and new pages are those of the two
 * edges only, however long the range is.
 */
#include <assert.h>

#include "os/fault.h"
#include "tree/edit.h"
#include "tree/range_cut.h"
#include "tree/value.h"

enum { AHEAD_LEAVES = 32 }; /* that the system is asked for at once */

/** A range being deleted. */
struct deletion {
    struct vs_tree_edit *edit;
    struct vs_range_cut cut;
    bool dropping;    /* the second walk */
    bool has_runs;    /* some of the values lie in pages of their own */
    uint64_t keys;    /* read so far */
    uint64_t terms;   /* of the fingerprint, their sum */
    verso_slice last; /* the key read last, in workspace->key */
};

/** Count the entries [from, to) of a leaf, and add up their terms. */
static verso_err add_entries(struct deletion *deletion, const struct vs_path_step *leaf,
                             unsigned from, unsigned to)
{
    if (deletion->keys > 0 && vs_leaf_compare(leaf->bytes, from, deletion->last) <= 0) {
        return vs_fault(VERSO_CORRUPT, "page %u: its keys do not continue those before",
                        leaf->page);
    }
    uint8_t *buffer = deletion->edit->workspace->key;
    (void)vs_leaf_prefix(leaf->bytes, buffer);
    for (unsigned i = from; i < to; i++) {
        struct vs_payload payload;
        struct vs_run_ref run;
        uint64_t term = 0;
        deletion->last = (verso_slice){buffer, vs_leaf_entry(leaf->bytes, i, buffer, &payload)};
        verso_err err =
            vs_edit_term(deletion->edit, leaf->page, deletion->last, payload, &run, &term);
        if (err != VERSO_OK) {
            return err;
        }
        deletion->terms += term;
        deletion->has_runs = deletion->has_runs || payload.is_run;
    }
    deletion->keys += to - from;
    return VERSO_OK;
}

/** Drop the pages of the long values among the entries [from, to). */
static verso_err drop_runs(struct deletion *deletion, const struct vs_path_step *leaf,
                           unsigned from, unsigned to)
{
    struct vs_page_writer *writer = deletion->edit->writer;
    for (unsigned i = from; i < to; i++) {
        struct vs_payload payload = vs_leaf_payload(leaf->bytes, i);
        if (!payload.is_run) {
            continue;
        }
        struct vs_run_ref run;
        verso_err err = vs_value_run_ref(vs_writer_pages(writer), leaf->page, payload, &run);
        if (err == VERSO_OK) {
            err = vs_run_drop(writer, &run);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

static verso_err visit_leaf(struct deletion *deletion, struct vs_path_step *leaf)
{
    const struct vs_range_cut *cut = &deletion->cut;
    if (deletion->dropping && !deletion->has_runs) {
        return VERSO_OK;
    }
    verso_err err =
        vs_path_read(vs_writer_pages(deletion->edit->writer), leaf->page, 0, &leaf->bytes);
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_path_step *first = &cut->left.level[0];
    const struct vs_path_step *last = &cut->right.level[0];
    unsigned from = leaf->page == first->page ? first->index : 0;
    unsigned to = leaf->page == last->page ? last->index : vs_page_count(leaf->bytes);
    return deletion->dropping ? drop_runs(deletion, leaf, from, to)
                              : add_entries(deletion, leaf, from, to);
}

/** Ask the system for the leaves to come, each time the path has used up those asked for before. */
static void read_ahead(const struct deletion *deletion, const struct vs_path *path)
{
    const struct vs_path_step *parent = &path->level[1];
    if (deletion->dropping || parent->index % AHEAD_LEAVES != 0) {
        return;
    }
    unsigned left = vs_page_count(parent->bytes) - parent->index;
    unsigned count = left < AHEAD_LEAVES ? left : AHEAD_LEAVES;
    vs_page_no ahead[AHEAD_LEAVES];
    for (unsigned i = 0; i < count; i++) {
        ahead[i] = vs_branch_child(parent->bytes, parent->index + i);
    }
    vs_pages_will_need(vs_writer_pages(deletion->edit->writer), ahead, count);
}

/** Drop the pages that the path has left for good, but those of the cut's left edge. */
static verso_err drop_left_behind(struct deletion *deletion, const struct vs_path *before,
                                  const struct vs_path *after)
{
    for (unsigned level = 0; before->level[level].page != after->level[level].page; level++) {
        vs_page_no page = before->level[level].page;
        if (page == deletion->cut.left.level[level].page) {
            continue;
        }
        verso_err err = vs_page_drop(deletion->edit->writer, page);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/** Go from the range's first leaf to its last. */
static verso_err walk(struct deletion *deletion)
{
    struct vs_path path;
    struct vs_path before;
    vs_page_no last = deletion->cut.right.level[0].page;
    vs_path_copy(&path, &deletion->cut.left);
    verso_err err = visit_leaf(deletion, &path.level[0]);
    while (err == VERSO_OK && path.level[0].page != last) {
        bool moved = false;
        vs_path_copy(&before, &path);
        err = vs_path_step_aside(vs_writer_pages(deletion->edit->writer), true, &path, &moved);
        assert(err != VERSO_OK || moved); /* the right path leads through the same branches */
        if (err == VERSO_OK && deletion->dropping) {
            err = drop_left_behind(deletion, &before, &path);
        }
        if (err == VERSO_OK) {
            read_ahead(deletion, &path);
            err = visit_leaf(deletion, &path.level[0]);
        }
    }
    return err;
}

/** Drop the pages of the two edges of which nothing stays. */
static verso_err drop_edges(struct deletion *deletion)
{
    const struct vs_range_cut *cut = &deletion->cut;
    verso_err err = VERSO_OK;
    for (unsigned level = 0; level < cut->left_kept && err == VERSO_OK; level++) {
        err = vs_page_drop(deletion->edit->writer, cut->left.level[level].page);
    }
    for (unsigned level = 0; level < cut->right_kept && level < cut->fork && err == VERSO_OK;
         level++) {
        err = vs_page_drop(deletion->edit->writer, cut->right.level[level].page);
    }
    return err;
}

/** The part of a deletion after which only success or abort is left. */
static verso_err delete_found(struct deletion *deletion, const struct vs_key_range *range)
{
    struct vs_tree_edit *edit = deletion->edit;
    edit->workspace->remembered = false;
    deletion->dropping = true;
    verso_err err = walk(deletion);
    if (err == VERSO_OK) {
        err = drop_edges(deletion);
    }
    if (err == VERSO_OK) {
        err = vs_range_cut_apply(edit, &deletion->cut);
    }
    if (err == VERSO_OK) {
        err = vs_range_cut_settle(edit, range);
    }
    return err;
}

verso_err vs_tree_delete_range(struct vs_tree_edit *edit, const struct vs_key_range *range,
                               uint64_t *deleted, bool *broken)
{
    *deleted = 0;
    verso_err err = vs_edit_begin(edit);
    if (err != VERSO_OK) {
        return err;
    }
    struct deletion deletion = {.edit = edit};
    struct vs_tree_view view = vs_tree_edit_view(edit);
    bool empty = false;
    err = vs_range_cut_find(&view, range, &deletion.cut, &empty);
    if (err != VERSO_OK || empty) {
        return err;
    }
    err = walk(&deletion);
    if (err == VERSO_OK) {
        err = vs_writer_reserve(edit->writer, vs_range_cut_worst_case(edit));
    }
    if (err != VERSO_OK) {
        return err;
    }
    err = delete_found(&deletion, range);
    if (err != VERSO_OK) {
        *broken = true;
        return err;
    }
    edit->fingerprint -= deletion.terms;
    *deleted = deletion.keys;
    return VERSO_OK;
}
