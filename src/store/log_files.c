/*
 * log_files.c - find, make, open and remove the files of a log.
 */
#include "store/log_files.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"

#define SUFFIX "-wal."

enum {
    DIGITS_MAX = 9,                  /* of N: it fits 32 bits, and N + 1 as well */
    PATH_EXTRA = sizeof SUFFIX + 10, /* bytes after the store's path, the final zero included */
    FILES_MAX = 65536,
    ZEROS_SIZE = 65536, /* bytes written at a time; more is no faster (measured on ext4) */
};

/* ---- names ----------------------------------------------------------------------------------- */

/** The path of file `number`, to be freed; NULL if out of memory. */
static char *path_of(const struct vs_log_config *config, uint32_t number)
{
    size_t size = strlen(config->path) + PATH_EXTRA;
    char *path = malloc(size);
    if (path != NULL) {
        (void)snprintf(path, size, "%s" SUFFIX "%" PRIu32, config->path, number);
    }
    return path;
}

static verso_err out_of_memory(const struct vs_log_config *config)
{
    return vs_fault(VERSO_NOMEM, "log of %s: out of memory", config->path);
}

/** Read N from the end of a name: digits only, no leading zero. */
static bool parse_number(const char *digits, uint32_t *number)
{
    size_t count = strspn(digits, "0123456789");
    if (count == 0 || count > DIGITS_MAX || digits[count] != '\0' ||
        (digits[0] == '0' && count > 1)) {
        return false;
    }
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum = sum * 10 + (uint32_t)(digits[i] - '0');
    }
    *number = sum;
    return true;
}

/* ---- finding --------------------------------------------------------------------------------- */

struct search {
    struct vs_log_files *files;
    size_t prefix_size; /* bytes of each path before N */
};

static verso_err note_file(void *argument, const char *path)
{
    struct search *search = argument;
    struct vs_log_files *files = search->files;
    uint32_t number = 0;
    assert(strlen(path) >= search->prefix_size);
    if (!parse_number(path + search->prefix_size, &number)) {
        return VERSO_OK;
    }
    if (files->count == FILES_MAX) {
        return vs_fault(VERSO_LIMIT, "%s: too many files of a log", path);
    }
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 16 : files->capacity * 2;
        struct vs_log_file *larger = realloc(files->file, capacity * sizeof *larger);
        if (larger == NULL) {
            return vs_fault(VERSO_NOMEM, "%s: out of memory", path);
        }
        files->file = larger;
        files->capacity = capacity;
    }
    files->file[files->count++] = (struct vs_log_file){.number = number};
    return VERSO_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = ((const struct vs_log_file *)a)->number;
    uint32_t right = ((const struct vs_log_file *)b)->number;
    return left < right ? -1 : left > right;
}

static enum vs_log_file_kind kind_of(const struct vs_log_config *config, const uint8_t *bytes,
                                     struct vs_segment_header *header)
{
    if (vs_segment_header_is_blank(bytes)) {
        return VS_LOG_FILE_BLANK;
    }
    if (vs_segment_header_decode(bytes, header) != NULL) {
        return VS_LOG_FILE_DAMAGED;
    }
    if (memcmp(header->uuid, config->uuid, sizeof config->uuid) != 0) {
        return VS_LOG_FILE_FOREIGN;
    }
    return VS_LOG_FILE_OURS;
}

static verso_err classify(const struct vs_log_config *config, struct vs_log_file *found)
{
    struct vs_file *file = NULL;
    verso_err err = vs_log_file_open(config, found->number, VS_OPEN_READ_OWN, &file);
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t bytes[VS_SEGMENT_HEADER] = {0};
    struct vs_file_identity identity;
    err = config->os->identify(file, &identity);
    if (err == VERSO_OK && identity.size >= sizeof bytes) {
        err = config->os->read_at(file, 0, bytes, sizeof bytes);
    }
    if (err == VERSO_OK) {
        found->size = identity.size;
        found->kind = kind_of(config, bytes, &found->header);
    }
    config->os->close(file);
    return err;
}

