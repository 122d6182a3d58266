/*
 * reading_scenarios.c - the scenarios that read: what each sees enters its digest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "api_scenarios.h"

/* Open the newest root, let `read` read, close. */
static verso_err read_newest(struct scenario_run *run,
                             verso_err (*read)(struct scenario_run *run, verso_view *view))
{
    verso_view *view;
    verso_err err = verso_view_open(run->store, &view);
    if (err == VERSO_OK) {
        err = read(run, view);
        verso_view_close(view);
    }
    return err;
}

/* The end of a walk is no failure. */
static verso_err unless_ended(verso_err err)
{
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static void see_entry(struct scenario_run *run, const verso_entry *entry)
{
    scenario_see(run, entry->key);
    scenario_see(run, entry->value);
}

/* ---- single reads ---- */

static verso_err get_keys(struct scenario_run *run, verso_view *view)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < SCENARIO_KEYS && err == VERSO_OK; i += 7) {
        verso_slice value;
        err = verso_get(view, scenario_key(i), &value);
        err = scenario_retries(run, err) ? verso_get(view, scenario_key(i), &value) : err;
        if (err == VERSO_OK) {
            scenario_see(run, value);
        }
        err = unless_ended(err);
    }
    verso_entry found;
    err = err == VERSO_OK ? verso_get_at_or_after(view, verso_text("key 00100x"), &found) : err;
    if (err == VERSO_OK) {
        see_entry(run, &found);
    }
    return err;
}

static verso_err get_many(struct scenario_run *run, verso_view *view)
{
    verso_slice keys[4];
    verso_slice values[4];
    verso_err results[4];
    for (unsigned i = 0; i < 4; i++) {
        keys[i] = scenario_key(i * 50);
    }
    verso_err err = verso_get_many(view, keys, 4, values, results);
    for (unsigned i = 0; i < 4 && err == VERSO_OK; i++) {
        scenario_see(run, values[i]);
    }
    uint8_t buffer[500];
    size_t copied;
    if (err == VERSO_OK) {
        err = verso_read(view, scenario_key(7), 1000, buffer, sizeof buffer, &copied);
    }
    if (err == VERSO_OK) {
        scenario_see(run, (verso_slice){buffer, copied});
    }
    return err;
}

static verso_err count_keys(struct scenario_run *run, verso_view *view)
{
    verso_range range = {.size = sizeof range, .has_prefix = true};
    range.prefix = verso_text("key 000");
    uint64_t number;
    verso_entry entry;
    verso_err err = verso_count(view, &range, &number);
    if (err == VERSO_OK) {
        scenario_see_number(run, number);
        err = verso_rank(view, verso_text("key 00050"), &number);
    }
    if (err == VERSO_OK) {
        scenario_see_number(run, number);
        err = verso_nth(view, 77, &entry);
    }
    if (err == VERSO_OK) {
        see_entry(run, &entry);
        err = verso_random(view, &range, 12345, &entry);
    }
    if (err == VERSO_OK) {
        see_entry(run, &entry);
    }
    return err;
}

static verso_err list_trees(struct scenario_run *run, verso_view *view)
{
    verso_tree_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    verso_err err = verso_tree_next(view, after, &info);
    while (err == VERSO_OK) {
        verso_view *tree;
        verso_slice value;
        scenario_see_number(run, info.fingerprint);
        err = verso_view_tree(view, verso_text(info.name), &tree);
        err =
            scenario_retries(run, err) ? verso_view_tree(view, verso_text(info.name), &tree) : err;
        if (err == VERSO_OK) {
            err = verso_get(tree, scenario_key(0), &value);
        }
        if (err == VERSO_OK) {
            scenario_see(run, value);
            err = verso_tree_next(view, verso_text(info.name), &info);
        }
    }
    return unless_ended(err);
}

static verso_err read_values(struct scenario_run *run)
{
    verso_err err = read_newest(run, get_keys);
    err = err == VERSO_OK ? read_newest(run, get_many) : err;
    err = err == VERSO_OK ? read_newest(run, count_keys) : err;
    return err == VERSO_OK ? read_newest(run, list_trees) : err;
}

/* ---- cursors ---- */

