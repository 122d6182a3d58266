/*
 * salvage.c - get out of a damaged store what can still be read.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "message.h"
#include "verbs.h"

static bool write_bytes(const void *bytes, size_t size)
{
    return putchar('\t') != EOF && escape_write(stdout, bytes, size);
}

/** One line for each loss: kind, tree, from, to, keys, page, reason. Output that fails is noticed when
 *  the command ends. */
static void print_loss(void *unused, const verso_salvage_loss *loss)
{
    (void)unused;
    const char *tree = loss->tree == NULL ? "" : loss->tree;
    bool written =
        fputs(loss->tree == NULL ? "lost_names" : "lost", stdout) != EOF &&
        write_bytes(tree, strlen(tree)) &&
        write_bytes(loss->from.data, loss->has_from ? loss->from.size : 0) &&
        write_bytes(loss->to.data, loss->has_to ? loss->to.size : 0) &&
        printf("\t%" PRIu64 "\t%" PRIu32 "\t%s\n", loss->keys, loss->page, loss->reason) > 0;
    (void)written;
}

static void say_what_is_missing(const char *path, const verso_salvage_report *report)
{
    if (report->log_damaged) {
        message("%s: commits after root %" PRIu64 " are lost: %s", path, report->root,
                report->log_fault);
    }
    if (report->losses > 0 || report->skipped_operations > 0) {
        message("%s: damaged: %" PRIu64 " ranges of keys are lost, at least %" PRIu64
                " keys; %" PRIu64 " changes of the log met nothing",
                path, report->losses, report->missing_keys, report->skipped_operations);
    } else if (!report->log_damaged) {
        message("%s: damaged: the fingerprint is not that of root %" PRIu64, path, report->root);
    }
}

int verb_salvage(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE", "NEW"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    const char *path = arguments->words[0];
    const char *to = arguments->words[1];
    verso_salvage_options options = {.size = sizeof options, .lost = print_loss};
    verso_salvage_report report = {.size = sizeof report};
    verso_err err = verso_salvage(path, to, &options, &report);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: salvage into %s", path, to);
    }
    (void)printf("%s: root %" PRIu64 ", %" PRIu64 " keys, %" PRIu64 " named trees, %" PRIu64
                 " commits of the log%s\n",
                 to, report.root, report.keys, report.trees, report.log_roots,
                 report.whole ? ", whole" : "");
    if (report.whole) {
        return ENDS_DONE;
    }
    say_what_is_missing(path, &report);
    return ENDS_NOT_FOUND;
}
