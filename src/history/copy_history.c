/*
 * copy_history.c - the trees on the generations' clock of a copy: its roots by id, its tags by name.
 *
 * Each is built from below, out of entries in the order of their keys: full leaves, then branches
 * over them, level by level.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/branch.h"
#include "format/fingerprint.h"
#include "format/leaf.h"
#include "history/copy_parts.h"
#include "os/fault.h"

enum {
    ID_SIZE = 8,
    TAG_SIZE = 16, /* root, time; see keeping.h */
    CELL_MIN = 16, /* bytes that an entry takes in a leaf, at least */
    CHILD_MIN = 8, /* bytes that a child takes in a branch, at least */
};

/** A key of either tree. */
struct key {
    size_t size;
    uint8_t bytes[VERSO_NAME_MAX];
};

/** A page of the level that was built last. */
struct child {
    vs_page_no page;
    uint64_t keys;
    struct key first;
};

/** An entry on its way into a leaf. */
struct entry {
    struct key key;
    uint8_t payload[VS_ROOT_RECORD_MAX]; /* the value, or a reference to it */
};

struct builder {
    struct vs_copy_file *file;
    uint64_t keys; /* so far */
    unsigned filled;
    struct entry *entries; /* of the leaf being filled, */
    struct vs_leaf_cell *leaf_cells;
    struct vs_branch_cell *branch_cells; /* or of the branch */
    struct child *children;
    size_t child_count;
    uint8_t *page;
};

static void clear(struct builder *builder)
{
    free(builder->children);
    free(builder->entries);
    free(builder->leaf_cells);
    free(builder->branch_cells);
    free(builder->page);
}

/* Room for a tree of so many entries. */
static verso_err allocate(struct builder *builder, size_t entries)
{
    size_t page_size = builder->file->page_size;
    size_t cells = page_size / CELL_MIN + 2;
    builder->children = malloc((entries + 1) * sizeof *builder->children);
    builder->entries = malloc(cells * sizeof *builder->entries);
    builder->leaf_cells = malloc(cells * sizeof *builder->leaf_cells);
    builder->branch_cells = malloc((page_size / CHILD_MIN + 2) * sizeof *builder->branch_cells);
    builder->page = malloc(page_size);
    if (builder->children == NULL || builder->entries == NULL || builder->leaf_cells == NULL ||
        builder->branch_cells == NULL || builder->page == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a copy");
    }
    return VERSO_OK;
}

/* ---- leaves ---- */

/* A value too long for its leaf lies in pages of its own, as any. */
static verso_err write_run(struct builder *builder, verso_slice value, struct vs_payload *payload,
                           uint8_t *reference)
{
    size_t page_size = builder->file->page_size;
    struct vs_run_ref run = {
        .length = (uint32_t)value.size, .hash = vs_value_hash(value), .extents = 1};
    run.extent[0].pages = (uint32_t)((value.size + page_size - 1) / page_size);
    verso_err err = vs_copy_file_take(builder->file, run.extent[0].pages, &run.extent[0].page);
    for (uint32_t i = 0; i < run.extent[0].pages && err == VERSO_OK; i++) {
        size_t at = i * page_size;
        size_t size = value.size - at < page_size ? value.size - at : page_size;
        memset(builder->page, 0, page_size);
        memcpy(builder->page, (const uint8_t *)value.data + at, size);
        err = vs_copy_file_make(builder->file, run.extent[0].page + i, VS_KIND_RUN, builder->page);
    }
    *payload = (struct vs_payload){true, (uint16_t)vs_run_ref_encode(&run, reference), reference};
    return err;
}

static verso_err make_cell(struct builder *builder, verso_slice key, verso_slice value,
                           unsigned index)
{
    struct entry *entry = &builder->entries[index];
    struct vs_leaf_cell *cell = &builder->leaf_cells[index];
    entry->key.size = key.size;
    if (key.size > 0) {
        memcpy(entry->key.bytes, key.data, key.size);
    }
    *cell = (struct vs_leaf_cell){
        .key = {entry->key.bytes, key.size},
        .payload = {.size = (uint16_t)value.size, .bytes = entry->payload},
    };
    if (value.size > sizeof entry->payload ||
        value.size > vs_leaf_payload_max(builder->file->page_size, key.size)) {
        return write_run(builder, value, &cell->payload, entry->payload);
    }
    memcpy(entry->payload, value.data, value.size);
    return VERSO_OK;
}

/* The cell that did not fit becomes the first of the next leaf. */
static void move_to_front(struct builder *builder, unsigned index)
{
    assert(index > 0); /* one entry alone fits */
    builder->entries[0] = builder->entries[index];
    builder->leaf_cells[0] = builder->leaf_cells[index];
    builder->leaf_cells[0].key.data = builder->entries[0].key.bytes;
    builder->leaf_cells[0].payload.bytes = builder->entries[0].payload;
}

static verso_err write_leaf(struct builder *builder, unsigned count)
{
    struct child *child = &builder->children[builder->child_count];
    verso_err err = vs_copy_file_take(builder->file, 1, &child->page);
    if (err != VERSO_OK) {
        return err;
    }
    child->first = builder->entries[0].key;
    child->keys = count;
    if (builder->child_count > 0) {
        vs_copy_file_link(builder->file, child[-1].page, child->page);
    }
    builder->child_count++;
    vs_leaf_encode(builder->page, builder->file->page_size, VS_COPY_GENERATION, builder->leaf_cells,
                   count);
    return vs_copy_file_make(builder->file, child->page, VS_KIND_LEAF, builder->page);
}

