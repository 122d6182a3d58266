/*
 * simulated_file.c - sectors that no sync covers, and what becomes of them.
 *
 * The durable contents are not kept as a whole: they are the live ones except in dirty sectors,
 * each of which remembers what the medium holds.
 *
 * S1  dirty_at[s] is 0, or 1 + the index of sector s in `dirty`.
 * S2  The medium holds the live contents of a sector that is not dirty.
 * S3  A forgotten sector (its sync failed) is clean to the system: no sync takes it along. It
 *     becomes an ordinary dirty one when it is written again.
 * S4  live holds zeros from live_size on; what lies beyond its last 4 KiB page is inaccessible.
 * S5  live holds zeros from written_size on, too: only what lies before has to be cleared.
 * S6  A file that is written through has no dirty sectors.
 */
#include "simulated_file.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "os/memory.h"
#include "simulated_memory.h"

enum {
    MAP_PAGE_SIZE = 4096, /* bytes; how far a mapping reaches beyond the end of its file */
    BETWEEN_MAX = 4,
    SECTORS_MAX = SIMULATED_FILE_SIZE_MAX / SIMULATED_SECTOR_SIZE,
    TORN_SIZE = 64,    /* bytes */
    BIAS_PARTS = 16,   /* a file's sectors are new with a probability of n / BIAS_PARTS */
    DIRTY_KEPT = 4096, /* emptied records whose memory is not given back */
    SPARE_MAX = 8
};

struct dirty_sector {
    uint32_t sector;
    uint8_t between_count;
    bool is_forgotten;                                   /* S3 */
    bool is_settled;                                     /* about to be dropped */
    uint8_t durable[SIMULATED_SECTOR_SIZE];              /* what the medium holds */
    uint8_t between[BETWEEN_MAX][SIMULATED_SECTOR_SIZE]; /* what it may have got since */
};

/* The memory of a file that is gone, for the next one's records: to get it anew costs a page fault
 * for every second record. */
struct spare_records {
    struct dirty_sector *dirty;
    uint32_t *dirty_at; /* all zeros */
};

static pthread_mutex_t spare_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct spare_records spares[SPARE_MAX]; /* guarded by spare_mutex, as is the next */
static size_t spare_count;

static inline uint64_t offset_of(const struct dirty_sector *record)
{
    return (uint64_t)record->sector * SIMULATED_SECTOR_SIZE;
}

/* A sector that was cut off lives on as a record only: a crash may bring it back. */
static inline bool is_cut(const struct simulated_file *file, const struct dirty_sector *record)
{
    return offset_of(record) >= file->live_size;
}

/* Whether a crash may leave either contents of the sector. */
static inline bool is_undecided(const struct simulated_file *file,
                                const struct dirty_sector *record)
{
    return !record->is_forgotten && !is_cut(file, record);
}

static inline uint8_t *sector_of(const struct simulated_file *file, uint32_t sector)
{
    assert(sector < SECTORS_MAX);
    return file->live + (size_t)sector * SIMULATED_SECTOR_SIZE;
}

/* ---- memory -------------------------------------------------------------------------------- */

static inline size_t accessible_size(uint64_t size)
{
    return (size_t)(size + MAP_PAGE_SIZE - 1) / MAP_PAGE_SIZE * MAP_PAGE_SIZE;
}

/* Set live_size, and with it what can be touched (S4). */
static void set_live_size(struct simulated_file *file, uint64_t size)
{
    assert(size <= SIMULATED_FILE_SIZE_MAX);
    size_t before = accessible_size(file->live_size);
    size_t after = accessible_size(size);
    simulated_memory_open(file->live, before, after);
    simulated_memory_shut(file->live, after, before);
    file->live_size = size;
}

/* To be called where live contents up to `end` are set (S5). */
static void note_written(struct simulated_file *file, uint64_t end)
{
    size_t written = accessible_size(end);
    file->written_size = written > file->written_size ? written : file->written_size;
}

