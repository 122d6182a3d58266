/*
 * branch_test.c - branches find the child of every key, whatever the separators; damaged ones are
 * refused.
 */
#include "format/branch.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/leaf.h"
#include "page_keys.h"

static const size_t page_sizes[] = {512, 1024, 4096, 65536};
enum { PAGE_SIZES = 4, PAGE_SIZE = 4096, CHILDREN_MAX = 6000 };

/* ---- a model: a branch beside arrays ---- */

struct child {
    uint8_t *separator; /* of child 0: empty, minus infinity */
    size_t size;
    vs_page_no page;
    uint64_t keys;
};

struct model {
    struct simulated_random random;
    size_t page_size;
    enum page_keys kind;
    unsigned level;
    unsigned count;
    unsigned insert_weight; /* of 100 */
    uint8_t *page;
    struct child child[CHILDREN_MAX];
    const char *operation;
    const char *fault;
};

static void *get_memory(size_t size)
{
    void *memory = malloc(size == 0 ? 1 : size);
    cr_assert_not_null(memory);
    return memory;
}

static verso_slice separator_of(const struct child *child)
{
    return (verso_slice){child->separator, child->size};
}

static int compare(verso_slice a, verso_slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/** The last child whose separator is not above the key. */
static unsigned find_child(const struct model *model, verso_slice key)
{
    unsigned from = 1;
    unsigned to = model->count;
    while (from < to) {
        unsigned middle = (from + to) / 2;
        if (compare(separator_of(&model->child[middle]), key) <= 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from - 1;
}

static uint64_t random_keys(struct model *model)
{
    static const unsigned bits[] = {16, 32, 48};
    unsigned width = bits[model->level < 3 ? model->level - 1 : 2];
    return simulated_random_next(&model->random) >> (64 - width);
}

static struct child make_child(struct model *model, verso_slice separator)
{
    struct child child = {get_memory(separator.size), separator.size, 0, random_keys(model)};
    child.page = 1 + (vs_page_no)simulated_random_below(&model->random, UINT32_MAX);
    if (separator.size != 0) {
        memcpy(child.separator, separator.data, separator.size);
    }
    return child;
}

static struct model *model_open(uint64_t seed, size_t page_size, enum page_keys kind,
                                unsigned level)
{
    struct model *model = get_memory(sizeof *model);
    *model = (struct model){.random = {seed},
                            .page_size = page_size,
                            .kind = kind,
                            .level = level,
                            .count = 1,
                            .insert_weight = 60,
                            .page = get_memory(page_size)};
    model->child[0] = make_child(model, (verso_slice){NULL, 0});
    vs_branch_init(model->page, page_size, 7, level, model->child[0].page, model->child[0].keys);
    return model;
}

static void model_close(struct model *model)
{
    for (unsigned i = 0; i < model->count; i++) {
        free(model->child[i].separator);
    }
    free(model->page);
    free(model);
}

static bool expect(struct model *model, bool true_fact, const char *fault)
{
    if (!true_fact && model->fault == NULL) {
        model->fault = fault;
    }
    return true_fact;
}

/** The child that holds the key says so, and its neighbours deny it. */
static bool leads_there_alone(const struct model *model, unsigned child, verso_slice key)
{
    return vs_branch_leads_to(model->page, child, key) &&
           (child == 0 || !vs_branch_leads_to(model->page, child - 1, key)) &&
           (child + 1 == model->count || !vs_branch_leads_to(model->page, child + 1, key));
}

static bool finds(struct model *model, verso_slice key)
{
    unsigned child = find_child(model, key);
    return expect(model, vs_branch_find(model->page, key) == child, "find") &&
           expect(model, vs_branch_find_wide(model->page, key) == child, "find wide") &&
           expect(model, leads_there_alone(model, child, key), "leads to");
}

static bool child_agrees(struct model *model, unsigned i)
{
    const struct child *child = &model->child[i];
    uint8_t separator[PAGE_KEY_MAX];
    if (!expect(model, vs_branch_child(model->page, i) == child->page, "child") ||
        !expect(model, vs_branch_keys(model->page, i) == child->keys, "keys")) {
        return false;
    }
    if (i == 0) {
        return true;
    }
    size_t size = vs_branch_separator(model->page, i, separator);
    return expect(model, size == child->size, "size of a separator") &&
           expect(model, memcmp(separator, child->separator, size) == 0, "separator") &&
           finds(model, separator_of(child));
}

static bool model_agrees(struct model *model)
{
    const char *fault = vs_branch_check(model->page, model->page_size);
    if (!expect(model, fault == NULL, fault) ||
        !expect(model, vs_page_count(model->page) == model->count, "count") ||
        !expect(model, vs_page_level(model->page) == model->level, "level") ||
        !expect(model, vs_page_birth(model->page) == 7, "birth")) {
        return false;
    }
    uint64_t total = 0;
    for (unsigned i = 0; i < model->count; i++) {
        if (!expect(model, vs_branch_keys_before(model->page, i) == total, "keys before") ||
            !child_agrees(model, i)) {
            return false;
        }
        total += model->child[i].keys;
    }
    return expect(model, vs_branch_total(model->page) == total, "total");
}

/** Drop the model's children outside of [from, to). */
static void keep_children(struct model *model, unsigned from, unsigned to)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (i < from || i >= to) {
            free(model->child[i].separator);
        }
    }
    model->count = to - from;
    memmove(model->child, model->child + from, model->count * sizeof *model->child);
    model->child[0].size = 0; /* minus infinity now */
}

/** Gather both halves again: all children are there, the middle one with its separator. */
static bool gathers_again(struct model *model, const uint8_t *left, const uint8_t *right,
                          verso_slice middle)
{
    struct vs_branch_cell *cells = get_memory(model->count * sizeof *cells);
    unsigned cut = vs_page_count(left);
    bool good = expect(model, vs_branch_gather(left, right, middle, NULL, 0, cells) == model->count,
                       "gathered all");
    uint8_t separator[PAGE_KEY_MAX];
    for (unsigned i = 1; good && i < model->count; i++) {
        size_t size = vs_branch_cell_separator(&cells[i], separator);
        good = expect(model, size == model->child[i].size, "size of a gathered separator") &&
               expect(model, memcmp(separator, model->child[i].separator, size) == 0,
                      "gathered separator") &&
               expect(model, (cells[i].page == NULL) == (i == cut), "only the middle is new");
    }
    free(cells);
    return good;
}

/** Put a child that the page has no room for: split, look at both halves, go on with one of
 * them. */
static bool split(struct model *model, unsigned index, const struct vs_branch_cell *put)
{
    struct vs_branch_cell *cells = get_memory((model->count + 1) * sizeof *cells);
    unsigned count = vs_branch_gather(model->page, NULL, (verso_slice){NULL, 0}, put, index, cells);
    bool append = index == model->count - 1;
    unsigned cut = vs_branch_split_point(cells, count, model->level, model->page_size, append);
    unsigned least = count >= 4 ? 2 : 1;
    bool good =
        expect(model, count == model->count, "gathered all") &&
        expect(model, vs_branch_encoded_size(cells, count, model->level) > model->page_size,
               "refused although it fits") &&
        expect(model, count >= 5, "four children did not fit") &&
        expect(model, cut >= least && count - cut >= least, "a side has too few children") &&
        expect(model, vs_branch_encoded_size(cells, cut, model->level) <= model->page_size,
               "left side does not fit") &&
        expect(model,
               vs_branch_encoded_size(cells + cut, count - cut, model->level) <= model->page_size,
               "right side does not fit");
    if (good) {
        uint8_t *halves[2] = {get_memory(model->page_size), get_memory(model->page_size)};
        vs_branch_encode(halves[0], model->page_size, 7, model->level, cells, cut);
        vs_branch_encode(halves[1], model->page_size, 7, model->level, cells + cut, count - cut);
        good = gathers_again(model, halves[0], halves[1], separator_of(&model->child[cut]));
        bool right = simulated_random_below(&model->random, 2) == 0;
        keep_children(model, right ? cut : 0, right ? count : cut);
        free(model->page);
        free(halves[!right]);
        model->page = halves[right];
    }
    free(cells);
    return good;
}

static bool insert(struct model *model, verso_slice separator)
{
    model->operation = "insert";
    unsigned index = find_child(model, separator) + 1;
    if (separator.size == 0 ||
        (index > 1 && compare(separator_of(&model->child[index - 1]), separator) == 0)) {
        return true; /* there already: child 0 has what the empty key would begin */
    }
    struct child *at = &model->child[index];
    memmove(at + 1, at, (model->count - index) * sizeof *at);
    *at = make_child(model, separator);
    model->count++;
    if (vs_branch_insert(model->page, model->page_size, index, separator, at->page, at->keys)) {
        return true;
    }
    model->operation = "split";
    struct vs_branch_cell put = {.separator = separator, .child = at->page, .keys = at->keys};
    return split(model, index, &put);
}

static bool remove_one(struct model *model, unsigned index)
{
    model->operation = "remove";
    vs_branch_remove(model->page, model->page_size, index);
    free(model->child[index].separator);
    model->count--;
    memmove(&model->child[index], &model->child[index + 1],
            (model->count - index) * sizeof *model->child);
    model->child[0].size = 0;
    return true;
}

static bool change_child(struct model *model, unsigned index)
{
    model->operation = "set child";
    struct child *child = &model->child[index];
    child->page = 1 + (vs_page_no)simulated_random_below(&model->random, 1000000);
    child->keys = random_keys(model);
    vs_branch_set_child(model->page, index, child->page);
    vs_branch_set_keys(model->page, index, child->keys);
    return true;
}

/** Give a separator another text between its neighbours. */
static bool change_separator(struct model *model, unsigned index, verso_slice separator)
{
    model->operation = "set separator";
    bool above = index == 1 ? separator.size > 0 /* no key is below the empty one */
                            : compare(separator_of(&model->child[index - 1]), separator) < 0;
    bool below =
        index + 1 == model->count || compare(separator, separator_of(&model->child[index + 1])) < 0;
    if (!above || !below) {
        return true;
    }
    if (vs_branch_set_separator(model->page, model->page_size, index, separator)) {
        struct child *child = &model->child[index];
        free(child->separator);
        child->separator = get_memory(separator.size);
        child->size = separator.size;
        if (separator.size != 0) {
            memcpy(child->separator, separator.data, separator.size);
        }
    }
    return true;
}

/** A new key, or a known separator made longer or shorter. */
static size_t next_key(struct model *model, unsigned index, uint8_t *key)
{
    size_t key_max = vs_leaf_key_max(model->page_size);
    if (index == 0 || simulated_random_below(&model->random, 3) == 0) {
        return page_keys_next(model->kind, &model->random, key_max, key);
    }
    size_t size = model->child[index].size;
    memcpy(key, model->child[index].separator, size);
    if (size != 0 && simulated_random_below(&model->random, 2) == 0) {
        return size - 1 - (size_t)simulated_random_below(&model->random, size);
    }
    for (unsigned i = 0; i < 6 && size < key_max; i++) {
        key[size++] = (uint8_t)simulated_random_below(&model->random, 256);
    }
    return size;
}

static bool model_step(struct model *model)
{
    if (simulated_random_below(&model->random, 300) == 0) { /* grow for a while, then shrink */
        model->insert_weight = 20 + 15 * (unsigned)simulated_random_below(&model->random, 6);
    }
    unsigned index = (unsigned)simulated_random_below(&model->random, model->count);
    uint8_t key[PAGE_KEY_MAX];
    if (simulated_random_below(&model->random, 100) < model->insert_weight) {
        size_t key_max = vs_leaf_key_max(model->page_size);
        size_t size = page_keys_next(model->kind, &model->random, key_max, key);
        return insert(model, (verso_slice){key, size}) && finds(model, (verso_slice){key, size});
    }
    size_t size = next_key(model, index, key);
    if (!finds(model, (verso_slice){key, size})) {
        return false;
    }
    switch (simulated_random_below(&model->random, 3)) {
    case 0:
        return change_child(model, index);
    case 1:
        return index == 0 || change_separator(model, index, (verso_slice){key, size});
    default:
        return model->count == 1 || remove_one(model, index);
    }
}

Test(branch, agrees_with_arrays)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        for (unsigned kind = 0; kind <= PAGE_KEYS_ANY; kind++) {
            uint64_t seed = page_keys_seed();
            struct model *model = model_open(seed * 64 + (uint64_t)s * 8 + kind, page_sizes[s],
                                             (enum page_keys)kind, 1 + (kind + s) % 3);
            unsigned steps = page_sizes[s] > PAGE_SIZE ? 1500 : 3000;
            for (unsigned step = 0; step < steps; step++) {
                bool due = page_sizes[s] <= PAGE_SIZE || step % 16 == 0;
                bool same = model_step(model) && (!due || model_agrees(model));
                cr_assert(same, "seed=%" PRIu64 " page=%zu keys=%u step=%u: %s: %s", seed,
                          page_sizes[s], kind, step, model->operation, model->fault);
            }
            model_close(model);
        }
    }
}

