/*
 * log.c - open, append to, recycle and close the log.
 */
#include "store/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/segment.h"
#include "os/fault.h"
#include "os/turns.h"
#include "store/log_files.h"
#include "store/log_segments.h"
#include "store/log_state.h"

enum { BUFFER_SLACK = 4096 }; /* bytes behind a buffer's content, for the leader's padding */

static verso_err out_of_memory(const struct vs_log_config *config)
{
    return vs_fault(VERSO_NOMEM, "log of %s: out of memory", config->path);
}

verso_err vs_log_refuse(const struct vs_log *log)
{
    return vs_fault(VERSO_POISONED, "log of %s: a write or sync failed before", log->config.path);
}

/* ---- open ------------------------------------------------------------------------------------ */

static void free_log(struct vs_log *log)
{
    free(log->filling.bytes);
    free(log->writing.bytes);
    free(log->path);
    vs_condition_clear(&log->advanced);
    vs_lock_clear(&log->mutex);
    vs_lock_clear(&log->making);
    free(log);
}

static struct vs_log *make_log(const struct vs_log_config *config)
{
    struct vs_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    vs_lock_init(&log->making, VS_LOCK_LOG_MAKING);
    vs_lock_init(&log->mutex, VS_LOCK_LOG);
    vs_condition_init(&log->advanced);
    log->config = *config;
    log->path = strdup(config->path);
    if (log->path == NULL) {
        free_log(log);
        return NULL;
    }
    log->config.path = log->path;
    return log;
}

/** Where the log begins: at a segment's beginning, beyond all that is on disk (L4). */
static verso_err choose_beginning(const struct vs_log_config *config,
                                  const struct vs_log_files *files, struct vs_log_position *start)
{
    uint64_t lsn = start->lsn;
    uint64_t epoch = start->epoch;
    for (size_t i = 0; i < files->count; i++) {
        const struct vs_log_file *file = &files->file[i];
        if (file->kind != VS_LOG_FILE_OURS) {
            continue;
        }
        lsn = vs_log_file_end(file) > lsn ? vs_log_file_end(file) : lsn;
        if (file->header.epoch == UINT64_MAX) {
            return vs_fault(VERSO_LIMIT, "log of %s: no epoch is left", config->path);
        }
        epoch = file->header.epoch >= epoch ? file->header.epoch + 1 : epoch;
    }
    uint64_t size = config->segment_size;
    if (lsn > VS_LSN_MAX - size) {
        return vs_fault(VERSO_LIMIT, "log of %s: no LSN is left", config->path);
    }
    start->lsn = (lsn + size - 1) / size * size + VS_SEGMENT_HEADER;
    start->epoch = epoch;
    return VERSO_OK;
}

/** Whether a file found on disk may become the first segment: it has the room, and none needs
 * it. */
static bool may_be_first(const struct vs_log_config *config, const struct vs_log_file *file)
{
    if (config->needed_from_lsn == 0 || file->size != config->segment_size) {
        return false;
    }
    if (file->kind == VS_LOG_FILE_OURS) {
        return vs_log_file_end(file) <= config->needed_from_lsn;
    }
    return file->kind == VS_LOG_FILE_BLANK;
}

/** Open the first segment's file: the one found (NULL: none), or a new one. A blank one gives only
 * its room, for a new file: the sync of its name may be what stopped whoever made it, and a second
 * sync after a failed one proves nothing. */
static verso_err open_first(const struct vs_log_config *config, const struct vs_log_file *found,
                            uint32_t *number, struct vs_file **file)
{
    if (found != NULL && found->kind == VS_LOG_FILE_OURS) {
        *number = found->number;
        return vs_log_file_open(config, found->number, VS_OPEN_WRITE_OWN, file);
    }
    verso_err err = found == NULL ? VERSO_OK : vs_log_file_remove(config, found->number);
    return err == VERSO_OK ? vs_log_file_make(config, number, file) : err;
}

/** Hold all files found, except the one at `taken` and those of other stores. */
static verso_err hold_found(struct vs_log *log, const struct vs_log_files *files, size_t taken)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct vs_log_file *file = &files->file[i];
        if (i == taken || file->kind == VS_LOG_FILE_FOREIGN) {
            continue;
        }
        struct vs_log_segment *segment = vs_log_segment_make(file->number, NULL);
        if (segment == NULL) {
            return out_of_memory(&log->config);
        }
        segment->reusable =
            file->kind == VS_LOG_FILE_OURS && file->size == log->config.segment_size;
        vs_log_segments_hold(&log->segments, segment);
    }
    return VERSO_OK;
}

