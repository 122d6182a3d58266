/*
 * simulated_os.c - the functions of struct vs_os (os/os.h) on the simulated disk.
 *
 * Each follows one pattern: begin the call (which locks the disk), fail if a fault says so, check
 * what the real system would, act, end the call with its outcome.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "simulated_disk_inner.h"

struct handle {
    struct vs_file base; /* first: a vs_file of this table is a handle */
    struct simulated_disk *disk;
    struct simulated_file *file;
    bool is_writable;
    bool holds_lock; /* guarded by the disk's mutex, as is `maps` */
    unsigned maps;
    char path[SIMULATED_PATH_SIZE]; /* by which it was opened */
};

static inline struct handle *handle_of(struct vs_file *file)
{
    assert(file != NULL);
    return (struct handle *)file;
}

static inline struct simulated_disk *disk_of(const struct vs_os *os)
{
    return os->context;
}

static void begin(struct simulated_call *call, struct handle *handle, enum simulated_kind kind,
                  uint64_t offset, uint64_t size)
{
    simulated_call_begin(call, handle->disk, kind, handle->path, offset, size);
}

/* ---- open and close ------------------------------------------------------------------------ */

static verso_err find_or_create(struct simulated_disk *disk, const char *path,
                                enum vs_open_mode mode, struct simulated_file **found)
{
    if (!simulated_path_fits(path)) {
        return vs_fault(VERSO_INVALID, "open %s: path too long", path);
    }
    if (vs_open_writes(mode) && disk->is_read_only) {
        return vs_fault(VERSO_ACCESS, "open %s: read-only medium", path);
    }
    struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    if (mode != VS_OPEN_CREATE) {
        *found = file;
        return file != NULL ? VERSO_OK : vs_fault(VERSO_NO_STORE, "open %s: no such file", path);
    }
    if (file != NULL) {
        return vs_fault(VERSO_INVALID, "create %s: it exists", path);
    }
    if (disk->names.live.count == SIMULATED_FILES_MAX) {
        return vs_fault(VERSO_NOSPC, "create %s: too many files", path);
    }
    disk->last_inode++;
    file = simulated_file_open(disk->last_inode);
    file->is_written_through = disk->is_written_through;
    simulated_names_create(&disk->names, path, file);
    simulated_file_release(file); /* its name holds it */
    *found = file;
    return VERSO_OK;
}

static verso_err sim_open(const struct vs_os *os, const char *path, enum vs_open_mode mode,
                          struct vs_file **file)
{
    struct handle *handle = calloc(1, sizeof *handle);
    if (handle == NULL) {
        return vs_fault(VERSO_NOMEM, "open %s: out of memory", path);
    }
    struct simulated_disk *disk = disk_of(os);
    struct simulated_call call;
    simulated_call_begin(&call, disk, mode == VS_OPEN_CREATE ? SIMULATED_CREATE : SIMULATED_OPEN,
                         path, 0, 0);
    struct simulated_file *found = NULL;
    verso_err err =
        call.fault != NULL ? simulated_call_fault(&call) : find_or_create(disk, path, mode, &found);
    if (err == VERSO_OK) {
        assert(found != NULL);
        simulated_file_hold(found);
        found->handles++;
        disk->open_files++;
        handle->base.os = os;
        handle->disk = disk;
        handle->file = found;
        handle->is_writable = vs_open_writes(mode);
        memcpy(handle->path, path, strlen(path) + 1);
        *file = &handle->base;
        handle = NULL; /* ownership has moved to the caller */
    }
    err = simulated_call_end(&call, err);
    free(handle);
    return err;
}

static void unlock(struct handle *handle)
{
    if (handle->holds_lock) {
        handle->file->locks--;
        handle->file->is_exclusive = false;
        handle->holds_lock = false;
    }
}

static void sim_close(struct vs_file *file)
{
    if (file == NULL) {
        return;
    }
    struct handle *handle = handle_of(file);
    struct simulated_disk *disk = handle->disk;
    simulated_disk_lock(disk);
    assert(handle->maps == 0);
    unlock(handle);
    handle->file->handles--;
    if (handle->file->links == 0 && handle->file->handles == 0) {
        disk->unnamed_bytes -= handle->file->live_size;
    }
    simulated_file_release(handle->file);
    disk->open_files--;
    simulated_disk_unlock(disk);
    free(handle);
}

