/*
 * expected_trees.c - named trees as sorted arrays, and the comparison with a root's.
 */
#include "expected_trees.h"

#include <stdio.h>
#include <string.h>

#include "format/fingerprint.h"
#include "format/tree_record.h"
#include "view_compare.h"

static const char *const names[EXPECTED_TREES][2] = {
    {"apples", "quinces"}, {"b", "a tree with a long name"}, {"\x01", "\xFF\xFE"}};

static _Thread_local char fault_text[600];

static const char *fault_of(const char *name, const char *fault)
{
    char copy[300];
    snprintf(copy, sizeof copy, "%s", fault);
    snprintf(fault_text, sizeof fault_text, "tree \"%s\": %s (detail: %s)", name, copy,
             verso_error_detail());
    return fault_text;
}

struct expected_trees expected_trees_copy(const struct expected_trees *trees)
{
    struct expected_trees copy = *trees;
    for (unsigned i = 0; i < EXPECTED_TREES; i++) {
        copy.slot[i].state = tree_state_copy(&trees->slot[i].state);
    }
    return copy;
}

void expected_trees_clear(struct expected_trees *trees)
{
    for (unsigned i = 0; i < EXPECTED_TREES; i++) {
        tree_state_clear(&trees->slot[i].state);
    }
    *trees = (struct expected_trees){.created = 0};
}

static uint64_t fingerprint_of(const struct expected_tree *tree)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < tree->state.count; i++) {
        sum += vs_fingerprint_term(tree->number, tree->state.pairs[i].key,
                                   vs_value_hash(tree->state.pairs[i].value));
    }
    return sum;
}

uint64_t expected_trees_fingerprint(const struct expected_trees *trees)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < EXPECTED_TREES; i++) {
        const struct expected_tree *tree = &trees->slot[i];
        if (tree->name != NULL) {
            sum += fingerprint_of(tree) + vs_tree_name_term(verso_text(tree->name), tree->number);
        }
    }
    return sum;
}

/* ---- changing ---- */

static const char *create(struct expected_trees *trees, struct expected_tree *tree,
                          const char *name, verso_txn *txn)
{
    verso_txn *handle = NULL;
    if (verso_txn_tree(txn, verso_text(name), false, &handle) != VERSO_NOT_FOUND ||
        verso_txn_tree(txn, verso_text(name), true, &handle) != VERSO_OK) {
        return fault_of(name, "was there, or cannot be created");
    }
    tree_state_clear(&tree->state); /* an empty copy has memory too */
    *tree = (struct expected_tree){.name = name, .number = ++trees->created};
    return NULL;
}

static const char *drop(struct expected_tree *tree, verso_txn *txn)
{
    if (verso_tree_drop(txn, verso_text(tree->name)) != VERSO_OK) {
        return fault_of(tree->name, "cannot be dropped");
    }
    tree_state_clear(&tree->state);
    tree->name = NULL;
    return NULL;
}

static const char *rename_tree(struct expected_tree *tree, const char *const both[2],
                               verso_txn *txn)
{
    const char *to = tree->name == both[0] ? both[1] : both[0];
    if (verso_tree_rename(txn, verso_text(tree->name), verso_text(to)) != VERSO_OK) {
        return fault_of(tree->name, "cannot be renamed");
    }
    tree->name = to;
    return NULL;
}

const char *expected_trees_change(struct expected_trees *trees, verso_txn *txn,
                                  struct simulated_random *random, struct expected_tree **tree,
                                  verso_txn **handle)
{
    unsigned place = (unsigned)simulated_random_below(random, EXPECTED_TREES);
    struct expected_tree *one = &trees->slot[place];
    *tree = NULL;
    if (one->name == NULL) {
        const char *name = names[place][simulated_random_below(random, 2)];
        const char *fault = create(trees, one, name, txn);
        if (fault != NULL || simulated_random_below(random, 8) == 0) {
            return fault;
        }
    }
    switch (simulated_random_below(random, 40)) {
    case 0:
    case 1:
        return drop(one, txn);
    case 2:
    case 3:
        return rename_tree(one, names[place], txn);
    default:
        break;
    }
    if (verso_txn_tree(txn, verso_text(one->name), false, handle) != VERSO_OK) {
        return fault_of(one->name, "cannot be opened in the transaction");
    }
    *tree = one;
    return NULL;
}

/* ---- comparing ---- */

static const char *compare_tree(const struct expected_tree *tree, verso_view *view,
                                struct simulated_random *random)
{
    verso_view *seen = NULL;
    verso_err err = verso_view_tree(view, verso_text(tree->name), &seen);
    verso_root_info info = {.size = sizeof info};
    if (err != VERSO_OK || verso_view_info(seen, &info) != VERSO_OK) {
        return fault_of(tree->name, "cannot be opened or described");
    }
    if (info.keys != tree->state.count || info.fingerprint != fingerprint_of(tree)) {
        return fault_of(tree->name, "another number of keys, or fingerprint");
    }
    const char *fault = view_compare_all(seen, &tree->state, random);
    return fault == NULL ? NULL : fault_of(tree->name, fault);
}

static bool is_expected(const struct expected_trees *trees, const verso_tree_info *info)
{
    for (unsigned i = 0; i < EXPECTED_TREES; i++) {
        const struct expected_tree *tree = &trees->slot[i];
        if (tree->name != NULL && strcmp(tree->name, info->name) == 0) {
            return info->keys == tree->state.count && info->fingerprint == fingerprint_of(tree);
        }
    }
    return false;
}

static const char *compare_list(const struct expected_trees *trees, unsigned count,
                                verso_view *view)
{
    verso_tree_info info = {.size = sizeof info};
    char after[VERSO_NAME_MAX + 1] = "";
    for (unsigned listed = 0;; listed++) {
        verso_err err = verso_tree_next(view, verso_text(after), &info);
        if (err == VERSO_NOT_FOUND) {
            return listed == count ? NULL : fault_of(after, "is the last of too few");
        }
        if (err != VERSO_OK || strcmp(info.name, after) <= 0 || !is_expected(trees, &info)) {
            return fault_of(info.name, "is listed, or what follows cannot be");
        }
        strcpy(after, info.name);
    }
}

const char *expected_trees_compare(const struct expected_trees *trees, verso_view *view,
                                   struct simulated_random *random)
{
    unsigned count = 0;
    for (unsigned i = 0; i < EXPECTED_TREES; i++) {
        if (trees->slot[i].name != NULL) {
            count++;
            const char *fault = compare_tree(&trees->slot[i], view, random);
            if (fault != NULL) {
                return fault;
            }
        }
    }
    return compare_list(trees, count, view);
}
