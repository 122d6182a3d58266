/*
 * chain.c - keeping the leaf chain true while leaves are copied (docs/architecture.md, "The leaf
 * chain").
 *
 *     before          version T copies N            L's slots full: L is copied as well
 *     K -> L -> N     K -> L -> N                   K -> L -> N       (versions before T)
 *                          `--> N'  from T          `--> L' -> N'     (from T)
 *
 * A link is added to the left neighbour's descriptor, stamped with the version; the neighbour's
 * page is untouched. Only when its link slots are all needed is it copied, and then its own left
 * neighbour gets a link: a walk to the left, one leaf a step, that ends at the first leaf with a
 * free slot or at the first leaf of the tree.
 */
#include <assert.h>

#include "tree/edit.h"

verso_err vs_chain_link(struct vs_tree_edit *edit, vs_page_no leaf, vs_page_no next)
{
    bool relief = false;
    verso_err err = vs_link_set(edit->writer, leaf, next, &relief);
    assert(err != VERSO_OK || !relief); /* a leaf born here has one link, overwritten in place */
    return err;
}

verso_err vs_chain_relink(struct vs_tree_edit *edit, const struct vs_path *path, vs_page_no next)
{
    struct vs_path left;
    vs_path_copy(&left, path);
    for (;;) {
        bool moved = false;
        verso_err err = vs_path_step_aside(vs_writer_pages(edit->writer), false, &left, &moved);
        if (err != VERSO_OK || !moved) {
            return err;
        }
        bool relief = false;
        err = vs_link_set(edit->writer, left.level[0].page, next, &relief);
        if (err != VERSO_OK || !relief) {
            return err;
        }
        /* beside this copy, the change that called still needs its own worst case */
        err = vs_writer_reserve(edit->writer, edit->root.depth + vs_edit_worst_case(edit));
        if (err != VERSO_OK) {
            return err;
        }
        err = vs_edit_own_path(edit, &left, 0);
        if (err != VERSO_OK) {
            return err;
        }
        edit->relief_copies++;
        err = vs_chain_link(edit, left.level[0].page, next);
        if (err != VERSO_OK) {
            return err;
        }
        next = left.level[0].page;
    }
}
