/*
 * store_fault_test.c - a disk that fails or fills up while a story is played.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "crash_script.h"
#include "page_keys.h"

/* Any root that may be opened holds what it must, or the read says that it cannot be had. */
static const char *compare_readable(struct crash_script *script)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(script->store, &stats) != VERSO_OK) {
        return "no statistics";
    }
    verso_view *view;
    if (verso_view_open(script->store, &view) != VERSO_OK) {
        return verso_error_detail();
    }
    const struct expected_root *root = &script->roots.root[stats.published];
    const char *fault = NULL;
    for (size_t i = 0; i < root->state.count && fault == NULL; i++) {
        verso_slice value;
        verso_slice expected = root->state.pairs[i].value;
        verso_err err = verso_get(view, root->state.pairs[i].key, &value);
        bool same = err == VERSO_OK && value.size == expected.size &&
                    memcmp(value.data, expected.data, value.size) == 0;
        if (!same && err != VERSO_CORRUPT) {
            fault = err == VERSO_OK ? "a read gave other bytes" : "a read failed";
        }
    }
    verso_view_close(view);
    return fault;
}

/* ---- failed syncs and writes ---- */

/* With the fault gone a handle that was not poisoned works on. */
static void work_on(struct crash_script *script, uint64_t nth)
{
    verso_err err = crash_script_commit(script, 0, 60, 500, false);
    cr_assert_eq(err, VERSO_OK, "fault %" PRIu64 ", then a commit: %s", nth, verso_error_detail());
    const char *text = expected_compare_store(&script->roots, script->store, &script->random);
    cr_assert(text == NULL, "fault %" PRIu64 ", then a commit: %s", nth, text);
    cr_assert_eq(verso_close(script->store), VERSO_OK, "%s", verso_error_detail());
    script->store = NULL;
}

/* What a handle is good for after a failed sync: of data, and nothing may be believed; of a file
 * that was being prepared, and only the commit that needed it failed. */
static void look_at_handle(struct crash_script *script, uint64_t nth, verso_err err)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(script->store, &stats), VERSO_OK);
    cr_assert(stats.poisoned || err == VERSO_IO, "fault %" PRIu64 ": %s, and no poison", nth,
              verso_strerror(err));
    const char *text = compare_readable(script);
    cr_assert(text == NULL, "fault %" PRIu64 ": %s", nth, text);
    if (!stats.poisoned) {
        expected_forget_after(&script->roots, stats.tip);
        return;
    }
    verso_txn *txn;
    cr_assert_eq(verso_begin(script->store, &txn), VERSO_POISONED);
    cr_assert_neq(verso_checkpoint(script->store), VERSO_OK);
    cr_assert_neq(verso_sync(script->store), VERSO_OK);
    cr_assert_eq(verso_wait_durable(script->store, stats.tip),
                 stats.tip > stats.durable ? VERSO_UNKNOWN : VERSO_OK);
}

/* The `nth` sync or write fails. @return Whether the story met it. */
static bool fail_one(enum simulated_kind kind, uint64_t nth, enum simulated_effect effect)
{
    static struct crash_script script;
    crash_script_init(&script, nth);
    struct simulated_fault fault = {.kind = kind, .nth = nth, .effect = effect};
    simulated_disk_inject(script.disk, &fault);
    verso_err err = crash_script_play(&script);
    if (simulated_disk_faults_met(script.disk) == 0) {
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        crash_script_clear(&script);
        return false;
    }
    cr_assert(err != VERSO_OK, "fault %" PRIu64 ": nobody was told", nth);
    bool poisoned = false;
    if (script.store != NULL) { /* neither opening nor closing failed */
        look_at_handle(&script, nth, err);
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(script.store, &stats), VERSO_OK);
        poisoned = stats.poisoned;
    }
    struct simulated_disk *left = simulated_disk_crash(
        script.disk, nth, nth % 2 ? SIMULATED_CRASH_ALL_OLD : SIMULATED_CRASH_RANDOM);
    const char *text = crash_script_judge(&script.roots, left, script.durable, NULL);
    cr_assert(text == NULL, "fault %" PRIu64 ", then a power cut: %s", nth, text);
    if (script.store != NULL && poisoned) {
        (void)verso_close(script.store);
        script.store = NULL;
    } else if (script.store != NULL) {
        work_on(&script, nth);
    }
    text =
        crash_script_judge(&script.roots, simulated_disk_clone(script.disk), script.durable, NULL);
    cr_assert(text == NULL, "fault %" PRIu64 ", then closed: %s", nth, text);
    crash_script_clear(&script);
    return true;
}

static void fail_each(enum simulated_kind kind, enum simulated_effect effect)
{
    uint64_t nth = 1;
    while (fail_one(kind, nth, effect)) {
        nth++;
    }
    cr_assert_gt(nth, 50, "the story syncs or writes only %" PRIu64 " times", nth - 1);
}