static void get_records(struct simulated_file *file)
{
    (void)pthread_mutex_lock(&spare_mutex);
    if (spare_count > 0) {
        spare_count--;
        file->dirty = spares[spare_count].dirty;
        file->dirty_at = spares[spare_count].dirty_at;
    }
    (void)pthread_mutex_unlock(&spare_mutex);
    if (file->dirty == NULL) {
        file->dirty = simulated_memory_reserve(SECTORS_MAX * sizeof *file->dirty);
        file->dirty_at = simulated_memory_reserve(SECTORS_MAX * sizeof *file->dirty_at);
    }
}

static void give_records_back(struct simulated_file *file)
{
    if (file->dirty == NULL) {
        return;
    }
    for (size_t i = 0; i < file->dirty_count; i++) {
        file->dirty_at[file->dirty[i].sector] = 0;
    }
    bool is_kept = false;
    (void)pthread_mutex_lock(&spare_mutex);
    if (file->dirty_count <= DIRTY_KEPT && spare_count < SPARE_MAX) {
        spares[spare_count] = (struct spare_records){file->dirty, file->dirty_at};
        spare_count++;
        is_kept = true;
    }
    (void)pthread_mutex_unlock(&spare_mutex);
    if (!is_kept) {
        vs_memory_release(file->dirty, SECTORS_MAX * sizeof *file->dirty);
        vs_memory_release(file->dirty_at, SECTORS_MAX * sizeof *file->dirty_at);
    }
}

static struct simulated_file *open_sized(uint64_t inode, uint64_t size)
{
    struct simulated_file *file = simulated_memory_reserve(sizeof *file);
    file->inode = inode;
    file->references = 1;
    file->live_size = size;
    file->live = simulated_memory_take(accessible_size(size));
    return file;
}

struct simulated_file *simulated_file_open(uint64_t inode)
{
    return open_sized(inode, 0);
}

void simulated_file_hold(struct simulated_file *file)
{
    file->references++;
}

void simulated_file_release(struct simulated_file *file)
{
    assert(file->references > 0);
    file->references--;
    if (file->references > 0) {
        return;
    }
    assert(file->links == 0);
    assert(file->handles == 0);
    size_t open_size = accessible_size(file->live_size);
    size_t used_size = file->written_size < open_size ? file->written_size : open_size; /* S4, S5 */
    simulated_memory_return(file->live, open_size, used_size);
    give_records_back(file);
    vs_memory_release(file, sizeof *file);
}

/* ---- dirty sectors ------------------------------------------------------------------------- */

static struct dirty_sector *dirty_record(const struct simulated_file *file, uint32_t sector)
{
    if (file->dirty_at == NULL || file->dirty_at[sector] == 0) {
        return NULL;
    }
    return &file->dirty[file->dirty_at[sector] - 1]; /* S1 */
}

static struct dirty_sector *new_record(struct simulated_file *file, uint32_t sector)
{
    if (file->dirty == NULL) {
        get_records(file);
    }
    assert(file->dirty_count < SECTORS_MAX);
    struct dirty_sector *record = &file->dirty[file->dirty_count];
    file->dirty_count++;
    file->dirty_at[sector] = (uint32_t)file->dirty_count; /* S1 */
    record->sector = sector;
    record->between_count = 0;
    record->is_forgotten = false;
    record->is_settled = false;
    return record;
}

/* The contents that a further write is about to replace may have reached the medium by then. */
static void remember_between(struct simulated_file *file, struct simulated_random *random,
                             struct dirty_sector *record)
{
    size_t slot = record->between_count;
    if (slot == BETWEEN_MAX) {
        slot = (size_t)simulated_random_below(random, BETWEEN_MAX);
    } else {
        record->between_count++;
    }
    memcpy(record->between[slot], sector_of(file, record->sector), SIMULATED_SECTOR_SIZE);
}

/* To be called before live contents of a sector change. */
static void touch(struct simulated_file *file, struct simulated_random *random, uint32_t sector)
{
    struct dirty_sector *record = dirty_record(file, sector);
    if (record == NULL) {
        record = new_record(file, sector);
        memcpy(record->durable, sector_of(file, sector), SIMULATED_SECTOR_SIZE); /* S2 */
    } else if (record->is_forgotten) {
        record->is_forgotten = false; /* S3: what it held never was on its way */
    } else {
        remember_between(file, random, record);
    }
}

