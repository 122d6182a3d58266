/*
 * simulated_memory.h - the memory behind simulated files, used again and again.
 *
 * A crash sweep makes and drops tens of thousands of disks. Fresh memory for each of them costs
 * more than clearing what the one before has left (a crash of a disk with 1.2 MiB of files: 550
 * against 95 us), because the kernel hands it out page by page.
 *
 * Threads: any thread may call; a mutex of its own guards the spare memory.
 */
#ifndef VERSO_TESTS_SIMULATED_MEMORY_H
#define VERSO_TESTS_SIMULATED_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** Reserve `size` bytes of zeros; aborts where the system refuses. Free with
 * vs_memory_release(). */
void *simulated_memory_reserve(size_t size);

/**
 * SIMULATED_FILE_SIZE_MAX bytes of zeros, of which the first `open_size` (whole pages) are
 * accessible. Give them back by simulated_memory_return().
 */
uint8_t *simulated_memory_take(size_t open_size);

/** Make [from, to) of such memory, whole 4 KiB pages, accessible or not; its bytes stay. */
void simulated_memory_open(uint8_t *memory, size_t from, size_t to);
void simulated_memory_shut(uint8_t *memory, size_t from, size_t to);

/**
 * Give it back. The first `open_size` bytes are accessible, and all from `used_size` on are zeros
 * (both whole pages).
 */
void simulated_memory_return(uint8_t *memory, size_t open_size, size_t used_size);

#endif
