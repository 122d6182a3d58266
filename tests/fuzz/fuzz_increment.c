/*
 * fuzz_increment.c - hostile increments: whatever comes of applying one, the store is sound.
 *
 * An input is a byte of choices and the increment's file. What takes long is a choice that few
 * inputs make.
 */
#include <string.h>

#include "fuzz_target.h"
#include "increment_mutation.h"
#include "seed_stores.h"
#include "store_mutation.h"
#include "store_reading.h"
#include "store_writing.h"
#include "verdict.h"

#define INCREMENT_PATH "increment"

enum {
    DISK_BYTES = 16 << 20,
    /* choices */
    LARGER_PAGES = 1,
    WRITES = 2,
    READS = 4, /* more than the check */
    APPLIES_AGAIN = 8,
};

static const uint8_t chosen_one_in[8] = {[1] = 16, [2] = 8, [3] = 4}; /* by bit, of the mutants */

/* The store to which the seeds apply: made once. */
static struct simulated_disk *base_of(unsigned choices)
{
    static struct simulated_disk *bases[2];
    bool larger = (choices & LARGER_PAGES) != 0;
    if (bases[larger] == NULL) {
        struct seed_increment seed = seed_increment_make(larger ? 1024 : 512);
        bases[larger] = seed.base;
        simulated_disk_close(seed.increment);
    }
    return bases[larger];
}

static verso_root_id tip_of(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    verdict_require(verso_stat(store, &stats) == VERSO_OK, "no statistics");
    return stats.tip;
}

/* @return Whether it was applied. */
static bool apply(verso_store *store)
{
    verso_copy_report report = {.size = sizeof report};
    verso_root_id before = tip_of(store);
    verso_err err = verso_copy_apply(store, INCREMENT_PATH, &report);
    verdict_require(err == VERSO_OK || err == VERSO_FORMAT || err == VERSO_MISMATCH ||
                        err == VERSO_CORRUPT || err == VERSO_LIMIT || err == VERSO_NOSPC,
                    "applying fails with a code that says nothing of the increment");
    verdict_require((err != VERSO_FORMAT && err != VERSO_MISMATCH) || tip_of(store) == before,
                    "what was refused has changed something");
    verdict_require(err != VERSO_OK || tip_of(store) == report.newest,
                    "another newest root than reported");
    return err == VERSO_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct simulated_disk *disk = simulated_disk_clone(base_of(data[0]));
    simulated_disk_set_capacity(disk, DISK_BYTES);
    simulated_disk_set_written_through(disk, true);
    simulated_disk_put(disk, INCREMENT_PATH, data + 1, size - 1);
    verso_store *store = seed_store_open(disk, 0);
    bool applied = apply(store);
    verdict_require(store_is_sound(store), "an increment has led to a store that is not sound");
    if (data[0] & READS) {
        store_read_all(store, true);
    }
    if (applied && (data[0] & APPLIES_AGAIN) != 0) {
        verdict_require(apply(store), "an increment cannot be applied again");
    }
    if (data[0] & WRITES) {
        (void)store_write_all(store, true);
        verdict_require(store_is_sound(store), "writing has done harm");
    }
    verdict_require(verso_close(store) == VERSO_OK, "closing fails");
    verdict_require(simulated_disk_open_files(disk) == 0, "files are left open");
    simulated_disk_close(disk);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    if (size < 2 || max_size < size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    unsigned drawn = mutation_choices(data[0], chosen_one_in, seed);
    data[0] = (uint8_t)((data[0] & LARGER_PAGES) | (drawn & ~(unsigned)LARGER_PAGES));
    return 1 + increment_mutate(data + 1, size - 1, max_size - 1, seed);
}
