/*
 * increment.h - writing and reading an increment: the changes from root to root, as operations.
 *
 * Logical, not pages: it applies to any copy that has the base root, whatever lies where.
 *
 * Threads: a writing or a reading is one thread's.
 */
#ifndef VERSO_HISTORY_INCREMENT_H
#define VERSO_HISTORY_INCREMENT_H

#include "format/increment.h"
#include "history/copy.h"

/** Write what changed from the first of the roots to each of the others into an empty file, and
 *  sync it. *bytes: its length. VERSO_NOSPC, VERSO_IO, VERSO_CORRUPT, VERSO_NOMEM. */
verso_err vs_increment_write(const struct vs_copy_roots *roots, struct vs_file *file,
                             uint64_t *bytes);

/** An increment being read. */
struct vs_increment_reader {
    struct vs_file *file; /* borrowed */
    const char *path;     /* borrowed; for messages */
    struct vs_increment_header header;
    struct vs_increment_counts met;
    uint64_t size; /* of the file */
    uint64_t at;
    uint32_t crc;
    uint64_t last_root;
    uint8_t *body;
    size_t capacity;
};

/** A record that was read. */
struct vs_increment_record {
    enum vs_increment_kind kind;   /* operations or a root */
    verso_slice operations;        /* each of them can be decoded; valid until the next record */
    struct vs_increment_root root; /* the same */
};

/** Begin at the header. Clear it whatever is returned. VERSO_FORMAT, VERSO_CORRUPT, VERSO_IO. */
verso_err vs_increment_read_begin(struct vs_file *file, const char *path,
                                  struct vs_increment_reader *reader);
void vs_increment_read_clear(struct vs_increment_reader *reader);

/** The next record, proved by its checksum. VERSO_NOT_FOUND: the end was met, and all is well.
 *  VERSO_CORRUPT, VERSO_IO, VERSO_NOMEM. */
verso_err vs_increment_read_next(struct vs_increment_reader *reader,
                                 struct vs_increment_record *record);

#endif