/* Drop the settled records; the others keep their order. */
static void drop_settled(struct simulated_file *file)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->dirty_count; i++) {
        if (file->dirty[i].is_settled) {
            file->dirty_at[file->dirty[i].sector] = 0;
            continue;
        }
        if (kept < i) {
            file->dirty[kept] = file->dirty[i];
        }
        kept++;
        file->dirty_at[file->dirty[kept - 1].sector] = (uint32_t)kept; /* S1 */
    }
    if (kept == 0 && file->dirty_count > DIRTY_KEPT) {
        vs_memory_discard(file->dirty, SECTORS_MAX * sizeof *file->dirty);
    }
    file->dirty_count = kept;
}

/* ---- write --------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* No record of what was there before; and zeros where nothing was cost no memory. */
static void write_through(struct simulated_file *file, uint64_t offset, const void *bytes,
                          size_t size)
{
    assert(file->dirty_count == 0); /* S6 */
    if (offset < file->written_size || !is_zero(bytes, size)) {
        memcpy(file->live + offset, bytes, size);
        note_written(file, offset + size);
    }
    file->durable_size = file->live_size;
}

void simulated_file_write(struct simulated_file *file, struct simulated_random *random,
                          uint64_t offset, const void *bytes, size_t size)
{
    assert(offset <= SIMULATED_FILE_SIZE_MAX);
    assert(size <= SIMULATED_FILE_SIZE_MAX - offset);
    if (size == 0) {
        return;
    }
    if (offset + size > file->live_size) {
        set_live_size(file, offset + size);
    }
    if (file->is_written_through) {
        write_through(file, offset, bytes, size);
        return;
    }
    uint32_t first = (uint32_t)(offset / SIMULATED_SECTOR_SIZE);
    uint32_t last = (uint32_t)((offset + size - 1) / SIMULATED_SECTOR_SIZE);
    for (uint32_t sector = first; sector <= last; sector++) {
        touch(file, random, sector);
    }
    memcpy(file->live + offset, bytes, size);
    note_written(file, offset + size);
}

void simulated_file_write_through(struct simulated_file *file, bool is_written_through)
{
    simulated_file_sync(file, true);
    file->is_written_through = is_written_through && file->dirty_count == 0; /* S3, S6 */
}

void simulated_file_load(struct simulated_file *file, const void *bytes, size_t size)
{
    assert(file->dirty_count == 0);
    assert(file->live_size == 0);
    set_live_size(file, size);
    if (size > 0) {
        memcpy(file->live, bytes, size);
        note_written(file, size);
    }
    file->durable_size = size;
}

/* Zero what lies beyond `size`, as writes would, so that a crash may bring it back. */
static void cut(struct simulated_file *file, struct simulated_random *random, uint64_t size)
{
    uint64_t offset = size;
    uint64_t end_size = file->live_size < file->written_size ? file->live_size : file->written_size;
    while (offset < end_size) { /* S5 */
        uint64_t sector = offset / SIMULATED_SECTOR_SIZE;
        uint64_t end = (sector + 1) * SIMULATED_SECTOR_SIZE;
        if (!is_zero(file->live + offset, (size_t)(end - offset))) {
            if (!file->is_written_through) {
                touch(file, random, (uint32_t)sector);
            }
            memset(file->live + offset, 0, (size_t)(end - offset));
        }
        offset = end;
    }
}

void simulated_file_resize(struct simulated_file *file, struct simulated_random *random,
                           uint64_t size)
{
    cut(file, random, size);
    set_live_size(file, size);
    if (file->is_written_through) {
        file->durable_size = size;
    }
}

/* ---- sync ---------------------------------------------------------------------------------- */

/* The end of what was written since the last sync: a read of it needs that much of the length. */
static uint64_t needed_size(const struct simulated_file *file)
{
    uint64_t needed = 0;
    for (size_t i = 0; i < file->dirty_count; i++) {
        uint64_t end = offset_of(&file->dirty[i]) + SIMULATED_SECTOR_SIZE;
        needed = end > needed ? end : needed;
    }
    return needed;
}

