/*
 * copy_file.h - the file of a copy while it is written: dense page numbers, and pages joined into
 * large writes.
 *
 * Numbers are handed out in ascending order, past the fixed parts of format/layout.h. A run of
 * pages that does not fit before the next fixed part leaves a gap, which later pages fill:
 *
 *     zone                             zone
 *     +-------+---------------+- - - -+-------+----------------------+- -
 *     | fixed | pages         |  gap  | fixed | run                  | next
 *     +-------+---------------+- - - -+-------+----------------------+- -
 *
 * Twelve bytes are remembered of each page, for the page table, which is written last.
 *
 * Threads: one.
 */
#ifndef VERSO_HISTORY_COPY_FILE_H
#define VERSO_HISTORY_COPY_FILE_H

#include "format/run_ref.h"
#include "os/os.h"

enum { VS_COPY_GENERATION = 1 }; /* of every copy: a store with one checkpoint */

/** What the table will need to know of a page. */
struct vs_copied_page {
    vs_page_no origin; /* its number in the source; 0: none, or a page of the history tree */
    uint32_t crc;
    bool ended; /* not part of the newest chosen root, though the source still has it there */
};

/** A page of the copy's own history tree. */
struct vs_made_page {
    vs_page_no page;
    uint32_t crc;
    enum vs_page_kind kind;
    vs_page_no next; /* leaf: what follows it in the chain */
};

struct vs_copy_file {
    const struct vs_os *os;
    struct vs_file *file; /* borrowed */
    size_t page_size;
    uint64_t next; /* first page never handed out */
    struct vs_run_extent *gap;
    size_t gap_count;
    size_t gap_capacity;
    struct vs_copied_page *page; /* by number */
    size_t page_capacity;
    struct vs_made_page *made;
    size_t made_count;
    size_t made_capacity;
    uint64_t written; /* pages */
    uint64_t bytes;   /* allocated */
    uint8_t *waiting; /* pages to be written in one piece, from waiting_at on */
    vs_page_no waiting_at;
    uint32_t waiting_count;
};

/** Begin with an empty file, which is borrowed. VERSO_NOMEM. */
verso_err vs_copy_file_init(struct vs_copy_file *copy, struct vs_file *file, size_t page_size);
void vs_copy_file_clear(struct vs_copy_file *copy);

/** Take `pages` numbers in a row. VERSO_LIMIT: there are no more. */
verso_err vs_copy_file_take(struct vs_copy_file *copy, uint32_t pages, vs_page_no *first);

/**
 * Take numbers for a long value: in one piece where that leaves a small gap at most, else in no
 * more extents than it has in the source, so that its reference does not grow.
 *
 * @param[in,out] ref  As in the source; the extents become those in the copy.
 */
verso_err vs_copy_file_take_run(struct vs_copy_file *copy, struct vs_run_ref *ref);

/** Write a page copied from `origin`, which was born in `born`. VERSO_NOSPC, VERSO_IO. */
verso_err vs_copy_file_write(struct vs_copy_file *copy, vs_page_no page, vs_page_no origin,
                             uint64_t born, const uint8_t *bytes);

/** Write a page of the copy's own history tree. */
verso_err vs_copy_file_make(struct vs_copy_file *copy, vs_page_no page, enum vs_page_kind kind,
                            const uint8_t *bytes);

/** Of the leaves made, `next` follows `leaf`, the one made last. */
void vs_copy_file_link(struct vs_copy_file *copy, vs_page_no leaf, vs_page_no next);

/** Write a fixed part (VS_PART_BYTES) at byte `at`. */
verso_err vs_copy_file_write_part(struct vs_copy_file *copy, uint64_t at, const uint8_t *bytes);

/** Write what waits; the file then has its full length, with real blocks. */
verso_err vs_copy_file_finish(struct vs_copy_file *copy);

#endif
