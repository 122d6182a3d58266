/*
 * checkpoint_parts.h - a checkpoint under way, between checkpoint.c, which leads it, and its parts.
 */
#ifndef VERSO_STORE_CHECKPOINT_PARTS_H
#define VERSO_STORE_CHECKPOINT_PARTS_H

#include "store/store.h"

enum { VS_JOINED_PAGES_BYTES = 128 * 1024 }; /* neighbouring pages go out in one write */

struct vs_checkpoint {
    struct vs_store *store;
    struct vs_meta meta;         /* as it will be */
    struct vs_version_set roots; /* that it names */
    struct vs_version_set kept;  /* what has to be written, readers' versions included */
    bool full_sync;
    uint32_t tail_block; /* the first block of a tail given up; UINT32_MAX: none */
    uint32_t *blocks;
    size_t block_count;
    uint64_t *entries;        /* of those blocks */
    struct vs_vacated *moved; /* to be written, or written */
    size_t moved_count;
    size_t moved_capacity; /* enough: nothing after the freeze may fail for want of memory */
    size_t unwritten;      /* moved[unwritten ..] wait to be joined */
    uint8_t *joined;       /* VS_JOINED_PAGES_BYTES */
};

/* ---- checkpoint_freeze.c: the writer lock is held ---- */

/**
 * Fix what the checkpoint is to write and what its metas will say: the state of `root`, which is the
 * tip or becomes it. If this fails nothing has been begun.
 */
verso_err vs_checkpoint_freeze(struct vs_checkpoint *checkpoint, const struct vs_root_record *root,
                               bool clean);

/**
 * Enter the roots since the last checkpoint into the history tree of the coming generation.
 *
 * @param checkpoint  Gets its memory while that can still be undone; NULL: there is none.
 */
verso_err vs_checkpoint_enter_history(struct vs_store *store, struct vs_checkpoint *checkpoint,
                                      uint64_t version);

/** Say what checkpoint is under way: whose versions must stay. NULL: none. */
void vs_checkpoint_set_frozen(struct vs_store *store, const struct vs_version_set *kept);

/* ---- checkpoint_write.c: no lock is held ---- */

/** Write and sync what was frozen, then both metas. */
verso_err vs_checkpoint_write(struct vs_checkpoint *checkpoint);

#endif
