/*
 * workload_open.c - from nothing open to the first value, everything in the page cache.
 *
 * The store was closed cleanly. Timed: open, open a reader, one get; closing is not. A round's
 * value is the median of its openings; the percentiles are those of all rounds together.
 */
#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "loaded.h"
#include "stop.h"

enum { OPENINGS = 20 };

static double open_again_and_again(struct bench *bench, const struct engine *engine, bool read_only,
                                   struct latencies *latencies)
{
    struct path directory =
        loaded_directory(bench, engine, LOADED_RANDOM, bench->options->keep_last);
    struct store_settings settings =
        bench_settings(bench, COMMIT_DURABLE, bench->options->keep_last);
    settings.read_only = read_only;
    double times_us[OPENINGS];
    for (uint32_t i = 0; i < OPENINGS; i++) {
        verso_slice value = {NULL, 0};
        uint64_t start_ns = now_ns();
        struct store *store = engine->open(directory.text, &settings);
        struct reader *reader = engine->reader_open(store, 0);
        bool found = engine->get(reader, key_at(&bench->keys, i * 31), &value);
        uint64_t elapsed_ns = now_ns() - start_ns;
        latencies_add(latencies, elapsed_ns);
        times_us[i] = (double)elapsed_ns / 1e3;
        engine->reader_close(reader);
        engine->close(store);
        if (!found) {
            stop_with("%s: a key is missing after opening", engine->name);
        }
    }
    return median(times_us, OPENINGS);
}

void workload_open(struct bench *bench)
{
    struct row *row = row_open("open", "open to first get, warm (less is better)", "us");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (int read_only = 0; read_only < 2; read_only++) {
            for (unsigned i = 0; i < bench->engine_count; i++) {
                const struct engine *engine = bench->engines[i];
                char label[LABEL_SIZE];
                snprintf(label, sizeof label, "%s%s", engine->name,
                         read_only == 1 ? ", read-only" : "");
                struct figure *figure = row_figure(row, label, is_baseline(engine));
                figure_add(figure,
                           open_again_and_again(bench, engine, read_only == 1, &figure->latencies));
            }
        }
    }
    row_close(bench->report, row);
}
