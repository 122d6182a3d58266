/*
 * keep.c - print, set or try the retention policy.
 *
 * The flags say the whole policy: what they do not name does not keep a root.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "quantity.h"
#include "session.h"
#include "thinning.h"
#include "verbs.h"

/** What the user asked for. */
struct keep {
    struct number_option last;
    char *within;
    char *thin;
    char *budget;
    bool checkpoints;
    bool all;
    bool usual; /* --default */
    bool dry_run;
    bool sets; /* any of the flags above but --dry-run */
    verso_retention policy;
};

/* ---- reading ---- */

static bool read_within(const struct arguments *arguments, struct keep *keep)
{
    struct word_fault fault;
    struct word word = {keep->within, &fault};
    verso_retention_class *class = &keep->policy.classes[0];
    bool sound = quantity_duration(&word, &class->age_us) &&
                 word_ends(&word, "nothing may follow here") &&
                 (class->age_us > 0 || word_fails(&word, keep->within, "an age is more than 0"));
    if (!sound) {
        arguments_word_is_wrong(arguments, "--within", keep->within, &fault);
        return false;
    }
    class->spacing_us = 0;
    keep->policy.class_count = 1;
    return true;
}

static bool read_budget(const struct arguments *arguments, struct keep *keep)
{
    struct word_fault fault;
    struct budget budget;
    if (!quantity_budget(keep->budget, &budget, &fault)) {
        arguments_word_is_wrong(arguments, "--budget", keep->budget, &fault);
        return false;
    }
    keep->policy.has_budget = true;
    keep->policy.budget_bytes = budget.bytes;
    keep->policy.budget_percent = budget.percent;
    return true;
}

static bool read_thin(const struct arguments *arguments, struct keep *keep)
{
    struct word_fault fault;
    if (!thinning_read(keep->thin, &keep->policy, &fault)) {
        arguments_word_is_wrong(arguments, "--thin", keep->thin, &fault);
        return false;
    }
    return true;
}

/** Make the policy that the flags say. @return False after a message to the user. */
static bool make_policy(const struct arguments *arguments, struct keep *keep)
{
    bool parts = keep->last.given || keep->within != NULL || keep->thin != NULL ||
                 keep->budget != NULL || keep->checkpoints;
    keep->sets = parts || keep->all || keep->usual;
    if (parts + keep->all + keep->usual > 1) {
        message_usage(arguments->verb, "--all and --default each say the whole policy");
        return false;
    }
    if (keep->all || keep->usual) {
        keep->policy = keep->all ? verso_keep_all() : verso_keep_default();
        return true;
    }
    keep->policy = verso_keep_last(keep->last.given ? keep->last.value : 1);
    keep->policy.checkpoints = keep->checkpoints;
    return (keep->within == NULL || read_within(arguments, keep)) &&
           (keep->thin == NULL || read_thin(arguments, keep)) &&
           (keep->budget == NULL || read_budget(arguments, keep));
}

/* ---- printing ---- */

static bool print_budget(const verso_retention *policy)
{
    struct quantity_text bytes = quantity_size_text(policy->budget_bytes);
    if (policy->budget_percent == 0) {
        return printf("budget\t%s\n", bytes.text) > 0;
    }
    if (policy->budget_bytes == 0) {
        return printf("budget\t%" PRIu32 "%%\n", policy->budget_percent) > 0;
    }
    return printf("budget\t%s,%" PRIu32 "%%\n", bytes.text, policy->budget_percent) > 0;
}

/** Print the policy, one flag a line with its value as the verb would take it. */
static bool print_policy(const verso_retention *policy)
{
    if (policy->all) {
        return printf("all\n") > 0;
    }
    bool done = printf("last\t%" PRIu64 "\n", policy->last) > 0;
    const verso_retention_class *classes = policy->classes;
    size_t count = policy->class_count;
    if (count > 0 && classes[0].spacing_us == 0 && classes[0].age_us != UINT64_MAX) {
        done = done && printf("within\t%s\n", quantity_duration_text(classes[0].age_us).text) > 0;
        classes++;
        count--;
    }
    if (count > 0) {
        done = done && printf("thin\t") > 0 && thinning_write(stdout, classes, count) &&
               putchar('\n') != EOF;
    }
    if (policy->checkpoints) {
        done = done && printf("checkpoints\n") > 0;
    }
    return done && (!policy->has_budget || print_budget(policy));
}

