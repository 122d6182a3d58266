/*
 * store_model.h - a store on a simulated disk beside a sorted array per version: random operations
 * of the whole public API on both, power cuts and killed processes included.
 */
#ifndef VERSO_TESTS_STORE_MODEL_H
#define VERSO_TESTS_STORE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "page_keys.h"
#include "verso.h"

/** The kinds of steps; each run draws a weight for each. */
enum store_model_step {
    STORE_MODEL_TRANSACTION, /* changes, then commit or abort */
    STORE_MODEL_READ,        /* newest root, a root by id, or a view held */
    STORE_MODEL_HOLD,        /* open a view to be held, or close one */
    STORE_MODEL_COMPARE,     /* one root entirely */
    STORE_MODEL_HISTORY,     /* the differences of two views, the values that a key has had */
    STORE_MODEL_SYNC,        /* verso_sync() or verso_wait_durable() */
    STORE_MODEL_CHECKPOINT,
    STORE_MODEL_BESIDE, /* a checkpoint, with transactions, views and reads between its writes */
    STORE_MODEL_RETAIN, /* verso_retention_set(), verso_retention_try() */
    STORE_MODEL_TAG,    /* verso_tag_set(), verso_tag_delete() */
    STORE_MODEL_OPEN,   /* a root by its time or a tag */
    STORE_MODEL_COPY,   /* a copy, compared and thrown away */
    STORE_MODEL_MIRROR, /* an increment for a copy that stays */
    STORE_MODEL_CHECK,  /* verso_check() */
    STORE_MODEL_REOPEN,
    STORE_MODEL_CRASH, /* a power cut within the next operations */
    STORE_MODEL_STEPS
};

/** What a run is like; all but seed and page size may be drawn by store_model_draw(). */
struct store_model_config {
    uint64_t seed;
    uint32_t page_size;
    bool in_memory;
    verso_retention policy; /* of the new store */
    verso_durability durability;
    uint64_t arena_bytes; /* may be less than verso_open() allows */
    uint64_t log_bytes;
    enum page_keys keys;
    size_t value_max;          /* bytes of most values */
    size_t long_value_max;     /* bytes of the rest */
    unsigned long_one_in;      /* values that are long; 0: none */
    size_t keys_target;        /* the store grows and shrinks between a tenth of this and this */
    unsigned changes_max;      /* in most transactions */
    unsigned large_one_in;     /* transactions that change much more; 0: none */
    unsigned sorted_max;       /* entries of a sorted put */
    unsigned savepoint_one_in; /* steps of a transaction that open, roll back or release; 0: none */
    unsigned revert_one_in;    /* steps of a transaction that revert to a root; 0: none */
    unsigned tree_one_in;      /* changes that concern named trees; 0: none */
    unsigned weight[STORE_MODEL_STEPS];
};

struct store_model;

/** A config drawn from the seed. */
struct store_model_config store_model_draw(uint64_t seed, uint32_t page_size);

struct store_model *store_model_open(const struct store_model_config *config);

/** Close; the model is gone whatever is returned. NULL, or what went wrong. */
const char *store_model_close(struct store_model *model);

/**
 * One random step.
 * @return NULL, or what went wrong: valid until the next call on any model.
 */
const char *store_model_step(struct store_model *model);

/** Steps so far, and changes within their transactions. */
uint64_t store_model_operations(const struct store_model *model);

/** Compare every root, check the store, and do both again after closing and opening. */
const char *store_model_finish(struct store_model *model);

#endif
