/*
 * interleave_world.c - stamping, looking, checking; see interleave_world.h.
 */
#include "interleave_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "os/turns.h"
#include "scheduler.h"

enum {
    KEYS = 6, /* two leaves */
    LOOKED_AT = 3,
    PAGE_SIZE = 512,
    VALUE_SIZE = 100,
    VALUE_SIZE_MAX = 24 * 1024,
    SEGMENT_SIZE = 64 * 1024, /* of the log, with small pages */
    SEGMENT_LEFT = 3000,
    ROOTS_MAX = 32,
};

static void must_be_ok(verso_err err, const char *what)
{
    scheduler_must(err == VERSO_OK, "%s: %s (%s)", what, verso_strerror(err), verso_error_detail());
}

static verso_slice key_at(unsigned number, char *text, size_t size)
{
    (void)snprintf(text, size, "key %02u", number);
    return verso_text(text);
}

/* ---- what threads do ---- */

void world_open_store(struct world *world)
{
    verso_retention all = verso_keep_all();
    verso_retention last = verso_keep_last(world->kind.keep_last);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = world->kind.keep_last == 0 ? &all : &last;
    options.durability = world->kind.durability;
    options.arena_bytes = 1 << 20;
    options.log_bytes = 1 << 20;
    options.system = simulated_disk_os(world->disk); /* in memory for its clock: runs must repeat */
    must_be_ok(verso_open(world->kind.in_memory ? NULL : "store", &options, &world->store), "open");
}

/* The writer alone changes the pages that it reads. */
static const uint64_t own_reads = UINT64_C(1) << VS_POINT_READ_VERIFIED |
                                  UINT64_C(1) << VS_POINT_READ_FRAME |
                                  UINT64_C(1) << VS_POINT_READ_BLOCK;

/* Stamp all keys; `size` is that of the first value, which may be long. */
static uint64_t commit(struct world *world, size_t size)
{
    uint8_t value[VALUE_SIZE_MAX] = {0};
    verso_txn *txn = NULL;
    must_be_ok(verso_begin(world->store, &txn), "begin");
    uint64_t id = ++world->tip;
    uint64_t before = scheduler_pass_over(0);
    (void)scheduler_pass_over(before | (world->kind.quiet ? UINT64_MAX : own_reads));
    for (unsigned i = 0; i < KEYS; i++) {
        char text[16];
        memcpy(value, &id, sizeof id);
        size_t part = i == 0 ? size : VALUE_SIZE;
        must_be_ok(verso_put(txn, key_at(i, text, sizeof text), (verso_slice){value, part}), "put");
    }
    (void)scheduler_pass_over(before);
    verso_root_id root = 0;
    must_be_ok(verso_commit(txn, NULL, &root), "commit");
    scheduler_must(root == id, "root %ju instead of %ju", (uintmax_t)root, (uintmax_t)id);
    return id;
}

void world_commit(struct world *world)
{
    (void)commit(world, VALUE_SIZE);
}

/* Commit until the segment of the log has room for one commit, or nearly. */
static void fill_segment(struct world *world)
{
    uint64_t left = 0;
    do {
        (void)commit(world, left > 2 * VALUE_SIZE_MAX / 3 ? VALUE_SIZE_MAX / 3 : VALUE_SIZE);
        left = SEGMENT_SIZE - vs_log_end_lsn(world->store->store->log) % SEGMENT_SIZE;
    } while (left > SEGMENT_LEFT);
    world->kind.commits = (unsigned)world->tip;
}

static void must_be_of(uint64_t root, verso_slice value)
{
    uint64_t stamp = 0;
    scheduler_must(value.size >= sizeof stamp, "a value is %zu bytes long", value.size);
    memcpy(&stamp, value.data, sizeof stamp);
    scheduler_must(stamp == root, "a value of root %ju is of root %ju", (uintmax_t)root,
                   (uintmax_t)stamp);
}

/* Some keys of a view, the first and the last among them, hold its id. Their values stay where they
 * lie until the view closes. */
static uint64_t look(verso_view *view, uint64_t at_least, verso_slice value[LOOKED_AT])
{
    uint64_t id = view->record.version; /* verso_view_info() would take a lock, for the note */
    scheduler_must(id >= at_least, "root %ju instead of %ju or later", (uintmax_t)id,
                   (uintmax_t)at_least);
    for (unsigned i = 0; i < LOOKED_AT && id > 0; i++) {
        char text[16];
        verso_slice key = key_at(i * (KEYS - 1) / (LOOKED_AT - 1), text, sizeof text);
        must_be_ok(verso_get(view, key, &value[i]), "get");
        must_be_of(id, value[i]);
    }
    return id;
}

/* Look, look again, and look at what was found first. Closes the view. @return Its root. */
static uint64_t look_twice(verso_view *view, uint64_t at_least)
{
    verso_slice first[LOOKED_AT];
    verso_slice second[LOOKED_AT];
    uint64_t id = look(view, at_least, first);
    (void)look(view, id, second);
    for (unsigned i = 0; i < LOOKED_AT && id > 0; i++) {
        must_be_of(id, first[i]);
    }
    verso_view_close(view);
    return id;
}

