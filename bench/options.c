/*
 * options.c - read the command line.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "stop.h"

static const char help_text[] =
    "verso-bench - the basic workloads on Verso and, where built in, on LMDB, in turns\n"
    "\n"
    "usage: verso-bench [OPTION...]\n"
    "\n"
    "  --keys N          keys in the store (default 1000000)\n"
    "  --value BYTES     size of a value (default 100)\n"
    "  --key KIND        random: 16 random bytes (default); user: user:%010u:profile\n"
    "  --dir DIR         where the stores are made, in a directory of their own that is removed "
    "at\n"
    "                    the end (default: the current directory)\n"
    "  --rounds N        turns that each contestant gets (default 3); medians are printed\n"
    "  --only NAME,...   run these workloads only\n"
    "  --engine NAME,... verso, lmdb, machine (the bare system calls): run these only\n"
    "  --keep-last N     Verso keeps the newest N roots, or `all`, or as by `default`; without it "
    "the\n"
    "                    commit workloads show the three side by side, and all others keep all\n"
    "  --reads N         gets a pass (default 1000000)\n"
    "  --seconds S       longest run of one commit workload (default 1)\n"
    "  --commits N       most commits of such a run (default 200000)\n"
    "  --long-keys N     keys of the long reader's store (default 50000)\n"
    "  --long-puts N     its puts a commit (default 1000)\n"
    "  --long-gib N      stop overwriting when its file has grown to N GiB (default 16)\n"
    "  --arena MIB       Verso's memory for unwritten pages (default: Verso's own)\n"
    "  --lmdb-nordahead  open LMDB with MDB_NORDAHEAD\n"
    "  --tsv FILE        write the figures to FILE as well\n"
    "  --list            name the workloads and stop\n"
    "  --help            this text\n";

enum option_code {
    OPTION_KEYS = 256, /* above every character */
    OPTION_VALUE,
    OPTION_KEY,
    OPTION_DIR,
    OPTION_ROUNDS,
    OPTION_ONLY,
    OPTION_ENGINE,
    OPTION_KEEP_LAST,
    OPTION_READS,
    OPTION_SECONDS,
    OPTION_COMMITS,
    OPTION_LONG_KEYS,
    OPTION_LONG_PUTS,
    OPTION_LONG_GIB,
    OPTION_ARENA,
    OPTION_LMDB_NORDAHEAD,
    OPTION_TSV,
    OPTION_LIST,
    OPTION_HELP
};

static const struct option long_options[] = {
    {"keys", required_argument, NULL, OPTION_KEYS},
    {"value", required_argument, NULL, OPTION_VALUE},
    {"key", required_argument, NULL, OPTION_KEY},
    {"dir", required_argument, NULL, OPTION_DIR},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"only", required_argument, NULL, OPTION_ONLY},
    {"engine", required_argument, NULL, OPTION_ENGINE},
    {"keep-last", required_argument, NULL, OPTION_KEEP_LAST},
    {"reads", required_argument, NULL, OPTION_READS},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"commits", required_argument, NULL, OPTION_COMMITS},
    {"long-keys", required_argument, NULL, OPTION_LONG_KEYS},
    {"long-puts", required_argument, NULL, OPTION_LONG_PUTS},
    {"long-gib", required_argument, NULL, OPTION_LONG_GIB},
    {"arena", required_argument, NULL, OPTION_ARENA},
    {"lmdb-nordahead", no_argument, NULL, OPTION_LMDB_NORDAHEAD},
    {"tsv", required_argument, NULL, OPTION_TSV},
    {"list", no_argument, NULL, OPTION_LIST},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

enum { SECONDS_MAX = 3600, KEYS_MAX = 1000000000, VALUE_MAX = 1 << 24, ARENA_MIB_MAX = 1 << 20 };

static uint64_t number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least ||
        value > most) {
        stop_with("\"%s\": expected a number from %llu to %llu", text, (unsigned long long)least,
                  (unsigned long long)most);
    }
    return value;
}

