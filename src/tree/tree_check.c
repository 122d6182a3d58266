/*
 * tree_check.c - prove one tree at one version: invariants 1 to 6 of docs/format.md.
 *
 * One walk over the branches, leaves from left to right. On the way down every page is read, its
 * structure checked, and asked whether it is alive; on the way up the keys counted below it are
 * held against what its parent says. Each leaf must be the one that the chain names after the leaf
 * before.
 *
 *     bounds of child i of a branch:   [ separator i,  separator i + 1 )
 *     its first and last child inherit the branch's own bounds
 *
 * A branch that was proved in another version is passed with all below it if its proof holds in
 * this one, its first and last key lie within its bounds, and the chain leads to its first leaf;
 * proofs.h says why that is enough. If any of these fails it is walked through again, and the walk
 * finds out what is wrong.
 *
 * The walk ends on any input: levels fall by one, and as bounds narrow strictly no page with two
 * children or a key can be met twice.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/descriptor.h"
#include "format/key_order.h"
#include "os/fault.h"
#include "tree/check_walk.h"

verso_err vs_check_fault(struct vs_check_walk *walk, vs_page_no page, const char *text)
{
    walk->check->bad_page = page;
    (void)snprintf(walk->check->fault, sizeof walk->check->fault, "%s", text);
    return vs_fault(VERSO_CORRUPT, "page %u: %s", page, text);
}

verso_err vs_check_pass_on(struct vs_check_walk *walk, vs_page_no page, verso_err err)
{
    if (err == VERSO_CORRUPT) {
        walk->check->bad_page = page;
        (void)snprintf(walk->check->fault, sizeof walk->check->fault, "%s", vs_fault_detail());
    }
    return err;
}

verso_err vs_check_reached(struct vs_check_walk *walk, vs_page_no page, enum vs_page_kind kind,
                           struct vs_proof *proof)
{
    struct vs_span life;
    verso_err err = vs_page_life(walk->view->pages, page, &life);
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, page, err);
    }
    if (!vs_span_has(life, walk->view->version)) {
        return vs_check_fault(walk, page, "reached, but not alive in this version");
    }
    vs_proof_narrow(proof, life);
    proof->marks += vs_page_mark(page);
    proof->pages++;
    if (walk->check->visit == NULL) {
        return VERSO_OK;
    }
    const char *text = walk->check->visit(walk->check->argument, page, kind);
    return text == NULL ? VERSO_OK : vs_check_fault(walk, page, text);
}

/** The structure of the page entered at `level`, unless the page was proved before. */
static const char *check_structure(const struct vs_check_walk *walk, unsigned level)
{
    const struct vs_path_step *step = &walk->path.level[level];
    size_t page_size = walk->view->pages->page_size;
    if (level > 0) {
        return vs_branch_check(step->bytes, page_size);
    }
    uint64_t unused;
    bool has_runs;
    bool known =
        vs_proofs_find_leaf(walk->check->proofs, step->page, walk->tree_id, &unused, &has_runs);
    return known ? NULL : vs_leaf_check(step->bytes, page_size);
}

/** Read the page that the path names at `level`, prove its structure, and start on its first
 * entry. */
static verso_err enter_page(struct vs_check_walk *walk, unsigned level)
{
    struct vs_path_step *step = &walk->path.level[level];
    struct vs_proof *proof = &walk->proof[level];
    size_t page_size = walk->view->pages->page_size;
    enum vs_page_kind kind = level == 0 ? VS_KIND_LEAF : VS_KIND_BRANCH;
    vs_proof_begin(proof, kind, level);
    proof->tree_id = walk->tree_id;
    verso_err err = vs_check_reached(walk, step->page, kind, proof);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_path_read(walk->view->pages, step->page, level, &step->bytes);
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, step->page, err);
    }
    const char *text = check_structure(walk, level);
    if (text != NULL) {
        return vs_check_fault(walk, step->page, text);
    }
    uint64_t birth = vs_page_birth(step->bytes);
    if (birth > walk->view->version) {
        return vs_check_fault(walk, step->page, "its header has a birth after this version");
    }
    vs_proof_narrow(proof, (struct vs_span){birth, VS_ALIVE});
    proof->is_underfull = level == 0 ? vs_leaf_is_underfull(step->bytes, page_size)
                                     : vs_branch_is_underfull(step->bytes, page_size);
    walk->check->leaves += level == 0;
    walk->check->branches += level > 0;
    step->index = 0;
    return VERSO_OK;
}

