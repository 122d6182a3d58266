/*
 * fuzz_record.c - hostile records of each format: metas, roots, catalogue entries, references,
 * policies, operations, frames, segments, increments.
 *
 * An input is a byte that says the kind, and the record (record_check.h).
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz_target.h"
#include "record_check.h"
#include "simulated_random.h"
#include "store_mutation.h"

enum { UNREPAIRED_ONE_IN = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 1) { /* data ends where the record does, so a sanitiser sees what lies beyond */
        record_check(data[0] % RECORD_KINDS, data + 1, size - 1);
    }
    return 0;
}

/* A new record, a number of one, or what the driver thinks of. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    struct simulated_random random = {seed};
    if (max_size < RECORD_BYTES_MAX) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    uint64_t which = simulated_random_below(&random, 64);
    if (which == 0 || size < 2) {
        data[0] = (uint8_t)simulated_random_below(&random, RECORD_KINDS);
        return 1 + record_seed(data[0], data + 1);
    }
    unsigned width = 1u << simulated_random_below(&random, 4);
    if (which < 32 && size > width) {
        size_t at = 1 + (size_t)simulated_random_below(&random, size - width);
        mutation_of_number(&random, data + at, width);
    } else {
        size = 1 + LLVMFuzzerMutate(data + 1, size - 1, RECORD_BYTES_MAX - 1);
    }
    if (simulated_random_below(&random, UNREPAIRED_ONE_IN) > 0) {
        record_repair(data[0] % RECORD_KINDS, data + 1, size - 1);
    }
    return size;
}