/* ---- single behaviours ---- */

Test(branch, of_one_child_holds_every_key)
{
    uint8_t page[PAGE_SIZE];
    vs_branch_init(page, PAGE_SIZE, 42, 3, 77, UINT64_C(1) << 40);
    cr_assert_null(vs_branch_check(page, PAGE_SIZE));
    cr_assert_eq(vs_page_birth(page), 42);
    cr_assert_eq(vs_page_level(page), 3);
    cr_assert_eq(vs_branch_total(page), UINT64_C(1) << 40);
    static const char *const keys[] = {"", "a", "\xff\xff\xff\xff\xff"};
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(vs_branch_find(page, verso_text(keys[i])), 0);
        cr_assert_eq(vs_branch_find_wide(page, verso_text(keys[i])), 0);
    }
}

Test(branch, finds_no_child_for_a_rank_beyond_its_keys)
{
    uint8_t page[PAGE_SIZE];
    const struct vs_branch_cell cells[] = {
        {.separator = {NULL, 0}, .child = 7, .keys = 10},
        {.separator = {"m", 1}, .child = 8, .keys = 5},
    };
    vs_branch_encode(page, PAGE_SIZE, 1, 1, cells, 2);
    static const uint64_t ranks[][3] = {{0, 0, 0},  {9, 0, 9},  {10, 1, 0},
                                        {14, 1, 4}, {15, 2, 0}, {20, 2, 5}};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        uint64_t rank = ranks[i][0];
        cr_assert_eq(vs_branch_find_rank(page, &rank), ranks[i][1]);
        cr_assert_eq(rank, ranks[i][2]);
    }
}

