/*
 * word.h - reading a word of the command line from left to right, and what is wrong with it.
 */
#ifndef VERSO_TOOLS_WORD_H
#define VERSO_TOOLS_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is wrong with a word, and where. */
struct word_fault {
    const char *reason; /* static text */
    const char *at;     /* the first byte concerned, in the word that was read */
};

/** A word, as far as it was read. */
struct word {
    const char *next;
    struct word_fault *fault;
};

/** Note what is wrong from `at` on. @return False, for the caller to return. */
bool word_fails(struct word *word, const char *at, const char *reason);

/** Go over `text` if it comes next. @return Whether it did. */
bool word_skip(struct word *word, const char *text);

/** Does a decimal digit come next? */
bool word_at_digit(const struct word *word);

/** Read decimal digits, at least one. @return False after word_fails(): none, or beyond 64 bits. */
bool word_number(struct word *word, uint64_t *number);

/** Read exactly `digits` decimal digits. @return False after word_fails() with `reason`. */
bool word_digits(struct word *word, unsigned digits, const char *reason, unsigned *number);

/**
 * Read the digits after a decimal point as millionths: up to 6 digits, or any number of them where
 * `cut` drops those beyond. @return False after word_fails().
 */
bool word_millionths(struct word *word, bool cut, uint32_t *millionths);

/** Is all of it read? @return False after word_fails() with `reason`. */
bool word_ends(struct word *word, const char *reason);

#endif
