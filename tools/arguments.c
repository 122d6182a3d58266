/*
 * arguments.c - read options and operands; every mistake gets its own text.
 */
#include "arguments.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "message.h"
#include "moment.h"

static bool read_number(const char *verb, const char *what, uint64_t least, const char *word,
                        uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    uintmax_t value = strtoumax(word, &end, 10);
    bool digits_only = strspn(word, "0123456789") == strlen(word) && word[0] != '\0';
    if (!digits_only || errno == ERANGE || value > UINT64_MAX || value < least) {
        message_usage(verb, "%s takes a whole number from %" PRIu64 " on, not '%s'", what, least,
                      word);
        return false;
    }
    *number = value;
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

/** Read the name of a tag or a tree. */
static bool read_name(const char *verb, const char *what, char *word, verso_slice *name)
{
    if (!read_bytes(verb, what, word, name)) {
        return false;
    }
    if (name->size == 0 || name->size > VERSO_NAME_MAX) {
        message_usage(verb, "%s: a name has 1 to %d bytes, not %zu", what, VERSO_NAME_MAX,
                      name->size);
        return false;
    }
    if (memchr(name->data, 0, name->size) != NULL) {
        message_usage(verb, "%s: a name has no byte \\x00", what);
        return false;
    }
    return true;
}

void arguments_word_is_wrong(const struct arguments *arguments, const char *what, const char *word,
                             const struct word_fault *fault)
{
    if (*fault->at == '\0') {
        message_usage(arguments->verb, "%s '%s': %s, at its end", what, word, fault->reason);
    } else {
        message_usage(arguments->verb, "%s '%s': %s, at '%s'", what, word, fault->reason,
                      fault->at);
    }
}

static bool read_time(const struct arguments *arguments, const char *what, const char *word,
                      struct time_option *target)
{
    struct word_fault fault;
    target->given = moment_read(word, moment_now(), &target->time_us, &fault);
    if (!target->given) {
        arguments_word_is_wrong(arguments, what, word, &fault);
    }
    return target->given;
}

static bool read_value(const struct arguments *arguments, const struct option *option, char *word)
{
    char what[32];
    (void)snprintf(what, sizeof what, "--%s", option->name);
    struct number_option *number = option->target;
    struct bytes_option *bytes = option->target;
    switch (option->kind) {
    case OPTION_NUMBER:
    case OPTION_POSITIVE:
        number->given = read_number(arguments->verb, what, option->kind == OPTION_POSITIVE, word,
                                    &number->value);
        return number->given;
    case OPTION_BYTES:
        bytes->given = read_bytes(arguments->verb, what, word, &bytes->bytes);
        return bytes->given;
    case OPTION_NAME:
        bytes->given = read_name(arguments->verb, what, word, &bytes->bytes);
        return bytes->given;
    case OPTION_TIME:
        return read_time(arguments, what, word, option->target);
    case OPTION_SWITCH: /* takes no value */
    case OPTION_WORD:
        break;
    }
    *(char **)option->target = word;
    return true;
}

/** All options that a verb takes, its own and those of the groups. */
struct options {
    struct option option[OPTIONS_MAX];
    size_t count;
};

static void add_options(struct options *options, const struct option *more, size_t count)
{
    assert(options->count + count <= OPTIONS_MAX);
    memcpy(options->option + options->count, more, count * sizeof *more);
    options->count += count;
}

static struct options all_options(const struct syntax *syntax)
{
    struct options all = {.count = 0};
    if (syntax->option_count > 0) {
        add_options(&all, syntax->options, syntax->option_count);
    }
    if (syntax->range != NULL) {
        const struct option range[] = {{"from", OPTION_BYTES, &syntax->range->from},
                                       {"to", OPTION_BYTES, &syntax->range->to},
                                       {"prefix", OPTION_BYTES, &syntax->range->prefix}};
        add_options(&all, range, sizeof range / sizeof range[0]);
    }
    if (syntax->root != NULL) {
        const struct option root[] = {{"root", OPTION_NUMBER, &syntax->root->root},
                                      {"tag", OPTION_NAME, &syntax->root->tag},
                                      {"at", OPTION_TIME, &syntax->root->at}};
        add_options(&all, root, sizeof root / sizeof root[0]);
    }
    if (syntax->tree != NULL) {
        const struct option tree = {"tree", OPTION_NAME, syntax->tree};
        add_options(&all, &tree, 1);
    }
    return all;
}

static const struct option *find(const struct options *options, const char *name, size_t length)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option *option = &options->option[i];
        if (strlen(option->name) == length && memcmp(option->name, name, length) == 0) {
            return option;
        }
    }
    return NULL;
}

