/*
 * simulated_names.c - two tables of names, live and durable, and the operations between them.
 *
 * N1  A table is sorted by path, and each path is in it once.
 * N2  Each entry of the two tables and each unsynced operation holds a reference to its file.
 * N3  live = durable + unsynced operations, applied in their order.
 */
#include "simulated_names.h"

#include <assert.h>
#include <string.h>

bool simulated_path_fits(const char *path)
{
    return strlen(path) < SIMULATED_PATH_SIZE;
}

size_t simulated_directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

static bool is_same_directory(const char *one, const char *other)
{
    size_t length = simulated_directory_length(one);
    return length == simulated_directory_length(other) && memcmp(one, other, length) == 0;
}

/* ---- tables, without references ------------------------------------------------------------ */

/* Index of `path`, or of the first path behind it. */
static size_t place_of(const struct simulated_table *table, const char *path)
{
    size_t place = 0;
    while (place < table->count && strcmp(table->names[place].path, path) < 0) {
        place++;
    }
    return place;
}

static bool is_at(const struct simulated_table *table, size_t place, const char *path)
{
    return place < table->count && strcmp(table->names[place].path, path) == 0;
}

struct simulated_file *simulated_table_find(const struct simulated_table *table, const char *path)
{
    size_t place = place_of(table, path);
    return is_at(table, place, path) ? table->names[place].file : NULL;
}

/* Name `file` so; returns the file that had the name before, or NULL. */
static struct simulated_file *put(struct simulated_table *table, const char *path,
                                  struct simulated_file *file)
{
    size_t place = place_of(table, path);
    struct simulated_name *name = &table->names[place];
    if (is_at(table, place, path)) {
        struct simulated_file *before = name->file;
        name->file = file;
        return before;
    }
    assert(table->count < SIMULATED_FILES_MAX);
    memmove(name + 1, name, (table->count - place) * sizeof *name);
    table->count++;
    memcpy(name->path, path, strlen(path) + 1);
    name->file = file;
    return NULL;
}

/* Remove a name if `file` has it; says whether it had. */
static bool drop(struct simulated_table *table, const char *path, const struct simulated_file *file)
{
    size_t place = place_of(table, path);
    struct simulated_name *name = &table->names[place];
    if (!is_at(table, place, path) || name->file != file) {
        return false;
    }
    table->count--;
    memmove(name, name + 1, (table->count - place) * sizeof *name);
    return true;
}

/* ---- the two tables, with references (N2) -------------------------------------------------- */

static void put_live(struct simulated_names *names, const char *path, struct simulated_file *file)
{
    simulated_file_hold(file);
    file->links++;
    struct simulated_file *before = put(&names->live, path, file);
    if (before != NULL) {
        before->links--;
        simulated_file_release(before);
    }
}

static void drop_live(struct simulated_names *names, const char *path, struct simulated_file *file)
{
    if (drop(&names->live, path, file)) {
        file->links--;
        simulated_file_release(file);
    }
}

static void put_durable(struct simulated_names *names, const char *path,
                        struct simulated_file *file)
{
    simulated_file_hold(file);
    struct simulated_file *before = put(&names->durable, path, file);
    if (before != NULL) {
        simulated_file_release(before);
    }
}

static void drop_durable(struct simulated_names *names, const char *path,
                         struct simulated_file *file)
{
    if (drop(&names->durable, path, file)) {
        simulated_file_release(file);
    }
}

/* ---- unsynced operations ------------------------------------------------------------------- */

static void make_durable(struct simulated_names *names, const struct simulated_unsynced *operation)
{
    switch ((int)operation->kind) {
    case SIMULATED_CREATE:
        put_durable(names, operation->path, operation->file);
        break;
    case SIMULATED_RENAME:
        put_durable(names, operation->new_path, operation->file);
        drop_durable(names, operation->path, operation->file);
        break;
    case SIMULATED_UNLINK:
        drop_durable(names, operation->path, operation->file);
        break;
    default:
        assert(false); /* no other operation is queued */
    }
}

static void forget_first(struct simulated_names *names)
{
    struct simulated_unsynced *first = &names->unsynced[0];
    struct simulated_file *file = first->file;
    names->unsynced_count--;
    memmove(first, first + 1, names->unsynced_count * sizeof *first);
    simulated_file_release(file);
}

static void queue(struct simulated_names *names, enum simulated_kind kind, const char *path,
                  const char *new_path, struct simulated_file *file)
{
    if (names->unsynced_count == SIMULATED_UNSYNCED_MAX) {
        if (!names->unsynced[0].is_forgotten) {
            make_durable(names, &names->unsynced[0]);
        }
        forget_first(names);
    }
    struct simulated_unsynced *operation = &names->unsynced[names->unsynced_count];
    names->unsynced_count++;
    operation->kind = kind;
    operation->is_forgotten = false;
    operation->file = file;
    simulated_file_hold(file);
    memcpy(operation->path, path, strlen(path) + 1);
    memcpy(operation->new_path, new_path, strlen(new_path) + 1);
}

