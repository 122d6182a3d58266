/*
 * tree_model.c - random transactions on a tree and on its reference.
 */
#include "tree_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"

enum { SORTED_MAX = 400, LONG_PAGES = 5, VERSIONS_STEP = 64 };

/** Bytes that live as long as the model. */
struct model_bytes {
    struct model_bytes *next;
    uint8_t bytes[];
};

struct tree_model {
    struct tree_model_config config;
    struct simulated_random random;
    struct tree_store *store;
    struct vs_tree_edit *edit; /* of the running transaction */
    struct tree_state now;
    struct tree_state *version; /* by number; arrays of versions not kept are cleared */
    size_t versions;
    size_t versions_capacity;
    struct model_bytes *bytes;
    uint64_t ascending; /* counts keys that continue at the end */
    bool growing;
    verso_slice cursor_key; /* of the transaction's cursor: where it stands */
    struct vs_tree_cursor *cursor;
    char fault[300];
};

struct tree_model_config tree_model_draw(uint64_t seed, uint32_t page_size)
{
    struct simulated_random random = {seed ^ page_size};
    static const uint64_t keeps[] = {0, 0, 1, 3, 20};
    struct tree_model_config config = {.seed = seed, .page_size = page_size};
    config.keep_last = keeps[simulated_random_below(&random, 5)];
    config.keys = (enum page_keys)simulated_random_below(&random, PAGE_KEYS_ANY + 1);
    config.ascending_weight = simulated_random_below(&random, 3) == 0
                                  ? (unsigned)simulated_random_below(&random, 101)
                                  : 0;
    config.value_max = (size_t)simulated_random_below(&random, page_size / 2);
    if (simulated_random_below(&random, 2) == 0) {
        config.value_max = (size_t)simulated_random_below(&random, 24);
    }
    config.long_one_in = simulated_random_below(&random, 2) == 0
                             ? 0
                             : 2 + (unsigned)simulated_random_below(&random, 50);
    config.keys_target = 20 + (size_t)simulated_random_below(&random, 3000);
    config.operations_max = 1 + (unsigned)simulated_random_below(&random, 60);
    return config;
}

static uint64_t below(struct tree_model *model, uint64_t bound)
{
    return simulated_random_below(&model->random, bound);
}

static uint8_t *keep_bytes(struct tree_model *model, size_t size)
{
    struct model_bytes *kept = malloc(sizeof *kept + size);
    if (kept == NULL) {
        abort();
    }
    kept->next = model->bytes;
    model->bytes = kept;
    return kept->bytes;
}

static verso_slice keep_slice(struct tree_model *model, const void *data, size_t size)
{
    uint8_t *bytes = keep_bytes(model, size);
    if (size != 0) {
        memcpy(bytes, data, size);
    }
    return (verso_slice){bytes, size};
}

static verso_slice random_key(struct tree_model *model)
{
    static uint8_t buffer[PAGE_KEY_MAX];
    size_t key_max = vs_leaf_key_max(model->config.page_size);
    size_t size;
    if (below(model, 100) < model->config.ascending_weight) {
        size = (size_t)snprintf((char *)buffer, sizeof buffer, "zz%012llu",
                                (unsigned long long)model->ascending++);
    } else {
        size = page_keys_next(model->config.keys, &model->random, key_max, buffer);
    }
    return keep_slice(model, buffer, size < key_max ? size : key_max);
}

static verso_slice random_value(struct tree_model *model)
{
    size_t size = (size_t)below(model, model->config.value_max + 1);
    if (below(model, 40) == 0) { /* about as long as can stand in a leaf */
        size = vs_leaf_payload_max(model->config.page_size, 16) - 2 + (size_t)below(model, 5);
    }
    if (model->config.long_one_in != 0 && below(model, model->config.long_one_in) == 0) {
        size = (size_t)below(model, (uint64_t)LONG_PAGES * model->config.page_size);
    }
    uint8_t *bytes = keep_bytes(model, size);
    uint8_t first = (uint8_t)simulated_random_next(&model->random);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(first + i);
    }
    return (verso_slice){bytes, size};
}

/** A key that is there, if the tree is not empty. */
static verso_slice some_key(struct tree_model *model)
{
    if (model->now.count == 0) {
        return random_key(model);
    }
    return model->now.pairs[below(model, model->now.count)].key;
}

