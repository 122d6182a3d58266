/*
 * simulated_names.h - the names of the simulated disk, and the operations on them that no sync
 * covers.
 *
 * Threads: the disk's mutex guards all of it.
 */
#ifndef VERSO_TESTS_SIMULATED_NAMES_H
#define VERSO_TESTS_SIMULATED_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "simulated_disk.h"
#include "simulated_file.h"
#include "simulated_random.h"

enum { SIMULATED_UNSYNCED_MAX = 4096 }; /* operations on names; beyond it the oldest is durable */

struct simulated_name {
    char path[SIMULATED_PATH_SIZE];
    struct simulated_file *file;
};

/** Names in the order of their paths. */
struct simulated_table {
    size_t count;
    struct simulated_name names[SIMULATED_FILES_MAX];
};

/** One operation that no sync covers yet. */
struct simulated_unsynced {
    enum simulated_kind kind; /* CREATE, RENAME or UNLINK */
    bool is_forgotten;        /* its sync failed: it never becomes durable */
    struct simulated_file *file;
    char path[SIMULATED_PATH_SIZE];
    char new_path[SIMULATED_PATH_SIZE]; /* RENAME */
};

struct simulated_names {
    struct simulated_table live;
    struct simulated_table durable;
    size_t unsynced_count;
    struct simulated_unsynced unsynced[SIMULATED_UNSYNCED_MAX]; /* oldest first */
};

/** The file of that name, borrowed; NULL if there is none. */
struct simulated_file *simulated_table_find(const struct simulated_table *table, const char *path);

/** Whether `path` fits a name. */
bool simulated_path_fits(const char *path);

/** How many bytes of `path` name its directory, the final slash included. */
size_t simulated_directory_length(const char *path);

/** Give `file` a name that is free; at most SIMULATED_FILES_MAX live ones (asserted). */
void simulated_names_create(struct simulated_names *names, const char *path,
                            struct simulated_file *file);

/** Rename within one directory; a file of the new name loses it. The old name must exist. */
void simulated_names_rename(struct simulated_names *names, const char *from, const char *to);

/** Take away a name that must exist. */
void simulated_names_unlink(struct simulated_names *names, const char *path);

/** Make durable what happened in the directory that holds `path`. */
void simulated_names_sync(struct simulated_names *names, const char *path);

/**
 * A sync that fails: of the operations in that directory a prefix of random length (`keeps_some`),
 * or none, becomes durable; the others never will.
 */
void simulated_names_fail_sync(struct simulated_names *names, struct simulated_random *random,
                               const char *path, bool keeps_some);

/** Make a name durable at once; a NULL `file` removes it. */
void simulated_names_settle(struct simulated_names *names, const char *path,
                            struct simulated_file *file);

/**
 * What a crash leaves: the names, each with a file of `names`, to which it adds no reference.
 *
 * @param any_subset  Any subset of the unsynced operations, instead of a prefix.
 */
void simulated_names_crash(const struct simulated_names *names, enum simulated_crash mode,
                           struct simulated_random *random, bool any_subset,
                           struct simulated_table *survivors);

/** Give all references to files back. */
void simulated_names_clear(struct simulated_names *names);

#endif
