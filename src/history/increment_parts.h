/*
 * increment_parts.h - what the writing of an increment shares. For the increment_*.c files only.
 */
#ifndef VERSO_HISTORY_INCREMENT_PARTS_H
#define VERSO_HISTORY_INCREMENT_PARTS_H

#include <string.h>

#include "history/increment.h"
#include "tree/value.h"

/** An increment being written. */
struct vs_increment_writing {
    struct vs_pages *pages;
    struct vs_file *file;
    uint64_t at; /* length of the file so far */
    uint32_t crc;
    struct vs_increment_counts counts;
    uint8_t *gathered; /* operations, behind room for a record's header */
    size_t size;
    size_t capacity;
    struct vs_value_buffer value;
};

/** The catalogues of two roots. */
struct vs_increment_catalogues {
    struct vs_tree_view before;
    struct vs_tree_view after;
};

/** Add an operation to those of the coming root. */
verso_err vs_increment_gather(struct vs_increment_writing *writing,
                              const struct vs_operation *operation);

/** Add what turns one tree into the other. */
verso_err vs_increment_write_tree(struct vs_increment_writing *writing, uint64_t tree,
                                  const struct vs_tree_view *from, const struct vs_tree_view *to);

/** Add what turns the named trees of one root into those of the other. */
verso_err vs_increment_write_trees(struct vs_increment_writing *writing,
                                   const struct vs_increment_catalogues *roots);

#endif