Test(branch, tells_zero_bytes_from_nothing)
{
    uint8_t page[PAGE_SIZE];
    static const uint8_t zeros[8] = {0};
    vs_branch_init(page, PAGE_SIZE, 1, 1, 1, 1);
    for (unsigned size = 1; size <= 8; size++) {
        verso_slice separator = {zeros, size};
        cr_assert(vs_branch_insert(page, PAGE_SIZE, size, separator, size + 1, 1));
    }
    cr_assert_null(vs_branch_check(page, PAGE_SIZE));
    for (unsigned size = 0; size <= 8; size++) {
        cr_assert_eq(vs_branch_find(page, (verso_slice){zeros, size}), size);
    }
}

/** How many children fit a page whose separators come from this function. */
static unsigned fan_out(unsigned level, size_t (*separator)(unsigned, char *))
{
    uint8_t page[PAGE_SIZE];
    vs_branch_init(page, PAGE_SIZE, 1, level, 1, 1);
    char text[32];
    unsigned count = 1;
    for (;; count++) {
        size_t size = separator(count, text);
        if (!vs_branch_insert(page, PAGE_SIZE, count, (verso_slice){text, size}, count + 1, 1)) {
            break;
        }
    }
    const char *fault = vs_branch_check(page, PAGE_SIZE);
    cr_assert_null(fault, "%s", fault);
    for (unsigned i = 1; i < count; i++) {
        size_t size = separator(i, text);
        cr_assert_eq(vs_branch_find(page, (verso_slice){text, size}), i);
        cr_assert_eq(vs_branch_find_wide(page, (verso_slice){text, size}), i);
    }
    return count;
}

