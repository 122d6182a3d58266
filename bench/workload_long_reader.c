/*
 * workload_long_reader.c - a root held open while everything is overwritten 20 times.
 *
 * What must stay for the reader is the old root's pages; all between it and the newest could go.
 * Measured: the writer's rate with the reader and without, and how large the file became against
 * its size just after the load. The held root is scanned before and after, and must not change.
 * Commits are not durable: the room they take is the question here, and not the disk.
 * A file may grow to --long-gib; then the run ends early, and a line says how far it came.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bench.h"
#include "clock.h"
#include "commits.h"
#include "loaded.h"
#include "stop.h"

enum { OVERWRITES = 20, COMMITS_A_LOOK = 16, NOTE_SIZE = 160 };

#define MAP_MARGIN (UINT64_C(8) << 30) /* bytes a file may grow between two looks */

/* One engine, with the reader or without. */
struct writer_case {
    const struct engine *engine;
    bool held;
    char label[LABEL_SIZE];
    char note[NOTE_SIZE]; /* why a run ended early, or empty */
};

struct long_rows {
    struct row *rates;
    struct row *growth;
    struct row *sizes;
};

static struct store_settings settings_of(const struct bench *bench, const struct engine *engine)
{
    bool verso = engine == &engine_verso;
    uint64_t keep_last = bench->options->keep_last_given ? bench->options->keep_last : 1;
    struct store_settings settings =
        bench_settings(bench, verso ? COMMIT_INTERVAL : COMMIT_NOSYNC, keep_last);
    settings.map_bytes += ((uint64_t)bench->options->long_gib << 30) + MAP_MARGIN;
    return settings;
}

/* Load the store; returns the bytes of its file after closing. */
static uint64_t load(struct bench *bench, const struct engine *engine, const char *directory,
                     const struct key_set *keys)
{
    struct store_settings settings = settings_of(bench, engine);
    directory_make(directory);
    struct store *store = engine->open(directory, &settings);
    load_by_puts(engine, store, keys, &bench->values);
    engine->sync(store);
    engine->close(store);
    return directory_footprint(directory, engine->file_name).file_bytes;
}

/* Overwrite everything OVERWRITES times; returns the puts done. */
static uint64_t overwrite(const struct bench *bench, const struct engine *engine,
                          struct store *store, const char *directory, const struct key_set *keys)
{
    struct overwrites overwrites = {keys, &bench->values, 0};
    uint64_t puts = (uint64_t)keys->count * OVERWRITES;
    uint64_t limit = (uint64_t)bench->options->long_gib << 30;
    uint64_t done = 0;
    for (uint64_t commits = 0; done < puts; commits++) {
        commit_once(engine, store, &overwrites, bench->options->long_puts);
        done += bench->options->long_puts;
        if (commits % COMMITS_A_LOOK == 0 &&
            directory_footprint(directory, engine->file_name).file_bytes > limit) {
            return done;
        }
    }
    return done;
}

static void expect_unchanged(const struct engine *engine, struct reader *reader,
                             struct scan_result before)
{
    struct scan_result now = engine->scan(reader, SCAN_FORWARD, NULL, UINT64_MAX);
    if (now.entries != before.entries || now.sum != before.sum) {
        stop_with("%s: the held root has changed", engine->name);
    }
}

/* With the reader against without, and Verso against LMDB in the same case. */
static void compare(struct row *row, const struct writer_case *cases, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct figure *figure = row_figure(row, cases[i].label, false);
        for (unsigned j = 0; j < count; j++) {
            bool same_engine = cases[i].engine == cases[j].engine;
            bool without_reader = same_engine && cases[i].held && !cases[j].held;
            bool other_engine =
                !same_engine && cases[i].held == cases[j].held && !is_baseline(cases[i].engine);
            if (without_reader || other_engine) {
                figure_set_against(figure, row_figure(row, cases[j].label, false));
            }
        }
    }
}

static void run_case(struct bench *bench, struct writer_case *now, const struct key_set *keys,
                     const struct long_rows *rows)
{
    const struct engine *engine = now->engine;
    struct path directory = bench_path(bench, "long");
    bench_progress("%s", now->label);
    uint64_t loaded_bytes = load(bench, engine, directory.text, keys);
    struct store_settings settings = settings_of(bench, engine);
    struct store *store = engine->open(directory.text, &settings);
    struct reader *reader = engine->reader_open(store, 0);
    struct scan_result before = engine->scan(reader, SCAN_FORWARD, NULL, UINT64_MAX);
    if (!now->held) {
        engine->reader_close(reader);
    }

    uint64_t start_ns = now_ns();
    uint64_t done = overwrite(bench, engine, store, directory.text, keys);
    figure_add(row_figure(rows->rates, now->label, false), rate_since(start_ns, done));

    engine->checkpoint(store);
    struct footprint footprint = directory_footprint(directory.text, engine->file_name);
    figure_add(row_figure(rows->growth, now->label, false),
               (double)footprint.file_bytes / (double)loaded_bytes);
    figure_add(row_figure(rows->sizes, now->label, false),
               (double)(footprint.file_bytes + footprint.companion_bytes) / (1 << 20));
    if (done < (uint64_t)keys->count * OVERWRITES) {
        snprintf(now->note, sizeof now->note,
                 "  %s: ended at %u GiB, everything overwritten %.1f times instead of %d",
                 now->label, bench->options->long_gib, (double)done / keys->count, OVERWRITES);
    }
    if (now->held) {
        expect_unchanged(engine, reader, before);
        engine->reader_close(reader);
    }
    engine->close(store);
    directory_remove(directory.text);
}

static unsigned line_up(const struct bench *bench, struct writer_case cases[static 2 * ENGINES_MAX])
{
    unsigned count = 0;
    for (int held = 0; held < 2; held++) {
        for (unsigned i = 0; i < bench->engine_count; i++) {
            struct writer_case *added = &cases[count++];
            *added = (struct writer_case){.engine = bench->engines[i], .held = held == 1};
            snprintf(added->label, sizeof added->label, "%s, %s", added->engine->name,
                     held == 1 ? "reader on the old root" : "no reader");
        }
    }
    return count;
}

void workload_long_reader(struct bench *bench)
{
    struct key_set keys = bench->keys; /* the first of them; the bytes stay the bench's */
    keys.count = keys.count < bench->options->long_keys ? keys.count : bench->options->long_keys;
    char title[NOTE_SIZE];
    snprintf(title, sizeof title, "%" PRIu32 " keys overwritten %d times, %" PRIu32 " a commit",
             keys.count, OVERWRITES, bench->options->long_puts);
    struct long_rows rows = {
        .rates = row_open("long-reader", title, "puts/s"),
        .growth = row_open("long-reader", "then: file against after load (less is better)", "x"),
        .sizes = row_open("long-reader", "then: file with companions (less is better)", "MiB"),
    };
    struct writer_case cases[2 * ENGINES_MAX];
    unsigned count = line_up(bench, cases);
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < count; i++) {
            run_case(bench, &cases[i], &keys, &rows);
        }
    }
    struct row *const all[] = {rows.rates, rows.growth, rows.sizes};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        compare(all[i], cases, count);
        row_close(bench->report, all[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        if (cases[i].note[0] != '\0') {
            report_heading(bench->report, "%s", cases[i].note);
        }
    }
}
