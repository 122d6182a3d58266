/*
 * log_record.h - commits with contents that follow from their version, to write to a log and to
 * know again when it is read.
 *
 * A `salt` tells apart commits of the same version and the same size that were made in different
 * lives of a store.
 */
#ifndef VERSO_TESTS_LOG_RECORD_H
#define VERSO_TESTS_LOG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "store/log.h"

/** What a log is asked to hold, and what reading it gave. */
struct log_reading {
    const uint64_t *salt_of; /* by version; NULL: 0 for all */
    size_t operations_size;  /* of all versions; SIZE_MAX: it follows from the version */
    uint64_t version;        /* the last one applied */
    const char *fault;       /* NULL, or what was not as it was written */
};

/** Bytes of the operations of a version: mostly small, now and then some kilobytes. */
size_t log_record_size(uint64_t version);

/** Append a commit; the code is vs_log_append()'s. `size` may be SIZE_MAX: log_record_size(). */
verso_err log_record_append(struct vs_log *log, uint64_t version, uint64_t salt, size_t size,
                            uint64_t *end_lsn);

/** The same, and wait until it is durable; anything but VERSO_OK fails the test. */
void log_record_commit(struct vs_log *log, uint64_t version);

/** For vs_log_read(): compare a record with what was written; a difference goes to `fault`. */
verso_err log_record_check(void *argument, const struct vs_log_record *record);

#endif
