/*
 * open.c - opening and closing a store, and the calls that concern it as a whole.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/leaf.h"
#include "os/fault.h"

enum {
    INTERVAL_MS_DEFAULT = 100,
    ARENA_PAGES_MIN = 256,
    LOG_BYTES_MIN = 64 * 1024,
};

#define ARENA_BYTES_DEFAULT (UINT64_C(256) << 20)
#define LOG_BYTES_DEFAULT (UINT64_C(64) << 20)
#define LIMIT_BYTES_MAX (UINT64_C(1) << 40)

/* The caller's options, as far as its struct goes, over the defaults. */
static verso_err read_options(const verso_options *given, verso_options *options)
{
    const verso_options defaults = VERSO_OPTIONS_INIT;
    *options = defaults;
    if (given == NULL) {
        return VERSO_OK;
    }
    if (given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "options: `size` is %zu; begin with VERSO_OPTIONS_INIT",
                        given->size);
    }
    memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    uint32_t page = options->page_size;
    if (page != 0 && (page < VS_PAGE_SIZE_MIN || page > VS_PAGE_SIZE_MAX || (page & (page - 1)))) {
        return vs_fault(VERSO_INVALID, "options: page_size %u is not a power of two from %d to %d",
                        page, VS_PAGE_SIZE_MIN, VS_PAGE_SIZE_MAX);
    }
    if ((int)options->durability < VERSO_DURABILITY_DEFAULT ||
        (int)options->durability > VERSO_DURABILITY_INTERVAL) {
        return vs_fault(VERSO_INVALID, "options: no durability has the number %d",
                        (int)options->durability);
    }
    if (options->arena_bytes > LIMIT_BYTES_MAX || options->log_bytes > LIMIT_BYTES_MAX) {
        return vs_fault(VERSO_INVALID, "options: arena_bytes or log_bytes is over 1 TiB");
    }
    if (options->read_only && options->create) {
        return vs_fault(VERSO_INVALID, "options: create and read_only exclude each other");
    }
    return VERSO_OK;
}

/* The policy of a new store. */
static verso_err read_retention(const verso_options *options, verso_retention *retention)
{
    if (options->retention != NULL) {
        return vs_retention_read(options->retention, retention);
    }
    *retention = verso_keep_default();
    return VERSO_OK;
}

static struct vs_store_config config_of(const char *path, const verso_options *options)
{
    struct vs_store_config config = {
        .os = options->system != NULL ? options->system : vs_os_real(),
        .path = path,
        .create = options->create,
        .read_only = options->read_only,
        .page_size = options->page_size,
        .durability = options->durability,
        .interval_ms = options->interval_ms,
        .arena_bytes = options->arena_bytes,
        .log_bytes = options->log_bytes,
        .guard_reads = options->guard_reads,
    };
    if (config.durability == VERSO_DURABILITY_DEFAULT) {
        config.durability = VERSO_DURABILITY_SYNC;
    }
    if (config.interval_ms == 0) {
        config.interval_ms = INTERVAL_MS_DEFAULT;
    }
    if (config.arena_bytes == 0) {
        config.arena_bytes = ARENA_BYTES_DEFAULT;
    }
    uint64_t page = config.page_size == 0 ? VS_PAGE_SIZE_DEFAULT : config.page_size;
    if (config.arena_bytes < ARENA_PAGES_MIN * page) {
        config.arena_bytes = ARENA_PAGES_MIN * page;
    }
    if (config.log_bytes == 0) {
        config.log_bytes = LOG_BYTES_DEFAULT;
    }
    if (config.log_bytes < LOG_BYTES_MIN) {
        config.log_bytes = LOG_BYTES_MIN;
    }
    return config;
}

verso_err verso_open(const char *path, const verso_options *given, verso_store **store)
{
    verso_options options;
    verso_err err = read_options(given, &options);
    if (err != VERSO_OK) {
        return err;
    }
    if (store == NULL || (path != NULL && path[0] == '\0')) {
        return vs_fault(VERSO_INVALID, store == NULL ? "verso_open: `store` is NULL"
                                                     : "verso_open: the path is empty");
    }
    if (path == NULL && options.read_only) {
        return vs_fault(VERSO_INVALID, "verso_open: an in-memory store cannot be read-only");
    }
    verso_store *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to open a store");
    }
    vs_fork_watch();
    fresh->forks = vs_fork_count();
    struct vs_store_config config = config_of(path, &options);
    err = read_retention(&options, &config.retention);
    if (err == VERSO_OK) {
        err = vs_store_open(&config, &vs_history_calls, &fresh->store);
    }
    if (err == VERSO_OK) {
        err = vs_recover(fresh->store);
        if (err != VERSO_OK) {
            vs_store_discard(fresh->store);
        }
    }
    if (err != VERSO_OK) {
        free(fresh);
        return err;
    }
    *store = fresh;
    return VERSO_OK;
}

verso_err verso_close(verso_store *store)
{
    if (store == NULL) {
        return VERSO_OK;
    }
    verso_err err = vs_check_process(store); /* of a child, nothing is freed: its parent goes on */
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t views = atomic_load_explicit(&store->views, memory_order_acquire);
    if (views > 0) {
        return vs_fault(VERSO_INVALID, "verso_close: %llu views or transactions are still open",
                        (unsigned long long)views);
    }
    vs_txn_free_spare(store);
    err = vs_store_close(store->store);
    free(store);
    return err;
}

verso_err verso_sync(verso_store *store)
{
    if (store == NULL) {
        return vs_fault(VERSO_INVALID, "verso_sync: the store is NULL");
    }
    verso_err err = vs_check_process(store);
    return err == VERSO_OK ? vs_store_sync(store->store) : err;
}

verso_err verso_checkpoint(verso_store *store)
{
    if (store == NULL) {
        return vs_fault(VERSO_INVALID, "verso_checkpoint: the store is NULL");
    }
    verso_err err = vs_check_process(store);
    return err == VERSO_OK ? vs_checkpoint_within_budget(store->store, false) : err;
}

size_t verso_key_size_max(const verso_store *store)
{
    return store == NULL ? 0 : vs_leaf_key_max(store->store->pages.page_size);
}
