/*
 * retention.h - a retention policy as bytes: in the meta, and as the value of an operation.
 *
 *     0       4       8        16             24       28      32       40        48
 *     +-------+-------+--------+--------------+--------+-------+--------+---------+----
 *     | flags | count | last   | budget bytes | percent| 0     | age[0] | spac.[0]| age[1] ...
 *     +-------+-------+--------+--------------+--------+-------+--------+---------+----
 *
 * flags: 1 all, 2 checkpoints, 4 budget.
 * R1  last is at least 1; at most VERSO_RETENTION_CLASSES_MAX classes.
 * R2  Ages strictly ascend, and spacings never descend.
 */
#ifndef VERSO_FORMAT_RETENTION_H
#define VERSO_FORMAT_RETENTION_H

#include "verso.h"

enum {
    VS_RETENTION_FIXED = 32,
    VS_RETENTION_MAX = VS_RETENTION_FIXED + 16 * VERSO_RETENTION_CLASSES_MAX,
};

/** What is wrong with a policy (R1, R2), or NULL. */
const char *vs_retention_fault(const verso_retention *retention);

/** Write a sound policy to `bytes` (VS_RETENTION_MAX). @return Its size. */
size_t vs_retention_encode(const verso_retention *retention, uint8_t *bytes);

/** Read a policy from `size` bytes. @return NULL, or the fault. */
const char *vs_retention_decode(const uint8_t *bytes, size_t size, verso_retention *retention);

#endif
