/*
 * difference.c - two trees walked side by side, past what they share.
 *
 * Each side stands before something that is still to come: a page not read yet, of which only the
 * lower bound is known, or a cell with its key.
 *
 *     first    B2 [ L1 | L2 | L3 ]          second   B2' [ L1 | L2' | L2" | L3 ]
 *                   ^ before L1                             ^ before L1
 *
 * One step: do both sides stand before the same page, here L1, then both pass it unread. Else the
 * side whose key or lower bound is lower goes on: a page is read, a cell is a difference. At equal
 * bounds the higher page is read.
 *
 * A page that both trees share is never missed, though its bounds may differ (a leaf takes over
 * what a dropped neighbour covered without being copied), and though one side may have read it
 * already. For a cell of it is passed only when the other side has nothing lower to come, and that
 * side has the same cell to come. So when the second of them arrives before the page, the first one
 * still stands at its beginning; all pages that begin where a side stands are compared, not only
 * the lowest (`begun`).
 *
 * Pages of the same number are the same page: both versions are pinned, so the number was not used
 * again between them.
 */
#include "history/difference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"
#include "os/fault.h"
#include "tree/path.h"

/** One of the two trees, and what is to come next in it. */
struct side {
    struct vs_tree_view view;
    struct vs_path path; /* pages at levels from `height` on are read */
    bool ended;
    unsigned height;  /* 0: before a cell; else before the page at level height - 1 */
    unsigned begun;   /* all pages at levels [height, begun) begin here as well */
    bool seeking;     /* no cell met, no page passed yet: on the way to the range's first key */
    bool given;       /* the cell was handed out or compared: the next step passes it */
    bool has_low;     /* else below everything */
    verso_slice low;  /* of the page before which the side stands; in memory of its own */
    bool has_key;     /* a cell was met */
    size_t key_size;  /* of the cell met last, */
    uint8_t *key;     /* which begins with the prefix of its leaf */
    uint8_t *low_key; /* memory for `low` */
    struct vs_payload payload;
};

struct vs_difference {
    struct side side[2];
    struct vs_key_range range; /* its keys lie in `keys` */
    uint8_t *from_key;         /* memory for its lower bound, whatever a restart makes of it */
    uint8_t *last_key;         /* memory for `last` */
    verso_slice last;          /* the key handed out last */
    bool has_last;
    uint64_t pages;
    verso_err error; /* VERSO_NOT_FOUND: the end was met */
    uint8_t keys[];
};

/* ---- one side ---- */

static void begin(struct side *side, const struct vs_tree_view *view, bool seeking)
{
    assert(vs_tree_root_is_possible(&view->root));
    side->view = *view;
    side->path.depth = view->root.depth;
    side->ended = view->root.depth == 0;
    side->height = view->root.depth;
    side->begun = view->root.depth;
    side->seeking = seeking;
    side->given = false;
    side->has_low = false;
    side->low = (verso_slice){side->low_key, 0};
    side->has_key = false;
    side->key_size = 0;
    if (!side->ended) {
        side->path.level[view->root.depth - 1].page = view->root.page;
    }
}

static bool is_behind(const struct vs_difference *difference, verso_slice key)
{
    return difference->range.has_to && vs_key_compare(key, difference->range.to) >= 0;
}

/** Stand before child `index` of the branch at `level`. */
static void stand_before_child(struct vs_difference *difference, struct side *side, unsigned level,
                               unsigned index)
{
    struct vs_path_step *step = &side->path.level[level];
    step->index = index;
    side->path.level[level - 1].page = vs_branch_child(step->bytes, index);
    side->height = level;
    if (index > 0) { /* the first child has its parent's lower bound */
        side->has_low = true;
        side->low.size = vs_branch_separator(step->bytes, index, side->low_key);
        side->ended = is_behind(difference, side->low);
    }
}

/** Stand before cell `index` of the leaf. */
static void stand_before_cell(struct vs_difference *difference, struct side *side, unsigned index)
{
    struct vs_path_step *leaf = &side->path.level[0];
    leaf->index = index;
    side->height = 0;
    side->has_key = true;
    side->key_size = vs_leaf_entry(leaf->bytes, index, side->key, &side->payload);
    side->ended = is_behind(difference, (verso_slice){side->key, side->key_size});
}

/** Go past the page at level height - 1, which begins where the side stands or contains that. */
static void pass_page(struct vs_difference *difference, struct side *side, unsigned height)
{
    side->seeking = false;
    for (unsigned level = height; level < side->path.depth; level++) {
        const struct vs_path_step *step = &side->path.level[level];
        if (step->index + 1 < vs_page_count(step->bytes)) {
            stand_before_child(difference, side, level, step->index + 1);
            side->begun = level;
            return;
        }
    }
    side->ended = true;
}

