/*
 * crash_trees.h - the scenes of a crash script that concern named trees.
 *
 * Each is one transaction over both trees, with one key of the default tree besides; it does its
 * part in the store and in what is expected of it, and answers the first error.
 */
#ifndef VERSO_TESTS_CRASH_TREES_H
#define VERSO_TESTS_CRASH_TREES_H

#include "crash_script.h"

/** Put the keys [from, from + count) into both trees, which are made if there are none. */
verso_err crash_scene_fill_trees(struct crash_script *script, unsigned from, unsigned count,
                                 size_t size);

/** Delete the keys [from, from + count) of both as one range each. */
verso_err crash_scene_cut_trees(struct crash_script *script, unsigned from, unsigned count);

/** Drop one tree, and rename the other. */
verso_err crash_scene_drop_tree(struct crash_script *script, unsigned from);

#endif
