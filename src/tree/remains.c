/*
 * remains.c - the walk over a damaged tree; see remains.h.
 */
#include "tree/remains.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"
#include "os/fault.h"
#include "tree/path.h"
#include "tree/value.h"

enum { REASON_SIZE = 200 };

/** One walk. Bounds of pages lie in `bounds`, two keys a level. */
struct walk {
    struct vs_remains *remains;
    struct vs_pages *pages;
    size_t key_max;
    uint8_t *bounds;
    uint8_t *key;      /* the last one found, with room for one byte more */
    size_t key_size;   /* with that byte, a zero: the first key that may follow */
    bool has_key;      /* one was found */
    vs_page_no leaf;   /* the last that was come to, read or not; 0: none yet */
    bool at_left_edge; /* nothing below `edge.to` could be read so far */
    struct vs_lost_keys edge;
    uint8_t *edge_key; /* of edge.range.to */
    char edge_reason[REASON_SIZE];
    struct vs_value_buffer value;
};

/* ---- losses ---- */

static void report(struct walk *walk, const struct vs_key_range *range, vs_page_no page,
                   uint64_t keys, const char *reason)
{
    struct vs_lost_keys lost = {.range = *range, .page = page, .keys = keys, .reason = reason};
    walk->remains->losses++;
    walk->remains->lost(walk->remains->argument, &lost);
}

/* The part of a range behind the last key that was found. */
static struct vs_key_range behind_last(const struct walk *walk, const struct vs_key_range *range)
{
    struct vs_key_range rest = *range;
    verso_slice next = {walk->key, walk->key_size};
    if (walk->has_key && (!rest.has_from || vs_key_compare(rest.from, next) < 0)) {
        rest.has_from = true;
        rest.from = next;
    }
    return rest;
}

/* ---- leaves ---- */

static verso_err emit_cell(struct walk *walk, vs_page_no leaf, struct vs_payload payload)
{
    struct vs_value_place place = {leaf, payload};
    verso_slice value;
    verso_slice key = {walk->key, walk->key_size - 1};
    verso_err err = vs_value_bytes(walk->pages, &place, &walk->value, &value);
    if (!vs_is_damage(err)) {
        walk->remains->keys += err == VERSO_OK;
        return err != VERSO_OK ? err : walk->remains->found(walk->remains->argument, key, value);
    }
    struct vs_key_range one = {true, true, key, {walk->key, walk->key_size}};
    walk->remains->bad++;
    report(walk, &one, leaf, 1, vs_fault_detail());
    return VERSO_OK;
}

static bool fits(const struct vs_key_range *range, verso_slice key)
{
    return (!range->has_from || vs_key_compare(key, range->from) >= 0) &&
           (!range->has_to || vs_key_compare(key, range->to) < 0);
}

/* Hand out the cells of a leaf that was read. Those out of their order are none of this tree's. */
static verso_err emit_leaf(struct walk *walk, vs_page_no leaf, const uint8_t *bytes,
                           const struct vs_key_range *range)
{
    unsigned count = vs_page_count(bytes);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        struct vs_key_range rest = behind_last(walk, range);
        uint8_t key[VS_PAGE_SIZE_MAX / 4];
        size_t size = vs_leaf_key(bytes, i, key);
        if (!fits(&rest, (verso_slice){key, size})) {
            report(walk, &rest, leaf, 0, "its keys are not those that belong there");
            return VERSO_OK;
        }
        memcpy(walk->key, key, size);
        walk->key[size] = 0;
        walk->key_size = size + 1;
        walk->has_key = true;
        err = emit_cell(walk, leaf, vs_leaf_payload(bytes, i));
    }
    return err;
}

/* ---- the chain ---- */

/** A stretch of the chain that is read because the branch above it cannot be. */
struct stretch {
    struct vs_key_range range;
    vs_page_no until;  /* the leaf that is reached by other ways; 0: the range's end */
    vs_page_no bad;    /* unreadable and not reported yet, the first; 0: none */
    uint64_t expected; /* keys in all; 0: not known */
    bool guessed; /* the chain was followed backwards: it may have begun before its first leaf */
    uint8_t first[VS_PAGE_SIZE_MAX / 4]; /* the first key that was found */
    size_t first_size;
    bool has_first;
    char reason[REASON_SIZE];
};

/* Nothing was read from the last key up to `to`. */
static void report_gap(struct walk *walk, struct stretch *stretch, bool has_to, verso_slice to,
                       uint64_t keys)
{
    struct vs_key_range range = behind_last(walk, &stretch->range);
    range.has_to = has_to;
    range.to = to;
    vs_page_no page = stretch->bad;
    stretch->bad = 0;
    report(walk, &range, page, keys, stretch->reason);
}

/* Keys may be missing, and perhaps below the first that was found. */
static void report_before(struct walk *walk, const struct stretch *stretch)
{
    struct vs_key_range range = stretch->range;
    range.has_to = true;
    range.to = (verso_slice){stretch->first, stretch->first_size};
    report(walk, &range, 0, 0, stretch->reason);
}

