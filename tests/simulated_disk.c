/*
 * simulated_disk.c - make, copy, crash, damage and look into a simulated disk.
 *
 * The disk is one reserved stretch of memory, so that copying one neither fails nor uses malloc().
 * Files and names are in simulated_file.c and simulated_names.c, the engine's side is in
 * simulated_os.c, and what each of its calls goes through in simulated_call.c.
 */
#include "simulated_disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/fingerprint.h"
#include "os/memory.h"
#include "simulated_disk_inner.h"
#include "simulated_memory.h"

#define FIRST_CLOCK_US INT64_C(1577836800000000) /* 2020-01-01, so that times look like times */

/* ---- lock ---------------------------------------------------------------------------------- */

void simulated_disk_lock(struct simulated_disk *disk)
{
    int result = pthread_mutex_lock(&disk->mutex);
    assert(result == 0);
    (void)result;
}

void simulated_disk_unlock(struct simulated_disk *disk)
{
    int result = pthread_mutex_unlock(&disk->mutex);
    assert(result == 0);
    (void)result;
}

static void init_recursive_mutex(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    bool done = pthread_mutexattr_init(&attributes) == 0 &&
                pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE) == 0 &&
                pthread_mutex_init(mutex, &attributes) == 0;
    if (!done) {
        abort();
    }
    (void)pthread_mutexattr_destroy(&attributes);
}

/* ---- open, close, copy --------------------------------------------------------------------- */

struct simulated_disk *simulated_disk_open(uint64_t seed)
{
    struct simulated_disk *disk = simulated_memory_reserve(sizeof *disk);
    init_recursive_mutex(&disk->mutex);
    simulated_os_init(&disk->os, disk);
    struct simulated_random seeds = {seed};
    disk->chance.state = simulated_random_next(&seeds);
    disk->entropy.state = simulated_random_next(&seeds);
    disk->clock_us = FIRST_CLOCK_US;
    disk->capacity = UINT64_MAX;
    return disk;
}

void simulated_disk_close(struct simulated_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    assert(disk->open_files == 0);
    simulated_names_clear(&disk->names);
    (void)pthread_mutex_destroy(&disk->mutex);
    vs_memory_release(disk, sizeof *disk);
}

const struct vs_os *simulated_disk_os(struct simulated_disk *disk)
{
    return &disk->os;
}

/* A new disk with what is not names or contents. */
static struct simulated_disk *open_like(const struct simulated_disk *disk, uint64_t seed)
{
    struct simulated_disk *copy = simulated_disk_open(seed);
    copy->os.background = disk->os.background;
    copy->clock_us = disk->clock_us;
    copy->monotonic_us = disk->monotonic_us;
    copy->capacity = disk->capacity;
    copy->any_subset = disk->any_subset;
    copy->is_read_only = disk->is_read_only;
    copy->is_written_through = disk->is_written_through;
    copy->last_inode = disk->last_inode;
    return copy;
}

/* The copy of a file for the disk that is being made; it is made on first sight. */
static struct simulated_file *twin_of(struct simulated_file *file)
{
    if (file->twin == NULL) {
        file->twin = simulated_file_clone(file);
    } else {
        simulated_file_hold(file->twin);
    }
    return file->twin;
}

static void clone_table(struct simulated_table *copy, const struct simulated_table *table)
{
    copy->count = table->count;
    memcpy(copy->names, table->names, table->count * sizeof table->names[0]);
    for (size_t i = 0; i < table->count; i++) {
        copy->names[i].file = twin_of(table->names[i].file);
    }
}

static void clone_names(struct simulated_names *copy, const struct simulated_names *names)
{
    clone_table(&copy->durable, &names->durable);
    clone_table(&copy->live, &names->live);
    for (size_t i = 0; i < copy->live.count; i++) {
        copy->live.names[i].file->links++;
    }
    copy->unsynced_count = names->unsynced_count;
    memcpy(copy->unsynced, names->unsynced, names->unsynced_count * sizeof names->unsynced[0]);
    for (size_t i = 0; i < names->unsynced_count; i++) {
        copy->unsynced[i].file = twin_of(names->unsynced[i].file);
    }
}

static void forget_twins(struct simulated_names *names)
{
    for (size_t i = 0; i < names->durable.count; i++) {
        names->durable.names[i].file->twin = NULL;
    }
    for (size_t i = 0; i < names->live.count; i++) {
        names->live.names[i].file->twin = NULL;
    }
    for (size_t i = 0; i < names->unsynced_count; i++) {
        names->unsynced[i].file->twin = NULL;
    }
}

