/*
 * kill_story.c - the child's side: random work with everything that a store has.
 */
#include "kill_story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "simulated_random.h"

enum {
    PAGE_SIZE = 1024,
    LOG_BYTES = 64 * 1024, /* so that checkpoints begin by themselves, every few dozen commits */
    ARENA_BYTES = 512 * 1024,
    INTERVAL_MS = 2,
    KEYS = 400,
    CHANGES_MAX = 12,
    LONG_VALUE = 20000,
    TREES = 3,
    REVERT_BACK = 8, /* roots */
};

struct story {
    const struct kill_orders *orders;
    struct simulated_random random;
    verso_store *store;
    uint64_t tip;
    uint8_t value[LONG_VALUE];
};

static const char *const tree_names[TREES] = {"apples", "pears", "quinces"};

verso_err kill_story_open(const char *path, verso_durability durability, bool read_only,
                          verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(KILL_KEEP_LAST_MAX);
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    options.durability = durability;
    options.interval_ms = INTERVAL_MS;
    options.arena_bytes = ARENA_BYTES;
    options.log_bytes = LOG_BYTES;
    return verso_open(path, &options, store);
}

verso_slice kill_story_tag(unsigned slot)
{
    static const char *const names[KILL_TAGS] = {"one", "two", "three", "four", "five", "six"};
    return verso_text(names[slot]);
}

static uint64_t below(struct story *story, uint64_t bound)
{
    return simulated_random_below(&story->random, bound);
}

static void tell(struct story *story, enum kill_what what, unsigned slot, uint64_t id,
                 uint64_t fingerprint)
{
    struct kill_record record = {what, slot, id, fingerprint};
    if (write(story->orders->pipe, &record, sizeof record) != (ssize_t)sizeof record) {
        _exit(1);
    }
}

/* The call succeeds, or the child ends and the parent sees that it was not its doing. */
static void must(struct story *story, verso_err err, const char *call)
{
    if (err != VERSO_OK) {
        (void)fprintf(stderr, "seed=%" PRIu64 " tip %" PRIu64 ": %s: %s (%s)\n",
                      story->orders->seed, story->tip, call, verso_strerror(err),
                      verso_error_detail());
        _exit(1);
    }
}

static bool found(struct story *story, verso_err err, const char *call)
{
    must(story, err == VERSO_NOT_FOUND || err == VERSO_GONE ? VERSO_OK : err, call);
    return err == VERSO_OK;
}

/* ---- a transaction ---- */

static verso_slice some_key(struct story *story, char *text, size_t size)
{
    int length = snprintf(text, size, "key %06u", (unsigned)below(story, KEYS));
    return (verso_slice){text, (size_t)length};
}

static void change(struct story *story, verso_txn *txn)
{
    char text[16];
    verso_slice key = some_key(story, text, sizeof text);
    uint64_t what = below(story, 20);
    if (what < 4) {
        (void)found(story, verso_delete(txn, key), "delete");
        return;
    }
    if (what == 4) {
        verso_range range = {.size = sizeof range, .has_prefix = true, .prefix = key};
        range.prefix.size -= 1; /* ten keys */
        must(story, verso_delete_range(txn, &range, NULL), "delete_range");
        return;
    }
    size_t size = below(story, 40) == 0 ? LONG_VALUE : (size_t)below(story, 120);
    memset(story->value, (int)below(story, 256), size);
    must(story, verso_put(txn, key, (verso_slice){story->value, size}), "put");
}

static void change_trees(struct story *story, verso_txn *txn)
{
    verso_slice name = verso_text(tree_names[below(story, TREES)]);
    uint64_t what = below(story, 12);
    if (what == 0) {
        (void)found(story, verso_tree_drop(txn, name), "tree_drop");
        return;
    }
    if (what == 1) {
        verso_err err = verso_tree_rename(txn, name, verso_text(tree_names[below(story, TREES)]));
        (void)found(story, err == VERSO_EXISTS ? VERSO_NOT_FOUND : err, "tree_rename");
        return;
    }
    verso_txn *tree;
    must(story, verso_txn_tree(txn, name, true, &tree), "txn_tree");
    change(story, tree);
}

static void change_and_take_back(struct story *story, verso_txn *txn)
{
    uint32_t savepoint;
    must(story, verso_savepoint(txn, &savepoint), "savepoint");
    change(story, txn);
    change_trees(story, txn);
    if (below(story, 2) == 0) {
        must(story, verso_rollback(txn, savepoint), "rollback");
    }
    must(story, verso_release(txn, savepoint), "release");
}

/* Make all trees what they were some roots ago, if that root is still kept. */
static void revert(struct story *story, verso_txn *txn)
{
    uint64_t back = 1 + below(story, REVERT_BACK);
    verso_view *old;
    if (back < story->tip &&
        found(story, verso_view_open_root(story->store, story->tip - back, &old), "open_root")) {
        must(story, verso_revert_all(txn, old, NULL), "revert_all");
        verso_view_close(old);
    }
}

