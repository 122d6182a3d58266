/*
 * versions_fixture.c - random transactions on a store and on sorted arrays.
 */
#include "versions_fixture.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUE_KINDS = 4,       /* contents that short values of one size may have: some recur */
    CHECKPOINT_ONE_IN = 9, /* transactions */
    NEIGHBOURS_MAX = 40,   /* keys deleted or put beside each other at once */
};

static uint64_t below(struct versions *versions, uint64_t bound)
{
    return simulated_random_below(&versions->random, bound);
}

static void must(const struct versions *versions, verso_err err, const char *what)
{
    cr_assert_eq(err, VERSO_OK, "seed %" PRIu64 ", root %" PRIu64 ", %s: %s (%s)",
                 versions->config.seed, versions->expected.issued, what, verso_strerror(err),
                 verso_error_detail());
}

/* ---- opening and closing ---- */

struct versions_config versions_draw(unsigned number)
{
    const uint32_t pages[] = {512, 1024, 4096, 65536};
    struct versions_config config = {
        .seed = page_keys_seed() * 1000 + number,
        .page_size = pages[number % 4],
        .in_memory = number % 3 == 1,
        .keys = (enum page_keys)(number % (PAGE_KEYS_ANY + 1)),
    };
    config.arena_bytes = number % 5 == 2 ? (uint64_t)config.page_size * 512 : 0;
    config.log_bytes = number % 5 == 2 ? UINT64_C(65536) : 0;
    config.long_value_max = config.page_size * (config.page_size == 512 ? 80U : 3U);
    config.keys_target = 300;
    config.changes_max = 12;
    return config;
}

static void open_store(struct versions *versions)
{
    const struct versions_config *config = &versions->config;
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = config->page_size;
    verso_retention policy = expected_policy(config->keep_last);
    options.retention = &policy;
    options.arena_bytes = config->arena_bytes;
    options.log_bytes = config->log_bytes;
    options.system = simulated_disk_os(versions->disk);
    must(versions, verso_open(config->in_memory ? NULL : "store", &options, &versions->store),
         "open");
}

struct versions *versions_open(const struct versions_config *config)
{
    struct versions *versions = calloc(1, sizeof *versions);
    cr_assert_not_null(versions);
    versions->config = *config;
    versions->random = (struct simulated_random){config->seed};
    versions->value = malloc(config->long_value_max + 1);
    cr_assert_not_null(versions->value);
    versions->disk = simulated_disk_open(config->seed);
    verso_retention policy = expected_policy(config->keep_last);
    expected_roots_init(&versions->expected, &policy);
    open_store(versions);
    return versions;
}

void versions_check(struct versions *versions)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(versions->store, &report);
    cr_assert_eq(err, VERSO_OK, "seed %" PRIu64 ": root %" PRIu64 ", page %" PRIu32 ": %s",
                 versions->config.seed, report.bad_root, report.bad_page, report.fault);
}

void versions_close(struct versions *versions)
{
    versions_check(versions);
    must(versions, verso_close(versions->store), "close");
    expected_roots_clear(&versions->expected);
    simulated_disk_close(versions->disk);
    free(versions->value);
    free(versions);
}

void versions_reopen(struct versions *versions)
{
    if (!versions->config.in_memory) {
        must(versions, verso_close(versions->store), "close");
        open_store(versions);
    }
}

/* ---- keys and values ---- */

verso_slice versions_some_key(struct versions *versions, const struct tree_state *state)
{
    if (state->count > 0 && below(versions, 3) > 0) {
        return state->pairs[below(versions, state->count)].key;
    }
    size_t size = page_keys_next(versions->config.keys, &versions->random,
                                 verso_key_size_max(versions->store), versions->key);
    return (verso_slice){versions->key, size};
}

static verso_slice some_value(struct versions *versions)
{
    bool is_long = below(versions, 16) == 0;
    size_t size =
        is_long ? below(versions, versions->config.long_value_max + 1) : 10 * below(versions, 4);
    memset(versions->value, 'a' + (int)below(versions, VALUE_KINDS), size);
    return (verso_slice){versions->value, size};
}

/* ---- transactions ---- */

static void put(struct versions *versions, verso_txn *txn, verso_slice key, verso_slice value)
{
    must(versions, verso_put(txn, key, value), "put");
    expected_put(&versions->expected, key, value);
}

