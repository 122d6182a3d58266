/*
 * options.h - the command line.
 */
#ifndef VERSO_BENCH_OPTIONS_H
#define VERSO_BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"
#include "keys.h"

/** What the user asked for; texts point into argv. */
struct options {
    uint32_t keys;
    uint32_t value_size;
    enum key_kind key_kind;
    const char *directory;
    const char *only;    /* names separated by commas, or NULL for all workloads */
    const char *engines; /* likewise */
    const char *tsv_path;
    unsigned rounds;
    uint32_t reads;     /* gets a pass */
    double seconds;     /* longest run of one commit workload */
    uint32_t commits;   /* most commits of one such run */
    uint32_t long_keys; /* keys of the long reader's store */
    uint32_t long_puts; /* its puts a commit */
    uint32_t long_gib;  /* a store of it may grow to this */
    bool keep_last_given;
    uint64_t keep_last; /* KEEP_ALL, or another of engine.h */
    uint64_t arena_bytes;
    bool lmdb_no_readahead;
    bool help;
    bool list;
};

/** Read the command line; prints what is wrong and stops the program if it makes no sense. */
struct options options_read(int argc, char **argv);

/** Print what verso-bench --help says. */
void options_print_help(void);

/** Whether `name` stands in `list`, which is names separated by commas; NULL names everything. */
bool options_names(const char *list, const char *name);

#endif
