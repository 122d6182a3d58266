/*
 * copy_pages.c - walking the trees of a copy, children before parents: a page is written once all
 * that it names has its number.
 *
 * What was copied for an older root is passed over with all below it: a page names the same pages
 * in every root. So the whole costs one look at each page, however many roots share it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "history/copy_parts.h"
#include "os/fault.h"
#include "store/page_table.h"
#include "tree/path.h"
#include "tree/value.h"

static verso_err remember_number(struct vs_copy *copy, vs_page_no page, vs_page_no number)
{
    if (page >= copy->number_capacity) {
        size_t capacity = (size_t)page + page / 2 + 1024;
        vs_page_no *grown = realloc(copy->number, capacity * sizeof *grown);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for a copy");
        }
        memset(grown + copy->number_capacity, 0,
               (capacity - copy->number_capacity) * sizeof *grown);
        copy->number = grown;
        copy->number_capacity = capacity;
    }
    copy->number[page] = number;
    return VERSO_OK;
}

/* Bytes that were verified at their first touch may have rotted since: a copy with checksums of its
   own would hide that for ever. Frames of the arena have no checksum yet. */
static verso_err find_birth(const struct vs_copy *copy, vs_page_no page, const uint8_t *bytes,
                            uint64_t *born)
{
    const struct vs_pages *pages = copy->pages;
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(pages->table, page, &descriptor);
    if (err != VERSO_OK) {
        return err;
    }
    *born = vs_descriptor_born(descriptor);
    bool in_file = pages->file != NULL && vs_page_is_verified(pages, page);
    if (in_file &&
        vs_page_checksum(page, *born, bytes, pages->page_size) != vs_descriptor_crc(descriptor)) {
        return vs_fault(VERSO_CORRUPT, "page %u: checksum does not match its descriptor any more",
                        page);
    }
    return VERSO_OK;
}

/* ---- long values ---- */

static verso_err copy_run_page(struct vs_copy *copy, vs_page_no page, vs_page_no number)
{
    const uint8_t *bytes = NULL;
    uint64_t born = 0;
    verso_err err = vs_page_read_run(copy->pages, page, &bytes);
    if (err == VERSO_OK) {
        err = find_birth(copy, page, bytes, &born);
    }
    if (err == VERSO_OK) {
        err = remember_number(copy, page, number);
    }
    return err == VERSO_OK ? vs_copy_file_write(&copy->file, number, page, born, bytes) : err;
}

/* Page after page of the source goes to page after page of the extents taken for it. */
static verso_err copy_run_pages(struct vs_copy *copy, const struct vs_run_ref *run)
{
    struct vs_run_ref taken = *run;
    verso_err err = vs_copy_file_take_run(&copy->file, &taken);
    unsigned extent = 0;
    uint32_t used = 0;
    for (unsigned i = 0; i < run->extents && err == VERSO_OK; i++) {
        for (uint32_t at = 0; at < run->extent[i].pages && err == VERSO_OK; at++) {
            err = copy_run_page(copy, run->extent[i].page + at, taken.extent[extent].page + used);
            if (++used == taken.extent[extent].pages) {
                extent++;
                used = 0;
            }
        }
    }
    return err;
}

/* The extents of a value that was copied: its pages' numbers, neighbours joined. They are never
   more than in the source, so every leaf that names the value has room for them. */
static verso_err find_extents(const struct vs_copy *copy, const struct vs_run_ref *run,
                              struct vs_run_ref *copied)
{
    *copied = (struct vs_run_ref){.length = run->length, .hash = run->hash};
    for (unsigned i = 0; i < run->extents; i++) {
        for (uint32_t at = 0; at < run->extent[i].pages; at++) {
            vs_page_no number = vs_copy_number(copy, run->extent[i].page + at);
            struct vs_run_extent *last = &copied->extent[copied->extents];
            if (copied->extents > 0 && last[-1].page + last[-1].pages == number) {
                last[-1].pages++;
            } else if (number != 0 && copied->extents < run->extents) {
                *last = (struct vs_run_extent){number, 1};
                copied->extents++;
            } else { /* two values of the source that share pages */
                return vs_fault(VERSO_CORRUPT, "page %u: belongs to two long values",
                                run->extent[i].page + at);
            }
        }
    }
    return VERSO_OK;
}

/* ---- leaves and branches ---- */

