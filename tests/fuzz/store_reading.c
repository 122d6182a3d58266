/*
 * store_reading.c - scans against gets, counts, ranks and differences.
 *
 * How much is read is bounded: a file of a few pages may claim the same pages for many roots and
 * many long values, and each would be read as often as it is asked for.
 */
#include "store_reading.h"

#include <stdlib.h>
#include <string.h>

#include "store_searching.h"
#include "verdict.h"

enum {
    ROOTS_MAX = 24,
    ENTRIES_MAX = 512, /* of a view; the rest is only counted */
    TREES_MAX = 8,
    CHANGES_MAX = 1000,
    HISTORY_MAX = 100,
    BATCH = 16,
    SEARCHED_ONE_IN = 8, /* of the entries met */
};

#define VALUE_BYTES_MAX (UINT64_C(4) << 20)

/** Of the whole run of one input. */
static uint64_t value_bytes;

bool store_is_sound(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    verdict_require(err == VERSO_OK || err == VERSO_CORRUPT, "the check fails with another error");
    verdict_require((err == VERSO_OK) == (report.fault[0] == '\0'), "a fault without a reason");
    return err == VERSO_OK;
}

/* Look at every byte, so that a sanitiser does. */
static unsigned touch(verso_slice slice)
{
    const volatile uint8_t *bytes = slice.data;
    unsigned sum = 0;
    for (size_t i = 0; i < slice.size; i++) {
        sum += bytes[i];
    }
    value_bytes += slice.size;
    return sum;
}

