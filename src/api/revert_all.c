/*
 * revert_all.c - making all trees of a transaction equal to those of a root.
 *
 * Trees are told apart by their numbers: a tree that was renamed since gets its old name back, one
 * that was dropped is made again under its old number and filled. Two trees may have exchanged
 * their names: a tree whose old name another one still has waits under a name that nobody has.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/revert.h"
#include "os/fault.h"

struct revert_all {
    verso_txn *main; /* the default tree's handle */
    struct vs_tree_set *trees;
    const verso_view *root;        /* to which to revert */
    struct vs_tree_view catalogue; /* its trees */
    uint64_t changes;              /* keys put or deleted */
    bool begun;                    /* something was changed */
};

/** A tree by its name in some catalogue. */
struct named {
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name; /* in `bytes` */
    struct vs_tree_record record;
};

/** Step to the tree whose name follows. Begin with an empty name. VERSO_NOT_FOUND: the end. */
static verso_err next(const struct vs_tree_view *catalogue, struct named *named)
{
    struct named last = *named;
    last.name.data = last.bytes;
    return vs_catalogue_next(catalogue, last.name, named->bytes, &named->name, &named->record);
}

static verso_err is_free(const struct vs_tree_view *catalogue, verso_slice name, bool *free)
{
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(catalogue, name, &record);
    *free = err == VERSO_NOT_FOUND;
    return *free ? VERSO_OK : err;
}

/** Drop the trees that the root does not have. */
static verso_err drop_strangers(struct revert_all *revert)
{
    struct named now = {.name = {NULL, 0}};
    for (;;) {
        struct vs_tree_view catalogue = vs_tree_set_catalogue(revert->trees);
        verso_err err = next(&catalogue, &now);
        if (err != VERSO_OK) {
            return err == VERSO_NOT_FOUND ? VERSO_OK : err;
        }
        struct named then;
        err = vs_catalogue_find_number(&revert->catalogue, now.record.number, then.bytes,
                                       &then.name, &then.record);
        if (err == VERSO_NOT_FOUND) {
            const struct vs_named_tree *open = vs_tree_set_find(revert->trees, now.record.number);
            uint64_t keys = open == NULL ? now.record.root.keys : open->edit.root.keys;
            err = verso_tree_drop(revert->main, now.name);
            revert->begun = revert->begun || err == VERSO_OK;
            revert->changes += err == VERSO_OK ? keys : 0;
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
}

/** A name that no tree has, now or in the root. */
static verso_err draw_free_name(struct revert_all *revert, uint64_t number, char text[64])
{
    bool is_drawn = false;
    verso_err err = VERSO_OK;
    for (uint64_t attempt = 0; err == VERSO_OK && !is_drawn; attempt++) {
        struct vs_tree_view catalogue = vs_tree_set_catalogue(revert->trees);
        (void)snprintf(text, 64, "being reverted %" PRIu64 " %" PRIu64, number, attempt);
        err = is_free(&catalogue, verso_text(text), &is_drawn);
        if (err == VERSO_OK && is_drawn) {
            err = is_free(&revert->catalogue, verso_text(text), &is_drawn);
        }
    }
    return err;
}

/** Give a tree that is there its name of then, or one to wait under if another tree has that. */
static verso_err rename_one(struct revert_all *revert, const struct named *then)
{
    struct vs_tree_view catalogue = vs_tree_set_catalogue(revert->trees);
    struct named now;
    verso_err err = vs_catalogue_find_number(&catalogue, then->record.number, now.bytes, &now.name,
                                             &now.record);
    if (err != VERSO_OK) {
        return err == VERSO_NOT_FOUND ? VERSO_OK : err;
    }
    if (now.name.size == then->name.size &&
        memcmp(now.name.data, then->name.data, now.name.size) == 0) {
        return VERSO_OK;
    }
    char text[64];
    bool free = false;
    verso_slice to = then->name;
    err = is_free(&catalogue, to, &free);
    if (err == VERSO_OK && !free) {
        err = draw_free_name(revert, then->record.number, text);
        to = verso_text(text);
    }
    if (err == VERSO_OK) {
        err = verso_tree_rename(revert->main, now.name, to);
        revert->begun = revert->begun || err == VERSO_OK;
    }
    return err;
}

/** Make a tree's content that of then, and the tree itself if it is gone. */
static verso_err revert_one(struct revert_all *revert, const struct named *then)
{
    const struct vs_key_range all = {.has_from = false};
    verso_txn *tree = NULL;
    verso_err err = verso_txn_tree(revert->main, then->name, false, &tree);
    if (err == VERSO_NOT_FOUND) {
        err = vs_txn_create_tree(revert->main, then->name, then->record.number, &tree);
        revert->begun = revert->begun || err == VERSO_OK;
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_view to = revert->catalogue;
    to.root = then->record.root;
    uint64_t changes = 0;
    err = vs_revert_tree(tree, &to, &all, &changes);
    revert->begun = revert->begun || changes > 0;
    revert->changes += changes;
    return err;
}

static verso_err each_tree(struct revert_all *revert,
                           verso_err (*step)(struct revert_all *, const struct named *))
{
    struct named then = {.name = {NULL, 0}};
    for (;;) {
        verso_err err = next(&revert->catalogue, &then);
        if (err != VERSO_OK) {
            return err == VERSO_NOT_FOUND ? VERSO_OK : err;
        }
        err = step(revert, &then);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

static verso_err run(struct revert_all *revert)
{
    const struct vs_key_range all = {.has_from = false};
    verso_err err = drop_strangers(revert);
    for (unsigned pass = 0; pass < 2 && err == VERSO_OK; pass++) {
        err = each_tree(revert, rename_one); /* after the first all names of then are free */
    }
    if (err == VERSO_OK) {
        err = each_tree(revert, revert_one);
    }
    uint64_t changes = 0;
    if (err == VERSO_OK) {
        err = vs_revert_tree(revert->main, &revert->root->tree, &all, &changes);
    }
    revert->changes += changes;
    return err;
}

verso_err verso_revert_all(verso_txn *txn, verso_view *to, uint64_t *changes)
{
    verso_err err = vs_revert_check(txn, to);
    if (err != VERSO_OK) {
        return err;
    }
    const verso_view *root = to->parent != NULL ? to->parent : to;
    struct revert_all revert = {.main = &txn->shared->main,
                                .trees = &txn->shared->trees,
                                .root = root,
                                .catalogue = root->tree};
    revert.catalogue.root = root->record.catalogue;
    err = run(&revert);
    if (err != VERSO_OK) {
        txn->shared->broken = txn->shared->broken || revert.begun;
        return err;
    }
    if (changes != NULL) {
        *changes = revert.changes;
    }
    return VERSO_OK;
}
