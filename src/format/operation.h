/*
 * operation.h - one logical operation of a log frame.
 *
 *      +------+--------------------------------+----------+------------+-----+-------+
 *      | kind | numbers, as the kind has them  | key size | value size | key | value |
 *      +------+--------------------------------+----------+------------+-----+-------+
 *        u8     LEB128 each                      LEB128     LEB128
 *
 *      kind               numbers         key           value
 *      put                tree            the key       its value
 *      delete             tree            the key       -
 *      delete range       tree, bounds    first key in  first key behind
 *      create tree        tree            its name      -
 *      drop tree          tree            -             -
 *      rename tree        tree            its new name  -
 *      drop roots         from, to        -             -
 *      set retention      -               -             the policy (format/retention.h)
 *      set tag            root, time      its name      -
 *      delete tag         -               its name      -
 *
 * The first six change trees; the others say what is kept.
 */
#ifndef VERSO_FORMAT_OPERATION_H
#define VERSO_FORMAT_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "format/leb128.h"
#include "verso.h"

enum vs_operation_kind {
    VS_OPERATION_PUT = 1,          /* upsert */
    VS_OPERATION_DELETE = 2,       /* of a key that is there */
    VS_OPERATION_DELETE_RANGE = 3, /* of [key, value): bounds as VS_RANGE_HAS_* say */
    VS_OPERATION_CREATE_TREE = 4,  /* under a number never used before */
    VS_OPERATION_DROP_TREE = 5,
    VS_OPERATION_RENAME_TREE = 6,
    VS_OPERATION_DROP_ROOTS = 7, /* numbers: the first and the last of them */
    VS_OPERATION_SET_RETENTION = 8,
    VS_OPERATION_SET_TAG = 9, /* numbers: the root, the time in microseconds since 1970 */
    VS_OPERATION_DELETE_TAG = 10,
};

/** Second number of a range's deletion: which bounds it has. */
enum { VS_RANGE_HAS_FROM = 1, VS_RANGE_HAS_TO = 2 };

enum {
    VS_OPERATION_NUMBERS_MAX = 2,
    VS_OPERATION_HEADER_MAX = 1 + VS_OPERATION_NUMBERS_MAX * VS_LEB128_MAX + 2 * VS_LEB128_MAX_32,
};

struct vs_operation {
    enum vs_operation_kind kind;
    uint64_t number[VS_OPERATION_NUMBERS_MAX]; /* those that the kind does not have are 0 */
    verso_slice key;                           /* the same */
    verso_slice value;
};

/** Does the kind change a tree, whose number is then number[0]? */
static inline bool vs_operation_is_of_tree(enum vs_operation_kind kind)
{
    return kind <= VS_OPERATION_RENAME_TREE;
}

/** Write everything but key and value bytes to `header` (VS_OPERATION_HEADER_MAX). @return Its
 * size. */
size_t vs_operation_header(const struct vs_operation *operation, uint8_t *header);

/** Read the operation at *at, which must end by `end`; *at moves behind it. @return NULL or the
 * fault. */
const char *vs_operation_decode(const uint8_t **at, const uint8_t *end,
                                struct vs_operation *operation);

#endif
