/*
 * tree_model_test.c - trees beside sorted arrays, one per version, over many random transactions.
 *
 * VERSO_TEST_RUNS: for each page size; up to 1,000, so that no two seeds run the same.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "run_length.h"
#include "tree_model.h"

enum { RUNS = 12, TRANSACTIONS = 150 };

static void run(const struct tree_model_config *config, unsigned transactions)
{
    struct tree_model *model = tree_model_open(config);
    for (unsigned step = 0; step < transactions; step++) {
        const char *fault = tree_model_transaction(model);
        cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u step=%u: %s", config->seed,
                  config->page_size, step, fault);
    }
    const char *fault = tree_model_compare_all(model);
    cr_assert(fault == NULL, "seed=%" PRIu64 " page size=%u at the end: %s", config->seed,
              config->page_size, fault);
    tree_model_close(model);
}

static void run_page_size(uint32_t page_size)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS);
    for (uint64_t i = 0; i < runs; i++) {
        struct tree_model_config config = tree_model_draw(page_keys_seed() * 1000 + i, page_size);
        run(&config, TRANSACTIONS);
    }
    run_count("runs", runs);
    run_count("transactions", runs * TRANSACTIONS);
}

Test(tree_model, agrees_with_sorted_arrays_on_pages_of_512_bytes)
{
    run_page_size(512);
}

Test(tree_model, agrees_with_sorted_arrays_on_pages_of_1_KiB)
{
    run_page_size(1024);
}

Test(tree_model, agrees_with_sorted_arrays_on_pages_of_4_KiB)
{
    run_page_size(4096);
}

Test(tree_model, agrees_with_sorted_arrays_on_pages_of_64_KiB)
{
    struct tree_model_config config = tree_model_draw(page_keys_seed(), 65536);
    run(&config, TRANSACTIONS);
}

/* Every kind of key by itself, every version kept, many small transactions: links fill up. */
Test(tree_model, keeps_every_version_of_every_kind_of_key)
{
    for (int keys = 0; keys <= PAGE_KEYS_ANY; keys++) {
        struct tree_model_config config = tree_model_draw(page_keys_seed(), 512);
        config.keys = (enum page_keys)keys;
        config.keep_last = 0;
        config.operations_max = 4;
        config.keys_target = 300;
        config.value_max = 40;
        run(&config, 4 * TRANSACTIONS);
    }
}