/* ---- doing ---- */

static int show(const struct session *session, struct keep *keep)
{
    keep->policy = (verso_retention){.size = sizeof keep->policy};
    verso_err err = verso_retention_get(session->store, &keep->policy);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: retention", session->path);
    }
    return print_policy(&keep->policy) ? ENDS_DONE : message_system_failed("standard output");
}

static int set(const struct session *session, void *argument)
{
    struct keep *keep = argument;
    verso_err err = verso_retention_set(session->store, &keep->policy);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: retention", session->path);
    }
    return show(session, keep);
}

static int get(const struct session *session, void *argument)
{
    return show(session, argument);
}

static int print_effect(const verso_retention_effect *effect, const verso_root_id *dropped,
                        uint64_t listed)
{
    for (uint64_t i = 0; i < listed; i++) {
        if (printf("goes\t%" PRIu64 "\n", dropped[i]) < 0) {
            return message_system_failed("standard output");
        }
    }
    (void)printf("kept_roots\t%" PRIu64 "\ndropped_roots\t%" PRIu64 "\nfreed_bytes\t%" PRIu64 "\n",
                 effect->kept_roots, effect->dropped, effect->freed_bytes);
    return ENDS_DONE;
}

/** Ask twice: for the number of roots, then for their ids. */
static int try_policy(const struct session *session, void *argument)
{
    struct keep *keep = argument;
    verso_err err = VERSO_OK;
    if (!keep->sets) {
        keep->policy = (verso_retention){.size = sizeof keep->policy};
        err = verso_retention_get(session->store, &keep->policy);
    }
    verso_retention_effect effect = {.size = sizeof effect};
    if (err == VERSO_OK) {
        err = verso_retention_try(session->store, &keep->policy, NULL, 0, &effect);
    }
    if (err != VERSO_OK) {
        return message_failed(err, "%s: retention", session->path);
    }
    uint64_t capacity = effect.dropped;
    verso_root_id *dropped = calloc(capacity + 1, sizeof *dropped); /* never of size 0 */
    if (dropped == NULL) {
        return message_system_failed("%s: a list of %" PRIu64 " roots", session->path, capacity);
    }
    err = verso_retention_try(session->store, &keep->policy, dropped, capacity, &effect);
    int code = err == VERSO_OK ? print_effect(&effect, dropped,
                                              effect.dropped < capacity ? effect.dropped : capacity)
                               : message_failed(err, "%s: retention", session->path);
    free(dropped);
    return code;
}

int verb_keep(struct arguments *arguments)
{
    struct keep keep = {.last = {false, 0}};
    const struct option options[] = {
        {"last", OPTION_POSITIVE, &keep.last},   {"within", OPTION_WORD, &keep.within},
        {"thin", OPTION_WORD, &keep.thin},       {"budget", OPTION_WORD, &keep.budget},
        {"all", OPTION_SWITCH, &keep.all},       {"checkpoints", OPTION_SWITCH, &keep.checkpoints},
        {"default", OPTION_SWITCH, &keep.usual}, {"dry-run", OPTION_SWITCH, &keep.dry_run},
    };
    const struct syntax syntax = {.operands = {"STORE"},
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0]};
    if (!arguments_read(arguments, &syntax) || !make_policy(arguments, &keep)) {
        return ENDS_USAGE;
    }
    const char *path = arguments->words[0];
    if (keep.dry_run) {
        return session_run(path, SESSION_READS, try_policy, &keep);
    }
    return session_run(path, keep.sets ? SESSION_CHANGES : SESSION_READS, keep.sets ? set : get,
                       &keep);
}
