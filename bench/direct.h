/*
 * direct.h - Verso by its own header, for what engine.h does not know because only Verso has it.
 */
#ifndef VERSO_BENCH_DIRECT_H
#define VERSO_BENCH_DIRECT_H

#include "bench.h"

/** Stop the program if a call of Verso failed. Any thread. */
void expect_ok(verso_err err, const char *call);

/** What `keep_last` of engine.h means. */
verso_retention policy_of(uint64_t keep_last);

/** Open the store of a directory, created if need be: durable, with the user's arena. */
verso_store *direct_open(const struct bench *bench, const char *directory, uint64_t keep_last);

/** Open root `root`, or the newest for 0. */
verso_view *direct_view(verso_store *store, verso_root_id root);

/** Begin a transaction. */
verso_txn *direct_begin(verso_store *store);

/** Commit, durably unless `asynchronous`. @return the new root. */
verso_root_id direct_commit(verso_txn *txn, bool asynchronous);

/** Put the keys [first, first + count) of a set, each with another value for another `turn`. */
void direct_put(verso_txn *txn, const struct bench *bench, const struct key_set *keys,
                uint32_t first, uint32_t count, uint64_t turn);

/** Put all keys, ascending, into the transaction's tree. */
void direct_load(verso_txn *txn, struct bench *bench);

/** Read every entry of a view; @return how many there are. */
uint64_t direct_read_all(verso_view *view);

/** Add the microseconds that each of `count` things took since `start_ns` to a figure of a row. */
void direct_add_us(struct row *row, const char *label, bool baseline, uint64_t start_ns,
                   uint64_t count);

#endif
