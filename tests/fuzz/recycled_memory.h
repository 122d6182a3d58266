/*
 * recycled_memory.h - address space that is reserved once and used for one input after the other.
 *
 * Each input opens a store two or three times, and each opening reserves a dozen stretches of
 * address space of which it touches a few pages. To map, touch and unmap them anew cost more than
 * the store's own work. So in a fuzz target the linker's --wrap puts this module between the
 * engine, the simulated disk and the system (CMakeLists.txt).
 *
 * Memory that was given back is cleared, and poisoned for the address sanitiser where it was ever
 * touched: who uses it still is found as before.
 * Threads: any thread may call; a mutex guards the stretches.
 */
#ifndef VERSO_TESTS_FUZZ_RECYCLED_MEMORY_H
#define VERSO_TESTS_FUZZ_RECYCLED_MEMORY_H

#include <stddef.h>

/* The linker gives these names: calls of vs_memory_reserve() come to __wrap_vs_memory_reserve(),
 * and __real_vs_memory_reserve() is what they called before. */

void *__real_vs_memory_reserve(size_t size);
void *__wrap_vs_memory_reserve(size_t size);
void __real_vs_memory_release(void *address, size_t size);
void __wrap_vs_memory_release(void *address, size_t size);

/** No huge pages: to clear one costs more than all else that an input does. */
void __wrap_vs_memory_prefer_huge(void *address, size_t size);

/** The simulated disk's: the same. */
void *__wrap_simulated_memory_reserve(size_t size);

#endif
