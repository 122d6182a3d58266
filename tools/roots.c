/*
 * roots.c - list the kept roots.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "moment.h"
#include "session.h"
#include "verbs.h"

enum {
    PAGEFUL = 32,     /* roots fetched at once */
    NOTE_SIZE = 1024, /* longest note */
};

static bool print_root(const verso_root_info *root)
{
    bool done = printf("%" PRIu64 "\t%s\t%" PRIu64 "\t%016" PRIx64 "\t", root->id,
                       moment_text(root->time_us).text, root->keys, root->fingerprint) > 0 &&
                escape_write(stdout, root->note.data, root->note.size);
    return done && putchar('\n') != EOF;
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
