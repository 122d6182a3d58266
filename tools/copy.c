/*
 * copy.c - backup, compact: copies of a store.
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
    const char *path; /* of the copy */
    bool newest_only;
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

int verb_backup(struct arguments *arguments)
{
    struct copy copy = {.newest_only = false};
    const struct option options[] = {{"newest", OPTION_SWITCH, &copy.newest_only}};
    const struct syntax syntax = {
        .operands = {"STORE", "DEST"}, .options = options, .option_count = 1};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    copy.path = arguments->words[1];
    return session_run(arguments->words[0], SESSION_READS, copy_roots, &copy);
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
