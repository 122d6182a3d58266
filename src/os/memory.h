/*
 * memory.h - address space reserved ahead, so that what grows never moves.
 *
 * Reserved memory reads as zeros, costs nothing until written, and is counted page by page.
 */
#ifndef VERSO_OS_MEMORY_H
#define VERSO_OS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/** Reserve `size` bytes of private zeroed memory; NULL if the process cannot have it. */
void *vs_memory_reserve(size_t size);

/** Ask for huge pages in a reserved range; a hint. */
void vs_memory_prefer_huge(void *address, size_t size);

/** Give the contents of a page-aligned range back to the system; it reads as zeros again. */
void vs_memory_discard(void *address, size_t size);

/** Undo vs_memory_reserve(). NULL is allowed. */
void vs_memory_release(void *address, size_t size);

#endif
