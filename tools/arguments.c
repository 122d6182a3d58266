/*
 * arguments.c - read options and operands; every mistake gets its own text.
 */
#include "arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "message.h"

static bool read_number(const char *verb, const struct option *option, const char *word)
{
    uint64_t least = option->kind == OPTION_POSITIVE ? 1 : 0;
    char *end = NULL;
    errno = 0;
    uintmax_t value = strtoumax(word, &end, 10);
    bool digits_only = strspn(word, "0123456789") == strlen(word) && word[0] != '\0';
    if (!digits_only || errno == ERANGE || value > UINT64_MAX || value < least) {
        message_usage(verb, "--%s takes a whole number from %" PRIu64 " on, not '%s'", option->name,
                      least, word);
        return false;
    }
    *(struct number_option *)option->target = (struct number_option){true, value};
    return true;
}

/** Turn `word` into bytes in place; `what` names it in the message. */
static bool read_bytes(const char *verb, const char *what, char *word, verso_slice *bytes)
{
    size_t size = strlen(word);
    size_t decoded = 0;
    if (!escape_read(word, size, &decoded)) {
        message_usage(verb, "%s: '%.8s' is no escape (\\xHH, \\t, \\n or \\\\)", what,
                      word + decoded);
        return false;
    }
    *bytes = (verso_slice){word, decoded};
    return true;
}

static bool read_value(const char *verb, const struct option *option, char *word)
{
    if (option->kind != OPTION_BYTES) {
        return read_number(verb, option, word);
    }
    struct bytes_option *target = option->target;
    char what[32] = "--";
    strncat(what, option->name, sizeof what - sizeof "--");
    target->given = read_bytes(verb, what, word, &target->bytes);
    return target->given;
}

static const struct option *find(const struct option *options, size_t count, const char *name,
                                 size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

/** Read the option in word `*at`, and move `*at` to the last word that belongs to it. */
static bool read_option(const struct arguments *arguments, const struct syntax *syntax, size_t *at)
{
    const char *verb = arguments->verb;
    char *name = arguments->words[*at] + 2;
    char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find(syntax->options, syntax->option_count, name, length);
    if (option == NULL) {
        message_usage(verb, "%s has no option --%.*s", verb, (int)length, name);
        return false;
    }
    if (option->kind == OPTION_SWITCH) {
        if (equals != NULL) {
            message_usage(verb, "--%s takes no value", option->name);
            return false;
        }
        *(bool *)option->target = true;
        return true;
    }
    if (equals != NULL) {
        return read_value(verb, option, equals + 1);
    }
    if (*at + 1 == arguments->count) {
        message_usage(verb, "--%s needs a value", option->name);
        return false;
    }
    *at += 1;
    return read_value(verb, option, arguments->words[*at]);
}

static bool has_right_operands(const struct arguments *arguments, const struct syntax *syntax)
{
    const char *verb = arguments->verb;
    size_t needed = 0;
    while (needed < OPERANDS_MAX && syntax->operands[needed] != NULL) {
        needed++;
    }
    if (arguments->count < needed) {
        message_usage(verb, "%s needs %s", verb, syntax->operands[arguments->count]);
        return false;
    }
    if (arguments->count > needed && !syntax->more) {
        message_usage(verb, "%s has no use for '%s'", verb, arguments->words[needed]);
        return false;
    }
    return true;
}

bool arguments_read(struct arguments *arguments, const struct syntax *syntax)
{
    size_t operands = 0;
    bool options_ended = false;
    for (size_t at = 0; at < arguments->count; at++) {
        char *word = arguments->words[at];
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && strncmp(word, "--", 2) == 0) {
            if (!read_option(arguments, syntax, &at)) {
                return false;
            }
        } else {
            arguments->words[operands++] = word;
        }
    }
    arguments->count = operands;
    return has_right_operands(arguments, syntax);
}

bool arguments_bytes(const struct arguments *arguments, size_t i, verso_slice *bytes)
{
    return read_bytes(arguments->verb, i == 1 ? "KEY" : "VALUE", arguments->words[i], bytes);
}
