/*
 * roots_test.c - publishing and pinning roots beside each other, and remembering the recent ones.
 */
#include "store/roots.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { READERS = 3, PUBLICATIONS = 20000 };

static struct vs_roots roots;
static struct vs_reader_slots readers;

/* A record whose every field follows from its version. */
static struct vs_root_record record_of(uint64_t version)
{
    return (struct vs_root_record){
        .version = version,
        .tree = {(vs_page_no)version, (uint32_t)(version % 7 + 1), version * 3},
        .catalogue = {(vs_page_no)(version + 1), (uint32_t)(version % 5 + 1), version * 5},
        .fingerprint = version * UINT64_C(0x9E3779B97F4A7C15),
        .time_us = -(int64_t)version,
    };
}

static bool is_whole(const struct vs_root_record *record)
{
    struct vs_root_record expected = record_of(record->version);
    return record->tree.page == expected.tree.page && record->tree.depth == expected.tree.depth &&
           record->tree.keys == expected.tree.keys &&
           record->catalogue.page == expected.catalogue.page &&
           record->catalogue.depth == expected.catalogue.depth &&
           record->catalogue.keys == expected.catalogue.keys &&
           record->fingerprint == expected.fingerprint && record->time_us == expected.time_us;
}

static void begin_at(uint64_t version)
{
    verso_err err = vs_reader_slots_init(&readers);
    cr_assert_eq(err, VERSO_OK);
    struct vs_root_record first = record_of(version);
    err = vs_roots_init(&roots, &first);
    cr_assert_eq(err, VERSO_OK);
}

static void end(void)
{
    vs_roots_clear(&roots);
    vs_reader_slots_clear(&readers);
}

static void append(uint64_t version, const char *note)
{
    struct vs_root_record record = record_of(version);
    record.note = verso_text(note);
    verso_err err = vs_roots_reserve(&roots, version, record.note.size);
    cr_assert_eq(err, VERSO_OK);
    vs_roots_append(&roots, &record);
}

static void forget(uint64_t version)
{
    vs_lock_take(&roots.lookup_lock);
    vs_roots_forget(&roots, version);
    vs_lock_release(&roots.lookup_lock);
}

static bool finds(uint64_t version, const char *note)
{
    struct vs_root_record record;
    uint8_t bytes[VS_NOTE_MAX];
    vs_lock_take(&roots.lookup_lock);
    bool found = vs_roots_find(&roots, version, &record, bytes);
    vs_lock_release(&roots.lookup_lock);
    return found && record.version == version && is_whole(&record) &&
           record.note.size == strlen(note) && memcmp(bytes, note, strlen(note)) == 0;
}

Test(roots, the_first_one_is_published_and_not_recent)
{
    begin_at(41);
    cr_assert_eq(vs_roots_published(&roots), 41);
    cr_assert_not(finds(41, ""));
    cr_assert_not(finds(42, ""));
    uint32_t slot;
    struct vs_root_record record;
    verso_err err = vs_roots_pin(&roots, &readers, &slot, &record);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(record.version, 41);
    cr_assert(is_whole(&record));
    end();
}

Test(roots, committed_ones_are_found_and_pinned_once_published)
{
    begin_at(0);
    append(1, "first");
    append(2, "");
    cr_assert(finds(1, "first"));
    cr_assert(finds(2, ""));
    cr_assert_eq(vs_roots_published(&roots), 0);
    vs_roots_publish(&roots, 2);
    vs_roots_publish(&roots, 1); /* late: the newer one stays */
    cr_assert_eq(vs_roots_published(&roots), 2);
    uint32_t slot;
    struct vs_root_record record;
    vs_reader_raise_epoch(&readers, 9);
    verso_err err = vs_roots_pin(&roots, &readers, &slot, &record);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_eq(record.version, 2);
    cr_assert_eq(atomic_load(&readers.slot[slot].pinned), 3);
    cr_assert_eq(atomic_load(&readers.slot[slot].epoch), 9);
    end();
}

Test(roots, one_taken_back_is_not_found_and_its_number_is_given_again)
{
    begin_at(5);
    append(6, "this commit failed");
    vs_roots_retract(&roots, 6);
    cr_assert_not(finds(6, "this commit failed"));
    append(6, "");
    cr_assert(finds(6, ""));
    append(7, "a note reserved for a commit that never came");
    vs_roots_retract(&roots, 7); /* its memory goes with the list */
    end();
}

