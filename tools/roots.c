/*
 * roots.c - list the kept roots.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

enum {
    PAGEFUL = 32,     /* roots fetched at once */
    NOTE_SIZE = 1024, /* longest note */
    SECOND_US = 1000000,
};

/** Print microseconds since 1970 as 2026-01-31T23:59:59.000001Z. */
static bool print_time(int64_t time_us)
{
    int64_t fraction_us = time_us % SECOND_US;
    if (fraction_us < 0) {
        fraction_us += SECOND_US;
    }
    time_t seconds = (time_t)((time_us - fraction_us) / SECOND_US);
    struct tm parts;
    char text[64];
    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        return printf("%" PRId64 "us", time_us) > 0; /* a year beyond what a calendar can hold */
    }
    return printf("%s.%06" PRId64 "Z", text, fraction_us) > 0;
}

static bool print_root(const verso_root_info *root)
{
    return printf("%" PRIu64 "\t", root->id) > 0 && print_time(root->time_us) &&
           printf("\t%" PRIu64 "\t%016" PRIx64 "\t", root->keys, root->fingerprint) > 0 &&
           escape_write(stdout, root->note.data, root->note.size) && putchar('\n') != EOF;
}

static int list(const struct session *session, void *unused)
{
    (void)unused;
    verso_root_info roots[PAGEFUL];
    char notes[PAGEFUL * NOTE_SIZE];
    verso_root_id from = 0;
    size_t count = PAGEFUL;
    while (count == PAGEFUL) {
        for (size_t i = 0; i < PAGEFUL; i++) {
            roots[i] = (verso_root_info){.size = sizeof roots[i]};
        }
        verso_err err = verso_roots(session->store, from, roots, PAGEFUL, notes, &count);
        if (err != VERSO_OK) {
            return message_failed(err, "%s: roots from %" PRIu64 " on", session->path, from);
        }
        for (size_t i = 0; i < count; i++) {
            if (!print_root(&roots[i])) {
                return message_system_failed("standard output");
            }
            from = roots[i].id + 1;
        }
    }
    return ENDS_DONE;
}

int verb_roots(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_READS, list, NULL);
}
