/*
 * forged_meta.h - test support: the meta of a scenario's store, read and written anew in both places.
 */
#ifndef VERSO_TESTS_FORGED_META_H
#define VERSO_TESTS_FORGED_META_H

#include "format/meta.h"
#include "simulated_disk.h"

/** The meta of the store at SCENARIO_PATH, which is closed. */
void forged_meta_read(struct simulated_disk *disk, struct vs_meta *meta);

/** Put it in both its places, with its checksum right. */
void forged_meta_write(struct simulated_disk *disk, const struct vs_meta *meta);

#endif
