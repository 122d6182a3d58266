/*
 * bench.c - verso-bench: run the workloads that were asked for.
 */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "stop.h"

static const struct workload workloads[] = {
    {"load-sorted", "all keys ascending, one transaction", workload_load_sorted},
    {"load-random", "all keys in random order, one transaction", workload_load_random},
    {"get-hit", "random gets of keys that are there", workload_get_hit},
    {"get-miss", "random gets of keys that are not there", workload_get_miss},
    {"get-batch", "16 gets in one call, against single gets", workload_get_batch},
    {"get-threads", "two reader threads", workload_get_threads},
    {"scan", "full scans both ways, after random and after sorted load", workload_scan},
    {"range", "scans of 100 entries from random keys, both ways", workload_range},
    {"commit-durable", "one put a commit, durable", workload_commit_durable},
    {"commit-async", "one put a commit, not waiting for the disk", workload_commit_async},
    {"commit-1000", "1,000 puts a commit, durable and not", workload_commit_1000},
    {"commit-beside", "one put a commit while another thread checkpoints or scans",
     workload_commit_beside},
    {"commit-threads", "8 threads, one put a commit, durable", workload_commit_threads},
    {"long-reader", "everything overwritten 20 times under an old root held open",
     workload_long_reader},
    {"old-root", "reads of a root 10,000 commits back", workload_old_root},
    {"open", "opening a store up to the first get, warm", workload_open},
    {"open-root", "opening roots by id, tag and time", workload_open_root},
    {"diff", "differences of two roots", workload_diff},
    {"key-history", "the values that a key has had", workload_key_history},
    {"revert", "reverting 10 keys and 10,000", workload_revert},
    {"count", "counts, ranks and n-th entries", workload_count},
    {"version-size", "the space that a kept version takes", workload_version_size},
    {"retention", "small commits under three policies: rates, bytes written, space held",
     workload_retention},
    {"delete-range", "deleting 90 % of the keys", workload_delete_range},
    {"copy", "copies and increments", workload_copy},
    {"tree-drop", "dropping a tree with all keys", workload_tree_drop},
};

enum {
    WORKLOADS = sizeof workloads / sizeof workloads[0],
    MAP_SLACK = 1 << 30, /* bytes of map beyond what the keys can take */
    MAP_STORES = 4,      /* times the keys: old pages stay while new ones are written */
    ENTRY_OVERHEAD = 64  /* bytes an entry may cost above its key and value, per store */
};

const struct engine *bench_engine(const struct bench *bench, const char *option_name)
{
    for (unsigned i = 0; i < bench->engine_count; i++) {
        if (strcmp(bench->engines[i]->option_name, option_name) == 0) {
            return bench->engines[i];
        }
    }
    return NULL;
}

const struct key_set *bench_ascending(struct bench *bench)
{
    if (bench->ascending.count == 0) {
        bench->ascending = keys_sorted(&bench->keys);
    }
    return &bench->ascending;
}

struct store_settings bench_settings(const struct bench *bench, enum commit_mode mode,
                                     uint64_t keep_last)
{
    uint64_t entry = bench->keys.key_size + bench->options->value_size + ENTRY_OVERHEAD;
    return (struct store_settings){
        .mode = mode,
        .keep_last = keep_last,
        .arena_bytes = bench->options->arena_bytes,
        .map_bytes = bench->keys.count * entry * MAP_STORES + MAP_SLACK,
        .no_readahead = bench->options->lmdb_no_readahead,
    };
}

struct path bench_path(const struct bench *bench, const char *name)
{
    return path_join(bench->directory.text, name);
}

void bench_progress(const char *format, ...)
{
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    fputs("... ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static void list_workloads(void)
{
    for (unsigned i = 0; i < WORKLOADS; i++) {
        printf("%-16s%s\n", workloads[i].name, workloads[i].summary);
    }
}

/* Every name of the list must be one of ours: a misspelt one would silently measure nothing. */
static void expect_known(const char *list, const char *const *names, size_t count)
{
    const char *at = list;
    while (at != NULL) {
        size_t length = strcspn(at, ",");
        bool known = false;
        for (size_t i = 0; i < count && !known; i++) {
            known = strlen(names[i]) == length && strncmp(names[i], at, length) == 0;
        }
        if (!known) {
            stop_with("there is no \"%.*s\"; see --list and --help", (int)length, at);
        }
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
}

static void expect_known_names(const struct options *options)
{
    const char *names[WORKLOADS];
    for (unsigned i = 0; i < WORKLOADS; i++) {
        names[i] = workloads[i].name;
    }
    expect_known(options->only, names, WORKLOADS);
#if VERSO_HAVE_LMDB
    const char *const engines[] = {"verso", "lmdb", "machine"};
#else
    const char *const engines[] = {"verso", "machine"};
#endif
    expect_known(options->engines, engines, sizeof engines / sizeof engines[0]);
}

static void line_up(struct bench *bench)
{
    const struct engine *const known[] = {
        &engine_verso,
#if VERSO_HAVE_LMDB
        &engine_lmdb,
#endif
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (options_names(bench->options->engines, known[i]->option_name)) {
            bench->engines[bench->engine_count++] = known[i];
        }
    }
    bench->machine = options_names(bench->options->engines, "machine");
}

static void print_heading(struct bench *bench)
{
    const struct options *options = bench->options;
    struct utsname system = {0};
    uname(&system);
    report_heading(bench->report,
                   "verso-bench: %u keys of %zu bytes (%s), values of %u bytes, %u %s",
                   options->keys, bench->keys.key_size,
                   options->key_kind == KEYS_RANDOM ? "random" : "user:%010u:profile",
                   options->value_size, options->rounds, options->rounds == 1 ? "round" : "rounds");
    report_heading(bench->report, "machine: %s %s, %ld processors", system.sysname, system.release,
                   sysconf(_SC_NPROCESSORS_ONLN));
    for (unsigned i = 0; i < bench->engine_count; i++) {
        report_heading(bench->report, "%s: %s", bench->engines[i]->name,
                       bench->engines[i]->version());
    }
    if (options->arena_bytes > 0) {
        report_heading(bench->report, "Verso: arena of %llu MiB",
                       (unsigned long long)(options->arena_bytes >> 20));
    }
    if (options->lmdb_no_readahead) {
        report_heading(bench->report, "LMDB: with MDB_NORDAHEAD");
    }
    if (directory_in_memory(bench->directory.text)) {
        report_heading(bench->report,
                       "NOTE: the stores are on a file system in memory; durable figures mean "
                       "nothing there");
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct options options = options_read(argc, argv);
    if (options.help) {
        options_print_help();
        return EXIT_SUCCESS;
    }
    if (options.list) {
        list_workloads();
        return EXIT_SUCCESS;
    }
    expect_known_names(&options);

    struct bench bench = {.options = &options};
    line_up(&bench);
    bench.report = report_open(options.tsv_path);
    bench.directory = directory_make_unique(options.directory);
    bench.keys = keys_make(options.key_kind, options.keys, SEED_KEYS);
    bench.values = values_make(options.value_size, SEED_VALUES);
    print_heading(&bench);
    for (unsigned i = 0; i < WORKLOADS; i++) {
        if (options_names(options.only, workloads[i].name)) {
            bench_progress("%s", workloads[i].name);
            workloads[i].run(&bench);
        }
    }
    directory_remove(bench.directory.text);
    report_close(bench.report);
    keys_clear(&bench.keys);
    keys_clear(&bench.ascending);
    values_clear(&bench.values);
    return EXIT_SUCCESS;
}
