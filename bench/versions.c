/*
 * versions.c - make the store of versions.h.
 */
#include "versions.h"

#include <stdio.h>

static void make_commits(struct bench *bench, verso_store *store)
{
    for (uint32_t i = 0; i < VERSIONS_BACK; i++) {
        bool watched = i % VERSIONS_WATCHED == VERSIONS_WATCHED - 1;
        verso_txn *txn = direct_begin(store);
        direct_put(txn, bench, &bench->keys, watched ? 0 : 1 + i % (bench->keys.count - 1), 1,
                   1 + i / VERSIONS_WATCHED);
        (void)direct_commit(txn, true);
    }
}

static void set_tags(verso_store *store, verso_root_id old)
{
    for (unsigned i = 0; i < VERSIONS_TAGS; i++) {
        struct tag_name name = versions_tag(i);
        verso_root_id root = old + (i + 1) * (VERSIONS_BACK / VERSIONS_TAGS);
        expect_ok(verso_tag_set(store, verso_text(name.text), root), "verso_tag_set");
    }
}

static void make(struct bench *bench, const char *directory)
{
    bench_progress("making a store with %d roots", VERSIONS_BACK);
    directory_make(directory);
    verso_store *store = direct_open(bench, directory, KEEP_ALL);
    verso_txn *txn = direct_begin(store);
    direct_put(txn, bench, &bench->keys, 0, bench->keys.count, 0);
    verso_root_id old = direct_commit(txn, false);
    make_commits(bench, store);
    expect_ok(verso_sync(store), "verso_sync");
    set_tags(store, old);
    expect_ok(verso_close(store), "verso_close");
}

struct versions versions_store(struct bench *bench)
{
    struct versions versions = {.directory = bench_path(bench, "versions")};
    if (!directory_exists(versions.directory.text)) {
        make(bench, versions.directory.text);
    }
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    verso_stats stats = {.size = sizeof stats};
    expect_ok(verso_stat(store, &stats), "verso_stat");
    expect_ok(verso_close(store), "verso_close");
    versions.newest = stats.tip;
    versions.old = stats.tip - VERSIONS_BACK;
    return versions;
}

verso_slice versions_watched(const struct bench *bench)
{
    return key_at(&bench->keys, 0);
}

struct tag_name versions_tag(unsigned i)
{
    struct tag_name name;
    snprintf(name.text, sizeof name.text, "tag-%02u", i);
    return name;
}
