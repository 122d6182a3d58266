/*
 * seed_stores.h - small real stores on simulated disks, always the same bytes.
 */
#ifndef VERSO_TESTS_FUZZ_SEED_STORES_H
#define VERSO_TESTS_FUZZ_SEED_STORES_H

#include <stddef.h>

#include "simulated_disk.h"
#include "verso.h"

#define SEED_STORE_PATH "store"
#define SEED_INCREMENT_PATH "increment"

/** What a store went through. */
enum seed_story {
    SEED_EMPTY,    /* made and closed */
    SEED_SMALL,    /* a leaf, a few roots with notes */
    SEED_VERSIONS, /* two levels, many roots, links that fill up, deletions */
    SEED_LONG,     /* long values, shared and overwritten */
    SEED_TREES,    /* named trees, some of them dropped, tags, a policy */
    SEED_DEEP,     /* long keys, three levels and more; a tree that is not yet taken apart */
    SEED_KEPT,     /* roots enough for a history of two levels, tags, classes, a budget */
    SEED_STORIES
};

/** Play the story on a new disk and close the store: only its file is there. */
struct simulated_disk *seed_store_closed(enum seed_story story, size_t page_size);

/** Play the story on a new disk up to its last commit, and cut the power: the log is needed. */
struct simulated_disk *seed_store_crashed(enum seed_story story, size_t page_size);

/** A store and an increment to it, each on a disk of its own. */
struct seed_increment {
    struct simulated_disk *base;      /* SEED_STORE_PATH */
    struct simulated_disk *increment; /* SEED_INCREMENT_PATH */
};

struct seed_increment seed_increment_make(size_t page_size);

/** Open the store on its disk; of an existing one any page size (0). */
verso_store *seed_store_open(struct simulated_disk *disk, size_t page_size);

#endif