static void note_bad(struct stretch *stretch, vs_page_no page)
{
    if (stretch->bad == 0) {
        stretch->bad = page;
        (void)snprintf(stretch->reason, sizeof stretch->reason, "%s", vs_fault_detail());
    }
}

/* One leaf of the stretch. *over: it is not part of it. */
static verso_err read_link(struct walk *walk, struct stretch *stretch, vs_page_no leaf, bool *over)
{
    const uint8_t *bytes;
    verso_err err = vs_path_read(walk->pages, leaf, 0, &bytes);
    if (vs_is_damage(err)) {
        note_bad(stretch, leaf);
        walk->remains->bad++;
        return VERSO_OK;
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t first[VS_PAGE_SIZE_MAX / 4];
    verso_slice key = {first, vs_leaf_key(bytes, 0, first)};
    *over = !fits(&stretch->range, key);
    if (*over) {
        return VERSO_OK;
    }
    if (!stretch->has_first) {
        memcpy(stretch->first, first, key.size);
        stretch->first_size = key.size;
        stretch->has_first = true;
    }
    if (stretch->bad != 0) {
        report_gap(walk, stretch, true, key, 0);
    }
    vs_remaining_meet(walk->remains->shared, leaf);
    return emit_leaf(walk, leaf, bytes, &stretch->range);
}

/* Read the chain from `leaf` on, as far as it belongs to the stretch. */
static verso_err read_stretch(struct walk *walk, struct stretch *stretch, vs_page_no leaf)
{
    struct vs_remaining_pages *shared = walk->remains->shared;
    uint64_t found = walk->remains->keys;
    bool over = false;
    verso_err err = VERSO_OK;
    /* what cannot be read is not met: other ways may lead there; so the steps are counted */
    for (vs_page_no steps = 0; steps < shared->limit && leaf != 0 && leaf != stretch->until &&
                               !vs_remaining_is_met(shared, leaf);
         steps++) {
        err = read_link(walk, stretch, leaf, &over);
        if (err != VERSO_OK || over) {
            break;
        }
        walk->leaf = leaf;
        verso_err linked = vs_page_next_leaf(walk->pages, leaf, shared->version, &leaf);
        if (linked != VERSO_OK) {
            note_bad(stretch, leaf);
            leaf = 0;
        }
    }
    found = walk->remains->keys - found;
    bool complete = stretch->expected != 0 && found == stretch->expected;
    if (err != VERSO_OK || complete || (stretch->bad == 0 && stretch->expected <= found)) {
        return err;
    }
    if (stretch->guessed && stretch->has_first) {
        report_before(walk, stretch);
    }
    uint64_t missing = stretch->expected > found ? stretch->expected - found : 0;
    report_gap(walk, stretch, stretch->range.has_to, stretch->range.to, missing);
    return VERSO_OK;
}

/* The first leaf of the chain that leads to `leaf`, as far as it was not met. A leaf has one link, so
 * the way back does not run into itself but at its beginning. */
static vs_page_no go_back(const struct vs_remaining_pages *shared, vs_page_no leaf)
{
    vs_page_no first = leaf;
    for (;;) {
        vs_page_no before = vs_remaining_before(shared, first);
        if (before == 0 || before == leaf || vs_remaining_is_met(shared, before)) {
            return first;
        }
        first = before;
    }
}

/* A branch that cannot be read: read its leaves by the chain, now or, at the left edge, later. */
static verso_err bridge(struct walk *walk, vs_page_no page, const struct vs_key_range *range,
                        uint64_t keys)
{
    if (walk->leaf == 0) {
        bool goes_on = walk->at_left_edge;
        walk->edge.keys = goes_on ? walk->edge.keys + keys : keys;
        walk->edge.page = goes_on ? walk->edge.page : page;
        walk->edge.range = (struct vs_key_range){.has_to = range->has_to, .to = range->to};
        if (range->has_to) { /* the bound's own place will be another page's */
            memcpy(walk->edge_key, range->to.data, range->to.size);
            walk->edge.range.to.data = walk->edge_key;
        }
        if (!goes_on) {
            (void)snprintf(walk->edge_reason, REASON_SIZE, "%s", vs_fault_detail());
        }
        walk->at_left_edge = true;
        return VERSO_OK;
    }
    struct stretch stretch = {.range = *range, .expected = keys};
    (void)snprintf(stretch.reason, REASON_SIZE, "%s", vs_fault_detail());
    vs_page_no next = 0; /* and so it stays if the link cannot be read */
    verso_err linked =
        vs_page_next_leaf(walk->pages, walk->leaf, walk->remains->shared->version, &next);
    (void)linked;
    return read_stretch(walk, &stretch, next);
}

/* The walk has come to its first leaf: read what lies before it. */
static verso_err close_left_edge(struct walk *walk, vs_page_no leaf)
{
    if (!walk->at_left_edge) {
        return VERSO_OK;
    }
    walk->at_left_edge = false;
    struct stretch stretch = {
        .range = walk->edge.range, .until = leaf, .expected = walk->edge.keys, .guessed = true};
    memcpy(stretch.reason, walk->edge_reason, REASON_SIZE);
    struct vs_remaining_pages *shared = walk->remains->shared;
    verso_err err = vs_remaining_scan(shared);
    return err == VERSO_OK ? read_stretch(walk, &stretch, go_back(shared, leaf)) : err;
}

/* ---- the branches ---- */

static verso_err visit(struct walk *walk, vs_page_no page, unsigned level,
                       const struct vs_key_range *range, uint64_t keys);

static verso_err visit_children(struct walk *walk, const uint8_t *bytes, unsigned level,
                                const struct vs_key_range *range)
{
    uint8_t *bound[2] = {walk->bounds + (size_t)level * 2 * walk->key_max, NULL};
    bound[1] = bound[0] + walk->key_max;
    struct vs_key_range child = *range;
    unsigned count = vs_page_count(bytes);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        child.has_to = i + 1 < count ? true : range->has_to;
        child.to = range->to;
        if (i + 1 < count) {
            uint8_t *buffer = bound[i % 2];
            child.to = (verso_slice){buffer, vs_branch_separator(bytes, i + 1, buffer)};
        }
        err = visit(walk, vs_branch_child(bytes, i), level - 1, &child, vs_branch_keys(bytes, i));
        child.has_from = true;
        child.from = child.to;
    }
    return err;
}

