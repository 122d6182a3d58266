/*
 * log_record.c - make commits from their version, and compare them with what a log gives back.
 */
#include "log_record.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"

enum { NOTE_MAX = 64 }; /* bytes */

static uint64_t mix(uint64_t word)
{
    word = (word ^ word >> 32) * 0x9E3779B97F4A7C15u;
    return word ^ word >> 29;
}

size_t log_record_size(uint64_t version)
{
    uint64_t drawn = mix(version);
    return drawn % 16 == 0 ? (size_t)(drawn >> 8) % 5000 : (size_t)(drawn >> 8) % 200;
}

static void fill(uint8_t *bytes, size_t size, uint64_t version, uint64_t salt)
{
    uint64_t state = mix(version * 1000003 + salt);
    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(state >> 56);
    }
}

/** The record of a version; note and operations lie in the given room. */
static struct vs_log_record make(uint64_t version, uint64_t salt, size_t size, uint8_t *note,
                                 uint8_t *operations)
{
    size_t note_size = (size_t)(version % 5) * 7;
    fill(note, note_size, version, salt + 1);
    fill(operations, size, version, salt);
    struct vs_log_record record = {
        .version = version,
        .time_us = (int64_t)(version * 1000),
        .fingerprint = mix(version + salt),
        .use_reserve = false,
        .note = {note, note_size},
        .operations = {operations, size},
    };
    return record;
}

verso_err log_record_append(struct vs_log *log, uint64_t version, uint64_t salt, size_t size,
                            uint64_t *end_lsn)
{
    uint8_t note[NOTE_MAX];
    size_t operations_size = size == SIZE_MAX ? log_record_size(version) : size;
    uint8_t *operations = malloc(operations_size + 1);
    cr_assert_not_null(operations);
    struct vs_log_record record = make(version, salt, operations_size, note, operations);
    verso_err err = vs_log_append(log, &record, end_lsn);
    free(operations);
    return err;
}

void log_record_commit(struct vs_log *log, uint64_t version)
{
    uint64_t end = 0;
    cr_assert_eq(log_record_append(log, version, 0, SIZE_MAX, &end), VERSO_OK, "%s",
                 vs_fault_detail());
    cr_assert_eq(vs_log_wait(log, end, VS_LOG_DURABLE), VERSO_OK, "%s", vs_fault_detail());
}

static bool same(verso_slice a, verso_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

verso_err log_record_check(void *argument, const struct vs_log_record *record)
{
    struct log_reading *reading = argument;
    uint64_t version = record->version;
    uint64_t salt = reading->salt_of == NULL ? 0 : reading->salt_of[version];
    size_t size =
        reading->operations_size == SIZE_MAX ? log_record_size(version) : reading->operations_size;
    uint8_t note[NOTE_MAX];
    uint8_t *operations = malloc(size + 1);
    cr_assert_not_null(operations);
    struct vs_log_record expected = make(version, salt, size, note, operations);
    if (version != reading->version + 1) {
        reading->fault = "versions do not run on";
    } else if (!same(expected.note, record->note)) {
        reading->fault = "another note";
    } else if (!same(expected.operations, record->operations)) {
        reading->fault = "other operations";
    } else if (expected.time_us != record->time_us || expected.fingerprint != record->fingerprint) {
        reading->fault = "another field";
    }
    reading->version = version;
    free(operations);
    return VERSO_OK;
}