static verso_err sim_identify(struct vs_file *file, struct vs_file_identity *identity)
{
    struct handle *handle = handle_of(file);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_IDENTIFY, 0, 0);
    if (call.fault != NULL) {
        return simulated_call_end(&call, simulated_call_fault(&call));
    }
    identity->device = 1;
    identity->inode = handle->file->inode;
    identity->size = handle->file->live_size;
    identity->links = handle->file->links;
    return simulated_call_end(&call, VERSO_OK);
}

/* A handle that holds a lock already may change its kind, as with OFD locks. */
static verso_err take_lock(struct handle *handle, bool exclusive)
{
    struct simulated_file *file = handle->file;
    unsigned others = file->locks - handle->holds_lock;
    if (others > 0 && (exclusive || file->is_exclusive)) {
        return vs_fault(VERSO_BUSY, "lock %s: held by another handle", handle->path);
    }
    file->locks = others + 1;
    file->is_exclusive = exclusive;
    handle->holds_lock = true;
    return VERSO_OK;
}

static verso_err sim_lock(struct vs_file *file, bool exclusive)
{
    struct handle *handle = handle_of(file);
    assert(handle->is_writable || !exclusive);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_LOCK, 0, 0);
    return simulated_call_end(&call, call.fault != NULL ? simulated_call_fault(&call)
                                                        : take_lock(handle, exclusive));
}

/* ---- read and write ------------------------------------------------------------------------ */

static verso_err sim_read_at(struct vs_file *file, uint64_t offset, void *buffer, size_t size)
{
    struct handle *handle = handle_of(file);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_READ, offset, size);
    verso_err err = VERSO_OK;
    uint64_t live_size = handle->file->live_size;
    if (call.fault != NULL) {
        err = simulated_call_fault(&call);
    } else if (offset > live_size || size > live_size - offset) {
        err = vs_fault(VERSO_CORRUPT, "read %s: it ends at byte %ju", handle->path,
                       (uintmax_t)live_size);
    } else if (size > 0) {
        memcpy(buffer, handle->file->live + offset, size);
    }
    return simulated_call_end(&call, err);
}

static verso_err check_room(struct handle *handle, const char *verb, uint64_t size)
{
    uint64_t live_size = handle->file->live_size;
    if (size <= live_size) {
        return VERSO_OK;
    }
    uint64_t used = simulated_disk_used_bytes(handle->disk);
    uint64_t capacity = handle->disk->capacity;
    if (size > SIMULATED_FILE_SIZE_MAX || used > capacity || size - live_size > capacity - used) {
        return vs_fault(VERSO_NOSPC, "%s %s: disk full", verb, handle->path);
    }
    return VERSO_OK;
}

static void resize(struct handle *handle, uint64_t size)
{
    if (handle->file->links == 0) {
        handle->disk->unnamed_bytes += size - handle->file->live_size; /* modulo 2^64 */
    }
    simulated_file_resize(handle->file, &handle->disk->chance, size);
}

static void grow_over(struct handle *handle, uint64_t offset, size_t size)
{
    if (size > 0 && offset + size > handle->file->live_size) {
        resize(handle, offset + size);
    }
}

static void write_there(struct handle *handle, uint64_t offset, const void *bytes, size_t size)
{
    grow_over(handle, offset, size);
    simulated_file_write(handle->file, &handle->disk->chance, offset, bytes, size);
}

/* The write counts as done where it was meant, and its bytes go elsewhere. */
static void write_elsewhere(struct handle *handle, const struct simulated_fault *fault,
                            uint64_t offset, const void *bytes, size_t size)
{
    struct simulated_file *target = handle->file;
    if (fault->other_path != NULL) {
        target = simulated_table_find(&handle->disk->names.live, fault->other_path);
    }
    uint64_t back = 0 - (uint64_t)fault->shift_bytes; /* its size, where it is negative */
    if (fault->shift_bytes >= 0) {
        offset += (uint64_t)fault->shift_bytes;
    } else {
        offset = offset > back ? offset - back : 0;
    }
    if (target == NULL || offset >= target->live_size) {
        return; /* it hit no file */
    }
    uint64_t rest = target->live_size - offset;
    simulated_file_write(target, &handle->disk->chance, offset, bytes,
                         size < rest ? size : (size_t)rest);
}

