/*
 * difference.c - the differences between two views, one a call.
 *
 * A view of a transaction may change between two steps: the walk then goes on behind the key that
 * it handed out last, in the tree as it is now.
 */
#include <stdlib.h>

#include "api/handles.h"
#include "api/range.h"
#include "history/difference.h"
#include "os/fault.h"

struct verso_diff {
    verso_view *view[2]; /* one may be NULL: an empty tree */
    struct vs_tree_view empty;
    uint64_t seen[2]; /* what changes_of() the views said when the walk last looked */
    struct vs_difference *walk;
    struct vs_value_buffer value[2]; /* old and new, where they lie in several pieces */
    verso_err error;                 /* of a value that could not be read; it stays */
};

/* A number that grows with every change of what a view shows, and with every move of its pages. */
static uint64_t changes_of(const verso_view *view)
{
    bool is_settled = view == NULL || view->txn == NULL;
    const struct vs_tree_edit *edit = is_settled ? NULL : view->txn->edit;
    return edit == NULL ? 0 : edit->changes + vs_writer_moves(edit->writer);
}

static void look_at_views(verso_diff *diff)
{
    for (unsigned i = 0; i < 2; i++) {
        diff->seen[i] = changes_of(diff->view[i]);
    }
}

/* Both views can be read, as far as there are two. */
static verso_err check_open(const verso_view *from, const verso_view *to)
{
    verso_err err = from == NULL ? VERSO_OK : vs_view_check(from);
    return err != VERSO_OK || to == NULL ? err : vs_view_check(to);
}

static verso_err check_views(const verso_view *from, const verso_view *to, const void *result)
{
    if (result == NULL) {
        return vs_fault(VERSO_INVALID, "verso_diff_open: an argument is NULL");
    }
    if (from == NULL && to == NULL) {
        return vs_fault(VERSO_INVALID, "verso_diff_open: both views are NULL");
    }
    if (from != NULL && to != NULL && from->owner != to->owner) {
        return vs_fault(VERSO_INVALID, "verso_diff_open: the views are of different stores");
    }
    return check_open(from, to);
}

static const struct vs_tree_view *tree_of(verso_diff *diff, unsigned side)
{
    return diff->view[side] == NULL ? &diff->empty : vs_view_tree(diff->view[side]);
}

verso_err verso_diff_open(verso_view *from, verso_view *to, const verso_range *given,
                          verso_diff **diff)
{
    verso_err err = check_views(from, to, diff);
    struct vs_range range;
    if (err == VERSO_OK) {
        err = vs_range_read(given, &range);
    }
    if (err != VERSO_OK) {
        return err;
    }
    verso_diff *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        vs_range_clear(&range);
        return vs_fault(VERSO_NOMEM, "no memory for a walk over differences");
    }
    fresh->view[0] = from;
    fresh->view[1] = to;
    fresh->empty.pages = vs_view_tree(from == NULL ? to : from)->pages;
    look_at_views(fresh);
    err = vs_difference_open(tree_of(fresh, 0), tree_of(fresh, 1), &range.keys, &fresh->walk);
    vs_range_clear(&range);
    if (err != VERSO_OK) {
        free(fresh);
        return err;
    }
    *diff = fresh;
    return VERSO_OK;
}

static void renew(verso_diff *diff)
{
    if (changes_of(diff->view[0]) != diff->seen[0] || changes_of(diff->view[1]) != diff->seen[1]) {
        look_at_views(diff);
        vs_difference_restart(diff->walk, tree_of(diff, 0), tree_of(diff, 1));
    }
}

static verso_err read_values(verso_diff *diff, const struct vs_difference_change *found,
                             verso_change *change)
{
    struct vs_pages *pages = diff->empty.pages;
    verso_err err = VERSO_OK;
    if (found->kind != VERSO_CHANGE_ADDED) {
        err = vs_value_bytes(pages, &found->before, &diff->value[0], &change->old_value);
    }
    if (err == VERSO_OK && found->kind != VERSO_CHANGE_REMOVED) {
        err = vs_value_bytes(pages, &found->after, &diff->value[1], &change->new_value);
    }
    return err;
}

verso_err verso_diff_next(verso_diff *diff, verso_change *change)
{
    if (diff == NULL || change == NULL) {
        return vs_fault(VERSO_INVALID, "verso_diff_next: an argument is NULL");
    }
    verso_err err = check_open(diff->view[0], diff->view[1]);
    if (err != VERSO_OK || diff->error != VERSO_OK) {
        return err != VERSO_OK ? err : diff->error;
    }
    struct vs_difference_change found;
    renew(diff);
    err = vs_difference_next(diff->walk, &found);
    if (err != VERSO_OK) {
        return err;
    }
    verso_change filled = {.kind = found.kind, .key = found.key};
    diff->error = read_values(diff, &found, &filled);
    if (diff->error == VERSO_OK) {
        *change = filled;
    }
    return diff->error;
}

uint64_t verso_diff_pages(const verso_diff *diff)
{
    return diff == NULL ? 0 : vs_difference_pages(diff->walk);
}

void verso_diff_close(verso_diff *diff)
{
    if (diff != NULL) {
        vs_difference_close(diff->walk);
        vs_value_buffer_clear(&diff->value[0]);
        vs_value_buffer_clear(&diff->value[1]);
        free(diff);
    }
}
