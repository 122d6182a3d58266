/*
 * root_list.h - several roots on the command line: 3,7-12,tag:NAME,@TIME.
 */
#ifndef VERSO_TOOLS_ROOT_LIST_H
#define VERSO_TOOLS_ROOT_LIST_H

#include <stdint.h>

#include "arguments.h"
#include "session.h"

/** One item of the list: a root, or all kept roots from one number to another. */
struct root_item {
    bool is_range;
    struct root_options root;
    verso_root_id first;
    verso_root_id last;
};

/** The list as written. */
struct root_list {
    struct root_item *items;
    size_t count;
};

/** Ids that ascend, each once. */
struct root_ids {
    verso_root_id *ids;
    size_t count;
    size_t capacity;
};

/**
 * Read a list; it borrows from `word`, which is changed.
 *
 * @return False after a message to the user; else free it with root_list_clear().
 */
bool root_list_read(const struct arguments *arguments, const char *what, char *word,
                    struct root_list *list);
void root_list_clear(struct root_list *list);

/**
 * Find the ids of the roots that a list means.
 *
 * @return The exit code, after a message to the user; else free `ids->ids`.
 */
int root_list_find(const struct session *session, const struct root_list *list,
                   struct root_ids *ids);

#endif
