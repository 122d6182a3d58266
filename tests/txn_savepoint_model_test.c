/*
 * txn_savepoint_model_test.c - transactions full of savepoints beside sorted arrays, in stores of
 * all page sizes, with arenas that most transactions outgrow, with long values and power cuts.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "run_length.h"
#include "store_model.h"

enum { RUNS = 6, STEPS = 60, ARENA_FRAMES = 40 };

static struct store_model_config config_of(uint64_t seed, uint32_t page_size)
{
    struct store_model_config config = store_model_draw(seed, page_size);
    config.savepoint_one_in = seed % 2 == 0 ? 4 : 25;
    config.arena_bytes = (uint64_t)page_size * ARENA_FRAMES;
    config.keys_target = 1500;
    config.changes_max = 60;
    config.large_one_in = 3;
    config.value_max = config.value_max < 100 ? 100 : config.value_max;
    config.long_one_in = 12;
    config.long_value_max = 6 * (size_t)page_size;
    config.weight[STORE_MODEL_CHECK] += 5; /* no page of what was rolled back stays behind */
    return config;
}

static void run_page_size(uint32_t page_size)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS); /* up to 3,000 */
    uint64_t operations = 0;
    for (uint64_t i = 0; i < runs; i++) {
        struct store_model_config config = config_of(page_keys_seed() * 3000 + i, page_size);
        struct store_model *model = store_model_open(&config);
        for (unsigned step = 0; step < STEPS; step++) {
            const char *fault = store_model_step(model);
            cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u step=%u: %s", config.seed,
                      page_size, step, fault);
        }
        const char *fault = store_model_finish(model);
        cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u at the end: %s", config.seed,
                  page_size, fault);
        operations += store_model_operations(model);
        fault = store_model_close(model);
        cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u: %s", config.seed, page_size,
                  fault);
    }
    run_count("runs", runs);
    run_count("operations", operations);
}

Test(txn_savepoint_model, agrees_with_sorted_arrays_on_pages_of_512_bytes)
{
    run_page_size(512);
}

Test(txn_savepoint_model, agrees_with_sorted_arrays_on_pages_of_4_KiB)
{
    run_page_size(4096);
}

Test(txn_savepoint_model, agrees_with_sorted_arrays_on_pages_of_16_KiB)
{
    run_page_size(16384);
}

Test(txn_savepoint_model, agrees_with_sorted_arrays_on_pages_of_64_KiB)
{
    run_page_size(65536);
}
