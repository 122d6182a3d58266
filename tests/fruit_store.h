/*
 * fruit_store.h - the store that docs/format.md takes apart, byte by byte, made without the engine.
 *
 * Root 1 (note "first") has apple, apricot and banana; root 2 has apricot deleted. Then the log
 * fell idle, and the store was closed: a checkpoint, generation 2.
 */
#ifndef VERSO_TESTS_FRUIT_STORE_H
#define VERSO_TESTS_FRUIT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "format/meta.h"

enum {
    FRUIT_PAGE_SIZE = 4096,
    FRUIT_FILE_SIZE = 64 * FRUIT_PAGE_SIZE,
    FRUIT_SEGMENT_SIZE = 4096 * 1024,
    FRUIT_LOG_END = 400, /* LSN behind the last frame */
    FRUIT_LEAF_OF_1 = 7, /* pages */
    FRUIT_LEAF_OF_2 = 8,
    FRUIT_HISTORY = 9,
};

struct fruit_store {
    uint8_t file[FRUIT_FILE_SIZE];
    uint8_t log[FRUIT_LOG_END]; /* the beginning of the one segment; zeros follow */
};

/** Make both. */
void fruit_store_make(struct fruit_store *fruit);

/** The file as it was before the first checkpoint, with the log needed: what a crash then
 * leaves. */
void fruit_store_make_crashed(struct fruit_store *fruit);

#endif
