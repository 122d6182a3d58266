/*
 * entry.c - put, get, del: the verbs that concern one key; del takes a range as well.
 */
#include <stdio.h>

#include "change.h"
#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

/** What the verb concerns. */
struct entry {
    const char *verb;
    verso_slice key;
    verso_slice value; /* put only */
    verso_range range; /* del of a range only */
};

static int key_failed(verso_err err, const char *path, const struct entry *entry)
{
    struct brief_text key = escape_brief(entry->key.data, entry->key.size);
    return message_failed(err, "%s: %s '%s'", path, entry->verb, key.text);
}

static int put(struct change *change, verso_txn *txn, void *argument)
{
    const struct entry *entry = argument;
    verso_err err = verso_put(txn, entry->key, entry->value);
    return err == VERSO_OK ? ENDS_DONE : key_failed(err, change->path, entry);
}

static int del(struct change *change, verso_txn *txn, void *argument)
{
    const struct entry *entry = argument;
    verso_err err = verso_delete(txn, entry->key);
    return err == VERSO_OK ? ENDS_DONE : key_failed(err, change->path, entry);
}

static int del_range(struct change *change, verso_txn *txn, void *argument)
{
    const struct entry *entry = argument;
    verso_err err = verso_delete_range(txn, &entry->range, &change->count);
    return err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: del of a range", change->path);
}

static int get(const char *path, verso_view *view, void *argument)
{
    const struct entry *entry = argument;
    verso_slice value;
    verso_err err = verso_get(view, entry->key, &value);
    if (err != VERSO_OK) {
        return key_failed(err, path, entry);
    }
    if (!escape_write(stdout, value.data, value.size) || putchar('\n') == EOF) {
        return message_system_failed("standard output");
    }
    return ENDS_DONE;
}

int verb_put(struct arguments *arguments)
{
    struct change change = {.use = SESSION_CREATES, .tree_may_be_new = true};
    const struct option options[] = {{"note", OPTION_BYTES, &change.note}};
    const struct syntax syntax = {.operands = {"STORE", "KEY", "VALUE"},
                                  .options = options,
                                  .option_count = 1,
                                  .tree = &change.tree};
    struct entry entry = {.verb = arguments->verb};
    if (!arguments_read(arguments, &syntax) || !arguments_bytes(arguments, 1, "KEY", &entry.key) ||
        !arguments_bytes(arguments, 2, "VALUE", &entry.value)) {
        return ENDS_USAGE;
    }
    change.path = arguments->words[0];
    return change_run(&change, put, &entry);
}

int verb_get(struct arguments *arguments)
{
    struct root_options root = {0};
    struct bytes_option tree = {0};
    const struct syntax syntax = {.operands = {"STORE", "KEY"}, .root = &root, .tree = &tree};
    struct entry entry = {.verb = arguments->verb};
    if (!arguments_read(arguments, &syntax) || !arguments_bytes(arguments, 1, "KEY", &entry.key)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, &tree, get, &entry);
}

int verb_del(struct arguments *arguments)
{
    struct change change = {.use = SESSION_CHANGES};
    struct range_options range = {0};
    const struct option options[] = {{"note", OPTION_BYTES, &change.note}};
    const struct syntax syntax = {.operands = {"STORE", "[KEY]"},
                                  .options = options,
                                  .option_count = 1,
                                  .range = &range,
                                  .tree = &change.tree};
    struct entry entry = {.verb = arguments->verb};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    bool one = arguments->count > 1;
    if (one == range_is_given(&range)) {
        return message_usage(arguments->verb,
                             "del needs either KEY, or a range by --from, --to or --prefix");
    }
    if (one && !arguments_bytes(arguments, 1, "KEY", &entry.key)) {
        return ENDS_USAGE;
    }
    entry.range = range_of(&range);
    change.path = arguments->words[0];
    change.counted = one ? NULL : "keys deleted";
    return change_run(&change, one ? del : del_range, &entry);
}
