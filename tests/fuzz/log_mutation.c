/*
 * log_mutation.c - one small change each, of a segment's header, a frame's header, its operations;
 * and frames that are new.
 *
 * A frame that runs on into the next segment is left as it is.
 */
#include "log_mutation.h"

#include <stdbool.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/frame.h"
#include "format/segment.h"
#include "fuzz_target.h"
#include "operation_bytes.h"
#include "simulated_random.h"
#include "store_mutation.h"

enum {
    FRAME_CRC_AT = 4,
    FRAME_MAGIC_AT = 8,
    FRAME_PREVIOUS_AT = 12,
    FRAME_OPERATIONS_AT = 16,
    FRAME_NOTE_AT = 20,
    FRAME_KIND_AT = 22,
    FRAME_LSN_AT = 48,
    FRAME_DURABLE_AT = 56,
    SEGMENT_LSN_AT = 32 + 8,
    FRAMES_MAX = 256,
    CHANGES_MAX = 4,
    ROOM = 512, /* bytes that a change may add to a segment */
    UNREPAIRED_ONE_IN = 64,
};

struct log {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    struct simulated_random random;
    size_t frame[FRAMES_MAX]; /* where each begins */
    size_t frame_count;
};

static uint64_t below(struct log *log, uint64_t bound)
{
    return simulated_random_below(&log->random, bound);
}

static size_t segment_end(const struct log *log, size_t at)
{
    size_t end = (at / LOG_SEGMENT_SIZE + 1) * LOG_SEGMENT_SIZE;
    return end < log->size ? end : log->size;
}

/* Bytes of the frame at `at`; 0: there is none that ends in its segment. */
static size_t frame_size(const struct log *log, size_t at)
{
    size_t end = segment_end(log, at);
    if (at + VS_FRAME_HEADER > end || memcmp(log->bytes + at + FRAME_MAGIC_AT, "VFrm", 4) != 0) {
        return 0;
    }
    uint64_t size = VS_FRAME_HEADER + (uint64_t)vs_get_le32(log->bytes + at + FRAME_OPERATIONS_AT) +
                    vs_get_le16(log->bytes + at + FRAME_NOTE_AT);
    size = (size + VS_FRAME_STEP - 1) / VS_FRAME_STEP * VS_FRAME_STEP;
    return size <= end - at ? (size_t)size : 0;
}

static void find_frames(struct log *log)
{
    log->frame_count = 0;
    for (size_t segment = 0; segment < log->size; segment += LOG_SEGMENT_SIZE) {
        size_t at = segment + VS_SEGMENT_HEADER;
        size_t size;
        while (log->frame_count < FRAMES_MAX && at < log->size &&
               (size = frame_size(log, at)) > 0) {
            log->frame[log->frame_count++] = at;
            at += size;
        }
    }
}

/* ---- repair ---- */

static void repair_segments(struct log *log)
{
    for (size_t at = 0; at + VS_SEGMENT_HEADER <= log->size; at += LOG_SEGMENT_SIZE) {
        uint8_t *header = log->bytes + at;
        if (memcmp(header + 4, "VSeg", 4) == 0) {
            vs_put_le32(header, vs_crc32c(0, header + 4, VS_SEGMENT_HEADER - 4));
        }
    }
}

static uint64_t lsn_of(const struct log *log, size_t at)
{
    const uint8_t *segment = log->bytes + at / LOG_SEGMENT_SIZE * LOG_SEGMENT_SIZE;
    return vs_get_le64(segment + SEGMENT_LSN_AT) + at % LOG_SEGMENT_SIZE;
}