static int compare(verso_slice a, verso_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/** A key that outlives the cursor's. */
struct kept_key {
    uint8_t bytes[65536];
    verso_slice key;
    bool is_set;
};

static void keep_key(struct kept_key *kept, verso_slice key)
{
    verdict_require(key.size <= sizeof kept->bytes, "a key longer than any page");
    if (key.size > 0) {
        memcpy(kept->bytes, key.data, key.size);
    }
    kept->key = (verso_slice){kept->bytes, key.size};
    kept->is_set = true;
}

/* ---- one tree ---- */

static void read_entry(verso_view *view, const verso_entry *entry, uint64_t place, bool sound)
{
    verso_slice value;
    uint64_t rank = 0;
    verso_entry found;
    touch(entry->value);
    if (verdict_read(verso_get(view, entry->key, &value), sound, "a get fails")) {
        verdict_require(!sound || compare(value, entry->value) == 0, "a get gives other bytes");
    } else {
        verdict_require(!sound, "a get misses a key that a scan has met");
    }
    if (verdict_read(verso_rank(view, entry->key, &rank), sound, "a rank fails")) {
        verdict_require(!sound || rank == place, "a rank is not the place in the scan");
    }
    if (verdict_read(verso_nth(view, place, &found), sound, "the nth entry fails")) {
        verdict_require(!sound || compare(found.key, entry->key) == 0, "the nth key is another");
    }
    if (place % SEARCHED_ONE_IN == 0) {
        store_search_entry(view, entry, sound);
    }
}

/* @return Keys met; *whole: the scan came to its end. */
static uint64_t scan(verso_view *view, bool forward, bool sound, bool *whole)
{
    static struct kept_key last;
    verso_cursor *cursor;
    verso_entry entry;
    uint64_t count = 0;
    *whole = false;
    if (!verdict_read(verso_cursor_open(view, NULL, &cursor), sound, "a cursor cannot be opened")) {
        return 0;
    }
    last.is_set = false;
    while (verdict_read(forward ? verso_cursor_next(cursor, &entry)
                                : verso_cursor_previous(cursor, &entry),
                        sound, "a scan fails")) {
        if (last.is_set) {
            int order = compare(last.key, entry.key);
            verdict_require(forward ? order < 0 : order > 0, "a scan is out of order");
        }
        keep_key(&last, entry.key);
        if (count < ENTRIES_MAX && value_bytes < VALUE_BYTES_MAX) {
            entry.key = last.key;
            if (forward) {
                read_entry(view, &entry, count, sound);
            } else {
                touch(entry.value);
            }
        }
        count++;
    }
    *whole = verso_cursor_current(cursor, &entry) == VERSO_NOT_FOUND;
    verso_cursor_close(cursor);
    return count;
}

static void read_batches(verso_view *view, uint64_t expected, bool sound)
{
    verso_cursor *cursor;
    verso_entry entries[BATCH];
    size_t count = 0;
    uint64_t sum = 0;
    if (!verdict_read(verso_cursor_open_share(view, NULL, 1, 0, &cursor), sound, "no share")) {
        return;
    }
    while (verdict_read(verso_cursor_batch(cursor, entries, BATCH, &count), sound, "a batch")) {
        sum += count;
    }
    verso_cursor_close(cursor);
    verdict_require(!sound || sum == expected, "batches have another number of keys");
}

static void read_many(verso_view *view, bool sound)
{
    static const char *texts[] = {"", "a", "key 000003", "key 000017", "zzz", "\xff\xff"};
    enum { COUNT = sizeof texts / sizeof texts[0] };
    verso_slice keys[COUNT];
    verso_slice values[COUNT];
    verso_err results[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        keys[i] = verso_text(texts[i]);
        verso_entry found;
        (void)verdict_read(verso_get_at_or_after(view, keys[i], &found), sound, "at or after");
    }
    if (verdict_read(verso_get_many(view, keys, COUNT, values, results), sound, "many gets")) {
        for (size_t i = 0; i < COUNT; i++) {
            touch(results[i] == VERSO_OK ? values[i] : (verso_slice){NULL, 0});
        }
    }
}

void store_read_view(verso_view *view, bool sound)
{
    verso_root_info info = {.size = sizeof info};
    bool forward_whole;
    bool backward_whole;
    uint64_t counted = 0;
    bool known = verdict_read(verso_view_info(view, &info), sound, "a view has no info");
    uint64_t forward = scan(view, true, sound, &forward_whole);
    uint64_t backward = scan(view, false, sound, &backward_whole);
    (void)verdict_read(verso_count(view, NULL, &counted), sound, "a count fails");
    if (sound) {
        verdict_require(forward_whole && backward_whole, "a scan has no end");
        verdict_require(forward == backward, "a scan and its reverse differ");
        verdict_require(known && info.keys == forward && counted == forward, "counts differ");
    }
    store_search_ranges(view, verso_text("key 000011"), counted, sound);
    read_batches(view, forward, sound);
    read_many(view, sound);
}

/* ---- trees, differences, histories ---- */

static void read_trees(verso_view *view, bool sound)
{
    verso_tree_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    char name[VERSO_NAME_MAX + 1];
    for (unsigned i = 0; i < TREES_MAX; i++) {
        if (!verdict_read(verso_tree_next(view, after, &info), sound, "trees cannot be listed")) {
            return;
        }
        verdict_require(info.name[0] != '\0' && strlen(info.name) <= VERSO_NAME_MAX, "no name");
        verdict_require(i == 0 || strcmp(name, info.name) < 0, "trees out of order");
        memcpy(name, info.name, sizeof name);
        after = verso_text(name);
        verso_view *tree = NULL;
        if (verdict_read(verso_view_tree(view, after, &tree), sound, "a tree cannot be opened")) {
            store_read_view(tree, sound);
        }
    }
}

static void read_difference(verso_view *from, verso_view *to, bool sound)
{
    static struct kept_key last;
    verso_diff *diff;
    verso_change change;
    verso_root_info before = {.size = sizeof before};
    verso_root_info after = {.size = sizeof after};
    uint64_t added = 0;
    uint64_t removed = 0;
    if (!verdict_read(verso_diff_open(from, to, NULL, &diff), sound, "no difference")) {
        return;
    }
    last.is_set = false;
    unsigned count = 0;
    verso_err err = VERSO_OK;
    for (; count < CHANGES_MAX; count++) {
        err = verso_diff_next(diff, &change);
        if (!verdict_read(err, sound, "a difference fails")) {
            break;
        }
        verdict_require(!last.is_set || compare(last.key, change.key) < 0,
                        "differences out of order");
        keep_key(&last, change.key);
        if (value_bytes < VALUE_BYTES_MAX) {
            touch(change.old_value);
            touch(change.new_value);
        }
        added += change.kind == VERSO_CHANGE_ADDED;
        removed += change.kind == VERSO_CHANGE_REMOVED;
    }
    verdict_require(!sound || verso_diff_pages(diff) > 0 || count == 0, "differences of no page");
    verso_diff_close(diff);
    if (sound && err == VERSO_NOT_FOUND && verso_view_info(from, &before) == VERSO_OK &&
        verso_view_info(to, &after) == VERSO_OK) {
        verdict_require(before.keys + added == after.keys + removed,
                        "a difference does not make up the difference of the counts");
    }
}

static void read_history(verso_view *view, verso_slice key, bool sound)
{
    verso_history *history;
    verso_key_version version = {.size = sizeof version};
    uint64_t last = UINT64_MAX;
    if (!verdict_read(verso_history_open(view, key, &history), sound, "no history")) {
        return;
    }
    for (unsigned i = 0; i < HISTORY_MAX; i++) {
        if (!verdict_read(verso_history_next(history, &version), sound, "a history fails")) {
            break;
        }
        verdict_require(version.root < last, "a history goes forward");
        last = version.root;
        touch(version.note);
        if (value_bytes < VALUE_BYTES_MAX) {
            touch(version.value);
        }
    }
    verso_history_close(history);
}

static void read_histories(verso_view *view, bool sound)
{
    static struct kept_key kept;
    verso_root_info info = {.size = sizeof info};
    if (verso_view_info(view, &info) != VERSO_OK) {
        return;
    }
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        verso_entry entry;
        if (verdict_read(verso_nth(view, info.keys / 4 * quarter, &entry), sound, "nth fails")) {
            keep_key(&kept, entry.key);
            read_history(view, kept.key, sound);
        }
    }
    read_history(view, verso_text("no such key"), sound);
}

