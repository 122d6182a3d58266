/*
 * arguments.h - the command line of one verb: its operands, its options.
 *
 * An option is --name, followed by its value as the next word or after '='. `--` ends the options,
 * so that an operand may begin with two dashes. Values of keys are read with their escapes.
 */
#ifndef VERSO_TOOLS_ARGUMENTS_H
#define VERSO_TOOLS_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verso.h"

/** A number from the command line. */
struct number_option {
    bool given;
    uint64_t value;
};

/** Bytes from the command line, their escapes read; borrowed from argv. */
struct bytes_option {
    bool given;
    verso_slice bytes;
};

enum option_kind {
    OPTION_SWITCH,   /* target: bool */
    OPTION_NUMBER,   /* target: struct number_option; 0 or more */
    OPTION_POSITIVE, /* target: struct number_option; 1 or more */
    OPTION_BYTES,    /* target: struct bytes_option */
};

struct option {
    const char *name; /* without the dashes */
    enum option_kind kind;
    void *target;
};

enum { OPERANDS_MAX = 3 };

/** What a verb takes. */
struct syntax {
    const char *operands[OPERANDS_MAX]; /* their names, each of them needed; the rest NULL */
    bool more;                          /* further operands may follow */
    const struct option *options;
    size_t option_count;
};

/** The words after the verb. */
struct arguments {
    const char *verb;
    char **words; /* arguments_read() moves the operands to the front */
    size_t count;
};

/**
 * Read the options into their targets, which must be zeroed, and leave the operands.
 *
 * @return False after a message to the user: the verb ends with ENDS_USAGE.
 */
bool arguments_read(struct arguments *arguments, const struct syntax *syntax);

/** Operand `i` as bytes, escapes read. @return False after a message to the user. */
bool arguments_bytes(const struct arguments *arguments, size_t i, verso_slice *bytes);

#endif