static uint64_t fingerprint_of(struct story *story, verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    must(story, verso_view_info(view, &info), "view_info");
    return info.fingerprint;
}

/* Every transaction counts itself, so that each makes a root. */
static void transact(struct story *story)
{
    verso_txn *txn;
    must(story, verso_begin(story->store, &txn), "begin");
    if (below(story, 25) == 0) {
        revert(story, txn);
    }
    for (uint64_t i = below(story, CHANGES_MAX); i > 0; i--) {
        change(story, txn);
    }
    if (below(story, 3) == 0) {
        change_trees(story, txn);
    }
    if (below(story, 5) == 0) {
        change_and_take_back(story, txn);
    }
    uint64_t version = story->tip + 1;
    must(story, verso_put(txn, verso_text("version"), (verso_slice){&version, sizeof version}),
         "put");
    uint64_t fingerprint = fingerprint_of(story, verso_txn_view(txn));
    tell(story, KILL_ISSUED, 0, version, fingerprint);

    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = below(story, 4) == 0;
    options.note = verso_text("a note");
    verso_root_id root;
    must(story, verso_commit(txn, &options, &root), "commit");
    must(story, root == version ? VERSO_OK : VERSO_CORRUPT, "the commit's root id");
    story->tip = root;
    tell(story, KILL_RETURNED, 0, root, fingerprint);
    if (!options.asynchronous && story->orders->durability != VERSO_DURABILITY_INTERVAL) {
        tell(story, KILL_SURVIVES, 0, root, fingerprint);
    }
}

/* ---- between transactions ---- */

static void sync_all(struct story *story)
{
    must(story,
         below(story, 2) == 0 ? verso_sync(story->store)
                              : verso_wait_durable(story->store, story->tip),
         "sync");
    tell(story, KILL_SURVIVES, 0, story->tip, 0);
}

static void checkpoint(struct story *story)
{
    must(story, verso_checkpoint(story->store), "checkpoint");
    tell(story, KILL_SURVIVES, 0, story->tip, 0);
}

/* Delete a tag that is there, or set it on the newest durable root. */
static void move_tag(struct story *story)
{
    unsigned slot = (unsigned)below(story, KILL_TAGS);
    verso_tag_info info = {.size = sizeof info};
    verso_slice name = kill_story_tag(slot);
    must(story, verso_wait_durable(story->store, story->tip), "wait_durable");
    tell(story, KILL_SURVIVES, 0, story->tip, 0);
    if (found(story, verso_tag_get(story->store, name, &info), "tag_get")) {
        tell(story, KILL_TAG_TRIED, slot, 0, 0);
        must(story, verso_tag_delete(story->store, name), "tag_delete");
        tell(story, KILL_TAG_DONE, slot, 0, 0);
    } else {
        tell(story, KILL_TAG_TRIED, slot, story->tip, 0);
        must(story, verso_tag_set(story->store, name, story->tip), "tag_set");
        tell(story, KILL_TAG_DONE, slot, story->tip, 0);
    }
}

static void set_policy(struct story *story)
{
    uint64_t last = KILL_KEEP_LAST_MIN + below(story, KILL_KEEP_LAST_MAX - KILL_KEEP_LAST_MIN + 1);
    verso_retention policy = verso_keep_last(last);
    tell(story, KILL_POLICY_TRIED, 0, last, 0);
    must(story, verso_retention_set(story->store, &policy), "retention_set");
    tell(story, KILL_POLICY_DONE, 0, last, 0);
}

static void open_store(struct story *story)
{
    must(story,
         kill_story_open(story->orders->path, story->orders->durability, false, &story->store),
         "open");
    verso_stats stats = {.size = sizeof stats};
    must(story, verso_stat(story->store, &stats), "stat");
    story->tip = stats.tip;
    tell(story, KILL_SURVIVES, 0, story->tip, 0); /* opening made its own checkpoint */
}

static void reopen(struct story *story)
{
    must(story, verso_close(story->store), "close");
    tell(story, KILL_SURVIVES, 0, story->tip, 0);
    open_store(story);
}

_Noreturn void kill_story_play(const struct kill_orders *orders)
{
    static struct story story;
    story.orders = orders;
    story.random.state = orders->seed;
    open_store(&story);
    for (;;) {
        uint64_t what = below(&story, 100);
        if (what < 84 || story.tip == 0) {
            transact(&story);
        } else if (what < 88) {
            sync_all(&story);
        } else if (what < 91) {
            checkpoint(&story);
        } else if (what < 95) {
            move_tag(&story);
        } else if (what < 98) {
            set_policy(&story);
        } else {
            reopen(&story);
        }
    }
}
