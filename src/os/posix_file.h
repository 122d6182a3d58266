/*
 * posix_file.h - the functions of struct vs_os (os.h) that work on one open file.
 *
 * Each keeps the contract of the field that bears its name. A file is a descriptor with the path it
 * was opened by; neither changes until close, so no function takes a lock.
 */
#ifndef VERSO_OS_POSIX_FILE_H
#define VERSO_OS_POSIX_FILE_H

#include "os/os.h"

verso_err vs_posix_open(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                        struct vs_file **file);
void vs_posix_close(struct vs_file *file);
verso_err vs_posix_identify(struct vs_file *file, struct vs_file_identity *identity);
verso_err vs_posix_lock(struct vs_file *file, bool exclusive);

verso_err vs_posix_read_at(struct vs_file *file, uint64_t offset, void *buffer, size_t size);
verso_err vs_posix_write_at(struct vs_file *file, uint64_t offset, const void *bytes, size_t size);
verso_err vs_posix_allocate(struct vs_file *file, uint64_t size);
verso_err vs_posix_truncate(struct vs_file *file, uint64_t size);
verso_err vs_posix_sync_data(struct vs_file *file);
verso_err vs_posix_sync_full(struct vs_file *file);

verso_err vs_posix_map(struct vs_file *file, size_t size, const uint8_t **address);
void vs_posix_unmap(struct vs_file *file, const uint8_t *address, size_t size);
void vs_posix_prefetch(struct vs_file *file, const uint8_t *address, uint64_t offset, size_t size);

#endif