/* ---- roots ---- */

/* Of at most two roots at a time, of which `newest` is one. */
static void list_readers(verso_store *store, verso_root_id newest)
{
    verso_reader_info infos[2] = {{.size = sizeof infos[0]}, {.size = sizeof infos[1]}};
    size_t count = 0;
    verdict_require(verso_readers(store, infos, 2, &count) == VERSO_OK, "readers");
    verdict_require(count == 1 || count == 2, "more readers than views");
    verdict_require(infos[count - 1].root == newest, "a reader of another root");
}

/* Read a root and what changed since the one before. @return Its view, or NULL. */
static verso_view *read_root(verso_store *store, const verso_root_info *info, verso_view *before,
                             bool sound)
{
    verso_view *view = NULL;
    verso_err err = verso_view_open_root(store, info->id, &view);
    if (!verdict_read(err, sound, "a listed root cannot be opened")) {
        verdict_require(!sound, "a listed root is not there");
        return NULL;
    }
    store_read_view(view, sound);
    read_trees(view, sound);
    list_readers(store, info->id);
    if (before != NULL) {
        read_difference(before, view, sound);
        read_difference(view, before, sound);
    }
    return view;
}

static void read_roots(verso_store *store, bool sound)
{
    static char notes[ROOTS_MAX * 1024];
    verso_root_info infos[ROOTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < ROOTS_MAX; i++) {
        infos[i].size = sizeof infos[i];
    }
    verso_err err = verso_roots(store, 0, infos, ROOTS_MAX, notes, &count);
    if (!verdict_read(err, sound, "roots cannot be listed")) {
        return;
    }
    verso_view *before = NULL;
    for (size_t i = 0; i < count; i++) {
        verdict_require(i == 0 || infos[i - 1].id < infos[i].id, "roots out of order");
        touch(infos[i].note);
        verso_view *view = read_root(store, &infos[i], before, sound);
        verso_view_close(before);
        before = view;
    }
    if (before != NULL) {
        read_histories(before, sound);
    }
    verso_view_close(before);
}

/* ---- the store as a whole ---- */

static void read_tags(verso_store *store, bool sound)
{
    verso_tag_info info = {.size = sizeof info};
    verso_slice after = {NULL, 0};
    char name[VERSO_NAME_MAX + 1] = "";
    while (verdict_read(verso_tag_next(store, after, &info), sound, "tags cannot be listed")) {
        verdict_require(strcmp(name, info.name) < 0, "tags out of order");
        memcpy(name, info.name, sizeof name);
        after = verso_text(name);
        verso_tag_info again = {.size = sizeof again};
        if (verdict_read(verso_tag_get(store, after, &again), sound, "no such tag")) {
            verdict_require(again.root == info.root, "a tag of another root");
        }
        verso_view *view = NULL;
        if (verdict_read(verso_view_open_tag(store, after, &view), sound, "no tagged root")) {
            verso_view_close(view);
        }
    }
}

static void read_figures(verso_store *store, bool sound)
{
    verso_stats stats = {.size = sizeof stats};
    verso_space_report space = {.size = sizeof space};
    verso_root_cost costs[ROOTS_MAX];
    verso_retention_effect effect = {.size = sizeof effect};
    verso_retention last = verso_keep_last(1);
    verso_retention budget = verso_keep_default();
    verso_view *view = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ROOTS_MAX; i++) {
        costs[i].size = sizeof costs[i];
    }
    budget.budget_bytes = 1;
    budget.budget_percent = 1;
    verdict_require(verso_stat(store, &stats) == VERSO_OK, "no statistics");
    (void)verdict_read(verso_space(store, &space), sound, "no report of space");
    (void)verdict_read(verso_root_costs(store, 0, costs, ROOTS_MAX, &count), sound, "no costs");
    (void)verdict_read(verso_retention_try(store, &last, NULL, 0, &effect), sound, "no trial");
    (void)verdict_read(verso_retention_try(store, &budget, NULL, 0, &effect), sound, "no budget");
    if (verdict_read(verso_view_open_at(store, INT64_MAX, &view), sound, "no root at a time")) {
        verso_view_close(view);
    }
}

void store_read_all(verso_store *store, bool sound)
{
    value_bytes = 0;
    read_figures(store, sound);
    read_tags(store, sound);
    read_roots(store, sound);
}
