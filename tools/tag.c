/*
 * tag.c - name a root, delete a name, list the names.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "message.h"
#include "moment.h"
#include "session.h"
#include "verbs.h"

/** What the user asked for. */
struct tag {
    verso_slice name;
    struct root_options root;
};

static int list(const struct session *session, void *unused)
{
    (void)unused;
    verso_tag_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    char name[sizeof info.name];
    for (;;) {
        verso_err err = verso_tag_next(session->store, after, &info);
        if (err == VERSO_NOT_FOUND) {
            return ENDS_DONE;
        }
        if (err != VERSO_OK) {
            return message_failed(err, "%s: tags", session->path);
        }
        memcpy(name, info.name, sizeof name);
        after = verso_text(name);
        if (!escape_write(stdout, name, after.size) ||
            printf("\t%" PRIu64 "\t%s\n", info.root, moment_text(info.time_us).text) < 0) {
            return message_system_failed("standard output");
        }
    }
}

static int failed(verso_err err, const struct session *session, const struct tag *tag)
{
    struct brief_text name = escape_brief(tag->name.data, tag->name.size);
    return message_failed(err, "%s: tag '%s'", session->path, name.text);
}

/** Name the root that the view has open: so it cannot go between being found and being named. */
static int set_root(const struct session *session, const struct tag *tag, verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    verso_err err = verso_view_info(view, &info);
    if (err == VERSO_OK) {
        err = verso_tag_set(session->store, tag->name, info.id);
    }
    if (err != VERSO_OK) {
        return failed(err, session, tag);
    }
    struct brief_text name = escape_brief(tag->name.data, tag->name.size);
    (void)printf("root %" PRIu64 ": tagged %s\n", info.id, name.text);
    return ENDS_DONE;
}

static int set(const struct session *session, void *argument)
{
    const struct tag *tag = argument;
    verso_view *view = NULL;
    int code = session_open_view(session, &tag->root, &view);
    if (code == ENDS_DONE) {
        code = set_root(session, tag, view);
        verso_view_close(view);
    }
    return code;
}

static int delete_tag(const struct session *session, void *argument)
{
    const struct tag *tag = argument;
    verso_err err = verso_tag_delete(session->store, tag->name);
    return err == VERSO_OK ? ENDS_DONE : failed(err, session, tag);
}

int verb_tag(struct arguments *arguments)
{
    bool deletes = false;
    struct tag tag = {.name = {NULL, 0}};
    const struct option options[] = {{"delete", OPTION_SWITCH, &deletes}};
    const struct syntax syntax = {.operands = {"STORE", "[NAME]", "[ROOT]"},
                                  .options = options,
                                  .option_count = 1,
                                  .root = &tag.root};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    size_t words = arguments->count;
    bool names_root = words > 2 || root_is_given(&tag.root);
    if (words < 2 && (deletes || names_root)) {
        return message_usage(arguments->verb, "tag needs NAME");
    }
    if ((words > 2 && root_is_given(&tag.root)) || (deletes && names_root)) {
        return message_usage(arguments->verb, deletes ? "tag --delete takes no root"
                                                      : "tag takes one root, not two");
    }
    if (words < 2) {
        return session_run(arguments->words[0], SESSION_READS, list, NULL);
    }
    if (!arguments_name(arguments, 1, "NAME", &tag.name) ||
        (words > 2 && !arguments_root(arguments, 2, "ROOT", &tag.root))) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_CHANGES, deletes ? delete_tag : set, &tag);
}
