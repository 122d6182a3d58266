/*
 * log_read.c - read a log after a crash: find it, follow its frames, and judge where they end.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "format/frame.h"
#include "format/operation.h"
#include "format/segment.h"
#include "os/fault.h"
#include "store/log.h"
#include "store/log_evidence.h"
#include "store/log_files.h"
#include "store/log_stream.h"

/* ---- what is there --------------------------------------------------------------------------- */

static verso_err refuse_foreign(const struct vs_log_config *config,
                                const struct vs_log_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->file[i].kind == VS_LOG_FILE_FOREIGN) {
            return vs_fault(VERSO_MISMATCH, "%s-wal.%" PRIu32 " belongs to another store",
                            config->path, files->file[i].number);
        }
    }
    return VERSO_OK;
}

static void survey(const struct vs_log_files *files, const struct vs_log_position *start,
                   struct vs_log_scan *scan)
{
    *scan = (struct vs_log_scan){
        .end = *start,
        .highest_lsn = start->lsn,
        .highest_epoch = start->epoch,
    };
    for (size_t i = 0; i < files->count; i++) {
        const struct vs_log_file *file = &files->file[i];
        if (file->kind != VS_LOG_FILE_OURS) {
            continue;
        }
        scan->present = true;
        if (vs_log_file_end(file) > scan->highest_lsn) {
            scan->highest_lsn = vs_log_file_end(file);
        }
        if (file->header.epoch > scan->highest_epoch) {
            scan->highest_epoch = file->header.epoch;
        }
    }
}

/** No segment holds the beginning, though the log is needed: tell damaged from absent. */
static verso_err report_absence(const struct vs_log_config *config,
                                const struct vs_log_files *files, uint64_t lsn)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->file[i].kind == VS_LOG_FILE_DAMAGED) {
            return vs_fault(VERSO_WAL_CORRUPT,
                            "%s-wal.%" PRIu32 ": its header is damaged, and no other file holds "
                            "LSN %" PRIu64,
                            config->path, files->file[i].number, lsn);
        }
    }
    return vs_fault(VERSO_WAL_MISSING, "no file %s-wal.* holds LSN %" PRIu64, config->path, lsn);
}

/* ---- following frames
   -------------------------------------------------------------------------- */

struct follower {
    const struct vs_log_config *config;
    struct vs_log_stream stream;
    struct vs_log_position at; /* where the next frame should be */
    uint64_t version;          /* of the last commit */
};

/** What must agree for a frame to follow (frame.h, F3). @return NULL or the fault. */
static const char *check_place(const struct follower *follower, const struct vs_frame *frame)
{
    if (memcmp(frame->uuid, follower->config->uuid, sizeof frame->uuid) != 0) {
        return "a frame of another store";
    }
    if (frame->epoch != follower->at.epoch) {
        return "a frame of another epoch";
    }
    if (frame->lsn != follower->at.lsn) {
        return "a frame of another place";
    }
    if (frame->previous_crc != follower->at.previous_crc) {
        return "a frame that followed another one";
    }
    return NULL;
}

/**
 * Read the frame at follower->at.
 *
 * @param[out] fault  NULL, or why there is none.
 */
