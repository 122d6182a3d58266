/*
 * leaf_model.h - a row of leaves beside a sorted array that must always hold the same.
 *
 * The row is what the lowest level of a tree is: leaves split when they are full, are merged or
 * evened out when they are underfull, and take cells that ascend to the very end.
 */
#ifndef VERSO_TESTS_LEAF_MODEL_H
#define VERSO_TESTS_LEAF_MODEL_H

#include <stdbool.h>

#include "format/leaf.h"
#include "page_keys.h"

enum { LEAF_MODEL_LEAVES = 64, LEAF_MODEL_ENTRIES = 20000 };

struct leaf_model_entry {
    uint8_t *key;
    size_t key_size;
    struct vs_payload payload; /* owned */
};

struct leaf_model {
    struct simulated_random random;
    size_t page_size;
    enum page_keys kind;
    unsigned insert_weight; /* of 100: the rest is split between replace and remove */
    size_t payload_max;     /* besides vs_leaf_payload_max() */
    unsigned count;
    unsigned leaves;
    uint8_t *leaf[LEAF_MODEL_LEAVES];
    struct leaf_model_entry entry[LEAF_MODEL_ENTRIES];
    const char *operation; /* the last step's, for messages */
    const char *fault;     /* NULL, or what went wrong */
};

/** A model with one empty leaf; kinds of keys and operations are drawn from the seed. */
struct leaf_model *leaf_model_open(uint64_t seed, size_t page_size, enum page_keys kind);
void leaf_model_close(struct leaf_model *model);

/** One random operation on both. @return Whether they still agree, in the leaves it touched. */
bool leaf_model_step(struct leaf_model *model);

/** Compare all leaves. */
bool leaf_model_agrees(struct leaf_model *model);

#endif
