/*
 * store_create.c - a new store appears under its name complete and durable, or not at all.
 *
 * The temporary file is locked before its name is checked against the store's, and stays so through
 * the rename: two creators cannot both succeed.
 */
#include "store/store_create.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"

enum {
    NEW_FILE_BYTES_MAX = 256 * 1024,
    ATTEMPTS = 4, /* at the temporary name, before another creator is believed */
};

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
    meta.retained_from = 1;
    meta.keep_last = config->keep_last;
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

/* Lock the file; *named: it still had its name afterwards. Whoever removes a name holds the
   lock. */
static verso_err lock_named(struct vs_file *file, bool *named)
{
    struct vs_file_identity identity;
    verso_err err = file->os->lock(file, true);
    if (err == VERSO_OK) {
        err = file->os->identify(file, &identity);
        *named = err == VERSO_OK && identity.links > 0;
    }
    return err;
}

/* Remove a temporary file that a crash has left behind: nobody holds its lock. */
static verso_err remove_left_behind(const struct vs_os *os, const char *temporary)
{
    struct vs_file *file;
    verso_err err = os->open(os, temporary, VS_OPEN_WRITE, &file);
    if (err != VERSO_OK) {
        return err == VERSO_NO_STORE ? VERSO_OK : err;
    }
    bool named = false;
    err = lock_named(file, &named);
    if (err == VERSO_OK && named) {
        err = os->unlink(os, temporary);
    }
    os->close(file);
    return err;
}

/* The temporary file, ours alone: locked, and still under its name. */
static verso_err open_temporary(const struct vs_store_config *config, const char *temporary,
                                struct vs_file **file)
{
    const struct vs_os *os = config->os;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        verso_err err = os->open(os, temporary, VS_OPEN_CREATE, file);
        if (err == VERSO_OK) {
            bool named = false;
            err = lock_named(*file, &named);
            if (err == VERSO_OK && named) {
                return VERSO_OK;
            }
            os->close(*file);
        } else if (err == VERSO_INVALID) { /* there is one */
            err = remove_left_behind(os, temporary);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return vs_fault(VERSO_BUSY, "%s: somebody else is creating the store", config->path);
}

static verso_err publish_file(const struct vs_store_config *config, const char *temporary)
{
    const struct vs_os *os = config->os;
    struct vs_file *other;
    verso_err err = os->open(os, config->path, VS_OPEN_READ, &other);
    if (err == VERSO_OK) {
        os->close(other);
        return vs_fault_text(VERSO_EXISTS, "the store was created meanwhile");
    }
    if (err != VERSO_NO_STORE) {
        return err;
    }
    err = os->rename(os, temporary, config->path);
    return err == VERSO_OK ? os->sync_directory(os, config->path) : err;
}

verso_err vs_store_create(const struct vs_store_config *config)
{
    size_t size = strlen(config->path) + sizeof "-new";
    char *temporary = malloc(size);
    if (temporary == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to create a store");
    }
    snprintf(temporary, size, "%s-new", config->path);
    struct vs_file *file;
    verso_err err = open_temporary(config, temporary, &file);
    if (err == VERSO_OK) {
        err = write_empty_store(config, file);
        if (err == VERSO_OK) {
            err = publish_file(config, temporary);
        }
        if (err != VERSO_OK) {
            verso_err removed = config->os->unlink(config->os, temporary);
            (void)removed; /* the first error is the one to report */
        }
        config->os->close(file);
    }
    free(temporary);
    return err;
}
