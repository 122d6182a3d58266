/*
 * leaf_model.c - a row of leaves beside a sorted array that must always hold the same.
 */
#include "leaf_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool expect(struct leaf_model *model, bool true_fact, const char *fault)
{
    if (!true_fact && model->fault == NULL) {
        model->fault = fault;
    }
    return true_fact;
}

static void *get_memory(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static int compare_entry(const struct leaf_model_entry *entry, verso_slice key)
{
    size_t shorter = entry->key_size < key.size ? entry->key_size : key.size;
    int order = shorter == 0 ? 0 : memcmp(entry->key, key.data, shorter);
    return order != 0 ? order : (entry->key_size > key.size) - (entry->key_size < key.size);
}

/** Place of a key in the array. @return Whether it is there. */
static bool find_entry(const struct leaf_model *model, verso_slice key, unsigned *index)
{
    unsigned from = 0;
    unsigned to = model->count;
    while (from < to) {
        unsigned middle = (from + to) / 2;
        if (compare_entry(&model->entry[middle], key) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *index = from;
    return from < model->count && compare_entry(&model->entry[from], key) == 0;
}

/** Entries before a leaf's first. */
static unsigned entries_before(const struct leaf_model *model, unsigned leaf)
{
    unsigned before = 0;
    for (unsigned i = 0; i < leaf; i++) {
        before += vs_page_count(model->leaf[i]);
    }
    return before;
}

/* ---- comparing ---- */

/** All ways to read cell `i` of a leaf agree with the entry. */
static bool cell_agrees(struct leaf_model *model, const uint8_t *page, unsigned i,
                        const struct leaf_model_entry *entry, uint8_t *buffer)
{
    uint8_t key[PAGE_KEY_MAX];
    struct vs_payload payload;
    unsigned found;
    verso_slice wanted = {entry->key, entry->key_size};
    size_t size = vs_leaf_entry(page, i, buffer, &payload);
    return expect(model, size == entry->key_size, "size of an entry") &&
           expect(model, memcmp(buffer, entry->key, size) == 0, "key of an entry") &&
           expect(model, vs_leaf_key(page, i, key) == size, "size of a key") &&
           expect(model, memcmp(key, entry->key, size) == 0, "key") &&
           expect(model, vs_leaf_key_size(page, i) == size, "key size") &&
           expect(model, payload.size == entry->payload.size, "payload size") &&
           expect(model, payload.is_run == entry->payload.is_run, "kind of payload") &&
           expect(model, memcmp(payload.bytes, entry->payload.bytes, payload.size) == 0,
                  "payload") &&
           expect(model, vs_leaf_payload(page, i).bytes == payload.bytes, "place of a payload") &&
           expect(model, vs_leaf_compare(page, i, wanted) == 0, "compare") &&
           expect(model, i == 0 || vs_leaf_compare(page, i - 1, wanted) < 0, "compare below") &&
           expect(model, vs_leaf_find(page, wanted, &found) && found == i, "find");
}

static bool leaf_agrees(struct leaf_model *model, unsigned leaf)
{
    const uint8_t *page = model->leaf[leaf];
    const char *fault = vs_leaf_check(page, model->page_size);
    if (!expect(model, fault == NULL, fault)) {
        return false;
    }
    unsigned before = entries_before(model, leaf);
    uint8_t buffer[PAGE_KEY_MAX];
    vs_leaf_prefix(page, buffer);
    for (unsigned i = 0; i < vs_page_count(page); i++) {
        if (!cell_agrees(model, page, i, &model->entry[before + i], buffer)) {
            return false;
        }
    }
    return true;
}

bool leaf_model_agrees(struct leaf_model *model)
{
    unsigned cells = entries_before(model, model->leaves);
    bool agrees = expect(model, cells == model->count, "number of cells");
    for (unsigned i = 0; agrees && i < model->leaves; i++) {
        agrees = leaf_agrees(model, i);
    }
    return agrees;
}

/* ---- the row of leaves ---- */

static void insert_leaf(struct leaf_model *model, unsigned at, uint8_t *page)
{
    assert(model->leaves < LEAF_MODEL_LEAVES);
    memmove(&model->leaf[at + 1], &model->leaf[at], (model->leaves - at) * sizeof *model->leaf);
    model->leaf[at] = page;
    model->leaves++;
}

static void remove_leaf(struct leaf_model *model, unsigned at)
{
    free(model->leaf[at]);
    model->leaves--;
    memmove(&model->leaf[at], &model->leaf[at + 1], (model->leaves - at) * sizeof *model->leaf);
}

/** The leaf that a key belongs to, and where in it. @return Whether it is there. */
static bool find_cell(const struct leaf_model *model, verso_slice key, unsigned *leaf,
                      unsigned *index)
{
    *leaf = 0;
    while (*leaf + 1 < model->leaves && vs_leaf_compare(model->leaf[*leaf + 1], 0, key) <= 0) {
        (*leaf)++;
    }
    vs_leaf_prefetch_cell(model->leaf[*leaf], key);
    return vs_leaf_find(model->leaf[*leaf], key, index);
}

/** The separator must be above `left`, at or below `right`, and no shorter one may be. */
static bool separator_is_shortest(const struct vs_leaf_cell *left, const struct vs_leaf_cell *right)
{
    uint8_t keys[2][PAGE_KEY_MAX];
    uint8_t separator[PAGE_KEY_MAX];
    const struct vs_leaf_cell *cells[2] = {left, right};
    size_t sizes[2];
    for (unsigned i = 0; i < 2; i++) {
        if (cells[i]->page != NULL) {
            sizes[i] = vs_leaf_key(cells[i]->page, cells[i]->index, keys[i]);
        } else {
            sizes[i] = cells[i]->key.size;
            memcpy(keys[i], cells[i]->key.data, sizes[i]);
        }
    }
    size_t size = vs_leaf_separator(left, right, separator);
    bool is_prefix = size >= 1 && size <= sizes[1] && memcmp(separator, keys[1], size) == 0;
    bool all_before_equal = size - 1 <= sizes[0] && memcmp(separator, keys[0], size - 1) == 0;
    bool above = size - 1 == sizes[0] || separator[size - 1] > keys[0][size - 1];
    return is_prefix && all_before_equal && above;
}

/** Write cells into two new leaves in place of `gone` leaves from `leaf` on. */
static bool write_two(struct leaf_model *model, unsigned leaf, unsigned gone,
                      const struct vs_leaf_cell *cells, unsigned count, bool append)
{
    unsigned cut = vs_leaf_split_point(cells, count, model->page_size, append);
    size_t sizes[2] = {vs_leaf_encoded_size(cells, cut),
                       vs_leaf_encoded_size(cells + cut, count - cut)};
    if (!expect(model, cut >= 1 && cut < count, "a side of the cut is empty") ||
        !expect(model, sizes[0] <= model->page_size, "left side does not fit") ||
        !expect(model, sizes[1] <= model->page_size, "right side does not fit") ||
        !expect(model, separator_is_shortest(&cells[cut - 1], &cells[cut]), "separator")) {
        return false;
    }
    if (append && cut + 1 < count) {
        expect(model, vs_leaf_encoded_size(cells, cut + 1) > model->page_size, "left is not full");
    }
    uint8_t *left = get_memory(model->page_size);
    uint8_t *right = get_memory(model->page_size);
    vs_leaf_encode(left, model->page_size, 1, cells, cut);
    vs_leaf_encode(right, model->page_size, 1, cells + cut, count - cut);
    for (unsigned i = 0; i < gone; i++) {
        remove_leaf(model, leaf);
    }
    insert_leaf(model, leaf, right);
    insert_leaf(model, leaf, left);
    return true;
}

/** Put a cell that its leaf has no room for. */
static bool split(struct leaf_model *model, unsigned leaf, unsigned index, bool replace,
                  const struct vs_leaf_cell *put)
{
    const uint8_t *page = model->leaf[leaf];
    struct vs_leaf_cell *cells = get_memory((vs_page_count(page) + 1) * sizeof *cells);
    unsigned count = vs_leaf_gather(page, NULL, put, index, replace, cells);
    bool append = !replace && leaf == model->leaves - 1 && index == vs_page_count(page);
    bool done = expect(model, vs_leaf_encoded_size(cells, count) > model->page_size,
                       "refused although it fits") &&
                write_two(model, leaf, 1, cells, count, append);
    free(cells);
    return done;
}

/** Merge an underfull leaf with a neighbour, or even the two out. */
static bool relieve(struct leaf_model *model, unsigned leaf)
{
    if (model->leaves == 1 || !vs_leaf_is_underfull(model->leaf[leaf], model->page_size)) {
        return true;
    }
    if (vs_page_count(model->leaf[leaf]) == 0) {
        remove_leaf(model, leaf);
        return true;
    }
    unsigned left = leaf == 0 ? 0 : leaf - 1;
    const uint8_t *pages[2] = {model->leaf[left], model->leaf[left + 1]};
    unsigned both = vs_page_count(pages[0]) + vs_page_count(pages[1]);
    struct vs_leaf_cell *cells = get_memory(both * sizeof *cells);
    unsigned count = vs_leaf_gather(pages[0], pages[1], NULL, 0, false, cells);
    bool done = expect(model, count == both, "gathered all");
    if (done && vs_leaf_encoded_size(cells, count) <= model->page_size) {
        model->operation = "merge";
        uint8_t *merged = get_memory(model->page_size);
        vs_leaf_encode(merged, model->page_size, 1, cells, count);
        remove_leaf(model, left + 1);
        remove_leaf(model, left);
        insert_leaf(model, left, merged);
    } else if (done) {
        model->operation = "even out";
        done = write_two(model, left, 2, cells, count, false);
    }
    free(cells);
    return done;
}

/* ---- operations ---- */

static struct vs_payload make_payload(struct leaf_model *model, size_t key_size)
{
    size_t most = vs_leaf_payload_max(model->page_size, key_size);
    if (most > model->payload_max && simulated_random_below(&model->random, 20) != 0) {
        most = model->payload_max;
    }
    size_t size = (size_t)simulated_random_below(&model->random, most + 1);
    uint8_t *bytes = get_memory(size);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(simulated_random_next(&model->random) >> 56);
    }
    bool is_run = simulated_random_below(&model->random, 8) == 0;
    return (struct vs_payload){is_run, (uint16_t)size, bytes};
}

static void free_payload(struct vs_payload payload)
{
    union {
        const uint8_t *borrowed;
        uint8_t *owned;
    } bytes = {payload.bytes}; /* the struct's pointer is to const */
    free(bytes.owned);
}

static bool replace(struct leaf_model *model, unsigned entry, unsigned leaf, unsigned index)
{
    model->operation = "replace";
    struct leaf_model_entry *changed = &model->entry[entry];
    free_payload(changed->payload);
    changed->payload = make_payload(model, changed->key_size);
    if (vs_leaf_replace(model->leaf[leaf], model->page_size, index, changed->payload)) {
        return leaf_agrees(model, leaf) && relieve(model, leaf);
    }
    model->operation = "replace by split";
    struct vs_leaf_cell put = {.key = {changed->key, changed->key_size},
                               .payload = changed->payload};
    return split(model, leaf, index, true, &put);
}

static bool insert(struct leaf_model *model, verso_slice key)
{
    unsigned entry;
    unsigned leaf;
    unsigned index;
    bool known = find_entry(model, key, &entry);
    bool found = find_cell(model, key, &leaf, &index);
    if (!expect(model, known == found, "found or not") ||
        !expect(model, entries_before(model, leaf) + index == entry, "place of a key")) {
        return false;
    }
    if (found) {
        return replace(model, entry, leaf, index);
    }
    model->operation = "insert";
    struct leaf_model_entry *at = &model->entry[entry];
    memmove(at + 1, at, (model->count - entry) * sizeof *at);
    model->count++;
    *at = (struct leaf_model_entry){get_memory(key.size), key.size, make_payload(model, key.size)};
    if (key.size != 0) {
        memcpy(at->key, key.data, key.size);
    }
    if (vs_leaf_insert(model->leaf[leaf], model->page_size, index, key, at->payload)) {
        return true;
    }
    model->operation = "split";
    struct vs_leaf_cell put = {.key = key, .payload = at->payload};
    return split(model, leaf, index, false, &put);
}

static bool remove_one(struct leaf_model *model, unsigned entry)
{
    model->operation = "remove";
    struct leaf_model_entry *gone = &model->entry[entry];
    unsigned leaf;
    unsigned index;
    verso_slice key = {gone->key, gone->key_size};
    if (!expect(model, find_cell(model, key, &leaf, &index), "key to remove")) {
        return false;
    }
    vs_leaf_remove(model->leaf[leaf], model->page_size, index);
    free(gone->key);
    free_payload(gone->payload);
    model->count--;
    memmove(gone, gone + 1, (model->count - entry) * sizeof *gone);
    return leaf_agrees(model, leaf) && relieve(model, leaf);
}

struct leaf_model *leaf_model_open(uint64_t seed, size_t page_size, enum page_keys kind)
{
    struct leaf_model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        abort();
    }
    model->random.state = seed;
    model->page_size = page_size;
    model->kind = kind;
    static const size_t payloads[] = {0, 4, 20, 100, 30000};
    model->payload_max = payloads[simulated_random_below(&model->random, 5)];
    model->insert_weight = 50;
    model->leaf[0] = get_memory(page_size);
    model->leaves = 1;
    vs_leaf_init(model->leaf[0], page_size, 1, (verso_slice){NULL, 0});
    return model;
}

void leaf_model_close(struct leaf_model *model)
{
    for (unsigned i = 0; i < model->leaves; i++) {
        free(model->leaf[i]);
    }
    for (unsigned i = 0; i < model->count; i++) {
        free(model->entry[i].key);
        free_payload(model->entry[i].payload);
    }
    free(model);
}

bool leaf_model_step(struct leaf_model *model)
{
    if (simulated_random_below(&model->random, 200) == 0) { /* grow for a while, then shrink */
        model->insert_weight = 20 + 15 * (unsigned)simulated_random_below(&model->random, 6);
    }
    bool full = model->leaves > 20 || model->count + 1 >= LEAF_MODEL_ENTRIES;
    unsigned leaf = 0;
    bool good;
    if (model->count != 0 &&
        (full || simulated_random_below(&model->random, 100) >= model->insert_weight)) {
        unsigned entry = (unsigned)simulated_random_below(&model->random, model->count);
        verso_slice key = {model->entry[entry].key, model->entry[entry].key_size};
        unsigned index;
        find_cell(model, key, &leaf, &index);
        good = simulated_random_below(&model->random, 2) == 0 ? replace(model, entry, leaf, index)
                                                              : remove_one(model, entry);
    } else {
        uint8_t key[PAGE_KEY_MAX];
        size_t key_max = vs_leaf_key_max(model->page_size);
        size_t size = page_keys_next(model->kind, &model->random, key_max, key);
        good = insert(model, (verso_slice){key, size});
        unsigned index;
        find_cell(model, (verso_slice){key, size}, &leaf, &index);
    }
    if (leaf >= model->leaves) {
        leaf = model->leaves - 1;
    }
    return good && model->fault == NULL && leaf_agrees(model, leaf) &&
           (leaf + 1 == model->leaves || leaf_agrees(model, leaf + 1));
}
