/*
 * directory.c - make, measure and remove the directories of stores.
 */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "stop.h"

enum { TMPFS_TYPE = 0x01021994, STAT_BLOCK_BYTES = 512 };

struct path path_join(const char *directory, const char *name)
{
    struct path path;
    int length = snprintf(path.text, sizeof path.text, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof path.text) {
        stop_with("the path %s/%s is too long", directory, name);
    }
    return path;
}

struct path directory_make_unique(const char *parent)
{
    struct path path = path_join(parent, "verso-bench.XXXXXX");
    if (mkdtemp(path.text) == NULL) {
        stop_with("cannot make a directory in %s: %s", parent, strerror(errno));
    }
    return path;
}

void directory_make(const char *directory)
{
    if (mkdir(directory, 0777) != 0) {
        stop_with("cannot make %s: %s", directory, strerror(errno));
    }
}

bool directory_exists(const char *directory)
{
    struct stat status;
    return stat(directory, &status) == 0;
}

static bool is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static DIR *open_directory(const char *directory)
{
    DIR *stream = opendir(directory);
    if (stream == NULL) {
        stop_with("cannot read %s: %s", directory, strerror(errno));
    }
    return stream;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void directory_remove(const char *directory)
{
    enum { OPEN_DIRECTORIES_MAX = 8 };
    if (nftw(directory, remove_entry, OPEN_DIRECTORIES_MAX, FTW_DEPTH | FTW_PHYS) != 0) {
        stop_with("cannot remove %s: %s", directory, strerror(errno));
    }
}

struct footprint directory_footprint(const char *directory, const char *file_name)
{
    struct footprint footprint = {0};
    DIR *stream = open_directory(directory);
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        struct path path = path_join(directory, entry->d_name);
        struct stat status;
        if (!is_entry(entry) || stat(path.text, &status) != 0) {
            continue; /* a log file may go while we look */
        }
        uint64_t bytes = (uint64_t)status.st_blocks * STAT_BLOCK_BYTES;
        if (strcmp(entry->d_name, file_name) == 0) {
            footprint.file_bytes = bytes;
        } else {
            footprint.companion_bytes += bytes;
        }
    }
    closedir(stream);
    return footprint;
}

bool directory_in_memory(const char *directory)
{
    struct statfs status;
    return statfs(directory, &status) == 0 && status.f_type == TMPFS_TYPE;
}
