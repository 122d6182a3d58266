/*
 * path.c - descents, and steps aside to a neighbouring leaf through the branches.
 */
#include "tree/path.h"

#include <assert.h>
#include <string.h>

#include "os/fault.h"

verso_err vs_path_wrong_level(vs_page_no page, const uint8_t *bytes, unsigned level)
{
    return vs_fault(VERSO_CORRUPT,
                    "page %u: kind %u, level %u, %u entries where the tree has level %u", page,
                    vs_page_kind(bytes), vs_page_level(bytes), vs_page_count(bytes), level);
}

verso_err vs_path_wrong_count(vs_page_no page, uint64_t keys, uint64_t counted)
{
    return vs_fault(VERSO_CORRUPT, "page %u: %llu keys below it, where %llu are counted", page,
                    (unsigned long long)keys, (unsigned long long)counted);
}

/** The lines of a change to come: the leaf's descriptor, and that of the leaf that links to it. */
static void prefetch_descriptors(struct vs_pages *pages, const struct vs_path_step *parent)
{
    vs_page_prefetch_descriptor(pages, vs_branch_child(parent->bytes, parent->index));
    if (parent->index > 0) {
        vs_page_prefetch_descriptor(pages, vs_branch_child(parent->bytes, parent->index - 1));
    }
}

verso_err vs_path_to_key(const struct vs_tree_view *view, verso_slice key, bool to_change,
                         struct vs_path *path)
{
    assert(vs_tree_root_is_possible(&view->root));
    path->depth = view->root.depth;
    vs_page_no page = view->root.page;
    for (unsigned level = path->depth; level-- > 0;) {
        struct vs_path_step *step = &path->level[level];
        step->page = page;
        step->own = NULL;
        step->index = 0;
        verso_err err = vs_path_read(view->pages, page, level, &step->bytes);
        if (err != VERSO_OK) {
            return err;
        }
        if (level > 0) {
            step->index = vs_branch_find(step->bytes, key);
            page = vs_branch_child(step->bytes, step->index);
            if (level == 1) {
                vs_leaf_prefetch(vs_path_hint(view->pages, page));
                if (to_change) {
                    prefetch_descriptors(view->pages, step);
                }
            }
        }
    }
    return VERSO_OK;
}

/** Fill the levels below `level` by always taking the first or the last child; name the leaf. */
static verso_err descend_edge(struct vs_pages *pages, unsigned level, bool last,
                              struct vs_path *path)
{
    for (; level > 0; level--) {
        struct vs_path_step *below = &path->level[level - 1];
        const struct vs_path_step *step = &path->level[level];
        below->page = vs_branch_child(step->bytes, step->index);
        below->bytes = NULL;
        below->own = NULL;
        below->index = 0;
        if (level > 1) {
            verso_err err = vs_path_read(pages, below->page, level - 1, &below->bytes);
            if (err != VERSO_OK) {
                return err;
            }
            below->index = last ? vs_page_count(below->bytes) - 1 : 0;
        }
    }
    return VERSO_OK;
}

verso_err vs_path_to_edge(const struct vs_tree_view *view, bool last, struct vs_path *path)
{
    assert(vs_tree_root_is_possible(&view->root));
    path->depth = view->root.depth;
    if (path->depth == 0) {
        return VERSO_OK;
    }
    struct vs_path_step *root = &path->level[path->depth - 1];
    root->page = view->root.page;
    root->own = NULL;
    verso_err err = vs_path_read(view->pages, root->page, path->depth - 1, &root->bytes);
    if (err != VERSO_OK) {
        return err;
    }
    root->index = last ? vs_page_count(root->bytes) - 1 : 0;
    err = descend_edge(view->pages, path->depth - 1, last, path);
    if (err != VERSO_OK || path->depth == 1) {
        return err;
    }
    struct vs_path_step *leaf = &path->level[0];
    err = vs_path_read(view->pages, leaf->page, 0, &leaf->bytes);
    if (err != VERSO_OK) {
        return err;
    }
    leaf->index = last ? vs_page_count(leaf->bytes) - 1 : 0;
    return VERSO_OK;
}

verso_err vs_path_step_aside(struct vs_pages *pages, bool forward, struct vs_path *path,
                             bool *moved)
{
    unsigned level = 1;
    for (; level < path->depth; level++) {
        const struct vs_path_step *step = &path->level[level];
        if (forward ? step->index + 1 < vs_page_count(step->bytes) : step->index > 0) {
            break;
        }
    }
    *moved = level < path->depth;
    if (!*moved) {
        return VERSO_OK;
    }
    path->level[level].index += forward ? 1U : -1U;
    return descend_edge(pages, level, !forward, path);
}

bool vs_path_is_rightmost(const struct vs_path *path)
{
    for (unsigned level = 1; level < path->depth; level++) {
        const struct vs_path_step *step = &path->level[level];
        if (step->index + 1 < vs_page_count(step->bytes)) {
            return false;
        }
    }
    return true;
}

void vs_path_copy(struct vs_path *to, const struct vs_path *from)
{
    assert(from->depth <= VS_TREE_DEPTH_MAX);
    to->depth = from->depth;
    memcpy(to->level, from->level, from->depth * sizeof from->level[0]);
}
