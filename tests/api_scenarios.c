/*
 * api_scenarios.c - the store that scenarios work on, the playing, and the judge.
 */
#include "api_scenarios.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_SIZE = 512, VALUE_MAX = 8192, MADE_COMMITS = 5, LATE_COMMITS = 3 };

/* ---- support of the tables ---- */

bool scenario_retries(struct scenario_run *run, verso_err err)
{
    if (err == VERSO_OK || err == VERSO_NOT_FOUND) {
        return false;
    }
    if (run->failed == VERSO_OK) {
        run->failed = err;
    }
    return run->again;
}

void scenario_see(struct scenario_run *run, verso_slice bytes)
{
    const uint8_t *byte = bytes.data;
    for (size_t i = 0; i < bytes.size; i++) {
        run->seen = (run->seen ^ byte[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    }
    run->seen += bytes.size;
}

void scenario_see_number(struct scenario_run *run, uint64_t number)
{
    scenario_see(run, (verso_slice){&number, sizeof number});
}

verso_slice scenario_key(unsigned number)
{
    static char text[4][16];
    static unsigned turn;
    char *key = text[turn++ % 4];
    (void)snprintf(key, sizeof text[0], "key %05u", number);
    return verso_text(key);
}

verso_slice scenario_value(unsigned number, size_t size)
{
    static uint8_t value[VALUE_MAX];
    for (size_t i = 0; i < size && i < VALUE_MAX; i++) {
        value[i] = (uint8_t)(number * 31 + i * 7 + size);
    }
    return (verso_slice){value, size < VALUE_MAX ? size : VALUE_MAX};
}

verso_err scenario_put(struct scenario_run *run, verso_txn *txn, unsigned number, size_t size)
{
    verso_slice key = scenario_key(number);
    verso_slice value = scenario_value(number, size);
    verso_err err = verso_put(txn, key, value);
    return scenario_retries(run, err) ? verso_put(txn, key, value) : err;
}

verso_err scenario_delete(struct scenario_run *run, verso_txn *txn, unsigned number)
{
    verso_slice key = scenario_key(number);
    verso_err err = verso_delete(txn, key);
    return scenario_retries(run, err) ? verso_delete(txn, key) : err;
}

verso_err scenario_finish(struct scenario_run *run, verso_txn *txn, verso_err err)
{
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    verso_root_id root = 0;
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text("a scenario's");
    err = verso_commit(txn, &options, &root);
    if (err == VERSO_OK) {
        run->acknowledged = root;
        run->possible = root;
    } else if (err == VERSO_UNKNOWN) {
        run->possible = run->acknowledged + 1;
    }
    return err;
}

/* ---- the store ---- */

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        (void)fprintf(stderr, "without faults: %s: %s\n", verso_strerror(err),
                      verso_error_detail());
        abort();
    }
}

verso_err scenario_open(struct simulated_disk *disk, const char *path, verso_store **store)
{
    verso_retention all = verso_keep_all();
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &all;
    options.arena_bytes = 1; /* the least there is */
    options.log_bytes = 1;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, store);
}

/* A commit of a few keys, one long value, and a named tree. */
static void commit_some(verso_store *store, unsigned round)
{
    struct scenario_run run = {.store = store};
    verso_txn *txn;
    verso_txn *tree;
    must(verso_begin(store, &txn));
    unsigned count = round == 0 ? SCENARIO_KEYS : 12;
    for (unsigned i = 0; i < count; i++) {
        must(scenario_put(&run, txn, i * (round * 3 + 1) % SCENARIO_KEYS, 10 + round * 5 + i % 20));
    }
    must(scenario_put(&run, txn, 7 + round, 3000));
    must(verso_txn_tree(txn, verso_text(round % 2 ? "pears" : "apples"), true, &tree));
    for (unsigned i = 0; i < 30; i++) {
        must(scenario_put(&run, tree, i * (round + 1), 25));
    }
    must(scenario_finish(&run, txn, VERSO_OK));
}

