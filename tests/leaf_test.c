/*
 * leaf_test.c - leaves hold what was put in, in order, whatever the keys; damaged ones are refused.
 */
#include "format/leaf.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/byte_order.h"
#include "format/run_ref.h"
#include "leaf_model.h"

static const size_t page_sizes[] = {512, 1024, 4096, 65536};
enum { PAGE_SIZES = 4, PAGE_SIZE = 4096 };

static const verso_slice no_prefix = {NULL, 0};
static uint8_t filler[VS_PAGE_SIZE_MAX]; /* payload bytes that do not matter */

static struct vs_payload payload_of(size_t size)
{
    return (struct vs_payload){false, (uint16_t)size, filler};
}

/** Insert a key that is new. @return Whether it fitted. */
static bool insert(uint8_t *page, size_t page_size, verso_slice key, size_t payload_size)
{
    unsigned index;
    cr_assert_not(vs_leaf_find(page, key, &index));
    bool fits = vs_leaf_insert(page, page_size, index, key, payload_of(payload_size));
    const char *fault = vs_leaf_check(page, page_size);
    cr_assert_null(fault, "%s", fault);
    cr_assert_eq(vs_leaf_find(page, key, &index), fits);
    return fits;
}

Test(leaf, agrees_with_a_sorted_array)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        for (unsigned kind = 0; kind <= PAGE_KEYS_ANY; kind++) {
            uint64_t seed = page_keys_seed();
            struct leaf_model *model = leaf_model_open(seed * 64 + (uint64_t)s * 8 + kind,
                                                       page_sizes[s], (enum page_keys)kind);
            unsigned steps = page_sizes[s] > PAGE_SIZE ? 600 : 4000;
            for (unsigned step = 0; step < steps; step++) {
                bool same = leaf_model_step(model) && (step % 256 != 0 || leaf_model_agrees(model));
                cr_assert(same, "seed=%" PRIu64 " page=%zu keys=%u step=%u: %s: %s", seed,
                          page_sizes[s], kind, step, model->operation, model->fault);
            }
            cr_assert(leaf_model_agrees(model), "seed=%" PRIu64 ": %s", seed, model->fault);
            leaf_model_close(model);
        }
    }
}

Test(leaf, holds_nothing_when_empty)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 42, verso_text("user:"));
    unsigned index = 9;
    cr_assert_null(vs_leaf_check(page, PAGE_SIZE));
    cr_assert_eq(vs_page_count(page), 0);
    cr_assert_eq(vs_page_birth(page), 42);
    cr_assert_not(vs_leaf_find(page, verso_text("user:1"), &index));
    cr_assert_eq(index, 0);
    cr_assert_not(vs_leaf_find(page, verso_text("zebra"), &index));
    cr_assert_eq(index, 0);
    cr_assert(vs_leaf_is_underfull(page, PAGE_SIZE));
    cr_assert(insert(page, PAGE_SIZE, no_prefix, 3));
    cr_assert(insert(page, PAGE_SIZE, verso_text("user:1"), 3));
    cr_assert_eq(vs_leaf_key_size(page, 0), 0);
}

Test(leaf, is_empty_again_after_removals)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    cr_assert(insert(page, PAGE_SIZE, verso_text("a"), 100));
    cr_assert(insert(page, PAGE_SIZE, verso_text("b"), 200));
    vs_leaf_remove(page, PAGE_SIZE, 0);
    vs_leaf_remove(page, PAGE_SIZE, 0);
    cr_assert_null(vs_leaf_check(page, PAGE_SIZE));
    cr_assert_eq(vs_leaf_used(page, PAGE_SIZE), 0);
}

