/*
 * increment.h - the file of an increment: what changed from one root of a store to later ones.
 *
 *      0            8        12       16              32          40            48      60
 *      +------------+--------+--------+---------------+-----------+-------------+-------+--------+
 *      | "VersoInc" | format | 0      | uuid          | base root | fingerprint | 0     | crc32c |
 *      +------------+--------+--------+---------------+-----------+-------------+-------+--------+
 *   then records, each
 *      +--------+--------+-----------------+-----------
 *      | crc32c | kind   | size of body    | body ...
 *      +--------+--------+-----------------+-----------
 *        4        4        8
 *   kind 1, a root, to which the operations up to the next root or the end lead
 *      +---------+---------+-------------+-----------
 *      | id      | time    | fingerprint | note ...       8 bytes each
 *      +---------+---------+-------------+-----------
 *   kind 2, operations: as in a log frame (operation.h), one after the other
 *   kind 3, the end, once: how many roots and operations there were, 8 bytes each
 *
 * I1  The header's crc covers bytes [0, 60). A record's covers all of it behind the crc, and goes
 *     on from the crc of the record before (the first: of the header): so a record that was moved,
 *     left out or taken from elsewhere shows as one that was damaged does.
 * I2  Ids ascend, from above the base. The end comes last, and its counts are right.
 *
 * Pure functions over memory; any thread.
 */
#ifndef VERSO_FORMAT_INCREMENT_H
#define VERSO_FORMAT_INCREMENT_H

#include <stddef.h>
#include <stdint.h>

#include "format/operation.h"

enum {
    VS_INCREMENT_FORMAT = 1,
    VS_INCREMENT_HEADER = 64,
    VS_INCREMENT_RECORD = 16,          /* bytes before the body */
    VS_INCREMENT_ROOT_MAX = 24 + 1024, /* bytes of a root's body */
    VS_INCREMENT_END = 16,             /* bytes of the end's body */
};

struct vs_increment_header {
    uint8_t uuid[16];     /* of the store */
    uint64_t base;        /* the root to be there before, */
    uint64_t fingerprint; /* and what it holds */
};

/** Write VS_INCREMENT_HEADER bytes. @return Their crc, from which the first record's goes on. */
uint32_t vs_increment_header_encode(const struct vs_increment_header *header, uint8_t *bytes);

/** Outcome of decoding. */
enum vs_increment_state {
    VS_INCREMENT_OK,
    VS_INCREMENT_FOREIGN, /* no increment at all */
    VS_INCREMENT_UNKNOWN, /* of another format version */
    VS_INCREMENT_DAMAGED,
};

enum vs_increment_state
vs_increment_header_decode(const uint8_t *bytes, struct vs_increment_header *header, uint32_t *crc);

enum vs_increment_kind {
    VS_INCREMENT_ROOT = 1,
    VS_INCREMENT_OPERATIONS = 2,
    VS_INCREMENT_CLOSE = 3,
};

/** Write the VS_INCREMENT_RECORD bytes before a body. @return The record's crc. */
uint32_t vs_increment_record_encode(enum vs_increment_kind kind, verso_slice body, uint32_t before,
                                    uint8_t *bytes);

/** Read them. @return NULL, or the fault; the size is then within the kind's limits. */
const char *vs_increment_record_decode(const uint8_t *bytes, enum vs_increment_kind *kind,
                                       uint64_t *size);

/** Does the record with this body follow the one whose crc is *crc? It becomes this one's. */
bool vs_increment_record_is_whole(const uint8_t *bytes, verso_slice body, uint32_t *crc);

struct vs_increment_root {
    uint64_t version;
    int64_t time_us;
    uint64_t fingerprint;
    verso_slice note; /* decoded: borrowed from the body */
};

/** @return Bytes written (at most VS_INCREMENT_ROOT_MAX). */
size_t vs_increment_root_encode(const struct vs_increment_root *root, uint8_t *body);
void vs_increment_root_decode(verso_slice body, struct vs_increment_root *root);

struct vs_increment_counts {
    uint64_t roots;
    uint64_t operations;
};

void vs_increment_end_encode(const struct vs_increment_counts *counts, uint8_t *body);
void vs_increment_end_decode(const uint8_t *body, struct vs_increment_counts *counts);

#endif