static void make_store(verso_store *store)
{
    for (unsigned round = 0; round < MADE_COMMITS; round++) {
        commit_some(store, round);
        if (round == 2) {
            must(verso_checkpoint(store));
        }
    }
    must(verso_tag_set(store, verso_text("first"), 1));
    must(verso_tag_set(store, verso_text("second"), 3));
}

static void commit_late(verso_store *store)
{
    for (unsigned round = 0; round < LATE_COMMITS; round++) {
        commit_some(store, MADE_COMMITS + round);
    }
}

/* The store goes on, and what it has then is written to an increment. Then it is again what it
 * was. */
static void leave_behind(struct simulated_disk *disk)
{
    uint64_t size;
    const uint8_t *live = simulated_disk_bytes(disk, SCENARIO_PATH, &size);
    uint8_t *bytes = malloc(size);
    memcpy(bytes, live, size);
    verso_store *store;
    must(scenario_open(disk, SCENARIO_PATH, &store));
    commit_late(store);
    must(verso_copy_since(store, MADE_COMMITS, SCENARIO_INCREMENT_PATH, NULL));
    must(verso_close(store));
    simulated_disk_put(disk, SCENARIO_PATH, bytes, size);
    free(bytes);
}

struct simulated_disk *scenario_disk(enum scenario_start start)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    if (start == SCENARIO_NOTHING || start == SCENARIO_IN_MEMORY) {
        return disk;
    }
    verso_store *store;
    must(scenario_open(disk, SCENARIO_PATH, &store));
    make_store(store);
    if (start == SCENARIO_CRASHED) {
        commit_late(store);
        struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_NEW);
        must(verso_close(store));
        simulated_disk_close(disk);
        return left;
    }
    must(verso_close(store));
    if (start == SCENARIO_BEHIND) {
        leave_behind(disk);
    }
    return disk;
}

/* ---- playing ---- */

static verso_root_id newest_of(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    must(verso_stat(store, &stats));
    return stats.tip;
}

struct scenario_run scenario_begin(const struct scenario *scenario, struct simulated_disk *disk)
{
    struct scenario_run run = {.disk = disk, .path = SCENARIO_PATH};
    if (scenario->start == SCENARIO_IN_MEMORY) {
        run.path = NULL;
        must(scenario_open(disk, NULL, &run.store));
        make_store(run.store);
    } else if (scenario->start == SCENARIO_OPEN || scenario->start == SCENARIO_IN_USE ||
               scenario->start == SCENARIO_BEHIND) {
        must(scenario_open(disk, SCENARIO_PATH, &run.store));
    }
    if (scenario->start == SCENARIO_IN_USE) {
        commit_late(run.store);
    }
    run.acknowledged = scenario->start == SCENARIO_NOTHING   ? 0
                       : scenario->start == SCENARIO_CRASHED ? MADE_COMMITS + LATE_COMMITS
                       : run.store == NULL                   ? MADE_COMMITS
                                                             : newest_of(run.store);
    run.possible = run.acknowledged;
    return run;
}

verso_err scenario_play(const struct scenario *scenario, struct scenario_run *run)
{
    verso_err err = scenario->play(run);
    /* a broken transaction says so again and again: what broke it counts */
    return err == VERSO_MUST_ABORT && run->failed != VERSO_OK ? run->failed : err;
}

static void note_fingerprints(verso_store *store, struct scenario_reference *reference)
{
    verso_root_info infos[SCENARIO_ROOTS_MAX];
    size_t count;
    for (size_t i = 0; i < SCENARIO_ROOTS_MAX; i++) {
        infos[i].size = sizeof infos[i];
    }
    must(verso_roots(store, 0, infos, SCENARIO_ROOTS_MAX, NULL, &count));
    for (size_t i = 0; i < count; i++) {
        if (infos[i].id < SCENARIO_ROOTS_MAX) {
            reference->fingerprint[infos[i].id] = infos[i].fingerprint;
        }
    }
}