Test(roots, forgotten_ones_are_not_found_the_others_still_are)
{
    begin_at(VS_ROOT_CHUNK - 3);
    uint64_t last = 3 * VS_ROOT_CHUNK + 5;
    for (uint64_t version = VS_ROOT_CHUNK - 2; version <= last; version++) {
        append(version, version % 2 == 0 ? "even" : "");
    }
    uint64_t forgotten[] = {VS_ROOT_CHUNK - 2, VS_ROOT_CHUNK - 1, VS_ROOT_CHUNK,
                            2 * VS_ROOT_CHUNK + 7, last};
    for (size_t i = 0; i < sizeof forgotten / sizeof *forgotten; i++) {
        forget(forgotten[i]);
        forget(forgotten[i]); /* again does nothing */
        for (uint64_t version = VS_ROOT_CHUNK - 2; version <= last + 1; version++) {
            bool expected = version > forgotten[i] && version <= last;
            cr_assert_eq(finds(version, version % 2 == 0 ? "even" : ""), expected, "root %llu",
                         (unsigned long long)version);
        }
    }
    append(last + 1, "goes on");
    cr_assert(finds(last + 1, "goes on"));
    end();
}

Test(roots, the_longest_note_fits)
{
    char note[VS_NOTE_MAX + 1];
    memset(note, 'x', VS_NOTE_MAX);
    note[VS_NOTE_MAX] = '\0';
    begin_at(0);
    append(1, note);
    cr_assert(finds(1, note));
    end();
}

Test(roots, no_more_are_taken_than_the_ring_can_tell_apart)
{
    begin_at(0);
    append(1, "");
    verso_err err = vs_roots_reserve(&roots, VS_RECENT_ROOTS_MAX, 0);
    cr_assert_eq(err, VERSO_OK);
    err = vs_roots_reserve(&roots, UINT64_C(1) + VS_RECENT_ROOTS_MAX, 0);
    cr_assert_eq(err, VERSO_LIMIT);
    forget(1);
    err = vs_roots_reserve(&roots, UINT64_C(1) + VS_RECENT_ROOTS_MAX, 0);
    cr_assert_eq(err, VERSO_OK);
    end();
}

Test(roots, ids_that_were_passed_over_are_not_found)
{
    begin_at(0);
    append(1, "one");
    append(5, "five");
    append(5000, "far"); /* chunks between are not there */
    for (uint64_t version = 2; version < 5000; version++) {
        cr_assert_eq(finds(version, "five"), version == 5, "root %u", (unsigned)version);
    }
    cr_assert(finds(1, "one"));
    cr_assert(finds(5000, "far"));
    forget(4000);
    cr_assert_not(finds(5, "five"));
    cr_assert(finds(5000, "far"));
    append(5001, "next");
    cr_assert(finds(5001, "next"));
    end();
}

Test(roots, an_id_taken_back_may_be_passed_over)
{
    begin_at(0);
    append(1, "");
    append(2, "no");
    vs_roots_retract(&roots, 2);
    append(4, "four");
    cr_assert_not(finds(2, "no"));
    cr_assert_not(finds(3, ""));
    cr_assert(finds(4, "four"));
    end();
}

Test(roots, any_number_of_ids_is_passed_over_when_there_is_nothing_recent)
{
    begin_at(7);
    append(8, "eight");
    forget(8);
    const uint64_t far[] = {9, UINT64_C(1) << 20, (UINT64_C(1) << 20) + 3, UINT64_C(1) << 40,
                            (UINT64_C(1) << 40) + (uint64_t)VS_ROOT_CHUNK * VS_ROOT_CHUNKS_MAX};
    for (unsigned i = 0; i < sizeof far / sizeof far[0]; i++) {
        append(far[i], "far");
        cr_assert(finds(far[i], "far"));
        cr_assert_not(finds(far[i] - 1, "far"));
        vs_roots_publish(&roots, far[i]);
        cr_assert_eq(vs_roots_published(&roots), far[i]);
        forget(far[i]);
        cr_assert_not(finds(far[i], "far"));
    }
    end();
}

/* Pin, look at the record, unpin, until the last root is met. */
static void *read_published(void *argument)
{
    (void)argument;
    uint64_t before = 0;
    while (before < PUBLICATIONS) {
        uint32_t slot;
        struct vs_root_record record;
        verso_err err = vs_roots_pin(&roots, &readers, &slot, &record);
        cr_assert_eq(err, VERSO_OK);
        cr_assert(is_whole(&record), "a mixture of two roots");
        cr_assert_geq(record.version, before, "an older root than before");
        cr_assert_eq(atomic_load(&readers.slot[slot].pinned), record.version + 1);
        before = record.version;
        vs_reader_unpin(&readers, slot);
    }
    return NULL;
}

Test(roots, readers_meet_whole_roots_only_while_others_are_published)
{
    begin_at(0);
    pthread_t thread[READERS];
    for (unsigned i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, read_published, NULL), 0);
    }
    for (uint64_t version = 1; version <= PUBLICATIONS; version++) {
        append(version, "");
        vs_roots_publish(&roots, version);
        if (version % 1000 == 0) {
            forget(version);
        }
    }
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(thread[i], NULL);
    }
    end();
}