/** Are a branch's own separators within its bounds? They ascend: vs_branch_check(). */
static verso_err check_separators(struct vs_check_walk *walk, unsigned level)
{
    const struct vs_path_step *step = &walk->path.level[level];
    unsigned count = vs_page_count(step->bytes);
    if (count == 1) {
        return VERSO_OK;
    }
    verso_slice first = {walk->key, vs_branch_separator(step->bytes, 1, walk->key)};
    if (walk->low[level].is_set && vs_key_compare(first, walk->low[level].key) <= 0) {
        return vs_check_fault(walk, step->page, "its first separator is not above its lower bound");
    }
    verso_slice last = {walk->key, vs_branch_separator(step->bytes, count - 1, walk->key)};
    if (walk->high[level].is_set && vs_key_compare(last, walk->high[level].key) >= 0) {
        return vs_check_fault(walk, step->page, "its last separator is not below its upper bound");
    }
    return VERSO_OK;
}

/** Name the path's next child at `level` - 1 and note its bounds. */
static void name_child(struct vs_check_walk *walk, unsigned level)
{
    const struct vs_path_step *step = &walk->path.level[level];
    unsigned below = level - 1;
    unsigned index = step->index;
    walk->path.level[below].page = vs_branch_child(step->bytes, index);
    walk->low[below] = walk->low[level];
    walk->high[below] = walk->high[level];
    if (index > 0) {
        uint8_t *bytes = walk->low_bytes + below * walk->key_max;
        size_t size = vs_branch_separator(step->bytes, index, bytes);
        walk->low[below] = (struct vs_check_bound){true, {bytes, size}};
    }
    if (index + 1 < vs_page_count(step->bytes)) {
        uint8_t *bytes = walk->high_bytes + below * walk->key_max;
        size_t size = vs_branch_separator(step->bytes, index + 1, bytes);
        walk->high[below] = (struct vs_check_bound){true, {bytes, size}};
    }
}

/** The chain has led from one leaf to the next while `holds`: that is part of the proof of the
 * lowest branch from `level` on below which both lie. */
static void prove_link(struct vs_check_walk *walk, unsigned level, struct vs_span holds)
{
    while (walk->path.level[level].index == 0) { /* higher up it is not: there is a leaf before */
        level++;
        assert(level < walk->path.depth);
    }
    vs_proof_narrow(&walk->proof[level], holds);
}

/** Does the chain lead from the leaf before to this page (0: to its end)? @param[out] holds  The
 * versions in which it does so. */
static verso_err follow_link(struct vs_check_walk *walk, vs_page_no page, struct vs_span *holds)
{
    vs_page_no next = 0;
    verso_err err =
        vs_page_link_at(walk->view->pages, walk->last_leaf, walk->view->version, &next, holds);
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, walk->last_leaf, err);
    }
    if (next == page) {
        return VERSO_OK;
    }
    char text[100];
    (void)snprintf(text, sizeof text, "linked to page %u, but the branches name page %u", next,
                   page);
    return vs_check_fault(walk, walk->last_leaf, text);
}

/** Arrive at `leaf`, the first one below the path's page at `level`, from the leaf before. */
static verso_err check_link(struct vs_check_walk *walk, unsigned level, vs_page_no leaf)
{
    if (walk->last_leaf == 0) {
        return VERSO_OK;
    }
    struct vs_span holds;
    verso_err err = follow_link(walk, leaf, &holds);
    if (err == VERSO_OK) {
        prove_link(walk, level + 1, holds);
    }
    return err;
}

