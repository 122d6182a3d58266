/*
 * operation.c - encode and decode the operations of a log frame.
 *
 * Numbers are LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.
 * Only the shortest form of a number is accepted, so that equal operations are equal bytes.
 */
#include "format/operation.h"

#include <assert.h>
#include <stdbool.h>

enum {
    SIZE_BYTES_MAX = 5, /* LEB128 of a 32-bit number */
    TREE_BYTES_MAX = 10 /* of a 64-bit number */
};

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
    for (; number >= 0x80; number >>= 7) {
        *at++ = (uint8_t)(number | 0x80);
    }
    *at++ = (uint8_t)number;
    return at;
}

/** Read a number of at most `bytes_max` bytes and at most `limit`. @return false if it is none. */
static bool get_number(const uint8_t **at, const uint8_t *end, int bytes_max, uint64_t limit,
                       uint64_t *number)
{
    uint64_t sum = 0;
    for (int i = 0; i < bytes_max && *at < end; i++) {
        uint64_t byte = *(*at)++;
        uint64_t bits = byte & 0x7F;
        if (i == TREE_BYTES_MAX - 1 && bits > 1) {
            return false; /* a 65th bit */
        }
        sum |= bits << (7 * i);
        if (byte < 0x80) {
            *number = sum;
            return sum <= limit && (bits != 0 || i == 0);
        }
    }
    return false;
}

size_t vs_operation_header(const struct vs_operation *operation, uint8_t *header)
{
    assert(operation->kind == VS_OPERATION_PUT || operation->kind == VS_OPERATION_DELETE);
    assert(operation->key.size <= UINT32_MAX);
    assert(operation->value.size <= UINT32_MAX);

    uint8_t *at = header;
    *at++ = (uint8_t)operation->kind;
    at = put_number(at, operation->tree);
    at = put_number(at, operation->key.size);
    if (operation->kind == VS_OPERATION_PUT) {
        at = put_number(at, operation->value.size);
    }
    return (size_t)(at - header);
}

const char *vs_operation_decode(const uint8_t **at, const uint8_t *end,
                                struct vs_operation *operation)
{
    const uint8_t *next = *at;
    if (next >= end) {
        return "no operation is left";
    }
    unsigned kind = *next++;
    if (kind != VS_OPERATION_PUT && kind != VS_OPERATION_DELETE) {
        return "unknown kind of operation";
    }
    uint64_t tree = 0;
    uint64_t key_size = 0;
    uint64_t value_size = 0;
    if (!get_number(&next, end, TREE_BYTES_MAX, UINT64_MAX, &tree)) {
        return "damaged tree number of an operation";
    }
    if (!get_number(&next, end, SIZE_BYTES_MAX, UINT32_MAX, &key_size)) {
        return "damaged key size of an operation";
    }
    if (kind == VS_OPERATION_PUT &&
        !get_number(&next, end, SIZE_BYTES_MAX, UINT32_MAX, &value_size)) {
        return "damaged value size of an operation";
    }
    if (key_size + value_size > (uint64_t)(end - next)) {
        return "an operation runs beyond its frame";
    }
    operation->kind = kind == VS_OPERATION_PUT ? VS_OPERATION_PUT : VS_OPERATION_DELETE;
    operation->tree = tree;
    operation->key.data = next;
    operation->key.size = (size_t)key_size;
    operation->value.data = kind == VS_OPERATION_PUT ? next + key_size : NULL;
    operation->value.size = (size_t)value_size;
    *at = next + key_size + value_size;
    return NULL;
}