/** Write and sync the header of the log's first segment: a meta may name its beginning (L1). */
static verso_err write_first_header(const struct vs_log *log, struct vs_file *file)
{
    struct vs_segment_header header = {
        .epoch = log->end.epoch,
        .lsn = log->end.lsn - VS_SEGMENT_HEADER,
        .size = log->config.segment_size,
    };
    memcpy(header.uuid, log->config.uuid, sizeof header.uuid);
    uint8_t bytes[VS_SEGMENT_HEADER];
    vs_segment_header_encode(&header, bytes);
    verso_err err = log->config.os->write_at(file, 0, bytes, sizeof bytes);
    return err == VERSO_OK ? log->config.os->sync_data(file) : err;
}

/** Bring the first segment into use: an old file if one may be taken, else a new one. */
static verso_err begin(struct vs_log *log, const struct vs_log_files *files)
{
    const struct vs_log_config *config = &log->config;
    size_t taken = 0;
    while (taken < files->count && !may_be_first(config, &files->file[taken])) {
        taken++;
    }
    const struct vs_log_file *found = taken == files->count ? NULL : &files->file[taken];
    bool made = found == NULL || found->kind == VS_LOG_FILE_BLANK;
    uint32_t number = 0;
    struct vs_file *file = NULL;
    struct vs_log_segment *segment = NULL;
    verso_err err = hold_found(log, files, taken);
    if (err != VERSO_OK) {
        return err;
    }
    err = open_first(config, found, &number, &file);
    if (err != VERSO_OK) {
        return err;
    }
    err = write_first_header(log, file);
    if (err == VERSO_OK) {
        segment = vs_log_segment_make(number, file);
        err = segment == NULL ? out_of_memory(config) : VERSO_OK;
    }
    if (err != VERSO_OK) {
        config->os->close(file);
        verso_err removed = made ? vs_log_file_remove(config, number) : VERSO_OK;
        (void)removed; /* the first error is the one to report; nothing names what is left over */
        return err;
    }
    vs_log_segments_add_ready(&log->segments, segment);
    vs_log_segments_use(&log->segments, log->end.lsn - VS_SEGMENT_HEADER);
    return VERSO_OK;
}

verso_err vs_log_open(const struct vs_log_config *config, struct vs_log_position *start,
                      struct vs_log **log)
{
    assert(vs_segment_size_is_valid(config->segment_size));

    struct vs_log_files files;
    verso_err err = vs_log_files_find(config, &files);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_log_position beginning = *start;
    struct vs_log *fresh = make_log(config);
    if (fresh == NULL) {
        err = out_of_memory(config);
        goto out;
    }
    err = choose_beginning(config, &files, &beginning);
    if (err != VERSO_OK) {
        goto out;
    }
    fresh->end = beginning;
    fresh->first_lsn = beginning.lsn;
    fresh->commit_end = beginning.lsn;
    fresh->witnessed = beginning.lsn;
    vs_log_set(&fresh->end_lsn, beginning.lsn);
    vs_log_set(&fresh->written, beginning.lsn);
    vs_log_set(&fresh->durable, beginning.lsn);
    fresh->filling.lsn = beginning.lsn;
    err = begin(fresh, &files);
    if (err != VERSO_OK) {
        goto out;
    }
    *start = beginning;
    *log = fresh;
    fresh = NULL;
out:
    if (fresh != NULL) {
        verso_err closed = vs_log_close(fresh, false);
        (void)closed; /* it removes nothing, so it cannot fail */
    }
    vs_log_files_clear(&files);
    return err;
}

/* ---- close ----------------------------------------------------------------------------------- */

/** Free a list of segments, and remove their files if `remove`. @return The first error. */
static verso_err drop(const struct vs_log_config *config, struct vs_log_segment *list, bool remove)
{
    verso_err first = VERSO_OK;
    while (list != NULL) {
        struct vs_log_segment *segment = list;
        list = segment->next;
        uint32_t number = segment->number;
        vs_log_segment_free(config, segment);
        verso_err err = remove ? vs_log_file_remove(config, number) : VERSO_OK;
        first = first == VERSO_OK ? err : first;
    }
    return first;
}

verso_err vs_log_close(struct vs_log *log, bool remove)
{
    if (log == NULL) {
        return VERSO_OK;
    }
    assert(!log->led);

    verso_err first = drop(&log->config, log->segments.in_use, remove);
    verso_err ready = drop(&log->config, log->segments.ready, remove);
    verso_err held = drop(&log->config, log->segments.held, remove);
    first = first == VERSO_OK ? ready : first;
    first = first == VERSO_OK ? held : first;
    if (remove && first == VERSO_OK) {
        first = vs_log_files_sync_names(&log->config);
    }
    free_log(log);
    return first;
}

/* ---- segments ahead -------------------------------------------------------------------------- */

