/*
 * failing_memory.c - stands between callers and the C library by the linker's --wrap
 * (CMakeLists.txt, failing_memory()).
 */
#include "failing_memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static uint64_t until_failure; /* allocations up to the one that fails; 0: none will */
static bool fails_for_ever;
static uint64_t failed;
static int64_t held;
static size_t bound; /* bytes of address space at once; 0: none */

/* The linker gives these names: calls of malloc() come to __wrap_malloc(), and __real_malloc() is
 * what they called before. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
void *__real_vs_memory_reserve(size_t size);
void *__wrap_vs_memory_reserve(size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size_max);

void failing_memory_arm(uint64_t nth, bool for_ever)
{
    until_failure = nth;
    fails_for_ever = for_ever;
    failed = 0;
}

uint64_t failing_memory_disarm(void)
{
    until_failure = 0;
    return failed;
}

void failing_memory_bound(size_t reservation_max)
{
    bound = reservation_max;
}

int64_t failing_memory_held(void)
{
    return held;
}

static bool fails(void)
{
    if (until_failure == 0) {
        return false;
    }
    if (until_failure > 1) {
        until_failure--;
        return false;
    }
    until_failure = fails_for_ever ? 1 : 0;
    failed++;
    return true;
}

static void *count(void *memory)
{
    held += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : count(__real_calloc(number, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails()) {
        return NULL;
    }
    bool is_new = memory == NULL;
    void *grown = __real_realloc(memory, size);
    return is_new ? count(grown) : grown;
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

char *__wrap_strndup(const char *text, size_t size_max)
{
    size_t size = strnlen(text, size_max);
    char *copy = __wrap_malloc(size + 1);
    if (copy == NULL) {
        return NULL;
    }
    copy[size] = '\0';
    return memcpy(copy, text, size);
}

void *__wrap_vs_memory_reserve(size_t size)
{
    return fails() || (bound > 0 && size > bound) ? NULL : __real_vs_memory_reserve(size);
}

void __wrap_free(void *memory)
{
    held -= memory != NULL;
    __real_free(memory);
}
