/*
 * run_ref_test.c - references to long values survive encoding, and damaged ones are refused.
 */
#include "format/run_ref.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "page_keys.h"

enum { PAGE_SIZE = 4096 };

/** A reference whose extents hold its length exactly. */
static struct vs_run_ref make_ref(struct simulated_random *random, unsigned extents)
{
    struct vs_run_ref ref = {.hash = simulated_random_next(random), .extents = extents};
    uint32_t pages = 0;
    for (unsigned i = 0; i < extents; i++) {
        ref.extent[i].page = 1 + (uint32_t)simulated_random_below(random, 1U << 31);
        ref.extent[i].pages = 1 + (uint32_t)simulated_random_below(random, 1000);
        pages += ref.extent[i].pages;
    }
    ref.length = pages * PAGE_SIZE - (uint32_t)simulated_random_below(random, PAGE_SIZE);
    return ref;
}

Test(run_ref, comes_back_as_it_was)
{
    struct simulated_random random = {page_keys_seed()};
    for (unsigned extents = 1; extents <= VS_RUN_EXTENTS_MAX; extents++) {
        struct vs_run_ref ref = make_ref(&random, extents);
        uint8_t bytes[VS_RUN_REF_MAX];
        size_t size = vs_run_ref_encode(&ref, bytes);
        cr_assert_eq(size, VS_RUN_REF_HEADER + extents * (size_t)VS_RUN_EXTENT_SIZE);
        struct vs_run_ref back;
        cr_assert_null(vs_run_ref_decode(bytes, size, PAGE_SIZE, &back));
        cr_assert_eq(back.length, ref.length);
        cr_assert_eq(back.hash, ref.hash);
        cr_assert_eq(back.extents, extents);
        cr_assert_eq(memcmp(back.extent, ref.extent, extents * sizeof ref.extent[0]), 0);
    }
}

Test(run_ref, least_room_beside_a_key_holds_six_extents)
{
    struct simulated_random random = {page_keys_seed()};
    struct vs_run_ref ref = make_ref(&random, 6);
    uint8_t bytes[VS_RUN_REF_MAX];
    cr_assert_leq(vs_run_ref_encode(&ref, bytes), (size_t)VS_RUN_REF_MIN);
}

static const char *decode_one(struct vs_run_extent extent, uint32_t length)
{
    struct vs_run_ref ref = {.length = length, .extents = 1, .extent = {extent}};
    uint8_t bytes[VS_RUN_REF_MAX];
    size_t size = vs_run_ref_encode(&ref, bytes);
    return vs_run_ref_decode(bytes, size, PAGE_SIZE, &ref);
}

Test(run_ref, refuses_what_contradicts_itself)
{
    cr_assert_null(decode_one((struct vs_run_extent){7, 2}, PAGE_SIZE + 1));
    cr_assert_null(decode_one((struct vs_run_extent){7, 2}, 2 * PAGE_SIZE));
    cr_assert_not_null(decode_one((struct vs_run_extent){7, 2}, PAGE_SIZE), "a page too many");
    cr_assert_not_null(decode_one((struct vs_run_extent){7, 2}, 2 * PAGE_SIZE + 1), "one too few");
    cr_assert_not_null(decode_one((struct vs_run_extent){7, 0}, 0), "no pages");
    cr_assert_not_null(decode_one((struct vs_run_extent){0, 1}, 1), "page 0");
    cr_assert_null(decode_one((struct vs_run_extent){UINT32_MAX, 1}, 1));
    cr_assert_not_null(decode_one((struct vs_run_extent){UINT32_MAX, 2}, PAGE_SIZE + 1),
                       "beyond 32-bit page numbers");
    uint32_t gigabyte = 1U << 30;
    cr_assert_null(decode_one((struct vs_run_extent){1, gigabyte / PAGE_SIZE}, gigabyte));
    cr_assert_not_null(
        decode_one((struct vs_run_extent){1, gigabyte / PAGE_SIZE + 1}, gigabyte + 1),
        "longer than a value may be");
}

Test(run_ref, reads_no_byte_beyond_a_damaged_reference)
{
    struct simulated_random random = {page_keys_seed()};
    for (unsigned round = 0; round < 20000; round++) {
        size_t size = (size_t)simulated_random_below(&random, 80);
        uint8_t *bytes = malloc(size == 0 ? 1 : size); /* of exact size: for the sanitiser */
        cr_assert_not_null(bytes);
        for (size_t i = 0; i < size; i++) {
            bool is_count = i >= 12 && i < 16; /* small there, or nearly all would be refused */
            bytes[i] = (uint8_t)simulated_random_below(&random, is_count && i != 12 ? 2 : 10);
        }
        struct vs_run_ref ref;
        if (vs_run_ref_decode(bytes, size, PAGE_SIZE, &ref) == NULL) {
            cr_assert_leq(ref.extents, (unsigned)VS_RUN_EXTENTS_MAX);
        }
        free(bytes);
    }
}
