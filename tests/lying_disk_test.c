/*
 * lying_disk_test.c - each write of each scenario is lost, though the disk said that it was done, or
 * lands somewhere else. Nobody may be told a wrong value for it: what is read is right, or is said
 * to be damaged; and what verso_check() proves is right entirely.
 *
 * So it is where a write arrives once more, after the one that followed it at the same place, when that
 * was synced. What a handle has verified before it believes, so there only the next open is judged.
 *
 * A lie about the log may cost its last commits, which nothing on disk can tell from never written.
 * VERSO_SWEEP_STRIDE (default 2 for writes that go astray) sets how many writes are passed over.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_scenarios.h"
#include "run_length.h"

enum { WRITES_MAX = 20000, ASTRAY_STRIDE = 2 };

struct lie {
    const char *name;
    const char *path_part; /* of the files whose writes are concerned; NULL: all */
    const char *other_path;
    enum simulated_effect effect;
    int64_t shift_bytes;
    bool is_late; /* no fault: what stood at the place comes back behind the next sync */
};

/* Which write the lie is about. */
struct witness {
    uint64_t nth;
    const char *path_part;
    uint64_t seen;
    bool of_log;
    bool is_late;
    char path[64]; /* of a late write that is to come; empty: of none */
    uint64_t offset;
    uint8_t *before; /* what stood there; freed when it has come */
    size_t size;
};

static struct census {
    uint64_t unharmed; /* verso_check() proves the store, and it is as it must be */
    uint64_t behind;   /* so it does, but commits are missing */
    uint64_t reported; /* verso_check() or opening says that there is damage */
} census;

static bool is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING ||
           err == VERSO_MISMATCH || err == VERSO_FORMAT;
}

/* ---- comparing with the store as it should be ---- */