/* Keys beside each other go: leaves are merged or dropped. */
static void delete_neighbours(struct versions *versions, verso_txn *txn)
{
    const struct tree_state *state = &versions->expected.working;
    size_t at = below(versions, state->count);
    for (uint64_t left = below(versions, NEIGHBOURS_MAX); left > 0 && at < state->count; left--) {
        verso_slice key = state->pairs[at].key;
        must(versions, verso_delete(txn, key), "delete");
        (void)expected_delete(&versions->expected, key);
    }
}

/* Keys close behind one that is there come: leaves are split. */
static void put_neighbours(struct versions *versions, verso_txn *txn)
{
    const struct tree_state *state = &versions->expected.working;
    uint8_t key[PAGE_KEY_MAX + 2];
    verso_slice first = versions_some_key(versions, state);
    if (first.size + 2 > verso_key_size_max(versions->store)) {
        return;
    }
    if (first.size > 0) {
        memcpy(key, first.data, first.size);
    }
    for (uint64_t i = below(versions, NEIGHBOURS_MAX); i > 0; i--) {
        key[first.size] = (uint8_t)i;
        key[first.size + 1] = (uint8_t)below(versions, 256);
        put(versions, txn, (verso_slice){key, first.size + 2}, some_value(versions));
    }
}

static void change_one(struct versions *versions, verso_txn *txn)
{
    const struct tree_state *state = &versions->expected.working;
    uint64_t what = below(versions, 12);
    bool is_full = state->count > versions->config.keys_target;
    if (what == 0 || (is_full && what < 3)) {
        if (state->count > 0) {
            delete_neighbours(versions, txn);
        }
    } else if (what == 1) {
        put_neighbours(versions, txn);
    } else if (what == 2 && state->count > 0) { /* a copy of the leaf, and no change */
        verso_entry same = state->pairs[below(versions, state->count)];
        put(versions, txn, same.key, same.value);
    } else if (what < 6 && state->count > 0) {
        verso_slice key = state->pairs[below(versions, state->count)].key;
        must(versions, verso_delete(txn, key), "delete");
        (void)expected_delete(&versions->expected, key);
    } else {
        put(versions, txn, versions_some_key(versions, state), some_value(versions));
    }
}

void versions_change(struct versions *versions, verso_txn *txn, unsigned changes)
{
    for (unsigned i = 0; i < changes; i++) {
        change_one(versions, txn);
    }
}

verso_slice versions_note(uint64_t root)
{
    static char note[32];
    int size = snprintf(note, sizeof note, "note of root %" PRIu64, root);
    return (verso_slice){note, root % 7 == 0 ? 0 : (size_t)size};
}

static void commit_one(struct versions *versions)
{
    verso_txn *txn = NULL;
    must(versions, verso_begin(versions->store, &txn), "begin");
    expected_begin(&versions->expected);
    versions_change(versions, txn, 1 + (unsigned)below(versions, versions->config.changes_max));
    put(versions, txn, verso_text("always"), verso_text("each makes a root"));
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = versions_note(versions->expected.issued + 1);
    uint64_t root = 0;
    must(versions, verso_commit(txn, &options, &root), "commit");
    cr_assert_eq(root, expected_commit(&versions->expected, options.note));
}

void versions_commit(struct versions *versions, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        commit_one(versions);
        if (below(versions, CHECKPOINT_ONE_IN) == 0) {
            must(versions, verso_checkpoint(versions->store), "checkpoint");
        }
    }
}

/* ---- roots and ranges ---- */

uint64_t versions_some_root(struct versions *versions)
{
    uint64_t newest = versions->expected.issued;
    uint64_t oldest = expected_oldest(&versions->expected.keeping);
    return oldest + below(versions, newest - oldest + 1);
}

verso_view *versions_view(struct versions *versions, uint64_t root)
{
    verso_view *view = NULL;
    must(versions, verso_view_open_root(versions->store, root, &view), "open a root");
    return view;
}

const struct tree_state *versions_state(const struct versions *versions, uint64_t root)
{
    return &versions->expected.root[root].state;
}

const verso_range *versions_some_range(struct versions *versions, const struct tree_state *state)
{
    range_model_draw(&versions->range, state, &versions->random);
    return &versions->range.range;
}
