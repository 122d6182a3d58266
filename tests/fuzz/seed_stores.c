/*
 * seed_stores.c - the stories of the seeds.
 */
#include "seed_stores.h"

#include <stdio.h>
#include <string.h>

#include "verdict.h"

enum { LONG_MAX = 6000 };

static void must(verso_err err)
{
    verdict_require(err == VERSO_OK, "a seed cannot be made");
}

verso_store *seed_store_open(struct simulated_disk *disk, size_t page_size)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_store *store = NULL;
    options.create = true;
    options.page_size = (uint32_t)page_size;
    options.arena_bytes = 1; /* the least there is, as is the next */
    options.log_bytes = 1;
    options.system = simulated_disk_os(disk);
    must(verso_open(SEED_STORE_PATH, &options, &store));
    return store;
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    return txn;
}

static void put(verso_txn *txn, unsigned number, size_t size)
{
    static uint8_t value[LONG_MAX];
    char key[32];
    (void)snprintf(key, sizeof key, "key %06u", number);
    memset(value, 'a' + (int)(number % 26), 20); /* and zeros, so that the input is short */
    must(verso_put(txn, verso_text(key), (verso_slice){value, size}));
}

static void drop(verso_txn *txn, unsigned number)
{
    char key[32];
    (void)snprintf(key, sizeof key, "key %06u", number);
    verso_err err = verso_delete(txn, verso_text(key));
    verdict_require(err == VERSO_OK || err == VERSO_NOT_FOUND, "a seed cannot be made");
}

static void commit(verso_txn *txn, const char *note)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text(note);
    must(verso_commit(txn, &options, NULL));
}

static void play_small(verso_store *store)
{
    for (unsigned root = 0; root < 3; root++) {
        verso_txn *txn = begin(store);
        put(txn, root * 3, 5);
        put(txn, 17, root);
        commit(txn, root == 1 ? "second" : "");
    }
}

static void play_versions(verso_store *store)
{
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 60; i++) {
        put(txn, i * 2, 20);
    }
    commit(txn, "");
    for (unsigned root = 0; root < 10; root++) {
        txn = begin(store);
        put(txn, root * 11 % 50, 25);
        drop(txn, root * 6);
        put(txn, 17, root);
        commit(txn, root % 4 == 0 ? "a note" : "");
        if (root == 5) {
            must(verso_checkpoint(store));
        }
    }
}

static void play_long(verso_store *store)
{
    for (unsigned root = 0; root < 3; root++) {
        verso_txn *txn = begin(store);
        put(txn, 1, 3000 + root);
        put(txn, 2, 700);
        put(txn, 3, root == 1 ? LONG_MAX : 10);
        commit(txn, "");
    }
}

static verso_txn *tree(verso_txn *txn, const char *name)
{
    verso_txn *handle = NULL;
    must(verso_txn_tree(txn, verso_text(name), true, &handle));
    return handle;
}

static void play_trees(verso_store *store)
{
    verso_txn *txn = begin(store);
    put(txn, 1, 5);
    for (unsigned i = 0; i < 40; i++) {
        put(tree(txn, "users"), i, 12);
    }
    put(tree(txn, "events"), 5, 900);
    put(tree(txn, "empty"), 5, 5);
    drop(tree(txn, "empty"), 5);
    commit(txn, "");
    must(verso_tag_set(store, verso_text("first"), 0));
    txn = begin(store);
    put(tree(txn, "more"), 5, 5);
    must(verso_tree_drop(txn, verso_text("users")));
    must(verso_tree_rename(txn, verso_text("events"), verso_text("old")));
    put(tree(txn, "users"), 2, 3);
    commit(txn, "dropped");
    verso_retention policy = verso_keep_default();
    policy.last = 3;
    must(verso_retention_set(store, &policy));
    must(verso_tag_set(store, verso_text("second"), 0));
    must(verso_tag_delete(store, verso_text("first")));
}

/* Neighbours that differ in their last bytes only, so that the separators are long, too. */
static void put_long_key(verso_txn *txn, unsigned number)
{
    char key[80];
    memset(key, 'a' + (int)(number % 13), sizeof key);
    int size = snprintf(key + 70, sizeof key - 70, "%u", number);
    verso_slice value = {key, 5};
    must(verso_put(txn, (verso_slice){key, 70 + (size_t)size}, value));
}

