/*
 * stat.c - print the figures of a store.
 */
#include <inttypes.h>
#include <stdio.h>

#include "message.h"
#include "session.h"
#include "verbs.h"

static int print(const struct session *session, void *unused)
{
    (void)unused;
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(session->store, &stats);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: stat", session->path);
    }
    const struct {
        const char *name;
        uint64_t number;
    } figures[] = {
        {"page_size", stats.page_size},
        {"newest_root", stats.published},
        {"oldest_root", stats.oldest},
        {"kept_roots", stats.kept_roots},
        {"keys", stats.keys},
        {"depth", stats.depth},
        {"file_bytes", stats.file_bytes},
        {"used_pages", stats.used_pages},
        {"free_pages", stats.free_pages},
        {"log_bytes", stats.log_bytes},
        {"meta_damaged", stats.meta_damaged},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        if (printf("%s\t%" PRIu64 "\n", figures[i].name, figures[i].number) < 0) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

int verb_stat(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_READS, print, NULL);
}
