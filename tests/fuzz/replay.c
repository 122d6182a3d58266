/*
 * replay.c - run a fuzz target over the files of its corpus, without libFuzzer: the default tests'
 * driver, for any compiler.
 *
 * Usage: PROGRAM [--mutants N] FILE-OR-DIRECTORY...
 *
 * With --mutants each file is also run as N mutants of it, drawn from fixed seeds.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz_target.h"
#include "plain_mutation.h"

enum {
    INPUT_MAX = 1 << 20,
    PATH_SIZE = 1024,
    MUTANTS_IN_A_ROW = 8, /* each made from the one before, as libFuzzer's are from its finds */
};

static unsigned mutants; /* a file */
static uint64_t inputs;

static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1); /* so that a sanitiser sees its ends */
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    inputs++;
}

/* Where a mutant is the one that fails: which. */
static void announce(const char *path, unsigned mutant)
{
    if (getenv("VERSO_TEST_VERBOSE") != NULL) { // NOLINT(concurrency-mt-unsafe): one thread
        (void)fprintf(stderr, "%s, mutant %u\n", path, mutant);
    }
}

static void run_mutants(const char *path, const uint8_t *bytes, size_t size)
{
    static uint8_t mutant[INPUT_MAX];
    size_t mutant_size = 0;
    for (unsigned i = 0; i < mutants; i++) {
        if (i % MUTANTS_IN_A_ROW == 0) {
            memcpy(mutant, bytes, size);
            mutant_size = size;
        }
        announce(path, i);
        plain_mutation_seed(i);
        mutant_size = LLVMFuzzerCustomMutator(mutant, mutant_size, sizeof mutant, i);
        run(mutant, mutant_size);
    }
}

static bool run_file(const char *path)
{
    static uint8_t bytes[INPUT_MAX];
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno)); // NOLINT(concurrency-mt-unsafe)
        return false;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    announce(path, 0);
    run(bytes, size);
    run_mutants(path, bytes, size);
    return true;
}

static bool run_directory(const char *path)
{
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    bool done = count >= 0;
    for (int i = 0; i < count; i++) {
        char name[PATH_SIZE];
        (void)snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            done = run_file(name) && done;
        }
        free(names[i]);
    }
    free(names);
    return done;
}

static bool run_path(const char *path)
{
    struct stat status;
    bool is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return is_directory ? run_directory(path) : run_file(path);
}

int main(int argc, char **argv)
{
    bool done = argc > 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--mutants") == 0 && i + 1 < argc) {
            mutants = (unsigned)strtoul(argv[++i], NULL, 10);
        } else {
            done = run_path(argv[i]) && done;
        }
    }
    (void)printf("%llu inputs\n", (unsigned long long)inputs);
    return done && inputs > 0 ? 0 : 1;
}
