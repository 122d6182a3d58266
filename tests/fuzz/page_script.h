/*
 * page_script.h - the edits that an input of fuzz_page asks for, drawn from a few of its bytes.
 */
#ifndef VERSO_TESTS_FUZZ_PAGE_SCRIPT_H
#define VERSO_TESTS_FUZZ_PAGE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simulated_random.h"
#include "verso.h"

enum {
    SCRIPT_SIZE = 8, /* bytes of an input */
    SCRIPT_KEY_MAX = 65536 / 4,
    SCRIPT_EDITS = 6,
    PAGE_BYTES_MAX = 4096, /* of the pages here; larger ones differ by their numbers only */
};

struct page_script {
    struct simulated_random random;
    uint8_t key[SCRIPT_KEY_MAX];
};

static inline size_t script_below(struct page_script *script, size_t bound)
{
    return (size_t)simulated_random_below(&script->random, bound);
}

/** The order of keys, in other words than the engine's. */
static inline int script_compare(verso_slice a, verso_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/** Make the key in `script->key` (`size` bytes, at most `max`) another one near it. */
static inline verso_slice script_near(struct page_script *script, size_t size, size_t max)
{
    switch (script_below(script, 5)) {
    case 0: /* longer */
        if (size < max) {
            script->key[size++] = (uint8_t)script_below(script, 256);
        }
        break;
    case 1: /* shorter */
        size = script_below(script, size + 1);
        break;
    case 2: /* one byte more or less */
        if (size > 0) {
            uint8_t *byte = &script->key[script_below(script, size)];
            *byte = (uint8_t)(*byte + (script_below(script, 2) == 0 ? 1 : 0xff));
        }
        break;
    case 3: /* the longest there is */
        while (size < max) {
            script->key[size++] = 'x';
        }
        break;
    default:
        break;
    }
    return (verso_slice){script->key, size};
}

/** A leaf that vs_leaf_check() has let pass: read it in every way, then edit, cut and write anew.
 *  Aborts where anything is not as it must be. */
void page_use_leaf(const uint8_t *page, size_t page_size, struct page_script *script);

/** The same for a branch. */
void page_use_branch(const uint8_t *page, size_t page_size, struct page_script *script);

#endif
