/*
 * operations.h - the logical operations of a transaction, gathered as its log frame will hold them.
 *
 * Threads: that of the running transaction.
 */
#ifndef VERSO_API_OPERATIONS_H
#define VERSO_API_OPERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/operation.h"
#include "verso.h"

struct vs_operations {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    size_t size_max; /* the log's limit */
    bool kept;       /* false: none are wanted (in memory), or they passed the limit */
    bool overflowed; /* they did: the transaction is written once, by a checkpoint, not twice */
};

/** Begin with none, keeping the memory. @param kept  Are any wanted? */
void vs_operations_restart(struct vs_operations *operations, bool kept, size_t size_max);

void vs_operations_clear(struct vs_operations *operations);

/** Room for one more operation, so that noting it after its change cannot fail. VERSO_NOMEM.
 *  @param payload  Bytes of key and value. */
verso_err vs_operations_reserve(struct vs_operations *operations, size_t payload);

/** Note an operation for which there is room. */
void vs_operations_note(struct vs_operations *operations, const struct vs_operation *operation);

/** Take back what was noted since `size` was the size. Operations that overflowed do not come
 *  back: the transaction still commits by a checkpoint. */
void vs_operations_take_back(struct vs_operations *operations, size_t size);

#endif