/** Do keys, the first and the last of which stand in these leaves, lie within the bounds of the
 * path's page at `level`? NULL, or the fault's text; the first leaf's first. */
static const char *check_bounds(const struct vs_check_walk *walk, unsigned level,
                                const uint8_t *first, const uint8_t *last)
{
    const struct vs_check_bound *low = &walk->low[level];
    const struct vs_check_bound *high = &walk->high[level];
    if (low->is_set && vs_leaf_compare(first, 0, low->key) < 0) {
        return "its first key is below its separator";
    }
    if (high->is_set && vs_leaf_compare(last, vs_page_count(last) - 1U, high->key) >= 0) {
        return "its last key is not below the next separator";
    }
    return NULL;
}

/** Prove the leaf that was entered. */
static verso_err check_leaf(struct vs_check_walk *walk)
{
    const struct vs_path_step *leaf = &walk->path.level[0];
    verso_err err = check_link(walk, 0, leaf->page);
    if (err != VERSO_OK) {
        return err;
    }
    /* bounds ascend from leaf to leaf, so keys within them ascend along the chain */
    const char *text = check_bounds(walk, 0, leaf->bytes, leaf->bytes);
    if (text != NULL) {
        return vs_check_fault(walk, leaf->page, text);
    }
    walk->last_leaf = leaf->page;
    walk->proof[0].first_leaf = leaf->page;
    walk->proof[0].last_leaf = leaf->page;
    walk->proof[0].keys = vs_page_count(leaf->bytes);
    return vs_check_pairs(walk);
}

/** Pass the branch that the path names at `level` if it is proved, and the proof holds here.
 * @param[out] passed  Else it is to be walked through. */
static verso_err pass_proved(struct vs_check_walk *walk, unsigned level, bool *passed)
{
    struct vs_pages *pages = walk->view->pages;
    const struct vs_proof *known =
        vs_proofs_find(walk->check->proofs, walk->path.level[level].page, VS_KIND_BRANCH, level);
    *passed = false;
    if (known == NULL || known->tree_id != walk->tree_id ||
        !vs_span_has(known->holds, walk->view->version)) {
        return VERSO_OK;
    }
    const uint8_t *first = NULL;
    const uint8_t *last = NULL;
    verso_err err = vs_path_read(pages, known->first_leaf, 0, &first);
    if (err == VERSO_OK) {
        err = vs_path_read(pages, known->last_leaf, 0, &last);
    }
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, walk->path.level[level].page, err);
    }
    if (check_bounds(walk, level, first, last) != NULL) {
        return VERSO_OK;
    }
    *passed = true;
    walk->proof[level] = *known;
    err = check_link(walk, level, known->first_leaf);
    walk->last_leaf = known->last_leaf;
    return err;
}

/** Stand before the page that the path names at `level`. @param[out] done  It has nothing below it
 * that is still to be proved. */
static verso_err arrive(struct vs_check_walk *walk, unsigned level, bool *done)
{
    *done = level == 0;
    if (level > 0) {
        verso_err err = pass_proved(walk, level, done);
        if (err != VERSO_OK || *done) {
            return err;
        }
    }
    verso_err err = enter_page(walk, level);
    if (err != VERSO_OK) {
        return err;
    }
    return level == 0 ? check_leaf(walk) : check_separators(walk, level);
}

/** The child that the parent's step names is proved: so much more of the parent is. */
static void join_parent(struct vs_check_walk *walk, unsigned level)
{
    const struct vs_proof *child = &walk->proof[level];
    struct vs_proof *parent = &walk->proof[level + 1];
    struct vs_path_step *step = &walk->path.level[level + 1];
    vs_proof_join(parent, child);
    parent->keys += child->keys;
    parent->fingerprint += child->fingerprint;
    parent->underfull += child->underfull + child->is_underfull;
    parent->first_leaf = step->index == 0 ? child->first_leaf : parent->first_leaf;
    parent->last_leaf = child->last_leaf;
    step->index++;
}

