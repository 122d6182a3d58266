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
 * The walk ends on any input: levels fall by one, and as bounds narrow strictly no page with two
 * children or a key can be met twice.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/fingerprint.h"
#include "format/key_order.h"
#include "os/fault.h"
#include "tree/path.h"
#include "tree/value.h"

/** A bound of the keys below a page. */
struct bound {
    bool is_set; /* else there is none on this side */
    verso_slice key;
};

struct walk {
    const struct vs_tree_view *view;
    uint64_t tree_id;
    struct vs_tree_check *check;
    struct vs_path path;
    struct bound low[VS_TREE_DEPTH_MAX];  /* of the path's page at each level, inclusive */
    struct bound high[VS_TREE_DEPTH_MAX]; /* exclusive */
    uint64_t keys[VS_TREE_DEPTH_MAX];     /* counted so far below the path's page at each level */
    vs_page_no last_leaf;                 /* 0: none yet */
    uint8_t *low_bytes;                   /* key_max bytes a level */
    uint8_t *high_bytes;
    uint8_t *key;
    size_t key_max;
};

/** Report the first fault. */
static verso_err fault_at(struct walk *walk, vs_page_no page, const char *text)
{
    walk->check->bad_page = page;
    (void)snprintf(walk->check->fault, sizeof walk->check->fault, "%s", text);
    return vs_fault(VERSO_CORRUPT, "page %u: %s", page, text);
}

/** Take over a fault that a lower floor has found and described. */
static verso_err pass_on(struct walk *walk, vs_page_no page, verso_err err)
{
    if (err == VERSO_CORRUPT && walk->check->fault[0] == '\0') {
        walk->check->bad_page = page;
        (void)snprintf(walk->check->fault, sizeof walk->check->fault, "%s", vs_fault_detail());
    }
    return err;
}

/** A page that belongs to the tree: alive, and not met before as far as the caller knows. */
static verso_err check_reached(struct walk *walk, vs_page_no page, enum vs_page_kind kind)
{
    bool alive = false;
    verso_err err = vs_page_is_alive(walk->view->pages, page, walk->view->version, &alive);
    if (err != VERSO_OK) {
        return pass_on(walk, page, err);
    }
    if (!alive) {
        return fault_at(walk, page, "reached, but not alive in this version");
    }
    if (walk->check->visit == NULL) {
        return VERSO_OK;
    }
    const char *text = walk->check->visit(walk->check->argument, page, kind);
    return text == NULL ? VERSO_OK : fault_at(walk, page, text);
}

/** Read the page that the path names at `level`, prove its structure, and start on its first
 * entry. */
static verso_err enter_page(struct walk *walk, unsigned level)
{
    struct vs_path_step *step = &walk->path.level[level];
    size_t page_size = walk->view->pages->page_size;
    verso_err err = check_reached(walk, step->page, level == 0 ? VS_KIND_LEAF : VS_KIND_BRANCH);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_path_read(walk->view->pages, step->page, level, &step->bytes);
    if (err != VERSO_OK) {
        return pass_on(walk, step->page, err);
    }
    const char *text = level == 0 ? vs_leaf_check(step->bytes, page_size)
                                  : vs_branch_check(step->bytes, page_size);
    if (text != NULL) {
        return fault_at(walk, step->page, text);
    }
    if (vs_page_birth(step->bytes) > walk->view->version) {
        return fault_at(walk, step->page, "its header has a birth after this version");
    }
    bool underfull = level == 0 ? vs_leaf_is_underfull(step->bytes, page_size)
                                : vs_branch_is_underfull(step->bytes, page_size);
    walk->check->underfull += underfull && level + 1 < walk->path.depth;
    walk->check->leaves += level == 0;
    walk->check->branches += level > 0;
    walk->keys[level] = 0;
    step->index = 0;
    return VERSO_OK;
}