Test(leaf, refuses_one_cell_too_many_and_stays_as_it_was)
{
    uint8_t page[PAGE_SIZE];
    uint8_t before[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    char key[32];
    for (unsigned i = 0;; i++) {
        memcpy(before, page, PAGE_SIZE);
        (void)snprintf(key, sizeof key, "%06u", i * 7919 % 100000);
        if (!insert(page, PAGE_SIZE, verso_text(key), 90)) {
            break;
        }
    }
    cr_assert_eq(memcmp(before, page, PAGE_SIZE), 0);
    unsigned last = vs_page_count(page) - 1;
    size_t most = vs_leaf_payload_max(PAGE_SIZE, 6);
    cr_assert_not(vs_leaf_replace(page, PAGE_SIZE, last, payload_of(most)));
    cr_assert_eq(memcmp(before, page, PAGE_SIZE), 0);
}

/** Share of the page that ascending keys fill, in thousandths. */
static unsigned ascending_fill(size_t page_size, size_t payload_size)
{
    uint8_t *page = malloc(page_size);
    cr_assert_not_null(page);
    vs_leaf_init(page, page_size, 1, no_prefix);
    unsigned count = 0;
    char key[16];
    do {
        (void)snprintf(key, sizeof key, "%08u", count);
    } while (vs_leaf_insert(page, page_size, count, verso_text(key), payload_of(payload_size)) &&
             ++count != 0);
    size_t least = count * (10 + payload_size);
    size_t used = vs_leaf_used(page, page_size) + 24;
    cr_assert_null(vs_leaf_check(page, page_size));
    cr_assert_leq(least, used);
    free(page);
    return (unsigned)(used * 1000 / page_size);
}

Test(leaf, is_filled_by_ascending_small_cells)
{
    static const size_t payloads[] = {0, 1, 8, 16, 30};
    for (unsigned s = 1; s < PAGE_SIZES; s++) {
        for (unsigned i = 0; i < 5; i++) {
            unsigned fill = ascending_fill(page_sizes[s], payloads[i]);
            unsigned least = page_sizes[s] >= PAGE_SIZE ? 980 : 920;
            cr_assert_geq(fill, least, "page %zu payload %zu: %u", page_sizes[s], payloads[i],
                          fill);
        }
    }
}

Test(leaf, takes_payloads_from_itself)
{
    struct simulated_random random = {page_keys_seed()};
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    uint8_t wanted[1024];
    for (unsigned step = 0; step < 3000; step++) {
        unsigned count = vs_page_count(page);
        char key[16];
        (void)snprintf(key, sizeof key, "%c%03u", 'a' + (char)(step % 3),
                       (unsigned)simulated_random_below(&random, 20));
        struct vs_payload payload = payload_of(300);
        for (unsigned i = 0; i < 300; i++) {
            filler[i] = (uint8_t)(step + i);
        }
        if (count != 0 && step % 4 != 0) { /* a part of what some cell holds */
            payload = vs_leaf_payload(page, (unsigned)simulated_random_below(&random, count));
            size_t skipped = (size_t)simulated_random_below(&random, payload.size + 1U);
            payload.bytes += skipped;
            payload.size = (uint16_t)(payload.size - skipped);
        }
        memcpy(wanted, payload.bytes, payload.size);
        unsigned index;
        bool done = vs_leaf_find(page, verso_text(key), &index)
                        ? vs_leaf_replace(page, PAGE_SIZE, index, payload)
                        : vs_leaf_insert(page, PAGE_SIZE, index, verso_text(key), payload);
        if (!done) {
            vs_leaf_remove(page, PAGE_SIZE, count / 2);
            continue;
        }
        cr_assert_null(vs_leaf_check(page, PAGE_SIZE));
        struct vs_payload put = vs_leaf_payload(page, index);
        cr_assert_eq(put.size, payload.size);
        cr_assert_eq(memcmp(put.bytes, wanted, put.size), 0, "step %u", step);
    }
}

Test(leaf, keeps_the_prefix_it_was_started_with)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, verso_text("user:00001"));
    cr_assert(insert(page, PAGE_SIZE, verso_text("user:0000123:profile"), 5));
    uint8_t prefix[PAGE_KEY_MAX];
    cr_assert_eq(vs_leaf_prefix(page, prefix), 10);
    cr_assert(insert(page, PAGE_SIZE, verso_text("user:0000200:profile"), 5));
    cr_assert_eq(vs_leaf_prefix(page, prefix), 9, "shortened to what all keys share");
    cr_assert_eq(memcmp(prefix, "user:0000", 9), 0);
}

Test(leaf, finds_among_keys_of_equal_heads)
{
    uint8_t *page = malloc(VS_PAGE_SIZE_MAX);
    cr_assert_not_null(page);
    vs_leaf_init(page, VS_PAGE_SIZE_MAX, 1, no_prefix);
    char key[32];
    unsigned count = 0;
    do {
        (void)snprintf(key, sizeof key, "same%07u", count * 2);
    } while (vs_leaf_insert(page, VS_PAGE_SIZE_MAX, count, verso_text(key), payload_of(2)) &&
             ++count < 3000);
    for (unsigned i = 0; i < 2 * count; i++) {
        unsigned index;
        (void)snprintf(key, sizeof key, "same%07u", i);
        cr_assert_eq(vs_leaf_find(page, verso_text(key), &index), i % 2 == 0);
        cr_assert_eq(index, (i + 1) / 2);
    }
    free(page);
}