/* Copy the value that cell `index` of copy->page names, and let the cell name the copy. */
static verso_err copy_run(struct vs_copy *copy, vs_page_no leaf, unsigned index)
{
    struct vs_payload payload = vs_leaf_payload(copy->page, index);
    struct vs_run_ref run;
    struct vs_run_ref copied;
    verso_err err = vs_value_run_ref(copy->pages, leaf, payload, &run);
    if (err == VERSO_OK && vs_copy_number(copy, run.extent[0].page) == 0) {
        err = copy_run_pages(copy, &run);
    }
    if (err == VERSO_OK) {
        err = find_extents(copy, &run, &copied);
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t bytes[VS_RUN_REF_MAX];
    payload.size = (uint16_t)vs_run_ref_encode(&copied, bytes);
    payload.bytes = bytes;
    bool fits = vs_leaf_replace(copy->page, copy->pages->page_size, index, payload);
    assert(fits); /* it is not longer than before */
    (void)fits;
    return VERSO_OK;
}

static verso_err change_leaf(struct vs_copy *copy, vs_page_no leaf, enum vs_copy_content content)
{
    unsigned count = vs_page_count(copy->page);
    verso_err err = content == VS_COPY_CATALOGUE ? vs_copy_change_catalogue(copy) : VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        if (vs_leaf_payload(copy->page, i).is_run) {
            err = copy_run(copy, leaf, i);
        }
    }
    return err;
}

static void change_branch(struct vs_copy *copy)
{
    unsigned count = vs_page_count(copy->page);
    for (unsigned i = 0; i < count; i++) {
        vs_branch_set_child(copy->page, i, vs_copy_number(copy, vs_branch_child(copy->page, i)));
    }
}

/* Write a page all of whose children were written. */
static verso_err copy_page(struct vs_copy *copy, enum vs_copy_content content,
                           const struct vs_path_step *step, unsigned level)
{
    uint64_t born = 0;
    vs_page_no number = 0;
    verso_err err = find_birth(copy, step->page, step->bytes, &born);
    if (err == VERSO_OK && level == 0 && content == VS_COPY_CATALOGUE) {
        err = vs_copy_named_trees(copy, step->bytes);
    }
    if (err != VERSO_OK) {
        return err;
    }
    memcpy(copy->page, step->bytes, copy->pages->page_size);
    if (level == 0) {
        err = change_leaf(copy, step->page, content);
    } else {
        change_branch(copy);
    }
    if (err == VERSO_OK) {
        err = vs_copy_file_take(&copy->file, 1, &number);
    }
    if (err == VERSO_OK) {
        err = remember_number(copy, step->page, number);
    }
    return err == VERSO_OK ? vs_copy_file_write(&copy->file, number, step->page, born, copy->page)
                           : err;
}

/* Go from a branch down to its next child that was not copied yet. @return Whether there is one. */
static bool name_next_child(const struct vs_copy *copy, struct vs_path *path, unsigned level)
{
    struct vs_path_step *step = &path->level[level];
    unsigned count = vs_page_count(step->bytes);
    for (; step->index < count; step->index++) {
        vs_page_no child = vs_branch_child(step->bytes, step->index);
        if (vs_copy_number(copy, child) == 0) {
            path->level[level - 1] = (struct vs_path_step){.page = child};
            return true;
        }
    }
    return false;
}

static verso_err walk(struct vs_copy *copy, enum vs_copy_content content, struct vs_path *path)
{
    unsigned level = path->depth - 1;
    while (level < path->depth) {
        struct vs_path_step *step = &path->level[level];
        verso_err err = VERSO_OK;
        if (step->bytes == NULL) {
            err = vs_path_read(copy->pages, step->page, level, &step->bytes);
        }
        if (err == VERSO_OK && level > 0 && name_next_child(copy, path, level)) {
            level--;
            continue;
        }
        if (err == VERSO_OK) {
            err = copy_page(copy, content, step, level);
        }
        if (err != VERSO_OK) {
            return err;
        }
        level++;
    }
    return VERSO_OK;
}

verso_err vs_copy_tree(struct vs_copy *copy, enum vs_copy_content content,
                       struct vs_tree_root *root)
{
    assert(vs_tree_root_is_possible(root));
    verso_err err = VERSO_OK;
    if (root->depth == 0) {
        return VERSO_OK;
    }
    if (vs_copy_number(copy, root->page) == 0) {
        struct vs_path path = {.depth = root->depth};
        path.level[root->depth - 1].page = root->page;
        err = walk(copy, content, &path);
    }
    root->page = vs_copy_number(copy, root->page);
    return err;
}
