/*
 * history.c - the values that a key has had, newest first.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "moment.h"
#include "session.h"
#include "verbs.h"

/** What the user asked for. */
struct asked {
    verso_slice key;
    struct number_option limit;
};

/** Print root, time, note, and `put` with the value or `del`. */
static bool print_version(const verso_key_version *version)
{
    bool done =
        printf("%" PRIu64 "\t%s\t", version->root, moment_text(version->time_us).text) > 0 &&
        escape_write(stdout, version->note.data, version->note.size);
    if (version->deleted) {
        return done && printf("\tdel\n") > 0;
    }
    return done && printf("\tput\t") > 0 &&
           escape_write(stdout, version->value.data, version->value.size) && putchar('\n') != EOF;
}

static int walk(const char *path, verso_history *history, const struct asked *asked)
{
    struct brief_text key = escape_brief(asked->key.data, asked->key.size);
    for (uint64_t printed = 0; !asked->limit.given || printed < asked->limit.value; printed++) {
        verso_key_version version = {.size = sizeof version};
        verso_err err = verso_history_next(history, &version);
        if (err == VERSO_NOT_FOUND && printed == 0) {
            message("%s: no kept root up to this one has had a key '%s'", path, key.text);
            return ENDS_NOT_FOUND;
        }
        if (err == VERSO_NOT_FOUND) {
            break;
        }
        if (err != VERSO_OK) {
            return message_failed(err, "%s: history of '%s'", path, key.text);
        }
        if (!print_version(&version)) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

static int history(const char *path, verso_view *view, void *argument)
{
    const struct asked *asked = argument;
    verso_history *walked = NULL;
    verso_err err = verso_history_open(view, asked->key, &walked);
    if (err != VERSO_OK) {
        struct brief_text key = escape_brief(asked->key.data, asked->key.size);
        return message_failed(err, "%s: history of '%s'", path, key.text);
    }
    int code = walk(path, walked, asked);
    verso_history_close(walked);
    return code;
}

int verb_history(struct arguments *arguments)
{
    struct asked asked = {.limit = {false, 0}};
    struct root_options root = {0};
    struct bytes_option tree = {0};
    const struct option options[] = {{"limit", OPTION_NUMBER, &asked.limit}};
    const struct syntax syntax = {.operands = {"STORE", "KEY"},
                                  .options = options,
                                  .option_count = 1,
                                  .root = &root,
                                  .tree = &tree};
    if (!arguments_read(arguments, &syntax) || !arguments_bytes(arguments, 1, "KEY", &asked.key)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, &tree, history, &asked);
}