static uint64_t look_at_newest(struct world *world, uint64_t at_least)
{
    verso_view *view = NULL;
    must_be_ok(verso_view_open(world->store, &view), "view open");
    return look_twice(view, at_least);
}

void world_look(struct world *world)
{
    (void)look_at_newest(world, world->kind.commits);
}

void world_commit_and_look(struct world *world)
{
    uint64_t id = commit(world, VALUE_SIZE);
    (void)look_at_newest(world, id);
}

bool world_look_at(struct world *world, uint64_t root)
{
    verso_view *view = NULL;
    verso_err err = verso_view_open_root(world->store, root, &view);
    if (err == VERSO_GONE) {
        return false;
    }
    must_be_ok(err, "view open root");
    (void)look_twice(view, root);
    return true;
}

void world_checkpoint(struct world *world)
{
    must_be_ok(verso_checkpoint(world->store), "checkpoint");
}

void world_judge(struct world *world)
{
    struct vs_store *inner = world->store->store;
    vs_fair_lock_take(&inner->writer_lock);
    must_be_ok(vs_store_judge(inner, true), "judge");
    vs_store_release_writer(inner);
}

void world_overwrite_free_frames(struct world *world)
{
    struct vs_store *inner = world->store->store;
    struct vs_arena *arena = &inner->arena;
    vs_fair_lock_take(&inner->writer_lock);
    while (arena->free_count > 0) { /* or limbo would not be asked */
        uint32_t frame = 0;
        must_be_ok(vs_arena_take(arena, 1, &frame), "frame");
    }
    must_be_ok(vs_arena_reserve(arena, 1), "frames");
    for (uint32_t i = 0; i < arena->free_count; i++) {
        memset(vs_arena_frame(arena, arena->free[i]), 0xee, PAGE_SIZE);
    }
    vs_store_release_writer(inner);
}

static void cut_power(struct world *world, uint64_t promised)
{
    assert(world->left == NULL);
    world->promised = promised;
    world->left = simulated_disk_crash(world->disk, 1, SIMULATED_CRASH_ALL_OLD);
}

void world_commit_and_cut_power(struct world *world)
{
    cut_power(world, commit(world, VALUE_SIZE));
}

void world_see_and_cut_power(struct world *world)
{
    cut_power(world, look_at_newest(world, world->kind.commits));
}

void world_checkpoint_and_cut_power(struct world *world)
{
    world_checkpoint(world);
    cut_power(world, world->kind.commits);
}

void world_close_store(struct world *world)
{
    must_be_ok(verso_close(world->store), "close");
    world->store = NULL;
}

/* ---- the end ---- */

/* Every root that can be opened is whole, and the newest is not too old. */
static void look_at_all(struct world *world, uint64_t newest)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(world->store, &report);
    scheduler_must(err == VERSO_OK, "check: %s", report.fault);
    verso_root_info infos[ROOTS_MAX];
    for (unsigned i = 0; i < ROOTS_MAX; i++) {
        infos[i].size = sizeof infos[i];
    }
    size_t count = 0;
    must_be_ok(verso_roots(world->store, 0, infos, ROOTS_MAX, NULL, &count), "roots");
    uint64_t found = count == 0 ? 0 : infos[count - 1].id;
    scheduler_must(found >= newest, "root %ju is lost, %ju is the newest", (uintmax_t)newest,
                   (uintmax_t)found);
    for (size_t i = 0; i < count; i++) {
        scheduler_must(world_look_at(world, infos[i].id), "root %ju was listed, but is gone",
                       (uintmax_t)infos[i].id);
    }
}

static void look_at_disk(struct world *world, uint64_t newest)
{
    simulated_disk_set_background(world->disk, false);
    world_open_store(world);
    look_at_all(world, newest);
    world_close_store(world);
}

struct world *world_open(const struct world_kind *kind)
{
    struct world *world = calloc(1, sizeof *world);
    scheduler_must(world != NULL, "no memory");
    world->kind = *kind;
    world->disk = simulated_disk_open(1);
    if (kind->background) {
        simulated_disk_set_background(world->disk, true);
        return world; /* a scheduled thread opens the store: its own thread is scheduled then */
    }
    world_open_store(world);
    for (unsigned i = 0; i < kind->commits; i++) {
        world_commit(world);
    }
    if (kind->segment_full) {
        fill_segment(world);
    }
    if (kind->checkpointed) {
        world_checkpoint(world);
    }
    if (kind->reopened) {
        world_close_store(world);
        world_open_store(world);
    }
    return world;
}

void world_end(struct world *world)
{
    if (world->store != NULL) {
        look_at_all(world, world->tip);
        world_close_store(world);
    }
    if (!world->kind.in_memory) {
        look_at_disk(world, world->tip);
    }
    simulated_disk_close(world->disk);
    if (world->left != NULL) {
        world->disk = world->left;
        look_at_disk(world, world->promised);
        simulated_disk_close(world->disk);
    }
    free(world);
}
