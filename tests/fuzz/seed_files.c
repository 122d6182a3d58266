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

#include "format/branch.h"
#include "format/leaf.h"
#include "log_mutation.h"
#include "record_check.h"
#include "seed_stores.h"
#include "simulated_random.h"
#include "sparse_bytes.h"
#include "store_mutation.h"
#include "verdict.h"

enum {
    INPUT_MAX = 64 * 1024,
    PATH_SIZE = 1024,
    CALLS_SEEDS = 24,
    CALLS_SIZE = 200,
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

/* A folder for a target's seeds. */
static void make_folder(const char *directory, const char *target)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", directory, target);
    make_directory(path);
}

/* A store file that a clean close has left. */
static void write_store(const char *directory, const char *name, struct simulated_disk *disk,
                        uint8_t choices)
{
    static uint8_t input[INPUT_MAX];
    char path[PATH_SIZE];
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, SEED_STORE_PATH, &size);
    verdict_require(bytes != NULL && size <= STORE_FILE_SIZE_MAX, "a seed is too large");
    input[0] = choices;
    size_t packed = sparse_pack(bytes, (size_t)size, input + 1, sizeof input - 1);
    verdict_require(packed > 0, "a seed is too long");
    (void)snprintf(path, sizeof path, "%s/file/%s", directory, name);
    write_file(path, input, packed + 1);
}

/* Leaves and branches of such a file, the first few of each kind. */
static void write_pages(const char *directory, const char *name, struct simulated_disk *disk,
                        size_t page_size)
{
    enum { EACH = 2, HEADER_SIZE = 9 };
    unsigned written[VS_KIND_BRANCH + 1] = {0};
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, SEED_STORE_PATH, &size);
    verdict_require(bytes != NULL, "a seed has no file");
    for (uint64_t at = 0; at + page_size <= size; at += page_size) {
        uint8_t input[HEADER_SIZE + 4096] = {(uint8_t)__builtin_ctzll(page_size / 512)};
        const uint8_t *page = bytes + at;
        unsigned kind = vs_page_kind(page);
        bool is_page =
            vs_leaf_check(page, page_size) == NULL || vs_branch_check(page, page_size) == NULL;
        if (is_page && written[kind] < EACH && vs_page_count(page) > 1) {
            char path[PATH_SIZE];
            (void)snprintf(path, sizeof path, "%s/page/%s-%u-%u", directory, name, kind,
                           written[kind]++);
            memcpy(input + HEADER_SIZE, page, page_size);
            write_file(path, input, HEADER_SIZE + page_size);
        }
    }
}

static void write_stores(const char *directory)
{
    static const uint8_t choices[SEED_STORIES] = {2, 6, 10, 14, 2, 20, 12}; /* fuzz_file.c says */
    make_folder(directory, "file");
    make_folder(directory, "page");
    for (unsigned story = 0; story < SEED_STORIES; story++) {
        for (size_t page_size = 512; page_size <= 4096; page_size *= page_size == 512 ? 2 : 4) {
            char name[32];
            struct simulated_disk *disk = seed_store_closed((enum seed_story)story, page_size);
            (void)snprintf(name, sizeof name, "seed-%u-%zu", story, page_size);
            write_store(directory, name, disk, choices[story]);
            if (story == SEED_VERSIONS || story == SEED_LONG) {
                write_pages(directory, name, disk, page_size);
            }
            simulated_disk_close(disk);
        }
    }
}

static void write_records(const char *directory)
{
    make_folder(directory, "record");
    for (unsigned kind = 0; kind < RECORD_KINDS; kind++) {
        uint8_t input[RECORD_BYTES_MAX] = {(uint8_t)kind};
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/record/seed-%u", directory, kind);
        write_file(path, input, 1 + record_seed(kind, input + 1));
    }
}

