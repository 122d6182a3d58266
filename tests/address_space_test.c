/*
 * address_space_test.c - a file that outgrows its mapping, under open views and cursors; and
 * processes that cannot have the usual address space.
 *
 * The system beneath is the real one, but for the size of a mapping, which the tests bound. The
 * place of what is unmapped stays taken and shut, so that whoever looks there is killed.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/fault.h"
#include "os/os.h"
#include "simulated_disk.h"
#include "verso.h"

enum {
    MIB = 1 << 20,
    OLD_VIEWS = 4,
    VALUE_SIZE = 900, /* bytes */
    KEYS_A_ROUND = 1000,
    READERS = 3,
};

#define PLENTY (UINT64_C(1) << 40)

/* ---- the system ---- */

static struct vs_os narrow; /* the real one, with bounded mappings */
static _Atomic uint64_t room;
static _Atomic bool just_enough; /* map little more than the file's length */
static _Atomic int mapped;       /* mappings at this moment */
static _Atomic int maps;         /* mappings ever */

static verso_err narrow_map(struct vs_file *file, size_t size, const uint8_t **address)
{
    struct vs_file_identity identity;
    verso_err err = narrow.identify(file, &identity);
    uint64_t most = atomic_load(&room);
    uint64_t enough = identity.size + identity.size / 4 + MIB;
    most = atomic_load(&just_enough) && enough < most ? enough : most;
    if (err == VERSO_OK && size > most) {
        err = vs_fault(VERSO_NOMEM, "a narrow system");
    }
    if (err == VERSO_OK) {
        err = vs_os_real()->map(file, size, address);
    }
    if (err == VERSO_OK) {
        atomic_fetch_add(&mapped, 1);
        atomic_fetch_add(&maps, 1);
    }
    return err;
}

static void narrow_unmap(struct vs_file *file, const uint8_t *address, size_t size)
{
    (void)file;
    cr_assert_not_null(address);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    void *shut = mmap((void *)(uintptr_t)address, size, PROT_NONE, flags, -1, 0);
    cr_assert_eq(shut, (const void *)address);
    atomic_fetch_sub(&mapped, 1);
}

/* ---- the store ---- */

static char folder[64];
static char path[96];
static verso_store *store;
static uint64_t arena_bytes = 4 * MIB;

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-space-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/store", folder);
    narrow = *vs_os_real();
    narrow.map = narrow_map;
    narrow.unmap = narrow_unmap;
    narrow.background = false; /* checkpoints when the test asks for them */
    atomic_store(&room, PLENTY);
}

static void remove_folder(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0, "%s holds more than the store", folder);
}

TestSuite(address_space, .init = make_folder, .fini = remove_folder);

static void open_store(uint64_t keep_last, const struct vs_os *system)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_retention policy = keep_last == 0 ? verso_keep_all() : verso_keep_last(keep_last);
    options.retention = &policy;
    options.durability = VERSO_DURABILITY_INTERVAL;
    options.arena_bytes = arena_bytes;
    options.system = system;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

/* The first mapping is of `bytes`: a sixteenth of what there is. */
static void open_narrow_store(uint64_t keep_last, uint64_t bytes)
{
    atomic_store(&room, bytes * 16);
    open_store(keep_last, &narrow);
    cr_assert_eq(atomic_load(&mapped), 1);
    atomic_store(&maps, 0);
}

static void check_store(void)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, VERSO_OK, "root %" PRIu64 ", page %" PRIu32 ": %s", report.bad_root,
                 report.bad_page, report.fault);
}

