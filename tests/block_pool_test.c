/*
 * block_pool_test.c - blocks that stay where they are, from the first to the one too many.
 */
#include "store/block_pool.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "format/layout.h"

enum { BLOCKS = 1000 };

static struct vs_block_pool pool;

static void set_up(void)
{
    verso_err err = vs_block_pool_init(&pool, BLOCKS);
    cr_assert_eq(err, VERSO_OK);
}

static void tear_down(void)
{
    vs_block_pool_clear(&pool);
}

TestSuite(block_pool, .init = set_up, .fini = tear_down);

static uint32_t take(void)
{
    uint32_t block = 0;
    verso_err err = vs_block_pool_take(&pool, &block);
    cr_assert_eq(err, VERSO_OK);
    cr_assert_neq(block, 0, "block 0 stands for none");
    return block;
}

Test(block_pool, holds_as_many_as_promised_and_no_more)
{
    for (unsigned i = 0; i < BLOCKS; i++) {
        memset(vs_block_pool_bytes(&pool, take()), (int)(i % 251), VS_PART_BYTES);
    }
    uint32_t block = 7;
    verso_err err = vs_block_pool_take(&pool, &block);
    cr_assert_eq(err, VERSO_NOMEM);
    cr_assert_eq(block, 7);
    for (unsigned i = 0; i < BLOCKS; i++) {
        const uint8_t *bytes = vs_block_pool_bytes(&pool, i + 1);
        cr_assert_eq(bytes[0], i % 251);
        cr_assert_eq(bytes[VS_PART_BYTES - 1], i % 251);
    }
}

Test(block_pool, all_can_go_back_and_come_again)
{
    for (unsigned round = 0; round < 3; round++) {
        uint8_t seen[BLOCKS + 1] = {0};
        for (unsigned i = 0; i < BLOCKS; i++) {
            uint32_t block = take();
            cr_assert_leq(block, (uint32_t)BLOCKS);
            cr_assert_eq(seen[block], 0, "handed out twice");
            seen[block] = 1;
        }
        for (uint32_t block = 1; block <= BLOCKS; block++) {
            vs_block_pool_return(&pool, block);
        }
    }
}

Test(block_pool, hands_out_the_block_returned_last)
{
    uint32_t a = take();
    uint32_t b = take();
    vs_block_pool_return(&pool, a);
    cr_assert_eq(take(), a);
    vs_block_pool_return(&pool, b);
    cr_assert_eq(take(), b);
}

#ifndef NDEBUG /* the contract is asserted */
Test(block_pool, returning_what_was_never_taken_aborts, .signal = SIGABRT)
{
#ifdef NDEBUG
    cr_skip_test("asserts are compiled away");
#endif
    vs_block_pool_return(&pool, take() + 1);
}
#endif
