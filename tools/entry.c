/*
 * entry.c - put, get, del: the verbs that concern one key.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

/** The one key that the verb concerns. */
struct entry {
    const char *verb;
    verso_slice key;
    verso_slice value; /* put only */
};

static verso_err apply(verso_txn *txn, const struct entry *entry, bool deletes)
{
    return deletes ? verso_delete(txn, entry->key) : verso_put(txn, entry->key, entry->value);
}

/** Change one key in a transaction of its own, and print the root that it made. */
static int change(const struct session *session, const struct entry *entry, bool deletes)
{
    verso_txn *txn = NULL;
    verso_err err = verso_begin(session->store, &txn);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: begin", session->path);
    }
    err = apply(txn, entry, deletes);
    if (err != VERSO_OK) {
        struct brief_text key = escape_brief(entry->key.data, entry->key.size);
        int code = message_failed(err, "%s: %s '%s'", session->path, entry->verb, key.text);
        verso_abort(txn);
        return code;
    }
    verso_root_id root = 0;
    err = verso_commit(txn, NULL, &root);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: commit", session->path);
    }
    (void)printf("root %" PRIu64 "\n", root);
    return ENDS_DONE;
}

static int put(const struct session *session, void *entry)
{
    return change(session, entry, false);
}

static int del(const struct session *session, void *entry)
{
    return change(session, entry, true);
}

static int get(const char *path, verso_view *view, void *argument)
{
    const struct entry *entry = argument;
    verso_slice value;
    verso_err err = verso_get(view, entry->key, &value);
    if (err != VERSO_OK) {
        struct brief_text key = escape_brief(entry->key.data, entry->key.size);
        return message_failed(err, "%s: %s '%s'", path, entry->verb, key.text);
    }
    if (!escape_write(stdout, value.data, value.size) || putchar('\n') == EOF) {
        return message_system_failed("standard output");
    }
    return ENDS_DONE;
}

/** Read the words of the verb into `entry`. @return False after a message to the user. */
static bool read_entry(struct arguments *arguments, const struct syntax *syntax,
                       struct entry *entry)
{
    if (!arguments_read(arguments, syntax)) {
        return false;
    }
    entry->verb = arguments->verb;
    return arguments_bytes(arguments, 1, "KEY", &entry->key);
}

int verb_put(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE", "KEY", "VALUE"}};
    struct entry entry = {0};
    if (!read_entry(arguments, &syntax, &entry) ||
        !arguments_bytes(arguments, 2, "VALUE", &entry.value)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_CREATES, put, &entry);
}

int verb_get(struct arguments *arguments)
{
    struct root_options root = {0};
    const struct syntax syntax = {.operands = {"STORE", "KEY"}, .root = &root};
    struct entry entry = {0};
    if (!read_entry(arguments, &syntax, &entry)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, get, &entry);
}

int verb_del(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE", "KEY"}};
    struct entry entry = {0};
    if (!read_entry(arguments, &syntax, &entry)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_CHANGES, del, &entry);
}
