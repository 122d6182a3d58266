/*
 * meta_damage_test.c - the two meta pages of a store: either may rot, at any byte, however long ago
 * the other was written; and the write of either may be torn in any way.
 *
 * VERSO_TEST_STRIDE: bytes from one rotten byte to the next. VERSO_TEST_SEED moves all of them.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "crash_script.h"
#include "format/meta.h"
#include "page_keys.h"
#include "run_length.h"

enum { STRIDE = 61, CHECKPOINTS = 4, SECTORS = VS_PART_BYTES / SIMULATED_SECTOR_SIZE };

static const uint64_t places[2] = {0, VS_META_B_AT};

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* ---- rot ---- */

static void expect_warning(struct simulated_disk *disk, const char *what)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_stats stats = {.size = sizeof stats};
    verso_store *store;
    options.read_only = true;
    options.system = simulated_disk_os(disk);
    must(verso_open(CRASH_SCRIPT_PATH, &options, &store));
    must(verso_stat(store, &stats));
    cr_assert(stats.meta_damaged, "%s: nobody is told", what);
    must(verso_close(store));
}

/* Every stride-th byte of one meta, and then of both. */
static void rot(const struct expected_roots *roots, struct simulated_disk *disk, unsigned which,
                uint64_t *rotten)
{
    uint64_t stride = run_length("VERSO_TEST_STRIDE", STRIDE);
    for (uint64_t at = (page_keys_seed() + which) % stride; at < VS_PART_BYTES; at += stride) {
        char what[64];
        (void)snprintf(what, sizeof what, "byte %" PRIu64 " of meta %u", at, which);
        struct simulated_disk *left = simulated_disk_clone(disk);
        simulated_disk_flip(left, CRASH_SCRIPT_PATH, places[which] + at, 0x41);
        expect_warning(left, what);
        const char *fault = crash_script_judge(roots, left, roots->issued, NULL);
        cr_assert(fault == NULL, "%s: %s", what, fault);
        (*rotten)++;
    }
}

Test(meta_damage, either_may_rot_however_long_after_the_other_was_written)
{
    uint64_t rotten = 0;
    static struct crash_script script;
    crash_script_init(&script, 1);
    must(crash_script_open(script.disk, &script.store));
    for (unsigned i = 0; i < CHECKPOINTS; i++) {
        must(crash_script_commit(&script, 10 * i, 12, 60, false));
        must(verso_checkpoint(script.store));
        must(crash_script_commit(&script, 10 * i + 5, 3, 200, false)); /* in the log */
        struct simulated_disk *left =
            simulated_disk_crash(script.disk, i + 1, SIMULATED_CRASH_ALL_OLD);
        rot(&script.roots, left, 0, &rotten);
        rot(&script.roots, left, 1, &rotten);
        simulated_disk_close(left);
    }
    run_count("rotten_metas", rotten);
    crash_script_clear(&script);
}

/* ---- torn writes ---- */

/** A meta's write as the hook saw it. */
struct torn {
    unsigned count;
    struct simulated_disk *before[2];
    uint64_t at[2];
    uint8_t bytes[2][VS_PART_BYTES];
};

static void note_meta_write(void *argument, struct simulated_disk *disk,
                            const struct simulated_event *event)
{
    struct torn *torn = argument;
    bool is_meta = event->kind == SIMULATED_WRITE && event->size == VS_PART_BYTES &&
                   strcmp(event->path, CRASH_SCRIPT_PATH) == 0 &&
                   (event->offset == places[0] || event->offset == places[1]);
    if (!is_meta || torn->count == 2) {
        return;
    }
    if (!event->is_after) {
        torn->before[torn->count] = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
        torn->at[torn->count] = event->offset;
        return;
    }
    const uint8_t *file = simulated_disk_bytes(disk, CRASH_SCRIPT_PATH, NULL);
    memcpy(torn->bytes[torn->count++], file + event->offset, VS_PART_BYTES);
}

/* The disk before the write, with those sectors of it that `mask` names; others old, or nonsense. */
static struct simulated_disk *tear(const struct torn *torn, unsigned which, unsigned mask,
                                   bool nonsense)
{
    struct simulated_disk *left = simulated_disk_clone(torn->before[which]);
    uint64_t size;
    const uint8_t *live = simulated_disk_bytes(left, CRASH_SCRIPT_PATH, &size);
    uint8_t *bytes = malloc(size);
    cr_assert_not_null(bytes);
    memcpy(bytes, live, size);
    for (unsigned i = 0; i < SECTORS; i++) {
        uint8_t *sector = bytes + torn->at[which] + (size_t)i * SIMULATED_SECTOR_SIZE;
        if (mask >> i & 1) {
            memcpy(sector, torn->bytes[which] + (size_t)i * SIMULATED_SECTOR_SIZE,
                   SIMULATED_SECTOR_SIZE);
        } else if (nonsense) {
            memset(sector, (int)(mask + i), SIMULATED_SECTOR_SIZE);
        }
    }
    simulated_disk_put(left, CRASH_SCRIPT_PATH, bytes, size);
    free(bytes);
    return left;
}

Test(meta_damage, the_write_of_either_may_be_torn_in_any_way)
{
    static struct crash_script script;
    static struct torn torn;
    crash_script_init(&script, 2);
    must(crash_script_open(script.disk, &script.store));
    must(crash_script_commit(&script, 0, 40, 60, false));
    must(verso_checkpoint(script.store));
    must(crash_script_commit(&script, 20, 30, 90, false));
    simulated_disk_set_hook(script.disk, note_meta_write, &torn);
    must(verso_checkpoint(script.store));
    simulated_disk_set_hook(script.disk, NULL, NULL);
    cr_assert_eq(torn.count, 2);
    cr_assert_neq(torn.at[0], torn.at[1]);
    for (unsigned which = 0; which < 2; which++) {
        for (unsigned mask = 0; mask < 1U << SECTORS; mask++) {
            for (unsigned nonsense = 0; nonsense < 2; nonsense++) {
                struct simulated_disk *left = tear(&torn, which, mask, nonsense != 0);
                const char *fault =
                    crash_script_judge(&script.roots, left, script.roots.issued, NULL);
                cr_assert(fault == NULL, "write %u, sectors %#x%s: %s", which, mask,
                          nonsense ? ", nonsense" : "", fault);
            }
        }
        simulated_disk_close(torn.before[which]);
    }
    run_count("torn_metas", 4U << SECTORS);
    crash_script_clear(&script);
}
