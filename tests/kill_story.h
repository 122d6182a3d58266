/*
 * kill_story.h - what a process does with a store until it is killed, told step by step into a pipe.
 *
 * Before a step that changes something the child tells what it is about to do, after it what was
 * promised. So whoever reads the pipe knows, at whatever instruction the child died, what must be
 * there and what else may be.
 */
#ifndef VERSO_TESTS_KILL_STORY_H
#define VERSO_TESTS_KILL_STORY_H

#include <stdint.h>

#include "verso.h"

enum {
    KILL_TAGS = 6,          /* names of tags in use */
    KILL_KEEP_LAST_MIN = 5, /* of the policies that a story sets */
    KILL_KEEP_LAST_MAX = 60,
};

/** What a record says. */
enum kill_what {
    KILL_ISSUED = 1,   /* root `id` with `fingerprint` is about to be committed */
    KILL_RETURNED,     /* its commit returned, with no promise yet */
    KILL_SURVIVES,     /* all roots up to `id` were promised to survive a killed process */
    KILL_TAG_TRIED,    /* tag `slot` is about to name root `id`; 0: to be deleted */
    KILL_TAG_DONE,     /* it does, durably */
    KILL_POLICY_TRIED, /* the newest `id` roots are about to be kept */
    KILL_POLICY_DONE,
};

/** One record: small enough for a pipe to take it whole. */
struct kill_record {
    uint32_t what;
    uint32_t slot;
    uint64_t id;
    uint64_t fingerprint;
};

/** What a child is told. */
struct kill_orders {
    const char *path;
    uint64_t seed;
    verso_durability durability;
    int pipe; /* to write records to */
};

/** How child and parent open the store. */
verso_err kill_story_open(const char *path, verso_durability durability, bool read_only,
                          verso_store **store);

/** The name of a tag. */
verso_slice kill_story_tag(unsigned slot);

/** Work until killed. Any error ends the process with code 1, after a line about it on stderr. */
_Noreturn void kill_story_play(const struct kill_orders *orders);

#endif
