/*
 * workload_load.c - fill an empty store, and look how large its file became.
 *
 * Timed: from begin to the end of a durable commit. Not timed: creating and closing the store.
 * The file is measured after closing, so that whatever an engine still does then is in it.
 */
#include "bench.h"
#include "clock.h"
#include "loaded.h"

struct loader {
    const char *label;
    const char *engine;
    enum commit_mode mode;
    bool baseline;
    void (*load)(const struct engine *engine, struct store *store, const struct key_set *keys,
                 const struct value_pool *values);
};

static void run_loader(struct bench *bench, const struct loader *loader, const struct key_set *keys,
                       struct row *rates, struct row *sizes)
{
    const struct engine *engine = bench_engine(bench, loader->engine);
    if (engine == NULL) {
        return;
    }
    struct path directory = bench_path(bench, "load");
    directory_make(directory.text);
    struct store_settings settings = bench_settings(bench, loader->mode, bench->options->keep_last);
    struct store *store = engine->open(directory.text, &settings);

    bench_progress("%s", loader->label);
    uint64_t start_ns = now_ns();
    loader->load(engine, store, keys, &bench->values);
    double rate = rate_since(start_ns, keys->count);

    engine->close(store);
    uint64_t bytes = directory_footprint(directory.text, engine->file_name).file_bytes;
    directory_remove(directory.text);
    figure_add(row_figure(rates, loader->label, loader->baseline), rate);
    figure_add(row_figure(sizes, loader->label, loader->baseline),
               (double)bytes / (double)keys->count);
}

static void run_rounds(struct bench *bench, const struct loader *loaders, size_t count,
                       const struct key_set *keys, struct row *rates, struct row *sizes)
{
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            run_loader(bench, &loaders[i], keys, rates, sizes);
        }
    }
    row_close(bench->report, rates);
    row_close(bench->report, sizes);
}

void workload_load_sorted(struct bench *bench)
{
    static const struct loader loaders[] = {
        {"Verso, put_sorted of 1,000", "verso", COMMIT_DURABLE, false, load_by_appends},
        {"LMDB, MDB_APPEND", "lmdb", COMMIT_DURABLE, true, load_by_appends},
        {"Verso, ascending puts", "verso", COMMIT_DURABLE, false, load_by_puts},
        {"LMDB, ascending puts", "lmdb", COMMIT_DURABLE, true, load_by_puts},
    };
    struct row *rates = row_open("load-sorted", "sorted load, final sync included", "keys/s");
    struct row *sizes =
        row_open("load-sorted", "file after sorted load (less is better)", "bytes/entry");
    run_rounds(bench, loaders, sizeof loaders / sizeof loaders[0], bench_ascending(bench), rates,
               sizes);
}

void workload_load_random(struct bench *bench)
{
    static const struct loader loaders[] = {
        {"Verso", "verso", COMMIT_DURABLE, false, load_by_puts},
        {"LMDB", "lmdb", COMMIT_DURABLE, true, load_by_puts},
        {"LMDB WRITEMAP", "lmdb", COMMIT_DURABLE_WRITEMAP, true, load_by_puts},
    };
    struct row *rates = row_open("load-random", "random load, final sync included", "keys/s");
    struct row *sizes =
        row_open("load-random", "file after random load (less is better)", "bytes/entry");
    run_rounds(bench, loaders, sizeof loaders / sizeof loaders[0], &bench->keys, rates, sizes);
}