void scenario_refer(const struct scenario *scenario, struct simulated_disk *made,
                    struct scenario_reference *reference)
{
    *reference = (struct scenario_reference){.first = 0};
    struct simulated_disk *disk = simulated_disk_clone(made);
    struct scenario_run run = scenario_begin(scenario, disk);
    reference->first = run.acknowledged;
    if (run.store != NULL) { /* a scenario may drop some of them */
        note_fingerprints(run.store, reference);
    }
    must(scenario_play(scenario, &run));
    reference->seen = run.seen;
    if (run.store == NULL) {
        must(scenario_open(run.disk, run.path, &run.store));
    }
    note_fingerprints(run.store, reference);
    reference->issued = newest_of(run.store);
    must(verso_close(run.store));
    simulated_disk_close(disk);
}

/* ---- the judge ---- */

enum { REASON_MAX = 500 }; /* bytes of one reason; what it was found in comes before it */

static char fault_text[600];

static const char *failed(const char *what, const char *why)
{
    (void)snprintf(fault_text, sizeof fault_text, "%s: %.*s", what, REASON_MAX, why);
    return fault_text;
}

static const char *compare_root(const verso_root_info *info,
                                const struct scenario_reference *reference)
{
    bool same = info->id < SCENARIO_ROOTS_MAX && info->id <= reference->issued &&
                info->fingerprint == reference->fingerprint[info->id];
    if (!same) {
        (void)snprintf(fault_text, sizeof fault_text, "root %" PRIu64 " has another content",
                       info->id);
    }
    return same ? NULL : fault_text;
}

/* Is an open store as it must be, its newest root one of [least, most]? */
static const char *compare(verso_store *store, const struct scenario_reference *reference,
                           verso_root_id least, verso_root_id most)
{
    verso_check_report report = {.size = sizeof report};
    if (verso_check(store, &report) != VERSO_OK) {
        return failed("verso_check()",
                      report.fault[0] != '\0' ? report.fault : verso_error_detail());
    }
    verso_root_info infos[SCENARIO_ROOTS_MAX];
    size_t count;
    for (size_t i = 0; i < SCENARIO_ROOTS_MAX; i++) {
        infos[i].size = sizeof infos[i];
    }
    if (verso_roots(store, 0, infos, SCENARIO_ROOTS_MAX, NULL, &count) != VERSO_OK) {
        return failed("listing the roots", verso_error_detail());
    }
    for (size_t i = 0; i < count; i++) {
        const char *fault = compare_root(&infos[i], reference);
        if (fault != NULL) {
            return fault;
        }
    }
    verso_root_id newest = count == 0 ? 0 : infos[count - 1].id;
    if (newest < least || newest > most) {
        (void)snprintf(fault_text, sizeof fault_text,
                       "the newest root is %" PRIu64 ", not %" PRIu64 " to %" PRIu64, newest, least,
                       most);
        return fault_text;
    }
    return NULL;
}

static const char *close_store(struct scenario_run *run)
{
    verso_err err = verso_close(run->store);
    run->store = NULL;
    if (err != VERSO_OK) {
        return failed("closing afterwards", verso_error_detail());
    }
    return simulated_disk_open_files(run->disk) == 0 ? NULL : "files are open after closing";
}

static const char *open_store(struct scenario_run *run)
{
    return scenario_open(run->disk, run->path, &run->store) == VERSO_OK
               ? NULL
               : failed("opening afterwards", verso_error_detail());
}

/* Policy and tags as one number, and which roots are kept, where that is all: others may be dropped
 * at any time. @return NULL, or what went wrong. */
static const char *digest_settings(verso_store *store, uint64_t *digest)
{
    struct scenario_run sum = {.store = store};
    verso_retention policy = {.size = sizeof policy};
    if (verso_retention_get(store, &policy) != VERSO_OK) {
        return failed("reading the policy", verso_error_detail());
    }
    scenario_see_number(&sum, policy.all);
    scenario_see_number(&sum, policy.last);
    scenario_see_number(&sum, policy.class_count);
    scenario_see_number(&sum, policy.budget_bytes);
    verso_tag_info tag = {.size = sizeof tag};
    verso_err err = verso_tag_next(store, (verso_slice){NULL, 0}, &tag);
    while (err == VERSO_OK) {
        scenario_see(&sum, verso_text(tag.name));
        scenario_see_number(&sum, tag.root);
        err = verso_tag_next(store, verso_text(tag.name), &tag);
    }
    if (err != VERSO_NOT_FOUND) {
        return failed("listing the tags", verso_error_detail());
    }
    verso_root_info infos[SCENARIO_ROOTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SCENARIO_ROOTS_MAX; i++) {
        infos[i].size = sizeof infos[i];
    }
    if (policy.all && verso_roots(store, 0, infos, SCENARIO_ROOTS_MAX, NULL, &count) != VERSO_OK) {
        return failed("listing the roots", verso_error_detail());
    }
    for (size_t i = 0; i < count; i++) {
        scenario_see_number(&sum, infos[i].id);
    }
    *digest = sum.seen;
    return NULL;
}

