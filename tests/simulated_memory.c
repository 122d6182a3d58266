/*
 * simulated_memory.c - a few stretches of memory kept for the next files.
 *
 * A spare stretch holds old bytes up to used_size and zeros from there on. It stays as accessible
 * as it was, because its next file is likely to be of the same size: mprotect() costs time as well.
 */
#include "simulated_memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "os/memory.h"
#include "simulated_disk.h"

enum {
    SPARE_MAX = 16,
    SPARE_SIZE_MAX = 4 << 20, /* bytes; clearing more is no cheaper than getting it anew */
};

struct spare {
    uint8_t *memory;
    size_t open_size; /* bytes, as is the next */
    size_t used_size;
};

static pthread_mutex_t spare_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct spare spares[SPARE_MAX]; /* guarded by spare_mutex, as is the next */
static size_t spare_count;

void *simulated_memory_reserve(size_t size)
{
    /* not vs_memory_reserve(), which a test may make fail */
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        (void)fprintf(stderr, "simulated disk: no address space for %zu bytes\n", size);
        abort();
    }
    return memory;
}

static void protect(uint8_t *memory, size_t from, size_t to, int protection)
{
    if (from < to && mprotect(memory + from, to - from, protection) != 0) {
        perror("simulated disk: mprotect");
        abort();
    }
}

void simulated_memory_open(uint8_t *memory, size_t from, size_t to)
{
    protect(memory, from, to, PROT_READ | PROT_WRITE);
}

void simulated_memory_shut(uint8_t *memory, size_t from, size_t to)
{
    protect(memory, from, to, PROT_NONE);
}

static bool take_spare(struct spare *spare)
{
    bool has_one = false;
    (void)pthread_mutex_lock(&spare_mutex);
    if (spare_count > 0) {
        spare_count--;
        *spare = spares[spare_count];
        has_one = true;
    }
    (void)pthread_mutex_unlock(&spare_mutex);
    return has_one;
}

uint8_t *simulated_memory_take(size_t open_size)
{
    struct spare spare;
    if (!take_spare(&spare)) {
        uint8_t *memory = simulated_memory_reserve(SIMULATED_FILE_SIZE_MAX);
        simulated_memory_shut(memory, open_size, SIMULATED_FILE_SIZE_MAX);
        return memory;
    }
    simulated_memory_open(spare.memory, spare.open_size, spare.used_size);
    memset(spare.memory, 0, spare.used_size);
    simulated_memory_open(spare.memory, spare.used_size, open_size);
    simulated_memory_shut(spare.memory, open_size, spare.used_size);
    return spare.memory;
}

void simulated_memory_return(uint8_t *memory, size_t open_size, size_t used_size)
{
    bool is_kept = false;
    (void)pthread_mutex_lock(&spare_mutex);
    if (used_size <= SPARE_SIZE_MAX && spare_count < SPARE_MAX) {
        spares[spare_count] = (struct spare){memory, open_size, used_size};
        spare_count++;
        is_kept = true;
    }
    (void)pthread_mutex_unlock(&spare_mutex);
    if (!is_kept) {
        vs_memory_release(memory, SIMULATED_FILE_SIZE_MAX);
    }
}
