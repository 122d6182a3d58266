/*
 * hostile_store.c - write a store file that means harm, for tests of whole programs.
 *
 * Usage: PROGRAM PACKED ROUNDS OUT
 *
 * PACKED is an input of the target `file`: a byte of choices and the packed file. Its file is changed
 * so many times by the target's mutator, which repairs the checksums, and written to OUT.
 */
#include <stdio.h>
#include <stdlib.h>

#include "plain_mutation.h"
#include "sparse_bytes.h"
#include "store_mutation.h"

enum {
    PACKED_MAX = 1 << 20,
};

static uint8_t packed[PACKED_MAX];
static uint8_t bytes[STORE_FILE_SIZE_MAX];

static size_t read_packed(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : fread(packed, 1, sizeof packed, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return size;
}

static int write_store(const char *path, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return 1;
    }
    size_t written = fwrite(bytes, 1, size, file);
    return fclose(file) == 0 && written == size ? 0 : 1;
}

int main(int argc, char **argv)
{
    size_t packed_size = argc == 4 ? read_packed(argv[1]) : 0;
    if (packed_size == 0) {
        (void)fputs("usage: hostile_store PACKED ROUNDS OUT\n", stderr);
        return 2;
    }
    size_t size = sparse_unpack(packed + 1, packed_size - 1, bytes, sizeof bytes);
    unsigned rounds = (unsigned)strtoul(argv[2], NULL, 10);
    for (unsigned round = 1; round <= rounds; round++) {
        plain_mutation_seed(round);
        size = store_mutate(bytes, size, sizeof bytes, rounds * 1000 + round);
    }
    return write_store(argv[3], size);
}