/** Read the option in word `*at`, and move `*at` to the last word that belongs to it. */
static bool read_option(const struct arguments *arguments, const struct options *options,
                        size_t *at)
{
    const char *verb = arguments->verb;
    char *name = arguments->words[*at] + 2;
    char *equals = strchr(name, '=');
    size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct option *option = find(options, name, length);
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
        return read_value(arguments, option, equals + 1);
    }
    if (*at + 1 == arguments->count) {
        message_usage(verb, "--%s needs a value", option->name);
        return false;
    }
    *at += 1;
    return read_value(arguments, option, arguments->words[*at]);
}

static bool has_right_operands(const struct arguments *arguments, const struct syntax *syntax)
{
    const char *verb = arguments->verb;
    size_t possible = 0;
    size_t needed = 0;
    for (; possible < OPERANDS_MAX && syntax->operands[possible] != NULL; possible++) {
        needed += syntax->operands[possible][0] != '[';
    }
    if (arguments->count < needed) {
        message_usage(verb, "%s needs %s", verb, syntax->operands[arguments->count]);
        return false;
    }
    if (arguments->count > possible && !syntax->more) {
        message_usage(verb, "%s has no use for '%s'", verb, arguments->words[possible]);
        return false;
    }
    return true;
}

/** Do the options of the groups agree with each other? */
static bool options_agree(const struct arguments *arguments, const struct syntax *syntax)
{
    const struct root_options *root = syntax->root;
    if (root != NULL && root->root.given + root->tag.given + root->at.given > 1) {
        message_usage(arguments->verb, "only one of --root, --tag and --at can say which root");
        return false;
    }
    return true;
}

bool arguments_read(struct arguments *arguments, const struct syntax *syntax)
{
    struct options options = all_options(syntax);
    size_t operands = 0;
    bool options_ended = false;
    for (size_t at = 0; at < arguments->count; at++) {
        char *word = arguments->words[at];
        if (!options_ended && strcmp(word, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && strncmp(word, "--", 2) == 0) {
            if (!read_option(arguments, &options, &at)) {
                return false;
            }
        } else {
            arguments->words[operands++] = word;
        }
    }
    arguments->count = operands;
    return has_right_operands(arguments, syntax) && options_agree(arguments, syntax);
}

bool arguments_bytes(const struct arguments *arguments, size_t i, const char *name,
                     verso_slice *bytes)
{
    return read_bytes(arguments->verb, name, arguments->words[i], bytes);
}

bool arguments_number(const struct arguments *arguments, size_t i, const char *name,
                      uint64_t *number)
{
    return read_number(arguments->verb, name, 0, arguments->words[i], number);
}

bool arguments_name(const struct arguments *arguments, size_t i, const char *name,
                    verso_slice *bytes)
{
    return read_name(arguments->verb, name, arguments->words[i], bytes);
}

bool arguments_root_word(const struct arguments *arguments, const char *what, char *word,
                         struct root_options *root)
{
    if (word[0] == '@') {
        return read_time(arguments, what, word + 1, &root->at);
    }
    if (strncmp(word, "tag:", 4) == 0) {
        root->tag.given = read_name(arguments->verb, what, word + 4, &root->tag.bytes);
        return root->tag.given;
    }
    if (word[0] < '0' || word[0] > '9') {
        message_usage(arguments->verb, "%s '%s': a root is a number, tag:NAME or @TIME", what,
                      word);
        return false;
    }
    root->root.given = read_number(arguments->verb, what, 0, word, &root->root.value);
    return root->root.given;
}

bool arguments_root(const struct arguments *arguments, size_t i, const char *name,
                    struct root_options *root)
{
    return arguments_root_word(arguments, name, arguments->words[i], root);
}

bool range_is_given(const struct range_options *options)
{
    return options->from.given || options->to.given || options->prefix.given;
}

verso_range range_of(const struct range_options *options)
{
    return (verso_range){
        .size = sizeof(verso_range),
        .has_from = options->from.given,
        .has_to = options->to.given,
        .has_prefix = options->prefix.given,
        .from = options->from.bytes,
        .to = options->to.bytes,
        .prefix = options->prefix.bytes,
    };
}

bool root_is_given(const struct root_options *options)
{
    return options->root.given || options->tag.given || options->at.given;
}
