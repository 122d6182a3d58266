/*
 * increment_mutation.c - one small change each, of the header, a record's header, its body; records
 * that are copied or left out.
 */
#include "increment_mutation.h"

#include <stdbool.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/increment.h"
#include "fuzz_target.h"
#include "simulated_random.h"
#include "store_mutation.h"

enum {
    HEADER_CRC_AT = VS_INCREMENT_HEADER - 4,
    KIND_AT = 4,
    SIZE_AT = 8,
    RECORDS_MAX = 256,
    CHANGES_MAX = 4,
    UNREPAIRED_ONE_IN = 64,
};

struct increment {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    struct simulated_random random;
    size_t record[RECORDS_MAX]; /* where each begins */
    size_t record_count;
};

static uint64_t below(struct increment *increment, uint64_t bound)
{
    return simulated_random_below(&increment->random, bound);
}

/* Bytes of the record at `at`, its header included; 0: there is none that is whole. */
static size_t record_size(const struct increment *increment, size_t at)
{
    if (increment->size - at < VS_INCREMENT_RECORD) {
        return 0;
    }
    uint64_t body = vs_get_le64(increment->bytes + at + SIZE_AT);
    uint64_t left = increment->size - at - VS_INCREMENT_RECORD;
    return body <= left ? VS_INCREMENT_RECORD + (size_t)body : 0;
}

static void find_records(struct increment *increment)
{
    size_t at = VS_INCREMENT_HEADER;
    size_t size;
    increment->record_count = 0;
    while (increment->record_count < RECORDS_MAX && at < increment->size &&
           (size = record_size(increment, at)) > 0) {
        increment->record[increment->record_count++] = at;
        at += size;
    }
}

/* ---- repair ---- */

static uint64_t count_operations(const uint8_t *at, const uint8_t *end)
{
    struct vs_operation operation;
    uint64_t count = 0;
    while (at < end && vs_operation_decode(&at, end, &operation) == NULL) {
        count++;
    }
    return count;
}

static void repair(struct increment *increment)
{
    struct vs_increment_counts met = {0, 0};
    uint32_t crc = vs_crc32c(0, increment->bytes, HEADER_CRC_AT);
    vs_put_le32(increment->bytes + HEADER_CRC_AT, crc);
    for (size_t i = 0; i < increment->record_count; i++) {
        uint8_t *record = increment->bytes + increment->record[i];
        uint8_t *body = record + VS_INCREMENT_RECORD;
        size_t size = record_size(increment, increment->record[i]);
        uint32_t kind = vs_get_le32(record + KIND_AT);
        met.roots += kind == VS_INCREMENT_ROOT;
        if (kind == VS_INCREMENT_OPERATIONS) {
            met.operations += count_operations(body, record + size);
        } else if (kind == VS_INCREMENT_CLOSE && size == VS_INCREMENT_RECORD + VS_INCREMENT_END) {
            vs_increment_end_encode(&met, body);
        }
        crc = vs_crc32c(crc, record + KIND_AT, size - KIND_AT);
        vs_put_le32(record, crc);
    }
}

/* ---- changes ---- */

static void change_header(struct increment *increment)
{
    static const uint8_t fields[][2] = {{8, 4}, {12, 4}, {16, 8}, {32, 8}, {40, 8}, {48, 8}};
    const uint8_t *field = fields[below(increment, sizeof fields / sizeof fields[0])];
    mutation_of_number(&increment->random, increment->bytes + field[0], field[1]);
}

static size_t some_record(struct increment *increment)
{
    return increment->record[below(increment, increment->record_count)];
}

static void change_record_header(struct increment *increment)
{
    uint8_t *record = increment->bytes + some_record(increment);
    if (below(increment, 2) == 0) {
        vs_put_le32(record + KIND_AT, (uint32_t)below(increment, 5));
    } else {
        mutation_of_number(&increment->random, record + SIZE_AT, 8);
    }
}

