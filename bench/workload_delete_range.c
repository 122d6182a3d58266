/*
 * workload_delete_range.c - deleting nine tenths of the keys as a range, against one by one.
 *
 * Timed from begin to the end of the durable commit, on a store that was loaded in ascending order
 * for each run, warm.
 */
#include "clock.h"
#include "direct.h"
#include "stop.h"

static void delete_as_range(verso_txn *txn, const struct key_set *keys, uint32_t first,
                            uint32_t end)
{
    verso_range range = {.size = sizeof range, .has_from = true, .has_to = true};
    range.from = key_at(keys, first);
    range.to = key_at(keys, end);
    uint64_t deleted = 0;
    expect_ok(verso_delete_range(txn, &range, &deleted), "verso_delete_range");
    if (deleted != end - first) {
        stop_with("a range delete found another number of keys");
    }
}

static void delete_one_by_one(verso_txn *txn, const struct key_set *keys, uint32_t first,
                              uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        expect_ok(verso_delete(txn, key_at(keys, i)), "verso_delete");
    }
}

static void time_delete(struct bench *bench, const char *label, bool as_range, struct row *row)
{
    const struct key_set *keys = bench_ascending(bench);
    struct path directory = bench_path(bench, "delete-range");
    directory_make(directory.text);
    verso_store *store = direct_open(bench, directory.text, bench->options->keep_last);
    verso_txn *txn = direct_begin(store);
    direct_load(txn, bench);
    (void)direct_commit(txn, false);
    verso_view *view = direct_view(store, 0);
    (void)direct_read_all(view);
    verso_view_close(view);

    uint64_t start_ns = now_ns();
    txn = direct_begin(store);
    (as_range ? delete_as_range : delete_one_by_one)(txn, keys, keys->count / 20,
                                                     keys->count - keys->count / 20);
    (void)direct_commit(txn, false);
    direct_add_us(row, label, !as_range, start_ns, 1);
    expect_ok(verso_close(store), "verso_close");
    directory_remove(directory.text);
}

void workload_delete_range(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct row *row =
        row_open("delete-range", "delete 90 % of the keys, durable (less is better)", "us");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        time_delete(bench, "as a range", true, row);
        time_delete(bench, "one by one", false, row);
    }
    row_close(bench->report, row);
}
