/*
 * fuzz_file.c - hostile store files: open, check, read all, write, close, open again.
 *
 * An input is a byte of choices and the file, packed (sparse_bytes.h). What takes long, and finds
 * little that the check does not, is a choice that few inputs make.
 */
#include <string.h>

#include "fuzz_target.h"
#include "simulated_disk.h"
#include "sparse_bytes.h"
#include "store_mutation.h"
#include "store_reading.h"
#include "store_writing.h"
#include "verdict.h"

#define PATH "store"

enum {
    DISK_BYTES = 16 << 20,
    /* choices */
    READ_ONLY = 1,
    WRITES = 2,
    COPIES = 4,
    READS = 8, /* more than the check */
    SPILLS = 16,
};

static const uint8_t chosen_one_in[8] = {8, 16, 32, 6, 250}; /* by bit, of the mutants */

static uint8_t file_bytes[STORE_FILE_SIZE_MAX];

static verso_err open_store(struct simulated_disk *disk, const char *path, bool read_only,
                            verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = read_only;
    options.arena_bytes = 1; /* the least there is */
    options.log_bytes = 1;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, store);
}

static void require_known_refusal(verso_err err)
{
    verdict_require(verdict_is_damage(err) || err == VERSO_FORMAT || err == VERSO_LIMIT ||
                        err == VERSO_NOSPC || err == VERSO_UNKNOWN || err == VERSO_POISONED,
                    "opening fails with a code that says nothing of the file");
}

/* A copy is checked before it gets its name, so it is sound whatever it was made from. */
static void copy(struct simulated_disk *disk, verso_store *store, unsigned choices, bool sound)
{
    verso_copy_report report = {.size = sizeof report};
    static const verso_root_id second[] = {2};
    verso_copy_options options = {.size = sizeof options, .newest_only = (choices & READS) != 0};
    if (choices & WRITES) {
        options = (verso_copy_options){.size = sizeof options, .roots = second, .root_count = 1};
    }
    verso_err err = verso_copy(store, "copy", &options, &report);
    if ((choices & WRITES) != 0 && (err == VERSO_NOT_FOUND || err == VERSO_GONE)) {
        return; /* there is no such root */
    }
    if (!verdict_change(err, sound, "a copy fails")) {
        verdict_require(!simulated_disk_exists(disk, "copy"), "a failed copy is there");
        return;
    }
    verso_store *copied = NULL;
    verdict_require(open_store(disk, "copy", true, &copied) == VERSO_OK, "a copy does not open");
    verdict_require(store_is_sound(copied), "a copy is not sound");
    verdict_require(verso_close(copied) == VERSO_OK, "a copy does not close");
}

/* @return Whether the store is sound and will be found so again. */
static bool use_store(struct simulated_disk *disk, verso_store *store, unsigned choices)
{
    bool sound = store_is_sound(store);
    if (choices & READS) {
        store_read_all(store, sound);
        verdict_require(!sound || store_is_sound(store), "reading has done harm");
    }
    if (choices & COPIES) {
        copy(disk, store, choices, sound);
    }
    if ((choices & (SPILLS | READ_ONLY)) == SPILLS) {
        bool done = store_write_much(store, sound);
        verdict_require(!sound || store_is_sound(store), "a large transaction has done harm");
        sound = sound && done;
    }
    if ((choices & (WRITES | READ_ONLY)) == WRITES) {
        bool done = store_write_all(store, sound);
        verdict_require(!sound || store_is_sound(store), "writing has done harm");
        if (choices & READS) {
            store_read_all(store, sound);
        }
        sound = sound && done;
    }
    return sound;
}

/* Is the store's file, byte for byte, the input? */
static bool is_untouched(struct simulated_disk *disk, size_t file_size)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, PATH, &size);
    return bytes != NULL && size == file_size && memcmp(bytes, file_bytes, file_size) == 0;
}

static void open_and_use(struct simulated_disk *disk, size_t file_size, unsigned choices)
{
    verso_store *store = NULL;
    verso_err err = open_store(disk, PATH, (choices & READ_ONLY) != 0, &store);
    if (err != VERSO_OK) {
        require_known_refusal(err);
        verdict_require(err == VERSO_CORRUPT || is_untouched(disk, file_size),
                        "an open that failed has changed something");
        return;
    }
    bool sound = use_store(disk, store, choices);
    err = verso_close(store);
    (void)verdict_change(err, sound, "closing fails");
    verdict_require((choices & READ_ONLY) == 0 || is_untouched(disk, file_size),
                    "a read-only handle has changed something");
    if (err == VERSO_OK && is_untouched(disk, file_size)) {
        return; /* what would be opened is what has been */
    }
    if (err == VERSO_OK && open_store(disk, PATH, false, &store) == VERSO_OK) {
        verdict_require(!sound || store_is_sound(store), "a sound store is not so after reopening");
        err = verso_close(store);
        (void)verdict_change(err, sound, "closing fails the second time");
    } else {
        verdict_require(!sound, "a sound store does not open again");
    }
}

/* Whatever comes out of a salvage is a sound store, and the damaged one is left as it is. */
static void salvage(struct simulated_disk *disk)
{
    verso_salvage_options options = {.size = sizeof options, .system = simulated_disk_os(disk)};
    uint64_t digest = simulated_disk_digest(disk);
    verso_err err = verso_salvage(PATH, "salvaged", &options, NULL);
    if (err == VERSO_OK) {
        verso_store *store = NULL;
        verdict_require(open_store(disk, "salvaged", true, &store) == VERSO_OK,
                        "what was salvaged does not open");
        verdict_require(store_is_sound(store), "what was salvaged is not sound");
        verdict_require(verso_close(store) == VERSO_OK, "what was salvaged does not close");
        simulated_disk_remove(disk, "salvaged");
    } else {
        require_known_refusal(err);
    }
    verdict_require(simulated_disk_digest(disk) == digest, "a salvage has changed something");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    size_t file_size = sparse_unpack(data + 1, size - 1, file_bytes, sizeof file_bytes);
    struct simulated_disk *disk = simulated_disk_open(1);
    simulated_disk_set_capacity(disk, DISK_BYTES);
    simulated_disk_set_written_through(disk, true);
    simulated_disk_put(disk, PATH, file_bytes, file_size);
    if (data[0] & COPIES) {
        salvage(disk);
    }
    open_and_use(disk, file_size, data[0]);
    verdict_require(simulated_disk_open_files(disk) == 0, "files are left open");
    simulated_disk_close(disk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    if (size < 1 || max_size < 2) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    size_t file_size = sparse_unpack(data + 1, size - 1, file_bytes, sizeof file_bytes);
    file_size = store_mutate(file_bytes, file_size, sizeof file_bytes, seed);
    size_t packed = sparse_pack(file_bytes, file_size, data + 1, max_size - 1);
    if (packed == 0) { /* too long by now: something plain and shorter instead */
        return LLVMFuzzerMutate(data, size < max_size ? size : max_size, max_size);
    }
    data[0] = mutation_choices(data[0], chosen_one_in, seed);
    return packed + 1;
}
