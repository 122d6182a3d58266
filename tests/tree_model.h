/*
 * tree_model.h - a tree in a store beside a sorted array per version: random transactions on both.
 */
#ifndef VERSO_TESTS_TREE_MODEL_H
#define VERSO_TESTS_TREE_MODEL_H

#include "page_keys.h"
#include "tree_state.h"
#include "tree_store.h"

/** What a run is like; all but seed and page size may be drawn by tree_model_draw(). */
struct tree_model_config {
    uint64_t seed;
    uint32_t page_size;
    uint64_t keep_last; /* versions; 0: all */
    enum page_keys keys;
    unsigned ascending_weight; /* of 100 new keys, how many continue at the end */
    size_t value_max;          /* bytes of most values */
    unsigned long_one_in;      /* values too long for a leaf; 0: none */
    size_t keys_target;        /* the tree grows and shrinks between a tenth of this and this */
    unsigned operations_max;   /* in a transaction */
};

struct tree_model;

/** A config drawn from the seed. */
struct tree_model_config tree_model_draw(uint64_t seed, uint32_t page_size);

struct tree_model *tree_model_open(const struct tree_model_config *config);
void tree_model_close(struct tree_model *model);

/**
 * One transaction of random operations, committed or aborted; then the tree is checked and compared
 * with its array, and so is now and then an older version.
 * @return NULL, or what went wrong: valid until the model closes.
 */
const char *tree_model_transaction(struct tree_model *model);

/** Compare every kept version. */
const char *tree_model_compare_all(struct tree_model *model);

#endif
