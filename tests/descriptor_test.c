/*
 * descriptor_test.c - the eight words of a descriptor, and the links among them.
 */
#include "format/descriptor.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

Test(descriptor, words_are_little_endian_on_disk_and_keep_to_their_places)
{
    struct vs_descriptor descriptor;
    memset(&descriptor, 0, sizeof descriptor);
    for (unsigned i = 0; i < 8; i++) {
        vs_descriptor_set(&descriptor, i, UINT64_C(0x0102030405060700) + i);
    }
    const uint8_t *bytes = (const uint8_t *)&descriptor;
    for (unsigned i = 0; i < 8; i++) {
        static const uint8_t high[] = {7, 6, 5, 4, 3, 2, 1};
        cr_assert_eq(bytes[i * 8], i);
        cr_assert_arr_eq(bytes + i * 8 + 1, high, sizeof high);
        cr_assert_eq(vs_descriptor_word(&descriptor, i), UINT64_C(0x0102030405060700) + i);
    }
    cr_assert_eq(vs_descriptor_born(&descriptor), UINT64_C(0x0102030405060700));
    cr_assert_eq(vs_descriptor_died(&descriptor), UINT64_C(0x0102030405060701));
}

Test(descriptor, zeros_are_a_page_that_never_was)
{
    struct vs_descriptor descriptor;
    memset(&descriptor, 0, sizeof descriptor);
    cr_assert_eq(vs_descriptor_born(&descriptor), vs_descriptor_died(&descriptor));
    cr_assert_eq(vs_descriptor_kind(&descriptor), VS_KIND_NONE);
}

Test(descriptor, kind_and_checksum_share_a_word)
{
    struct vs_descriptor descriptor;
    vs_descriptor_set(&descriptor, VS_WORD_KIND,
                      vs_kind_word(VS_KIND_BRANCH | VS_CLOCK_HISTORY, UINT32_MAX));
    cr_assert_eq(vs_descriptor_crc(&descriptor), UINT32_MAX);
    cr_assert_eq(vs_descriptor_kind(&descriptor), VS_KIND_BRANCH | VS_CLOCK_HISTORY);
    vs_descriptor_set(&descriptor, VS_WORD_KIND, vs_kind_word(VS_KIND_RUN, 0));
    cr_assert_eq(vs_descriptor_crc(&descriptor), 0);
    cr_assert_eq(vs_descriptor_kind(&descriptor), VS_KIND_RUN);
}

Test(descriptor, links_hold_the_distance_from_the_birth_and_the_page)
{
    uint64_t born = UINT64_C(1) << 60;
    static const uint64_t distances[] = {0, 1, UINT32_MAX - 1};
    static const vs_page_no pages[] = {0, 1, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++) {
            uint64_t word = vs_link_word(born + distances[i], born, pages[j]);
            cr_assert_neq(word, VS_NO_LINK);
            cr_assert_eq(vs_link_version(word, born), born + distances[i]);
            cr_assert_eq(vs_link_page(word), pages[j]);
        }
    }
}

#ifndef NDEBUG /* the contract is asserted */
Test(descriptor, a_distance_that_does_not_fit_aborts, .signal = SIGABRT)
{
#ifdef NDEBUG
    cr_skip_test("asserts are compiled away");
#endif
    uint64_t word = vs_link_word(UINT32_MAX, 0, 1);
    cr_assert_neq(word, 0);
}
#endif
