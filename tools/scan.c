/*
 * scan.c - print or count the entries of a range.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

/** What the user asked for. */
struct scan {
    struct range_options range;
    struct root_options root;
    struct bytes_option tree;
    bool reverse;
    bool count;
    struct number_option limit;
};

static uint64_t limit_of(const struct scan *scan)
{
    return scan->limit.given ? scan->limit.value : UINT64_MAX;
}

static int print(const struct scan *scan, const char *path, verso_cursor *cursor)
{
    uint64_t limit = limit_of(scan);
    for (uint64_t printed = 0; printed < limit; printed++) {
        verso_entry entry;
        verso_err err = scan->reverse ? verso_cursor_previous(cursor, &entry)
                                      : verso_cursor_next(cursor, &entry);
        if (err == VERSO_NOT_FOUND) {
            break;
        }
        if (err != VERSO_OK) {
            return message_failed(err, "%s: scan, after %" PRIu64 " entries", path, printed);
        }
        if (!escape_write_entry(stdout, &entry)) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

static int count(const struct scan *scan, const char *path, verso_view *view,
                 const verso_range *range)
{
    uint64_t counted = 0;
    verso_err err = verso_count(view, range, &counted);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: count", path);
    }
    uint64_t limit = limit_of(scan);
    (void)printf("%" PRIu64 "\n", counted < limit ? counted : limit);
    return ENDS_DONE;
}

static int scan_view(const char *path, verso_view *view, void *argument)
{
    const struct scan *scan = argument;
    verso_range range = range_of(&scan->range);
    if (scan->count) {
        return count(scan, path, view, &range);
    }
    verso_cursor *cursor = NULL;
    verso_err err = verso_cursor_open(view, &range, &cursor);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: scan", path);
    }
    int code = print(scan, path, cursor);
    verso_cursor_close(cursor);
    return code;
}

int verb_scan(struct arguments *arguments)
{
    struct scan scan = {.reverse = false};
    const struct option options[] = {{"reverse", OPTION_SWITCH, &scan.reverse},
                                     {"limit", OPTION_NUMBER, &scan.limit},
                                     {"count", OPTION_SWITCH, &scan.count}};
    const struct syntax syntax = {.operands = {"STORE"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0],
                                  .range = &scan.range,
                                  .root = &scan.root,
                                  .tree = &scan.tree};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &scan.root, &scan.tree, scan_view, &scan);
}
