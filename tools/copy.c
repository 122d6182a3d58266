/*
 * copy.c - backup, compact, apply: copies of a store, and increments to them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "root_list.h"
#include "session.h"
#include "verbs.h"

/** What the user asked for. */
struct copy {
    const char *path; /* of the copy, or of the increment */
    bool newest_only;
    struct root_options since;
    struct root_list roots; /* none: all kept ones */
};

static int report_copy(const struct copy *copy, verso_err err, const verso_copy_report *report)
{
    if (err != VERSO_OK) {
        return message_failed(err, "%s", copy->path);
    }
    (void)printf("%s: newest root %" PRIu64 ", %" PRIu64 " roots, %" PRIu64 " pages, %" PRIu64
                 " bytes\n",
                 copy->path, report->newest, report->roots, report->pages, report->bytes);
    return ENDS_DONE;
}

static int copy_roots(const struct session *session, void *argument)
{
    const struct copy *copy = argument;
    struct root_ids ids = {NULL, 0, 0};
    int code = root_list_find(session, &copy->roots, &ids);
    if (code != ENDS_DONE) {
        return code;
    }
    verso_copy_options options = {.size = sizeof options,
                                  .newest_only = copy->newest_only,
                                  .roots = ids.ids,
                                  .root_count = ids.count};
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(session->store, copy->path, &options, &report);
    free(ids.ids);
    return report_copy(copy, err, &report);
}

/** The root stays open, so that it is kept until the increment is written. */
static int copy_since(const struct session *session, void *argument)
{
    const struct copy *copy = argument;
    verso_view *view = NULL;
    int code = session_open_view(session, &copy->since, &view);
    if (code != ENDS_DONE) {
        return code;
    }
    verso_root_info info = {.size = sizeof info};
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_view_info(view, &info);
    if (err == VERSO_OK) {
        err = verso_copy_since(session->store, info.id, copy->path, &report);
    }
    code = report_copy(copy, err, &report);
    verso_view_close(view);
    return code;
}

static int apply(const struct session *session, void *argument)
{
    const struct copy *copy = argument;
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy_apply(session->store, copy->path, &report);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: apply %s", session->path, copy->path);
    }
    (void)printf("root %" PRIu64 ": %" PRIu64 " roots applied\n", report.newest, report.roots);
    return ENDS_DONE;
}

int verb_backup(struct arguments *arguments)
{
    struct copy copy = {.newest_only = false};
    char *since = NULL;
    const struct option options[] = {{"newest", OPTION_SWITCH, &copy.newest_only},
                                     {"since", OPTION_WORD, &since}};
    const struct syntax syntax = {.operands = {"STORE", "DEST"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0]};
    if (!arguments_read(arguments, &syntax) ||
        (since != NULL && !arguments_root_word(arguments, "--since", since, &copy.since))) {
        return ENDS_USAGE;
    }
    if (copy.newest_only && since != NULL) {
        return message_usage(arguments->verb, "--newest and --since exclude each other");
    }
    copy.path = arguments->words[1];
    return session_run(arguments->words[0], SESSION_READS, since != NULL ? copy_since : copy_roots,
                       &copy);
}

int verb_compact(struct arguments *arguments)
{
    struct copy copy = {.newest_only = false};
    char *roots = NULL;
    const struct option options[] = {{"newest", OPTION_SWITCH, &copy.newest_only},
                                     {"roots", OPTION_WORD, &roots}};
    const struct syntax syntax = {.operands = {"STORE", "DEST"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0]};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    if (copy.newest_only && roots != NULL) {
        return message_usage(arguments->verb, "--newest and --roots exclude each other");
    }
    if (roots != NULL && !root_list_read(arguments, "--roots", roots, &copy.roots)) {
        return ENDS_USAGE;
    }
    copy.path = arguments->words[1];
    int code = session_run(arguments->words[0], SESSION_READS, copy_roots, &copy);
    root_list_clear(&copy.roots);
    return code;
}

int verb_apply(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE", "INCREMENT"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    struct copy copy = {.path = arguments->words[1]};
    return session_run(arguments->words[0], SESSION_CHANGES, apply, &copy);
}
