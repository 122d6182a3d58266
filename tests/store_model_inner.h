/*
 * store_model_inner.h - what the files of the store model share: its state, and their steps.
 *
 * Steps answer NULL, or what went wrong: valid until the next call on any model.
 */
#ifndef VERSO_TESTS_STORE_MODEL_INNER_H
#define VERSO_TESTS_STORE_MODEL_INNER_H

#include "expected_roots.h"
#include "model_copies.h"
#include "model_history.h"
#include "model_savepoints.h"
#include "simulated_disk.h"
#include "store_model.h"

enum { HELD_MAX = 8, KEY_MAX = 16384, VALUE_MAX = 700 * 1024, SORTED_MAX = 60 };

#define STORE_PATH "store"

/* A view kept open across steps. */
struct held {
    verso_view *view;
    uint64_t version;
};

/* A power cut to come, or one that has happened. */
struct cut {
    bool armed;
    bool after;      /* the change it meets, or before */
    uint64_t change; /* number of that change on the disk */
    uint64_t seed;
    enum simulated_crash mode;
    struct simulated_disk *left;     /* what it left; NULL: not happened */
    uint64_t least;                  /* versions promised by then */
    uint64_t issued;                 /* newest that a commit had begun */
    struct expected_keeping keeping; /* as it was known by then */
};

struct store_model {
    struct store_model_config config;
    struct simulated_random random;
    struct simulated_disk *disk;
    verso_store *store;
    struct expected_roots roots;
    uint64_t durable; /* promised to survive a power cut */
    uint64_t written; /* promised to survive a killed process */
    struct held held[HELD_MAX];
    unsigned held_count;
    struct cut cut;
    struct model_savepoints savepoints; /* of the transaction */
    struct model_mirror mirror;
    bool in_tree; /* what is changed is a named tree, which a rollback might take away */
    bool shrinking;
    uint64_t operations; /* steps, and changes within them */
    uint64_t long_bytes; /* of long values so far */
    unsigned beside;     /* steps still to come beside the checkpoint that runs */
    const char *beside_fault;
    uint8_t key[KEY_MAX];
    uint8_t *value; /* VALUE_MAX bytes */
    char fault[900];
};

/* ---- in every file: store_model.c ---- */

/** A random number below `bound`. */
uint64_t model_below(struct store_model *model, uint64_t bound);

/** With probability 1 / n; never if n is 0. */
bool model_one_in(struct store_model *model, unsigned n);

/** What failed, with the error and its detail. */
const char *model_failed(struct store_model *model, const char *what, verso_err err);

/** `fault` within a step; NULL stays NULL. */
const char *model_within(struct store_model *model, const char *what, const char *fault);

/** A step beside a checkpoint, between two of its writes. */
const char *model_step_beside(struct store_model *model);

/* ---- lives of the store: store_model_crash.c ---- */

/** The disk's hook. `argument` is the model. */
void model_on_event(void *argument, struct simulated_disk *disk,
                    const struct simulated_event *event);

verso_err model_open_store(struct store_model *model);
void model_close_views(struct store_model *model);

/** Let the power fail within the next operations. */
void model_arm_cut(struct store_model *model);

/** Go on from what a power cut left. */
const char *model_recover(struct store_model *model);

/** Close and open. */
const char *model_reopen(struct store_model *model);

/* ---- changes: store_model_change.c ---- */

/** A key that is nobody's or somebody's; valid until the next one. */
verso_slice model_new_key(struct store_model *model);

/** A key that is in the state, or a new one. */
verso_slice model_some_key(struct store_model *model, const struct tree_state *state);

/** Change the transaction somehow. */
const char *model_change_some(struct store_model *model, verso_txn *txn);

/* ---- transactions, and what makes them durable: store_model_commit.c ---- */

const char *model_transaction(struct store_model *model);
const char *model_sync(struct store_model *model);
const char *model_checkpoint(struct store_model *model);
const char *model_checkpoint_beside(struct store_model *model);
const char *model_retain(struct store_model *model);
const char *model_tag(struct store_model *model);

/** All up to this version, and what was dropped, is durable. */
void model_promise(struct store_model *model, uint64_t version);

/* ---- views: store_model_views.c ---- */

/** Open the newest root or one by its id; *version is what was opened. */
verso_err model_open_some(struct store_model *model, verso_view **view, uint64_t *version);

/** Hold a view from now on. There is room. */
void model_hold_view(struct store_model *model, verso_view *view, uint64_t version);

struct model_view model_view_of(const struct store_model *model, verso_view *view,
                                uint64_t version);

const char *model_read(struct store_model *model);
const char *model_hold_or_let_go(struct store_model *model);
const char *model_compare_root(struct store_model *model);
const char *model_compare_history(struct store_model *model);

#endif
