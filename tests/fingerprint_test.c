/*
 * fingerprint_test.c - XXH64 against published values; the terms of a fingerprint.
 */
#include "format/fingerprint.h"

#include <criterion/criterion.h>

/* The self-test of xxHash's own command: these bytes, these seeds, these sums. */
#define PRIME 2654435761u

Test(fingerprint, agrees_with_published_values)
{
    uint8_t bytes[101];
    uint32_t generator = PRIME;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(generator >> 24);
        generator *= generator;
    }
    static const struct {
        size_t size;
        uint64_t seed;
        uint64_t sum;
    } published[] = {
        {0, 0, 0xEF46DB3751D8E999u},   {0, PRIME, 0xAC75FDA2929B17EFu},
        {1, 0, 0x4FCE394CC88952D8u},   {1, PRIME, 0x739840CB819FA723u},
        {14, 0, 0xCFFA8DB881BC3A3Du},  {14, PRIME, 0x5B9611585EFCC9CBu},
        {101, 0, 0x0EAB543384F878ADu}, {101, PRIME, 0xCAA65939306F1E21u},
    };
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        uint64_t sum = vs_xxh64(published[i].seed, bytes, published[i].size);
        cr_assert_eq(sum, published[i].sum, "row %zu: %016llX", i, (unsigned long long)sum);
    }
}

Test(fingerprint, agrees_with_the_sums_of_well_known_texts)
{
    cr_assert_eq(vs_xxh64(0, "a", 1), 0xD24EC4F1A98C6E5Bu);
    cr_assert_eq(vs_xxh64(0, "abc", 3), 0x44BC2CF5AD770999u);
    cr_assert_eq(vs_xxh64(0, "Nobody inspects the spammish repetition", 39), 0xFBCEA83C8A378BF1u);
}

Test(fingerprint, accepts_null_for_no_bytes)
{
    cr_assert_eq(vs_xxh64(0, NULL, 0), vs_xxh64(0, "", 0));
}

Test(fingerprint, tells_pairs_and_trees_apart)
{
    uint64_t one = vs_value_hash(verso_text("one"));
    uint64_t two = vs_value_hash(verso_text("two"));
    uint64_t term = vs_fingerprint_term(0, verso_text("key"), one);
    cr_assert_neq(term, vs_fingerprint_term(0, verso_text("key"), two));
    cr_assert_neq(term, vs_fingerprint_term(0, verso_text("kez"), one));
    cr_assert_neq(term, vs_fingerprint_term(1, verso_text("key"), one));
}