static verso_err write_with_fault(struct handle *handle, const struct simulated_call *call,
                                  uint64_t offset, const void *bytes, size_t size)
{
    switch (call->fault->effect) {
    case SIMULATED_FAILS_PARTLY:
        write_there(handle, offset, bytes,
                    (size_t)simulated_random_below(&handle->disk->chance, (uint64_t)size + 1));
        return simulated_call_fault(call);
    case SIMULATED_IS_LOST:
    case SIMULATED_IS_MISDIRECTED:
        grow_over(handle, offset, size);
        if (call->fault->effect == SIMULATED_IS_MISDIRECTED) {
            write_elsewhere(handle, call->fault, offset, bytes, size);
        }
        return VERSO_OK;
    case SIMULATED_FAILS:
    case SIMULATED_FAILS_AND_REVERTS:
        break;
    }
    return simulated_call_fault(call);
}

static verso_err sim_write_at(struct vs_file *file, uint64_t offset, const void *bytes, size_t size)
{
    struct handle *handle = handle_of(file);
    assert(handle->is_writable);
    assert(offset <= UINT64_MAX - size);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_WRITE, offset, size);
    verso_err err = check_room(handle, "write", size > 0 ? offset + size : 0);
    if (err == VERSO_OK && call.fault != NULL) {
        err = write_with_fault(handle, &call, offset, bytes, size);
    } else if (err == VERSO_OK) {
        write_there(handle, offset, bytes, size);
    }
    return simulated_call_end(&call, err);
}

/* ---- length and sync ----------------------------------------------------------------------- */

static verso_err sim_allocate(struct vs_file *file, uint64_t size)
{
    struct handle *handle = handle_of(file);
    assert(handle->is_writable);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_ALLOCATE, 0, size);
    verso_err err =
        call.fault != NULL ? simulated_call_fault(&call) : check_room(handle, "allocate", size);
    if (err == VERSO_OK && size > handle->file->live_size) {
        resize(handle, size);
    }
    return simulated_call_end(&call, err);
}

static verso_err sim_truncate(struct vs_file *file, uint64_t size)
{
    struct handle *handle = handle_of(file);
    assert(handle->is_writable);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_TRUNCATE, 0, size);
    verso_err err =
        call.fault != NULL ? simulated_call_fault(&call) : check_room(handle, "truncate", size);
    if (err == VERSO_OK) {
        resize(handle, size);
    }
    return simulated_call_end(&call, err);
}

static verso_err sync_with_fault(struct handle *handle, const struct simulated_call *call)
{
    switch (call->fault->effect) {
    case SIMULATED_IS_LOST:
        return VERSO_OK;
    case SIMULATED_FAILS:
    case SIMULATED_FAILS_PARTLY:
    case SIMULATED_FAILS_AND_REVERTS:
        simulated_file_fail_sync(handle->file, &handle->disk->chance, call->fault->effect);
        break;
    case SIMULATED_IS_MISDIRECTED: /* no effect that a sync knows */
        simulated_file_fail_sync(handle->file, &handle->disk->chance, SIMULATED_FAILS);
        break;
    }
    return simulated_call_fault(call);
}

static verso_err sync_file(struct vs_file *file, bool is_full)
{
    struct handle *handle = handle_of(file);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_SYNC, 0, 0);
    verso_err err = VERSO_OK;
    if (call.fault != NULL) {
        err = sync_with_fault(handle, &call);
    } else {
        simulated_file_sync(handle->file, is_full);
    }
    return simulated_call_end(&call, err);
}

static verso_err sim_sync_data(struct vs_file *file)
{
    return sync_file(file, false);
}

static verso_err sim_sync_full(struct vs_file *file)
{
    return sync_file(file, true);
}

/* ---- names --------------------------------------------------------------------------------- */

/* A file that is about to lose its last name stays as long as it is open. */
static void count_unnamed(struct simulated_disk *disk, const struct simulated_file *file)
{
    if (file != NULL && file->links == 1 && file->handles > 0) {
        disk->unnamed_bytes += file->live_size;
    }
}

static verso_err rename_there(struct simulated_disk *disk, const char *from, const char *to)
{
    size_t length = simulated_directory_length(from);
    if (!simulated_path_fits(to) || simulated_directory_length(to) != length ||
        memcmp(from, to, length) != 0) {
        return vs_fault(VERSO_INVALID, "rename %s to %s: not within one directory", from, to);
    }
    if (disk->is_read_only) {
        return vs_fault(VERSO_ACCESS, "rename %s: read-only medium", from);
    }
    if (simulated_table_find(&disk->names.live, from) == NULL) {
        return vs_fault(VERSO_NO_STORE, "rename %s: no such file", from);
    }
    if (strcmp(from, to) != 0) {
        count_unnamed(disk, simulated_table_find(&disk->names.live, to));
    }
    simulated_names_rename(&disk->names, from, to);
    return VERSO_OK;
}