static void play_deep(verso_store *store)
{
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 80; i++) {
        put_long_key(txn, i);
    }
    for (unsigned i = 0; i < 12; i++) {
        put(tree(txn, "large"), i, LONG_MAX);
    }
    commit(txn, "");
    txn = begin(store);
    must(verso_tree_drop(txn, verso_text("large")));
    put_long_key(txn, 200);
    commit(txn, "dropped");
}

static void play_kept(verso_store *store)
{
    verso_retention policy = verso_keep_last(30);
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){.age_us = 1000, .spacing_us = 10};
    policy.has_budget = true;
    policy.budget_bytes = 1 << 20;
    must(verso_retention_set(store, &policy));
    for (unsigned root = 0; root < 40; root++) {
        verso_txn *txn = begin(store);
        put(txn, root % 6, 3);
        commit(txn, root % 8 == 0 ? "a note that takes a part of a page of the history's own" : "");
        if (root % 4 == 0) {
            char name[16];
            (void)snprintf(name, sizeof name, "tag %u", root);
            must(verso_tag_set(store, verso_text(name), 0));
        }
        if (root % 15 == 0) {
            must(verso_checkpoint(store));
        }
    }
}

static void play(verso_store *store, enum seed_story story)
{
    switch (story) {
    case SEED_SMALL:
        play_small(store);
        break;
    case SEED_VERSIONS:
        play_versions(store);
        break;
    case SEED_LONG:
        play_long(store);
        break;
    case SEED_TREES:
        play_trees(store);
        break;
    case SEED_DEEP:
        play_deep(store);
        break;
    case SEED_KEPT:
        play_kept(store);
        break;
    case SEED_EMPTY:
    case SEED_STORIES:
    default:
        break;
    }
}

struct simulated_disk *seed_store_closed(enum seed_story story, size_t page_size)
{
    struct simulated_disk *disk = simulated_disk_open(story + page_size);
    verso_store *store = seed_store_open(disk, page_size);
    play(store, story);
    must(verso_close(store));
    return disk;
}

struct simulated_disk *seed_store_crashed(enum seed_story story, size_t page_size)
{
    struct simulated_disk *disk = simulated_disk_open(story + page_size);
    verso_store *store = seed_store_open(disk, page_size);
    play(store, story);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_NEW);
    must(verso_close(store));
    simulated_disk_close(disk);
    return left;
}

/* The file of one disk on a new one, under another name. */
static struct simulated_disk *carry(struct simulated_disk *from, const char *path, const char *as)
{
    uint64_t size = 0;
    const uint8_t *bytes = simulated_disk_bytes(from, path, &size);
    verdict_require(bytes != NULL, "a seed has no file");
    struct simulated_disk *disk = simulated_disk_open(size);
    simulated_disk_put(disk, as, bytes, (size_t)size);
    return disk;
}

struct seed_increment seed_increment_make(size_t page_size)
{
    struct simulated_disk *disk = simulated_disk_open(page_size);
    verso_store *store = seed_store_open(disk, page_size);
    play(store, SEED_SMALL);
    verso_txn *txn = begin(store);
    for (unsigned i = 0; i < 40; i++) {
        put(txn, i, 20);
    }
    put(tree(txn, "more"), 3, 5);
    commit(txn, "base");
    must(verso_tag_set(store, verso_text("base"), 0)); /* kept, whatever the stories set */
    verso_copy_report report = {.size = sizeof report};
    must(verso_copy(store, "copy", NULL, &report));
    play(store, SEED_LONG);
    play(store, SEED_TREES);
    verso_root_id since = report.newest;
    must(verso_copy_since(store, since, SEED_INCREMENT_PATH, &report));
    must(verso_close(store));
    struct seed_increment seed = {carry(disk, "copy", SEED_STORE_PATH),
                                  carry(disk, SEED_INCREMENT_PATH, SEED_INCREMENT_PATH)};
    simulated_disk_close(disk);
    return seed;
}