/* What a killed process would leave now: after its recovery the same settings, and roots as they
 * must be. */
static const char *compare_after_kill(const struct scenario_run *run,
                                      const struct scenario_reference *reference)
{
    struct scenario_run left = {.disk = simulated_disk_crash(run->disk, 1, SIMULATED_CRASH_ALL_NEW),
                                .path = run->path};
    uint64_t now = 0;
    uint64_t then = 0;
    const char *fault = digest_settings(run->store, &now);
    fault = fault == NULL ? open_store(&left) : fault;
    fault =
        fault == NULL ? compare(left.store, reference, run->acknowledged, run->possible) : fault;
    fault = fault == NULL ? digest_settings(left.store, &then) : fault;
    fault = fault == NULL ? close_store(&left) : fault;
    if (fault != NULL) {
        static char copy[REASON_MAX];
        (void)snprintf(copy, sizeof copy, "%.*s", REASON_MAX - 1, fault);
        return failed("after a kill", copy);
    }
    simulated_disk_close(left.disk);
    return now == then ? NULL : "after a kill: other tags or another policy";
}

/* One more commit, whose content nobody has foretold. */
static const char *commit_once_more(struct scenario_run *run, struct scenario_reference *reference)
{
    verso_txn *txn;
    verso_err err = verso_begin(run->store, &txn);
    if (err == VERSO_OK) {
        err = scenario_finish(run, txn, scenario_put(run, txn, 11, 100));
    }
    verso_view *view = NULL;
    err = err == VERSO_OK ? verso_view_open(run->store, &view) : err;
    verso_root_info info = {.size = sizeof info};
    err = err == VERSO_OK ? verso_view_info(view, &info) : err;
    verso_view_close(view);
    if (err != VERSO_OK) {
        return failed("a commit afterwards", verso_error_detail());
    }
    reference->issued = info.id;
    reference->fingerprint[info.id % SCENARIO_ROOTS_MAX] = info.fingerprint;
    return compare(run->store, reference, info.id, info.id);
}

/* Close and open: everything is as it was. */
static const char *compare_after_closing(struct scenario_run *run,
                                         const struct scenario_reference *reference)
{
    uint64_t before = 0;
    uint64_t after = 0;
    const char *fault = digest_settings(run->store, &before);
    fault = fault == NULL ? close_store(run) : fault;
    if (run->path == NULL || fault != NULL) {
        return fault;
    }
    fault = open_store(run);
    if (fault == NULL) {
        fault = compare(run->store, reference, reference->issued, reference->issued);
    }
    fault = fault == NULL ? digest_settings(run->store, &after) : fault;
    fault = fault == NULL ? close_store(run) : fault;
    return fault != NULL || before == after ? fault : "closing changed tags, policy or roots";
}

const char *scenario_work_on(struct scenario_run *run, const struct scenario_reference *given)
{
    struct scenario_reference reference = *given;
    const char *fault = run->store == NULL ? open_store(run) : NULL;
    if (fault == NULL) {
        fault = compare(run->store, &reference, run->acknowledged, run->possible);
    }
    if (fault == NULL && run->path != NULL) {
        fault = compare_after_kill(run, &reference);
    }
    if (fault == NULL) {
        fault = commit_once_more(run, &reference);
    }
    return fault == NULL ? compare_after_closing(run, &reference) : fault;
}
