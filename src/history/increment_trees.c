/*
 * increment_trees.c - which named trees of a root another one has, drops, renames or adds.
 *
 * Trees are told apart by number. In this order each operation finds what it needs: drop what is
 * gone; give every renamed tree a name that neither root has, then its new one, for two trees may
 * have changed names with each other; create; and at last change what trees hold.
 */
#include <inttypes.h>
#include <stdio.h>

#include "history/increment_parts.h"
#include "tree/catalogue.h"

/** A step of the comparison. */
typedef verso_err (*each_tree)(struct vs_increment_writing *writing,
                               const struct vs_increment_catalogues *roots, verso_slice name,
                               const struct vs_tree_record *record);

/* Call `each` for all trees of a catalogue, by name. */
static verso_err for_each(struct vs_increment_writing *writing,
                          const struct vs_increment_catalogues *roots,
                          const struct vs_tree_view *catalogue, each_tree each)
{
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice name = {NULL, 0};
    verso_err err = VERSO_OK;
    while (err == VERSO_OK && catalogue->root.depth > 0) {
        struct vs_tree_record record;
        uint8_t next[VERSO_NAME_MAX];
        err = vs_catalogue_next(catalogue, name, next, &name, &record);
        if (err == VERSO_OK) {
            memcpy(bytes, next, name.size);
            name.data = bytes;
            err = each(writing, roots, name, &record);
        }
    }
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

/* The tree of that number in the other root. VERSO_NOT_FOUND. */
static verso_err find(const struct vs_tree_view *catalogue, uint64_t number,
                      uint8_t bytes[VERSO_NAME_MAX], verso_slice *name,
                      struct vs_tree_record *record)
{
    return catalogue->root.depth == 0
               ? VERSO_NOT_FOUND
               : vs_catalogue_find_number(catalogue, number, bytes, name, record);
}

static verso_err write_name(struct vs_increment_writing *writing, enum vs_operation_kind kind,
                            uint64_t number, verso_slice name)
{
    const struct vs_operation operation = {.kind = kind, .number = {number}, .key = name};
    return vs_increment_gather(writing, &operation);
}

static verso_err drop_if_gone(struct vs_increment_writing *writing,
                              const struct vs_increment_catalogues *roots, verso_slice name,
                              const struct vs_tree_record *record)
{
    uint8_t bytes[VERSO_NAME_MAX];
    struct vs_tree_record after;
    verso_err err = find(&roots->after, record->number, bytes, &name, &after);
    return err == VERSO_NOT_FOUND
               ? write_name(writing, VS_OPERATION_DROP_TREE, record->number, (verso_slice){NULL, 0})
               : err;
}

/* Is the tree in both roots, under different names? */
static verso_err is_renamed(const struct vs_increment_catalogues *roots, verso_slice name,
                            uint64_t number, bool *renamed)
{
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice before;
    struct vs_tree_record record;
    verso_err err = find(&roots->before, number, bytes, &before, &record);
    *renamed = err == VERSO_OK &&
               (before.size != name.size || memcmp(before.data, name.data, name.size) != 0);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err has_name(const struct vs_tree_view *catalogue, verso_slice name, bool *has)
{
    struct vs_tree_record record;
    verso_err err = vs_catalogue_find(catalogue, name, &record);
    *has = *has || err == VERSO_OK;
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err rename_away(struct vs_increment_writing *writing,
                             const struct vs_increment_catalogues *roots, verso_slice name,
                             const struct vs_tree_record *record)
{
    bool taken = false;
    verso_err err = is_renamed(roots, name, record->number, &taken);
    char text[64];
    verso_slice unused = {text, 0};
    for (unsigned attempt = 0; err == VERSO_OK && taken; attempt++) {
        int size = snprintf(text, sizeof text, "renaming %" PRIu64 ".%u", record->number, attempt);
        unused.size = (size_t)size;
        taken = false;
        err = has_name(&roots->before, unused, &taken);
        if (err == VERSO_OK) {
            err = has_name(&roots->after, unused, &taken);
        }
    }
    return err != VERSO_OK || unused.size == 0
               ? err
               : write_name(writing, VS_OPERATION_RENAME_TREE, record->number, unused);
}

static verso_err rename_or_create(struct vs_increment_writing *writing,
                                  const struct vs_increment_catalogues *roots, verso_slice name,
                                  const struct vs_tree_record *record)
{
    uint8_t bytes[VERSO_NAME_MAX];
    verso_slice unused;
    struct vs_tree_record before;
    verso_err err = find(&roots->before, record->number, bytes, &unused, &before);
    if (err == VERSO_NOT_FOUND) {
        return write_name(writing, VS_OPERATION_CREATE_TREE, record->number, name);
    }
    bool renamed = false;
    if (err == VERSO_OK) {
        err = is_renamed(roots, name, record->number, &renamed);
    }
    return err == VERSO_OK && renamed
               ? write_name(writing, VS_OPERATION_RENAME_TREE, record->number, name)
               : err;
}

static verso_err write_content(struct vs_increment_writing *writing,
                               const struct vs_increment_catalogues *roots, verso_slice name,
                               const struct vs_tree_record *record)
{
    uint8_t bytes[VERSO_NAME_MAX];
    struct vs_tree_view from = roots->before;
    struct vs_tree_view to = roots->after;
    struct vs_tree_record before = {.number = record->number};
    verso_err err = find(&roots->before, record->number, bytes, &name, &before);
    if (err != VERSO_OK && err != VERSO_NOT_FOUND) {
        return err;
    }
    from.root = before.root;
    to.root = record->root;
    return from.root.page == to.root.page
               ? VERSO_OK
               : vs_increment_write_tree(writing, record->number, &from, &to);
}

verso_err vs_increment_write_trees(struct vs_increment_writing *writing,
                                   const struct vs_increment_catalogues *roots)
{
    if (roots->before.root.page == roots->after.root.page) {
        return VERSO_OK;
    }
    verso_err err = for_each(writing, roots, &roots->before, drop_if_gone);
    const each_tree steps[] = {rename_away, rename_or_create, write_content};
    for (unsigned i = 0; i < 3 && err == VERSO_OK; i++) {
        err = for_each(writing, roots, &roots->after, steps[i]);
    }
    return err;
}
