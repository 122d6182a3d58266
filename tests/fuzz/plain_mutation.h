/*
 * plain_mutation.h - LLVMFuzzerMutate() (fuzz_target.h) where libFuzzer is not linked.
 */
#ifndef VERSO_TESTS_FUZZ_PLAIN_MUTATION_H
#define VERSO_TESTS_FUZZ_PLAIN_MUTATION_H

#include <stdint.h>

/** What comes next depends on this number alone. */
void plain_mutation_seed(uint64_t seed);

#endif
