/*
 * fuzz_target.h - what a fuzz target offers to its driver: libFuzzer, or replay.c.
 *
 * The names are libFuzzer's. A target has the first two; a mutator of its own is optional there,
 * but all targets here have one.
 */
#ifndef VERSO_TESTS_FUZZ_FUZZ_TARGET_H
#define VERSO_TESTS_FUZZ_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/** Run one input. What must never happen aborts. @return 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Change `data` (`size` bytes, room for `max_size`). @return The new size. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/** The driver's own mutation of plain bytes. @return The new size. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
