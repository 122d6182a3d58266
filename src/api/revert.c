/*
 * revert.c - making a transaction's tree equal to that of a root, by applying their difference.
 *
 * Applying a change moves the tree under the walk that finds the changes. So they are gathered in
 * batches of bounded memory; after each the walk begins again behind the batch's last key, which
 * costs two descents.
 */
#include "api/revert.h"

#include <stdlib.h>
#include <string.h>

#include "api/range.h"
#include "history/difference.h"
#include "os/fault.h"

enum {
    BATCH_CHANGES = 512,
    BATCH_KEY_BYTES = 64 * 1024, /* and room for one longest key */
};

/** Changes found and not applied yet. */
struct batch {
    verso_entry put[BATCH_CHANGES]; /* values lie in pages of the root, or in `joined` */
    size_t puts;
    verso_slice delete[BATCH_CHANGES];
    size_t deletes;
    struct vs_value_buffer joined; /* of one value: it ends its batch */
    bool full;
    size_t key_bytes;
    uint8_t keys[];
};

struct revert {
    verso_txn *txn;
    const struct vs_tree_view *to;
    struct vs_difference *walk;
    struct batch *batch;
    uint64_t applied;
};

static verso_slice keep_key(struct batch *batch, verso_slice key)
{
    uint8_t *copy = batch->keys + batch->key_bytes;
    if (key.size > 0) {
        memcpy(copy, key.data, key.size);
    }
    batch->key_bytes += key.size;
    return (verso_slice){copy, key.size};
}

static verso_err enter(struct revert *revert, const struct vs_difference_change *change)
{
    struct batch *batch = revert->batch;
    verso_slice key = keep_key(batch, change->key);
    if (change->kind == VERSO_CHANGE_REMOVED) {
        batch->delete[batch->deletes++] = key;
    } else {
        verso_slice value;
        verso_err err = vs_value_bytes(revert->to->pages, &change->after, &batch->joined, &value);
        if (err != VERSO_OK) {
            return err;
        }
        batch->put[batch->puts++] = (verso_entry){key, value};
        batch->full = value.size > 0 && value.data == batch->joined.bytes;
    }
    batch->full = batch->full || batch->puts + batch->deletes == BATCH_CHANGES ||
                  batch->key_bytes > BATCH_KEY_BYTES;
    return VERSO_OK;
}

/* Find the next changes. VERSO_NOT_FOUND: the batch has the last ones. */
static verso_err gather(struct revert *revert)
{
    struct batch *batch = revert->batch;
    batch->puts = 0;
    batch->deletes = 0;
    batch->key_bytes = 0;
    batch->full = false;
    verso_err err = VERSO_OK;
    while (err == VERSO_OK && !batch->full) {
        struct vs_difference_change change;
        err = vs_difference_next(revert->walk, &change);
        if (err == VERSO_OK) {
            err = enter(revert, &change);
        }
    }
    return err;
}

static verso_err apply(struct revert *revert)
{
    struct batch *batch = revert->batch;
    verso_err err = verso_put_sorted(revert->txn, batch->put, batch->puts);
    revert->applied += err == VERSO_OK ? batch->puts : 0;
    for (size_t i = 0; i < batch->deletes && err == VERSO_OK; i++) {
        err = verso_delete(revert->txn, batch->delete[i]);
        revert->applied += err == VERSO_OK;
    }
    return err;
}

static verso_err run(struct revert *revert)
{
    for (;;) {
        verso_err found = gather(revert);
        if (found != VERSO_OK && found != VERSO_NOT_FOUND) {
            return found;
        }
        verso_err err = apply(revert);
        if (err != VERSO_OK || found == VERSO_NOT_FOUND) {
            return err;
        }
        struct vs_tree_view now = vs_tree_edit_view(revert->txn->edit);
        vs_difference_restart(revert->walk, &now, revert->to);
    }
}

verso_err vs_revert_tree(verso_txn *txn, const struct vs_tree_view *to,
                         const struct vs_key_range *range, uint64_t *changes)
{
    size_t key_max = vs_leaf_key_max(to->pages->page_size);
    struct revert revert = {.txn = txn, .to = to};
    revert.batch = malloc(sizeof *revert.batch + BATCH_KEY_BYTES + key_max);
    if (revert.batch == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a revert");
    }
    revert.batch->joined = (struct vs_value_buffer){0};
    struct vs_tree_view now = vs_tree_edit_view(txn->edit);
    verso_err err = vs_difference_open(&now, to, range, &revert.walk);
    if (err == VERSO_OK) {
        err = run(&revert);
    }
    vs_difference_close(revert.walk);
    vs_value_buffer_clear(&revert.batch->joined);
    free(revert.batch);
    if (err != VERSO_OK) {
        txn->shared->broken = txn->shared->broken || revert.applied > 0;
        return err;
    }
    if (changes != NULL) {
        *changes = revert.applied;
    }
    return VERSO_OK;
}

verso_err vs_revert_check(const verso_txn *txn, const verso_view *to)
{
    verso_err err = vs_txn_check(txn);
    if (err != VERSO_OK) {
        return err;
    }
    if (to == NULL) {
        return vs_fault(VERSO_INVALID, "revert: the view is NULL");
    }
    if (to->owner != txn->shared->owner) {
        return vs_fault(VERSO_INVALID, "revert: the view is of another store");
    }
    if (to->txn != NULL) {
        return vs_fault(VERSO_INVALID, "revert: the view is a transaction's; give a root's");
    }
    return VERSO_OK;
}

verso_err verso_revert(verso_txn *txn, verso_view *to, const verso_range *given, uint64_t *changes)
{
    verso_err err = vs_revert_check(txn, to);
    struct vs_range range;
    if (err == VERSO_OK) {
        err = vs_range_read(given, &range);
    }
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_revert_tree(txn, &to->tree, &range.keys, changes);
    vs_range_clear(&range);
    return err;
}
