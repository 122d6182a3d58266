/*
 * count.c - one descent by key that adds up counts, one by counts that finds a key.
 */
#include "tree/count.h"

#include <assert.h>

#include "format/key_order.h"
#include "os/fault.h"

verso_err vs_tree_rank(const struct vs_tree_view *view, verso_slice key, uint64_t *rank)
{
    struct vs_path path;
    verso_err err = vs_path_to_key(view, key, false, &path);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t below = 0;
    for (unsigned level = path.depth; level-- > 1;) {
        below += vs_branch_keys_before(path.level[level].bytes, path.level[level].index);
    }
    unsigned index = 0;
    if (path.depth > 0) {
        (void)vs_leaf_find(path.level[0].bytes, key, &index);
    }
    *rank = below + index;
    return VERSO_OK;
}

verso_err vs_tree_count(const struct vs_tree_view *view, const struct vs_key_range *range,
                        uint64_t *count)
{
    uint64_t from = 0;
    uint64_t to = view->root.keys;
    verso_err err = VERSO_OK;
    if (range->has_from) {
        err = vs_tree_rank(view, range->from, &from);
    }
    if (err == VERSO_OK && range->has_to) {
        err = vs_tree_rank(view, range->to, &to);
    }
    if (err != VERSO_OK) {
        return err;
    }
    bool ordered = !range->has_from || !range->has_to || vs_key_compare(range->from, range->to) < 0;
    if (ordered && from > to) {
        return vs_fault(VERSO_CORRUPT, "page %u: the counts below contradict each other",
                        view->root.page);
    }
    *count = ordered ? to - from : 0;
    return VERSO_OK;
}

/** The counts promise more keys than there are below this page. */
static verso_err too_few(const struct vs_path_step *step)
{
    return vs_fault(VERSO_CORRUPT, "page %u: fewer keys than the pages above it count", step->page);
}

verso_err vs_path_to_rank(const struct vs_tree_view *view, uint64_t rank, struct vs_path *path)
{
    assert(rank < view->root.keys);
    assert(vs_tree_root_is_possible(&view->root)); /* it has keys, so it has a page */
    path->depth = view->root.depth;
    vs_page_no page = view->root.page;
    for (unsigned level = path->depth; level-- > 0;) {
        struct vs_path_step *step = &path->level[level];
        *step = (struct vs_path_step){.page = page};
        verso_err err = vs_path_read(view->pages, page, level, &step->bytes);
        if (err != VERSO_OK) {
            return err;
        }
        unsigned count = vs_page_count(step->bytes);
        if (level == 0) {
            step->index = rank < count ? (unsigned)rank : count;
        } else {
            step->index = vs_branch_find_rank(step->bytes, &rank);
        }
        if (step->index == count) {
            return too_few(step);
        }
        page = level == 0 ? 0 : vs_branch_child(step->bytes, step->index);
    }
    return VERSO_OK;
}