static void repair_frames(struct log *log, bool places)
{
    uint32_t previous = 0;
    for (size_t i = 0; i < log->frame_count; i++) {
        uint8_t *frame = log->bytes + log->frame[i];
        size_t size = frame_size(log, log->frame[i]);
        if (places) {
            vs_put_le64(frame + FRAME_LSN_AT, lsn_of(log, log->frame[i]));
            vs_put_le32(frame + FRAME_PREVIOUS_AT, previous);
        }
        uint32_t crc = vs_crc32c(0, frame + FRAME_MAGIC_AT, VS_FRAME_HEADER - FRAME_MAGIC_AT);
        vs_put_le32(frame, crc);
        previous = vs_crc32c(crc, frame + VS_FRAME_HEADER, size - VS_FRAME_HEADER);
        vs_put_le32(frame + FRAME_CRC_AT, previous);
    }
}

/* ---- changes ---- */

static void change_segment(struct log *log)
{
    static const uint8_t fields[][2] = {{8, 4}, {12, 4}, {32, 8}, {40, 8}, {48, 8}, {16, 8}};
    const uint8_t *field = fields[below(log, sizeof fields / sizeof fields[0])];
    size_t segments = (log->size + LOG_SEGMENT_SIZE - 1) / LOG_SEGMENT_SIZE;
    size_t at = (size_t)below(log, segments) * LOG_SEGMENT_SIZE;
    if (at + VS_SEGMENT_HEADER <= log->size) {
        mutation_of_number(&log->random, log->bytes + at + field[0], field[1]);
    }
}

static size_t some_frame(struct log *log)
{
    return log->frame[below(log, log->frame_count)];
}

static void change_frame_header(struct log *log)
{
    static const uint8_t fields[][2] = {{12, 4}, {16, 4}, {20, 2}, {22, 2}, {40, 8},
                                        {48, 8}, {56, 8}, {64, 8}, {72, 8}, {80, 8}};
    const uint8_t *field = fields[below(log, sizeof fields / sizeof fields[0])];
    mutation_of_number(&log->random, log->bytes + some_frame(log) + field[0], field[1]);
}

static void change_operations(struct log *log)
{
    size_t at = some_frame(log);
    size_t body = frame_size(log, at) - VS_FRAME_HEADER;
    if (body >= 8) {
        size_t where = (size_t)below(log, body);
        log->bytes[at + VS_FRAME_HEADER + where] =
            (uint8_t)mutation_number(&log->random, log->bytes[at + VS_FRAME_HEADER + where]);
    }
}

/* Give a frame other operations: what follows moves. */
static void replace_operations(struct log *log, size_t at, const uint8_t *operations, size_t size)
{
    size_t note = vs_get_le16(log->bytes + at + FRAME_NOTE_AT);
    size_t end = segment_end(log, at);
    size_t before = frame_size(log, at);
    size_t after =
        (VS_FRAME_HEADER + note + size + VS_FRAME_STEP - 1) / VS_FRAME_STEP * VS_FRAME_STEP;
    if (at + before + after > end) {
        return;
    }
    uint8_t *frame = log->bytes + at;
    memmove(frame + after, frame + before, end - at - (after > before ? after : before));
    memset(frame + VS_FRAME_HEADER + note, 0, after - VS_FRAME_HEADER - note);
    memcpy(frame + VS_FRAME_HEADER + note, operations, size);
    vs_put_le32(frame + FRAME_OPERATIONS_AT, (uint32_t)size);
}

/* The operations once more, with bytes put in, taken out or changed. */
static void resize_operations(struct log *log)
{
    uint8_t operations[8 * ROOM];
    size_t at = some_frame(log);
    size_t note = vs_get_le16(log->bytes + at + FRAME_NOTE_AT);
    size_t size = vs_get_le32(log->bytes + at + FRAME_OPERATIONS_AT);
    if (size == 0 || size > sizeof operations - ROOM) {
        return;
    }
    memcpy(operations, log->bytes + at + VS_FRAME_HEADER + note, size);
    size = LLVMFuzzerMutate(operations, size, size + ROOM);
    replace_operations(log, at, operations, size);
}