Test(store_fault, a_failed_sync_is_never_believed)
{
    fail_each(SIMULATED_SYNC, SIMULATED_FAILS);
}

Test(store_fault, a_sync_that_failed_in_part_is_never_believed)
{
    fail_each(SIMULATED_SYNC, SIMULATED_FAILS_PARTLY);
}

Test(store_fault, a_sync_that_took_writes_back_is_never_believed)
{
    fail_each(SIMULATED_SYNC, SIMULATED_FAILS_AND_REVERTS);
}

Test(store_fault, a_failed_write_is_never_believed)
{
    fail_each(SIMULATED_WRITE, SIMULATED_FAILS);
}

Test(store_fault, a_write_that_failed_in_part_is_never_believed)
{
    fail_each(SIMULATED_WRITE, SIMULATED_FAILS_PARTLY);
}

/* ---- a full disk ---- */

/* From the `nth` growth on there is no room. @return Whether the story met it. */
static bool fill_disk(enum simulated_kind kind, uint64_t nth)
{
    static struct crash_script script;
    crash_script_init(&script, nth);
    struct simulated_fault fault = {.kind = kind, .nth = nth, .for_ever = true, .err = VERSO_NOSPC};
    simulated_disk_inject(script.disk, &fault);
    verso_err err = crash_script_play(&script);
    if (err == VERSO_OK) {
        bool met = simulated_disk_faults_met(script.disk) > 0;
        crash_script_clear(&script);
        return met;
    }
    cr_assert_eq(err, VERSO_NOSPC, "growth %" PRIu64 ": %s (%s)", nth, verso_strerror(err),
                 verso_error_detail());
    const char *text = NULL;
    if (script.store != NULL) {
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(script.store, &stats), VERSO_OK);
        cr_assert_not(stats.poisoned, "growth %" PRIu64 ": a full disk poisons", nth);
        expected_forget_after(&script.roots, stats.tip); /* what failed was aborted */
        text = expected_check(script.store);
        cr_assert(text == NULL, "growth %" PRIu64 ": %s", nth, text);
        text = compare_readable(&script);
        cr_assert(text == NULL, "growth %" PRIu64 ": %s", nth, text);
    }
    struct simulated_disk *left = simulated_disk_crash(script.disk, nth, SIMULATED_CRASH_ALL_OLD);
    text = crash_script_judge(&script.roots, left, script.durable, NULL);
    cr_assert(text == NULL, "growth %" PRIu64 ", then a power cut: %s", nth, text);
    simulated_disk_heal(script.disk);
    if (script.store != NULL) { /* with room again the handle works on */
        work_on(&script, nth);
    }
    crash_script_clear(&script);
    return true;
}

Test(store_fault, a_disk_without_room_aborts_and_nothing_else)
{
    uint64_t nth = 1;
    while (fill_disk(SIMULATED_ALLOCATE, nth)) {
        nth++;
    }
    cr_assert_gt(nth, 3);
}

Test(store_fault, no_room_for_another_file_aborts_and_nothing_else)
{
    uint64_t nth = 1;
    while (fill_disk(SIMULATED_CREATE, nth)) {
        nth++;
    }
    cr_assert_gt(nth, 2);
}

/* ---- a recovery on a full disk ---- */

Test(store_fault, a_recovery_without_room_can_be_tried_again)
{
    static struct crash_script script;
    crash_script_init(&script, 3);
    cr_assert_eq(crash_script_open(script.disk, &script.store), VERSO_OK);
    for (unsigned i = 0; i < 12; i++) {
        cr_assert_eq(crash_script_commit(&script, i * 20, 20, 200, false), VERSO_OK);
    }
    struct simulated_disk *left = simulated_disk_crash(script.disk, 1, SIMULATED_CRASH_ALL_NEW);
    for (uint64_t nth = 1;; nth++) {
        struct simulated_disk *disk = simulated_disk_clone(left);
        struct simulated_fault fault = {
            .kind = SIMULATED_ALLOCATE, .nth = nth, .for_ever = true, .err = VERSO_NOSPC};
        simulated_disk_inject(disk, &fault);
        verso_store *store = NULL;
        verso_err err = crash_script_open(disk, &store);
        simulated_disk_heal(disk);
        if (err == VERSO_OK) {
            cr_assert_eq(verso_close(store), VERSO_OK);
            simulated_disk_close(disk);
            break;
        }
        cr_assert_eq(err, VERSO_NOSPC, "%s", verso_error_detail());
        cr_assert_eq(simulated_disk_open_files(disk), 0);
        const char *text = crash_script_judge(&script.roots, disk, script.durable, NULL);
        cr_assert(text == NULL, "growth %" PRIu64 ": %s", nth, text);
    }
    simulated_disk_close(left);
    crash_script_clear(&script);
}
