/*
 * memory_test.c - address space reserved ahead.
 */
#include <criterion/criterion.h>

#include <stdint.h>
#include <string.h>

#include "os/memory.h"

enum { MIB = 1 << 20 };

Test(memory, reads_as_zeros_until_it_is_written)
{
    uint8_t *memory = vs_memory_reserve((size_t)1 << 30);
    cr_assert_not_null(memory);
    cr_assert_eq(memory[0], 0);
    memory[(1 << 30) - 1] = 7;
    cr_assert_eq(memory[(1 << 30) - 1], 7);
    cr_assert_eq(memory[(1 << 30) - 2], 0);
    vs_memory_release(memory, (size_t)1 << 30);
}

Test(memory, discards_a_range_and_nothing_else)
{
    uint8_t *memory = vs_memory_reserve(4 * MIB);
    cr_assert_not_null(memory);
    vs_memory_prefer_huge(memory, 4 * MIB);
    memset(memory, 'a', 4 * MIB);
    vs_memory_discard(memory + MIB, MIB);
    cr_assert_eq(memory[MIB - 1], 'a');
    cr_assert_eq(memory[MIB], 0);
    cr_assert_eq(memory[2 * MIB - 1], 0);
    cr_assert_eq(memory[2 * MIB], 'a');
    vs_memory_discard(memory, 0);
    cr_assert_eq(memory[0], 'a');
    vs_memory_release(memory, 4 * MIB);
}

Test(memory, refuses_what_the_process_cannot_have)
{
    cr_assert_null(vs_memory_reserve((size_t)1 << 60));
    vs_memory_release(NULL, MIB);
}