static size_t spread_bytes(unsigned i, char *text)
{
    uint32_t head = i * 12000000U;
    text[0] = (char)(head >> 24);
    text[1] = (char)(head >> 16);
    text[2] = (char)(head >> 8);
    return 3;
}

/** What separates leaves of 34 keys each. */
static size_t dense_decimals(unsigned i, char *text)
{
    char left[32];
    (void)snprintf(left, sizeof left, "user:%08u:profile", i * 34 - 1);
    (void)snprintf(text, 32, "user:%08u:profile", i * 34);
    return vs_separator_size(verso_text(left), verso_text(text));
}

Test(branch, has_many_children)
{
    cr_assert_geq(fan_out(1, spread_bytes), 320);
    cr_assert_geq(fan_out(1, dense_decimals), 290); /* beyond 10,000 keys: a fifth byte */
    cr_assert_geq(fan_out(2, spread_bytes), 270);
    cr_assert_geq(fan_out(3, spread_bytes), 210);
}

Test(branch, holds_any_four_children)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        size_t page_size = page_sizes[s];
        size_t key_max = vs_leaf_key_max(page_size);
        uint8_t *keys = calloc(4, key_max);
        cr_assert_not_null(keys);
        for (size_t shared = 0; shared < key_max; shared += 1 + shared / 3) {
            struct vs_branch_cell cells[4];
            for (unsigned i = 0; i < 4; i++) {
                memset(keys + i * key_max, 0, key_max);
                keys[i * key_max + shared] = (uint8_t)(i + 1);
                cells[i] = (struct vs_branch_cell){.separator = {keys + i * key_max, key_max},
                                                   .child = i + 1};
            }
            cr_assert_leq(vs_branch_encoded_size(cells, 4, 3), page_size);
        }
        free(keys);
    }
}