static verso_err scan(struct scenario_run *run, verso_cursor *cursor)
{
    verso_entry entry;
    verso_err err = verso_cursor_next(cursor, &entry);
    while (err == VERSO_OK) {
        see_entry(run, &entry);
        err = verso_cursor_next(cursor, &entry);
    }
    if (err != VERSO_NOT_FOUND) {
        return verso_cursor_next(cursor, &entry) == err ? err : VERSO_INVALID; /* it keeps it */
    }
    err = verso_cursor_seek(cursor, VERSO_SEEK_LE, verso_text("key 00120"), &entry);
    for (unsigned i = 0; i < 40 && err == VERSO_OK; i++) {
        see_entry(run, &entry);
        err = verso_cursor_previous(cursor, &entry);
    }
    verso_entry batch[32];
    size_t count;
    err = err == VERSO_OK ? verso_cursor_batch(cursor, batch, 32, &count) : err;
    for (size_t i = 0; err == VERSO_OK && i < count; i++) {
        see_entry(run, &batch[i]);
    }
    return err;
}

static verso_err scan_range(struct scenario_run *run, verso_view *view)
{
    verso_range range = {.size = sizeof range, .has_from = true};
    range.from = verso_text("key 00010");
    verso_cursor *cursor;
    verso_err err = verso_cursor_open(view, &range, &cursor);
    if (err == VERSO_OK) {
        err = scan(run, cursor);
        verso_cursor_close(cursor);
    }
    if (err == VERSO_OK) {
        err = verso_cursor_open_share(view, NULL, 3, 1, &cursor);
    }
    if (err == VERSO_OK) {
        verso_entry entry;
        err = verso_cursor_first(cursor, &entry);
        if (err == VERSO_OK) {
            see_entry(run, &entry);
        }
        verso_cursor_close(cursor);
    }
    return err;
}

static verso_err use_cursors(struct scenario_run *run)
{
    return read_newest(run, scan_range);
}

/* ---- history ---- */

static verso_err walk_difference(struct scenario_run *run, verso_view *from, verso_view *to)
{
    verso_diff *diff;
    verso_change change;
    verso_err err = verso_diff_open(from, to, NULL, &diff);
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_diff_next(diff, &change);
    while (err == VERSO_OK) {
        scenario_see_number(run, change.kind);
        scenario_see(run, change.key);
        scenario_see(run, change.old_value);
        scenario_see(run, change.new_value);
        err = verso_diff_next(diff, &change);
    }
    verso_diff_close(diff);
    return unless_ended(err);
}

static verso_err differ_from_first(struct scenario_run *run, verso_view *newest)
{
    verso_view *first;
    verso_err err = verso_view_open_root(run->store, 1, &first);
    if (err == VERSO_OK) {
        err = walk_difference(run, first, newest);
        verso_view_close(first);
    }
    return err;
}

static verso_err walk_key_history(struct scenario_run *run, verso_view *view)
{
    verso_history *history;
    verso_err err = verso_history_open(view, scenario_key(7), &history);
    if (err != VERSO_OK) {
        return err;
    }
    verso_key_version version = {.size = sizeof version};
    err = verso_history_next(history, &version);
    while (err == VERSO_OK) {
        scenario_see_number(run, version.root);
        scenario_see(run, version.note);
        scenario_see(run, version.value);
        err = verso_history_next(history, &version);
    }
    verso_history_close(history);
    return unless_ended(err);
}

static verso_err look_back(struct scenario_run *run)
{
    verso_err err = read_newest(run, differ_from_first);
    err = err == VERSO_OK ? read_newest(run, walk_key_history) : err;
    verso_view *view;
    verso_root_info info = {.size = sizeof info};
    if (err == VERSO_OK) {
        err = verso_view_open_at(run->store, INT64_MAX, &view);
    }
    if (err == VERSO_OK) {
        err = verso_view_info(view, &info);
        if (err == VERSO_OK) {
            scenario_see(run, info.note);
        }
        verso_view_close(view);
    }
    return err;
}

/* ---- the store as a whole ---- */

