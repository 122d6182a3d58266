/*
 * hex_example.h - the worked examples of a document, as bytes to compare with.
 *
 * An example is a fenced block that names itself in its first line:
 *
 *     ```hex leaf
 *     0000  01 00 03 00 08 00  what they mean
 *     0fe5  06 00
 *     ```
 *
 * Each line is an offset, two spaces, bytes with one space between them, then two spaces and a
 * remark, or nothing. Bytes that no line shows are zero.
 */
#ifndef VERSO_TESTS_HEX_EXAMPLE_H
#define VERSO_TESTS_HEX_EXAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEX_FAULT_MAX = 200 };

/** Does the example `name` of the document at `path` show these bytes? If not, `fault`
 *  (HEX_FAULT_MAX) says why, and the true bytes are printed to standard error in the form of the
 *  document. */
bool hex_example_shows(const char *path, const char *name, const uint8_t *bytes, size_t size,
                       char *fault);

#endif
