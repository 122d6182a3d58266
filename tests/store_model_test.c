/*
 * store_model_test.c - whole stores beside sorted arrays, one per version, over many random steps.
 *
 * VERSO_TEST_RUNS: for each page size; up to 1,000, so that no two seeds run the same.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "run_length.h"
#include "store_model.h"

enum { RUNS = 30, STEPS = 400 };

/* @return How many operations that were. */
static uint64_t run(const struct store_model_config *config, unsigned steps)
{
    struct store_model *model = store_model_open(config);
    for (unsigned step = 0; step < steps; step++) {
        const char *fault = store_model_step(model);
        cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u step=%u: %s", config->seed,
                  config->page_size, step, fault);
    }
    const char *fault = store_model_finish(model);
    cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u at the end: %s", config->seed,
              config->page_size, fault);
    uint64_t operations = store_model_operations(model);
    fault = store_model_close(model);
    cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u: %s", config->seed, config->page_size,
              fault);
    return operations;
}

static void run_page_size(uint32_t page_size)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS);
    uint64_t operations = 0;
    for (uint64_t i = 0; i < runs; i++) {
        struct store_model_config config = store_model_draw(page_keys_seed() * 1000 + i, page_size);
        operations += run(&config, STEPS);
    }
    run_count("runs", runs);
    run_count("operations", operations);
}

Test(store_model, agrees_with_sorted_arrays_on_pages_of_512_bytes)
{
    run_page_size(512);
}

Test(store_model, agrees_with_sorted_arrays_on_pages_of_1_KiB)
{
    run_page_size(1024);
}

Test(store_model, agrees_with_sorted_arrays_on_pages_of_4_KiB)
{
    run_page_size(4096);
}
