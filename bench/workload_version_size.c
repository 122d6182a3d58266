/*
 * workload_version_size.c - the bytes of the store file that a kept version takes.
 *
 * Growth is what history holds after the commits, less what it held before, a commit. A version's
 * own bytes are what dropping that version alone would free: the median of the roots between the
 * first and the last.
 */
#include <stdlib.h>

#include "clock.h"
#include "commits.h"
#include "direct.h"
#include "stop.h"

struct size_case {
    const char *label;
    uint32_t commits;
    uint32_t puts; /* a commit */
};

static const struct size_case size_cases[] = {
    {"1 put a commit", 1000, 1},
    {"10 puts a commit", 1000, 10},
    {"1,000 puts a commit", 50, 1000},
};

struct size_rows {
    struct row *growth;
    struct row *own;
    struct row *costs;
};

static uint64_t history_bytes(verso_store *store)
{
    verso_space_report space = {.size = sizeof space};
    expect_ok(verso_checkpoint(store), "verso_checkpoint");
    expect_ok(verso_space(store, &space), "verso_space");
    return space.history_bytes;
}

static double own_bytes_of(verso_store *store, verso_root_id first, uint32_t count,
                           const struct size_case *of, struct row *times)
{
    verso_root_cost *costs = allocate(count, sizeof *costs);
    double *own = allocate(count, sizeof *own);
    size_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        costs[i].size = sizeof costs[i];
    }
    uint64_t start_ns = now_ns();
    expect_ok(verso_root_costs(store, first, costs, count, &found), "verso_root_costs");
    direct_add_us(times, of->label, false, start_ns, 1);
    for (size_t i = 0; i < found; i++) {
        own[i] = (double)costs[i].own_bytes;
    }
    double middle = median(own, found);
    free(costs);
    free(own);
    return middle;
}

static void run_case(struct bench *bench, verso_store *store, const struct key_set *keys,
                     uint32_t *position, const struct size_case *of, const struct size_rows *rows)
{
    uint64_t before = history_bytes(store);
    verso_root_id first = 0;
    for (uint32_t i = 0; i < of->commits; i++) {
        verso_txn *txn = direct_begin(store);
        direct_put(txn, bench, keys, *position, of->puts, 1);
        verso_root_id root = direct_commit(txn, true);
        first = first == 0 ? root : first;
        *position = (*position + 2 * of->puts) % (keys->count - of->puts);
    }
    uint64_t held = history_bytes(store) - before;
    figure_add(row_figure(rows->growth, of->label, false), (double)held / of->commits);
    figure_add(row_figure(rows->own, of->label, false),
               own_bytes_of(store, first, of->commits - 1, of, rows->costs));
}

void workload_version_size(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct path directory = bench_path(bench, "version-size");
    directory_make(directory.text);
    verso_store *store = direct_open(bench, directory.text, KEEP_ALL);
    verso_txn *txn = direct_begin(store);
    direct_put(txn, bench, &bench->keys, 0, bench->keys.count, 0);
    (void)direct_commit(txn, false);
    struct key_set keys = keys_sample(&bench->keys, bench->keys.count, SEED_OVERWRITES);
    struct size_rows rows = {
        row_open("version-size", "growth of history a version (less is better)", "bytes"),
        row_open("version-size", "a version's own bytes (less is better)", "bytes"),
        row_open("version-size", "verso_root_costs() of these roots", "us"),
    };
    uint32_t position = 0;
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (size_t i = 0; i < sizeof size_cases / sizeof size_cases[0]; i++) {
            run_case(bench, store, &keys, &position, &size_cases[i], &rows);
        }
    }
    row_close(bench->report, rows.growth);
    row_close(bench->report, rows.own);
    row_close(bench->report, rows.costs);
    keys_clear(&keys);
    expect_ok(verso_close(store), "verso_close");
    directory_remove(directory.text);
}
