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
#include "word.h"

/** A number from the command line. */
struct number_option {
    bool given;
    uint64_t value;
};

/** A point in time from the command line. */
struct time_option {
    bool given;
    int64_t time_us;
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
    OPTION_NAME,     /* target: struct bytes_option; of a tag or a tree */
    OPTION_TIME,     /* target: struct time_option */
    OPTION_WORD,     /* target: char *, the word as it was written; NULL: not given */
};

struct option {
    const char *name; /* without the dashes */
    enum option_kind kind;
    void *target;
};

/** --from, --to, --prefix: a range of keys. */
struct range_options {
    struct bytes_option from;
    struct bytes_option to;
    struct bytes_option prefix;
};

/** --root, --tag, --at: the root to look at, at most one of them. */
struct root_options {
    struct number_option root;
    struct bytes_option tag;
    struct time_option at;
};

enum { OPERANDS_MAX = 3, OPTIONS_MAX = 16 };

/** What a verb takes. */
struct syntax {
    const char *operands[OPERANDS_MAX]; /* their names; those in [brackets] may be left out */
    bool more;                          /* further operands may follow */
    const struct option *options;
    size_t option_count;
    struct range_options *range; /* NULL: not taken; so are the next ones */
    struct root_options *root;
    struct bytes_option *tree; /* --tree */
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

/** Operand `i`, called `name` in messages, as bytes, escapes read. @return False after a message to
 *  the user. */
bool arguments_bytes(const struct arguments *arguments, size_t i, const char *name,
                     verso_slice *bytes);

/** Operand `i` as a number. @return False after a message to the user. */
bool arguments_number(const struct arguments *arguments, size_t i, const char *name,
                      uint64_t *number);

/** Operand `i` as the name of a tag or a tree. @return False after a message to the user. */
bool arguments_name(const struct arguments *arguments, size_t i, const char *name,
                    verso_slice *bytes);

/** Operand `i` as a root: a number, tag:NAME or @TIME. @return False after a message to the user. */
bool arguments_root(const struct arguments *arguments, size_t i, const char *name,
                    struct root_options *root);

/** A root written as in an operand, but in the value of an option. @return As arguments_root(). */
bool arguments_root_word(const struct arguments *arguments, const char *what, char *word,
                         struct root_options *root);

/** Tell the user what is wrong with a word that `what` (an option or operand) was given. */
void arguments_word_is_wrong(const struct arguments *arguments, const char *what, const char *word,
                             const struct word_fault *fault);

/** Is a range asked for at all? */
bool range_is_given(const struct range_options *options);

/** The range that the options mean: all keys if none is given. */
verso_range range_of(const struct range_options *options);

/** Is a root asked for, other than the newest? */
bool root_is_given(const struct root_options *options);

#endif
