/*
 * directory.h - the directories that stores lie in: each store has one to itself.
 */
#ifndef VERSO_BENCH_DIRECTORY_H
#define VERSO_BENCH_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

enum { PATH_SIZE = 4096 };

/** A path with its final zero. */
struct path {
    char text[PATH_SIZE];
};

/** `directory`/`name`. */
struct path path_join(const char *directory, const char *name);

/** A new directory of our own below `parent`; stops the program if it cannot be made. */
struct path directory_make_unique(const char *parent);

void directory_make(const char *directory);
bool directory_exists(const char *directory);

/** Remove a directory with all that is in it. */
void directory_remove(const char *directory);

/** Space on disk that the files of a store take. */
struct footprint {
    uint64_t file_bytes;      /* the store's own file: blocks allocated, holes not counted */
    uint64_t companion_bytes; /* all other files of the directory: log, lock */
};

struct footprint directory_footprint(const char *directory, const char *file_name);

/** Whether the directory is kept in memory: a sync costs nothing there and proves nothing. */
bool directory_in_memory(const char *directory);

#endif
