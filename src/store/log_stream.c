/*
 * log_stream.c - read the log's stream through a window over one segment at a time.
 */
#include "store/log_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "os/fault.h"

enum { WINDOW_MAX = 1 << 20 }; /* bytes */

static verso_err out_of_memory(const struct vs_log_config *config)
{
    return vs_fault(VERSO_NOMEM, "log of %s: out of memory", config->path);
}

/* ---- open and close
   ---------------------------------------------------------------------------- */

static int compare_lsns(const void *a, const void *b)
{
    const struct vs_log_file *left = *(const struct vs_log_file *const *)a;
    const struct vs_log_file *right = *(const struct vs_log_file *const *)b;
    return left->header.lsn < right->header.lsn ? -1 : left->header.lsn > right->header.lsn;
}

static bool belongs(const struct vs_log_stream *stream, const struct vs_log_file *file,
                    uint64_t epoch)
{
    return file->kind == VS_LOG_FILE_OURS && file->header.epoch == epoch &&
           (stream->segment_size == 0 || stream->segment_size == file->header.size);
}

/* A window as large as a segment is large enough; where there is none, none is needed. */
static verso_err get_window(struct vs_log_stream *stream)
{
    size_t segment = stream->segment_size;
    stream->window_capacity = segment < WINDOW_MAX ? segment : WINDOW_MAX;
    stream->window = stream->window_capacity > 0 ? malloc(stream->window_capacity) : NULL;
    return stream->window != NULL || stream->window_capacity == 0 ? VERSO_OK
                                                                  : out_of_memory(stream->config);
}

verso_err vs_log_stream_open(const struct vs_log_config *config, const struct vs_log_files *files,
                             uint64_t epoch, struct vs_log_stream *stream)
{
    *stream = (struct vs_log_stream){.config = config, .opened = SIZE_MAX};
    stream->segment = malloc((files->count + 1) * sizeof(const struct vs_log_file *));
    if (stream->segment == NULL) {
        return out_of_memory(config);
    }
    for (size_t i = 0; i < files->count; i++) {
        if (belongs(stream, &files->file[i], epoch)) {
            stream->segment_size = files->file[i].header.size;
            stream->segment[stream->count++] = &files->file[i];
        }
    }
    verso_err err = get_window(stream);
    if (err != VERSO_OK) {
        vs_log_stream_close(stream);
        return err;
    }
    if (stream->count > 0) {
        qsort(stream->segment, stream->count, sizeof(const struct vs_log_file *), compare_lsns);
    }
    for (size_t i = 1; i < stream->count; i++) {
        if (stream->segment[i - 1]->header.lsn == stream->segment[i]->header.lsn) {
            err = vs_fault(
                VERSO_WAL_CORRUPT, "log of %s: files %u and %u claim the same part of the log",
                config->path, stream->segment[i - 1]->number, stream->segment[i]->number);
            vs_log_stream_close(stream);
            return err;
        }
    }
    return VERSO_OK;
}

static void close_segment(struct vs_log_stream *stream)
{
    if (stream->opened != SIZE_MAX) {
        stream->config->os->close(stream->file);
        stream->opened = SIZE_MAX;
    }
    stream->window_size = 0;
}

void vs_log_stream_close(struct vs_log_stream *stream)
{
    close_segment(stream);
    free(stream->segment);
    free(stream->window);
    free(stream->gathered);
    stream->segment = NULL;
    stream->window = NULL;
    stream->gathered = NULL;
}

/* ---- read
   -------------------------------------------------------------------------------------- */

/** Index of the segment that holds `lsn`; `count` if none does. */
static size_t index_of(const struct vs_log_stream *stream, uint64_t lsn)
{
    size_t low = 0;
    size_t high = stream->count;
    while (low < high) { /* all before `low` begin at or before lsn, all from `high` on after it */
        size_t middle = low + (high - low) / 2;
        if (stream->segment[middle]->header.lsn <= lsn) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0 || lsn - stream->segment[low - 1]->header.lsn >= stream->segment_size) {
        return stream->count;
    }
    return low - 1;
}

const struct vs_log_file *vs_log_stream_segment(const struct vs_log_stream *stream, uint64_t lsn)
{
    size_t index = index_of(stream, lsn);
    return index < stream->count ? stream->segment[index] : NULL;
}