/** A page at `level` is done: hold its keys against what is said of it, and go on above. */
static verso_err leave_page(struct vs_check_walk *walk, unsigned level)
{
    const struct vs_proof *proof = &walk->proof[level];
    vs_page_no page = walk->path.level[level].page;
    uint64_t said = walk->view->root.keys;
    if (level + 1 < walk->path.depth) {
        const struct vs_path_step *parent = &walk->path.level[level + 1];
        said = vs_branch_keys(parent->bytes, parent->index);
        join_parent(walk, level);
    }
    if (said != proof->keys) {
        char text[100];
        (void)snprintf(text, sizeof text, "%llu keys below it, but %llu are counted above it",
                       (unsigned long long)proof->keys, (unsigned long long)said);
        return vs_check_fault(walk, page, text);
    }
    if (level == 0 || walk->check->proofs == NULL) {
        return VERSO_OK;
    }
    return vs_proofs_add(walk->check->proofs, page, proof);
}

/** Visit all pages, depth first. */
static verso_err walk_tree(struct vs_check_walk *walk)
{
    unsigned level = walk->path.depth - 1;
    walk->path.level[level].page = walk->view->root.page;
    bool done = false;
    verso_err err = arrive(walk, level, &done);
    while (err == VERSO_OK) {
        if (done) {
            err = leave_page(walk, level);
            if (++level == walk->path.depth) {
                break;
            }
            const struct vs_path_step *step = &walk->path.level[level];
            done = step->index == vs_page_count(step->bytes);
        } else {
            name_child(walk, level);
            level--;
            err = arrive(walk, level, &done);
        }
    }
    return err;
}

/** The tree is walked through: what is proved of its root page is proved of the tree, if the chain
 * ends here. */
static verso_err check_whole(struct vs_check_walk *walk)
{
    struct vs_proof *proof = &walk->proof[walk->path.depth - 1];
    struct vs_span holds;
    verso_err err = follow_link(walk, 0, &holds);
    if (err != VERSO_OK) {
        return err;
    }
    vs_proof_narrow(proof, holds);
    walk->check->keys = proof->keys;
    walk->check->fingerprint = proof->fingerprint;
    walk->check->underfull = proof->underfull;
    walk->check->marks = proof->marks;
    walk->check->pages = proof->pages;
    walk->check->holds = proof->holds;
    return VERSO_OK;
}

verso_err vs_tree_check(const struct vs_tree_view *view, uint64_t tree_id,
                        struct vs_tree_check *check)
{
    *check = (struct vs_tree_check){.holds = {0, VS_ALIVE},
                                    .visit = check->visit,
                                    .argument = check->argument,
                                    .proofs = check->proofs};
    assert(vs_tree_root_is_possible(&view->root));
    if (view->root.depth == 0) {
        return VERSO_OK;
    }
    size_t key_max = vs_leaf_key_max(view->pages->page_size);
    uint8_t *bytes = malloc(key_max * (2 * VS_TREE_DEPTH_MAX + 1));
    struct vs_check_walk *walk = calloc(1, sizeof *walk);
    verso_err err = VERSO_OK;
    if (bytes == NULL || walk == NULL) {
        err = vs_fault(VERSO_NOMEM, "no memory for a check");
        goto out;
    }
    walk->view = view;
    walk->tree_id = tree_id;
    walk->check = check;
    walk->path.depth = view->root.depth;
    walk->key_max = key_max;
    walk->low_bytes = bytes;
    walk->high_bytes = bytes + VS_TREE_DEPTH_MAX * key_max;
    walk->key = bytes + key_max * 2 * VS_TREE_DEPTH_MAX;
    err = walk_tree(walk);
    if (err == VERSO_OK) {
        err = check_whole(walk);
    }
out:
    free(walk);
    free(bytes);
    return err;
}