/* Recursion: `level` descends, from at most VS_TREE_DEPTH_MAX - 1. */
static verso_err visit(struct walk *walk, vs_page_no page, unsigned level,
                       const struct vs_key_range *range, uint64_t keys)
{
    assert(level < VS_TREE_DEPTH_MAX);
    if (vs_remaining_is_met(walk->remains->shared, page)) {
        report(walk, range, page, keys, "a page of another place");
        return VERSO_OK;
    }
    const uint8_t *bytes;
    verso_err err = level == 0 ? close_left_edge(walk, page) : VERSO_OK;
    if (err == VERSO_OK) {
        err = vs_path_read(walk->pages, page, level, &bytes);
    }
    if (err != VERSO_OK && !vs_is_damage(err)) {
        return err;
    }
    vs_remaining_meet(walk->remains->shared, page);
    if (level == 0) {
        walk->leaf = page;
    }
    if (err == VERSO_OK) {
        return level == 0 ? emit_leaf(walk, page, bytes, range)
                          : visit_children(walk, bytes, level, range);
    }
    walk->remains->bad++;
    if (level > 0) {
        return bridge(walk, page, range, keys);
    }
    report(walk, range, page, keys, vs_fault_detail());
    return VERSO_OK;
}

/* ---- a tree ---- */

static verso_err begin(struct walk *walk, struct vs_remains *remains)
{
    struct vs_pages *pages = remains->shared->pages;
    size_t key_max = vs_leaf_key_max(pages->page_size);
    *walk = (struct walk){.remains = remains, .pages = pages, .key_max = key_max};
    walk->bounds = malloc((size_t)VS_TREE_DEPTH_MAX * 2 * key_max);
    walk->key = malloc(key_max + 1);
    walk->edge_key = malloc(key_max);
    return walk->bounds == NULL || walk->key == NULL || walk->edge_key == NULL
               ? vs_fault(VERSO_NOMEM, "no memory for a salvage")
               : VERSO_OK;
}

static void end(struct walk *walk)
{
    free(walk->bounds);
    free(walk->key);
    free(walk->edge_key);
    vs_value_buffer_clear(&walk->value);
}

verso_err vs_remains_walk(struct vs_remains *remains)
{
    const struct vs_key_range all = {.has_from = false};
    struct walk walk;
    verso_err err = begin(&walk, remains);
    assert(vs_tree_root_is_possible(&remains->root));
    if (err == VERSO_OK && remains->root.depth > 0) {
        err = visit(&walk, remains->root.page, remains->root.depth - 1, &all, remains->root.keys);
    }
    remains->is_rootless = walk.at_left_edge;
    remains->origin = walk.edge.page;
    end(&walk);
    return err;
}

verso_err vs_remains_adopt(struct vs_remains *remains)
{
    struct walk walk;
    struct stretch stretch = {.expected = remains->root.keys, .guessed = true};
    (void)snprintf(stretch.reason, REASON_SIZE, "page %u (branch): cannot be read",
                   remains->origin);
    verso_err err = begin(&walk, remains);
    if (err == VERSO_OK) {
        err = vs_remaining_scan(remains->shared);
    }
    if (err == VERSO_OK) {
        vs_page_no head = vs_remaining_head(remains->shared);
        stretch.bad = head == 0 ? remains->origin : 0;
        err = read_stretch(&walk, &stretch, head);
    }
    end(&walk);
    return err;
}
