/*
 * fuzz_log.c - a sound store whose log is hostile: what opens is sound, what does not has lost
 * nothing.
 *
 * An input is a byte of choices and the log's segments, packed (sparse_bytes.h). What takes long is
 * a choice that few inputs make.
 */
#include <stdio.h>
#include <string.h>

#include "fuzz_target.h"
#include "log_mutation.h"
#include "seed_stores.h"
#include "sparse_bytes.h"
#include "store_mutation.h"
#include "store_reading.h"
#include "store_writing.h"
#include "verdict.h"

enum {
    LOG_BYTES_MAX = LOG_SEGMENTS_MAX * LOG_SEGMENT_SIZE,
    DISK_BYTES = 16 << 20,
    PATH_SIZE = 64,
    /* choices: the story, then */
    STORY = 7,
    LARGER_PAGES = 8,
    WRITES = 16,
    READS = 32, /* more than the check */
    REOPENS = 64,
    SALVAGES = 128,
};

static const uint8_t chosen_one_in[8] = {
    [4] = 16, [5] = 8, [6] = 4, [7] = 16}; /* by bit, of the mutants */

static uint8_t log_bytes[LOG_BYTES_MAX];

static void segment_path(unsigned number, char *path)
{
    (void)snprintf(path, PATH_SIZE, SEED_STORE_PATH "-wal.%u", number);
}

/* A disk as a story's crash has left it, and the same without its log: each made once. */
struct template
{
    struct simulated_disk *whole;
    struct simulated_disk *bare;
};

static void replace_segments(struct simulated_disk *disk, const uint8_t *bytes, size_t size)
{
    char path[PATH_SIZE];
    for (unsigned i = 0; i < 2 * LOG_SEGMENTS_MAX; i++) {
        segment_path(i, path);
        if (simulated_disk_exists(disk, path)) {
            simulated_disk_remove(disk, path);
        }
        size_t at = (size_t)i * LOG_SEGMENT_SIZE;
        if (at < size) {
            size_t part = size - at < LOG_SEGMENT_SIZE ? size - at : LOG_SEGMENT_SIZE;
            simulated_disk_put(disk, path, bytes + at, part);
        }
    }
}

static const struct template *template_of(unsigned choices)
{
    static struct template templates[SEED_STORIES][2];
    unsigned story = (choices & STORY) % SEED_STORIES;
    bool larger = (choices & LARGER_PAGES) != 0;
    struct template *template = &templates[story][larger];
    if (template->whole == NULL) {
        template->whole = seed_store_crashed((enum seed_story)story, larger ? 1024 : 512);
        template->bare = simulated_disk_clone(template->whole);
        simulated_disk_set_written_through(template->bare, true);
        replace_segments(template->bare, NULL, 0);
    }
    return template;
}

/* Is every byte of the disk as it was made? */
static bool is_untouched(struct simulated_disk *disk, const struct template *template,
                         size_t log_size)
{
    char path[PATH_SIZE];
    uint64_t size = 0;
    uint64_t size_before = 0;
    const uint8_t *before = simulated_disk_bytes(template->bare, SEED_STORE_PATH, &size_before);
    const uint8_t *bytes = simulated_disk_bytes(disk, SEED_STORE_PATH, &size);
    bool is_same = bytes != NULL && size == size_before && memcmp(bytes, before, (size_t)size) == 0;
    for (unsigned i = 0; i < 2 * LOG_SEGMENTS_MAX && is_same; i++) {
        size_t at = (size_t)i * LOG_SEGMENT_SIZE;
        size_t left = at < log_size ? log_size - at : 0;
        size_before = left < LOG_SEGMENT_SIZE ? left : LOG_SEGMENT_SIZE;
        segment_path(i, path);
        bytes = simulated_disk_bytes(disk, path, &size);
        is_same = bytes == NULL ? left == 0
                                : size == size_before && memcmp(bytes, log_bytes + at, size) == 0;
    }
    return is_same;
}

