/*
 * count.c - count, nth, rank: what the key counts in the tree tell without a scan.
 */
#include <inttypes.h>
#include <stdio.h>

#include "escape.h"
#include "message.h"
#include "session.h"
#include "verbs.h"

static int count(const char *path, verso_view *view, void *argument)
{
    verso_range range = range_of(argument);
    uint64_t keys = 0;
    verso_err err = verso_count(view, &range, &keys);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: count", path);
    }
    (void)printf("%" PRIu64 "\n", keys);
    return ENDS_DONE;
}

static int nth(const char *path, verso_view *view, void *argument)
{
    const uint64_t *number = argument;
    verso_entry entry;
    verso_err err = verso_nth(view, *number, &entry);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: the entry with %" PRIu64 " keys below it", path, *number);
    }
    if (!escape_write_entry(stdout, &entry)) {
        return message_system_failed("standard output");
    }
    return ENDS_DONE;
}

static int rank(const char *path, verso_view *view, void *argument)
{
    const verso_slice *key = argument;
    uint64_t below = 0;
    verso_err err = verso_rank(view, *key, &below);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: rank", path);
    }
    (void)printf("%" PRIu64 "\n", below);
    return ENDS_DONE;
}

int verb_count(struct arguments *arguments)
{
    struct range_options range = {0};
    struct root_options root = {0};
    struct bytes_option tree = {0};
    const struct syntax syntax = {
        .operands = {"STORE"}, .range = &range, .root = &root, .tree = &tree};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, &tree, count, &range);
}

int verb_nth(struct arguments *arguments)
{
    struct root_options root = {0};
    struct bytes_option tree = {0};
    const struct syntax syntax = {.operands = {"STORE", "N"}, .root = &root, .tree = &tree};
    uint64_t number = 0;
    if (!arguments_read(arguments, &syntax) || !arguments_number(arguments, 1, "N", &number)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, &tree, nth, &number);
}

int verb_rank(struct arguments *arguments)
{
    struct root_options root = {0};
    struct bytes_option tree = {0};
    const struct syntax syntax = {.operands = {"STORE", "KEY"}, .root = &root, .tree = &tree};
    verso_slice key;
    if (!arguments_read(arguments, &syntax) || !arguments_bytes(arguments, 1, "KEY", &key)) {
        return ENDS_USAGE;
    }
    return session_run_in_root(arguments->words[0], &root, &tree, rank, &key);
}