void simulated_file_sync(struct simulated_file *file, bool is_full)
{
    uint64_t least = is_full ? file->live_size : needed_size(file);
    least = least > file->durable_size ? least : file->durable_size;
    for (size_t i = 0; i < file->dirty_count; i++) {
        struct dirty_sector *record = &file->dirty[i];
        record->is_settled = !record->is_forgotten || is_cut(file, record);
    }
    drop_settled(file);
    file->durable_size = least < file->live_size ? least : file->live_size;
}

static void revert(struct simulated_file *file, const struct dirty_sector *record)
{
    if (is_cut(file, record)) {
        return;
    }
    uint64_t rest = file->live_size - offset_of(record);
    size_t size = rest < SIMULATED_SECTOR_SIZE ? (size_t)rest : SIMULATED_SECTOR_SIZE; /* S4 */
    memcpy(sector_of(file, record->sector), record->durable, size);
}

/*
 * Which of the three happens in life depends on the file system and on chance (Rebello et al., "Can
 * Applications Recover from fsync Failures?", ATC 2020). The length stays out of it: it travels
 * through the file system's journal, and the next sync makes it durable.
 */
void simulated_file_fail_sync(struct simulated_file *file, struct simulated_random *random,
                              enum simulated_effect effect)
{
    for (size_t i = 0; i < file->dirty_count; i++) {
        struct dirty_sector *record = &file->dirty[i];
        if (record->is_forgotten) {
            continue;
        }
        if (effect == SIMULATED_FAILS_PARTLY && simulated_random_below(random, 2) == 0) {
            record->is_settled = true;
            continue;
        }
        record->is_forgotten = true;
        record->between_count = 0;
    }
    if (effect == SIMULATED_FAILS_AND_REVERTS) {
        for (size_t i = 0; i < file->dirty_count; i++) {
            revert(file, &file->dirty[i]);
            file->dirty[i].is_settled = true; /* S2 holds for it again */
        }
    }
    drop_settled(file);
}

void simulated_file_write_back(struct simulated_file *file, struct simulated_random *random)
{
    for (size_t i = 0; i < file->dirty_count; i++) {
        struct dirty_sector *record = &file->dirty[i];
        if (is_undecided(file, record) && simulated_random_below(random, 2) == 0) {
            memcpy(record->durable, sector_of(file, record->sector), SIMULATED_SECTOR_SIZE);
            record->between_count = 0; /* the record stays: a later write may still be lost */
        }
    }
}

void simulated_file_flip(struct simulated_file *file, uint64_t offset, uint8_t mask)
{
    assert(offset < file->live_size);
    file->live[offset] ^= mask;
    note_written(file, offset + 1);
    struct dirty_sector *record = dirty_record(file, (uint32_t)(offset / SIMULATED_SECTOR_SIZE));
    if (record == NULL) {
        return;
    }
    size_t at = (size_t)(offset % SIMULATED_SECTOR_SIZE);
    record->durable[at] ^= mask;
    for (size_t i = 0; i < BETWEEN_MAX; i++) { /* those beyond the count do not matter */
        record->between[i][at] ^= mask;
    }
}

/* ---- copies -------------------------------------------------------------------------------- */

/* Zero pages are left out: in the copy they cost no memory. */
static void copy_live(struct simulated_file *copy, const struct simulated_file *file)
{
    uint64_t size = copy->live_size < file->live_size ? copy->live_size : file->live_size;
    size_t end = accessible_size(size);
    end = end < file->written_size ? end : file->written_size; /* S5 */
    for (size_t at = 0; at < end; at += MAP_PAGE_SIZE) {
        if (!is_zero(file->live + at, MAP_PAGE_SIZE)) {
            memcpy(copy->live + at, file->live + at, MAP_PAGE_SIZE);
            note_written(copy, at + MAP_PAGE_SIZE);
        }
    }
}

struct simulated_file *simulated_file_clone(const struct simulated_file *file)
{
    struct simulated_file *copy = open_sized(file->inode, file->live_size);
    copy->durable_size = file->durable_size;
    copy->is_written_through = file->is_written_through;
    copy_live(copy, file);
    for (size_t i = 0; i < file->dirty_count; i++) {
        const struct dirty_sector *record = &file->dirty[i];
        size_t used = offsetof(struct dirty_sector, between) +
                      record->between_count * sizeof record->between[0];
        memcpy(new_record(copy, record->sector), record, used);
    }
    return copy;
}

