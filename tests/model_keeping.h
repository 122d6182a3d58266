/*
 * model_keeping.h - steps of a store model that set policies and tags, try policies and open roots
 * by time and by tag, on the store and on what is expected of it.
 *
 * The calls answer NULL, or what went wrong: valid until the next call of this thread.
 */
#ifndef VERSO_TESTS_MODEL_KEEPING_H
#define VERSO_TESTS_MODEL_KEEPING_H

#include "expected_roots.h"

/** A policy of any kind; many keep few roots. */
verso_retention model_policy_draw(struct simulated_random *random);

/** A step of time: mostly none or little, sometimes hours. */
int64_t model_time_draw(struct simulated_random *random);

/** Set a policy; what it would do is asked first and compared with what it did. */
const char *model_policy_set(struct expected_roots *roots, verso_store *store,
                             struct simulated_random *random);

/** Ask what a policy would do, which must change nothing. */
const char *model_policy_try(struct expected_roots *roots, verso_store *store,
                             struct simulated_random *random);

/** Set a tag, where that is possible and where it is not, or delete one. */
const char *model_tag_step(struct expected_roots *roots, verso_store *store,
                           struct simulated_random *random);

/** Open a root by its time or by a tag, and compare a part of it. */
const char *model_open_otherwise(struct expected_roots *roots, verso_store *store,
                                 struct simulated_random *random);

#endif
