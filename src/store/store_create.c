/*
 * store_create.c - a new store: two metas and room for the first pages.
 */
#include "store/store_create.h"

#include <string.h>

#include "store/new_file.h"

enum { NEW_FILE_BYTES_MAX = 256 * 1024 };

static uint64_t first_size(uint32_t page_size)
{
    uint64_t size = (uint64_t)VS_BLOCK_PAGES * page_size;
    size = size > NEW_FILE_BYTES_MAX ? NEW_FILE_BYTES_MAX : size;
    uint64_t least = VS_META_B_AT + VS_PART_BYTES;
    size = size < least ? least : size;
    return (size + page_size - 1) / page_size * page_size;
}

static verso_err write_empty_store(const struct vs_store_config *config, struct vs_file *file)
{
    struct vs_meta meta;
    memset(&meta, 0, sizeof meta);
    meta.page_size = config->page_size == 0 ? VS_PAGE_SIZE_DEFAULT : config->page_size;
    meta.generation = 1;
    meta.epoch = 1;
    meta.clean = true;
    meta.retention = config->retention;
    verso_err err = config->os->random(config->os, meta.uuid, sizeof meta.uuid);
    if (err == VERSO_OK) {
        err = config->os->allocate(file, first_size(meta.page_size));
    }
    uint8_t bytes[VS_PART_BYTES];
    vs_meta_encode(&meta, bytes);
    if (err == VERSO_OK) {
        err = config->os->write_at(file, 0, bytes, sizeof bytes);
    }
    if (err == VERSO_OK) {
        err = config->os->write_at(file, VS_META_B_AT, bytes, sizeof bytes);
    }
    return err == VERSO_OK ? config->os->sync_full(file) : err;
}

verso_err vs_store_create(const struct vs_store_config *config)
{
    struct vs_new_file fresh;
    verso_err err = vs_new_file_begin(config->os, config->path, &fresh);
    if (err != VERSO_OK) {
        return err;
    }
    err = write_empty_store(config, fresh.file);
    if (err != VERSO_OK) {
        vs_new_file_discard(&fresh);
        return err;
    }
    return vs_new_file_publish(&fresh);
}
