/*
 * operation_bytes.h - test support: an operation whole, as frames and increments hold it.
 */
#ifndef VERSO_TESTS_OPERATION_BYTES_H
#define VERSO_TESTS_OPERATION_BYTES_H

#include <string.h>

#include "format/operation.h"

/** Write the operation's header, key and value: there must be room. @return Their size. */
static inline size_t operation_bytes(const struct vs_operation *operation, uint8_t *bytes)
{
    size_t size = vs_operation_header(operation, bytes);
    if (operation->key.size > 0) {
        memcpy(bytes + size, operation->key.data, operation->key.size);
        size += operation->key.size;
    }
    if (operation->value.size > 0) {
        memcpy(bytes + size, operation->value.data, operation->value.size);
        size += operation->value.size;
    }
    return size;
}

#endif
