/*
 * operations.c - gathering the operations of a transaction for the log; see operations.h.
 */
#include "api/operations.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/root_record.h"
#include "os/fault.h"
#include "store/log.h"

enum { ROOM_BYTES = 1024 }; /* more than was asked for, so that small operations seldom ask */

void vs_operations_restart(struct vs_operations *operations, bool kept, size_t size_max)
{
    operations->size = 0;
    operations->size_max = size_max;
    operations->kept = kept;
    operations->overflowed = false;
}

void vs_operations_clear(struct vs_operations *operations)
{
    free(operations->bytes);
    operations->bytes = NULL;
    operations->size = 0;
    operations->capacity = 0;
}

verso_err vs_operations_reserve(struct vs_operations *operations, size_t payload)
{
    if (!operations->kept) {
        return VERSO_OK;
    }
    size_t needed = operations->size + VS_OPERATION_HEADER_MAX + payload;
    if (needed > operations->size_max || !vs_log_record_fits(VS_NOTE_MAX, needed)) {
        operations->kept = false;
        operations->overflowed = true;
        vs_operations_clear(operations);
        return VERSO_OK;
    }
    if (needed <= operations->capacity) {
        return VERSO_OK;
    }
    size_t doubled = operations->capacity * 2;
    size_t capacity = doubled > needed ? doubled : needed + ROOM_BYTES;
    uint8_t *grown = realloc(operations->bytes, capacity);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the transaction's log frame");
    }
    operations->bytes = grown;
    operations->capacity = capacity;
    return VERSO_OK;
}

static void append(struct vs_operations *operations, const void *bytes, size_t size)
{
    assert(size <= operations->capacity - operations->size);
    if (size > 0) {
        memcpy(operations->bytes + operations->size, bytes, size);
        operations->size += size;
    }
}

void vs_operations_note(struct vs_operations *operations, const struct vs_operation *operation)
{
    if (!operations->kept) {
        return;
    }
    uint8_t header[VS_OPERATION_HEADER_MAX];
    append(operations, header, vs_operation_header(operation, header));
    append(operations, operation->key.data, operation->key.size);
    append(operations, operation->value.data, operation->value.size);
}

void vs_operations_take_back(struct vs_operations *operations, size_t size)
{
    if (operations->kept) {
        assert(size <= operations->size);
        operations->size = size;
    }
}
