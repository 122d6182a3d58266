/*
 * crash_script.h - one fixed story of a store, short enough to be stopped at each of its changes to
 * the disk, and the proof that what such a stop left can be opened and worked with.
 *
 * The story: commits of few keys and of many, alone and in groups; long values; checkpoints; log
 * segments that come round; a transaction too long for the log; growth; roots dropped and all kept;
 * deletes down to the empty tree; an abort; a view held open over checkpoints; named trees, filled,
 * cut, dropped and renamed; a clean close and a second life. A second story is one of history (crash_scenes.h), a third one of the log:
 * groups, frames that run on into the next segment, segments that come round or are removed, a large
 * tree that is taken apart by later commits.
 */
#ifndef VERSO_TESTS_CRASH_SCRIPT_H
#define VERSO_TESTS_CRASH_SCRIPT_H

#include "expected_roots.h"
#include "simulated_disk.h"

#define CRASH_SCRIPT_PATH "store"

enum { CRASH_SCRIPT_VALUE_MAX = 40 * 1024 };

enum crash_story {
    CRASH_STORY_OF_DATA = 0,
    CRASH_STORY_OF_HISTORY,
    CRASH_STORY_OF_THE_LOG,
};

struct crash_script {
    struct simulated_disk *disk;
    verso_store *store;          /* NULL between two lives */
    verso_view *view;            /* NULL: none is open */
    struct expected_roots roots; /* versions issued so far */
    uint64_t durable;            /* versions promised to survive */
    uint64_t moment;             /* of the story: goes up whenever more is expected or promised */
    enum crash_story story;
    struct simulated_random random;
    verso_err err;                         /* the first that a call of the story returned */
    uint8_t value[CRASH_SCRIPT_VALUE_MAX]; /* the script's own: a hook may play another meanwhile */
};

void crash_script_init(struct crash_script *script, uint64_t seed);
void crash_script_clear(struct crash_script *script);

/**
 * Play the story to its end or to the first error. After an error the store may still be open.
 * The disk's hook, set by the caller, sees what is issued and durable at each moment.
 */
verso_err crash_script_play(struct crash_script *script);

/** How the story opens its store, on whatever disk. */
verso_err crash_script_open(struct simulated_disk *disk, verso_store **store);

/* What scenes are made of. */

/** A key by its number. */
verso_slice crash_script_key(unsigned number, char *key, size_t size);

/** The newest root is a checkpoint's, if there was one: at the begin of a transaction or setting, or
 *  instead of the log. */
void crash_script_note_checkpoint(struct crash_script *script);

/** Begin a transaction, in the store and in what is expected. */
verso_err crash_script_begin(struct crash_script *script, verso_txn **txn);

/** Put a value of `size` bytes, or delete (0), in a tree that `roots.working` stands for. */
verso_err crash_script_change(struct crash_script *script, verso_txn *txn, unsigned number,
                              size_t size);

/** Commit. */
verso_err crash_script_end(struct crash_script *script, verso_txn *txn, bool asynchronous);

/** Put `count` keys [from, from + count) with values of `size` bytes, in one transaction of its
 * own. */
verso_err crash_script_commit(struct crash_script *script, unsigned from, unsigned count,
                              size_t size, bool asynchronous);

/**
 * The disk that a power cut left: open, compare with the versions [least, issued], commit once
 * more, close, open again, compare. The disk is used up.
 *
 * @param[out] recovered  The version found; may be NULL.
 * @return NULL, or what went wrong.
 */
const char *crash_script_judge(const struct expected_roots *roots, struct simulated_disk *left,
                               uint64_t least, uint64_t *recovered);

/** The same by expected_compare_recovered_swiftly(); `seed` draws the root compared entirely. */
const char *crash_script_judge_swiftly(const struct expected_roots *roots,
                                       struct simulated_disk *left, uint64_t least, uint64_t seed,
                                       uint64_t *recovered);

#endif