/** What the callback for old values is to see. */
struct expected_old {
    struct vs_pages *pages;
    verso_slice value;
    unsigned calls;
    bool same;
    bool refuse;
};

static verso_err compare_old(void *argument, const struct vs_tree_value *old)
{
    struct expected_old *expected = argument;
    expected->calls++;
    expected->same = tree_value_is(expected->pages, old, expected->value);
    return expected->refuse ? VERSO_INVALID : VERSO_OK;
}

static const char *put_one(struct tree_model *model, enum vs_put_mode mode)
{
    verso_slice key =
        mode == VS_PUT_REPLACE && below(model, 8) != 0 ? some_key(model) : random_key(model);
    verso_slice value = random_value(model);
    size_t index = 0;
    bool there = tree_state_find(&model->now, key, &index);
    struct expected_old old = {.pages = vs_writer_pages(model->edit->writer),
                               .refuse = below(model, 10) == 0};
    if (there) {
        old.value = model->now.pairs[index].value;
    }
    bool ask = below(model, 2) == 0;
    bool broken = false;
    verso_err err =
        vs_tree_put(model->edit, mode, key, value, ask ? compare_old : NULL, &old, &broken);
    verso_err expected = VERSO_OK;
    if (there && mode == VS_PUT_INSERT) {
        expected = VERSO_EXISTS;
    } else if (!there && mode == VS_PUT_REPLACE) {
        expected = VERSO_NOT_FOUND;
    } else if (there && ask) {
        expected = old.refuse ? VERSO_INVALID : VERSO_OK;
        if (old.calls != 1 || !old.same) {
            return "the old value of a put";
        }
    }
    if (err != expected || broken) {
        return "a put's result";
    }
    if (err == VERSO_OK) {
        tree_state_put(&model->now, key, value);
    }
    return NULL;
}

static const char *delete_one(struct tree_model *model)
{
    verso_slice key = below(model, 8) == 0 ? random_key(model) : some_key(model);
    size_t index = 0;
    bool there = tree_state_find(&model->now, key, &index);
    struct expected_old old = {.pages = vs_writer_pages(model->edit->writer)};
    if (there) {
        old.value = model->now.pairs[index].value;
    }
    bool broken = false;
    verso_err err = vs_tree_delete(model->edit, key, compare_old, &old, &broken);
    if (err != (there ? VERSO_OK : VERSO_NOT_FOUND) || broken) {
        return "a delete's result";
    }
    if (there && (old.calls != 1 || !old.same)) {
        return "the old value of a delete";
    }
    if (there) {
        tree_state_remove(&model->now, index);
    }
    return NULL;
}

/** Delete neighbours in order, upwards or downwards: leaves empty one after the other. */
static const char *delete_neighbours(struct tree_model *model)
{
    if (model->now.count == 0) {
        return NULL;
    }
    size_t from = (size_t)below(model, model->now.count);
    size_t count = 1 + (size_t)below(model, 60);
    count = count < model->now.count - from ? count : model->now.count - from;
    bool upwards = below(model, 2) == 0;
    for (; count > 0; count--) {
        size_t index = upwards ? from : from + count - 1;
        bool broken = false;
        if (vs_tree_delete(model->edit, model->now.pairs[index].key, NULL, NULL, &broken) !=
            VERSO_OK) {
            return "a delete in a range";
        }
        tree_state_remove(&model->now, index);
    }
    return NULL;
}

/** A bound near some key, or none. */
static bool draw_bound(struct tree_model *model, verso_slice *bound)
{
    uint8_t buffer[PAGE_KEY_MAX];
    *bound = tree_state_near_key(&model->now, &model->random, buffer, sizeof buffer);
    *bound = keep_slice(model, bound->data, bound->size);
    return below(model, 12) != 0;
}

/** Delete a range at once: mostly a short one, sometimes one of any length, rarely all. */
static const char *delete_range(struct tree_model *model)
{
    struct vs_key_range range = {.has_from = false};
    range.has_from = draw_bound(model, &range.from);
    range.has_to = draw_bound(model, &range.to);
    size_t from = 0;
    size_t to = model->now.count;
    if (range.has_from) {
        (void)tree_state_find(&model->now, range.from, &from);
    }
    if (range.has_to && below(model, 20) != 0 && from < model->now.count) {
        size_t near = from + (size_t)below(model, 100);
        range.to = model->now.pairs[near < to ? near : to - 1].key;
    }
    if (range.has_to) {
        (void)tree_state_find(&model->now, range.to, &to);
    }
    size_t expected = to > from ? to - from : 0;
    uint64_t deleted = UINT64_MAX;
    bool broken = false;
    if (vs_tree_delete_range(model->edit, &range, &deleted, &broken) != VERSO_OK || broken) {
        return "a range deletion's result";
    }
    tree_state_remove_many(&model->now, from, expected);
    return deleted == expected ? NULL : "how many keys of a range went";
}

