/*
 * page_mutation.h - change the bytes of a leaf or branch so that many stay acceptable.
 */
#ifndef VERSO_TESTS_FUZZ_PAGE_MUTATION_H
#define VERSO_TESTS_FUZZ_PAGE_MUTATION_H

#include <stddef.h>
#include <stdint.h>

/** Change one to three things; then, mostly, put right what follows from the rest: hints, unused
 *  heads, the count of dead bytes. */
void page_mutate(uint8_t *page, size_t page_size, unsigned seed);

#endif