static verso_err sim_rename(const struct vs_os *os, const char *from, const char *to)
{
    struct simulated_call call;
    simulated_call_begin(&call, disk_of(os), SIMULATED_RENAME, from, 0, 0);
    return simulated_call_end(&call, call.fault != NULL ? simulated_call_fault(&call)
                                                        : rename_there(disk_of(os), from, to));
}

static verso_err rename_new_there(struct simulated_disk *disk, const char *from, const char *to)
{
    if (simulated_table_find(&disk->names.live, to) != NULL) {
        return vs_fault(VERSO_EXISTS, "rename %s to %s: the name is taken", from, to);
    }
    return rename_there(disk, from, to);
}

static verso_err sim_rename_new(const struct vs_os *os, const char *from, const char *to)
{
    struct simulated_call call;
    simulated_call_begin(&call, disk_of(os), SIMULATED_RENAME, from, 0, 0);
    return simulated_call_end(&call, call.fault != NULL ? simulated_call_fault(&call)
                                                        : rename_new_there(disk_of(os), from, to));
}

static verso_err unlink_there(struct simulated_disk *disk, const char *path)
{
    if (disk->is_read_only) {
        return vs_fault(VERSO_ACCESS, "unlink %s: read-only medium", path);
    }
    struct simulated_file *file = simulated_table_find(&disk->names.live, path);
    if (file == NULL) {
        return vs_fault(VERSO_NO_STORE, "unlink %s: no such file", path);
    }
    count_unnamed(disk, file);
    simulated_names_unlink(&disk->names, path);
    return VERSO_OK;
}

static verso_err sim_unlink(const struct vs_os *os, const char *path)
{
    struct simulated_call call;
    simulated_call_begin(&call, disk_of(os), SIMULATED_UNLINK, path, 0, 0);
    return simulated_call_end(&call, call.fault != NULL ? simulated_call_fault(&call)
                                                        : unlink_there(disk_of(os), path));
}

static verso_err sim_sync_directory(const struct vs_os *os, const char *path)
{
    struct simulated_disk *disk = disk_of(os);
    struct simulated_call call;
    simulated_call_begin(&call, disk, SIMULATED_SYNC_DIRECTORY, path, 0, 0);
    verso_err err = VERSO_OK;
    if (call.fault == NULL) {
        simulated_names_sync(&disk->names, path);
    } else if (!simulated_call_meets(&call, SIMULATED_IS_LOST)) {
        simulated_names_fail_sync(&disk->names, &disk->chance, path,
                                  simulated_call_meets(&call, SIMULATED_FAILS_PARTLY));
        err = simulated_call_fault(&call);
    }
    return simulated_call_end(&call, err);
}

/* The first path behind `after` that `prefix` begins and that lies in the prefix's directory. */
static bool next_listed(struct simulated_disk *disk, const char *prefix, const char *after,
                        char *path)
{
    size_t directory_length = simulated_directory_length(prefix);
    const struct simulated_table *live = &disk->names.live;
    bool is_found = false;
    simulated_disk_lock(disk);
    for (size_t i = 0; i < live->count && !is_found; i++) {
        const char *candidate = live->names[i].path;
        is_found = strcmp(candidate, after) > 0 &&
                   strncmp(candidate, prefix, strlen(prefix)) == 0 &&
                   simulated_directory_length(candidate) == directory_length;
        if (is_found) {
            memcpy(path, candidate, strlen(candidate) + 1);
        }
    }
    simulated_disk_unlock(disk);
    return is_found;
}

/* `each` runs without the disk's mutex: it may take locks of the engine. */
static verso_err sim_list(const struct vs_os *os, const char *prefix,
                          verso_err (*each)(void *argument, const char *path), void *argument)
{
    struct simulated_disk *disk = disk_of(os);
    struct simulated_call call;
    simulated_call_begin(&call, disk, SIMULATED_LIST, prefix, 0, 0);
    verso_err err = call.fault != NULL ? simulated_call_fault(&call) : VERSO_OK;
    err = simulated_call_end(&call, err);

    char after[SIMULATED_PATH_SIZE] = "";
    char path[SIMULATED_PATH_SIZE];
    while (err == VERSO_OK && next_listed(disk, prefix, after, path)) {
        err = each(argument, path);
        memcpy(after, path, sizeof after);
    }
    return err;
}