Test(leaf, holds_three_of_the_largest_cells)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        size_t page_size = page_sizes[s];
        size_t key_max = vs_leaf_key_max(page_size);
        uint8_t *page = malloc(page_size);
        uint8_t *key = calloc(3, key_max);
        cr_assert_not_null(page);
        cr_assert_not_null(key);
        for (size_t shared = 0; shared < 6; shared++) {
            for (size_t key_size = shared + 1; key_size <= key_max; key_size += key_max / 7) {
                size_t payload_size = vs_leaf_payload_max(page_size, key_size);
                struct vs_leaf_cell cells[3];
                for (unsigned i = 0; i < 3; i++) {
                    key[i * key_max + shared] = (uint8_t)(i + 1);
                    cells[i] = (struct vs_leaf_cell){.key = {key + i * key_max, key_size},
                                                     .payload = payload_of(payload_size)};
                }
                unsigned fit = page_size == 512 && key_size > 74 ? 2 : 3;
                cr_assert_leq(vs_leaf_encoded_size(cells, fit), page_size);
                vs_leaf_encode(page, page_size, 1, cells, fit);
                cr_assert_null(vs_leaf_check(page, page_size));
            }
            memset(key, 0, 3 * key_max);
        }
        free(page);
        free(key);
    }
}

Test(leaf, limits_are_as_promised)
{
    cr_assert_geq(vs_leaf_key_max(4096), 1000);
    cr_assert_geq(vs_leaf_key_max(512), 100);
    for (size_t page_size = VS_PAGE_SIZE_MIN; page_size <= VS_PAGE_SIZE_MAX; page_size *= 2) {
        size_t key_max = vs_leaf_key_max(page_size);
        cr_assert_lt(key_max, (size_t)PAGE_KEY_MAX);
        cr_assert_geq(vs_leaf_payload_max(page_size, key_max), (size_t)VS_RUN_REF_MIN);
        cr_assert_lt(vs_leaf_payload_max(page_size, 0), 32768, "fits the 15 bits of a cell");
    }
}

/** Fill a leaf with keys behind a long prefix, then split it for a key that breaks the prefix. */
static void split_for_stranger(size_t page_size, verso_slice stranger, bool above)
{
    uint8_t *page = malloc(page_size);
    struct vs_leaf_cell *cells = malloc(page_size / 10 * sizeof *cells);
    cr_assert_not_null(page);
    cr_assert_not_null(cells);
    vs_leaf_init(page, page_size, 1, no_prefix);
    size_t key_max = vs_leaf_key_max(page_size);
    char *key = malloc(key_max + 1);
    cr_assert_not_null(key);
    memset(key, 'm', key_max);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(key + key_max - 4, 5, "%04u", i);
        if (!insert(page, page_size, (verso_slice){key, key_max}, 20)) {
            break;
        }
    }
    unsigned index;
    cr_assert_not(vs_leaf_find(page, stranger, &index));
    cr_assert_eq(index, above ? vs_page_count(page) : 0);
    cr_assert_not(vs_leaf_insert(page, page_size, index, stranger, payload_of(20)));
    struct vs_leaf_cell put = {.key = stranger, .payload = payload_of(20)};
    unsigned count = vs_leaf_gather(page, NULL, &put, index, false, cells);
    cr_assert_eq(count, vs_page_count(page) + 1);
    unsigned cut = vs_leaf_split_point(cells, count, page_size, false);
    cr_assert_leq(vs_leaf_encoded_size(cells, cut), page_size);
    cr_assert_leq(vs_leaf_encoded_size(cells + cut, count - cut), page_size);
    free(key);
    free(cells);
    free(page);
}

Test(leaf, splits_for_a_key_that_breaks_the_prefix)
{
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        split_for_stranger(page_sizes[s], verso_text("a"), false);
        split_for_stranger(page_sizes[s], verso_text("z"), true);
        split_for_stranger(page_sizes[s], no_prefix, false);
    }
}