uint64_t simulated_file_dirty_sectors(const struct simulated_file *file)
{
    uint64_t count = 0;
    for (size_t i = 0; i < file->dirty_count; i++) {
        count += is_undecided(file, &file->dirty[i]);
    }
    return count;
}

/* ---- crash --------------------------------------------------------------------------------- */

static uint64_t crash_size(const struct simulated_file *file, struct simulated_fate *fate)
{
    switch (fate->mode) {
    case SIMULATED_CRASH_ALL_OLD:
        return file->durable_size;
    case SIMULATED_CRASH_ALL_NEW:
    case SIMULATED_CRASH_ONE_NEW:
    case SIMULATED_CRASH_ONE_OLD:
        return file->live_size;
    case SIMULATED_CRASH_RANDOM:
    case SIMULATED_CRASH_TORN:
        return simulated_random_below(fate->random, 2) == 0 ? file->durable_size : file->live_size;
    }
    abort();
}

static const uint8_t *draw(const struct simulated_file *file, const struct dirty_sector *record,
                           struct simulated_random *random, uint64_t bias)
{
    if (simulated_random_below(random, BIAS_PARTS) < bias) {
        return sector_of(file, record->sector);
    }
    size_t which = (size_t)simulated_random_below(random, record->between_count + 1U);
    return which == 0 ? record->durable : record->between[which - 1];
}

static void draw_torn(uint8_t *to, const struct simulated_file *file,
                      const struct dirty_sector *record, struct simulated_random *random,
                      uint64_t bias)
{
    for (size_t at = 0; at < SIMULATED_SECTOR_SIZE; at += TORN_SIZE) {
        memcpy(to + at, draw(file, record, random, bias) + at, TORN_SIZE);
    }
}

/* What a crash makes of one dirty sector. */
static void decide(uint8_t *to, const struct simulated_file *file,
                   const struct dirty_sector *record, struct simulated_fate *fate, uint64_t bias)
{
    const uint8_t *live = sector_of(file, record->sector);
    const uint8_t *from = record->durable;
    bool is_chosen = fate->seen == fate->chosen;
    fate->seen++;
    switch (fate->mode) {
    case SIMULATED_CRASH_ALL_OLD:
        break;
    case SIMULATED_CRASH_ALL_NEW:
        from = live;
        break;
    case SIMULATED_CRASH_ONE_NEW:
        from = is_chosen ? live : from;
        break;
    case SIMULATED_CRASH_ONE_OLD:
        from = is_chosen ? from : live;
        break;
    case SIMULATED_CRASH_RANDOM:
        from = draw(file, record, fate->random, bias);
        break;
    case SIMULATED_CRASH_TORN:
        draw_torn(to, file, record, fate->random, bias);
        return;
    }
    memcpy(to, from, SIMULATED_SECTOR_SIZE);
}

struct simulated_file *simulated_file_crash(const struct simulated_file *file,
                                            struct simulated_fate *fate)
{
    uint64_t size = crash_size(file, fate);
    struct simulated_file *copy = open_sized(file->inode, size);
    copy->durable_size = size;
    copy->is_written_through = file->is_written_through;
    copy_live(copy, file);

    /* One bias for the whole file: with even chances alone, hardly any of the drawn images would
       be nearly old or nearly new. */
    uint64_t bias = simulated_random_below(fate->random, BIAS_PARTS + 1);
    for (size_t i = 0; i < file->dirty_count; i++) {
        const struct dirty_sector *record = &file->dirty[i];
        uint8_t sector[SIMULATED_SECTOR_SIZE];
        if (is_undecided(file, record)) {
            decide(sector, file, record, fate, bias);
        } else {
            memcpy(sector, record->durable, sizeof sector); /* S3; or the cut itself was lost */
        }
        if (offset_of(record) < size) {
            memcpy(sector_of(copy, record->sector), sector, sizeof sector);
            note_written(copy, offset_of(record) + sizeof sector);
        }
    }
    memset(copy->live + size, 0, accessible_size(size) - (size_t)size); /* S4 */
    return copy;
}