/* Add an entry behind the others. */
static verso_err add(struct builder *builder, verso_slice key, verso_slice value)
{
    verso_err err = make_cell(builder, key, value, builder->filled);
    if (err == VERSO_OK &&
        vs_leaf_encoded_size(builder->leaf_cells, builder->filled + 1) > builder->file->page_size) {
        err = write_leaf(builder, builder->filled);
        move_to_front(builder, builder->filled);
        builder->filled = 0;
    }
    builder->filled++;
    builder->keys++;
    return err;
}

/* ---- branches ---- */

/* Gather as many children, from `at` on, as one branch takes; never all but one. */
static unsigned gather(struct builder *builder, size_t at, unsigned level)
{
    size_t left = builder->child_count - at;
    unsigned count = 0;
    while (count < left) {
        const struct child *child = &builder->children[at + count];
        builder->branch_cells[count] =
            (struct vs_branch_cell){.separator = {child->first.bytes, child->first.size},
                                    .child = child->page,
                                    .keys = child->keys};
        if (vs_branch_encoded_size(builder->branch_cells, count + 1, level) >
            builder->file->page_size) {
            break;
        }
        count++;
    }
    return left - count == 1 ? count - 1 : count;
}

static verso_err write_branch(struct builder *builder, unsigned level, unsigned count,
                              struct child *branch)
{
    branch->keys = 0;
    for (unsigned i = 0; i < count; i++) {
        branch->keys += builder->branch_cells[i].keys;
    }
    vs_branch_encode(builder->page, builder->file->page_size, VS_COPY_GENERATION, level,
                     builder->branch_cells, count);
    verso_err err = vs_copy_file_take(builder->file, 1, &branch->page);
    return err == VERSO_OK
               ? vs_copy_file_make(builder->file, branch->page, VS_KIND_BRANCH, builder->page)
               : err;
}

/* Write the branches over all children; they are the children of the next level. */
static verso_err write_level(struct builder *builder, unsigned level)
{
    size_t made = 0;
    for (size_t at = 0; at < builder->child_count; made++) {
        unsigned count = gather(builder, at, level);
        struct child branch = {.first = builder->children[at].first};
        verso_err err = write_branch(builder, level, count, &branch);
        if (err != VERSO_OK) {
            return err;
        }
        builder->children[made] = branch;
        at += count;
    }
    builder->child_count = made;
    return VERSO_OK;
}

/* All entries were added. */
static verso_err finish(struct builder *builder, struct vs_tree_root *root)
{
    *root = (struct vs_tree_root){0};
    if (builder->keys == 0) {
        return VERSO_OK;
    }
    verso_err err = write_leaf(builder, builder->filled);
    unsigned level = 1;
    for (; err == VERSO_OK && builder->child_count > 1; level++) {
        err = write_level(builder, level);
    }
    *root = (struct vs_tree_root){builder->children[0].page, level, builder->keys};
    return err;
}

/* ---- the two trees ---- */

verso_err vs_copy_history(struct vs_copy_file *file, const struct vs_root_record *records,
                          size_t count, struct vs_tree_root *history)
{
    struct builder builder = {.file = file};
    verso_err err = allocate(&builder, count);
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        uint8_t id[ID_SIZE];
        uint8_t value[VS_ROOT_RECORD_MAX];
        vs_put_be64(id, records[i].version);
        size_t size = vs_root_record_encode(&records[i], value);
        err = add(&builder, (verso_slice){id, ID_SIZE}, (verso_slice){value, size});
    }
    if (err == VERSO_OK) {
        err = finish(&builder, history);
    }
    clear(&builder);
    return err;
}

/* The chosen roots, and all that come after them. */
static verso_err make_set(const struct vs_copy_roots *roots, struct vs_version_set *set)
{
    verso_err err = VERSO_OK;
    uint64_t next = 1;
    for (size_t i = 0; i < roots->count && err == VERSO_OK; i++) {
        uint64_t version = roots->root[i].record.version;
        err = vs_version_set_add(set, version, version);
        next = version + 1;
    }
    return err == VERSO_OK ? vs_version_set_add(set, next, UINT64_MAX) : err;
}

/* Under the empty key, the set; without an entry every root is kept. */
static verso_err add_set(struct builder *builder, const struct vs_copy_roots *roots)
{
    struct vs_version_set set = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    verso_err err = make_set(roots, &set);
    bool all = err == VERSO_OK && set.count == 1 && set.range[0].from == 1;
    if (err == VERSO_OK && !all) {
        err = vs_version_set_encode(&set, &bytes, &size);
    }
    if (err == VERSO_OK && !all) {
        err = add(builder, (verso_slice){NULL, 0}, (verso_slice){bytes, size});
    }
    vs_version_set_clear(&set);
    free(bytes);
    return err;
}

verso_err vs_copy_keeping(struct vs_copy_file *file, const struct vs_copy_roots *roots,
                          struct vs_tree_root *tags)
{
    struct builder builder = {.file = file};
    verso_err err = allocate(&builder, roots->tags.count + 1);
    if (err == VERSO_OK) {
        err = add_set(&builder, roots);
    }
    for (size_t i = 0; i < roots->tags.count && err == VERSO_OK; i++) {
        const struct vs_tag *tag = roots->tags.tag[i];
        uint8_t value[TAG_SIZE];
        vs_put_le64(value, tag->root);
        vs_put_le64(value + TAG_SIZE / 2, (uint64_t)tag->time_us);
        err = add(&builder, (verso_slice){tag->name, tag->name_size},
                  (verso_slice){value, sizeof value});
    }
    if (err == VERSO_OK) {
        err = finish(&builder, tags);
    }
    clear(&builder);
    return err;
}