/** Are a branch's own separators within its bounds? They ascend: vs_branch_check(). */
static verso_err check_separators(struct walk *walk, unsigned level)
{
    const struct vs_path_step *step = &walk->path.level[level];
    unsigned count = vs_page_count(step->bytes);
    if (count == 1) {
        return VERSO_OK;
    }
    verso_slice first = {walk->key, vs_branch_separator(step->bytes, 1, walk->key)};
    if (walk->low[level].is_set && vs_key_compare(first, walk->low[level].key) <= 0) {
        return fault_at(walk, step->page, "its first separator is not above its lower bound");
    }
    verso_slice last = {walk->key, vs_branch_separator(step->bytes, count - 1, walk->key)};
    if (walk->high[level].is_set && vs_key_compare(last, walk->high[level].key) >= 0) {
        return fault_at(walk, step->page, "its last separator is not below its upper bound");
    }
    return VERSO_OK;
}

/** Name the path's next child at `level` - 1 and note its bounds. */
static void name_child(struct walk *walk, unsigned level)
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
        walk->low[below] = (struct bound){true, {bytes, size}};
    }
    if (index + 1 < vs_page_count(step->bytes)) {
        uint8_t *bytes = walk->high_bytes + below * walk->key_max;
        size_t size = vs_branch_separator(step->bytes, index + 1, bytes);
        walk->high[below] = (struct bound){true, {bytes, size}};
    }
}

