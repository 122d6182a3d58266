/*
 * increment_read.c - reading an increment record by record, believing none before its checksum.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "history/increment.h"
#include "os/fault.h"

static verso_err damaged(const struct vs_increment_reader *reader, const char *fault)
{
    return vs_fault(VERSO_CORRUPT, "%s, byte %" PRIu64 ": %s", reader->path, reader->at, fault);
}

verso_err vs_increment_read_begin(struct vs_file *file, const char *path,
                                  struct vs_increment_reader *reader)
{
    *reader = (struct vs_increment_reader){.file = file, .path = path};
    struct vs_file_identity identity;
    verso_err err = file->os->identify(file, &identity);
    if (err != VERSO_OK) {
        return err;
    }
    reader->size = identity.size;
    uint8_t bytes[VS_INCREMENT_HEADER] = {0};
    size_t there = identity.size < sizeof bytes ? (size_t)identity.size : sizeof bytes;
    err = file->os->read_at(file, 0, bytes, there);
    if (err != VERSO_OK) {
        return err;
    }
    switch (vs_increment_header_decode(bytes, &reader->header, &reader->crc)) {
    case VS_INCREMENT_FOREIGN:
        return vs_fault(VERSO_FORMAT, "%s: not an increment", path);
    case VS_INCREMENT_UNKNOWN:
        return vs_fault(VERSO_FORMAT, "%s: an increment of an unknown format", path);
    case VS_INCREMENT_DAMAGED:
        return damaged(reader, "the header is damaged");
    case VS_INCREMENT_OK:
    default:
        break;
    }
    reader->at = VS_INCREMENT_HEADER;
    reader->last_root = reader->header.base;
    return VERSO_OK;
}

void vs_increment_read_clear(struct vs_increment_reader *reader)
{
    free(reader->body);
}

static verso_err reserve_body(struct vs_increment_reader *reader, size_t size)
{
    if (size <= reader->capacity) {
        return VERSO_OK;
    }
    uint8_t *grown = realloc(reader->body, size);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to read an increment");
    }
    reader->body = grown;
    reader->capacity = size;
    return VERSO_OK;
}

/* Read the record at reader->at. No size is believed that the file has no room for. */
static verso_err read_record(struct vs_increment_reader *reader, enum vs_increment_kind *kind,
                             verso_slice *body)
{
    uint8_t header[VS_INCREMENT_RECORD];
    uint64_t size = 0;
    uint64_t left = reader->size - reader->at;
    if (left < sizeof header) {
        return damaged(reader, "it ends before its closing record");
    }
    const struct vs_os *os = reader->file->os;
    verso_err err = os->read_at(reader->file, reader->at, header, sizeof header);
    if (err != VERSO_OK) {
        return err;
    }
    const char *fault = vs_increment_record_decode(header, kind, &size);
    if (fault == NULL && size > left - sizeof header) {
        fault = "a record runs beyond its end";
    }
    if (fault != NULL) {
        return damaged(reader, fault);
    }
    err = reserve_body(reader, (size_t)size);
    if (err == VERSO_OK) {
        err = os->read_at(reader->file, reader->at + sizeof header, reader->body, (size_t)size);
    }
    if (err != VERSO_OK) {
        return err;
    }
    *body = (verso_slice){reader->body, (size_t)size};
    if (!vs_increment_record_is_whole(header, *body, &reader->crc)) {
        return damaged(reader, "a record is damaged, or follows another one");
    }
    return VERSO_OK;
}

static verso_err check_operations(struct vs_increment_reader *reader, verso_slice operations)
{
    const uint8_t *at = operations.data;
    const uint8_t *end = at + operations.size;
    if (reader->met.roots == 0) {
        return damaged(reader, "it has operations that lead to no root");
    }
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        if (fault == NULL && !vs_operation_is_of_tree(operation.kind)) {
            fault = "an operation that changes no tree";
        }
        if (fault != NULL) {
            return damaged(reader, fault);
        }
        reader->met.operations++;
    }
    return VERSO_OK;
}

static verso_err check_root(struct vs_increment_reader *reader,
                            const struct vs_increment_root *root)
{
    if (root->version <= reader->last_root) {
        return damaged(reader, "its roots do not ascend");
    }
    reader->last_root = root->version;
    reader->met.roots++;
    return VERSO_OK;
}

static verso_err check_end(struct vs_increment_reader *reader, verso_slice body)
{
    struct vs_increment_counts said;
    vs_increment_end_decode(body.data, &said);
    if (said.roots != reader->met.roots || said.operations != reader->met.operations) {
        return damaged(reader, "its closing record counts other roots or operations");
    }
    if (reader->at + VS_INCREMENT_RECORD + body.size != reader->size) {
        return damaged(reader, "it goes on behind its closing record");
    }
    return VERSO_OK;
}

verso_err vs_increment_read_next(struct vs_increment_reader *reader,
                                 struct vs_increment_record *record)
{
    verso_slice body;
    verso_err err = read_record(reader, &record->kind, &body);
    if (err != VERSO_OK) {
        return err;
    }
    switch (record->kind) {
    case VS_INCREMENT_OPERATIONS:
        record->operations = body;
        err = check_operations(reader, body);
        break;
    case VS_INCREMENT_ROOT:
        vs_increment_root_decode(body, &record->root);
        err = check_root(reader, &record->root);
        break;
    case VS_INCREMENT_CLOSE:
    default:
        err = check_end(reader, body);
        err = err == VERSO_OK ? VERSO_NOT_FOUND : err;
        break;
    }
    reader->at += VS_INCREMENT_RECORD + body.size;
    return err;
}