static verso_err make_one(struct vs_log *log)
{
    uint32_t number = 0;
    struct vs_file *file = NULL;
    verso_err err = vs_log_file_make(&log->config, &number, &file);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_log_segment *segment = vs_log_segment_make(number, file);
    if (segment == NULL) {
        log->config.os->close(file);
        err = vs_log_file_remove(&log->config, number);
        (void)err; /* the memory is what failed; a file left over is only blank */
        return out_of_memory(&log->config);
    }
    vs_lock_take(&log->mutex);
    vs_log_segments_add_ready(&log->segments, segment);
    vs_lock_release(&log->mutex);
    return VERSO_OK;
}

/** Make segments until `wanted` stand ready. Without the mutex. */
static verso_err make_ready(struct vs_log *log, uint64_t wanted)
{
    verso_err err = VERSO_OK;
    vs_lock_take(&log->making);
    while (err == VERSO_OK) {
        vs_lock_take(&log->mutex);
        bool enough = log->segments.ready_count >= wanted;
        vs_lock_release(&log->mutex);
        if (enough) {
            break;
        }
        err = make_one(log);
    }
    vs_lock_release(&log->making);
    return err;
}

verso_err vs_log_prepare(struct vs_log *log)
{
    if (vs_log_get(&log->poisoned)) {
        return vs_log_refuse(log);
    }
    uint64_t offset = vs_log_get(&log->end_lsn) % log->config.segment_size;
    return make_ready(log, offset > log->config.segment_size / 2 ? 2 : 1);
}

void vs_log_recycle(struct vs_log *log, uint64_t lsn)
{
    const struct vs_log_config *config = &log->config;
    vs_turn(VS_POINT_RECYCLE);
    struct vs_log_segment *held = NULL;
    vs_lock_take(&log->mutex);
    uint64_t durable = vs_log_get(&log->durable);
    uint64_t limit = lsn < durable ? lsn : durable;
    unsigned in_use = log->segments.in_use_count;
    vs_log_segments_recycle(&log->segments, limit, config->segment_size);
    if (lsn >= log->first_lsn) {
        held = log->segments.held;
        log->segments.held = NULL;
    }
    vs_lock_release(&log->mutex);

    struct vs_log_segment *doomed = NULL;
    while (held != NULL) {
        struct vs_log_segment *segment = held;
        held = segment->next;
        if (segment->reusable && vs_log_file_open(config, segment->number, VS_OPEN_WRITE_OWN,
                                                  &segment->file) == VERSO_OK) {
            vs_lock_take(&log->mutex);
            vs_log_segments_add_ready(&log->segments, segment);
            vs_lock_release(&log->mutex);
        } else {
            segment->next = doomed;
            doomed = segment;
        }
    }
    vs_lock_take(&log->mutex);
    struct vs_log_segment *excess = vs_log_segments_excess(&log->segments, in_use);
    vs_lock_release(&log->mutex);

    /* what cannot be removed is met again at the next open, and does no harm until then */
    (void)drop(config, doomed, true);
    (void)drop(config, excess, true);
}

/* ---- append
   ------------------------------------------------------------------------------------ */

bool vs_log_record_fits(uint64_t note_size, uint64_t operations_size)
{
    return note_size <= VS_FRAME_NOTE_MAX &&
           operations_size <=
               VS_FRAME_SIZE_MAX - VS_FRAME_HEADER - VS_FRAME_NOTE_MAX - VS_FRAME_STEP;
}

/** Room for `size` more bytes, and the leader's padding. */
static verso_err reserve(const struct vs_log *log, struct vs_log_buffer *buffer, uint64_t size)
{
    uint64_t needed = buffer->size + size + BUFFER_SLACK;
    if (needed <= buffer->capacity) {
        return VERSO_OK;
    }
    uint64_t capacity = needed + needed / 2;
    uint8_t *larger = capacity <= SIZE_MAX ? realloc(buffer->bytes, (size_t)capacity) : NULL;
    if (larger == NULL) {
        return out_of_memory(&log->config);
    }
    buffer->bytes = larger;
    buffer->capacity = (size_t)capacity;
    return VERSO_OK;
}

static void put_header(const struct vs_log *log, uint8_t *bytes, uint64_t lsn)
{
    struct vs_segment_header header = {
        .epoch = log->end.epoch,
        .lsn = lsn,
        .size = log->config.segment_size,
    };
    memcpy(header.uuid, log->config.uuid, sizeof header.uuid);
    vs_segment_header_encode(&header, bytes);
}

/**
 * Cut a frame of `size` bytes, which lies in one piece at the LSN where the log ends, at the ends
 * of segments; put headers between, and behind it if the next frame goes to another segment.
 *
 *     before   | a a a b b b b c c |
 *     after    | a a a | H b b b b | H c c |        moved from the last part to the first
 */
