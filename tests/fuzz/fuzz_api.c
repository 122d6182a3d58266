/*
 * fuzz_api.c - any sequence of calls of the public interface beside a small model, with power cuts.
 *
 * An input is a byte of choices, then steps: a byte that says which, and the bytes it takes
 * (api_model.h).
 */
#include "api_model.h"
#include "fuzz_target.h"

enum { STEPS_MAX = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api_input input = {data, data + size};
    struct api_model *model = api_model_open(api_byte(&input));
    for (unsigned i = 0; i < STEPS_MAX && input.at < input.end; i++) {
        api_model_step(model, &input);
    }
    api_model_close(model);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size); /* every byte means something */
}