verso_err vs_log_files_find(const struct vs_log_config *config, struct vs_log_files *files)
{
    size_t path_size = strlen(config->path);
    char *prefix = malloc(path_size + sizeof SUFFIX);
    if (prefix == NULL) {
        return out_of_memory(config);
    }
    memcpy(prefix, config->path, path_size);
    memcpy(prefix + path_size, SUFFIX, sizeof SUFFIX);

    struct vs_log_files found = {NULL, 0, 0};
    struct search search = {&found, path_size + sizeof SUFFIX - 1};
    verso_err err = config->os->list(config->os, prefix, note_file, &search);
    if (err == VERSO_OK && found.count > 0) {
        qsort(found.file, found.count, sizeof *found.file, compare_numbers);
    }
    for (size_t i = 0; i < found.count && err == VERSO_OK; i++) {
        err = classify(config, &found.file[i]);
    }
    free(prefix);
    if (err != VERSO_OK) {
        vs_log_files_clear(&found);
        return err;
    }
    *files = found;
    return VERSO_OK;
}

void vs_log_files_clear(struct vs_log_files *files)
{
    free(files->file);
    *files = (struct vs_log_files){NULL, 0, 0};
}

uint64_t vs_log_file_end(const struct vs_log_file *file)
{
    assert(file->kind == VS_LOG_FILE_OURS);
    return file->header.lsn + file->header.size;
}

/* ---- making, opening, removing
   ----------------------------------------------------------------- */

verso_err vs_log_file_open(const struct vs_log_config *config, uint32_t number,
                           enum vs_open_mode mode, struct vs_file **file)
{
    char *path = path_of(config, number);
    if (path == NULL) {
        return out_of_memory(config);
    }
    verso_err err = config->os->open(config->os, path, mode, file);
    free(path);
    return err;
}

/** Overwrite the whole file with zeros and make them durable, with all metadata. */
static verso_err blank(const struct vs_log_config *config, struct vs_file *file)
{
    static const uint8_t zeros[ZEROS_SIZE];
    for (uint32_t at = 0; at < config->segment_size;) {
        uint32_t left = config->segment_size - at;
        uint32_t part = left < ZEROS_SIZE ? left : ZEROS_SIZE;
        verso_err err = config->os->write_at(file, at, zeros, part);
        if (err != VERSO_OK) {
            return err;
        }
        at += part;
    }
    return config->os->sync_full(file);
}

/** Create the first file whose number is free. VERSO_INVALID: its name is none that a file can have;
 *  of one that is taken this can be told by opening it, whatever else comes of that. */
static verso_err create_free(const struct vs_log_config *config, uint32_t *number,
                             struct vs_file **file)
{
    for (*number = 0; *number <= FILES_MAX; (*number)++) {
        struct vs_file *taken = NULL;
        verso_err err = vs_log_file_open(config, *number, VS_OPEN_CREATE, file);
        if (err != VERSO_INVALID) {
            return err;
        }
        err = vs_log_file_open(config, *number, VS_OPEN_READ_OWN, &taken);
        if (err == VERSO_INVALID || err == VERSO_NOMEM) {
            return err;
        }
        if (err == VERSO_OK) {
            config->os->close(taken);
        }
    }
    return vs_fault(VERSO_LIMIT, "log of %s: too many files in the way", config->path);
}

verso_err vs_log_file_make(const struct vs_log_config *config, uint32_t *number,
                           struct vs_file **file)
{
    struct vs_file *fresh = NULL;
    uint32_t free_number = 0;
    verso_err err = create_free(config, &free_number, &fresh);
    if (err != VERSO_OK) {
        return err;
    }
    err = blank(config, fresh);
    if (err == VERSO_OK) {
        err = vs_log_files_sync_names(config);
    }
    if (err != VERSO_OK) {
        config->os->close(fresh);
        verso_err removed = vs_log_file_remove(config, free_number);
        (void)removed; /* the first error is the one to report; a file left over is only blank */
        return err;
    }
    *number = free_number;
    *file = fresh;
    return VERSO_OK;
}

verso_err vs_log_file_remove(const struct vs_log_config *config, uint32_t number)
{
    char *path = path_of(config, number);
    if (path == NULL) {
        return out_of_memory(config);
    }
    verso_err err = config->os->unlink(config->os, path);
    free(path);
    return err;
}

verso_err vs_log_files_sync_names(const struct vs_log_config *config)
{
    return config->os->sync_directory(config->os, config->path);
}