/** The hash of what a run really holds. */
static verso_err hash_run(struct walk *walk, const struct vs_run_ref *run, uint64_t *hash)
{
    const uint8_t *bytes = NULL;
    verso_err err = vs_run_borrow(walk->view->pages, run, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    if (bytes != NULL) {
        *hash = vs_value_hash((verso_slice){bytes, run->length});
        return VERSO_OK;
    }
    uint8_t *copy = malloc(run->length);
    if (copy == NULL) {
        return vs_fault_text(VERSO_NOMEM, "no memory for a check");
    }
    err = vs_run_copy(walk->view->pages, run, 0, copy, run->length);
    if (err == VERSO_OK) {
        *hash = vs_value_hash((verso_slice){copy, run->length});
    }
    free(copy);
    return err;
}

/** Prove the pages of a long value. @param[out] hash  Of its content. */
static verso_err check_run(struct walk *walk, vs_page_no leaf, struct vs_payload payload,
                           uint64_t *hash)
{
    struct vs_run_ref run;
    verso_err err = vs_value_run_ref(walk->view->pages, leaf, payload, &run);
    if (err != VERSO_OK) {
        return pass_on(walk, leaf, err);
    }
    for (unsigned i = 0; i < run.extents; i++) {
        for (uint32_t at = 0; at < run.extent[i].pages; at++) {
            err = check_reached(walk, run.extent[i].page + at, VS_KIND_RUN);
            if (err != VERSO_OK) {
                return err;
            }
        }
    }
    err = hash_run(walk, &run, hash);
    if (err != VERSO_OK) {
        return pass_on(walk, run.extent[0].page, err);
    }
    return *hash == run.hash ? VERSO_OK
                             : fault_at(walk, leaf, "a long value does not have its hash");
}

/** Add the leaf's pairs to the sums. */
static verso_err sum_cells(struct walk *walk, const struct vs_path_step *leaf)
{
    unsigned count = vs_page_count(leaf->bytes);
    for (unsigned i = 0; i < count; i++) {
        verso_slice key = {walk->key, vs_leaf_key(leaf->bytes, i, walk->key)};
        struct vs_payload payload = vs_leaf_payload(leaf->bytes, i);
        uint64_t hash = 0;
        if (payload.is_run) {
            verso_err err = check_run(walk, leaf->page, payload, &hash);
            if (err != VERSO_OK) {
                return err;
            }
        } else {
            hash = vs_value_hash((verso_slice){payload.bytes, payload.size});
        }
        walk->check->fingerprint += vs_fingerprint_term(walk->tree_id, key, hash);
    }
    walk->check->keys += count;
    walk->keys[0] = count;
    return VERSO_OK;
}

/** Does the chain lead from the leaf before to this page (0: to its end)? */
static verso_err check_link(struct walk *walk, vs_page_no page)
{
    if (walk->last_leaf == 0) {
        return VERSO_OK;
    }
    vs_page_no next = 0;
    verso_err err =
        vs_page_next_leaf(walk->view->pages, walk->last_leaf, walk->view->version, &next);
    if (err != VERSO_OK) {
        return pass_on(walk, walk->last_leaf, err);
    }
    if (next == page) {
        return VERSO_OK;
    }
    char text[100];
    (void)snprintf(text, sizeof text, "linked to page %u, but the branches name page %u", next,
                   page);
    return fault_at(walk, walk->last_leaf, text);
}

/** Prove the leaf that was entered. */
static verso_err check_leaf(struct walk *walk)
{
    const struct vs_path_step *leaf = &walk->path.level[0];
    verso_err err = check_link(walk, leaf->page);
    if (err != VERSO_OK) {
        return err;
    }
    /* bounds ascend from leaf to leaf, so keys within them ascend along the chain */
    const struct bound *low = &walk->low[0];
    const struct bound *high = &walk->high[0];
    unsigned last = vs_page_count(leaf->bytes) - 1;
    if (low->is_set && vs_leaf_compare(leaf->bytes, 0, low->key) < 0) {
        return fault_at(walk, leaf->page, "its first key is below its separator");
    }
    if (high->is_set && vs_leaf_compare(leaf->bytes, last, high->key) >= 0) {
        return fault_at(walk, leaf->page, "its last key is not below the next separator");
    }
    walk->last_leaf = leaf->page;
    return sum_cells(walk, leaf);
}

/** A page at `level` is done: hold its keys against what is said of it, and go on above. */
static verso_err leave_page(struct walk *walk, unsigned level)
{
    uint64_t counted = walk->keys[level];
    const struct vs_path_step *step = &walk->path.level[level];
    uint64_t said = walk->view->root.keys;
    if (level + 1 < walk->path.depth) {
        struct vs_path_step *parent = &walk->path.level[level + 1];
        said = vs_branch_keys(parent->bytes, parent->index);
        walk->keys[level + 1] += counted;
        parent->index++;
    }
    if (said == counted) {
        return VERSO_OK;
    }
    char text[100];
    (void)snprintf(text, sizeof text, "%llu keys below it, but %llu are counted above it",
                   (unsigned long long)counted, (unsigned long long)said);
    return fault_at(walk, step->page, text);
}

/** Visit all pages, depth first. */
static verso_err walk_tree(struct walk *walk)
{
    unsigned level = walk->path.depth - 1;
    walk->path.level[level].page = walk->view->root.page;
    verso_err err = enter_page(walk, level);
    while (err == VERSO_OK) {
        struct vs_path_step *step = &walk->path.level[level];
        bool done = level == 0 || step->index == vs_page_count(step->bytes);
        if (level == 0) {
            err = check_leaf(walk);
        } else if (step->index == 0) {
            err = check_separators(walk, level);
        }
        if (err != VERSO_OK) {
            break;
        }
        if (done) {
            err = leave_page(walk, level);
            if (++level == walk->path.depth) {
                break;
            }
        } else {
            name_child(walk, level);
            level--;
            err = enter_page(walk, level);
        }
    }
    return err != VERSO_OK ? err : check_link(walk, 0);
}

verso_err vs_tree_check(const struct vs_tree_view *view, uint64_t tree_id,
                        struct vs_tree_check *check)
{
    check->keys = 0;
    check->fingerprint = 0;
    check->leaves = 0;
    check->branches = 0;
    check->underfull = 0;
    check->bad_page = 0;
    check->fault[0] = '\0';
    verso_err err = vs_path_check_root(&view->root);
    if (err == VERSO_OK && view->root.depth == 0 && view->root.keys != 0) {
        err = vs_fault(VERSO_CORRUPT, "an empty tree with %llu keys counted",
                       (unsigned long long)view->root.keys);
    }
    if (err != VERSO_OK) {
        (void)snprintf(check->fault, sizeof check->fault, "%s", vs_fault_detail());
        return err;
    }
    if (view->root.depth == 0) {
        return VERSO_OK;
    }
    size_t key_max = vs_leaf_key_max(view->pages->page_size);
    uint8_t *bytes = malloc(key_max * (2 * VS_TREE_DEPTH_MAX + 1));
    struct walk *walk = calloc(1, sizeof *walk);
    if (bytes == NULL || walk == NULL) {
        err = VERSO_NOMEM;
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
out:
    free(walk);
    free(bytes);
    return err;
}