static void close_store(void)
{
    check_store();
    verso_err err = verso_close(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(atomic_load(&mapped), 0, "a mapping is left");
}

static void checkpoint(void)
{
    verso_err err = verso_checkpoint(store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static uint64_t file_bytes(void)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats.file_bytes;
}

/* ---- rounds of keys: root `round` holds the keys of all rounds up to it ---- */

static verso_slice key_of(unsigned round, unsigned number, char *text, size_t size)
{
    (void)snprintf(text, size, "%05u of round %04u", number * 7919U % KEYS_A_ROUND, round);
    return verso_text(text);
}

static verso_err put_round(verso_txn *txn, unsigned round)
{
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < KEYS_A_ROUND && err == VERSO_OK; i++) {
        char text[32];
        uint8_t value[VALUE_SIZE];
        memset(value, (int)(round + i), sizeof value);
        err =
            verso_put(txn, key_of(round, i, text, sizeof text), (verso_slice){value, sizeof value});
    }
    return err;
}

static verso_err try_round(unsigned round)
{
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    err = put_round(txn, round);
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

static void add_round(unsigned round)
{
    verso_err err = try_round(round);
    cr_assert_eq(err, VERSO_OK, "round %u: %s", round, verso_error_detail());
}

static bool is_filled(verso_slice value, uint8_t byte)
{
    const uint8_t *bytes = value.data;
    bool same = value.size == VALUE_SIZE;
    for (size_t i = 0; i < value.size; i++) {
        same = same && bytes[i] == byte;
    }
    return same;
}

static verso_slice get(verso_view *view, unsigned round, unsigned number)
{
    char text[32];
    verso_slice value;
    verso_err err = verso_get(view, key_of(round, number, text, sizeof text), &value);
    cr_assert_eq(err, VERSO_OK, "key %u of round %u: %s", number, round, verso_error_detail());
    cr_assert(is_filled(value, (uint8_t)(round + number)));
    return value;
}

static unsigned count_on(verso_cursor *cursor)
{
    unsigned count = 0;
    verso_entry entry;
    verso_err err;
    while ((err = verso_cursor_next(cursor, &entry)) == VERSO_OK) {
        cr_assert(is_filled(entry.value, *(const uint8_t *)entry.value.data));
        count++;
    }
    cr_assert_eq(err, VERSO_NOT_FOUND, "%s", verso_error_detail());
    return count;
}

static void expect_rounds(verso_view *view, unsigned rounds)
{
    for (unsigned round = 1; round <= rounds; round++) {
        for (unsigned i = 0; i < KEYS_A_ROUND; i += 37) {
            (void)get(view, round, i);
        }
    }
    verso_cursor *cursor;
    cr_assert_eq(verso_cursor_open(view, NULL, &cursor), VERSO_OK);
    cr_assert_eq(count_on(cursor), rounds * KEYS_A_ROUND);
    verso_cursor_close(cursor);
}

/* ---- exchanging ---- */

/** A view in the middle of things. */
struct midway {
    verso_view *view;
    verso_cursor *cursor;
    unsigned rounds;
    verso_slice borrowed; /* key 1 of the newest round */
};

static struct midway begin_reading(unsigned rounds)
{
    struct midway midway = {.rounds = rounds};
    cr_assert_eq(verso_view_open(store, &midway.view), VERSO_OK, "%s", verso_error_detail());
    midway.borrowed = get(midway.view, rounds, 1);
    cr_assert_eq(verso_cursor_open(midway.view, NULL, &midway.cursor), VERSO_OK);
    for (unsigned i = 0; i < rounds * KEYS_A_ROUND / 2; i++) {
        verso_err err = verso_cursor_next(midway.cursor, NULL);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    return midway;
}

static void read_on(struct midway *midway)
{
    cr_assert(is_filled(midway->borrowed, (uint8_t)(midway->rounds + 1)), "what was borrowed");
    cr_assert_eq(count_on(midway->cursor), midway->rounds * KEYS_A_ROUND / 2);
    expect_rounds(midway->view, midway->rounds);
    verso_cursor_close(midway->cursor);
    verso_view_close(midway->view);
}

Test(address_space, a_larger_mapping_takes_over_under_open_views)
{
    open_narrow_store(1, 4 * MIB);
    atomic_store(&room, PLENTY);
    atomic_store(&just_enough, true);
    int mapped_before = 0;
    int maps_before = 0;
    struct midway midway[OLD_VIEWS];
    for (unsigned i = 0; i < OLD_VIEWS; i++) {
        add_round(2 * i + 1);
        add_round(2 * i + 2);
        checkpoint(); /* so that the view reads the mapping, not frames */
        midway[i] = begin_reading(2 * i + 2);
        mapped_before = i == 0 ? atomic_load(&mapped) : mapped_before;
        maps_before = i == 0 ? atomic_load(&maps) : maps_before;
    }
    int exchanges = atomic_load(&maps) - maps_before;
    cr_assert_geq(exchanges, 4);
    cr_assert_geq(atomic_load(&mapped), 1 + exchanges, "a mapping went under an open view");
    cr_assert_leq(atomic_load(&mapped), mapped_before + exchanges);
    for (unsigned i = 0; i < OLD_VIEWS; i++) {
        read_on(&midway[i]);
    }
    atomic_store(&just_enough, false);
    for (unsigned round = 2 * OLD_VIEWS + 1; round <= 2 * OLD_VIEWS + 3; round++) {
        add_round(round);
        checkpoint();
    }
    cr_assert_eq(atomic_load(&mapped), 1, "the replaced mappings stay");
    close_store();
}

Test(address_space, one_transaction_may_outgrow_several_mappings)
{
    open_narrow_store(1, 4 * MIB);
    atomic_store(&room, PLENTY);
    atomic_store(&just_enough, true);
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned round = 1; round <= 20; round++) { /* far more than the arena: they are spilled */
        cr_assert_eq(put_round(txn, round), VERSO_OK, "round %u: %s", round, verso_error_detail());
    }
    cr_assert_geq(atomic_load(&maps), 4);
    expect_rounds(verso_txn_view(txn), 20);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    atomic_store(&just_enough, false);
    add_round(21);
    checkpoint();
    add_round(22);
    checkpoint();
    add_round(23);
    checkpoint();
    cr_assert_eq(atomic_load(&mapped), 1);
    close_store();
    open_store(1, &narrow);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    expect_rounds(view, 23);
    verso_view_close(view);
    close_store();
}

/* ---- no room ---- */

Test(address_space, without_room_for_a_larger_mapping_a_transaction_fails_and_the_next_may_not)
{
    open_narrow_store(1, 2 * MIB);
    add_round(1);
    atomic_store(&room, 0);
    unsigned round = 2;
    verso_err err;
    while ((err = try_round(round)) == VERSO_OK) {
        round++;
        cr_assert_lt(round, 10);
    }
    cr_assert_eq(err, VERSO_NOMEM, "%s: %s", verso_strerror(err), verso_error_detail());
    cr_assert(strstr(verso_error_detail(), "address space") != NULL, "%s", verso_error_detail());
    check_store();
    verso_txn *txn; /* the reserve serves a transaction that deletes */
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned i = 0; i < 10; i++) {
        char text[32];
        err = verso_delete(txn, key_of(1, i, text, sizeof text));
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
    atomic_store(&room, PLENTY);
    add_round(round);
    close_store();
}

Test(address_space, page_words_used_up_are_a_limit_until_the_next_open)
{
    open_narrow_store(1, MIB); /* page words for 16 MiB */
    atomic_store(&room, PLENTY);
    unsigned round = 1;
    verso_err err;
    while ((err = try_round(round)) == VERSO_OK) {
        round++;
        cr_assert_lt(round, 40);
    }
    cr_assert_eq(err, VERSO_LIMIT, "%s: %s", verso_strerror(err), verso_error_detail());
    cr_assert_leq(file_bytes(), 16 * MIB);
    cr_assert_gt(file_bytes(), 12 * MIB);
    close_store();
    open_store(1, &narrow);
    add_round(round);
    close_store();
}

Test(address_space, a_store_of_exactly_the_room_there_is_opens)
{
    open_store(1, &narrow);
    for (unsigned round = 1; round <= 3; round++) {
        add_round(round);
    }
    close_store();
    open_store(1, &narrow);
    uint64_t bytes = file_bytes();
    close_store();
    atomic_store(&room, bytes);
    open_store(1, &narrow);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    expect_rounds(view, 3);
    verso_view_close(view);
    close_store();
    atomic_store(&room, bytes - 1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.system = &narrow;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_NOMEM, "%s", verso_strerror(err));
    cr_assert_eq(atomic_load(&mapped), 0);
}

/* ---- on the simulated disk, which maps 256 MiB at most: so the first mapping is of 16 MiB ---- */

Test(address_space, recovery_may_outgrow_the_first_mapping)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    (void)snprintf(path, sizeof path, "store");
    arena_bytes = 64 * MIB; /* no checkpoint */
    open_store(1, simulated_disk_os(disk));
    for (unsigned round = 1; round <= 20; round++) {
        add_round(round);
    }
    cr_assert_eq(verso_sync(store), VERSO_OK, "%s", verso_error_detail());
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_eq(stats.checkpoints, 0);
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    close_store();
    simulated_disk_close(disk);

    open_store(1, simulated_disk_os(left));
    cr_assert_gt(file_bytes(), 16 * MIB);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    expect_rounds(view, 20);
    verso_view_close(view);
    close_store();
    simulated_disk_close(left);
}

Test(address_space, a_larger_mapping_that_fails_is_an_error_of_its_transaction_alone)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    (void)snprintf(path, sizeof path, "store");
    open_store(1, simulated_disk_os(disk));
    struct simulated_fault fault = {.kind = SIMULATED_MAP, .nth = 1};
    simulated_disk_inject(disk, &fault);
    unsigned round = 1;
    verso_err err;
    while ((err = try_round(round)) == VERSO_OK) {
        round++;
        cr_assert_lt(round, 30);
    }
    cr_assert_eq(err, VERSO_IO, "%s: %s", verso_strerror(err), verso_error_detail());
    cr_assert_leq(file_bytes(), 16 * MIB);
    check_store();
    add_round(round);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    expect_rounds(view, round);
    verso_view_close(view);
    close_store();
    simulated_disk_close(disk);
}

