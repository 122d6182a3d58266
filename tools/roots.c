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
    COSTS = 1024,     /* fetched at once: each call reads the whole page table */
};

/** What roots cost, a pageful at a time. */
struct costs {
    bool wanted;
    verso_root_cost cost[COSTS];
    size_t count;
    size_t at;
};

/** Print a root's line; with its cost, unless that is NULL. */
static bool print_root(const verso_root_info *root, const verso_root_cost *cost)
{
    bool done = printf("%" PRIu64 "\t%s\t%" PRIu64 "\t%016" PRIx64 "\t", root->id,
                       moment_text(root->time_us).text, root->keys, root->fingerprint) > 0 &&
                escape_write(stdout, root->note.data, root->note.size);
    if (cost != NULL) {
        done = done && printf("\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, cost->own_bytes,
                              cost->before_bytes, cost->after_bytes) > 0;
    }
    return done && putchar('\n') != EOF;
}

/** What `root` costs; the costs of a pageful are fetched when its first root is asked for. */
static int find_cost(const struct session *session, struct costs *costs, verso_root_id root,
                     const verso_root_cost **cost)
{
    while (costs->at < costs->count && costs->cost[costs->at].root < root) {
        costs->at++;
    }
    if (costs->at == costs->count) {
        for (size_t i = 0; i < COSTS; i++) {
            costs->cost[i] = (verso_root_cost){.size = sizeof costs->cost[i]};
        }
        costs->at = 0;
        verso_err err = verso_root_costs(session->store, root, costs->cost, COSTS, &costs->count);
        if (err != VERSO_OK) {
            return message_failed(err, "%s: costs from root %" PRIu64 " on", session->path, root);
        }
    }
    *cost = &costs->cost[costs->at];
    return ENDS_DONE;
}

static int list(const struct session *session, void *argument)
{
    struct costs *costs = argument;
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
            const verso_root_cost *cost = NULL;
            int code = costs->wanted ? find_cost(session, costs, roots[i].id, &cost) : ENDS_DONE;
            if (code != ENDS_DONE) {
                return code;
            }
            if (!print_root(&roots[i], cost)) {
                return message_system_failed("standard output");
            }
            from = roots[i].id + 1;
        }
    }
    return ENDS_DONE;
}

int verb_roots(struct arguments *arguments)
{
    struct costs costs = {.wanted = false};
    const struct option options[] = {{"cost", OPTION_SWITCH, &costs.wanted}};
    const struct syntax syntax = {.operands = {"STORE"}, .options = options, .option_count = 1};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run(arguments->words[0], SESSION_READS, list, &costs);
}