static bool same(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Every key of the true root: its value; or damage, unless the store is proved. */
static const char *compare_view(verso_view *view, verso_view *truth, bool proved)
{
    verso_cursor *cursor;
    verso_entry entry;
    cr_assert_eq(verso_cursor_open(truth, NULL, &cursor), VERSO_OK);
    const char *fault = NULL;
    while (fault == NULL && verso_cursor_next(cursor, &entry) == VERSO_OK) {
        verso_slice value;
        verso_err err = verso_get(view, entry.key, &value);
        if (err == VERSO_OK && !same(value, entry.value)) {
            fault = "a key has a wrong value";
        } else if (err != VERSO_OK && (proved || !is_damage(err))) {
            fault = err == VERSO_NOT_FOUND ? "a key is missing" : verso_error_detail();
        }
    }
    verso_cursor_close(cursor);
    return fault;
}

/* A scan gives keys of the true root in their order, and ends by saying why. */
static const char *compare_scan(verso_view *view, verso_view *truth, bool proved)
{
    verso_cursor *cursor;
    verso_cursor *true_cursor;
    verso_entry entry;
    verso_entry expected;
    cr_assert_eq(verso_cursor_open(truth, NULL, &true_cursor), VERSO_OK);
    cr_assert_eq(verso_cursor_open(view, NULL, &cursor), VERSO_OK);
    verso_err err = verso_cursor_next(cursor, &entry);
    const char *fault = NULL;
    while (err == VERSO_OK && fault == NULL) {
        bool right = verso_cursor_next(true_cursor, &expected) == VERSO_OK &&
                     same(entry.key, expected.key) && same(entry.value, expected.value);
        fault = right ? NULL : "a scan went wrong";
        err = right ? verso_cursor_next(cursor, &entry) : err;
    }
    if (fault == NULL && err == VERSO_NOT_FOUND &&
        verso_cursor_next(true_cursor, &expected) != VERSO_NOT_FOUND) {
        fault = "a scan ended early";
    }
    if (fault == NULL && err != VERSO_NOT_FOUND && (proved || !is_damage(err))) {
        fault = "a scan failed";
    }
    verso_cursor_close(cursor);
    verso_cursor_close(true_cursor);
    return fault;
}

/* Each root that is kept in truth, up to `newest`. What check has proved has them all. */
static const char *compare_roots(verso_store *store, verso_store *truth, verso_root_id newest,
                                 bool proved)
{
    for (verso_root_id root = 1; root <= newest; root++) {
        verso_view *view;
        verso_view *true_view;
        if (verso_view_open_root(truth, root, &true_view) != VERSO_OK) {
            continue; /* not kept in the end */
        }
        const char *fault = NULL;
        verso_err err = verso_view_open_root(store, root, &view);
        if (err == VERSO_OK) {
            fault = compare_view(view, true_view, proved);
            fault = fault == NULL ? compare_scan(view, true_view, proved) : fault;
            verso_view_close(view);
        } else if (proved || !is_damage(err)) {
            fault = "a root is missing, and nobody says so";
        }
        verso_view_close(true_view);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

/* ---- the judge ---- */

/* The store that a scenario without lies leaves. */
static verso_store *open_truth(const struct scenario *scenario, struct simulated_disk *disk)
{
    struct scenario_run run = scenario_begin(scenario, disk);
    cr_assert_eq(scenario_play(scenario, &run), VERSO_OK);
    if (run.store == NULL) {
        cr_assert_eq(scenario_open(run.disk, run.path, &run.store), VERSO_OK);
    }
    return run.store;
}

static const char *judge_open(const struct scenario_run *run, verso_store *truth, bool of_log)
{
    verso_check_report report = {.size = sizeof report};
    verso_stats stats = {.size = sizeof stats};
    verso_err err = verso_check(run->store, &report);
    if (err != VERSO_OK && !is_damage(err)) {
        return verso_error_detail();
    }
    cr_assert_eq(verso_stat(run->store, &stats), VERSO_OK);
    bool behind = stats.tip < run->acknowledged;
    if (err == VERSO_OK && behind && !of_log) {
        return "an acknowledged commit is gone, and nobody says so";
    }
    census.reported += err != VERSO_OK;
    census.unharmed += err == VERSO_OK && !behind;
    census.behind += err == VERSO_OK && behind;
    return compare_roots(run->store, truth, stats.tip, err == VERSO_OK);
}

static const char *judge(struct scenario_run *run, verso_store *truth, bool of_log)
{
    verso_err err = VERSO_OK;
    if (run->store == NULL) {
        err = scenario_open(run->disk, run->path, &run->store);
    }
    if (err != VERSO_OK) {
        run->store = NULL;
        census.reported++;
        return is_damage(err) ? NULL : verso_error_detail();
    }
    const char *fault = judge_open(run, truth, of_log);
    verso_err closed = verso_close(run->store);
    run->store = NULL;
    return fault != NULL || closed == VERSO_OK || is_damage(closed) || closed == VERSO_POISONED
               ? fault
               : verso_error_detail();
}

/* After a kill. */
static const char *judge_killed(const struct scenario_run *run, verso_store *truth, bool of_log)
{
    struct scenario_run left = *run;
    left.store = NULL;
    left.disk = simulated_disk_crash(run->disk, 1, SIMULATED_CRASH_ALL_NEW);
    const char *fault = judge(&left, truth, of_log);
    simulated_disk_close(left.disk);
    return fault;
}

/* After a kill, then after closing. */
static const char *judge_next_open(struct scenario_run *run, verso_store *truth, bool of_log)
{
    const char *fault = judge_killed(run, truth, of_log);
    if (run->store != NULL) {
        verso_err closed = verso_close(run->store); /* it may have met the damage */
        (void)closed;
        run->store = NULL;
    }
    return fault == NULL ? judge(run, truth, of_log) : fault;
}

/* On the handle, then after a kill, then after closing. */
static const char *judge_everywhere(struct scenario_run *run, verso_store *truth, bool of_log)
{
    const char *fault = judge_killed(run, truth, of_log);
    bool open = run->store != NULL;
    fault = fault == NULL ? judge(run, truth, of_log) : fault;
    return fault == NULL && open ? judge(run, truth, of_log) : fault;
}

/* ---- the sweep ---- */

/* What the write is about to replace, as far as the file goes. */
static void keep_before(struct witness *witness, struct simulated_disk *disk,
                        const struct simulated_event *event)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, event->path, &size);
    if (bytes == NULL || event->offset >= size) {
        return; /* nothing was there */
    }
    uint64_t rest = size - event->offset;
    witness->size = (size_t)(event->size < rest ? event->size : rest);
    witness->before = malloc(witness->size + 1);
    cr_assert_not_null(witness->before);
    memcpy(witness->before, bytes + event->offset, witness->size);
    witness->offset = event->offset;
    (void)snprintf(witness->path, sizeof witness->path, "%s", event->path);
}

/* The former write arrives, on the medium and in all that reads see. */
static void arrive(struct witness *witness, struct simulated_disk *disk)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(disk, witness->path, &size);
    for (size_t i = 0; bytes != NULL && i < witness->size && witness->offset + i < size; i++) {
        uint8_t mask = bytes[witness->offset + i] ^ witness->before[i];
        if (mask != 0) {
            simulated_disk_flip(disk, witness->path, witness->offset + i, mask);
        }
    }
    free(witness->before);
    witness->path[0] = '\0';
}

static void watch(void *argument, struct simulated_disk *disk, const struct simulated_event *event)
{
    struct witness *witness = argument;
    if (witness->path[0] != '\0' && event->kind == SIMULATED_SYNC && event->is_after &&
        strcmp(event->path, witness->path) == 0) {
        arrive(witness, disk);
    }
    if (event->kind != SIMULATED_WRITE || event->is_after ||
        (witness->path_part != NULL && strstr(event->path, witness->path_part) == NULL)) {
        return;
    }
    if (++witness->seen == witness->nth) {
        witness->of_log = strstr(event->path, "-wal") != NULL;
        if (witness->is_late) {
            keep_before(witness, disk, event);
        }
    }
}