/** Fill a branch with separators behind a long prefix, then split it for one that breaks the
 * prefix. */
static void split_for_stranger(size_t page_size, verso_slice stranger, bool above)
{
    uint8_t *page = get_memory(page_size);
    size_t key_max = vs_leaf_key_max(page_size);
    char *key = get_memory(key_max + 1);
    memset(key, 'm', key_max);
    vs_branch_init(page, page_size, 1, 1, 1, 1);
    unsigned count = 1;
    do {
        (void)snprintf(key + key_max - 4, 5, "%04u", count);
    } while (count < 9999 &&
             vs_branch_insert(page, page_size, count, (verso_slice){key, key_max}, count + 1, 1) &&
             ++count != 0);
    unsigned index = above ? count : 1;
    cr_assert_not(vs_branch_insert(page, page_size, index, stranger, 7, 7));
    struct vs_branch_cell put = {.separator = stranger, .child = 7, .keys = 7};
    struct vs_branch_cell *cells = get_memory((count + 1) * sizeof *cells);
    cr_assert_eq(vs_branch_gather(page, NULL, stranger, &put, index, cells), count + 1);
    unsigned cut = vs_branch_split_point(cells, count + 1, 1, page_size, false);
    cr_assert_geq(cut, 2);
    cr_assert_leq(cut, count - 1);
    cr_assert_leq(vs_branch_encoded_size(cells, cut, 1), page_size);
    cr_assert_leq(vs_branch_encoded_size(cells + cut, count + 1 - cut, 1), page_size);
    free(cells);
    free(key);
    free(page);
}

Test(branch, splits_for_a_separator_that_breaks_the_prefix)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        split_for_stranger(page_sizes[s], verso_text("a"), false);
        split_for_stranger(page_sizes[s], verso_text("z"), true);
    }
}

Test(branch, is_underfull_below_a_quarter)
{
    uint8_t page[PAGE_SIZE];
    vs_branch_init(page, PAGE_SIZE, 1, 1, 1, 1);
    cr_assert(vs_branch_is_underfull(page, PAGE_SIZE));
    unsigned full = fan_out(1, spread_bytes);
    char text[32];
    unsigned count = 1;
    for (; vs_branch_is_underfull(page, PAGE_SIZE); count++) {
        size_t size = spread_bytes(count, text);
        verso_slice separator = {text, size};
        cr_assert(vs_branch_insert(page, PAGE_SIZE, count, separator, count + 1, 1));
    }
    cr_assert_leq(abs((int)full - 4 * (int)count), 16);
    vs_branch_remove(page, PAGE_SIZE, count - 1);
    cr_assert(vs_branch_is_underfull(page, PAGE_SIZE));
}

/* ---- damaged pages ---- */

