/*
 * workload_tree_drop.c - dropping a named tree that holds all keys, and the commits after it.
 *
 * The drop is one step; each commit that follows takes some of the tree's pages apart. So its
 * commits are timed, asynchronous ones of one put, and as many again when nothing is left to do.
 * With the default number of keys CLEARING commits are more than enough.
 */
#include "clock.h"
#include "direct.h"

enum { CLEARING = 1000 };

static void load_trees(struct bench *bench, verso_store *store)
{
    verso_txn *txn = direct_begin(store);
    verso_txn *tree = NULL;
    expect_ok(verso_txn_tree(txn, verso_text("all"), true, &tree), "verso_txn_tree");
    direct_load(tree, bench);
    direct_put(txn, bench, &bench->keys, 0, CLEARING, 0);
    (void)direct_commit(txn, false);
}

static void time_commits(struct bench *bench, verso_store *store, const char *label, uint64_t turn,
                         struct row *row)
{
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i < CLEARING; i++) {
        verso_txn *txn = direct_begin(store);
        direct_put(txn, bench, &bench->keys, i, 1, turn);
        (void)direct_commit(txn, true);
    }
    direct_add_us(row, label, false, start_ns, CLEARING);
    expect_ok(verso_sync(store), "verso_sync");
}

static void run_round(struct bench *bench, struct row *row)
{
    struct path directory = bench_path(bench, "tree-drop");
    directory_make(directory.text);
    verso_store *store = direct_open(bench, directory.text, 1);
    load_trees(bench, store);
    expect_ok(verso_checkpoint(store), "verso_checkpoint");
    uint64_t start_ns = now_ns();
    verso_txn *txn = direct_begin(store);
    expect_ok(verso_tree_drop(txn, verso_text("all")), "verso_tree_drop");
    (void)direct_commit(txn, false);
    direct_add_us(row, "drop, durable commit", false, start_ns, 1);
    time_commits(bench, store, "each of 1,000 commits after it", 1, row);
    time_commits(bench, store, "each of 1,000 commits later", 2, row);
    expect_ok(verso_close(store), "verso_close");
    directory_remove(directory.text);
}

void workload_tree_drop(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct row *row = row_open("tree-drop", "drop a tree with all keys (less is better)", "us");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        run_round(bench, row);
    }
    row_close(bench->report, row);
}