static void change_body(struct increment *increment)
{
    size_t at = some_record(increment);
    size_t body = record_size(increment, at) - VS_INCREMENT_RECORD;
    if (body == 0) {
        return;
    }
    uint8_t *where = increment->bytes + at + VS_INCREMENT_RECORD + below(increment, body);
    *where = (uint8_t)mutation_number(&increment->random, *where);
}

/* Ids, times and fingerprints. */
static void change_root(struct increment *increment)
{
    size_t at = some_record(increment);
    size_t body = record_size(increment, at) - VS_INCREMENT_RECORD;
    if (vs_get_le32(increment->bytes + at + KIND_AT) == VS_INCREMENT_ROOT && body >= 24) {
        mutation_of_number(&increment->random,
                           increment->bytes + at + VS_INCREMENT_RECORD + 8 * below(increment, 3),
                           8);
    }
}

/* Put other bytes in the place of [at, at + before). */
static void splice(struct increment *increment, size_t at, size_t before, const uint8_t *bytes,
                   size_t size)
{
    size_t rest = increment->size - at - before;
    if (at + size + rest > increment->capacity) {
        return;
    }
    memmove(increment->bytes + at + size, increment->bytes + at + before, rest);
    memcpy(increment->bytes + at, bytes, size);
    increment->size = at + size + rest;
}

static void resize_body(struct increment *increment)
{
    static uint8_t body[4096];
    size_t at = some_record(increment);
    size_t size = record_size(increment, at) - VS_INCREMENT_RECORD;
    if (size == 0 || size > sizeof body / 2) {
        return;
    }
    memcpy(body, increment->bytes + at + VS_INCREMENT_RECORD, size);
    size_t after = LLVMFuzzerMutate(body, size, sizeof body);
    size_t before = increment->size;
    splice(increment, at + VS_INCREMENT_RECORD, size, body, after);
    if (increment->size == before + after - size) {
        vs_put_le64(increment->bytes + at + SIZE_AT, after);
    }
}

static void copy_record(struct increment *increment)
{
    static uint8_t record[8192];
    size_t from = some_record(increment);
    size_t size = record_size(increment, from);
    if (size <= sizeof record) {
        memcpy(record, increment->bytes + from, size);
        splice(increment, some_record(increment), 0, record, size);
    }
}

static void leave_out_record(struct increment *increment)
{
    size_t at = some_record(increment);
    splice(increment, at, record_size(increment, at), increment->bytes, 0);
}

static void change_any_byte(struct increment *increment)
{
    increment->bytes[below(increment, increment->size)] ^= (uint8_t)(1 + below(increment, 255));
}

static void cut(struct increment *increment)
{
    increment->size = (size_t)below(increment, increment->size) + 1;
}

static void change_once(struct increment *increment)
{
    static void (*const often[])(struct increment *) = {
        change_header, change_record_header, change_body, change_body,      change_body,
        change_root,   resize_body,          copy_record, leave_out_record, change_any_byte};
    find_records(increment);
    if (increment->record_count == 0) {
        change_any_byte(increment);
    } else if (below(increment, 32) == 0) {
        cut(increment);
    } else {
        often[below(increment, sizeof often / sizeof often[0])](increment);
    }
}

size_t increment_mutate(uint8_t *bytes, size_t size, size_t capacity, unsigned seed)
{
    static struct increment increment;
    increment =
        (struct increment){.bytes = bytes, .size = size, .capacity = capacity, .random = {seed}};
    if (size < VS_INCREMENT_HEADER) {
        return LLVMFuzzerMutate(bytes, size, capacity);
    }
    uint64_t changes = 1 + below(&increment, CHANGES_MAX);
    for (uint64_t i = 0; i < changes && increment.size >= VS_INCREMENT_HEADER; i++) {
        change_once(&increment);
    }
    if (below(&increment, UNREPAIRED_ONE_IN) > 0 && increment.size >= VS_INCREMENT_HEADER) {
        find_records(&increment);
        repair(&increment);
    }
    return increment.size;
}
