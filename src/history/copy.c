/*
 * copy.c - writing a copy: pages, history tree, page table, metas, one sync; see copy.h.
 *
 * The file has no name yet, so the order of writes does not matter. The copy is a store that was
 * closed cleanly after its first checkpoint.
 */
#include "history/copy.h"

#include <stdlib.h>
#include <string.h>

#include "format/leaf.h"
#include "history/copy_parts.h"
#include "os/fault.h"

/* The trees of all roots; their records as the copy has them. */
static verso_err copy_roots(struct vs_copy *copy, struct vs_root_record *records)
{
    for (size_t i = 0; i < copy->roots->count; i++) {
        records[i] = copy->roots->root[i].record;
        verso_err err = vs_copy_tree(copy, VS_COPY_PAIRS, &records[i].tree);
        if (err == VERSO_OK) {
            err = vs_copy_tree(copy, VS_COPY_CATALOGUE, &records[i].catalogue);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    size_t count = copy->roots->count;
    return count == 0 ? VERSO_OK
                      : vs_copy_end_condemned(copy, &copy->roots->root[count - 1].record);
}

/* The log of a store that is restored from a copy may still lie beside it: an epoch that no log of
   this store has makes sure that nothing of it is taken for the copy's. */
static verso_err draw_epoch(const struct vs_copy *copy, uint64_t *epoch)
{
    uint32_t distance = 0;
    const struct vs_os *os = copy->file.os;
    verso_err err = os->random(os, &distance, sizeof distance);
    *epoch = copy->roots->epoch + 1 + distance;
    return err;
}

static verso_err write_metas(struct vs_copy *copy, struct vs_meta *meta)
{
    uint8_t bytes[VS_PART_BYTES];
    verso_err err = draw_epoch(copy, &meta->epoch);
    meta->page_size = (uint32_t)copy->file.page_size;
    memcpy(meta->uuid, copy->roots->uuid, sizeof meta->uuid);
    meta->generation = VS_COPY_GENERATION;
    meta->clean = true;
    meta->high_water = copy->file.next == 1 ? 0 : copy->file.next;
    meta->retention = copy->roots->retention;
    meta->held_pages = copy->file.written; /* no more than that */
    vs_meta_encode(meta, bytes);
    if (err == VERSO_OK) {
        err = vs_copy_file_write_part(&copy->file, 0, bytes);
    }
    return err == VERSO_OK ? vs_copy_file_write_part(&copy->file, VS_META_B_AT, bytes) : err;
}

static verso_err write_all(struct vs_copy *copy, struct vs_root_record *records)
{
    struct vs_meta meta;
    memset(&meta, 0, sizeof meta);
    size_t count = copy->roots->count;
    verso_err err = copy_roots(copy, records);
    if (err == VERSO_OK) {
        err = vs_copy_history(&copy->file, records, count, &meta.history);
    }
    if (err == VERSO_OK) {
        err = vs_copy_keeping(&copy->file, copy->roots, &meta.tags);
    }
    if (err == VERSO_OK) {
        err = vs_copy_file_finish(&copy->file);
    }
    if (err == VERSO_OK) {
        err = vs_copy_table(copy, meta.top);
    }
    if (err != VERSO_OK) {
        return err;
    }
    meta.root = count > 0 ? records[count - 1] : meta.root;
    err = write_metas(copy, &meta);
    return err == VERSO_OK ? copy->file.os->sync_full(copy->file.file) : err;
}

static verso_err allocate(struct vs_copy *copy, struct vs_file *file,
                          struct vs_root_record **records)
{
    size_t page_size = copy->pages->page_size;
    copy->page = malloc(page_size);
    copy->key = malloc(vs_leaf_key_max(page_size));
    *records = malloc((copy->roots->count + 1) * sizeof **records);
    if (copy->page == NULL || copy->key == NULL || *records == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a copy");
    }
    return vs_copy_file_init(&copy->file, file, page_size);
}

verso_err vs_copy_write(const struct vs_copy_roots *roots, struct vs_file *file,
                        struct vs_copy_figures *figures)
{
    struct vs_copy copy = {.roots = roots, .pages = &roots->store->pages};
    struct vs_root_record *records = NULL;
    verso_err err = allocate(&copy, file, &records);
    if (err == VERSO_OK) {
        err = write_all(&copy, records);
    }
    *figures = (struct vs_copy_figures){
        .roots = roots->count,
        .pages = copy.file.written,
        .bytes = copy.file.bytes,
        .newest = roots->count > 0 ? roots->root[roots->count - 1].record.version : 0,
    };
    vs_copy_file_clear(&copy.file);
    free(copy.number);
    free(copy.page);
    free(copy.key);
    free(records);
    return err;
}