/* An operation that is whole, with numbers and names that may mean something. */
static void new_operation(struct log *log)
{
    static const char *const words[] = {"",    "first",      "second", "users",
                                        "old", "key 000017", "a\nb"};
    enum { WORDS = sizeof words / sizeof words[0] };
    enum vs_operation_kind kind = (enum vs_operation_kind)(1 + below(log, VS_OPERATION_DELETE_TAG));
    struct vs_operation operation = {.kind = kind};
    unsigned numbers = kind == VS_OPERATION_DELETE_RANGE || kind == VS_OPERATION_DROP_ROOTS ||
                               kind == VS_OPERATION_SET_TAG
                           ? 2
                       : kind == VS_OPERATION_SET_RETENTION || kind == VS_OPERATION_DELETE_TAG ? 0
                                                                                               : 1;
    for (unsigned i = 0; i < numbers; i++) {
        operation.number[i] =
            below(log, 2) == 0 ? below(log, 16) : mutation_number(&log->random, 8);
    }
    if (kind != VS_OPERATION_DROP_TREE && kind != VS_OPERATION_DROP_ROOTS &&
        kind != VS_OPERATION_SET_RETENTION) {
        operation.key = verso_text(words[below(log, WORDS)]);
    }
    if (kind == VS_OPERATION_PUT || kind == VS_OPERATION_DELETE_RANGE ||
        kind == VS_OPERATION_SET_RETENTION) {
        operation.value = verso_text(words[below(log, WORDS)]);
    }
    uint8_t bytes[VS_OPERATION_HEADER_MAX + 64];
    replace_operations(log, some_frame(log), bytes, operation_bytes(&operation, bytes));
}

/* A setting behind the last frame of a segment, in the name of that frame's root. */
static void append_setting(struct log *log)
{
    size_t last = log->frame[log->frame_count - 1];
    size_t at = last + frame_size(log, last);
    if (at + VS_FRAME_HEADER + ROOM > segment_end(log, last)) {
        return;
    }
    memcpy(log->bytes + at, log->bytes + last, VS_FRAME_HEADER);
    vs_put_le32(log->bytes + at + FRAME_OPERATIONS_AT, 0);
    vs_put_le16(log->bytes + at + FRAME_NOTE_AT, 0);
    vs_put_le16(log->bytes + at + FRAME_KIND_AT, VS_FRAME_SETTING);
    find_frames(log);
    new_operation(log);
}

static void copy_frame(struct log *log)
{
    size_t from = some_frame(log);
    size_t to = some_frame(log);
    size_t size = frame_size(log, from);
    if (to + size <= segment_end(log, to)) {
        memmove(log->bytes + to, log->bytes + from, size);
    }
}

static void change_any_byte(struct log *log)
{
    log->bytes[below(log, log->size)] ^= (uint8_t)(1 + below(log, 255));
}

static void change_length(struct log *log)
{
    size_t size = (size_t)below(log, log->capacity) + 1;
    if (size > log->size) {
        memset(log->bytes + log->size, 0, size - log->size);
    }
    log->size = size;
}

static void change_once(struct log *log)
{
    static void (*const often[])(struct log *) = {
        change_frame_header, change_operations, resize_operations, new_operation,  new_operation,
        append_setting,      append_setting,    copy_frame,        change_segment, change_any_byte};
    find_frames(log);
    if (log->frame_count == 0) {
        change_any_byte(log);
    } else if (below(log, 32) == 0) {
        change_length(log);
    } else {
        often[below(log, sizeof often / sizeof often[0])](log);
    }
}

size_t log_mutate(uint8_t *bytes, size_t size, size_t capacity, unsigned seed)
{
    static struct log log;
    log = (struct log){.bytes = bytes, .size = size, .capacity = capacity, .random = {seed}};
    if (size == 0) {
        return 0;
    }
    uint64_t changes = 1 + below(&log, CHANGES_MAX);
    for (uint64_t i = 0; i < changes; i++) {
        change_once(&log);
    }
    if (below(&log, UNREPAIRED_ONE_IN) > 0) {
        find_frames(&log);
        repair_segments(&log);
        repair_frames(&log, below(&log, 8) > 0);
    }
    return log.size;
}
