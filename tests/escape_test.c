/*
 * escape_test.c - the escapes of the command line: what they stand for, and what is written.
 */
#include "../tools/escape.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Whether `text` reads as the bytes of `expected`. */
static bool reads_as(const char *text, const void *expected, size_t expected_size)
{
    char buffer[64];
    size_t size = strlen(text);
    cr_assert(size < sizeof buffer);
    memcpy(buffer, text, size);
    size_t decoded = 0;
    return escape_read(buffer, size, &decoded) && decoded == expected_size &&
           memcmp(buffer, expected, decoded) == 0;
}

/** Where `text` has its fault; SIZE_MAX if it has none. */
static size_t fault_in(const char *text)
{
    char buffer[64];
    size_t size = strlen(text);
    cr_assert(size < sizeof buffer);
    memcpy(buffer, text, size);
    size_t decoded = 0;
    return escape_read(buffer, size, &decoded) ? SIZE_MAX : decoded;
}

/** What is written for some bytes; free it. */
static char *written(const void *bytes, size_t size)
{
    char *text = NULL;
    size_t text_size = 0;
    FILE *stream = open_memstream(&text, &text_size);
    cr_assert(stream != NULL);
    cr_assert(escape_write(stream, bytes, size));
    cr_assert(fclose(stream) == 0);
    return text;
}

static bool is_written_as(const char *bytes, const char *expected)
{
    char *text = written(bytes, strlen(bytes));
    bool same = strcmp(text, expected) == 0;
    free(text);
    return same;
}

Test(escape_read, leaves_plain_text_alone)
{
    cr_assert(reads_as("", "", 0));
    cr_assert(reads_as("plain", "plain", 5));
    cr_assert(reads_as("caf\xc3\xa9", "caf\xc3\xa9", 5));
}

Test(escape_read, knows_each_escape)
{
    cr_assert(reads_as("a\\tb", "a\tb", 3));
    cr_assert(reads_as("a\\nb", "a\nb", 3));
    cr_assert(reads_as("a\\\\b", "a\\b", 3));
    cr_assert(reads_as("\\x00", "\0", 1));
    cr_assert(reads_as("\\xfF\\x7e", "\xff~", 2));
    cr_assert(reads_as("\\\\x41", "\\x41", 4)); /* an escaped backslash begins nothing */
    cr_assert(reads_as("\\x5cn", "\\n", 2));    /* nor does one written as a number */
}

Test(escape_read, tells_where_a_backslash_begins_no_escape)
{
    cr_assert(fault_in("\\") == 0);
    cr_assert(fault_in("ab\\") == 2);
    cr_assert(fault_in("ab\\q") == 2);
    cr_assert(fault_in("\\t\\x4") == 2);
    cr_assert(fault_in("\\x4g") == 0);
    cr_assert(fault_in("\\X41") == 0);
    cr_assert(fault_in("\\x+1") == 0);
}

Test(escape_write, escapes_control_bytes_and_backslashes_only)
{
    cr_assert(is_written_as("plain ~", "plain ~"));
    cr_assert(is_written_as("a\tb\nc\\d", "a\\tb\\nc\\\\d"));
    cr_assert(is_written_as("\r\x1b\x7f", "\\x0d\\x1b\\x7f"));
}

Test(escape_write, leaves_valid_utf8_alone)
{
    cr_assert(is_written_as("\xc3\xa9", "\xc3\xa9"));                 /* two bytes */
    cr_assert(is_written_as("\xe2\x82\xac", "\xe2\x82\xac"));         /* three */
    cr_assert(is_written_as("\xf0\x9f\x8c\x8d", "\xf0\x9f\x8c\x8d")); /* four */
    cr_assert(is_written_as("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf")); /* the last code point */
}

Test(escape_write, escapes_invalid_utf8)
{
    cr_assert(is_written_as("\x80", "\\x80"));                            /* a lone continuation */
    cr_assert(is_written_as("\xc3", "\\xc3"));                            /* cut short */
    cr_assert(is_written_as("\xc3z", "\\xc3z"));                          /* not continued */
    cr_assert(is_written_as("\xc0\xaf", "\\xc0\\xaf"));                   /* overlong */
    cr_assert(is_written_as("\xe0\x80\xaf", "\\xe0\\x80\\xaf"));          /* overlong */
    cr_assert(is_written_as("\xed\xa0\x80", "\\xed\\xa0\\x80"));          /* a surrogate */
    cr_assert(is_written_as("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80")); /* beyond U+10FFFF */
    cr_assert(is_written_as("\xe2\x82", "\\xe2\\x82"));
}

Test(escape_write, is_undone_by_reading)
{
    uint32_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525U + 1013904223U;
            bytes[i] = (uint8_t)(random >> 24);
        }
        char *text = written(bytes, sizeof bytes);
        size_t decoded = 0;
        cr_assert(strpbrk(text, "\t\n") == NULL, "round=%u", round);
        cr_assert(escape_read(text, strlen(text), &decoded), "round=%u", round);
        cr_assert(decoded == sizeof bytes && memcmp(text, bytes, decoded) == 0, "round=%u", round);
        free(text);
    }
}

Test(escape_write, reports_a_stream_that_refuses)
{
    FILE *stream = fopen("/dev/full", "w");
    cr_assert(stream != NULL);
    (void)setvbuf(stream, NULL, _IONBF, 0);
    cr_assert_not(escape_write(stream, "plain", 5));
    cr_assert_not(escape_write(stream, "\n", 1));
    (void)fclose(stream);
}

Test(escape_brief, shows_the_beginning)
{
    char bytes[61];
    memset(bytes, 1, sizeof bytes);
    cr_assert(strcmp(escape_brief("a\tb", 3).text, "a\\tb") == 0);
    cr_assert(strlen(escape_brief(bytes, 60).text) == 240);
    cr_assert(strlen(escape_brief(bytes, 61).text) == 243);
    cr_assert(strcmp(escape_brief("", 0).text, "") == 0);
}
