/*
 * seed_files.c - write the inputs from which fuzzing begins: real stores of several page sizes.
 *
 * Usage: fuzz_seeds DIRECTORY       fills a folder in it for each target
 *
 * To be run again, and its files committed, when the format changes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "seed_stores.h"
#include "sparse_bytes.h"
#include "verdict.h"

enum {
    INPUT_MAX = 64 * 1024,
    PATH_SIZE = 1024,
};

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wbe");
    verdict_require(file != NULL, path);
    verdict_require(fwrite(bytes, 1, size, file) == size && fclose(file) == 0, path);
    (void)printf("%s: %zu bytes\n", path, size);
}

static void make_directory(const char *path)
{
    verdict_require(mkdir(path, 0777) == 0 || errno == EEXIST, path);
}

/* A store file that a clean close, or a crash after it, has left. */
static void write_store(const char *directory, const char *name, struct simulated_disk *disk,
                        uint8_t choices)
{
    static uint8_t input[INPUT_MAX];
    char path[PATH_SIZE];
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, SEED_STORE_PATH, &size);
    verdict_require(bytes != NULL, "a seed has no file");
    input[0] = choices;
    size_t packed = sparse_pack(bytes, (size_t)size, input + 1, sizeof input - 1);
    verdict_require(packed > 0, "a seed is too long");
    (void)snprintf(path, sizeof path, "%s/file/%s", directory, name);
    write_file(path, input, packed + 1);
}

static void write_stores(const char *directory)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/file", directory);
    make_directory(path);
    for (unsigned story = 0; story < SEED_STORIES; story++) {
        for (size_t page_size = 512; page_size <= 4096; page_size *= page_size == 512 ? 2 : 4) {
            char name[32];
            struct simulated_disk *disk = seed_store_closed((enum seed_story)story, page_size);
            (void)snprintf(name, sizeof name, "seed-%u-%zu", story, page_size);
            write_store(directory, name, disk, (uint8_t)(2 + story * 4 % 8));
            simulated_disk_close(disk);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 1;
    }
    make_directory(argv[1]);
    write_stores(argv[1]);
    return 0;
}