void simulated_names_create(struct simulated_names *names, const char *path,
                            struct simulated_file *file)
{
    assert(simulated_table_find(&names->live, path) == NULL);
    put_live(names, path, file);
    queue(names, SIMULATED_CREATE, path, "", file);
}

void simulated_names_rename(struct simulated_names *names, const char *from, const char *to)
{
    assert(is_same_directory(from, to));
    struct simulated_file *file = simulated_table_find(&names->live, from);
    assert(file != NULL);
    if (strcmp(from, to) == 0) {
        return;
    }
    queue(names, SIMULATED_RENAME, from, to, file);
    drop_live(names, from, file); /* first: both names need not fit at once; the queue holds it */
    put_live(names, to, file);
}

void simulated_names_unlink(struct simulated_names *names, const char *path)
{
    struct simulated_file *file = simulated_table_find(&names->live, path);
    assert(file != NULL);
    queue(names, SIMULATED_UNLINK, path, "", file);
    drop_live(names, path, file);
}

void simulated_names_sync(struct simulated_names *names, const char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < names->unsynced_count; i++) {
        struct simulated_unsynced *operation = &names->unsynced[i];
        if (operation->is_forgotten || !is_same_directory(operation->path, path)) {
            if (kept < i) {
                names->unsynced[kept] = *operation;
            }
            kept++;
            continue;
        }
        make_durable(names, operation);
        simulated_file_release(operation->file);
    }
    names->unsynced_count = kept;
}

void simulated_names_fail_sync(struct simulated_names *names, struct simulated_random *random,
                               const char *path, bool keeps_some)
{
    size_t candidates = 0;
    for (size_t i = 0; i < names->unsynced_count; i++) {
        candidates += is_same_directory(names->unsynced[i].path, path);
    }
    size_t durable = keeps_some ? (size_t)simulated_random_below(random, candidates + 1) : 0;
    for (size_t i = 0; i < names->unsynced_count; i++) {
        struct simulated_unsynced *operation = &names->unsynced[i];
        if (operation->is_forgotten || !is_same_directory(operation->path, path)) {
            continue;
        }
        if (durable > 0) {
            durable--;
            make_durable(names, operation);
        }
        operation->is_forgotten = true; /* decided, one way or the other */
    }
}

void simulated_names_settle(struct simulated_names *names, const char *path,
                            struct simulated_file *file)
{
    if (file != NULL) {
        if (simulated_table_find(&names->live, path) != file) {
            simulated_names_create(names, path, file);
        }
    } else if (simulated_table_find(&names->live, path) != NULL) {
        simulated_names_unlink(names, path);
    }
    simulated_names_sync(names, path);
}

/* ---- crash --------------------------------------------------------------------------------- */

static void survive(struct simulated_table *survivors, const struct simulated_unsynced *operation)
{
    switch ((int)operation->kind) {
    case SIMULATED_CREATE:
        (void)put(survivors, operation->path, operation->file);
        break;
    case SIMULATED_RENAME:
        (void)drop(survivors, operation->path, operation->file);
        (void)put(survivors, operation->new_path, operation->file);
        break;
    case SIMULATED_UNLINK:
        (void)drop(survivors, operation->path, operation->file);
        break;
    default:
        assert(false);
    }
}

void simulated_names_crash(const struct simulated_names *names, enum simulated_crash mode,
                           struct simulated_random *random, bool any_subset,
                           struct simulated_table *survivors)
{
    bool is_drawn = mode == SIMULATED_CRASH_RANDOM || mode == SIMULATED_CRASH_TORN;
    size_t prefix = mode == SIMULATED_CRASH_ALL_OLD ? 0 : names->unsynced_count;
    if (is_drawn && !any_subset) {
        prefix = (size_t)simulated_random_below(random, names->unsynced_count + 1);
    }
    survivors->count = names->durable.count;
    memcpy(survivors->names, names->durable.names,
           names->durable.count * sizeof survivors->names[0]);
    for (size_t i = 0; i < prefix; i++) {
        bool stays = !is_drawn || !any_subset || simulated_random_below(random, 2) == 0;
        if (stays && !names->unsynced[i].is_forgotten) {
            survive(survivors, &names->unsynced[i]);
        }
    }
}

void simulated_names_clear(struct simulated_names *names)
{
    while (names->live.count > 0) {
        struct simulated_name *last = &names->live.names[names->live.count - 1];
        drop_live(names, last->path, last->file);
    }
    while (names->durable.count > 0) {
        struct simulated_name *last = &names->durable.names[names->durable.count - 1];
        drop_durable(names, last->path, last->file);
    }
    while (names->unsynced_count > 0) {
        names->unsynced_count--;
        simulated_file_release(names->unsynced[names->unsynced_count].file);
    }
}
