/*
 * number_limits_test.c - versions, generations, epochs and the log's byte numbers near their end: it
 * is refused by name, before it is met; all that was committed stays readable.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "api_scenarios.h"
#include "forged_meta.h"
#include "format/segment.h"
#include "history/retention.h"

/* ---- numbers that come to their end ---- */

/* An empty store whose numbers are far on. */
static struct simulated_disk *far_on(uint64_t version, uint64_t generation, uint64_t epoch,
                                     uint64_t lsn)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store;
    cr_assert_eq(scenario_open(disk, SCENARIO_PATH, &store), VERSO_OK);
    if (version > 1) { /* no file has room for all the roots before it */
        uint64_t end_lsn;
        const struct vs_version_range before = {1, version - 1};
        cr_assert_eq(vs_store_begin_setting(store->store), VERSO_OK);
        cr_assert_eq(vs_retention_drop(store->store, &before, 1, &end_lsn), VERSO_OK);
        vs_store_end_setting(store->store);
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
    struct vs_meta meta;
    forged_meta_read(disk, &meta);
    meta.root.version = version > 0 ? version : meta.root.version;
    meta.generation = generation > 0 ? generation : meta.generation;
    meta.epoch = epoch > 0 ? epoch : meta.epoch;
    meta.log_lsn = lsn > 0 ? lsn : meta.log_lsn;
    forged_meta_write(disk, &meta);
    return disk;
}

/* Commit, make checkpoints, close and open until a limit is named; what was committed before stays
 * readable, in this life and in the next. */
static void run_into_limit(struct simulated_disk *disk, const char *what)
{
    verso_store *store = NULL;
    verso_err err = VERSO_OK;
    verso_root_id newest = 0;
    for (unsigned life = 0; life < 20 && err == VERSO_OK; life++) {
        err = scenario_open(disk, SCENARIO_PATH, &store);
        cr_assert_eq(err, VERSO_OK, "%s, life %u: %s", what, life, verso_error_detail());
        struct scenario_run run = {.store = store};
        verso_txn *txn;
        err = verso_begin(store, &txn);
        err = err == VERSO_OK ? scenario_finish(&run, txn, scenario_put(&run, txn, life, 50)) : err;
        newest = err == VERSO_OK ? run.acknowledged : newest;
        err = err == VERSO_OK ? verso_checkpoint(store) : err;
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        cr_assert_geq(stats.tip, newest, "%s: a commit is gone", what);
        verso_err closed = verso_close(store);
        err = err == VERSO_OK ? closed : err;
    }
    cr_assert_eq(err, VERSO_LIMIT, "%s: %s (%s)", what, verso_strerror(err), verso_error_detail());

    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open(SCENARIO_PATH, &options, &store), VERSO_OK, "%s, at its end: %s", what,
                 verso_error_detail());
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_geq(stats.tip, newest, "%s: a commit is gone", what);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(number_limits, versions_come_to_their_end_with_a_name)
{
    for (unsigned before = 0; before < 4; before++) {
        run_into_limit(far_on(INT64_MAX - before, 0, 0, 0), "versions");
    }
}

Test(number_limits, generations_come_to_their_end_with_a_name)
{
    for (unsigned before = 0; before < 4; before++) {
        run_into_limit(far_on(0, INT64_MAX - before, 0, 0), "generations");
    }
}

Test(number_limits, epochs_come_to_their_end_with_a_name)
{
    for (unsigned before = 0; before < 4; before++) {
        run_into_limit(far_on(0, 0, UINT64_MAX - before, 0), "epochs");
    }
}

Test(number_limits, the_log_comes_to_its_end_with_a_name)
{
    for (unsigned before = 0; before < 4; before++) {
        run_into_limit(far_on(0, 0, 0, VS_LSN_MAX - 16 - before * 70000), "the log");
    }
}

/* ---- recovery without a number ---- */

/* What a power cut leaves of a store with one commit in its log. */
static struct simulated_disk *cut_off(struct simulated_disk *disk)
{
    verso_store *store;
    cr_assert_eq(scenario_open(disk, SCENARIO_PATH, &store), VERSO_OK, "%s", verso_error_detail());
    struct scenario_run run = {.store = store};
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(scenario_finish(&run, txn, scenario_put(&run, txn, 1, 50)), VERSO_OK);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
    return left;
}

/* Whoever only reads needs no number: he gets the commit, too. */
static void expect_readable_only(struct simulated_disk *disk, const char *what)
{
    verso_store *store = NULL;
    uint64_t digest = simulated_disk_digest(disk);
    cr_assert_eq(scenario_open(disk, SCENARIO_PATH, &store), VERSO_LIMIT, "%s", what);
    cr_assert_eq(simulated_disk_digest(disk), digest, "%s", what);
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open(SCENARIO_PATH, &options, &store), VERSO_OK, "%s: %s", what,
                 verso_error_detail());
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.tip, 1, "%s: the commit is gone", what);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(number_limits, a_recovery_without_an_epoch_is_refused_to_writers)
{
    expect_readable_only(cut_off(far_on(0, 0, UINT64_MAX - 1, 0)), "epoch");
}

Test(number_limits, a_recovery_without_a_generation_is_refused_to_writers)
{
    struct simulated_disk *disk = cut_off(far_on(0, 0, 0, 0));
    struct vs_meta meta;
    forged_meta_read(disk, &meta);
    meta.generation = INT64_MAX;
    forged_meta_write(disk, &meta);
    expect_readable_only(disk, "generation");
}

/* No crash leaves that; but what stands in the log is not passed over for it. */
Test(number_limits, a_log_that_goes_on_behind_a_clean_meta_is_replayed)
{
    struct simulated_disk *disk = cut_off(far_on(0, 0, 0, 0));
    struct vs_meta meta;
    forged_meta_read(disk, &meta);
    meta.clean = true;
    forged_meta_write(disk, &meta);
    for (unsigned life = 0; life < 2; life++) {
        verso_store *store = NULL;
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(scenario_open(disk, SCENARIO_PATH, &store), VERSO_OK, "%s",
                     verso_error_detail());
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        cr_assert_eq(stats.tip, 1, "life %u", life);
        cr_assert_eq(verso_close(store), VERSO_OK);
    }
    simulated_disk_close(disk);
}