Test(leaf, split_for_an_append_fills_the_left_side)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    char key[16];
    unsigned count = 0;
    do {
        (void)snprintf(key, sizeof key, "%08u", count++);
    } while (insert(page, PAGE_SIZE, verso_text(key), 100));
    struct vs_leaf_cell cells[64];
    struct vs_leaf_cell put = {.key = verso_text(key), .payload = payload_of(100)};
    cr_assert_eq(vs_leaf_gather(page, NULL, &put, count - 1, false, cells), count);
    cr_assert_eq(vs_leaf_split_point(cells, count, PAGE_SIZE, true), count - 1);
    unsigned middle = vs_leaf_split_point(cells, count, PAGE_SIZE, false);
    cr_assert_leq(abs((int)count - 2 * (int)middle), 2);
}

Test(leaf, separator_is_the_shortest_prefix_above)
{
    cr_assert_eq(vs_separator_size(verso_text("apple"), verso_text("banana")), 1);
    cr_assert_eq(vs_separator_size(verso_text("banana"), verso_text("bandit")), 4);
    cr_assert_eq(vs_separator_size(verso_text("ban"), verso_text("banana")), 4);
    cr_assert_eq(vs_separator_size(no_prefix, verso_text("b")), 1);
}

/* ---- damaged pages ---- */

/** Call every function that trusts a page; a sanitiser sees what runs off it. */
static void use_everything(uint8_t *page, size_t page_size, struct simulated_random *random)
{
    uint8_t *key = malloc(vs_leaf_key_max(page_size)); /* of exact size: for the sanitiser */
    cr_assert_not_null(key);
    unsigned count = vs_page_count(page);
    vs_leaf_prefix(page, key);
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i++) {
        struct vs_payload payload;
        verso_slice slice = {key, vs_leaf_entry(page, i, key, &payload)};
        for (unsigned b = 0; b < payload.size; b++) {
            sum += payload.bytes[b];
        }
        unsigned index;
        cr_assert(vs_leaf_find(page, slice, &index) && index == i, "sum %u", sum);
        if (slice.size != 0) {
            key[slice.size - 1] ^= 1;
            vs_leaf_find(page, slice, &index);
            vs_leaf_prefix(page, key);
        }
    }
    for (unsigned i = 0; i < 20 && vs_page_count(page) != 0; i++) {
        unsigned index = (unsigned)simulated_random_below(random, vs_page_count(page));
        verso_slice slice = {key, vs_leaf_key(page, index, key)};
        size_t most = vs_leaf_payload_max(page_size, slice.size);
        size_t size = (size_t)simulated_random_below(random, most + 1);
        if (i % 3 == 0) {
            vs_leaf_replace(page, page_size, index, payload_of(size));
        } else if (i % 3 == 1) {
            vs_leaf_remove(page, page_size, index);
            vs_leaf_insert(page, page_size, index, slice, payload_of(size));
        } else {
            vs_leaf_remove(page, page_size, index);
        }
        const char *fault = vs_leaf_check(page, page_size);
        cr_assert_null(fault, "%s", fault);
    }
    free(key);
}

/** Flip some bits, most of them where they matter: in the header and the arrays. */
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

Test(leaf, damaged_pages_are_refused_or_harmless)
{
    struct simulated_random random = {page_keys_seed()};
    for (unsigned s = 0; s < PAGE_SIZES; s++) {
        size_t page_size = page_sizes[s];
        unsigned refused = 0;
        unsigned rounds = page_size > PAGE_SIZE ? 4 : 12;
        for (unsigned round = 0; round < rounds; round++) {
            struct leaf_model *model =
                leaf_model_open(simulated_random_next(&random), page_size, PAGE_KEYS_ANY);
            for (unsigned step = 0; step < 100; step++) {
                cr_assert(leaf_model_step(model));
            }
            for (unsigned i = 0; i < 300; i++) {
                uint8_t *page = malloc(page_size); /* of exact size: for the sanitiser */
                cr_assert_not_null(page);
                memcpy(page, model->leaf[i % model->leaves], page_size);
                damage(page, page_size, &random);
                if (vs_leaf_check(page, page_size) == NULL) {
                    use_everything(page, page_size, &random);
                } else {
                    refused++;
                }
                free(page);
            }
            leaf_model_close(model);
        }
        cr_assert_gt(refused, rounds * 60);
    }
}

