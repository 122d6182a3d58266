/*
 * tags.c - naming roots, and opening them by name.
 */
#include <string.h>

#include "api/handles.h"
#include "format/name.h"
#include "history/history.h"
#include "history/keeping.h"
#include "history/retention.h"
#include "os/fault.h"

/* Of some tags nobody could tell whether they are all. */
static verso_err check_readable(const verso_store *store)
{
    verso_err err = vs_check_process(store);
    return err == VERSO_OK && store->store->keeping_damaged
               ? vs_fault(VERSO_CORRUPT, "the tags could not be read when the store was opened")
               : err;
}

static verso_err check(const verso_store *store, verso_slice name, const char *call)
{
    if (store == NULL) {
        return vs_fault(VERSO_INVALID, "%s: the store is NULL", call);
    }
    if (!vs_name_is_sound(name)) {
        return vs_fault(VERSO_INVALID, "%s: a tag's name is 1 to %d bytes, none of them 0", call,
                        VERSO_NAME_MAX);
    }
    return check_readable(store);
}

static verso_err unknown(verso_slice name)
{
    return vs_fault(VERSO_NOT_FOUND, "no tag is named \"%.*s\"", (int)name.size,
                    (const char *)name.data);
}

/* May the tag be set on this root? The writer lock is held: nothing is dropped meanwhile. */
static verso_err check_root(struct vs_store *store, verso_slice name, uint64_t root)
{
    uint64_t published = vs_roots_published(&store->roots);
    if (root == 0 || root > published) {
        return vs_fault(VERSO_NOT_FOUND, "root %llu does not exist (the newest is %llu)",
                        (unsigned long long)root, (unsigned long long)published);
    }
    if (!vs_version_set_has(&store->retained.set, root)) {
        return vs_fault(VERSO_GONE, "root %llu is no longer kept", (unsigned long long)root);
    }
    const struct vs_tag *before = vs_tags_find(&store->retained.tags, name);
    if (before != NULL && before->root != root) {
        return vs_fault(VERSO_EXISTS, "the tag \"%s\" names root %llu already", before->name,
                        (unsigned long long)before->root);
    }
    return VERSO_OK;
}

verso_err verso_tag_set(verso_store *store, verso_slice name, verso_root_id root)
{
    verso_err err = check(store, name, "verso_tag_set");
    if (err == VERSO_OK) {
        err = vs_check_name(store, name);
    }
    if (err == VERSO_OK) {
        err = vs_store_begin_setting(store->store);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    root = root == 0 ? vs_roots_published(&inner->roots) : root;
    uint64_t end_lsn = 0;
    err = check_root(inner, name, root);
    if (err == VERSO_OK) {
        struct vs_operation operation = {
            .kind = VS_OPERATION_SET_TAG,
            .number = {root, (uint64_t)inner->os->clock_us(inner->os)},
            .key = name,
        };
        err = vs_keeping_do(inner, &operation, &end_lsn);
    }
    vs_store_end_setting(inner);
    return err == VERSO_OK ? vs_store_wait(inner, end_lsn, VERSO_DURABILITY_SYNC) : err;
}

/* Its root is judged at once, not when the walk comes to it; where that fails, it will be then. */
static void judge_root(struct vs_store *store, uint64_t root, uint64_t *end_lsn)
{
    struct vs_retention_question question = vs_retention_ask(store, &store->retained.policy);
    struct vs_version_range range;
    unsigned count;
    uint64_t version = root;
    vs_retention_judge(&question, &version, 1, &range, &count);
    uint64_t dropped_lsn = 0;
    if (count == 1 && range.from == root) {
        range.to = root;
        verso_err err = vs_retention_drop(store, &range, 1, &dropped_lsn);
        *end_lsn = err == VERSO_OK ? dropped_lsn : *end_lsn;
    }
}

verso_err verso_tag_delete(verso_store *store, verso_slice name)
{
    verso_err err = check(store, name, "verso_tag_delete");
    if (err == VERSO_OK) {
        err = vs_store_begin_setting(store->store);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_store *inner = store->store;
    uint64_t end_lsn = 0;
    const struct vs_tag *tag = vs_tags_find(&inner->retained.tags, name);
    if (tag == NULL) {
        err = unknown(name);
    } else {
        uint64_t root = tag->root;
        struct vs_operation operation = {.kind = VS_OPERATION_DELETE_TAG, .key = name};
        err = vs_keeping_do(inner, &operation, &end_lsn);
        if (err == VERSO_OK) {
            judge_root(inner, root, &end_lsn);
        }
    }
    vs_store_end_setting(inner);
    return err == VERSO_OK ? vs_store_wait(inner, end_lsn, VERSO_DURABILITY_SYNC) : err;
}

static verso_err check_info(const verso_tag_info *info)
{
    if (info == NULL || info->size < sizeof info->size || info->size > 4096) {
        return vs_fault(VERSO_INVALID, "tag info: NULL, or its `size` is not set");
    }
    return VERSO_OK;
}

static void fill_info(verso_tag_info *info, const struct vs_tag *tag)
{
    verso_tag_info full = {.size = info->size, .root = tag->root, .time_us = tag->time_us};
    memcpy(full.name, tag->name, sizeof full.name);
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
}

verso_err verso_tag_get(verso_store *store, verso_slice name, verso_tag_info *info)
{
    verso_err err = check(store, name, "verso_tag_get");
    if (err == VERSO_OK) {
        err = check_info(info);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tag tag;
    if (!vs_retained_find_tag(&store->store->retained, name, false, &tag)) {
        return unknown(name);
    }
    fill_info(info, &tag);
    return VERSO_OK;
}

verso_err verso_tag_next(verso_store *store, verso_slice after, verso_tag_info *info)
{
    if (store == NULL || !vs_slice_is_sound(after)) {
        return vs_fault(VERSO_INVALID, "verso_tag_next: the store is NULL, or the name");
    }
    verso_err err = check_readable(store);
    if (err == VERSO_OK) {
        err = check_info(info);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tag tag;
    if (!vs_retained_find_tag(&store->store->retained, after, true, &tag)) {
        return VERSO_NOT_FOUND;
    }
    fill_info(info, &tag);
    return VERSO_OK;
}

verso_err verso_view_open_tag(verso_store *store, verso_slice name, verso_view **view)
{
    verso_err err = check(store, name, "verso_view_open_tag");
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tag tag;
    if (!vs_retained_find_tag(&store->store->retained, name, false, &tag)) {
        return unknown(name);
    }
    return verso_view_open_root(store, tag.root, view);
}