struct simulated_disk *simulated_disk_clone(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    struct simulated_disk *copy = open_like(disk, 0);
    copy->chance = disk->chance;
    copy->entropy = disk->entropy;
    clone_names(&copy->names, &disk->names);
    forget_twins(&disk->names);
    simulated_disk_unlock(disk);
    return copy;
}

/* ---- crash --------------------------------------------------------------------------------- */

static uint64_t count_dirty(const struct simulated_table *table)
{
    uint64_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        count += simulated_file_dirty_sectors(table->names[i].file);
    }
    return count;
}

/* Replace the files of the disk that crashed, which `names->live` has by now, by what is left. */
static void crash_files(struct simulated_names *names, struct simulated_fate *fate)
{
    struct simulated_table *live = &names->live;
    for (size_t i = 0; i < live->count; i++) {
        struct simulated_file *file = live->names[i].file;
        if (file->twin == NULL) {
            file->twin = simulated_file_crash(file, fate);
        } else {
            simulated_file_hold(file->twin);
        }
        file->twin->links++;
        live->names[i].file = file->twin;
    }
    names->durable.count = live->count;
    for (size_t i = 0; i < live->count; i++) {
        names->durable.names[i] = live->names[i];
        simulated_file_hold(live->names[i].file);
    }
}

struct simulated_disk *simulated_disk_crash(struct simulated_disk *disk, uint64_t seed,
                                            enum simulated_crash mode)
{
    simulated_disk_lock(disk);
    struct simulated_disk *copy = open_like(disk, seed);
    simulated_names_crash(&disk->names, mode, &copy->chance, disk->any_subset, &copy->names.live);
    uint64_t dirty = count_dirty(&copy->names.live);
    struct simulated_fate fate = {
        .mode = mode,
        .random = &copy->chance,
        .chosen = dirty > 0 ? seed % dirty : 0,
    };
    crash_files(&copy->names, &fate);
    forget_twins(&disk->names);
    simulated_disk_unlock(disk);
    return copy;
}

uint64_t simulated_disk_dirty_sectors(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    uint64_t count = count_dirty(&disk->names.live);
    simulated_disk_unlock(disk);
    return count;
}

void simulated_disk_write_back(struct simulated_disk *disk, uint64_t seed)
{
    struct simulated_random random = {seed};
    simulated_disk_lock(disk);
    for (size_t i = 0; i < disk->names.live.count; i++) {
        simulated_file_write_back(disk->names.live.names[i].file, &random);
    }
    simulated_disk_unlock(disk);
}

/* ---- settings ------------------------------------------------------------------------------ */

void simulated_disk_set_background(struct simulated_disk *disk, bool background)
{
    disk->os.background = background;
}

void simulated_disk_set_any_subset(struct simulated_disk *disk, bool any_subset)
{
    simulated_disk_lock(disk);
    disk->any_subset = any_subset;
    simulated_disk_unlock(disk);
}

void simulated_disk_set_written_through(struct simulated_disk *disk, bool is_written_through)
{
    simulated_disk_lock(disk);
    disk->is_written_through = is_written_through;
    for (size_t i = 0; i < disk->names.live.count; i++) {
        simulated_file_write_through(disk->names.live.names[i].file, is_written_through);
    }
    simulated_disk_unlock(disk);
}

void simulated_disk_set_capacity(struct simulated_disk *disk, uint64_t bytes)
{
    simulated_disk_lock(disk);
    disk->capacity = bytes;
    simulated_disk_unlock(disk);
}

uint64_t simulated_disk_used_bytes(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    uint64_t used = disk->unnamed_bytes;
    for (size_t i = 0; i < disk->names.live.count; i++) {
        used += disk->names.live.names[i].file->live_size;
    }
    simulated_disk_unlock(disk);
    return used;
}

void simulated_disk_set_read_only(struct simulated_disk *disk, bool read_only)
{
    simulated_disk_lock(disk);
    disk->is_read_only = read_only;
    simulated_disk_unlock(disk);
}

uint64_t simulated_disk_open_files(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    uint64_t count = disk->open_files;
    simulated_disk_unlock(disk);
    return count;
}

void simulated_disk_set_hook(struct simulated_disk *disk, simulated_hook *hook, void *argument)
{
    simulated_disk_lock(disk);
    disk->hook = hook;
    disk->hook_argument = argument;
    simulated_disk_unlock(disk);
}

