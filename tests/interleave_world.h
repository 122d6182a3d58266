/*
 * interleave_world.h - a small store on a simulated disk, in which scheduled threads meet.
 *
 * Every commit stamps all keys with its own id. So any view tells by its content alone whether it
 * is of one piece and the one that its id names, and a page that was used again under it shows.
 * Whatever is not as it must be is a failure of scheduler_must().
 */
#ifndef VERSO_TESTS_INTERLEAVE_WORLD_H
#define VERSO_TESTS_INTERLEAVE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "simulated_disk.h"
#include "verso.h"

/** What differs between worlds; zero is the usual. */
struct world_kind {
    bool in_memory;
    bool background;
    verso_durability durability;
    uint64_t keep_last; /* roots; 0: all */
    unsigned commits;   /* made beforehand */
    bool checkpointed;  /* these are in the file */
    bool reopened;      /* and nothing of it was read since */
    bool quiet;         /* a commit has no points before its frame goes to the log */
    bool segment_full;  /* more are made until the log has to go on in another segment */
};

struct world {
    struct world_kind kind;
    struct simulated_disk *disk;
    verso_store *store;
    uint64_t tip;                /* newest commit; guarded by the writer lock */
    struct simulated_disk *left; /* what a power cut left */
    uint64_t promised;           /* the root that it must hold, or a newer one */
};

/** A world with its store open. */
struct world *world_open(const struct world_kind *kind);

/** What the threads do. */
void world_open_store(struct world *world);
void world_commit(struct world *world);
/** Commit, and see one's own commit. */
void world_commit_and_look(struct world *world);
/** Take a view of the newest root, look at it twice, give it back. */
void world_look(struct world *world);
/** The same by id, which may be gone already. @return Whether it was there. */
bool world_look_at(struct world *world, uint64_t root);
void world_checkpoint(struct world *world);
/** Ask limbo for frames, and overwrite all that nobody uses. */
void world_overwrite_free_frames(struct world *world);
/** Find out which pages are free, so that the next commit uses them again. */
void world_judge(struct world *world);
/** Commit, take a view or make a checkpoint, then cut the power: the root that was committed, seen or
 *  written must be on the disk that is left. One thread of a world may do one of them, once. */
void world_commit_and_cut_power(struct world *world);
void world_see_and_cut_power(struct world *world);
void world_checkpoint_and_cut_power(struct world *world);
void world_close_store(struct world *world);

/** Look at all that is left: the open store, the same opened anew, what the power cut left. Frees
 *  the world. */
void world_end(struct world *world);

#endif
