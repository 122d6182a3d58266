/*
 * log_evidence.c - search the files of a log for frames that know of later durability.
 *
 * A frame's header is never split between segments and has a checksum of its own, so each file is
 * searched by itself, and a header counts though the rest of its frame may be torn: it was written
 * after the sync that it knows of.
 */
#include "store/log_evidence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "os/fault.h"

enum { CHUNK_MAX = 1 << 20 }; /* bytes read at a time; a multiple of VS_FRAME_STEP */

struct search {
    const struct vs_log_config *config;
    uint32_t segment_size;
    uint64_t epoch;
    uint64_t lsn;
    bool of_content; /* a witness does not count */
    struct vs_log_evidence *evidence;
    uint8_t *chunk;
    size_t chunk_size; /* bytes: a segment is no longer, or it is CHUNK_MAX */
};

/** Whether the bytes at `offset` of a file are the header of a frame that proves `lsn` durable. */
static bool proves(const struct search *search, const uint8_t *bytes, uint64_t offset,
                   struct vs_frame *frame)
{
    return vs_frame_decode_header(bytes, frame) == NULL &&
           memcmp(frame->uuid, search->config->uuid, sizeof frame->uuid) == 0 &&
           frame->epoch == search->epoch && frame->lsn % search->segment_size == offset &&
           !(search->of_content && frame->kind == VS_FRAME_WITNESS) &&
           frame->durable_lsn > search->lsn;
}

/** Search `size` bytes that lie at `offset` of a file. */
static void search_bytes(const struct search *search, uint32_t number, const uint8_t *bytes,
                         uint64_t offset, size_t size)
{
    for (size_t at = 0; at + VS_FRAME_HEADER <= size; at += VS_FRAME_STEP) {
        struct vs_frame frame;
        if (vs_frame_may_begin(bytes + at) && proves(search, bytes + at, offset + at, &frame)) {
            *search->evidence =
                (struct vs_log_evidence){true, number, frame.lsn, frame.durable_lsn};
            return;
        }
    }
}

/** Search one file, chunk by chunk; a header that a chunk cuts is found in the next one. */
static verso_err search_file(const struct search *search, const struct vs_log_file *found)
{
    uint64_t end = found->size < search->segment_size ? found->size : search->segment_size;
    struct vs_file *file = NULL;
    verso_err err = vs_log_file_open(search->config, found->number, VS_OPEN_READ_OWN, &file);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t offset = VS_SEGMENT_HEADER;
    while (offset + VS_FRAME_HEADER <= end && !search->evidence->found) {
        uint64_t left = end - offset;
        size_t size = left < search->chunk_size ? (size_t)left : search->chunk_size;
        err = search->config->os->read_at(file, offset, search->chunk, size);
        if (err != VERSO_OK) {
            break;
        }
        search_bytes(search, found->number, search->chunk, offset, size);
        if (offset + size == end) {
            break;
        }
        offset += search->chunk_size - VS_FRAME_HEADER;
    }
    search->config->os->close(file);
    return err;
}

verso_err vs_log_find_evidence(const struct vs_log_config *config, const struct vs_log_files *files,
                               uint32_t segment_size, uint64_t epoch, uint64_t lsn,
                               struct vs_log_evidence *evidence)
{
    static_assert((CHUNK_MAX - VS_FRAME_HEADER) % VS_FRAME_STEP == 0, "chunks keep to the steps");

    *evidence = (struct vs_log_evidence){.found = false};
    struct search search = {.config = config,
                            .segment_size = segment_size,
                            .epoch = epoch,
                            .lsn = lsn,
                            .evidence = evidence,
                            .chunk_size = segment_size < CHUNK_MAX ? segment_size : CHUNK_MAX};
    search.chunk = malloc(search.chunk_size);
    if (search.chunk == NULL) {
        return vs_fault(VERSO_NOMEM, "log of %s: out of memory", config->path);
    }
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < files->count && err == VERSO_OK && !evidence->found; i++) {
        assert(files->file[i].kind != VS_LOG_FILE_FOREIGN); /* vs_log_read() refuses those */
        err = search_file(&search, &files->file[i]);
    }
    free(search.chunk);
    return err;
}

/** Search a file of a later epoch for anything that was committed in it. */
static verso_err search_later(const struct vs_log_config *config, const struct vs_log_file *file,
                              struct vs_log_evidence *later)
{
    uint32_t segment_size = file->header.size;
    struct search search = {.config = config,
                            .segment_size = segment_size,
                            .epoch = file->header.epoch,
                            .lsn = 0, /* every frame knows of what the log began behind */
                            .of_content = true,
                            .evidence = later,
                            .chunk_size = segment_size < CHUNK_MAX ? segment_size : CHUNK_MAX};
    search.chunk = malloc(search.chunk_size);
    if (search.chunk == NULL) {
        return vs_fault(VERSO_NOMEM, "log of %s: out of memory", config->path);
    }
    verso_err err = search_file(&search, file);
    free(search.chunk);
    return err;
}

verso_err vs_log_find_later(const struct vs_log_config *config, const struct vs_log_files *files,
                            uint64_t epoch, struct vs_log_evidence *later)
{
    *later = (struct vs_log_evidence){.found = false};
    verso_err err = VERSO_OK;
    for (size_t i = 0; i < files->count && err == VERSO_OK && !later->found; i++) {
        const struct vs_log_file *file = &files->file[i];
        if (file->kind == VS_LOG_FILE_OURS && file->header.epoch > epoch) {
            err = search_later(config, file, later);
        }
    }
    return err;
}
