/*
 * trees.c - list the named trees of a root; drop or rename one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

/** What shall become of a tree. */
struct fate {
    verso_slice name;
    verso_slice new_name; /* rename only */
};

static int list(const char *path, verso_view *view, void *unused)
{
    (void)unused;
    verso_tree_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    char name[sizeof info.name];
    for (;;) {
        verso_err err = verso_tree_next(view, after, &info);
        if (err == VERSO_NOT_FOUND) {
            return ENDS_DONE;
        }
        if (err != VERSO_OK) {
            return message_failed(err, "%s: trees", path);
        }
        memcpy(name, info.name, sizeof name);
        after = verso_text(name);
        if (!escape_write(stdout, name, after.size) ||
            printf("\t%" PRIu64 "\t%016" PRIx64 "\t%" PRIu32 "\n", info.keys, info.fingerprint,
                   info.depth) < 0) {
            return message_system_failed("standard output");
        }
    }
}

static int failed(verso_err err, const struct change *change, const struct fate *fate)
{
    struct brief_text name = escape_brief(fate->name.data, fate->name.size);
    return message_failed(err, "%s: tree '%s'", change->path, name.text);
}

static int drop(struct change *change, verso_txn *txn, void *argument)
{
    const struct fate *fate = argument;
    verso_err err = verso_tree_drop(txn, fate->name);
    return err == VERSO_OK ? ENDS_DONE : failed(err, change, fate);
}

static int rename_tree(struct change *change, verso_txn *txn, void *argument)
{
    const struct fate *fate = argument;
    verso_err err = verso_tree_rename(txn, fate->name, fate->new_name);
    return err == VERSO_OK ? ENDS_DONE : failed(err, change, fate);
}

int verb_trees(struct arguments *arguments)
{
    struct bytes_option dropped = {0};
    struct bytes_option renamed = {0};
    struct root_options root = {0};
    struct change change = {.use = SESSION_CHANGES};
    const struct option options[] = {{"drop", OPTION_NAME, &dropped},
                                     {"rename", OPTION_NAME, &renamed},
                                     {"note", OPTION_BYTES, &change.note}};
    const struct syntax syntax = {.operands = {"STORE", "[NEW]"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0],
                                  .root = &root};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    if (dropped.given + renamed.given + root_is_given(&root) > 1) {
        return message_usage(arguments->verb, "trees lists, drops or renames, one at a time");
    }
    if (renamed.given != (arguments->count > 1)) {
        return message_usage(arguments->verb, renamed.given ? "--rename OLD needs NEW"
                                                            : "only --rename OLD takes NEW");
    }
    struct fate fate = {.name = dropped.given ? dropped.bytes : renamed.bytes};
    if (renamed.given && !arguments_name(arguments, 1, "NEW", &fate.new_name)) {
        return ENDS_USAGE;
    }
    change.path = arguments->words[0];
    if (dropped.given || renamed.given) {
        return change_run(&change, dropped.given ? drop : rename_tree, &fate);
    }
    return session_run_in_root(arguments->words[0], &root, NULL, list, NULL);
}