static double seconds_of(const char *text)
{
    char *end = NULL;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0.0) || seconds > SECONDS_MAX) {
        stop_with("\"%s\": expected seconds, more than 0 and at most %d", text, SECONDS_MAX);
    }
    return seconds;
}

static enum key_kind key_kind_of(const char *text)
{
    if (strcmp(text, "random") == 0) {
        return KEYS_RANDOM;
    }
    if (strcmp(text, "user") != 0) {
        stop_with("--key is random or user, not \"%s\"", text);
    }
    return KEYS_USER;
}

static uint64_t keep_of(const char *text)
{
    if (strcmp(text, "all") == 0) {
        return KEEP_ALL;
    }
    if (strcmp(text, "default") == 0) {
        return KEEP_DEFAULT;
    }
    return number(text, 1, UINT32_MAX);
}

static void set_option(struct options *options, int code, const char *argument)
{
    switch (code) {
    case OPTION_KEYS:
        options->keys = (uint32_t)number(argument, 1000, KEYS_MAX);
        break;
    case OPTION_VALUE:
        options->value_size = (uint32_t)number(argument, 0, VALUE_MAX);
        break;
    case OPTION_KEY:
        options->key_kind = key_kind_of(argument);
        break;
    case OPTION_DIR:
        options->directory = argument;
        break;
    case OPTION_ROUNDS:
        options->rounds = (unsigned)number(argument, 1, ROUNDS_MAX);
        break;
    case OPTION_ONLY:
        options->only = argument;
        break;
    case OPTION_ENGINE:
        options->engines = argument;
        break;
    case OPTION_KEEP_LAST:
        options->keep_last_given = true;
        options->keep_last = keep_of(argument);
        break;
    case OPTION_READS:
        options->reads = (uint32_t)number(argument, 1000, KEYS_MAX);
        break;
    case OPTION_SECONDS:
        options->seconds = seconds_of(argument);
        break;
    case OPTION_COMMITS:
        options->commits = (uint32_t)number(argument, 1, KEYS_MAX);
        break;
    case OPTION_LONG_KEYS:
        options->long_keys = (uint32_t)number(argument, 1000, KEYS_MAX);
        break;
    case OPTION_LONG_PUTS:
        options->long_puts = (uint32_t)number(argument, 1, KEYS_MAX);
        break;
    case OPTION_LONG_GIB:
        options->long_gib = (uint32_t)number(argument, 1, 1024);
        break;
    case OPTION_ARENA:
        options->arena_bytes = number(argument, 1, ARENA_MIB_MAX) << 20;
        break;
    case OPTION_LMDB_NORDAHEAD:
        options->lmdb_no_readahead = true;
        break;
    case OPTION_TSV:
        options->tsv_path = argument;
        break;
    case OPTION_LIST:
        options->list = true;
        break;
    case OPTION_HELP:
        options->help = true;
        break;
    default:
        stop_with("see verso-bench --help");
    }
}

struct options options_read(int argc, char **argv)
{
    struct options options = {
        .keys = 1000000,
        .value_size = 100,
        .key_kind = KEYS_RANDOM,
        .directory = ".",
        .rounds = 3,
        .reads = 1000000,
        .seconds = 1.0,
        .commits = 200000,
        .long_keys = 50000,
        .long_puts = 1000,
        .long_gib = 16,
    };
    int code = getopt_long(argc, argv, "", long_options, NULL);
    while (code != -1) {
        set_option(&options, code, optarg);
        code = getopt_long(argc, argv, "", long_options, NULL);
    }
    if (optind < argc) {
        stop_with("\"%s\": unexpected; see verso-bench --help", argv[optind]);
    }
    return options;
}

void options_print_help(void)
{
    fputs(help_text, stdout);
}

bool options_names(const char *list, const char *name)
{
    size_t length = strlen(name);
    const char *at = list;
    while (at != NULL) {
        if (strncmp(at, name, length) == 0 && (at[length] == '\0' || at[length] == ',')) {
            return true;
        }
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    return list == NULL;
}
