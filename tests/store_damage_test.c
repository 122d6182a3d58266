/*
 * store_damage_test.c - one flipped bit anywhere: the right answer or a clear error, never other
 * bytes.
 *
 * VERSO_TEST_STRIDE: bytes from one flip to the next. VERSO_TEST_SEED moves all flips, and takes
 * others of a byte's bits: as many seeds as the stride flip every byte.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash_script.h"
#include "page_keys.h"
#include "run_length.h"
#include "view_compare.h"

enum {
    STRIDE = 31,
    LOG_FLIPS_MAX = 700,
};

/** What the flips of one disk came to. */
struct census {
    uint64_t flips;
    uint64_t unharmed; /* every answer was right */
    uint64_t refused;  /* the store could not be opened */
    uint64_t reported; /* some reads failed */
};

static uint64_t stride(void)
{
    return run_stride("VERSO_TEST_STRIDE", STRIDE);
}

static bool is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_WAL_CORRUPT || err == VERSO_MISMATCH ||
           err == VERSO_WAL_MISSING;
}

/* ---- reading all there is ---- */

/* @return NULL, or what is forbidden. *failed: some read said that the bytes are damaged. */
static const char *read_keys(verso_view *view, const struct tree_state *state, bool *failed)
{
    for (size_t i = 0; i < state->count; i++) {
        verso_slice value;
        verso_err err = verso_get(view, state->pairs[i].key, &value);
        if (err == VERSO_OK && !view_same_bytes(value, state->pairs[i].value)) {
            return "a get gave other bytes";
        }
        if (err != VERSO_OK && !is_damage(err)) {
            return "a get failed with another error";
        }
        *failed = *failed || err != VERSO_OK;
    }
    return NULL;
}

static const char *scan(verso_view *view, const struct tree_state *state, bool forward,
                        bool *failed)
{
    verso_cursor *cursor;
    verso_err err = verso_cursor_open(view, NULL, &cursor);
    if (err != VERSO_OK) {
        *failed = true;
        return is_damage(err) ? NULL : "a cursor cannot be opened";
    }
    const char *fault = NULL;
    size_t count = 0;
    verso_entry entry;
    while (fault == NULL && (err = forward ? verso_cursor_next(cursor, &entry)
                                           : verso_cursor_previous(cursor, &entry)) == VERSO_OK) {
        size_t place = forward ? count : state->count - 1 - count;
        if (count == state->count || !view_same_bytes(entry.key, state->pairs[place].key) ||
            !view_same_bytes(entry.value, state->pairs[place].value)) {
            fault = "a scan met another entry";
        }
        count++;
    }
    verso_cursor_close(cursor);
    if (fault == NULL && err == VERSO_NOT_FOUND && count != state->count) {
        fault = "a scan ended early";
    }
    if (fault == NULL && err != VERSO_NOT_FOUND && !is_damage(err)) {
        fault = "a scan failed with another error";
    }
    *failed = *failed || err != VERSO_NOT_FOUND;
    return fault;
}

static const char *read_root(const struct expected_roots *roots, verso_store *store,
                             uint64_t version, bool *failed)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, version, &view);
    if (err != VERSO_OK) {
        *failed = true;
        bool gone = err == VERSO_GONE && expected_may_be_gone(&roots->keeping, version);
        *failed = *failed && !gone;
        return gone || is_damage(err) ? NULL : "a root is not to be had";
    }
    const struct tree_state *state = &roots->root[version].state;
    const char *fault = read_keys(view, state, failed);
    fault = fault == NULL ? scan(view, state, true, failed) : fault;
    fault = fault == NULL ? scan(view, state, false, failed) : fault;
    verso_view_close(view);
    return fault;
}

/* ---- one flip ---- */

static const char *work_with(const struct expected_roots *roots, struct crash_script *damaged,
                             struct census *census)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(damaged->store, &stats) != VERSO_OK) {
        return "no statistics";
    }
    if (stats.tip != roots->issued && stats.tip + 1 != roots->issued) {
        return "more than the last commit is lost"; /* no later frame can know that one durable */
    }
    bool failed = false;
    const char *fault = NULL;
    for (uint64_t version = 1; version <= stats.tip && fault == NULL; version++) {
        fault = read_root(roots, damaged->store, version, &failed);
    }
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(damaged->store, &report);
    if (fault == NULL && err == VERSO_OK && failed) {
        fault = "the check found nothing where a read failed";
    }
    if (fault == NULL && err != VERSO_OK && !is_damage(err)) {
        fault = "the check failed with another error";
    }
    census->unharmed += !failed;
    census->reported += failed;
    if (fault == NULL && stats.tip == roots->issued) {
        err = crash_script_commit(damaged, 5, 12, 100, false);
        fault = err == VERSO_OK || is_damage(err) || err == VERSO_MUST_ABORT
                    ? NULL
                    : "a commit failed with another error";
    }
    return fault;
}

