/*
 * escape.h - keys, values and notes as text: one line each, tab-separated, nothing lost.
 *
 * Read everywhere: \xHH (any byte), \t, \n, \\. Written: control bytes, the backslash and whatever
 * is not valid UTF-8. What was written reads back as the same bytes.
 */
#ifndef VERSO_TOOLS_ESCAPE_H
#define VERSO_TOOLS_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "verso.h"

/**
 * Turn text into the bytes it stands for, in place (they are never longer).
 *
 * @param[in,out] text  `size` bytes; the result begins where they begin.
 * @param[out] decoded  Its size; on failure the offset of the backslash that begins no escape.
 * @return False if a backslash begins no escape; the text is then half turned and of no use.
 */
bool escape_read(char *text, size_t size, size_t *decoded);

/** Write bytes as text. @return False if the stream refused it; errno says why. */
bool escape_write(FILE *stream, const void *bytes, size_t size);

/** Write an entry as key, tab, value, newline. @return As escape_write(). */
bool escape_write_entry(FILE *stream, const verso_entry *entry);

/** The beginning of some bytes as text, for a message. */
struct brief_text {
    char text[256];
};

/** Up to 60 bytes as text, and dots if there were more. */
struct brief_text escape_brief(const void *bytes, size_t size);

#endif
