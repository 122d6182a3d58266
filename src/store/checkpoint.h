/*
 * checkpoint.h - one checkpoint at a time; between checkpoint.c and checkpointer.c only.
 *
 * Threads: any. A checkpoint under way needs no writer lock after its freeze, so that waiting for
 * it with the writer lock held ends.
 */
#ifndef VERSO_STORE_CHECKPOINT_H
#define VERSO_STORE_CHECKPOINT_H

#include "verso.h"

struct vs_store;

/** Set up and tear down what the other calls need. */
verso_err vs_checkpointer_init(struct vs_store *store);
void vs_checkpointer_clear(struct vs_store *store);

/** Wait until no checkpoint is under way. */
void vs_checkpoint_wait(struct vs_store *store);

/** Wait, then be the one under way. */
void vs_checkpoint_enter(struct vs_store *store);

/** No longer; whoever waits for room looks again. */
void vs_checkpoint_leave(struct vs_store *store);

#endif
