/*
 * diff.c - what changed between two roots: a line a key, or the sums.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

/** What the user asked for. */
struct diff {
    struct root_options from;
    struct root_options to;
    struct range_options range;
    struct bytes_option tree;
    bool summary;
};

static const char signs[] = {
    [VERSO_CHANGE_ADDED] = '+', [VERSO_CHANGE_REMOVED] = '-', [VERSO_CHANGE_CHANGED] = '~'};

/** Print +key TAB new, -key TAB old, or ~key TAB old TAB new. */
static bool print_change(const verso_change *change)
{
    bool done = putchar(signs[change->kind]) != EOF &&
                escape_write(stdout, change->key.data, change->key.size);
    if (change->kind != VERSO_CHANGE_ADDED) {
        done = done && putchar('\t') != EOF &&
               escape_write(stdout, change->old_value.data, change->old_value.size);
    }
    if (change->kind != VERSO_CHANGE_REMOVED) {
        done = done && putchar('\t') != EOF &&
               escape_write(stdout, change->new_value.data, change->new_value.size);
    }
    return done && putchar('\n') != EOF;
}

static int walk(const struct session *session, const struct diff *diff, verso_diff *changes)
{
    uint64_t counts[VERSO_CHANGE_CHANGED + 1] = {0};
    verso_change change;
    verso_err err = verso_diff_next(changes, &change);
    for (; err == VERSO_OK; err = verso_diff_next(changes, &change)) {
        counts[change.kind]++;
        if (!diff->summary && !print_change(&change)) {
            return message_system_failed("standard output");
        }
    }
    if (err != VERSO_NOT_FOUND) {
        return message_failed(err, "%s: diff", session->path);
    }
    if (diff->summary) {
        (void)printf("added\t%" PRIu64 "\nremoved\t%" PRIu64 "\nchanged\t%" PRIu64
                     "\npages_visited\t%" PRIu64 "\n",
                     counts[VERSO_CHANGE_ADDED], counts[VERSO_CHANGE_REMOVED],
                     counts[VERSO_CHANGE_CHANGED], verso_diff_pages(changes));
    }
    return ENDS_DONE;
}

/** The tree of one of the two roots: NULL where it does not have it. */
static int find_tree(const struct session *session, const struct diff *diff, verso_view *view,
                     verso_view **tree)
{
    *tree = view;
    if (!diff->tree.given) {
        return ENDS_DONE;
    }
    verso_err err = verso_view_tree(view, diff->tree.bytes, tree);
    if (err == VERSO_NOT_FOUND) {
        *tree = NULL;
        return ENDS_DONE;
    }
    return err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: diff", session->path);
}

static int compare(const struct session *session, const struct diff *diff, verso_view *from,
                   verso_view *to)
{
    verso_view *from_tree = NULL;
    verso_view *to_tree = NULL;
    int code = find_tree(session, diff, from, &from_tree);
    if (code == ENDS_DONE) {
        code = find_tree(session, diff, to, &to_tree);
    }
    if (code == ENDS_DONE && from_tree == NULL && to_tree == NULL) { /* neither has it */
        code = session_tree(session, to, &diff->tree, &to_tree);
    }
    if (code != ENDS_DONE) {
        return code;
    }
    verso_range range = range_of(&diff->range);
    verso_diff *changes = NULL;
    verso_err err = verso_diff_open(from_tree, to_tree, &range, &changes);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: diff", session->path);
    }
    code = walk(session, diff, changes);
    verso_diff_close(changes);
    return code;
}

static int open_both(const struct session *session, void *argument)
{
    const struct diff *diff = argument;
    verso_view *from = NULL;
    verso_view *to = NULL;
    int code = session_open_view(session, &diff->from, &from);
    if (code != ENDS_DONE) {
        return code;
    }
    code = session_open_view(session, &diff->to, &to);
    if (code == ENDS_DONE) {
        code = compare(session, diff, from, to);
        verso_view_close(to);
    }
    verso_view_close(from);
    return code;
}

int verb_diff(struct arguments *arguments)
{
    struct diff diff = {.summary = false};
    const struct option options[] = {{"summary", OPTION_SWITCH, &diff.summary}};
    const struct syntax syntax = {.operands = {"STORE", "A", "B"},
                                  .options = options,
                                  .option_count = 1,
                                  .range = &diff.range,
                                  .tree = &diff.tree};
    if (!arguments_read(arguments, &syntax) || !arguments_root(arguments, 1, "A", &diff.from) ||
        !arguments_root(arguments, 2, "B", &diff.to)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_READS, open_both, &diff);
}
