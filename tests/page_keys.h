/*
 * page_keys.h - keys that are hard on pages, for the model tests of leaf and branch.
 *
 * The same seed gives the same keys.
 */
#ifndef VERSO_TESTS_PAGE_KEYS_H
#define VERSO_TESTS_PAGE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "simulated_random.h"

enum page_keys {
    PAGE_KEYS_RANDOM,      /* 16 random bytes */
    PAGE_KEYS_USER,        /* user:0000012345:profile */
    PAGE_KEYS_ZEROS,       /* up to 9 bytes of 0 and 1: empty, and prefixes of each other */
    PAGE_KEYS_EQUAL_HEADS, /* one long prefix and one head, decided by the last bytes */
    PAGE_KEYS_LONGEST,     /* as long as a key may be, deciding anywhere */
    PAGE_KEYS_HIGH,        /* up to 6 bytes, nearly all 0xff: heads like those of unused entries */
    PAGE_KEYS_ANY,         /* each time another of the above */
};

enum { PAGE_KEY_MAX = 16384 }; /* bytes: for buffers */

/** The seed of the run: VERSO_TEST_SEED from the environment, else 1. */
uint64_t page_keys_seed(void);

/** Write a key of at most `key_max` bytes into `key`. @return Its size. */
size_t page_keys_next(enum page_keys kind, struct simulated_random *random, size_t key_max,
                      uint8_t *key);

#endif
