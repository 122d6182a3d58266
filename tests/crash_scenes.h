/*
 * crash_scenes.h - the scenes of a crash script that concern history: tags, policies, ranges deleted,
 * roots come back to, and what was rolled back.
 *
 * Each does its part in the store and in what is expected of it, and answers the first error.
 */
#ifndef VERSO_TESTS_CRASH_SCENES_H
#define VERSO_TESTS_CRASH_SCENES_H

#include "crash_script.h"

/** Set the tag of that number on the newest published root, or delete it. */
verso_err crash_scene_tag(struct crash_script *script, unsigned number, bool sets);

/** The newest three, then one a second and one in ten, and the roots of checkpoints. */
verso_err crash_scene_thin(struct crash_script *script);

/** Within a transaction: delete the keys [from, from + count) as one range from the tree that
 *  `roots.working` stands for. */
verso_err crash_scene_remove_range(struct crash_script *script, verso_txn *txn, unsigned from,
                                   unsigned count);

/** The same of the default tree, in a transaction of its own. */
verso_err crash_scene_delete_range(struct crash_script *script, unsigned from, unsigned count);

/** Put and delete `count` keys from `from` on within two savepoints, roll both back, and commit what
 *  came before and after. */
verso_err crash_scene_roll_back(struct crash_script *script, unsigned from, unsigned count);

/** Revert the default tree, or all trees, to the root of a tag. */
verso_err crash_scene_revert(struct crash_script *script, unsigned number, bool all);

#endif