/* An open that failed has harmed nothing: without the flip all is there. */
static const char *flip_back(const struct expected_roots *roots, struct simulated_disk *disk,
                             const char *path, uint64_t at, uint8_t mask)
{
    struct simulated_disk *left = simulated_disk_clone(disk);
    simulated_disk_flip(left, path, at, mask);
    return crash_script_judge(roots, left, roots->issued, NULL);
}

static const char *flip_one(const struct expected_roots *roots, struct simulated_disk *disk,
                            const char *path, uint64_t at, uint8_t mask, struct census *census)
{
    struct crash_script damaged = {.disk = simulated_disk_clone(disk),
                                   .roots = expected_branch(roots, roots->issued)};
    simulated_disk_flip(damaged.disk, path, at, mask);
    uint64_t digest = simulated_disk_digest(damaged.disk);
    verso_err err = crash_script_open(damaged.disk, &damaged.store);
    const char *fault = NULL;
    census->flips++;
    if (err == VERSO_OK) {
        fault = work_with(roots, &damaged, census);
    } else {
        damaged.store = NULL;
        census->refused++;
        fault = is_damage(err) ? NULL : "opening failed with another error";
        if (fault == NULL && simulated_disk_digest(damaged.disk) != digest &&
            err != VERSO_CORRUPT) {
            fault = "an open that failed changed something";
        }
        fault = fault == NULL ? flip_back(roots, damaged.disk, path, at, mask) : fault;
    }
    crash_script_clear(&damaged);
    return fault;
}

static void flip_all(const struct expected_roots *roots, struct simulated_disk *disk,
                     const char *what)
{
    struct census census = {.flips = 0};
    const char *path;
    for (size_t i = 0; (path = simulated_disk_path(disk, i)) != NULL; i++) {
        uint64_t size;
        (void)simulated_disk_bytes(disk, path, &size);
        bool is_log = i > 0; /* mostly zeros: only its beginning tells something new */
        size = is_log && size > LOG_FLIPS_MAX * stride() ? LOG_FLIPS_MAX * stride() : size;
        uint64_t shift = page_keys_seed() - 1;
        for (uint64_t at = (i + shift) % stride(); at < size; at += stride()) {
            uint64_t drawn = at + shift / stride();
            uint8_t mask = (uint8_t)(drawn % 3 == 0 ? 0xFFU : 1U << drawn % 8);
            const char *fault = flip_one(roots, disk, path, at, mask, &census);
            cr_assert(fault == NULL, "%s: byte %" PRIu64 " of %s ^ %#x: %s (%s)", what, at, path,
                      mask, fault, verso_error_detail());
        }
    }
    printf("%s: %" PRIu64 " flips: %" PRIu64 " unharmed, %" PRIu64 " reported, %" PRIu64
           " refused, 0 wrong\n",
           what, census.flips, census.unharmed, census.reported, census.refused);
    run_count("flips", census.flips);
    run_count("right", census.unharmed);
    run_count("reported", census.reported);
    run_count("refused", census.refused);
    cr_assert_gt(census.unharmed, 0);
    cr_assert_gt(census.reported, 0);
}

/* A store with several roots, in several generations of the page table; long values too. */
static void fill(struct crash_script *script)
{
    crash_script_init(script, 5);
    cr_assert_eq(crash_script_open(script->disk, &script->store), VERSO_OK);
    cr_assert_eq(crash_script_commit(script, 0, 60, 40, false), VERSO_OK);
    cr_assert_eq(verso_checkpoint(script->store), VERSO_OK);
    cr_assert_eq(crash_script_commit(script, 20, 40, 90, false), VERSO_OK);
    cr_assert_eq(crash_script_commit(script, 100, 1, 5000, false), VERSO_OK);
    cr_assert_eq(verso_checkpoint(script->store), VERSO_OK);
    cr_assert_eq(crash_script_commit(script, 30, 10, 0, false), VERSO_OK);
    cr_assert_eq(crash_script_commit(script, 10, 3, 60, false), VERSO_OK);
}

Test(store_damage, a_flipped_bit_of_a_closed_store_gives_no_wrong_answer)
{
    static struct crash_script script;
    fill(&script);
    cr_assert_eq(verso_close(script.store), VERSO_OK);
    script.store = NULL;
    flip_all(&script.roots, script.disk, "closed");
    crash_script_clear(&script);
}

Test(store_damage, a_flipped_bit_of_a_store_in_use_gives_no_wrong_answer)
{
    static struct crash_script script;
    fill(&script);
    struct simulated_disk *left = simulated_disk_crash(script.disk, 1, SIMULATED_CRASH_ALL_NEW);
    flip_all(&script.roots, left, "in use");
    simulated_disk_close(left);
    crash_script_clear(&script);
}
