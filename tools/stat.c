/*
 * stat.c - print the figures of a store.
 */
#include <inttypes.h>
#include <stdio.h>

#include "message.h"
#include "moment.h"
#include "session.h"
#include "verbs.h"

enum { READERS = 64 }; /* listed at most: the oldest roots come first */

/** A line of the output. */
struct figure {
    const char *name;
    uint64_t number;
};

static int print_figures(const struct figure *figures, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (printf("%s\t%" PRIu64 "\n", figures[i].name, figures[i].number) < 0) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

static int print_stats(const struct session *session)
{
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_stat(session->store, &stats);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: stat", session->path);
    }
    const struct figure figures[] = {
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
        {"keeping_damaged", stats.keeping_damaged},
    };
    return print_figures(figures, sizeof figures / sizeof figures[0]);
}

/** What holds the space of the file. */
static int print_space(const struct session *session)
{
    verso_space_report space = {.size = sizeof space};
    verso_err err = verso_space(session->store, &space);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: what holds space", session->path);
    }
    const struct figure figures[] = {
        {"live_bytes", space.live_bytes},       {"history_bytes", space.history_bytes},
        {"tag_bytes", space.tag_bytes},         {"reader_bytes", space.reader_bytes},
        {"passing_bytes", space.passing_bytes}, {"free_bytes", space.free_bytes},
        {"fixed_bytes", space.fixed_bytes},     {"ahead_bytes", space.ahead_bytes},
    };
    return print_figures(figures, sizeof figures / sizeof figures[0]);
}

/** A line for each open view: root, thread, since when. */
static int print_readers(const struct session *session)
{
    verso_reader_info readers[READERS];
    for (size_t i = 0; i < READERS; i++) {
        readers[i] = (verso_reader_info){.size = sizeof readers[i]};
    }
    size_t count = 0;
    verso_err err = verso_readers(session->store, readers, READERS, &count);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: readers", session->path);
    }
    for (size_t i = 0; i < count && i < READERS; i++) {
        if (printf("reader\t%" PRIu64 "\t%" PRIu64 "\t%s\n", readers[i].root, readers[i].thread,
                   moment_text(readers[i].since_us).text) < 0) {
            return message_system_failed("standard output");
        }
    }
    return ENDS_DONE;
}

static int print(const struct session *session, void *unused)
{
    (void)unused;
    int code = print_stats(session);
    if (code == ENDS_DONE) {
        code = print_space(session);
    }
    return code == ENDS_DONE ? print_readers(session) : code;
}

int verb_stat(struct arguments *arguments)
{
    const struct syntax syntax = {.operands = {"STORE"}};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_READS, print, NULL);
}
