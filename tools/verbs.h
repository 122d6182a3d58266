/*
 * verbs.h - the verbs of the command, one function each.
 *
 * Each takes the words after the verb and returns the exit code (message.h). It has then closed its
 * store and said on standard error what went wrong. Its help stands in help.c.
 */
#ifndef VERSO_TOOLS_VERBS_H
#define VERSO_TOOLS_VERBS_H

#include "arguments.h"

int verb_load(struct arguments *arguments);
int verb_put(struct arguments *arguments);
int verb_get(struct arguments *arguments);
int verb_del(struct arguments *arguments);
int verb_scan(struct arguments *arguments);
int verb_count(struct arguments *arguments);
int verb_nth(struct arguments *arguments);
int verb_rank(struct arguments *arguments);
int verb_roots(struct arguments *arguments);
int verb_tag(struct arguments *arguments);
int verb_keep(struct arguments *arguments);
int verb_diff(struct arguments *arguments);
int verb_history(struct arguments *arguments);
int verb_revert(struct arguments *arguments);
int verb_trees(struct arguments *arguments);
int verb_backup(struct arguments *arguments);
int verb_apply(struct arguments *arguments);
int verb_compact(struct arguments *arguments);
int verb_stat(struct arguments *arguments);
int verb_check(struct arguments *arguments);
int verb_salvage(struct arguments *arguments);

#endif
