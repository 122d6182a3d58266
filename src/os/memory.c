/*
 * memory.c - reserved address space on POSIX systems.
 *
 * A private anonymous mapping without reserved swap gives what memory.h promises: the kernel
 * supplies a zeroed page at the first write to it, and nothing before.
 */
#include "os/memory.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0 /* FreeBSD 11 and later never reserve swap for a mapping */
#endif

enum { RESERVE_FLAGS = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE };

void *vs_memory_reserve(size_t size)
{
    assert(size > 0);

    void *address = mmap(NULL, size, PROT_READ | PROT_WRITE, RESERVE_FLAGS, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

void vs_memory_prefer_huge(void *address, size_t size)
{
    assert((uintptr_t)address % (uintptr_t)sysconf(_SC_PAGESIZE) == 0);
#ifdef MADV_HUGEPAGE
    (void)madvise(address, size, MADV_HUGEPAGE); /* a hint: kernels without huge pages refuse it */
#else
    (void)address;
    (void)size;
#endif
}

/*
 * Linux alone promises zeros after MADV_DONTNEED. Elsewhere a fresh mapping takes the place of the
 * old one; this is also the way out where Linux refuses, which it does for locked memory
 * (mlockall).
 */
void vs_memory_discard(void *address, size_t size)
{
    assert((uintptr_t)address % (uintptr_t)sysconf(_SC_PAGESIZE) == 0);
    if (size == 0) {
        return;
    }
#ifdef __linux__
    if (madvise(address, size, MADV_DONTNEED) == 0) {
        return;
    }
#endif
    void *fresh = mmap(address, size, PROT_READ | PROT_WRITE, RESERVE_FLAGS | MAP_FIXED, -1, 0);
    if (fresh == MAP_FAILED) { /* no room to describe one more mapping: clear it by hand */
        memset(address, 0, size);
    }
}

void vs_memory_release(void *address, size_t size)
{
    if (address == NULL) {
        return;
    }
    int result = munmap(address, size);
    assert(result == 0);
    (void)result; /* unused where assertions are compiled out */
}