/** Call every function that trusts a page; a sanitiser sees what runs off it. */
static void use_everything(uint8_t *page, size_t page_size, struct simulated_random *random)
{
    uint8_t *key = get_memory(vs_leaf_key_max(page_size)); /* of exact size: for the sanitiser */
    vs_branch_total(page);
    for (unsigned i = 1; i < vs_page_count(page); i++) {
        verso_slice separator = {key, vs_branch_separator(page, i, key)};
        cr_assert_eq(vs_branch_find(page, separator), i);
        cr_assert_eq(vs_branch_find_wide(page, separator), i);
    }
    for (unsigned i = 0; i < 20 && vs_page_count(page) > 1; i++) {
        unsigned count = vs_page_count(page);
        unsigned index = 1 + (unsigned)simulated_random_below(random, count - 1);
        verso_slice separator = {key, vs_branch_separator(page, index, key)};
        vs_branch_remove(page, page_size, i % 4 == 0 ? 0 : index);
        if (i % 4 == 1) {
            cr_assert(vs_branch_insert(page, page_size, index, separator, 5, 5));
        } else if (i % 4 == 2 && index + 1 < count) { /* it is below the separator that follows */
            vs_branch_set_separator(page, page_size, index, separator);
        }
        const char *fault = vs_branch_check(page, page_size);
        cr_assert_null(fault, "%s", fault);
    }
    free(key);
}

static void damage(uint8_t *page, size_t page_size, struct simulated_random *random)
{
    unsigned flips = 1 + (unsigned)simulated_random_below(random, 4);
    for (unsigned i = 0; i < flips; i++) {
        static const size_t reach[] = {8, 24, 200, 65536};
        size_t range = reach[simulated_random_below(random, 4)];
        size_t at = (size_t)simulated_random_below(random, range < page_size ? range : page_size);
        page[at] ^= (uint8_t)(1U << simulated_random_below(random, 8));
    }
}

Test(branch, damaged_pages_are_refused_or_harmless)
{
    struct simulated_random random = {page_keys_seed()};
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        size_t page_size = page_sizes[s];
        unsigned refused = 0;
        for (unsigned round = 0; round < 12; round++) {
            struct model *model =
                model_open(simulated_random_next(&random), page_size, PAGE_KEYS_ANY, 1 + round % 3);
            for (unsigned step = 0; step < 150; step++) {
                cr_assert(model_step(model), "%s: %s", model->operation, model->fault);
            }
            for (unsigned i = 0; i < 300; i++) {
                uint8_t *page = get_memory(page_size);
                memcpy(page, model->page, page_size);
                damage(page, page_size, &random);
                if (vs_branch_check(page, page_size) == NULL) {
                    use_everything(page, page_size, &random);
                } else {
                    refused++;
                }
                free(page);
            }
            model_close(model);
        }
        cr_assert_gt(refused, 1000);
    }
}

/** What the check says of a branch with two separators. */
static const char *fault_of(verso_slice first, verso_slice second)
{
    uint8_t page[PAGE_SIZE];
    struct vs_branch_cell cells[3] = {{.child = 7, .keys = 1},
                                      {.child = 8, .keys = 1, .separator = first},
                                      {.child = 9, .keys = 1, .separator = second}};
    vs_branch_encode(page, sizeof page, 1, 1, cells, 3);
    return vs_branch_check(page, sizeof page);
}

Test(branch, separators_that_leave_a_child_no_keys_are_refused)
{
    cr_assert_null(fault_of(verso_text("ab"), verso_text("b")));
    cr_assert_str_eq(fault_of(verso_text(""), verso_text("b")),
                     "branch: separator 1 is empty (B4)");
    const char *descending = "branch: separators do not ascend (B4)";
    cr_assert_str_eq(fault_of(verso_text("b"), verso_text("a")), descending);
    cr_assert_str_eq(fault_of(verso_text("ab"), verso_text("ab")), descending);
    cr_assert_str_eq(fault_of((verso_slice){"ab\0", 3}, verso_text("ab")), descending);
    cr_assert_str_eq(fault_of(verso_text("longer than a head"), verso_text("longer than a head")),
                     descending);
}

Test(branch, random_bytes_are_refused)
{
    struct simulated_random random = {page_keys_seed()};
    uint8_t page[512];
    for (unsigned round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof page; i++) {
            page[i] = (uint8_t)simulated_random_next(&random);
        }
        page[0] = VS_KIND_BRANCH;
        page[1] = 1;
        cr_assert_not_null(vs_branch_check(page, sizeof page), "seed %" PRIu64, page_keys_seed());
    }
}