static void spread(struct vs_log *log, uint8_t *frame, size_t size, uint64_t next_lsn)
{
    size_t segment = log->config.segment_size;
    size_t payload = segment - VS_SEGMENT_HEADER;
    size_t room = segment - (size_t)(log->end.lsn % segment); /* in the segment where it begins */
    size_t total = (size_t)(next_lsn - log->end.lsn);
    size_t parts = size > room ? (size - room + payload - 1) / payload : 0; /* beyond the first */
    size_t used = size;
    for (size_t part = parts; part > 0; part--) {
        size_t from = room + (part - 1) * payload;
        size_t to = room + (part - 1) * segment + VS_SEGMENT_HEADER;
        size_t part_size = part == parts ? size - from : payload;
        memmove(frame + to, frame + from, part_size);
        used = part == parts ? to + part_size : used;
    }
    memset(frame + used, 0, total - used);
    for (size_t at = room; at < total; at += segment) {
        put_header(log, frame + at, log->end.lsn + at);
        vs_log_segments_use(&log->segments, log->end.lsn + at);
    }
}

/**
 * How many segments must stand ready before the log may go on to `next`. Whoever may not use the
 * reserve leaves one to those who may: half a segment, or a whole one.
 */
static uint64_t wanted_segments(const struct vs_log *log, uint64_t next, bool use_reserve)
{
    uint64_t segment = log->config.segment_size;
    uint64_t begun = next / segment - log->end.lsn / segment;
    bool leaves_little = begun > 0 || next % segment > segment / 2;
    return begun + (leaves_little && !use_reserve);
}

/** Wait until the segments for `size` more bytes stand ready. Mutex held, released meanwhile. */
static verso_err secure(struct vs_log *log, size_t size, bool use_reserve, uint64_t *next_lsn)
{
    for (;;) {
        if (vs_log_get(&log->poisoned)) {
            return vs_log_refuse(log);
        }
        uint64_t next = vs_segment_next_lsn(log->end.lsn, size, log->config.segment_size);
        if (next > VS_LSN_MAX) {
            return vs_fault(VERSO_LIMIT, "log of %s: no LSN is left", log->config.path);
        }
        uint64_t wanted = wanted_segments(log, next, use_reserve);
        if (log->segments.ready_count >= wanted) {
            *next_lsn = next;
            return VERSO_OK;
        }
        vs_lock_release(&log->mutex);
        verso_err err = make_ready(log, wanted);
        vs_lock_take(&log->mutex);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

verso_err vs_log_append_locked(struct vs_log *log, struct vs_frame *frame, bool use_reserve)
{
    size_t size = vs_frame_size(frame);
    uint64_t next_lsn = 0;
    verso_err err = secure(log, size, use_reserve, &next_lsn);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_log_buffer *buffer = &log->filling;
    err = reserve(log, buffer, next_lsn - log->end.lsn);
    if (err != VERSO_OK) {
        return err;
    }
    memcpy(frame->uuid, log->config.uuid, sizeof frame->uuid);
    frame->epoch = log->end.epoch;
    frame->lsn = log->end.lsn;
    frame->previous_crc = log->end.previous_crc;
    frame->durable_lsn = vs_log_get(&log->durable);
    uint8_t *bytes = buffer->bytes + buffer->size;
    uint32_t crc = vs_frame_encode(frame, bytes);
    if (next_lsn - log->end.lsn != size) {
        spread(log, bytes, size, next_lsn);
    }
    buffer->size += (size_t)(next_lsn - log->end.lsn);
    log->end.lsn = next_lsn;
    vs_log_set(&log->end_lsn, next_lsn);
    log->end.previous_crc = crc;
    log->witnessed = frame->durable_lsn;
    return VERSO_OK;
}

verso_err vs_log_append(struct vs_log *log, const struct vs_log_record *record, uint64_t *end_lsn)
{
    if (!vs_log_record_fits(record->note.size, record->operations.size)) {
        return vs_fault(VERSO_LIMIT, "log of %s: a frame of %zu bytes is too long",
                        log->config.path, record->operations.size);
    }
    struct vs_frame frame = {
        .kind = record->setting ? VS_FRAME_SETTING : VS_FRAME_COMMIT,
        .version = record->version,
        .time_us = record->time_us,
        .fingerprint = record->fingerprint,
        .note = record->note,
        .operations = record->operations,
    };
    vs_turn(VS_POINT_APPEND_FRAME);
    vs_lock_take(&log->mutex);
    verso_err err = vs_log_append_locked(log, &frame, record->use_reserve);
    if (err == VERSO_OK) {
        log->version = record->version;
        log->commit_end = log->end.lsn;
        *end_lsn = log->end.lsn;
    }
    vs_lock_release(&log->mutex);
    return err;
}
