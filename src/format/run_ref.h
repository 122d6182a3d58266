/*
 * run_ref.h - the reference from a leaf cell to a value that lies in pages of its own.
 *
 *      0        4            12       14      16
 *      +--------+------------+--------+-------+---------+---------+---------+----
 *      | length | value hash | extents| 0     | page[0] | pages[0]| page[1] | ...
 *      +--------+------------+--------+-------+---------+---------+---------+----
 * `length` is the value's (bytes), `value hash` its part of the fingerprint, so that replacing a
 * long value reads nothing of it. An extent is a run of contiguous pages; all but the last byte
 * range of the value fill their pages completely.
 */
#ifndef VERSO_FORMAT_RUN_REF_H
#define VERSO_FORMAT_RUN_REF_H

#include <stddef.h>
#include <stdint.h>

#include "format/page.h"

enum {
    VS_RUN_REF_HEADER = 16,
    VS_RUN_EXTENT_SIZE = 8,
    VS_RUN_EXTENTS_MAX = 64,
    VS_RUN_REF_MIN = 64, /* a longest key still leaves room for six extents */
    VS_RUN_REF_MAX = VS_RUN_REF_HEADER + VS_RUN_EXTENTS_MAX * VS_RUN_EXTENT_SIZE,
};

struct vs_run_extent {
    vs_page_no page;
    uint32_t pages;
};

struct vs_run_ref {
    uint32_t length; /* bytes of the value; up to 1 GiB */
    uint64_t hash;   /* vs_value_hash() of the value */
    unsigned extents;
    struct vs_run_extent extent[VS_RUN_EXTENTS_MAX];
};

/** @return Bytes written to `bytes` (room for VS_RUN_REF_MAX). */
size_t vs_run_ref_encode(const struct vs_run_ref *ref, uint8_t *bytes);

/** Decode and check: sizes agree, extents hold exactly the length. @return NULL or the fault's
 * text. */
const char *vs_run_ref_decode(const uint8_t *bytes, size_t size, size_t page_size,
                              struct vs_run_ref *ref);

#endif