/* ---- threads ---- */

static _Atomic bool over;

static void *scan_on(void *argument)
{
    _Atomic uint64_t *scans = argument;
    while (!atomic_load(&over)) {
        verso_stats stats = {.size = sizeof stats};
        cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
        verso_view *view;
        uint64_t id = stats.oldest + (stats.published - stats.oldest) / 2;
        verso_err err =
            id == 0 ? verso_view_open(store, &view) : verso_view_open_root(store, id, &view);
        if (err == VERSO_GONE) {
            continue;
        }
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
        verso_root_info info = {.size = sizeof info};
        cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
        expect_rounds(view, (unsigned)info.id);
        verso_view_close(view);
        atomic_fetch_add(scans, 1);
    }
    return NULL;
}

Test(address_space, readers_go_on_while_mappings_come_and_go)
{
    narrow.background = true;
    open_narrow_store(4, 8 * MIB);
    atomic_store(&room, PLENTY);
    atomic_store(&just_enough, true); /* nearly every growth is an exchange */
    pthread_t reader[READERS];
    _Atomic uint64_t scans = 0;
    for (unsigned i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&reader[i], NULL, scan_on, &scans), 0);
    }
    for (unsigned round = 1; round <= 12; round++) {
        add_round(round);
        checkpoint();
    }
    while (atomic_load(&scans) < READERS) {
        (void)usleep(1000);
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_join(reader[i], NULL), 0);
    }
    cr_assert_geq(atomic_load(&maps), 8);
    close_store();
}

/* ---- processes with little address space ---- */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

static uint64_t address_space_used(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%lu", &pages) != 1) {
        pages = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

Test(address_space, a_process_of_512_mib_lets_a_store_grow_past_its_first_mapping)
{
    uint64_t used = address_space_used();
    if (used == 0) {
        cr_skip_test("the system does not say what a process uses");
    }
    struct rlimit limit = {used + 512 * MIB, RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    open_store(1, NULL);
    void *memory = malloc(64 * MIB); /* the host has room too */
    cr_assert_not_null(memory);
    free(memory);
    add_round(1);
    checkpoint();
    struct midway midway = begin_reading(1);
    unsigned round = 2;
    while (file_bytes() < 72 * MIB) {
        add_round(round);
        round++;
    }
    read_on(&midway);
    close_store();
}

#endif
