/*
 * plain_mutation.c - the mutation of plain bytes for programs without libFuzzer, which would know
 * better ones.
 */
#include "plain_mutation.h"

#include <string.h>

#include "fuzz_target.h"
#include "simulated_random.h"

static struct simulated_random plain_random;

void plain_mutation_seed(uint64_t seed)
{
    plain_random.state = seed;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    if (size == 0) {
        return 0;
    }
    uint64_t random = simulated_random_next(&plain_random);
    size_t at = (size_t)(random >> 16) % size;
    if (random % 8 == 0 && size < max_size) {
        memmove(data + at + 1, data + at, size - at);
        return size + 1;
    }
    if (random % 8 == 1 && size > 1) {
        memmove(data + at, data + at + 1, size - at - 1);
        return size - 1;
    }
    data[at] ^= (uint8_t)(1 + (random >> 8) % 255);
    return size;
}
