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

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left;
    const uint64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static void list_roots(struct vs_tags *tags)
{
    tags->listed = true;
    for (size_t i = 0; i < tags->count; i++) {
        tags->root[i] = tags->tag[i]->root;
    }
    if (tags->count > 0) {
        qsort(tags->root, tags->count, sizeof *tags->root, by_number);
    }
}

static verso_err reserve(struct vs_tags *tags)
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

verso_err vs_tags_set(struct vs_tags *tags, verso_slice name, uint64_t root, int64_t time_us)
{
    assert(name.size > 0);
    assert(name.size <= VERSO_NAME_MAX);
    size_t at = search(tags, name);
    if (!is_at(tags, at, name)) {
        verso_err err = reserve(tags);
        struct vs_tag *fresh = err == VERSO_OK ? calloc(1, sizeof *fresh) : NULL;
        if (fresh == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for a tag");
        }
        memcpy(fresh->name, name.data, name.size);
        fresh->name_size = (uint8_t)name.size;
        memmove(tags->tag + at + 1, tags->tag + at, (tags->count - at) * sizeof *tags->tag);
        tags->tag[at] = fresh;
        tags->count++;
    }
    tags->tag[at]->root = root;
    tags->tag[at]->time_us = time_us;
    tags->listed = false;
    tags->changed = true;
    return VERSO_OK;
}

bool vs_tags_delete(struct vs_tags *tags, verso_slice name)
{
    size_t at = search(tags, name);
    if (!is_at(tags, at, name)) {
        return false;
    }
    free(tags->tag[at]);
    tags->count--;
    memmove(tags->tag + at, tags->tag + at + 1, (tags->count - at) * sizeof *tags->tag);
    tags->listed = false;
    tags->changed = true;
    return true;
}

bool vs_tags_root_at_or_above(struct vs_tags *tags, uint64_t version, uint64_t *root)
{
    if (!tags->listed) {
        list_roots(tags);
    }
    size_t low = 0;
    size_t high = tags->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tags->root[middle] < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == tags->count) {
        return false;
    }
    *root = tags->root[low];
    return true;
}
