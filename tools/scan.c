/*
 * scan.c - print or count the entries of a range.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

enum { BATCH = 256 }; /* entries fetched at once when counting */

/** What the user asked for. */
struct scan {
    struct bytes_option from;
    struct bytes_option to;
    struct bytes_option prefix;
    bool reverse;
    bool count;
    struct number_option limit;
    struct number_option root;
};

static verso_range range_of(const struct scan *scan)
{
    return (verso_range){
        .size = sizeof(verso_range),
        .has_from = scan->from.given,
        .has_to = scan->to.given,
        .has_prefix = scan->prefix.given,
        .from = scan->from.bytes,
        .to = scan->to.bytes,
        .prefix = scan->prefix.bytes,
    };
}

static uint64_t limit_of(const struct scan *scan)
{
    return scan->limit.given ? scan->limit.value : UINT64_MAX;
}

static bool print_entry(const verso_entry *entry)
{
    return escape_write(stdout, entry->key.data, entry->key.size) && putchar('\t') != EOF &&
           escape_write(stdout, entry->value.data, entry->value.size) && putchar('\n') != EOF;
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
        if (!print_entry(&entry)) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

static int count(const struct scan *scan, const char *path, verso_cursor *cursor)
{
    uint64_t limit = limit_of(scan);
    uint64_t counted = 0;
    size_t fetched = BATCH;
    while (fetched == BATCH && counted < limit) {
        verso_entry entries[BATCH];
        verso_err err = verso_cursor_batch(cursor, entries, BATCH, &fetched);
        if (err == VERSO_NOT_FOUND) {
            break;
        }
        if (err != VERSO_OK) {
            return message_failed(err, "%s: scan, after %" PRIu64 " entries", path, counted);
        }
        counted += fetched;
    }
    (void)printf("%" PRIu64 "\n", counted < limit ? counted : limit);
    return ENDS_DONE;
}

static int scan_view(const char *path, verso_view *view, void *argument)
{
    const struct scan *scan = argument;
    verso_range range = range_of(scan);
    verso_cursor *cursor = NULL;
    verso_err err = verso_cursor_open(view, &range, &cursor);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: scan", path);
    }
    int code = scan->count ? count(scan, path, cursor) : print(scan, path, cursor);
    verso_cursor_close(cursor);
    return code;
}

int verb_scan(struct arguments *arguments)
{
    struct scan scan = {0};
    const struct option options[] = {
        {"from", OPTION_BYTES, &scan.from},     {"to", OPTION_BYTES, &scan.to},
        {"prefix", OPTION_BYTES, &scan.prefix}, {"reverse", OPTION_SWITCH, &scan.reverse},
        {"limit", OPTION_NUMBER, &scan.limit},  {"count", OPTION_SWITCH, &scan.count},
        {"root", OPTION_NUMBER, &scan.root},
    };
    const struct syntax syntax = {.operands = {"STORE"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0]};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &scan.root, scan_view, &scan);
}