/* Give the disk the log back that belongs to its store: nothing may be lost. */
static void require_nothing_lost(struct simulated_disk *disk, const struct template *template)
{
    char path[PATH_SIZE];
    replace_segments(disk, NULL, 0);
    for (unsigned i = 0; i < 2 * LOG_SEGMENTS_MAX; i++) {
        uint64_t size = 0;
        segment_path(i, path);
        const uint8_t *bytes = simulated_disk_bytes(template->whole, path, &size);
        if (bytes != NULL) {
            simulated_disk_put(disk, path, bytes, (size_t)size);
        }
    }
    verso_store *store = seed_store_open(disk, 0);
    verdict_require(store_is_sound(store), "a refused log has done harm to the store");
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
}

static void use_store(verso_store *store, unsigned choices)
{
    verdict_require(store_is_sound(store), "a log has led to a store that is not sound");
    if (choices & READS) {
        store_read_all(store, true);
    }
    if (choices & WRITES) {
        (void)store_write_all(store, true);
        verdict_require(store_is_sound(store), "writing has done harm");
    }
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
}

static void reopen(struct simulated_disk *disk)
{
    verso_store *store = seed_store_open(disk, 0);
    verdict_require(store_is_sound(store), "a store is not sound after reopening");
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
}

static verso_err open_store(struct simulated_disk *disk, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.arena_bytes = 1; /* the least there is, as is the next */
    options.log_bytes = 1;
    options.system = simulated_disk_os(disk);
    return verso_open(SEED_STORE_PATH, &options, store);
}

/* As far as the log can be followed. */
static void salvage(struct simulated_disk *disk)
{
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    verso_store *store = NULL;
    verso_err err = verso_salvage(SEED_STORE_PATH, "salvaged", &options, NULL);
    verdict_require(err == VERSO_OK, "a sound store cannot be salvaged, whatever its log is");
    verso_options reading = VERSO_OPTIONS_INIT;
    reading.read_only = true;
    reading.system = simulated_disk_os(disk);
    verdict_require(verso_open("salvaged", &reading, &store) == VERSO_OK, "a salvage's store");
    verdict_require(store_is_sound(store), "what was salvaged is not sound");
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
    simulated_disk_remove(disk, "salvaged");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t log_size = sparse_unpack(data + 1, size - 1, log_bytes, sizeof log_bytes);
    const struct template *template = template_of(data[0]);
    struct simulated_disk *disk = simulated_disk_clone(template->bare);
    simulated_disk_set_capacity(disk, DISK_BYTES);
    replace_segments(disk, log_bytes, log_size);
    if (data[0] & SALVAGES) {
        salvage(disk);
    }
    verso_store *store = NULL;
    verso_err err = open_store(disk, &store);
    if (err == VERSO_OK) {
        use_store(store, data[0]);
        if (data[0] & (REOPENS | WRITES)) {
            reopen(disk);
        }
    } else {
        verdict_require(verdict_is_damage(err) || err == VERSO_LIMIT,
                        "opening fails with a code that says nothing of the log");
        if (!is_untouched(disk, template, log_size)) { /* it was refused after its first reading */
            require_nothing_lost(disk, template);
        }
    }
    verdict_require(simulated_disk_open_files(disk) == 0, "files are left open");
    simulated_disk_close(disk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    if (size < 1 || max_size < 2) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    size_t log_size = sparse_unpack(data + 1, size - 1, log_bytes, sizeof log_bytes);
    log_size = log_mutate(log_bytes, log_size, sizeof log_bytes, seed);
    size_t packed = sparse_pack(log_bytes, log_size, data + 1, max_size - 1);
    if (packed == 0) {
        return LLVMFuzzerMutate(data, size < max_size ? size : max_size, max_size);
    }
    const unsigned place = STORY | LARGER_PAGES;
    unsigned drawn = mutation_choices(data[0], chosen_one_in, seed);
    data[0] = (uint8_t)((data[0] & place) | (drawn & ~place)); /* other places take other logs */
    return packed + 1;
}
