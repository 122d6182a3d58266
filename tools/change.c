/*
 * change.c - one transaction of a verb; see change.h.
 */
#include "change.h"

#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"

/** The transaction's handle of the tree that is meant. */
static int open_tree(const struct change *change, verso_txn *txn, verso_txn **tree)
{
    *tree = txn;
    if (!change->tree.given) {
        return ENDS_DONE;
    }
    verso_slice name = change->tree.bytes;
    verso_err err = verso_txn_tree(txn, name, change->tree_may_be_new, tree);
    struct brief_text text = escape_brief(name.data, name.size);
    return err == VERSO_OK ? ENDS_DONE
                           : message_failed(err, "%s: tree '%s'", change->path, text.text);
}

static int commit(const struct change *change, verso_txn *txn)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = change->note.bytes;
    verso_root_id root = 0;
    verso_err err = verso_commit(txn, &options, &root);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: commit", change->path);
    }
    (void)printf("root %" PRIu64, root);
    if (change->counted != NULL) {
        (void)printf(": %" PRIu64 " %s", change->count, change->counted);
    }
    (void)putchar('\n');
    return ENDS_DONE;
}

static int run(struct change *change,
               int (*work)(struct change *change, verso_txn *txn, void *argument), void *argument)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(change->session.store, &txn);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: begin", change->path);
    }
    verso_txn *tree = NULL;
    int code = open_tree(change, txn, &tree);
    if (code == ENDS_DONE) {
        code = work(change, tree, argument);
    }
    if (code != ENDS_DONE) {
        verso_abort(txn);
        return code;
    }
    return commit(change, txn);
}

int change_run(struct change *change,
               int (*work)(struct change *change, verso_txn *txn, void *argument), void *argument)
{
    int code = session_open(&change->session, change->path, change->use, 0);
    if (code != ENDS_DONE) {
        return code;
    }
    return session_close(&change->session, run(change, work, argument));
}
