/*
 * word.c - the steps of reading a word; see word.h.
 */
#include "word.h"

#include <string.h>

enum { MILLIONTHS_DIGITS = 6 };

bool word_fails(struct word *word, const char *at, const char *reason)
{
    *word->fault = (struct word_fault){reason, at};
    return false;
}

bool word_skip(struct word *word, const char *text)
{
    size_t size = strlen(text);
    if (strncmp(word->next, text, size) != 0) {
        return false;
    }
    word->next += size;
    return true;
}

bool word_at_digit(const struct word *word)
{
    return *word->next >= '0' && *word->next <= '9';
}

static unsigned take_digit(struct word *word)
{
    return (unsigned)(*word->next++ - '0');
}

bool word_number(struct word *word, uint64_t *number)
{
    const char *begin = word->next;
    if (!word_at_digit(word)) {
        return word_fails(word, begin, "a number is needed here");
    }
    uint64_t value = 0;
    while (word_at_digit(word)) {
        unsigned digit = take_digit(word);
        if (value > (UINT64_MAX - digit) / 10) {
            return word_fails(word, begin, "the number is too large");
        }
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

bool word_digits(struct word *word, unsigned digits, const char *reason, unsigned *number)
{
    const char *begin = word->next;
    unsigned value = 0;
    for (unsigned i = 0; i < digits; i++) {
        if (!word_at_digit(word)) {
            return word_fails(word, begin, reason);
        }
        value = value * 10 + take_digit(word);
    }
    *number = value;
    return true;
}

bool word_millionths(struct word *word, bool cut, uint32_t *millionths)
{
    const char *begin = word->next;
    uint32_t value = 0;
    unsigned digits = 0;
    for (; word_at_digit(word); digits++) {
        unsigned digit = take_digit(word);
        if (digits < MILLIONTHS_DIGITS) {
            value = value * 10 + digit;
        }
    }
    if (digits == 0) {
        return word_fails(word, begin, "digits are needed after the point");
    }
    if (digits > MILLIONTHS_DIGITS && !cut) {
        return word_fails(word, begin, "at most 6 digits after the point");
    }
    for (; digits < MILLIONTHS_DIGITS; digits++) {
        value *= 10;
    }
    *millionths = value;
    return true;
}

bool word_ends(struct word *word, const char *reason)
{
    return *word->next == '\0' || word_fails(word, word->next, reason);
}
