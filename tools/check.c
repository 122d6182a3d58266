/*
 * check.c - prove a store, or report its first fault.
 */
#include <inttypes.h>
#include <stdio.h>

#include "message.h"
#include "session.h"
#include "verbs.h"

/** Say where the fault lies, as far as it lies in one place, and why it is one. */
static int report_fault(const struct session *session, const verso_check_report *report)
{
    char root[32] = "";
    char page[32] = "";
    if (report->bad_root != 0) {
        (void)snprintf(root, sizeof root, "root %" PRIu64 ": ", report->bad_root);
    }
    if (report->bad_page != 0) {
        (void)snprintf(page, sizeof page, "page %" PRIu32 ": ", report->bad_page);
    }
    message("%s: fault: %s%s%s", session->path, root, page, report->fault);
    return ENDS_NOT_FOUND;
}

static int check(const struct session *session, void *unused)
{
    (void)unused;
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(session->store, &report);
    if (err == VERSO_CORRUPT && report.fault[0] != '\0') {
        return report_fault(session, &report);
    }
    if (err != VERSO_OK) {
        int code = message_failed(err, "%s: check", session->path);
        return err == VERSO_CORRUPT ? ENDS_NOT_FOUND : code;
    }
    (void)printf("ok: %" PRIu64 " roots, %" PRIu64 " pages, %" PRIu64 " keys in the newest root",
                 report.roots, report.pages, report.keys);
    if (report.underfull > 0) {
        (void)printf(", %" PRIu64 " pages under a quarter full", report.underfull);
    }
    (void)putchar('\n');
    return ENDS_DONE;
}

int verb_check(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_CHECKS, check, NULL);
}
