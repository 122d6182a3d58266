/*
 * verso.c - the command: find the verb, let it work, see that its output has arrived.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "help.h"
#include "message.h"
#include "verbs.h"
#include "verso.h"

struct verb {
    const char *name;
    int (*run)(struct arguments *arguments);
};

static const struct verb verbs[] = {
    {"load", verb_load},       {"put", verb_put},       {"get", verb_get},
    {"del", verb_del},         {"scan", verb_scan},     {"count", verb_count},
    {"nth", verb_nth},         {"rank", verb_rank},     {"roots", verb_roots},
    {"tag", verb_tag},         {"keep", verb_keep},     {"diff", verb_diff},
    {"history", verb_history}, {"revert", verb_revert}, {"trees", verb_trees},
    {"backup", verb_backup},   {"apply", verb_apply},   {"compact", verb_compact},
    {"stat", verb_stat},       {"check", verb_check},   {"salvage", verb_salvage},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

/** Whether --help is among the words, before a `--`. */
static bool asks_for_help(char **words, size_t count)
{
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "--help") == 0) {
            return true;
        }
    }
    return false;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        return message_usage("", "a verb is needed");
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        (void)fputs(help_text(""), stdout);
        return ENDS_DONE;
    }
    if (strcmp(name, "--version") == 0) {
        (void)printf("verso %s\n", verso_library_version());
        return ENDS_DONE;
    }
    const struct verb *verb = find_verb(name);
    if (verb == NULL) {
        return message_usage("", "there is no verb '%s'", name);
    }
    struct arguments arguments = {verb->name, argv + 2, (size_t)argc - 2};
    if (asks_for_help(arguments.words, arguments.count)) {
        (void)fputs(help_text(verb->name), stdout);
        return ENDS_DONE;
    }
    return verb->run(&arguments);
}

int main(int argc, char **argv)
{
    (void)signal(SIGXFSZ,
                 SIG_IGN); /* a file-size limit shall be an error with a text, not a death */
    int code = run(argc, argv);
    bool failed_before = ferror(stdout) != 0; /* a verb that met it has said so and stopped */
    if (fflush(stdout) != 0 || failed_before) {
        return code == ENDS_DONE ? message_system_failed("standard output") : code;
    }
    return code;
}