uint64_t simulated_disk_events(struct simulated_disk *disk, enum simulated_kind kind)
{
    simulated_disk_lock(disk);
    uint64_t count = disk->events[kind];
    simulated_disk_unlock(disk);
    return count;
}

uint64_t simulated_disk_changes(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    uint64_t count = disk->changes;
    simulated_disk_unlock(disk);
    return count;
}

void simulated_disk_inject(struct simulated_disk *disk, const struct simulated_fault *fault)
{
    assert(fault->nth > 0);
    simulated_disk_lock(disk);
    assert(disk->fault_count < SIMULATED_FAULTS_MAX);
    disk->faults[disk->fault_count] = *fault;
    disk->matching[disk->fault_count] = 0;
    disk->fault_count++;
    simulated_disk_unlock(disk);
}

void simulated_disk_heal(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    disk->fault_count = 0;
    simulated_disk_unlock(disk);
}

uint64_t simulated_disk_faults_met(struct simulated_disk *disk)
{
    simulated_disk_lock(disk);
    uint64_t count = disk->faults_met;
    simulated_disk_unlock(disk);
    return count;
}

void simulated_disk_set_clock(struct simulated_disk *disk, int64_t clock_us)
{
    simulated_disk_lock(disk);
    disk->clock_us = clock_us;
    simulated_disk_unlock(disk);
}

void simulated_disk_advance(struct simulated_disk *disk, int64_t us)
{
    simulated_disk_lock(disk);
    disk->clock_us += us;
    disk->monotonic_us += us;
    simulated_disk_unlock(disk);
}

/* ---- contents ------------------------------------------------------------------------------ */

const char *simulated_disk_path(struct simulated_disk *disk, size_t index)
{
    simulated_disk_lock(disk);
    const struct simulated_table *live = &disk->names.live;
    const char *path = index < live->count ? live->names[index].path : NULL;
    simulated_disk_unlock(disk);
    return path;
}

bool simulated_disk_exists(struct simulated_disk *disk, const char *path)
{
    return simulated_disk_bytes(disk, path, NULL) != NULL;
}

const uint8_t *simulated_disk_bytes(struct simulated_disk *disk, const char *path, uint64_t *size)
{
    simulated_disk_lock(disk);
    const struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    if (file != NULL && size != NULL) {
        *size = file->live_size;
    }
    const uint8_t *bytes = file != NULL ? file->live : NULL;
    simulated_disk_unlock(disk);
    return bytes;
}

void simulated_disk_flip(struct simulated_disk *disk, const char *path, uint64_t offset,
                         uint8_t mask)
{
    simulated_disk_lock(disk);
    struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    assert(file != NULL);
    simulated_file_flip(file, offset, mask);
    simulated_disk_unlock(disk);
}

void simulated_disk_put(struct simulated_disk *disk, const char *path, const void *bytes,
                        size_t size)
{
    assert(simulated_path_fits(path));
    simulated_disk_lock(disk);
    struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    if (file == NULL) {
        disk->last_inode++;
        file = simulated_file_open(disk->last_inode);
        file->is_written_through = disk->is_written_through;
        simulated_file_load(file, bytes, size);
    } else {
        simulated_file_hold(file);
        simulated_file_resize(file, &disk->chance, size);
        simulated_file_write(file, &disk->chance, 0, bytes, size);
        simulated_file_sync(file, true);
    }
    simulated_names_settle(&disk->names, path, file);
    simulated_file_release(file);
    simulated_disk_unlock(disk);
}

void simulated_disk_remove(struct simulated_disk *disk, const char *path)
{
    simulated_disk_lock(disk);
    const struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    assert(file != NULL);
    if (file->handles > 0) {
        disk->unnamed_bytes += file->live_size;
    }
    simulated_names_settle(&disk->names, path, NULL);
    simulated_disk_unlock(disk);
}

uint64_t simulated_disk_digest(struct simulated_disk *disk)
{
    uint64_t hash = 0;
    simulated_disk_lock(disk);
    for (size_t i = 0; i < disk->names.live.count; i++) {
        const struct simulated_name *name = &disk->names.live.names[i];
        uint64_t size = name->file->live_size;
        hash = vs_xxh64(hash, name->path, strlen(name->path) + 1);
        hash = vs_xxh64(hash, &size, sizeof size);
        hash = vs_xxh64(hash, name->file->live, (size_t)size);
    }
    simulated_disk_unlock(disk);
    return hash;
}
