/*
 * root_list.c - read a list of roots, and find their ids in a store; see root_list.h.
 */
#include "root_list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "word.h"

enum { PAGEFUL = 64 }; /* roots fetched at once */

/* ---- reading ---- */

/** Read FIRST-LAST. @return False if the item is no range; *wrong after a message to the user. */
static bool read_range(const struct arguments *arguments, const char *what, char *item,
                       struct root_item *range, bool *wrong)
{
    struct word_fault fault;
    struct word word = {item, &fault};
    if (!word_at_digit(&word) || strchr(item, '-') == NULL) {
        return false;
    }
    bool sound = word_number(&word, &range->first) &&
                 (word_skip(&word, "-") || word_fails(&word, word.next, "a range is FIRST-LAST")) &&
                 word_number(&word, &range->last) && word_ends(&word, "a range is FIRST-LAST") &&
                 (range->first <= range->last ||
                  word_fails(&word, item, "a range goes from the smaller number to the larger"));
    if (!sound) {
        arguments_word_is_wrong(arguments, what, item, &fault);
        *wrong = true;
    }
    range->is_range = true;
    return true;
}

bool root_list_read(const struct arguments *arguments, const char *what, char *word,
                    struct root_list *list)
{
    size_t commas = 0;
    for (const char *at = word; *at != '\0'; at++) {
        commas += *at == ',';
    }
    list->count = 0;
    list->items = calloc(commas + 1, sizeof *list->items);
    if (list->items == NULL) {
        message_system_failed("%s", what);
        return false;
    }
    bool wrong = false;
    for (char *item = word; item != NULL && !wrong;) {
        char *comma = strchr(item, ',');
        if (comma != NULL) {
            *comma = '\0';
        }
        struct root_item *next = &list->items[list->count++];
        if (!read_range(arguments, what, item, next, &wrong)) {
            wrong = !arguments_root_word(arguments, what, item, &next->root);
        }
        item = comma != NULL ? comma + 1 : NULL;
    }
    if (wrong) {
        root_list_clear(list);
    }
    return !wrong;
}

void root_list_clear(struct root_list *list)
{
    free(list->items);
    *list = (struct root_list){NULL, 0};
}

/* ---- finding ---- */

static int add(struct root_ids *ids, verso_root_id id)
{
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? PAGEFUL : ids->capacity * 2;
        verso_root_id *grown = realloc(ids->ids, capacity * sizeof *grown);
        if (grown == NULL) {
            return message_system_failed("a list of %zu roots", capacity);
        }
        ids->ids = grown;
        ids->capacity = capacity;
    }
    ids->ids[ids->count++] = id;
    return ENDS_DONE;
}

static int add_one(const struct session *session, const struct root_options *root,
                   struct root_ids *ids)
{
    verso_view *view = NULL;
    int code = session_open_view(session, root, &view);
    if (code != ENDS_DONE) {
        return code;
    }
    verso_root_info info = {.size = sizeof info};
    verso_err err = verso_view_info(view, &info);
    code = err == VERSO_OK ? add(ids, info.id) : message_failed(err, "%s: root", session->path);
    verso_view_close(view);
    return code;
}

static int add_range(const struct session *session, const struct root_item *range,
                     struct root_ids *ids)
{
    verso_root_info infos[PAGEFUL];
    verso_root_id from = range->first;
    size_t count = PAGEFUL;
    size_t before = ids->count;
    while (count == PAGEFUL && from <= range->last) {
        for (size_t i = 0; i < PAGEFUL; i++) {
            infos[i] = (verso_root_info){.size = sizeof infos[i]};
        }
        verso_err err = verso_roots(session->store, from, infos, PAGEFUL, NULL, &count);
        if (err != VERSO_OK) {
            return message_failed(err, "%s: roots from %" PRIu64 " on", session->path, from);
        }
        for (size_t i = 0; i < count && infos[i].id <= range->last; i++) {
            int code = add(ids, infos[i].id);
            if (code != ENDS_DONE) {
                return code;
            }
        }
        from = count > 0 ? infos[count - 1].id + 1 : from;
    }
    if (ids->count == before) {
        message("%s: no root from %" PRIu64 " to %" PRIu64 " is kept", session->path, range->first,
                range->last);
        return ENDS_NOT_FOUND;
    }
    return ENDS_DONE;
}

static int by_id(const void *left, const void *right)
{
    verso_root_id a = *(const verso_root_id *)left;
    verso_root_id b = *(const verso_root_id *)right;
    return (a > b) - (a < b);
}

static void sort_once_each(struct root_ids *ids)
{
    if (ids->count > 0) { /* else there is no array */
        qsort(ids->ids, ids->count, sizeof *ids->ids, by_id);
    }
    size_t left = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (left == 0 || ids->ids[left - 1] != ids->ids[i]) {
            ids->ids[left++] = ids->ids[i];
        }
    }
    ids->count = left;
}

int root_list_find(const struct session *session, const struct root_list *list,
                   struct root_ids *ids)
{
    *ids = (struct root_ids){NULL, 0, 0};
    int code = ENDS_DONE;
    for (size_t i = 0; i < list->count && code == ENDS_DONE; i++) {
        const struct root_item *item = &list->items[i];
        code = item->is_range ? add_range(session, item, ids) : add_one(session, &item->root, ids);
    }
    if (code != ENDS_DONE) {
        free(ids->ids);
        ids->ids = NULL;
        return code;
    }
    sort_once_each(ids);
    return ENDS_DONE;
}
