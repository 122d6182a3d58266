/*
 * recycled_memory.c - the stretches in use and those to spare.
 *
 * R1  A spare stretch reads as zeros. Which of its pages were touched, the kernel knows: they are
 *     resident, and only they are cleared. They lie at the front nearly always. What lies behind
 *     the first part whose second half has none is given back to the system. A short stretch is
 *     cleared without a question.
 */
#include "recycled_memory.h"

#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/memory.h"

enum {
    SHORT_SIZE = 16 * 1024,    /* bytes */
    PART_SIZE = 64 * 1024,     /* bytes looked at together */
    PART_PAGES = 16,           /* that many at most, for pages have 4 KiB or more */
    STRETCHES_MAX = 256,       /* in use and to spare; one beyond is the system's alone */
    RESIDENT_MAX = 512 * 1024, /* bytes kept of one stretch; clearing more is no cheaper */
};

struct stretch {
    uint8_t *address;
    size_t size;
    size_t resident; /* bytes at the front that may be resident; of a spare one */
    bool is_spare;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct stretch stretches[STRETCHES_MAX]; /* guarded by mutex, as is the next */
static size_t stretch_count;

/* Clear a part's resident pages. @return Whether there were any in its second half. */
static bool clear_part(uint8_t *part, size_t size)
{
    unsigned char resident[PART_PAGES];
    static size_t page; /* guarded by mutex */
    bool any = false;
    page = page > 0 ? page : (size_t)sysconf(_SC_PAGESIZE);
    if (mincore(part, size, resident) != 0) {
        abort();
    }
    for (size_t at = 0; at < size; at += page) {
        if (resident[at / page] & 1) {
            memset(part + at, 0, size - at < page ? size - at : page);
            any = any || at >= size / 2;
        }
    }
    return any;
}

/* Make it read as zeros (R1). @return How far pages may be resident. */
static size_t clear(uint8_t *address, size_t size)
{
    size_t at = 0;
    bool any = true;
    if (size <= SHORT_SIZE) {
        memset(address, 0, size);
        return size;
    }
    while (any && at < size && at < RESIDENT_MAX) {
        size_t left = size - at;
        size_t part = left < PART_SIZE ? left : PART_SIZE;
        any = clear_part(address + at, part);
        at += part;
    }
    if (at < size) {
        vs_memory_discard(address + at, size - at);
    }
    return at;
}

static void *take_spare_locked(size_t size)
{
    for (size_t i = 0; i < stretch_count; i++) {
        struct stretch *stretch = &stretches[i];
        if (stretch->is_spare && stretch->size == size) {
            stretch->is_spare = false;
            ASAN_UNPOISON_MEMORY_REGION(stretch->address, stretch->resident);
            return stretch->address;
        }
    }
    return NULL;
}

void *__wrap_vs_memory_reserve(size_t size)
{
    (void)pthread_mutex_lock(&mutex);
    void *address = take_spare_locked(size);
    if (address == NULL) {
        address = __real_vs_memory_reserve(size);
        if (address != NULL && stretch_count < STRETCHES_MAX) {
            stretches[stretch_count++] = (struct stretch){address, size, 0, false};
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return address;
}

static bool give_back_locked(void *address, size_t size)
{
    for (size_t i = 0; i < stretch_count; i++) {
        struct stretch *stretch = &stretches[i];
        if (stretch->address != address) {
            continue;
        }
        if (stretch->is_spare || stretch->size != size) {
            abort(); /* given back twice, or in part */
        }
        stretch->resident = clear(stretch->address, size);
        stretch->is_spare = true;
        ASAN_POISON_MEMORY_REGION(stretch->address, stretch->resident);
        return true;
    }
    return false;
}

void __wrap_vs_memory_release(void *address, size_t size)
{
    (void)pthread_mutex_lock(&mutex);
    bool is_kept = address != NULL && give_back_locked(address, size);
    (void)pthread_mutex_unlock(&mutex);
    if (!is_kept) {
        __real_vs_memory_release(address, size);
    }
}

void __wrap_vs_memory_prefer_huge(void *address, size_t size)
{
    (void)address;
    (void)size;
}

void *__wrap_simulated_memory_reserve(size_t size)
{
    void *address = __wrap_vs_memory_reserve(size);
    if (address == NULL) {
        abort();
    }
    return address;
}
