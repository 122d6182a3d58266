/*
 * forged_changes.h - test support: changes that no transaction can have made, to be forged into logs
 * and increments of a store that has one named tree, "tree", with the number 1.
 */
#ifndef VERSO_TESTS_FORGED_CHANGES_H
#define VERSO_TESTS_FORGED_CHANGES_H

#include <stddef.h>

#include "format/operation.h"

enum { FORGED_CHANGE_SIZE = 4096 /* bytes of the longest, more than enough */ };

struct forged_change {
    const char *what;
    struct vs_operation operation;
};

extern const struct forged_change forged_changes[];
extern const size_t forged_change_count;

#endif
