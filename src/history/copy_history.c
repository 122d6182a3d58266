/*
 * copy_history.c - the history tree of a copy, built from below: full leaves in the order of ids,
 * then branches over them, level by level.
 */
#include <stdlib.h>
#include <string.h>

#include "format/branch.h"
#include "format/fingerprint.h"
#include "format/leaf.h"
#include "history/copy_parts.h"
#include "os/fault.h"

enum {
    ID_SIZE = 8,
    CELL_MIN =
        32, /* bytes that a root takes in a leaf, at least: a reference to its record has 24 */
    CHILD_MIN = 8, /* bytes that a child takes in a branch, at least */
};

/** A page of the level that was built last. */
struct child {
    vs_page_no page;
    uint64_t keys;
    uint8_t first[ID_SIZE]; /* id */
};

/** A root on its way into a leaf. */
struct entry {
    uint8_t id[ID_SIZE];
    uint8_t record[VS_ROOT_RECORD_MAX];
};

struct builder {
    struct vs_copy_file *file;
    struct child *children;
    size_t child_count;
    struct entry *entries; /* of the leaf being filled, */
    struct vs_leaf_cell *leaf_cells;
    struct vs_branch_cell *branch_cells; /* or of the branch */
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

static verso_err allocate(struct builder *builder, size_t roots)
{
    size_t page_size = builder->file->page_size;
    size_t cells = page_size / CELL_MIN + 2;
    builder->children = malloc((roots + 1) * sizeof *builder->children);
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

/* A record too long for its leaf lies in pages of its own, as any value. */
static verso_err write_run(struct builder *builder, verso_slice record, struct vs_payload *payload,
                           uint8_t *reference)
{
    size_t page_size = builder->file->page_size;
    struct vs_run_ref run = {
        .length = (uint32_t)record.size, .hash = vs_value_hash(record), .extents = 1};
    run.extent[0].pages = (uint32_t)((record.size + page_size - 1) / page_size);
    verso_err err = vs_copy_file_take(builder->file, run.extent[0].pages, &run.extent[0].page);
    for (uint32_t i = 0; i < run.extent[0].pages && err == VERSO_OK; i++) {
        size_t at = i * page_size;
        size_t size = record.size - at < page_size ? record.size - at : page_size;
        memset(builder->page, 0, page_size);
        memcpy(builder->page, (const uint8_t *)record.data + at, size);
        err = vs_copy_file_make(builder->file, run.extent[0].page + i, VS_KIND_RUN, builder->page);
    }
    *payload = (struct vs_payload){true, (uint16_t)vs_run_ref_encode(&run, reference), reference};
    return err;
}

/* Make cell `index` of the leaf one of this root. */
static verso_err make_cell(struct builder *builder, const struct vs_root_record *record,
                           unsigned index)
{
    struct entry *entry = &builder->entries[index];
    struct vs_leaf_cell *cell = &builder->leaf_cells[index];
    vs_put_be64(entry->id, record->version);
    uint8_t bytes[VS_ROOT_RECORD_MAX];
    size_t size = vs_root_record_encode(record, bytes);
    *cell = (struct vs_leaf_cell){
        .key = {entry->id, ID_SIZE},
        .payload = {.size = (uint16_t)size, .bytes = entry->record},
    };
    if (size > vs_leaf_payload_max(builder->file->page_size, ID_SIZE)) {
        return write_run(builder, (verso_slice){bytes, size}, &cell->payload, entry->record);
    }
    memcpy(entry->record, bytes, size);
    return VERSO_OK;
}

/* The cell that did not fit becomes the first of the next leaf. */
static void move_to_front(struct builder *builder, unsigned index)
{
    if (index > 0) {
        builder->entries[0] = builder->entries[index];
        builder->leaf_cells[0] = builder->leaf_cells[index];
        builder->leaf_cells[0].key.data = builder->entries[0].id;
        builder->leaf_cells[0].payload.bytes = builder->entries[0].record;
    }
}

static verso_err write_leaf(struct builder *builder, unsigned count)
{
    struct child *child = &builder->children[builder->child_count];
    verso_err err = vs_copy_file_take(builder->file, 1, &child->page);
    if (err != VERSO_OK) {
        return err;
    }
    memcpy(child->first, builder->entries[0].id, ID_SIZE);
    child->keys = count;
    if (builder->child_count > 0) {
        vs_copy_file_link(builder->file, child[-1].page, child->page);
    }
    builder->child_count++;
    vs_leaf_encode(builder->page, builder->file->page_size, VS_COPY_GENERATION, builder->leaf_cells,
                   count);
    return vs_copy_file_make(builder->file, child->page, VS_KIND_LEAF, builder->page);
}

static verso_err write_leaves(struct builder *builder, const struct vs_root_record *records,
                              size_t count)
{
    unsigned filled = 0;
    for (size_t i = 0; i < count; i++) {
        verso_err err = make_cell(builder, &records[i], filled);
        if (err == VERSO_OK &&
            vs_leaf_encoded_size(builder->leaf_cells, filled + 1) > builder->file->page_size) {
            err = write_leaf(builder, filled);
            move_to_front(builder, filled);
            filled = 0;
        }
        if (err != VERSO_OK) {
            return err;
        }
        filled++;
    }
    return filled > 0 ? write_leaf(builder, filled) : VERSO_OK;
}

/* ---- branches ---- */

/* Gather as many children, from `at` on, as one branch takes; never all but one. */
static unsigned gather(struct builder *builder, size_t at, unsigned level)
{
    size_t left = builder->child_count - at;
    unsigned count = 0;
    while (count < left) {
        const struct child *child = &builder->children[at + count];
        builder->branch_cells[count] = (struct vs_branch_cell){
            .separator = {child->first, ID_SIZE}, .child = child->page, .keys = child->keys};
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
    uint64_t keys = 0;
    for (unsigned i = 0; i < count; i++) {
        keys += builder->branch_cells[i].keys;
    }
    vs_branch_encode(builder->page, builder->file->page_size, VS_COPY_GENERATION, level,
                     builder->branch_cells, count);
    verso_err err = vs_copy_file_take(builder->file, 1, &branch->page);
    branch->keys = keys;
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
        struct child branch;
        memcpy(branch.first, builder->children[at].first, ID_SIZE);
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

verso_err vs_copy_history(struct vs_copy_file *file, const struct vs_root_record *records,
                          size_t count, struct vs_tree_root *history)
{
    *history = (struct vs_tree_root){0};
    if (count == 0) {
        return VERSO_OK;
    }
    struct builder builder = {.file = file};
    verso_err err = allocate(&builder, count);
    if (err == VERSO_OK) {
        err = write_leaves(&builder, records, count);
    }
    unsigned level = 1;
    for (; err == VERSO_OK && builder.child_count > 1; level++) {
        err = write_level(&builder, level);
    }
    if (err == VERSO_OK) {
        *history = (struct vs_tree_root){builder.children[0].page, level, count};
    }
    clear(&builder);
    return err;
}

/* The chosen roots, and all that come after them. */
static verso_err make_set(const struct vs_root_record *records, size_t count,
                          struct vs_version_set *set)
{
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < count && err == VERSO_OK; i++) {
        err = vs_version_set_add(set, records[i].version, records[i].version);
    }
    uint64_t next = count > 0 ? records[count - 1].version + 1 : 1;
    return err == VERSO_OK ? vs_version_set_add(set, next, UINT64_MAX) : err;
}

/* One leaf with one cell: under the empty key, the set. */
static verso_err write_set(struct builder *builder, verso_slice set, struct vs_tree_root *tags)
{
    struct vs_leaf_cell *cell = &builder->leaf_cells[0];
    *cell = (struct vs_leaf_cell){
        .payload = {.size = (uint16_t)set.size, .bytes = set.data},
    };
    verso_err err = VERSO_OK;
    if (set.size > vs_leaf_payload_max(builder->file->page_size, 0)) {
        err = write_run(builder, set, &cell->payload, builder->entries[0].record);
    }
    if (err == VERSO_OK) {
        err = write_leaf(builder, 1);
    }
    *tags = (struct vs_tree_root){builder->children[0].page, 1, 1};
    return err;
}

verso_err vs_copy_keeping(struct vs_copy_file *file, const struct vs_root_record *records,
                          size_t count, struct vs_tree_root *tags)
{
    struct vs_version_set set = {0};
    uint8_t *bytes = NULL;
    size_t size = 0;
    verso_err err = make_set(records, count, &set);
    bool all = err == VERSO_OK && set.count == 1 && set.range[0].from == 1;
    if (err == VERSO_OK && !all) {
        err = vs_version_set_encode(&set, &bytes, &size);
    }
    vs_version_set_clear(&set);
    *tags = (struct vs_tree_root){0};
    if (err != VERSO_OK || all) { /* without an entry every root is kept */
        return err;
    }
    struct builder builder = {.file = file};
    err = allocate(&builder, 1);
    if (err == VERSO_OK) {
        err = write_set(&builder, (verso_slice){bytes, size}, tags);
    }
    clear(&builder);
    free(bytes);
    return err;
}
