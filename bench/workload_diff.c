/*
 * workload_diff.c - differences of two roots, against reading both of them whole, and reverting.
 *
 * The two roots that differ in ten keys are 10 commits apart, the others 10,000. A revert takes
 * back the ten keys in a durable commit of its own, and is itself taken back, on a copy of these
 * roots.
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "stop.h"
#include "versions.h"

enum { FEW = 10, WALKS = 20 };

struct diff_rows {
    struct row *times;
    struct row *pages;
};

static uint64_t walk_changes(verso_view *from, verso_view *to, uint64_t *pages)
{
    verso_diff *diff = NULL;
    verso_change change;
    uint64_t changes = 0;
    expect_ok(verso_diff_open(from, to, NULL, &diff), "verso_diff_open");
    verso_err err = verso_diff_next(diff, &change);
    for (; err == VERSO_OK; changes++) {
        err = verso_diff_next(diff, &change);
    }
    if (err != VERSO_NOT_FOUND) {
        expect_ok(err, "verso_diff_next");
    }
    *pages = verso_diff_pages(diff);
    verso_diff_close(diff);
    return changes;
}

static void time_diff(verso_store *store, verso_root_id from, verso_root_id to,
                      const struct diff_rows *rows)
{
    verso_view *old = direct_view(store, from);
    verso_view *new = direct_view(store, to);
    uint64_t pages = 0;
    uint64_t changes = walk_changes(old, new, &pages);
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "diff, %" PRIu64 " keys changed", changes);
    uint64_t start_ns = now_ns();
    for (unsigned i = 0; i < WALKS; i++) {
        (void)walk_changes(old, new, &pages);
    }
    direct_add_us(rows->times, label, false, start_ns, WALKS);
    figure_add(row_figure(rows->pages, label, false), (double)pages);
    verso_view_close(old);
    verso_view_close(new);
}

static void time_reading_both(verso_store *store, const struct versions *versions,
                              const struct diff_rows *rows)
{
    verso_view *old = direct_view(store, versions->old);
    verso_view *new = direct_view(store, versions->newest);
    uint64_t start_ns = now_ns();
    (void)direct_read_all(old);
    (void)direct_read_all(new);
    direct_add_us(rows->times, "scan of both roots", true, start_ns, 1);
    verso_view_close(old);
    verso_view_close(new);
}

void workload_diff(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    struct diff_rows rows = {row_open("diff", "difference of two roots (less is better)", "us"),
                             row_open("diff", "pages visited in both (less is better)", "pages")};
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        time_diff(store, versions.newest - FEW, versions.newest, &rows);
        time_diff(store, versions.old, versions.newest, &rows);
        time_reading_both(store, &versions, &rows);
    }
    row_close(bench->report, rows.times);
    row_close(bench->report, rows.pages);
    expect_ok(verso_close(store), "verso_close");
}

/* ---- revert ---- */

static uint64_t revert_to(verso_store *store, verso_root_id root)
{
    uint64_t changes = 0;
    verso_view *view = direct_view(store, root);
    verso_txn *txn = direct_begin(store);
    expect_ok(verso_revert(txn, view, NULL, &changes), "verso_revert");
    (void)direct_commit(txn, false);
    verso_view_close(view);
    return changes;
}

static void time_revert(verso_store *store, verso_root_id back, verso_root_id forth,
                        struct row *row)
{
    uint64_t changes = revert_to(store, back);
    (void)revert_to(store, forth);
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "revert of %" PRIu64 " keys", changes);
    uint64_t start_ns = now_ns();
    for (unsigned i = 0; i < WALKS; i++) {
        (void)revert_to(store, i % 2 == 0 ? back : forth);
    }
    direct_add_us(row, label, false, start_ns, WALKS);
}

void workload_revert(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    struct path directory = bench_path(bench, "revert");
    struct path file = path_join(directory.text, engine_verso.file_name);
    directory_make(directory.text);
    verso_store *source = direct_open(bench, versions.directory.text, KEEP_ALL);
    const verso_root_id roots[] = {versions.old, versions.newest - FEW};
    verso_copy_options options = {
        .size = sizeof options, .roots = roots, .root_count = sizeof roots / sizeof roots[0]};
    expect_ok(verso_copy(source, file.text, &options, NULL), "verso_copy");
    expect_ok(verso_close(source), "verso_close");
    verso_store *store = direct_open(bench, directory.text, KEEP_ALL);
    struct row *row = row_open("revert", "revert and durable commit (less is better)", "us");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        time_revert(store, versions.newest - FEW, versions.newest, row);
        time_revert(store, versions.old, versions.newest, row);
    }
    row_close(bench->report, row);
    expect_ok(verso_close(store), "verso_close");
    directory_remove(directory.text);
}
