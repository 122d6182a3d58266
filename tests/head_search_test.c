/*
 * head_search_test.c - all searches of heads agree with counting, for every length and alignment.
 */
#include "format/head_search.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "format/byte_order.h"
#include "page_keys.h"

enum { HEADS_MAX = 700 };

static int compare_words(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static unsigned count_below(const uint32_t *words, unsigned count, uint32_t head)
{
    unsigned below = 0;
    while (below < count && words[below] < head) {
        below++;
    }
    return below;
}

/** Fill `words` with ascending heads; what follows them would be counted if it were looked at. */
static void make_heads(struct simulated_random *random, unsigned count, uint32_t *words)
{
    uint32_t mask = simulated_random_below(random, 2) == 0 ? UINT32_MAX : 0x7;
    for (unsigned i = 0; i < count; i++) {
        words[i] = (uint32_t)simulated_random_next(random) & mask;
        words[i] = simulated_random_below(random, 8) == 0 ? UINT32_MAX : words[i];
    }
    qsort(words, count, sizeof *words, compare_words);
    for (unsigned i = count; i < HEADS_MAX + VS_HEAD_BLOCK; i++) {
        words[i] = 0;
    }
}

Test(head_search, agrees_with_counting)
{
    struct simulated_random random = {page_keys_seed()};
    static uint32_t words[HEADS_MAX + VS_HEAD_BLOCK];
    static uint8_t bytes[4 * (HEADS_MAX + VS_HEAD_BLOCK) + 4];
    for (unsigned count = 0; count <= HEADS_MAX; count++) {
        make_heads(&random, count, words);
        uint8_t *heads = bytes + count % 4;
        for (unsigned i = 0; i < HEADS_MAX + VS_HEAD_BLOCK; i++) {
            vs_put_le32(heads + (size_t)i * 4, words[i]);
        }
        for (unsigned i = 0; i < 40; i++) {
            uint32_t head = (uint32_t)simulated_random_next(&random);
            if (count != 0 && i % 2 == 0) {
                head = words[head % count] + i % 3 - 1;
            }
            unsigned below = count_below(words, count, head);
            cr_assert_eq(vs_head_lower_bound(heads, count, head), below);
            cr_assert_eq(vs_head_lower_bound_wide(heads, count, head), below);
            cr_assert_eq(vs_head_lower_bound_portable(heads, count, head), below);
            unsigned upper = head == UINT32_MAX ? count : count_below(words, count, head + 1);
            cr_assert_eq(vs_head_upper_bound(heads, count, head), upper);
            cr_assert_eq(vs_head_upper_bound_wide(heads, count, head), upper);
        }
    }
}