/* ---- map ----------------------------------------------------------------------------------- */

static verso_err sim_map(struct vs_file *file, size_t size, const uint8_t **address)
{
    struct handle *handle = handle_of(file);
    struct simulated_call call;
    begin(&call, handle, SIMULATED_MAP, 0, size);
    verso_err err = VERSO_OK;
    if (call.fault != NULL) {
        err = simulated_call_fault(&call);
    } else if (size > SIMULATED_FILE_SIZE_MAX) {
        err = vs_fault(VERSO_NOMEM, "map %s: %zu bytes of address space", handle->path, size);
    } else {
        handle->maps++;
        *address = handle->file->live;
    }
    return simulated_call_end(&call, err);
}

static void sim_unmap(struct vs_file *file, const uint8_t *address, size_t size)
{
    (void)size;
    if (address == NULL) {
        return;
    }
    struct handle *handle = handle_of(file);
    simulated_disk_lock(handle->disk);
    assert(address == handle->file->live);
    assert(handle->maps > 0);
    handle->maps--;
    simulated_disk_unlock(handle->disk);
}

static void sim_prefetch(struct vs_file *file, const uint8_t *address, uint64_t offset, size_t size)
{
    (void)file;
    (void)address;
    (void)offset;
    (void)size;
}

/* ---- clocks and random bytes --------------------------------------------------------------- */

static int64_t sim_clock_us(const struct vs_os *os)
{
    struct simulated_disk *disk = disk_of(os);
    simulated_disk_lock(disk);
    disk->clock_us++;
    int64_t now_us = disk->clock_us;
    simulated_disk_unlock(disk);
    return now_us;
}

/* Does not tick: opening a view leaves the times of commits as they are. */
static int64_t sim_coarse_clock_us(const struct vs_os *os)
{
    struct simulated_disk *disk = disk_of(os);
    simulated_disk_lock(disk);
    int64_t now_us = disk->clock_us;
    simulated_disk_unlock(disk);
    return now_us;
}

static int64_t sim_monotonic_us(const struct vs_os *os)
{
    struct simulated_disk *disk = disk_of(os);
    simulated_disk_lock(disk);
    disk->monotonic_us++;
    int64_t now_us = disk->monotonic_us;
    simulated_disk_unlock(disk);
    return now_us;
}

static verso_err sim_random(const struct vs_os *os, void *buffer, size_t size)
{
    struct simulated_disk *disk = disk_of(os);
    struct simulated_call call;
    simulated_call_begin(&call, disk, SIMULATED_RANDOM, "random bytes", 0, size);
    if (call.fault != NULL) {
        return simulated_call_end(&call, simulated_call_fault(&call));
    }
    uint8_t *bytes = buffer;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)simulated_random_next(&disk->entropy);
    }
    return simulated_call_end(&call, VERSO_OK);
}

/* Here every path leads to the same place from everywhere. */
static verso_err sim_absolute(const struct vs_os *os, const char *path, char **absolute)
{
    (void)os;
    *absolute = strdup(path);
    return *absolute != NULL ? VERSO_OK : vs_fault(VERSO_NOMEM, "path of %s: out of memory", path);
}

void simulated_os_init(struct vs_os *os, struct simulated_disk *disk)
{
    *os = (struct vs_os){
        .context = disk,
        .open = sim_open,
        .close = sim_close,
        .identify = sim_identify,
        .lock = sim_lock,
        .read_at = sim_read_at,
        .write_at = sim_write_at,
        .allocate = sim_allocate,
        .truncate = sim_truncate,
        .sync_data = sim_sync_data,
        .sync_full = sim_sync_full,
        .rename = sim_rename,
        .rename_new = sim_rename_new,
        .unlink = sim_unlink,
        .absolute = sim_absolute,
        .sync_directory = sim_sync_directory,
        .list = sim_list,
        .map = sim_map,
        .unmap = sim_unmap,
        .prefetch = sim_prefetch,
        .clock_us = sim_clock_us,
        .coarse_clock_us = sim_coarse_clock_us,
        .monotonic_us = sim_monotonic_us,
        .random = sim_random,
        .background = false,
    };
}