static verso_err open_segment(struct vs_log_stream *stream, size_t index)
{
    if (stream->opened == index) {
        return VERSO_OK;
    }
    close_segment(stream);
    verso_err err = vs_log_file_open(stream->config, stream->segment[index]->number,
                                     VS_OPEN_READ_OWN, &stream->file);
    if (err == VERSO_OK) {
        stream->opened = index;
    }
    return err;
}

/** Bytes of a segment on disk from `lsn` on; 0 if its file was cut short before. */
static size_t bytes_left(const struct vs_log_stream *stream, const struct vs_log_file *segment,
                         uint64_t lsn)
{
    uint64_t end = segment->size < stream->segment_size ? segment->size : stream->segment_size;
    uint64_t offset = lsn - segment->header.lsn;
    return offset < end ? (size_t)(end - offset) : 0;
}

/** Bytes within one segment, through the window. NULL: a gap. */
static verso_err read_window(struct vs_log_stream *stream, size_t index, uint64_t lsn, size_t size,
                             const uint8_t **bytes)
{
    assert(size <= stream->window_capacity);
    const struct vs_log_file *segment = stream->segment[index];
    size_t left = bytes_left(stream, segment, lsn);
    *bytes = NULL;
    if (left < size) {
        return VERSO_OK;
    }
    verso_err err = open_segment(stream, index);
    if (err != VERSO_OK) {
        return err;
    }
    if (lsn < stream->window_lsn || lsn + size > stream->window_lsn + stream->window_size) {
        size_t part = left < stream->window_capacity ? left : stream->window_capacity;
        stream->window_size = 0;
        err = stream->config->os->read_at(stream->file, lsn - segment->header.lsn, stream->window,
                                          part);
        if (err != VERSO_OK) {
            return err;
        }
        stream->window_lsn = lsn;
        stream->window_size = part;
    }
    *bytes = stream->window + (lsn - stream->window_lsn);
    return VERSO_OK;
}

static verso_err make_room(struct vs_log_stream *stream, size_t size)
{
    if (size <= stream->gathered_capacity) {
        return VERSO_OK;
    }
    uint8_t *larger = malloc(size); /* the old content is of no use */
    if (larger == NULL) {
        return out_of_memory(stream->config);
    }
    free(stream->gathered);
    stream->gathered = larger;
    stream->gathered_capacity = size;
    return VERSO_OK;
}

/** Whether all segments are there that hold `size` bytes of frame from `lsn` on. */
static bool is_whole(const struct vs_log_stream *stream, uint64_t lsn, size_t size)
{
    size_t left = size;
    while (left > 0) {
        const struct vs_log_file *segment = vs_log_stream_segment(stream, lsn);
        size_t room = stream->segment_size - (size_t)(lsn % stream->segment_size);
        size_t part = left < room ? left : room;
        if (segment == NULL || bytes_left(stream, segment, lsn) < part) {
            return false;
        }
        left -= part;
        lsn += part + VS_SEGMENT_HEADER;
    }
    return true;
}

/** Bytes from as many segments as they lie in. NULL: a gap. */
static verso_err gather(struct vs_log_stream *stream, uint64_t lsn, size_t size,
                        const uint8_t **bytes)
{
    *bytes = NULL;
    if (!is_whole(stream, lsn, size)) { /* before taking memory for what a header only claims */
        return VERSO_OK;
    }
    verso_err err = make_room(stream, size);
    for (size_t done = 0; done < size && err == VERSO_OK;) {
        size_t index = index_of(stream, lsn);
        size_t room = stream->segment_size - (size_t)(lsn % stream->segment_size);
        size_t part = size - done < room ? size - done : room;
        err = open_segment(stream, index);
        if (err == VERSO_OK) {
            err =
                stream->config->os->read_at(stream->file, lsn - stream->segment[index]->header.lsn,
                                            stream->gathered + done, part);
        }
        done += part;
        lsn += part + VS_SEGMENT_HEADER;
    }
    if (err == VERSO_OK) {
        *bytes = stream->gathered;
    }
    return err;
}

verso_err vs_log_stream_read(struct vs_log_stream *stream, uint64_t lsn, size_t size,
                             const uint8_t **bytes)
{
    assert(size <= VS_FRAME_SIZE_MAX);

    size_t index = index_of(stream, lsn);
    if (index == stream->count) {
        *bytes = NULL;
        return VERSO_OK;
    }
    size_t room = stream->segment_size - (size_t)(lsn % stream->segment_size);
    if (size <= room && size <= stream->window_capacity) {
        return read_window(stream, index, lsn, size, bytes);
    }
    return gather(stream, lsn, size, bytes);
}