/** Many entries at once: clustered around one key, spread over all, or continuing at the end. */
static const char *put_sorted(struct tree_model *model)
{
    struct tree_state batch = {.pairs = NULL};
    size_t count = 1 + (size_t)below(model, SORTED_MAX);
    unsigned kind = (unsigned)below(model, 3);
    size_t at = model->now.count == 0 ? 0 : (size_t)below(model, model->now.count);
    for (size_t i = 0; i < count; i++) {
        verso_slice key = random_key(model);
        if (kind == 1 && at < model->now.count && below(model, 2) == 0) {
            key = model->now.pairs[at++].key;
        } else if (kind == 2) {
            char text[32];
            int size =
                snprintf(text, sizeof text, "zz%012llu", (unsigned long long)model->ascending++);
            key = keep_slice(model, text, (size_t)size);
        }
        tree_state_put(&batch, key, random_value(model));
    }
    bool broken = false;
    verso_err err = vs_tree_put_sorted(model->edit, batch.pairs, batch.count, &broken);
    for (size_t i = 0; i < batch.count; i++) {
        tree_state_put(&model->now, batch.pairs[i].key, batch.pairs[i].value);
    }
    tree_state_clear(&batch);
    return err == VERSO_OK && !broken ? NULL : "a sorted batch's result";
}

static const char *get_one(struct tree_model *model)
{
    struct vs_tree_view view = vs_tree_edit_view(model->edit);
    verso_slice key = below(model, 2) == 0 ? random_key(model) : some_key(model);
    size_t index = 0;
    bool there = tree_state_find(&model->now, key, &index);
    struct vs_tree_value value;
    verso_err err = vs_tree_get(&view, key, &value);
    if (err != (there ? VERSO_OK : VERSO_NOT_FOUND)) {
        return "a get's result in the transaction";
    }
    return !there || tree_value_is(view.pages, &value, model->now.pairs[index].value)
               ? NULL
               : "a get's value in the transaction";
}

/** A step of the cursor that stays open through the transaction's changes. */
static const char *move_cursor(struct tree_model *model)
{
    bool stands = model->cursor_key.data != NULL;
    verso_seek how = VERSO_SEEK_GE;
    verso_slice key = model->cursor_key;
    struct vs_tree_entry entry;
    verso_err err;
    unsigned move = (unsigned)below(model, stands ? 6 : 1);
    if (move == 0) {
        key = some_key(model);
        err = vs_tree_cursor_seek(model->cursor, how, key, &entry);
    } else if (move <= 3) {
        how = VERSO_SEEK_GT;
        err = vs_tree_cursor_next(model->cursor, &entry);
    } else {
        how = VERSO_SEEK_LT;
        err = vs_tree_cursor_previous(model->cursor, &entry);
    }
    long expected = tree_state_seek(&model->now, how, key);
    model->cursor_key = (verso_slice){NULL, 0};
    if (expected < 0) {
        return err == VERSO_NOT_FOUND ? NULL : "the end for a cursor under changes";
    }
    const verso_entry *pair = &model->now.pairs[expected];
    model->cursor_key = pair->key;
    if (err != VERSO_OK || vs_key_compare(entry.key, pair->key) != 0 ||
        !tree_value_is(vs_writer_pages(model->edit->writer), &entry.value, pair->value)) {
        return "a cursor under changes";
    }
    return NULL;
}

static const char *operate(struct tree_model *model)
{
    if (model->now.count >= model->config.keys_target) {
        model->growing = false;
    } else if (model->now.count <= model->config.keys_target / 10) {
        model->growing = true;
    }
    unsigned choice = (unsigned)below(model, 100);
    if (choice < 20) {
        return move_cursor(model);
    }
    if (choice < 25) {
        return get_one(model);
    }
    if (choice < 30) {
        return put_one(model, VS_PUT_REPLACE);
    }
    if (choice < 32) {
        return model->growing ? put_sorted(model) : delete_neighbours(model);
    }
    if (choice < 34) {
        return delete_range(model);
    }
    bool grow = below(model, 10) < (model->growing ? 9U : 1U);
    return !grow ? delete_one(model)
                 : put_one(model, below(model, 4) == 0 ? VS_PUT_INSERT : VS_PUT_UPSERT);
}

