/*
 * session.c - open and close the store of a verb.
 */
#include "session.h"

#include <inttypes.h>

#include "escape.h"
#include "message.h"
#include "moment.h"

static bool is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING;
}

/* What was opened is less than what should be there. */
static void warn_of_damage(const struct session *session)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(session->store, &stats) == VERSO_OK && stats.keeping_damaged) {
        message("%s: warning: damaged: its tags cannot be read, and perhaps not all of its roots",
                session->path);
    }
}

int session_open(struct session *session, const char *path, enum session_use use, uint64_t keep)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = use == SESSION_READS || use == SESSION_CHECKS;
    options.create = use == SESSION_CREATES;
    options.guard_reads = options.read_only; /* a bad sector is a message, not a signal */
    verso_retention retention = verso_keep_last(keep);
    options.retention = keep == 0 ? NULL : &retention;

    session->path = path;
    session->store = NULL;
    verso_err err = verso_open(path, &options, &session->store);
    if (err != VERSO_OK) {
        int code = message_failed(err, "%s: cannot be opened", path);
        if (is_damage(err)) {
            message("what can still be read of it: verso salvage %s NEW", path);
        }
        return use == SESSION_CHECKS && is_damage(err) ? ENDS_NOT_FOUND : code;
    }
    warn_of_damage(session);
    return ENDS_DONE;
}

int session_close(struct session *session, int code)
{
    verso_err err = verso_close(session->store);
    session->store = NULL;
    if (err != VERSO_OK) {
        int failed = message_failed(err, "%s: cannot be closed cleanly", session->path);
        return code == ENDS_DONE ? failed : code;
    }
    return code;
}

int session_run(const char *path, enum session_use use,
                int (*work)(const struct session *session, void *argument), void *argument)
{
    struct session session;
    int code = session_open(&session, path, use, 0);
    if (code != ENDS_DONE) {
        return code;
    }
    return session_close(&session, work(&session, argument));
}

int session_open_view(const struct session *session, const struct root_options *root,
                      verso_view **view)
{
    const char *path = session->path;
    verso_err err;
    if (root->root.given) {
        err = verso_view_open_root(session->store, root->root.value, view);
        return err == VERSO_OK ? ENDS_DONE
                               : message_failed(err, "%s: root %" PRIu64, path, root->root.value);
    }
    if (root->tag.given) {
        err = verso_view_open_tag(session->store, root->tag.bytes, view);
        struct brief_text tag = escape_brief(root->tag.bytes.data, root->tag.bytes.size);
        return err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: tag '%s'", path, tag.text);
    }
    if (root->at.given) {
        err = verso_view_open_at(session->store, root->at.time_us, view);
        struct moment_text time = moment_text(root->at.time_us);
        return err == VERSO_OK ? ENDS_DONE
                               : message_failed(err, "%s: a root at or before %s", path, time.text);
    }
    err = verso_view_open(session->store, view);
    return err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: newest root", path);
}

int session_tree(const struct session *session, verso_view *view, const struct bytes_option *name,
                 verso_view **tree)
{
    *tree = view;
    if (name == NULL || !name->given) {
        return ENDS_DONE;
    }
    verso_err err = verso_view_tree(view, name->bytes, tree);
    struct brief_text text = escape_brief(name->bytes.data, name->bytes.size);
    return err == VERSO_OK ? ENDS_DONE
                           : message_failed(err, "%s: tree '%s'", session->path, text.text);
}

int session_run_in_root(const char *path, const struct root_options *root,
                        const struct bytes_option *tree_name,
                        int (*work)(const char *path, verso_view *view, void *argument),
                        void *argument)
{
    struct session session;
    int code = session_open(&session, path, SESSION_READS, 0);
    if (code != ENDS_DONE) {
        return code;
    }
    verso_view *view = NULL;
    verso_view *tree = NULL;
    code = session_open_view(&session, root, &view);
    if (code == ENDS_DONE) {
        code = session_tree(&session, view, tree_name, &tree);
        code = code == ENDS_DONE ? work(path, tree, argument) : code;
        verso_view_close(view);
    }
    return session_close(&session, code);
}
