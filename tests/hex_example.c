/*
 * hex_example.c - read a fenced block of a document and compare; see hex_example.h.
 */
#include "hex_example.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_SIZE = 1024, BYTES_A_LINE = 16 };

/** Move to the line after "```hex NAME". @return Whether there is one. */
static bool find_example(FILE *document, const char *name)
{
    char line[LINE_MAX_SIZE];
    char wanted[LINE_MAX_SIZE];
    (void)snprintf(wanted, sizeof wanted, "```hex %s\n", name);
    while (fgets(line, sizeof line, document) != NULL) {
        if (strcmp(line, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned value_of(char digit)
{
    return isdigit((unsigned char)digit) ? (unsigned)(digit - '0') : (unsigned)(digit - 'a') + 10;
}

static bool is_hex(char c)
{
    return isdigit((unsigned char)c) || (c >= 'a' && c <= 'f');
}

/** Put the bytes of one line where it says. @return false if it is no such line or leaves
 * `size`. */
static bool read_line(const char *line, uint8_t *shown, size_t size)
{
    char *end = NULL;
    size_t offset = strtoul(line, &end, 16);
    if (end == line || strncmp(end, "  ", 2) != 0) {
        return false;
    }
    const char *at = end + 1; /* each byte is a space and two digits */
    while (at[0] == ' ' && is_hex(at[1]) && is_hex(at[2])) {
        if (offset >= size) {
            return false;
        }
        shown[offset++] = (uint8_t)(value_of(at[1]) << 4 | value_of(at[2]));
        at += 3;
    }
    return at[0] == '\n' || strncmp(at, "  ", 2) == 0;
}

/** Print what the example should show: lines that are all zero left out. */
static void print_example(const char *name, const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[BYTES_A_LINE];
    (void)fprintf(stderr, "```hex %s\n", name);
    for (size_t at = 0; at < size; at += BYTES_A_LINE) {
        size_t part = size - at < BYTES_A_LINE ? size - at : BYTES_A_LINE;
        if (memcmp(bytes + at, zeros, part) == 0) {
            continue;
        }
        (void)fprintf(stderr, "%04zx ", at);
        for (size_t i = 0; i < part; i++) {
            (void)fprintf(stderr, " %02x", bytes[at + i]);
        }
        (void)fputc('\n', stderr);
    }
    (void)fprintf(stderr, "```\n");
}

/** Read the example's lines into `shown`, which is all zero. @return NULL or the fault. */
static const char *read_example(const char *path, const char *name, uint8_t *shown, size_t size)
{
    FILE *document = fopen(path, "r");
    if (document == NULL) {
        return "the document cannot be opened";
    }
    bool ended = false;
    const char *fault = find_example(document, name) ? NULL : "there is no such block";
    char line[LINE_MAX_SIZE];
    while (fault == NULL && !ended) {
        if (fgets(line, sizeof line, document) == NULL) {
            fault = "its block does not end";
            break;
        }
        ended = strcmp(line, "```\n") == 0;
        if (!ended && !read_line(line, shown, size)) {
            fault = "a line has another form, or lies beyond the end";
        }
    }
    (void)fclose(document);
    return fault;
}

bool hex_example_shows(const char *path, const char *name, const uint8_t *bytes, size_t size,
                       char *fault)
{
    uint8_t *shown = calloc(1, size);
    const char *text = shown == NULL ? "out of memory" : read_example(path, name, shown, size);
    size_t at = 0;
    while (text == NULL && at < size && shown[at] == bytes[at]) {
        at++;
    }
    if (text != NULL) {
        (void)snprintf(fault, HEX_FAULT_MAX, "%s, example %s: %s", path, name, text);
    } else if (at < size) {
        (void)snprintf(fault, HEX_FAULT_MAX, "%s, example %s: byte %04zx is %02x, not %02x", path,
                       name, at, bytes[at], shown[at]);
    }
    bool same = text == NULL && at == size;
    if (!same) {
        print_example(name, bytes, size);
    }
    free(shown);
    return same;
}
