/*
 * log_evidence.h - telling a torn tail from damage: does a later frame know the failing one
 * durable?
 *
 * Each frame says up to which LSN the log was synced when it was appended. If any frame of the same
 * epoch says so beyond the place where reading fails, that place was acknowledged.
 *
 * Threads: any.
 */
#ifndef VERSO_STORE_LOG_EVIDENCE_H
#define VERSO_STORE_LOG_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/log_files.h"
#include "verso.h"

/** A frame that knows something durable. */
struct vs_log_evidence {
    bool found;
    uint32_t number; /* of the file */
    uint64_t lsn;
    uint64_t durable_lsn;
};

/**
 * Search all files, also those whose header is damaged or says that they hold something older: one
 * pass over at most `segment_size` bytes of each.
 *
 * @param epoch  The epoch of the failing frame.
 * @param lsn    Its place.
 * @retval VERSO_IO, VERSO_ACCESS, VERSO_NOMEM
 */
VERSO_MUST_USE verso_err vs_log_find_evidence(const struct vs_log_config *config,
                                              const struct vs_log_files *files,
                                              uint32_t segment_size, uint64_t epoch, uint64_t lsn,
                                              struct vs_log_evidence *evidence);

/**
 * Search for a commit or a setting in the segments of epochs above `epoch`. There is none before both
 * metas name its epoch, so one shows that the metas are older than the log.
 *
 * @param[out] later  Its file, and whether there is one.
 */
verso_err vs_log_find_later(const struct vs_log_config *config, const struct vs_log_files *files,
                            uint64_t epoch, struct vs_log_evidence *later);

#endif
