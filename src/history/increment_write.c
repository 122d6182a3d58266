/*
 * increment_write.c - the changes from each root to the next, gathered into records of about a
 * mebibyte; a longer value makes a longer record.
 */
#include <stdlib.h>
#include <string.h>

#include "history/difference.h"
#include "history/increment_parts.h"
#include "os/fault.h"

enum { GATHERED_BYTES = 1 << 20 };

static verso_err reserve(struct vs_increment_writing *writing, size_t more)
{
    size_t needed = VS_INCREMENT_RECORD + writing->size + more;
    if (needed <= writing->capacity) {
        return VERSO_OK;
    }
    uint8_t *grown = realloc(writing->gathered, needed + GATHERED_BYTES);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for an increment");
    }
    writing->gathered = grown;
    writing->capacity = needed + GATHERED_BYTES;
    return VERSO_OK;
}

/* Write a record whose body stands behind room for its header. */
static verso_err write_record(struct vs_increment_writing *writing, enum vs_increment_kind kind,
                              uint8_t *bytes, size_t size)
{
    verso_slice body = {bytes + VS_INCREMENT_RECORD, size};
    writing->crc = vs_increment_record_encode(kind, body, writing->crc, bytes);
    size_t whole = VS_INCREMENT_RECORD + size;
    verso_err err = writing->file->os->write_at(writing->file, writing->at, bytes, whole);
    writing->at += whole;
    return err;
}

static verso_err write_gathered(struct vs_increment_writing *writing)
{
    size_t size = writing->size;
    writing->size = 0;
    return size == 0 ? VERSO_OK
                     : write_record(writing, VS_INCREMENT_OPERATIONS, writing->gathered, size);
}

verso_err vs_increment_gather(struct vs_increment_writing *writing,
                              const struct vs_operation *operation)
{
    uint8_t header[VS_OPERATION_HEADER_MAX];
    size_t header_size = vs_operation_header(operation, header);
    verso_err err = reserve(writing, header_size + operation->key.size + operation->value.size);
    if (err != VERSO_OK) {
        return err;
    }
    const verso_slice parts[] = {{header, header_size}, operation->key, operation->value};
    for (unsigned i = 0; i < 3; i++) {
        if (parts[i].size > 0) {
            memcpy(writing->gathered + VS_INCREMENT_RECORD + writing->size, parts[i].data,
                   parts[i].size);
            writing->size += parts[i].size;
        }
    }
    writing->counts.operations++;
    return writing->size < GATHERED_BYTES ? VERSO_OK : write_gathered(writing);
}

static verso_err write_change(struct vs_increment_writing *writing, uint64_t tree,
                              const struct vs_difference_change *change)
{
    struct vs_operation operation = {
        .kind = VS_OPERATION_DELETE, .number = {tree}, .key = change->key};
    if (change->kind != VERSO_CHANGE_REMOVED) {
        operation.kind = VS_OPERATION_PUT;
        verso_err err =
            vs_value_bytes(writing->pages, &change->after, &writing->value, &operation.value);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return vs_increment_gather(writing, &operation);
}

verso_err vs_increment_write_tree(struct vs_increment_writing *writing, uint64_t tree,
                                  const struct vs_tree_view *from, const struct vs_tree_view *to)
{
    const struct vs_key_range all = {0};
    struct vs_difference *walk;
    verso_err err = vs_difference_open(from, to, &all, &walk);
    if (err != VERSO_OK) {
        return err;
    }
    while (err == VERSO_OK) {
        struct vs_difference_change change;
        err = vs_difference_next(walk, &change);
        if (err == VERSO_OK) {
            err = write_change(writing, tree, &change);
        }
    }
    vs_difference_close(walk);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

/* Say which root comes. */
static verso_err announce(struct vs_increment_writing *writing, const struct vs_root_record *record)
{
    uint8_t bytes[VS_INCREMENT_RECORD + VS_INCREMENT_ROOT_MAX];
    const struct vs_increment_root root = {record->version, record->time_us, record->fingerprint,
                                           record->note};
    size_t size = vs_increment_root_encode(&root, bytes + VS_INCREMENT_RECORD);
    writing->counts.roots++;
    return write_record(writing, VS_INCREMENT_ROOT, bytes, size);
}

static verso_err write_root(struct vs_increment_writing *writing,
                            const struct vs_root_record *before,
                            const struct vs_root_record *record)
{
    struct vs_tree_view from = {writing->pages, before->tree, before->version};
    struct vs_tree_view to = {writing->pages, record->tree, record->version};
    struct vs_increment_catalogues catalogues = {from, to};
    catalogues.before.root = before->catalogue;
    catalogues.after.root = record->catalogue;
    verso_err err = announce(writing, record);
    if (err == VERSO_OK) {
        err = vs_increment_write_tree(writing, 0, &from, &to);
    }
    if (err == VERSO_OK) {
        err = vs_increment_write_trees(writing, &catalogues);
    }
    return err == VERSO_OK ? write_gathered(writing) : err;
}

static verso_err write_header(struct vs_increment_writing *writing,
                              const struct vs_copy_roots *roots)
{
    const struct vs_root_record *base = &roots->root[0].record;
    struct vs_increment_header header = {.base = base->version, .fingerprint = base->fingerprint};
    memcpy(header.uuid, roots->uuid, sizeof header.uuid);
    uint8_t bytes[VS_INCREMENT_HEADER];
    writing->crc = vs_increment_header_encode(&header, bytes);
    writing->at = sizeof bytes;
    return writing->file->os->write_at(writing->file, 0, bytes, sizeof bytes);
}

static verso_err write_end(struct vs_increment_writing *writing)
{
    uint8_t bytes[VS_INCREMENT_RECORD + VS_INCREMENT_END];
    vs_increment_end_encode(&writing->counts, bytes + VS_INCREMENT_RECORD);
    return write_record(writing, VS_INCREMENT_CLOSE, bytes, VS_INCREMENT_END);
}

verso_err vs_increment_write(const struct vs_copy_roots *roots, struct vs_file *file,
                             uint64_t *bytes)
{
    struct vs_increment_writing writing = {.pages = &roots->store->pages, .file = file};
    verso_err err = write_header(&writing, roots);
    for (size_t i = 1; i < roots->count && err == VERSO_OK; i++) {
        err = write_root(&writing, &roots->root[i - 1].record, &roots->root[i].record);
    }
    if (err == VERSO_OK) {
        err = write_end(&writing);
    }
    if (err == VERSO_OK) {
        err = file->os->sync_full(file);
    }
    *bytes = writing.at;
    vs_value_buffer_clear(&writing.value);
    free(writing.gathered);
    return err;
}
