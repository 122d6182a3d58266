/*
 * operation.h - one logical operation of a log frame.
 *
 *      +------+-----------+-----------+-------------+-----+-------+
 *      | kind | tree      | key size  | value size  | key | value |
 *      +------+-----------+-----------+-------------+-----+-------+
 *        u8     LEB128      LEB128      LEB128 (put only)
 */
#ifndef VERSO_FORMAT_OPERATION_H
#define VERSO_FORMAT_OPERATION_H

#include <stdint.h>

#include "verso.h"

enum vs_operation_kind {
    VS_OPERATION_PUT = 1,    /* upsert */
    VS_OPERATION_DELETE = 2, /* of a key that is there */
};

enum { VS_OPERATION_HEADER_MAX = 1 + 10 + 5 + 5 };

struct vs_operation {
    enum vs_operation_kind kind;
    uint64_t tree; /* 0: the default tree */
    verso_slice key;
    verso_slice value; /* put only */
};

/** Write everything but key and value bytes to `header` (VS_OPERATION_HEADER_MAX). @return Its
 * size. */
size_t vs_operation_header(const struct vs_operation *operation, uint8_t *header);

/** Read the operation at *at, which must end by `end`; *at moves behind it. @return NULL or the
 * fault. */
const char *vs_operation_decode(const uint8_t **at, const uint8_t *end,
                                struct vs_operation *operation);

#endif
