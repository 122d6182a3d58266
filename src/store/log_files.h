/*
 * log_files.h - the files of a log on disk: finding, making, opening and removing them.
 *
 * They are named PATH-wal.N, N decimal without leading zeros. What else begins like that is not
 * ours and never touched.
 *
 * Threads: any; two must not make a file at the same time.
 */
#ifndef VERSO_STORE_LOG_FILES_H
#define VERSO_STORE_LOG_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "format/segment.h"
#include "os/os.h"
#include "store/log.h"
#include "verso.h"

enum vs_log_file_kind {
    VS_LOG_FILE_BLANK,   /* made ready and never used, or not even finished */
    VS_LOG_FILE_OURS,    /* a segment of this store */
    VS_LOG_FILE_FOREIGN, /* a segment of another store */
    VS_LOG_FILE_DAMAGED, /* its header is neither */
};

struct vs_log_file {
    uint32_t number; /* N */
    enum vs_log_file_kind kind;
    uint64_t size;                   /* bytes on disk */
    struct vs_segment_header header; /* OURS and FOREIGN */
};

/** All files found, in the order of their numbers. */
struct vs_log_files {
    struct vs_log_file *file;
    size_t count;
    size_t capacity;
};

/**
 * Find and classify the files of the log at config->path.
 *
 * @param[out] files  Free with vs_log_files_clear().
 * @retval VERSO_LIMIT  More than 65,536 of them.
 * @retval VERSO_IO, VERSO_ACCESS, VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_files_find(const struct vs_log_config *config,
                                           struct vs_log_files *files);

/** Free what vs_log_files_find() made. */
void vs_log_files_clear(struct vs_log_files *files);

/** The LSN behind a segment of this store. */
uint64_t vs_log_file_end(const struct vs_log_file *file);

/** Open file `number`; VERSO_INVALID if `mode` is VS_OPEN_CREATE and it exists. */
VERSO_MUST_USE verso_err vs_log_file_open(const struct vs_log_config *config, uint32_t number,
                                          enum vs_open_mode mode, struct vs_file **file);

/**
 * Make a file of config->segment_size zero bytes, durable with its name, under the lowest free
 * number. If that fails, nothing is left behind.
 *
 * @param[out] number  Its N.
 * @param[out] file    Open for writing.
 * @retval VERSO_LIMIT  All numbers up to 65,536 are taken.
 * @retval VERSO_NOSPC, VERSO_IO, VERSO_ACCESS, VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_file_make(const struct vs_log_config *config, uint32_t *number,
                                          struct vs_file **file);

/** Remove file `number`. Not durable before the next sync of the directory. */
VERSO_MUST_USE verso_err vs_log_file_remove(const struct vs_log_config *config, uint32_t number);

/** Make the removal of files durable. */
VERSO_MUST_USE verso_err vs_log_files_sync_names(const struct vs_log_config *config);

#endif
