/*
 * revert.c - make the content equal to that of an older root, by a new commit.
 */
#include "change.h"
#include "escape.h"
#include "message.h"
#include "verbs.h"

/** What the user asked for. */
struct revert {
    struct root_options root;
    struct range_options range;
};

/** All trees at once, unless a tree or a range was named. */
static verso_err apply(struct change *change, const struct revert *revert, verso_txn *txn,
                       verso_view *to)
{
    if (!change->tree.given && !range_is_given(&revert->range)) {
        return verso_revert_all(txn, to, &change->count);
    }
    verso_range range = range_of(&revert->range);
    return verso_revert(txn, to, &range, &change->count);
}

static int revert(struct change *change, verso_txn *txn, void *argument)
{
    const struct revert *asked = argument;
    verso_view *view = NULL;
    int code = session_open_view(&change->session, &asked->root, &view);
    if (code != ENDS_DONE) {
        return code;
    }
    verso_view *tree = NULL;
    code = session_tree(&change->session, view, &change->tree, &tree);
    if (code == ENDS_DONE) {
        verso_err err = apply(change, asked, txn, tree);
        code = err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: revert", change->path);
    }
    verso_view_close(view);
    return code;
}

int verb_revert(struct arguments *arguments)
{
    struct change change = {.use = SESSION_CHANGES, .counted = "changes"};
    struct revert asked = {0};
    const struct option options[] = {{"note", OPTION_BYTES, &change.note}};
    const struct syntax syntax = {.operands = {"STORE", "[ROOT]"},
                                  .options = options,
                                  .option_count = 1,
                                  .range = &asked.range,
                                  .root = &asked.root,
                                  .tree = &change.tree};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    if ((arguments->count > 1) == root_is_given(&asked.root)) {
        return message_usage(arguments->verb,
                             "revert needs one ROOT, as a word or by --root, --tag or --at");
    }
    if (arguments->count > 1 && !arguments_root(arguments, 1, "ROOT", &asked.root)) {
        return ENDS_USAGE;
    }
    change.path = arguments->words[0];
    change.tree_may_be_new = true; /* a tree that was dropped comes back */
    return change_run(&change, revert, &asked);
}
