/*
 * operation.c - encode and decode the operations of a log frame.
 */
#include "format/operation.h"

#include <assert.h>
#include <string.h>

#include "format/key_order.h"
#include "format/leb128.h"

/** What an operation of each kind has. */
static const struct {
    uint8_t numbers;
    bool has_key;
    bool has_value;
} kinds[] = {
    [VS_OPERATION_PUT] = {1, true, true},          [VS_OPERATION_DELETE] = {1, true, false},
    [VS_OPERATION_DELETE_RANGE] = {2, true, true}, [VS_OPERATION_CREATE_TREE] = {1, true, false},
    [VS_OPERATION_DROP_TREE] = {1, false, false},  [VS_OPERATION_RENAME_TREE] = {1, true, false},
    [VS_OPERATION_DROP_ROOTS] = {2, false, false}, [VS_OPERATION_SET_RETENTION] = {0, false, true},
    [VS_OPERATION_SET_TAG] = {2, true, false},     [VS_OPERATION_DELETE_TAG] = {0, true, false},
};

enum { KINDS_END = sizeof kinds / sizeof *kinds };

size_t vs_operation_header(const struct vs_operation *operation, uint8_t *header)
{
    assert(operation->kind >= VS_OPERATION_PUT);
    assert((unsigned)operation->kind < KINDS_END);
    assert(operation->key.size <= UINT32_MAX);
    assert(operation->value.size <= UINT32_MAX);
    assert(operation->key.size == 0 || kinds[operation->kind].has_key);
    assert(operation->value.size == 0 || kinds[operation->kind].has_value);

    uint8_t *at = header;
    *at++ = (uint8_t)operation->kind;
    for (unsigned i = 0; i < kinds[operation->kind].numbers; i++) {
        at = vs_leb128_put(at, operation->number[i]);
    }
    if (kinds[operation->kind].has_key) {
        at = vs_leb128_put(at, operation->key.size);
    }
    if (kinds[operation->kind].has_value) {
        at = vs_leb128_put(at, operation->value.size);
    }
    return (size_t)(at - header);
}

/** A range has a key for each of its bounds, and something may lie between them. */
static bool range_is_sound(const struct vs_operation *range)
{
    uint64_t bounds = range->number[1];
    bool has_from = (bounds & VS_RANGE_HAS_FROM) != 0;
    bool has_to = (bounds & VS_RANGE_HAS_TO) != 0;
    return bounds <= (VS_RANGE_HAS_FROM | VS_RANGE_HAS_TO) && (has_from || range->key.size == 0) &&
           (has_to || range->value.size == 0) &&
           !(has_from && has_to && vs_key_compare(range->key, range->value) >= 0);
}

const char *vs_operation_decode(const uint8_t **at, const uint8_t *end,
                                struct vs_operation *operation)
{
    const uint8_t *next = *at;
    if (next >= end) {
        return "no operation is left";
    }
    unsigned kind = *next++;
    if (kind < VS_OPERATION_PUT || kind >= KINDS_END) {
        return "unknown kind of operation";
    }
    uint64_t number[VS_OPERATION_NUMBERS_MAX] = {0};
    uint64_t key_size = 0;
    uint64_t value_size = 0;
    for (unsigned i = 0; i < kinds[kind].numbers; i++) {
        if (!vs_leb128_get(&next, end, UINT64_MAX, &number[i])) {
            return "damaged number of an operation";
        }
    }
    if (kinds[kind].has_key && !vs_leb128_get(&next, end, UINT32_MAX, &key_size)) {
        return "damaged key size of an operation";
    }
    if (kinds[kind].has_value && !vs_leb128_get(&next, end, UINT32_MAX, &value_size)) {
        return "damaged value size of an operation";
    }
    if (key_size + value_size > (uint64_t)(end - next)) {
        return "an operation runs beyond its frame";
    }
    operation->kind = (enum vs_operation_kind)kind;
    memcpy(operation->number, number, sizeof number);
    operation->key.data = kinds[kind].has_key ? next : NULL;
    operation->key.size = (size_t)key_size;
    operation->value.data = kinds[kind].has_value ? next + key_size : NULL;
    operation->value.size = (size_t)value_size;
    if (kind == VS_OPERATION_DELETE_RANGE && !range_is_sound(operation)) {
        return "bounds of a range that contradict each other";
    }
    *at = next + key_size + value_size;
    return NULL;
}
