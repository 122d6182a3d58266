/*
 * copy_roots.c - choosing the roots of a copy, and keeping them readable while it is written.
 */
#include <stdlib.h>
#include <string.h>

#include "history/copy.h"
#include "history/history.h"
#include "os/fault.h"

static verso_err reserve_root(struct vs_copy_roots *roots)
{
    if (roots->count < roots->capacity) {
        return VERSO_OK;
    }
    size_t capacity = roots->capacity * 2 + 64;
    struct vs_copied_root *grown = realloc(roots->root, capacity * sizeof *grown);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the list of roots to be copied");
    }
    roots->root = grown;
    roots->capacity = capacity;
    return VERSO_OK;
}

/* Pin a root, and keep its note. */
static verso_err add_root(struct vs_copy_roots *roots, uint64_t version)
{
    verso_err err = reserve_root(roots);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_copied_root *root = &roots->root[roots->count];
    uint8_t note[VS_NOTE_MAX];
    err = vs_history_pin(roots->store, version, &root->slot, &root->record, note);
    if (err != VERSO_OK) {
        return err;
    }
    verso_slice *kept = &root->record.note;
    kept->data = NULL;
    if (kept->size > 0) {
        kept->data = malloc(kept->size);
        if (kept->data == NULL) {
            vs_reader_unpin(&roots->store->readers, root->slot);
            return vs_fault(VERSO_NOMEM, "no memory for the list of roots to be copied");
        }
        memcpy((void *)(uintptr_t)kept->data, note, kept->size);
    }
    roots->count++;
    return VERSO_OK;
}

static void drop_roots(struct vs_copy_roots *roots)
{
    for (size_t i = 0; i < roots->count; i++) {
        vs_reader_unpin(&roots->store->readers, roots->root[i].slot);
        free((void *)(uintptr_t)roots->root[i].record.note.data);
    }
    roots->count = 0;
}

/* All that are kept from a root on, but such as go while the list is made. */
static verso_err add_kept(struct vs_copy_roots *roots, uint64_t version, uint64_t newest)
{
    for (; vs_history_next(roots->store, version, &version) && version <= newest; version++) {
        verso_err err = add_root(roots, version);
        if (err != VERSO_OK && err != VERSO_GONE) {
            return err;
        }
    }
    return VERSO_OK;
}

static verso_err add_chosen(struct vs_copy_roots *roots, const struct vs_copy_choice *choice)
{
    for (size_t i = 0; i < choice->count; i++) {
        verso_err err = add_root(roots, choice->ids[i]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* The newest published root always comes along, whichever it is by now. */
static verso_err add_newest(struct vs_copy_roots *roots)
{
    for (;;) {
        uint64_t newest = vs_roots_published(&roots->store->roots);
        bool there = roots->count > 0 && roots->root[roots->count - 1].record.version >= newest;
        if (newest == 0 || there) {
            return VERSO_OK;
        }
        verso_err err = add_root(roots, newest);
        if (err != VERSO_GONE) { /* else a newer one is published by now */
            return err;
        }
    }
}

static bool has_root(const struct vs_copy_roots *roots, uint64_t version)
{
    size_t low = 0;
    size_t high = roots->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (roots->root[middle].record.version < version) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < roots->count && roots->root[low].record.version == version;
}

static verso_err add_tags(struct vs_copy_roots *roots)
{
    struct vs_retained *retained = &roots->store->retained;
    struct vs_tag tag;
    char last[VERSO_NAME_MAX];
    verso_slice after = {last, 0};
    verso_err err = VERSO_OK;
    while (err == VERSO_OK && vs_retained_find_tag(retained, after, true, &tag)) {
        memcpy(last, tag.name, tag.name_size);
        after.size = tag.name_size;
        if (has_root(roots, tag.root)) {
            err = vs_tags_set(&roots->tags, after, tag.root, tag.time_us);
        }
    }
    return err;
}

verso_err vs_copy_choose(struct vs_store *store, const struct vs_copy_choice *choice,
                         struct vs_copy_roots *roots)
{
    *roots = (struct vs_copy_roots){.store = store};
    vs_lock_take(&store->roots.lookup_lock); /* guards the meta */
    memcpy(roots->uuid, store->meta.uuid, sizeof roots->uuid);
    roots->epoch = store->meta.epoch;
    vs_lock_release(&store->roots.lookup_lock);
    roots->retention = vs_retained_policy(&store->retained);
    uint64_t newest = vs_roots_published(&store->roots);
    if (choice->since != 0) {
        verso_err err = add_root(roots, choice->since);
        return err == VERSO_OK ? add_kept(roots, choice->since + 1, newest) : err;
    }
    verso_err err = choice->all ? add_kept(roots, 1, newest) : add_chosen(roots, choice);
    if (err == VERSO_OK && (!choice->all || roots->count == 0)) {
        err = add_newest(roots);
    }
    return err == VERSO_OK ? add_tags(roots) : err;
}

void vs_copy_release(struct vs_copy_roots *roots)
{
    drop_roots(roots);
    free(roots->root);
    vs_tags_clear(&roots->tags);
}