static void pass_cell(struct vs_difference *difference, struct side *side)
{
    const struct vs_path_step *leaf = &side->path.level[0];
    assert(side->height == 0);
    side->given = false;
    side->begun = 0;
    if (leaf->index + 1 < vs_page_count(leaf->bytes)) {
        stand_before_cell(difference, side, leaf->index + 1);
    } else {
        pass_page(difference, side, 1);
    }
}

static verso_err enter_leaf(struct vs_difference *difference, struct side *side)
{
    const struct vs_path_step *leaf = &side->path.level[0];
    verso_slice last = {side->key, side->key_size};
    if (side->has_key && vs_leaf_compare(leaf->bytes, 0, last) <= 0) {
        return vs_fault(VERSO_CORRUPT, "page %u: its keys do not ascend from those before it",
                        leaf->page);
    }
    unsigned index = 0;
    if (side->seeking) {
        (void)vs_leaf_find(leaf->bytes, difference->range.from, &index);
    }
    side->seeking = false;
    if (index == vs_page_count(leaf->bytes)) {
        pass_page(difference, side, 1);
        return VERSO_OK;
    }
    (void)vs_leaf_prefix(leaf->bytes, side->key);
    stand_before_cell(difference, side, index);
    return VERSO_OK;
}

/** Read the page before which the side stands, and stand before its first part in the range. */
static verso_err read_page(struct vs_difference *difference, struct side *side)
{
    unsigned level = side->height - 1;
    struct vs_path_step *step = &side->path.level[level];
    verso_err err = vs_path_read(side->view.pages, step->page, level, &step->bytes);
    if (err != VERSO_OK) {
        return err;
    }
    difference->pages++;
    if (level == 0) {
        return enter_leaf(difference, side);
    }
    unsigned index = side->seeking ? vs_branch_find(step->bytes, difference->range.from) : 0;
    stand_before_child(difference, side, level, index);
    return VERSO_OK;
}

/* ---- both ---- */

/** Do both stand at the beginning of the same page, then both pass it. */
static bool pass_shared(struct vs_difference *difference)
{
    struct side *first = &difference->side[0];
    struct side *second = &difference->side[1];
    if (first->ended || second->ended) {
        return false;
    }
    unsigned top = first->begun < second->begun ? first->begun : second->begun;
    unsigned bottom = first->height > second->height ? first->height : second->height;
    for (unsigned height = top; height >= bottom && height > 0; height--) {
        if (first->path.level[height - 1].page == second->path.level[height - 1].page) {
            pass_page(difference, first, height);
            pass_page(difference, second, height);
            return true;
        }
    }
    return false;
}

/** Which side has the lower key or bound to come: negative for the first. */
static int compare_sides(const struct vs_difference *difference)
{
    const struct side *first = &difference->side[0];
    const struct side *second = &difference->side[1];
    if (first->ended || second->ended) {
        return first->ended ? 1 : -1;
    }
    bool first_is_bounded = first->height == 0 || first->has_low;
    bool second_is_bounded = second->height == 0 || second->has_low;
    if (!first_is_bounded || !second_is_bounded) {
        return (int)first_is_bounded - (int)second_is_bounded;
    }
    verso_slice key = {first->key, first->key_size};
    verso_slice other = {second->key, second->key_size};
    return vs_key_compare(first->height == 0 ? key : first->low,
                          second->height == 0 ? other : second->low);
}

static struct vs_value_place place_of(const struct side *side)
{
    return (struct vs_value_place){side->path.level[0].page, side->payload};
}

/** Both stand before a cell of the same key. */
static verso_err compare_cells(struct vs_difference *difference, bool *same)
{
    struct vs_value_place before = place_of(&difference->side[0]);
    struct vs_value_place after = place_of(&difference->side[1]);
    verso_err err = vs_value_is_same(difference->side[0].view.pages, &before, &after, same);
    difference->side[0].given = err == VERSO_OK;
    difference->side[1].given = err == VERSO_OK;
    return err;
}

static void hand_out(struct vs_difference *difference, struct vs_difference_change *change)
{
    struct side *first = &difference->side[0];
    struct side *second = &difference->side[1];
    change->kind = !first->given    ? VERSO_CHANGE_ADDED
                   : !second->given ? VERSO_CHANGE_REMOVED
                                    : VERSO_CHANGE_CHANGED;
    change->before = first->given ? place_of(first) : (struct vs_value_place){0};
    change->after = second->given ? place_of(second) : (struct vs_value_place){0};
    const struct side *side = first->given ? first : second;
    change->key = (verso_slice){side->key, side->key_size};
}

/**
 * Does the key to be handed out follow the one before it? Each side's keys ascend, but where they
 * lie below the bound that the branches give, the other side has gone ahead of them.
 */
