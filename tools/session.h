/*
 * session.h - the store, and the root in it, that a verb works on.
 *
 * Each function says on standard error what failed, and returns the exit code that goes with it
 * (message.h).
 */
#ifndef VERSO_TOOLS_SESSION_H
#define VERSO_TOOLS_SESSION_H

#include "arguments.h"
#include "verso.h"

/** What a verb does with its store. */
enum session_use {
    SESSION_READS,
    SESSION_CHECKS, /* reads; a store too damaged to be opened is a fault found: ENDS_NOT_FOUND */
    SESSION_CHANGES,
    SESSION_CREATES, /* changes, and creates the store if there is none */
};

/** An open store with its path. */
struct session {
    const char *path;
    verso_store *store;
};

/**
 * Open the store at `path`; close it with session_close().
 *
 * @param keep  A store that is created keeps this many roots; 0: as is the default.
 */
int session_open(struct session *session, const char *path, enum session_use use, uint64_t keep);

/** Close the store. @return `code`, or that of the failed closing if `code` is ENDS_DONE. */
int session_close(struct session *session, int code);

/** Open the store, do `work` with it, close it. */
int session_run(const char *path, enum session_use use,
                int (*work)(const struct session *session, void *argument), void *argument);

/** Open the root that the options name, or the newest; close it with verso_view_close(). */
int session_open_view(const struct session *session, const struct root_options *root,
                      verso_view **view);

/** The named tree of a view, or the view itself if `name` is NULL or not given. */
int session_tree(const struct session *session, verso_view *view, const struct bytes_option *name,
                 verso_view **tree);

/** Open the store, the root that the options name and the tree in it; do `work`; close. */
int session_run_in_root(const char *path, const struct root_options *root,
                        const struct bytes_option *tree,
                        int (*work)(const char *path, verso_view *view, void *argument),
                        void *argument);

#endif
