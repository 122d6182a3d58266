/*
 * copy.h - a new store file with chosen roots of a store, written while others read and write.
 *
 * The chosen roots are pinned, so that their pages stay as they are. Their trees are walked from
 * the oldest root to the newest, each page once: a page that two roots share is shared in the copy.
 *
 * Threads: any; a copy is one thread's.
 */
#ifndef VERSO_HISTORY_COPY_H
#define VERSO_HISTORY_COPY_H

#include "store/store.h"

/** A root to be copied, pinned. */
struct vs_copied_root {
    struct vs_root_record record; /* its note is owned */
    uint32_t slot;
};

/** The roots to be copied, oldest first, and what else the copy takes from the store's meta. */
struct vs_copy_roots {
    struct vs_store *store;
    struct vs_copied_root *root;
    size_t count;
    size_t capacity;
    uint8_t uuid[16];
    uint64_t epoch;
    verso_retention retention;
    struct vs_tags tags; /* on these roots */
};

/** Which roots. */
struct vs_copy_choice {
    const verso_root_id *ids; /* ascending; the newest published one is added */
    size_t count;
    bool all;       /* every kept root; `ids` does not count */
    uint64_t since; /* not 0: this one, and every kept root after it; nothing else counts */
};

/**
 * Pin the chosen roots.
 *
 * @param[out] roots  Release them, whatever is returned. No root at all: an empty store.
 * @retval VERSO_GONE, VERSO_NOT_FOUND  A chosen root is not kept, or never existed.
 * @retval VERSO_LIMIT  There are more than readers can pin.
 */
verso_err vs_copy_choose(struct vs_store *store, const struct vs_copy_choice *choice,
                         struct vs_copy_roots *roots);
void vs_copy_release(struct vs_copy_roots *roots);

/** What was written. */
struct vs_copy_figures {
    uint64_t roots;
    uint64_t pages;
    uint64_t bytes;
    uint64_t newest; /* root */
};

/** Write the copy into an empty file, and sync it. VERSO_NOSPC, VERSO_IO, VERSO_CORRUPT,
 *  VERSO_NOMEM, VERSO_LIMIT. */
verso_err vs_copy_write(const struct vs_copy_roots *roots, struct vs_file *file,
                        struct vs_copy_figures *figures);

#endif
