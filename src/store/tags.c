/*
 * tags.c - finding and changing tags; see tags.h.
 */
#include "store/tags.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/key_order.h"
#include "os/fault.h"

void vs_tags_clear(struct vs_tags *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        free(tags->tag[i]);
    }
    free(tags->tag);
    free(tags->root);
    free(tags->spare);
    *tags = (struct vs_tags){0};
}

static verso_slice name_of(const struct vs_tag *tag)
{
    return (verso_slice){tag->name, tag->name_size};
}

/* The first tag whose name is at or above `name`. */
static size_t search(const struct vs_tags *tags, verso_slice name)
{
    size_t low = 0;
    size_t high = tags->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vs_key_compare(name_of(tags->tag[middle]), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct vs_tags *tags, size_t at, verso_slice name)
{
    return at < tags->count && vs_key_compare(name_of(tags->tag[at]), name) == 0;
}

const struct vs_tag *vs_tags_find(const struct vs_tags *tags, verso_slice name)
{
    size_t at = search(tags, name);
    return is_at(tags, at, name) ? tags->tag[at] : NULL;
}

const struct vs_tag *vs_tags_after(const struct vs_tags *tags, verso_slice name)
{
    size_t at = search(tags, name);
    at += is_at(tags, at, name) ? 1 : 0;
    return at < tags->count ? tags->tag[at] : NULL;
}

/* The first of the named roots that is at or above `version`. */
static size_t search_root(const struct vs_tags *tags, size_t count, uint64_t version)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tags->root[middle] < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Among `count` roots. */
static void list_root(struct vs_tags *tags, size_t count, uint64_t root)
{
    size_t at = search_root(tags, count, root);
    memmove(tags->root + at + 1, tags->root + at, (count - at) * sizeof *tags->root);
    tags->root[at] = root;
}

static void unlist_root(struct vs_tags *tags, size_t count, uint64_t root)
{
    size_t at = search_root(tags, count, root);
    assert(at < count && tags->root[at] == root);
    memmove(tags->root + at, tags->root + at + 1, (count - at - 1) * sizeof *tags->root);
}

static verso_err reserve_arrays(struct vs_tags *tags)
{
    if (tags->count < tags->capacity) {
        return VERSO_OK;
    }
    size_t capacity = tags->capacity * 2 + 16;
    struct vs_tag **tag = realloc(tags->tag, capacity * sizeof(*tag));
    if (tag != NULL) {
        tags->tag = tag;
    }
    uint64_t *root = realloc(tags->root, capacity * sizeof *root);
    if (root != NULL) {
        tags->root = root;
    }
    if (tag == NULL || root == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a tag");
    }
    tags->capacity = capacity;
    return VERSO_OK;
}

verso_err vs_tags_reserve(struct vs_tags *tags, verso_slice name)
{
    if (vs_tags_find(tags, name) != NULL) {
        return VERSO_OK;
    }
    verso_err err = reserve_arrays(tags);
    if (err == VERSO_OK && tags->spare == NULL) {
        tags->spare = malloc(sizeof *tags->spare);
        err = tags->spare == NULL ? vs_fault(VERSO_NOMEM, "no memory for a tag") : VERSO_OK;
    }
    return err;
}

static void insert(struct vs_tags *tags, size_t at, verso_slice name, uint64_t root)
{
    struct vs_tag *fresh = tags->spare;
    tags->spare = NULL;
    *fresh = (struct vs_tag){.name_size = (uint8_t)name.size};
    memcpy(fresh->name, name.data, name.size);
    memmove(tags->tag + at + 1, tags->tag + at, (tags->count - at) * sizeof *tags->tag);
    tags->tag[at] = fresh;
    list_root(tags, tags->count, root);
    tags->count++;
}

verso_err vs_tags_set(struct vs_tags *tags, verso_slice name, uint64_t root, int64_t time_us)
{
    assert(name.size > 0);
    assert(name.size <= VERSO_NAME_MAX);
    verso_err err = vs_tags_reserve(tags, name);
    if (err != VERSO_OK) {
        return err;
    }
    size_t at = search(tags, name);
    if (is_at(tags, at, name)) {
        unlist_root(tags, tags->count, tags->tag[at]->root);
        list_root(tags, tags->count - 1, root);
    } else {
        insert(tags, at, name, root);
    }
    tags->tag[at]->root = root;
    tags->tag[at]->time_us = time_us;
    tags->tag[at]->entered = false;
    tags->changed = true;
    return VERSO_OK;
}

bool vs_tags_delete(struct vs_tags *tags, verso_slice name)
{
    size_t at = search(tags, name);
    if (!is_at(tags, at, name)) {
        return false;
    }
    unlist_root(tags, tags->count, tags->tag[at]->root);
    free(tags->tag[at]);
    tags->count--;
    memmove(tags->tag + at, tags->tag + at + 1, (tags->count - at) * sizeof *tags->tag);
    tags->changed = true;
    return true;
}

void vs_tags_entered(struct vs_tags *tags)
{
    for (size_t i = 0; tags->changed && i < tags->count; i++) {
        tags->tag[i]->entered = true;
    }
    tags->changed = false;
}

bool vs_tags_root_at_or_above(const struct vs_tags *tags, uint64_t version, uint64_t *root)
{
    size_t at = search_root(tags, tags->count, version);
    if (at == tags->count) {
        return false;
    }
    *root = tags->root[at];
    return true;
}