static verso_err next_frame(struct follower *follower, struct vs_frame *frame, uint32_t *crc,
                            const char **fault)
{
    const uint8_t *bytes = NULL;
    uint64_t lsn = follower->at.lsn;
    verso_err err = vs_log_stream_read(&follower->stream, lsn, VS_FRAME_HEADER, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    if (bytes == NULL) {
        *fault = "the file is missing or cut short";
        return VERSO_OK;
    }
    *fault = vs_frame_decode_header(bytes, frame);
    if (*fault == NULL) {
        *fault = check_place(follower, frame);
    }
    if (*fault != NULL) {
        return VERSO_OK;
    }
    err = vs_log_stream_read(&follower->stream, lsn, vs_frame_size(frame), &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    *fault = bytes == NULL ? "the file is missing or cut short"
                           : vs_frame_decode_rest(bytes, frame, crc);
    return VERSO_OK;
}

/** "PATH-wal.N, byte B" of an LSN, or that no file holds it; for details. */
static verso_err report(const struct follower *follower, const char *fault, const char *reason)
{
    uint64_t lsn = follower->at.lsn;
    const struct vs_log_file *file = vs_log_stream_segment(&follower->stream, lsn);
    if (file == NULL) {
        return vs_fault(VERSO_WAL_CORRUPT, "%s-wal.*: no file holds LSN %" PRIu64 ", %s",
                        follower->config->path, lsn, reason);
    }
    return vs_fault(VERSO_WAL_CORRUPT, "%s-wal.%" PRIu32 ", byte %" PRIu64 ": %s, %s",
                    follower->config->path, file->number, lsn - file->header.lsn, fault, reason);
}

/* A commit may pass over ids if that is the first that it says. */
static bool passes_over_ids(const struct follower *follower, const struct vs_frame *frame)
{
    const uint8_t *at = frame->operations.data;
    struct vs_operation operation;
    return frame->kind == VS_FRAME_COMMIT && frame->version > follower->version + 1 &&
           frame->operations.size > 0 &&
           vs_operation_decode(&at, at + frame->operations.size, &operation) == NULL &&
           operation.kind == VS_OPERATION_DROP_ROOTS &&
           operation.number[0] == follower->version + 1 &&
           operation.number[1] == frame->version - 1;
}

static verso_err
apply_commit(struct follower *follower, const struct vs_frame *frame,
             verso_err (*apply)(void *argument, const struct vs_log_record *record), void *argument)
{
    uint64_t expected = follower->version + (frame->kind == VS_FRAME_SETTING ? 0 : 1);
    if (frame->version != expected && !passes_over_ids(follower, frame)) {
        return report(follower, "a valid frame", "but its version does not follow the last one");
    }
    struct vs_log_record record = {
        .version = frame->version,
        .time_us = frame->time_us,
        .fingerprint = frame->fingerprint,
        .setting = frame->kind == VS_FRAME_SETTING,
        .note = frame->note,
        .operations = frame->operations,
    };
    verso_err err = apply(argument, &record);
    if (err == VERSO_OK) {
        follower->version = frame->version;
    }
    return err;
}

/** Apply frames until one fails. @param[out] fault  Why it does. */
static verso_err follow(struct follower *follower,
                        verso_err (*apply)(void *argument, const struct vs_log_record *record),
                        void *argument, uint64_t *frames, const char **fault)
{
    for (;;) {
        struct vs_frame frame;
        uint32_t crc = 0;
        verso_err err = next_frame(follower, &frame, &crc, fault);
        if (err != VERSO_OK || *fault != NULL) {
            return err;
        }
        if (frame.kind != VS_FRAME_WITNESS) {
            err = apply_commit(follower, &frame, apply, argument);
            if (err != VERSO_OK) {
                return err;
            }
        }
        follower->at.lsn =
            vs_segment_next_lsn(frame.lsn, vs_frame_size(&frame), follower->stream.segment_size);
        follower->at.previous_crc = crc;
        (*frames)++;
    }
}

/** The frame at follower->at fails: a torn tail is the log's end, acknowledged damage is
 * reported. */
static verso_err judge(const struct follower *follower, const struct vs_log_files *files,
                       const char *fault)
{
    struct vs_log_evidence evidence;
    verso_err err = vs_log_find_evidence(follower->config, files, follower->stream.segment_size,
                                         follower->at.epoch, follower->at.lsn, &evidence);
    if (err != VERSO_OK || !evidence.found) {
        return err;
    }
    return report(follower, fault, "though a later frame knows it durable");
}

verso_err vs_log_read(const struct vs_log_config *config, const struct vs_log_position *start,
                      bool must_exist, uint64_t version,
                      verso_err (*apply)(void *argument, const struct vs_log_record *record),
                      void *argument, struct vs_log_scan *scan)
{
    struct vs_log_files files;
    struct vs_log_scan found;
    struct follower follower = {.config = config, .at = *start, .version = version};
    const char *fault = NULL;
    verso_err err = vs_log_files_find(config, &files);
    if (err != VERSO_OK) {
        return err;
    }
    err = refuse_foreign(config, &files);
    if (err == VERSO_OK) {
        err = vs_log_stream_open(config, &files, start->epoch, &follower.stream);
    }
    if (err != VERSO_OK) {
        vs_log_files_clear(&files);
        return err;
    }
    survey(&files, start, &found);
    if (vs_log_stream_segment(&follower.stream, start->lsn) == NULL) {
        err = must_exist ? report_absence(config, &files, start->lsn) : VERSO_OK;
        goto out;
    }
    follower.at.lsn = vs_segment_frame_lsn(start->lsn, follower.stream.segment_size);
    err = follow(&follower, apply, argument, &found.frames, &fault);
    if (err == VERSO_OK) {
        err = judge(&follower, &files, fault);
    }
    found.end = follower.at;
    found.highest_lsn = follower.at.lsn > found.highest_lsn ? follower.at.lsn : found.highest_lsn;
out:
    if (err == VERSO_OK) {
        *scan = found;
    }
    vs_log_stream_close(&follower.stream);
    vs_log_files_clear(&files);
    return err;
}

verso_err vs_log_refuse_older_store(const struct vs_log_config *config, uint64_t epoch)
{
    struct vs_log_files files;
    struct vs_log_evidence later;
    verso_err err = vs_log_files_find(config, &files);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_log_find_later(config, &files, epoch, &later);
    vs_log_files_clear(&files);
    return err == VERSO_OK && later.found
               ? vs_fault(VERSO_MISMATCH,
                          "%s is older than its log: %s-wal.%" PRIu32
                          " has later commits; if the older state is meant, remove the log",
                          config->path, config->path, later.number)
               : err;
}

verso_err vs_log_remove(const struct vs_log_config *config)
{
    struct vs_log_files files;
    verso_err err = vs_log_files_find(config, &files);
    if (err != VERSO_OK) {
        return err;
    }
    size_t removed = 0;
    for (size_t i = 0; i < files.count && err == VERSO_OK; i++) {
        if (files.file[i].kind != VS_LOG_FILE_FOREIGN) {
            err = vs_log_file_remove(config, files.file[i].number);
            removed++;
        }
    }
    vs_log_files_clear(&files);
    return err == VERSO_OK && removed > 0 ? vs_log_files_sync_names(config) : err;
}