/* @return Whether the scenario met the lie. */
static bool lie_once(const struct scenario *scenario, struct simulated_disk *made,
                     verso_store *truth, uint64_t nth, const struct lie *lie)
{
    struct simulated_disk *disk = simulated_disk_clone(made);
    struct scenario_run run = scenario_begin(scenario, disk);
    struct simulated_fault fault = {.kind = SIMULATED_WRITE,
                                    .path_part = lie->path_part,
                                    .nth = nth,
                                    .effect = lie->effect,
                                    .shift_bytes = lie->shift_bytes,
                                    .other_path = lie->other_path};
    struct witness witness = {.nth = nth, .path_part = lie->path_part, .is_late = lie->is_late};
    if (!lie->is_late) {
        simulated_disk_inject(disk, &fault);
    }
    simulated_disk_set_hook(disk, watch, &witness);
    verso_err err = scenario_play(scenario, &run);
    bool met = lie->is_late ? witness.seen >= nth : simulated_disk_faults_met(disk) > 0;
    simulated_disk_heal(disk);
    simulated_disk_set_hook(disk, NULL, NULL);
    cr_assert(err == VERSO_OK || is_damage(err), "%s, write %" PRIu64 " %s: %s (%s)",
              scenario->name, nth, lie->name, verso_strerror(err), verso_error_detail());
    if (witness.path[0] != '\0') { /* no sync has come: it may as well be now */
        arrive(&witness, disk);
    }
    const char *text = lie->is_late ? judge_next_open(&run, truth, witness.of_log)
                                    : judge_everywhere(&run, truth, witness.of_log);
    cr_assert(text == NULL, "%s, write %" PRIu64 " %s: %s", scenario->name, nth, lie->name, text);
    simulated_disk_close(disk);
    return met;
}

static void lie_in_each_write(const struct scenario *scenario, const struct lie *lie, unsigned step)
{
    struct simulated_disk *made = scenario_disk(scenario->start);
    struct simulated_disk *true_disk = simulated_disk_clone(made);
    verso_store *truth = open_truth(scenario, true_disk);
    uint64_t nth = 1;
    while (lie_once(scenario, made, truth, nth, lie)) {
        nth += step;
        cr_assert_lt(nth, WRITES_MAX);
    }
    cr_assert_eq(verso_close(truth), VERSO_OK);
    simulated_disk_close(true_disk);
    simulated_disk_close(made);
}

static void lie_always(const struct lie *lie, unsigned usual_step)
{
    unsigned step = (unsigned)run_stride("VERSO_SWEEP_STRIDE", usual_step);
    census = (struct census){0};
    for (size_t i = 0; i < scenario_change_count; i++) {
        if (scenario_changes[i].start != SCENARIO_IN_MEMORY) {
            lie_in_each_write(&scenario_changes[i], lie, step);
        }
    }
    printf("writes that %s: %" PRIu64 " unharmed, %" PRIu64 " behind, %" PRIu64
           " reported, 0 wrong\n",
           lie->name, census.unharmed, census.behind, census.reported);
}

Test(lying_disk, a_lost_write_shows_or_costs_the_newest_commits_of_the_log)
{
    lie_always(&(struct lie){.name = "were lost", .effect = SIMULATED_IS_LOST}, 1);
    cr_assert_gt(census.reported, 0);
    cr_assert_gt(census.behind, 0);
}

Test(lying_disk, a_write_that_lands_a_page_further_on_shows)
{
    struct lie lie = {
        .name = "landed a page further on", .effect = SIMULATED_IS_MISDIRECTED, .shift_bytes = 512};
    lie_always(&lie, ASTRAY_STRIDE);
    cr_assert_gt(census.reported, 0);
}

Test(lying_disk, a_write_that_lands_a_page_before_shows)
{
    struct lie lie = {
        .name = "landed a page before", .effect = SIMULATED_IS_MISDIRECTED, .shift_bytes = -512};
    lie_always(&lie, ASTRAY_STRIDE);
    cr_assert_gt(census.reported, 0);
}

Test(lying_disk, a_write_of_the_log_that_lands_in_the_store_shows)
{
    struct lie lie = {.name = "landed in the store",
                      .path_part = "-wal",
                      .effect = SIMULATED_IS_MISDIRECTED,
                      .other_path = SCENARIO_PATH};
    lie_always(&lie, ASTRAY_STRIDE);
}

Test(lying_disk, a_write_that_arrives_again_after_a_later_one_shows)
{
    lie_always(&(struct lie){.name = "came again", .is_late = true}, 1);
    cr_assert_gt(census.reported, 0);
}
