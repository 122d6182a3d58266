/*
 * escape.c - read and write the escapes of keys, values and notes.
 *
 * What is valid UTF-8 follows table 3-7 of the Unicode standard: no overlong form, no surrogate,
 * nothing above U+10FFFF.
 */
#include "escape.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/** Read the escape at the start of `text`: its length, and the byte it stands for; 0 if it is
 * none. */
static size_t read_one(const char *text, size_t size, char *byte)
{
    if (size < 2) {
        return 0;
    }
    switch (text[1]) {
    case 't':
        *byte = '\t';
        return 2;
    case 'n':
        *byte = '\n';
        return 2;
    case '\\':
        *byte = '\\';
        return 2;
    case 'x':
        if (size < 4 || hex_digit(text[2]) < 0 || hex_digit(text[3]) < 0) {
            return 0;
        }
        *byte = (char)(hex_digit(text[2]) * 16 + hex_digit(text[3]));
        return 4;
    default:
        return 0;
    }
}

bool escape_read(char *text, size_t size, size_t *decoded)
{
    char *first = memchr(text, '\\', size);
    if (first == NULL) {
        *decoded = size;
        return true;
    }
    size_t from = (size_t)(first - text);
    size_t to = from;
    while (from < size) {
        if (text[from] != '\\') {
            text[to++] = text[from++];
            continue;
        }
        char byte = 0;
        size_t length = read_one(text + from, size - from, &byte);
        if (length == 0) {
            *decoded = from;
            return false;
        }
        text[to++] = byte;
        from += length;
    }
    *decoded = to;
    return true;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/** Length of the valid UTF-8 sequence of 2 to 4 bytes at the start of `text`, or 0. */
static size_t utf8_length(const uint8_t *text, size_t size)
{
    uint8_t lead = text[0];
    if (lead >= 0xc2 && lead <= 0xdf) {
        return size >= 2 && is_continuation(text[1]) ? 2 : 0;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        if (size < 3 || !is_continuation(text[1]) || !is_continuation(text[2])) {
            return 0;
        }
        bool overlong = lead == 0xe0 && text[1] < 0xa0;
        bool surrogate = lead == 0xed && text[1] >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (size < 4 || !is_continuation(text[1]) || !is_continuation(text[2]) ||
            !is_continuation(text[3])) {
            return 0;
        }
        bool overlong = lead == 0xf0 && text[1] < 0x90;
        bool beyond = lead == 0xf4 && text[1] >= 0x90;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

/** Length of the longest beginning of `text` that may be written as it is. */
static size_t plain_length(const uint8_t *text, size_t size)
{
    size_t length = 0;
    while (length < size) {
        uint8_t byte = text[length];
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
            length++;
            continue;
        }
        size_t sequence = byte >= 0x80 ? utf8_length(text + length, size - length) : 0;
        if (sequence == 0) {
            break;
        }
        length += sequence;
    }
    return length;
}

static bool write_escaped(FILE *stream, uint8_t byte)
{
    switch (byte) {
    case '\t':
        return fputs("\\t", stream) >= 0;
    case '\n':
        return fputs("\\n", stream) >= 0;
    case '\\':
        return fputs("\\\\", stream) >= 0;
    default:
        return fprintf(stream, "\\x%02x", byte) > 0;
    }
}

bool escape_write(FILE *stream, const void *bytes, size_t size)
{
    const uint8_t *text = bytes;
    size_t at = 0;
    while (at < size) {
        size_t plain = plain_length(text + at, size - at);
        if (plain > 0 && fwrite(text + at, 1, plain, stream) != plain) {
            return false;
        }
        at += plain;
        if (at < size && !write_escaped(stream, text[at++])) {
            return false;
        }
    }
    return true;
}

bool escape_write_entry(FILE *stream, const verso_entry *entry)
{
    return escape_write(stream, entry->key.data, entry->key.size) && putc('\t', stream) != EOF &&
           escape_write(stream, entry->value.data, entry->value.size) && putc('\n', stream) != EOF;
}

struct brief_text escape_brief(const void *bytes, size_t size)
{
    enum { SHOWN = 60, ESCAPED_SIZE = 4 }; /* bytes; each becomes at most \xHH */
    struct brief_text brief = {""};
    static_assert((size_t)SHOWN * ESCAPED_SIZE + sizeof "..." <= sizeof brief.text, "it fits");

    FILE *stream = fmemopen(brief.text, sizeof brief.text, "w");
    if (stream == NULL) {
        return brief; /* out of memory: the message goes without */
    }
    (void)escape_write(stream, bytes, size < SHOWN ? size : SHOWN);
    (void)fputs(size > SHOWN ? "..." : "", stream);
    (void)fclose(stream);
    return brief;
}
