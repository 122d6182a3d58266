/*
 * path.h - the way from a root to a leaf: one step a level, in a fixed array.
 *
 *      level[depth - 1]   the root          index: the child taken
 *      ...
 *      level[1]           the leaf's parent index: the child taken
 *      level[0]           the leaf          index: the caller's
 *
 * Every page met must be one level below its parent, so a walk takes at most VS_TREE_DEPTH_MAX
 * steps whatever the pages say.
 *
 * Threads: a path is a value of its owner. Its bytes stay valid as vs_page_read() says.
 */
#ifndef VERSO_TREE_PATH_H
#define VERSO_TREE_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "format/branch.h"
#include "tree/tree.h"

struct vs_path_step {
    const uint8_t *bytes; /* the page; NULL for a leaf that was only named, not read */
    uint8_t *own;         /* the same bytes once vs_edit_own_path() has made them writable */
    vs_page_no page;
    unsigned index;
};

struct vs_path {
    unsigned depth; /* 0: an empty tree */
    struct vs_path_step level[VS_TREE_DEPTH_MAX];
};

/** Report a page whose header is not that of this level's kind, or empty. @return VERSO_CORRUPT. */
verso_err vs_path_wrong_level(vs_page_no page, const uint8_t *bytes, unsigned level);

/** The bytes of a page, which must be a leaf (level 0) or a branch of this level, and not empty. */
static inline verso_err vs_path_read(struct vs_pages *pages, vs_page_no page, unsigned level,
                                     const uint8_t **bytes)
{
    verso_err err = vs_page_read(pages, page, bytes);
    if (__builtin_expect(err != VERSO_OK, 0)) {
        return err;
    }
    /* kind, level and count are the first four bytes: one load */
    uint32_t expected = (level == 0 ? VS_KIND_LEAF : VS_KIND_BRANCH) | level << 8;
    uint32_t header = vs_get_le32(*bytes);
    if (__builtin_expect((header & 0xffff) != expected || header >> 16 == 0, 0)) {
        return vs_path_wrong_level(page, *bytes, level);
    }
    return VERSO_OK;
}

/** Keys below a page of this level, its own if it is a leaf. */
static inline uint64_t vs_path_keys(const uint8_t *bytes, unsigned level)
{
    return level == 0 ? vs_page_count(bytes) : vs_branch_total(bytes);
}

/** Report a page that has not the keys that are counted above it. @return VERSO_CORRUPT. */
verso_err vs_path_wrong_count(vs_page_no page, uint64_t keys, uint64_t counted);

/** Where a page lies now, for prefetching: in the mapping, or in a frame of the arena. */
static inline const uint8_t *vs_path_hint(const struct vs_pages *pages, vs_page_no page)
{
    if (page < pages->limit) {
        uint64_t word = atomic_load_explicit(&pages->verified[page >> 6], memory_order_relaxed);
        uint32_t frame = word >> (page & 63) & 1
                             ? 0
                             : atomic_load_explicit(&pages->frame_of[page], memory_order_relaxed);
        if (frame != 0) {
            return pages->frames + ((size_t)(frame & ~VS_FRAME_OF_VALUE) << pages->page_shift);
        }
    }
    return vs_page_hint(pages, page);
}

/** Descend to the leaf that would hold `key`, whose step gets no index. An empty tree: depth 0.
 *  `to_change`: ask for the descriptors that copying the leaf will need. */
verso_err vs_path_to_key(const struct vs_tree_view *view, verso_slice key, bool to_change,
                         struct vs_path *path);

/** Descend to the first or the last leaf; its index is that of the first or last cell. */
verso_err vs_path_to_edge(const struct vs_tree_view *view, bool last, struct vs_path *path);

/**
 * Move to the leaf before or after the path's, by way of the branches. The leaf itself is named,
 * not read: bytes NULL, index 0.
 *
 * @param[out] moved  false: there is none; the path is unchanged.
 */
verso_err vs_path_step_aside(struct vs_pages *pages, bool forward, struct vs_path *path,
                             bool *moved);

/** Does the path lead to the last leaf of the tree? */
bool vs_path_is_rightmost(const struct vs_path *path);

/** Copy what a path holds, not its whole array. */
void vs_path_copy(struct vs_path *to, const struct vs_path *from);

#endif