/* The segments of the log that a crash has left, behind each other. */
static void write_log(const char *directory, unsigned story, bool larger)
{
    static uint8_t log[LOG_SEGMENTS_MAX * LOG_SEGMENT_SIZE];
    static uint8_t input[INPUT_MAX];
    char path[PATH_SIZE];
    struct simulated_disk *disk = seed_store_crashed((enum seed_story)story, larger ? 1024 : 512);
    size_t size = 0;
    for (unsigned i = 0; i < LOG_SEGMENTS_MAX; i++) {
        uint64_t part = 0;
        (void)snprintf(path, sizeof path, SEED_STORE_PATH "-wal.%u", i);
        const uint8_t *bytes = simulated_disk_bytes(disk, path, &part);
        if (bytes != NULL) {
            memcpy(log + size, bytes, (size_t)part);
            size += (size_t)part;
        }
    }
    simulated_disk_close(disk);
    input[0] = (uint8_t)(story + (larger ? 8 : 0) + (story % 2 == 0 ? 16 : 32)); /* fuzz_log.c */
    size_t packed = sparse_pack(log, size, input + 1, sizeof input - 1);
    (void)snprintf(path, sizeof path, "%s/log/seed-%u-%d", directory, story, larger ? 1024 : 512);
    write_file(path, input, packed + 1);
}

static void write_logs(const char *directory)
{
    make_folder(directory, "log");
    for (unsigned story = 0; story < SEED_STORIES; story++) {
        write_log(directory, story, false);
        write_log(directory, story, true);
    }
}

static void write_increments(const char *directory)
{
    static uint8_t input[INPUT_MAX];
    make_folder(directory, "increment");
    for (unsigned larger = 0; larger < 2; larger++) {
        char path[PATH_SIZE];
        uint64_t size = 0;
        struct seed_increment seed = seed_increment_make(larger == 1 ? 1024 : 512);
        const uint8_t *bytes = simulated_disk_bytes(seed.increment, SEED_INCREMENT_PATH, &size);
        verdict_require(bytes != NULL && size < sizeof input, "a seed is too long");
        input[0] = (uint8_t)(larger + 6); /* fuzz_increment.c says what */
        memcpy(input + 1, bytes, (size_t)size);
        (void)snprintf(path, sizeof path, "%s/increment/seed-%u", directory, larger);
        write_file(path, input, (size_t)size + 1);
        simulated_disk_close(seed.base);
        simulated_disk_close(seed.increment);
    }
}

/* Calls at random: the steps of the model take any bytes. */
static void write_calls(const char *directory)
{
    make_folder(directory, "api");
    for (unsigned seed = 0; seed < CALLS_SEEDS; seed++) {
        uint8_t input[CALLS_SIZE];
        char path[PATH_SIZE];
        struct simulated_random random = {seed};
        for (size_t i = 0; i < sizeof input; i++) {
            input[i] = (uint8_t)simulated_random_next(&random);
        }
        (void)snprintf(path, sizeof path, "%s/api/seed-%u", directory, seed);
        write_file(path, input, sizeof input);
    }
}

/* Commands with every verb. */
static void write_commands(const char *directory)
{
    static const char *const texts[] = {
        "$put\1store\1key\1value\1--note\1a\\x00b\n$get\1store\1key\n$get\1store\1none\n",
        "$load\1store\1--batch\0012\na\tb\nc\\x00\td\\t\n\t\nlast\tline",
        "$load\1new\nkey\tvalue\n$scan\1new\n$stat\1new\n$check\1new\n",
        "$scan\1store\1--tree\1users\1--from\1key 000002\1--limit\0015\1--reverse\n",
        "$count\1store\1--prefix\1key\n$nth\1store\0010\n$rank\1store\1key 000001\n",
        "$roots\1store\n$diff\1store\0011\0012\n$history\1store\1key 000001\n",
        "$revert\1store\0011\n$trees\1store\n$trees\1store\1--drop\1users\n",
        "$tag\1store\n$tag\1store\1x\0011\n$get\1store\1key 000001\1--tag\1x\n",
        "$keep\1store\n$keep\1store\1--last\0012\1--try\n$scan\1store\1--at\0012026-01-01\n",
        ("$backup\1store\1copy\n$put\1store\1a\1b\n$backup\1store\1inc\1--since\0012\n"
         "$apply\1copy\1inc\n$compact\1store\1small\n$check\1small\n"),
        "$del\1store\1key 000001\n$del\1store\1--from\1k\1--to\1z\n$--help\n$scan\1--help\n",
    };
    make_folder(directory, "cli");
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char path[PATH_SIZE];
        (void)snprintf(path, sizeof path, "%s/cli/seed-%u", directory, i);
        write_file(path, (const uint8_t *)texts[i], strlen(texts[i]));
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
    write_records(argv[1]);
    write_logs(argv[1]);
    write_increments(argv[1]);
    write_calls(argv[1]);
    write_commands(argv[1]);
    return 0;
}