/** Keep the transaction's state as a version, and forget those that are not kept. */
static void keep_version(struct tree_model *model, uint64_t version)
{
    if (version >= model->versions_capacity) {
        size_t capacity = model->versions_capacity + VERSIONS_STEP;
        model->version = realloc(model->version, capacity * sizeof model->version[0]);
        if (model->version == NULL) {
            abort();
        }
        memset(&model->version[model->versions_capacity], 0,
               VERSIONS_STEP * sizeof model->version[0]);
        model->versions_capacity = capacity;
    }
    model->version[version] = tree_state_copy(&model->now);
    model->versions = version + 1;
    for (uint64_t i = 0; i < tree_store_oldest(model->store); i++) {
        tree_state_clear(&model->version[i]);
    }
}

struct tree_model *tree_model_open(const struct tree_model_config *config)
{
    struct tree_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        abort();
    }
    model->config = *config;
    model->random.state = config->seed;
    model->growing = true;
    model->store = tree_store_open(config->page_size, config->keep_last);
    keep_version(model, tree_store_tip(model->store));
    return model;
}

void tree_model_close(struct tree_model *model)
{
    tree_store_close(model->store);
    for (size_t i = 0; i < model->versions; i++) {
        tree_state_clear(&model->version[i]);
    }
    free(model->version);
    tree_state_clear(&model->now);
    while (model->bytes != NULL) {
        struct model_bytes *bytes = model->bytes;
        model->bytes = bytes->next;
        free(bytes);
    }
    free(model);
}

static const char *report(struct tree_model *model, uint64_t version, const char *fault)
{
    if (fault == NULL) {
        return NULL;
    }
    (void)snprintf(model->fault, sizeof model->fault, "%s; version %llu, %zu keys", fault,
                   (unsigned long long)version, model->now.count);
    return model->fault;
}

static const char *compare_version(struct tree_model *model, uint64_t version)
{
    struct vs_tree_view view = tree_store_view(model->store, version);
    tree_store_check(model->store, version);
    return report(model, version,
                  tree_state_compare(&model->version[version], &view, &model->random));
}

static const char *run_operations(struct tree_model *model)
{
    struct vs_tree_view view = vs_tree_edit_view(model->edit);
    if (vs_tree_cursor_open(&view, model->edit, &model->cursor) != VERSO_OK) {
        return "opening a cursor";
    }
    model->cursor_key = (verso_slice){NULL, 0};
    unsigned operations = 1 + (unsigned)below(model, model->config.operations_max);
    const char *fault = NULL;
    for (unsigned i = 0; i < operations && fault == NULL; i++) {
        fault = operate(model);
        if (fault == NULL && below(model, 50) == 0) {
            tree_store_check_edit(model->store);
        }
    }
    vs_tree_cursor_close(model->cursor);
    return report(model, tree_store_tip(model->store) + 1, fault);
}

const char *tree_model_transaction(struct tree_model *model)
{
    model->edit = tree_store_begin(model->store);
    const char *fault = run_operations(model);
    if (fault != NULL) {
        return fault;
    }
    uint64_t tip = tree_store_tip(model->store);
    if (below(model, 6) == 0) {
        tree_store_abort(model->store);
        tree_state_clear(&model->now);
        model->now = tree_state_copy(&model->version[tip]);
        return compare_version(model, tip);
    }
    tip = tree_store_commit(model->store);
    keep_version(model, tip);
    tree_store_check(model->store, tip);
    if (below(model, 8) != 0) {
        return NULL;
    }
    fault = compare_version(model, tip);
    uint64_t oldest = tree_store_oldest(model->store);
    return fault != NULL ? fault : compare_version(model, oldest + below(model, tip - oldest + 1));
}

const char *tree_model_compare_all(struct tree_model *model)
{
    for (uint64_t v = tree_store_oldest(model->store); v <= tree_store_tip(model->store); v++) {
        const char *fault = compare_version(model, v);
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}