static verso_err report(struct scenario_run *run)
{
    verso_root_cost costs[SCENARIO_ROOTS_MAX];
    verso_space_report space = {.size = sizeof space};
    verso_check_report checked = {.size = sizeof checked};
    verso_reader_info readers[2];
    size_t count;
    for (size_t i = 0; i < SCENARIO_ROOTS_MAX; i++) {
        costs[i].size = sizeof costs[i];
    }
    readers[0].size = readers[1].size = sizeof readers[0];
    verso_err err = verso_root_costs(run->store, 0, costs, SCENARIO_ROOTS_MAX, &count);
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        scenario_see_number(run, costs[i].own_bytes);
    }
    err = err == VERSO_OK ? verso_space(run->store, &space) : err;
    err = err == VERSO_OK ? verso_readers(run->store, readers, 2, &count) : err;
    err = err == VERSO_OK ? verso_check(run->store, &checked) : err;
    if (err == VERSO_OK) {
        scenario_see_number(run, space.live_bytes);
        scenario_see_number(run, count);
        scenario_see_number(run, checked.pages);
    }
    return err;
}

/* ---- copies ---- */

/* Nothing is at the path of what failed, unless removing it failed as well. */
static verso_err judge_copy(struct scenario_run *run, const char *path, verso_err err)
{
    bool exists = simulated_disk_exists(run->disk, path);
    if (err != VERSO_OK) {
        return exists && simulated_disk_faults_met(run->disk) < 2 ? VERSO_EXISTS : err;
    }
    return exists ? VERSO_OK : VERSO_NO_STORE;
}

static verso_err copy(struct scenario_run *run)
{
    verso_copy_report made = {.size = sizeof made};
    verso_err err = verso_copy(run->store, SCENARIO_COPY_PATH, NULL, &made);
    err = judge_copy(run, SCENARIO_COPY_PATH, err);
    if (err == VERSO_OK) {
        scenario_see_number(run, made.roots);
        scenario_see_number(run, made.bytes);
    }
    return err;
}

static verso_err write_increment(struct scenario_run *run)
{
    verso_copy_report made = {.size = sizeof made};
    verso_err err = verso_copy_since(run->store, 2, SCENARIO_INCREMENT_PATH, &made);
    err = judge_copy(run, SCENARIO_INCREMENT_PATH, err);
    if (err == VERSO_OK) {
        scenario_see_number(run, made.roots);
        scenario_see_number(run, made.bytes);
    }
    return err;
}

/* ---- salvage ---- */

/* Where something is missing it has met what has failed, as a read that says so. */
static verso_err judge_salvage(struct scenario_run *run, verso_err err,
                               const verso_salvage_report *report)
{
    if (err == VERSO_OK && !report->whole) {
        simulated_disk_remove(run->disk, SCENARIO_COPY_PATH);
        return simulated_disk_faults_met(run->disk) > 0 ? VERSO_IO : VERSO_CORRUPT;
    }
    err = judge_copy(run, SCENARIO_COPY_PATH, err);
    if (err == VERSO_OK) {
        scenario_see_number(run, report->keys);
        scenario_see_number(run, report->log_roots);
    }
    return err;
}

static verso_err salvage(struct scenario_run *run)
{
    verso_salvage_options options = {.size = sizeof options,
                                     .system = simulated_disk_os(run->disk)};
    verso_salvage_report report = {.size = sizeof report};
    verso_err err = verso_salvage(SCENARIO_PATH, SCENARIO_COPY_PATH, &options, &report);
    return judge_salvage(run, err, &report);
}

const struct scenario scenario_readings[] = {
    {"reads", SCENARIO_OPEN, read_values},
    {"reads of pages in memory", SCENARIO_IN_USE, read_values},
    {"cursors", SCENARIO_OPEN, use_cursors},
    {"difference and history", SCENARIO_OPEN, look_back},
    {"difference and history in use", SCENARIO_IN_USE, look_back},
    {"reports", SCENARIO_IN_USE, report},
    {"copy", SCENARIO_IN_USE, copy},
    {"increment", SCENARIO_IN_USE, write_increment},
    {"salvage", SCENARIO_CLOSED, salvage},
    {"salvage after a crash", SCENARIO_CRASHED, salvage},
};
const size_t scenario_reading_count = sizeof scenario_readings / sizeof scenario_readings[0];