Test(leaf, overlapping_cells_are_refused)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    cr_assert(insert(page, PAGE_SIZE, verso_text("a"), 10));
    cr_assert(insert(page, PAGE_SIZE, verso_text("b"), 10));
    uint8_t *slots = page + 24 + sizeof(uint32_t[8]);
    memcpy(slots + 4, slots, 4);
    cr_assert_str_eq(vs_leaf_check(page, PAGE_SIZE), "leaf: cells overlap (L2)");
}

/*
 * "ab" and "ab\0" have one head, for heads are padded with zeros: their order is that of their sizes.
 * Each cell of a pair is given the other's place, so that the leaf ends up unordered.
 */
Test(leaf, cells_of_one_head_in_the_wrong_order_are_refused)
{
    const verso_slice pairs[][2] = {
        {{"ab", 2}, {"ab\0", 3}},           /* nothing behind the heads: sizes decide */
        {{"abcdef", 6}, {"abcdefg", 7}},    /* one is the other's beginning */
        {{"abcdexxxxx", 10}, {"abcdf", 5}}, /* the longer one is below */
        {{"abcde\0", 6}, {"abcde\0\0", 7}},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        uint8_t page[PAGE_SIZE];
        vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
        cr_assert(insert(page, PAGE_SIZE, pairs[i][0], 10));
        cr_assert(insert(page, PAGE_SIZE, pairs[i][1], 10));
        uint8_t *slots = page + 24 + sizeof(uint32_t[8]);
        uint8_t slot[4];
        memcpy(slot, slots, 4);
        memcpy(slots, slots + 4, 4);
        memcpy(slots + 4, slot, 4);
        cr_assert_not_null(vs_leaf_check(page, PAGE_SIZE), "pair %zu", i);
    }
}

Test(leaf, cells_with_one_key_are_refused)
{
    uint8_t page[PAGE_SIZE];
    vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
    cr_assert(insert(page, PAGE_SIZE, verso_text("abcde"), 10));
    cr_assert(vs_leaf_insert(page, PAGE_SIZE, 1, verso_text("abcde"), payload_of(10)));
    cr_assert_not_null(vs_leaf_check(page, PAGE_SIZE));
}

/* The page lies before memory that cannot be touched: a check that looks at a cell before it has
   looked where that lies ends with a signal. */
Test(leaf, a_cell_beyond_the_page_is_refused_unread)
{
    size_t guard = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, 2 * guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    cr_assert_eq(mprotect(memory + guard, guard, PROT_NONE), 0);
    uint8_t *page = memory + guard - PAGE_SIZE;
    for (unsigned cell_at = 0; cell_at <= UINT16_MAX; cell_at += cell_at < PAGE_SIZE ? 1 : 97) {
        vs_leaf_init(page, PAGE_SIZE, 1, no_prefix);
        cr_assert(insert(page, PAGE_SIZE, verso_text("abcdefgh"), 10));
        uint8_t *slot = page + 24 + sizeof(uint32_t[8]);
        if (vs_get_le16(slot) == cell_at) {
            continue;
        }
        vs_put_le16(slot, (uint16_t)cell_at);
        cr_assert_not_null(vs_leaf_check(page, PAGE_SIZE), "cell at %u", cell_at);
    }
    cr_assert_eq(munmap(memory, 2 * guard), 0);
}

/* A store that was tampered with may have empty leaves side by side, to be joined. */
Test(leaf, of_no_cells_can_be_encoded)
{
    uint8_t page[512];
    size_t size = vs_leaf_encoded_size(NULL, 0);
    cr_assert_leq(size, sizeof page);
    vs_leaf_encode(page, sizeof page, 1, NULL, 0);
    cr_assert_null(vs_leaf_check(page, sizeof page));
    cr_assert_eq(vs_page_count(page), 0);
}

Test(leaf, random_bytes_are_refused)
{
    struct simulated_random random = {page_keys_seed()};
    uint8_t page[512];
    for (unsigned round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof page; i++) {
            page[i] = (uint8_t)simulated_random_next(&random);
        }
        page[0] = VS_KIND_LEAF;
        page[1] = 0;
        cr_assert_not_null(vs_leaf_check(page, sizeof page), "seed %" PRIu64, page_keys_seed());
    }
}