static verso_err follow_last(struct vs_difference *difference)
{
    const struct side *side = &difference->side[difference->side[0].given ? 0 : 1];
    verso_slice key = {side->key, side->key_size};
    if (difference->has_last && vs_key_compare(key, difference->last) <= 0) {
        return vs_fault(VERSO_CORRUPT, "page %u: its keys do not lie where the branches say",
                        side->path.level[0].page);
    }
    difference->last.size = key.size;
    memcpy(difference->last_key, key.data, key.size);
    difference->has_last = true;
    return VERSO_OK;
}

/** One step of the opening comment. @param[out] found  Whether it has met a difference. */
static verso_err step(struct vs_difference *difference, bool *found)
{
    struct side *first = &difference->side[0];
    struct side *second = &difference->side[1];
    *found = false;
    for (unsigned i = 0; i < 2; i++) {
        if (difference->side[i].given) {
            pass_cell(difference, &difference->side[i]);
        }
    }
    if (pass_shared(difference)) {
        return VERSO_OK;
    }
    if (first->ended && second->ended) {
        return VERSO_NOT_FOUND;
    }
    int order = compare_sides(difference);
    if (order == 0 && first->height == 0 && second->height == 0) {
        bool same = false;
        verso_err err = compare_cells(difference, &same);
        *found = !same;
        return err;
    }
    bool is_first = order < 0 || (order == 0 && first->height >= second->height);
    struct side *side = is_first ? first : second;
    if (side->height > 0) {
        return read_page(difference, side);
    }
    side->given = true;
    *found = true;
    return VERSO_OK;
}

verso_err vs_difference_next(struct vs_difference *difference, struct vs_difference_change *change)
{
    bool found = false;
    while (difference->error == VERSO_OK && !found) {
        difference->error = step(difference, &found);
    }
    if (difference->error == VERSO_NOT_FOUND) {
        return vs_fault_text(VERSO_NOT_FOUND, "no more differences");
    }
    if (difference->error == VERSO_OK) {
        difference->error = follow_last(difference);
    }
    if (difference->error == VERSO_OK) {
        hand_out(difference, change);
    }
    return difference->error;
}

/* ---- beginning and ending ---- */

static void copy_key(verso_slice *slice, uint8_t *memory, verso_slice key)
{
    if (key.size > 0) {
        memcpy(memory, key.data, key.size);
    }
    *slice = (verso_slice){memory, key.size};
}

static void begin_both(struct vs_difference *difference, const struct vs_tree_view *first,
                       const struct vs_tree_view *second)
{
    difference->error = VERSO_OK;
    begin(&difference->side[0], first, difference->range.has_from);
    begin(&difference->side[1], second, difference->range.has_from);
}

/** One block: the struct, the two sides' keys and bounds, the range's bounds. */
static struct vs_difference *make(size_t key_max, const struct vs_key_range *range)
{
    size_t from_max = key_max + 1; /* a longest key and one byte more: the key behind it */
    if (range->has_from && range->from.size > from_max) {
        from_max = range->from.size;
    }
    size_t size = 5 * key_max + from_max + (range->has_to ? range->to.size : 0);
    struct vs_difference *fresh = malloc(sizeof *fresh + size);
    if (fresh == NULL) {
        return NULL;
    }
    uint8_t *at = fresh->keys;
    for (unsigned i = 0; i < 2; i++) {
        fresh->side[i].key = at;
        fresh->side[i].low_key = at + key_max;
        at += 2 * key_max;
    }
    fresh->last_key = at;
    fresh->last = (verso_slice){at, 0};
    fresh->has_last = false;
    at += key_max;
    fresh->from_key = at;
    fresh->range = *range;
    if (range->has_from) {
        copy_key(&fresh->range.from, at, range->from);
    }
    if (range->has_to) {
        copy_key(&fresh->range.to, at + from_max, range->to);
    }
    fresh->pages = 0;
    return fresh;
}

verso_err vs_difference_open(const struct vs_tree_view *first, const struct vs_tree_view *second,
                             const struct vs_key_range *range, struct vs_difference **difference)
{
    assert(first->pages == second->pages);
    struct vs_difference *fresh = make(vs_leaf_key_max(first->pages->page_size), range);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a walk over differences");
    }
    begin_both(fresh, first, second);
    *difference = fresh;
    return VERSO_OK;
}

void vs_difference_restart(struct vs_difference *difference, const struct vs_tree_view *first,
                           const struct vs_tree_view *second)
{
    if (difference->error != VERSO_OK) {
        return; /* nothing is behind the end, and an error stays */
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct side *side = &difference->side[i];
        if (side->given) { /* the first key behind it */
            struct vs_key_range *range = &difference->range;
            copy_key(&range->from, difference->from_key, (verso_slice){side->key, side->key_size});
            difference->from_key[range->from.size++] = 0;
            range->has_from = true;
        }
    }
    begin_both(difference, first, second);
}

uint64_t vs_difference_pages(const struct vs_difference *difference)
{
    return difference->pages;
}

void vs_difference_close(struct vs_difference *difference)
{
    free(difference);
}
