/*
 * api_model.h - a store whose every call follows from the bytes of an input, beside arrays that say
 * what it must hold.
 *
 * There are 24 keys, known from the start, and three trees: the default one and two named ones. So a
 * root's content is an array of what each key's value is, and each root's is remembered. A step is
 * a byte that says what to do and the bytes that this takes; the end of the input reads as zeros.
 * What Verso does otherwise than the model aborts the process.
 */
#ifndef VERSO_TESTS_FUZZ_API_MODEL_H
#define VERSO_TESTS_FUZZ_API_MODEL_H

#include <stddef.h>
#include <stdint.h>

struct api_input {
    const uint8_t *at;
    const uint8_t *end;
};

/** The next byte; 0 behind the end. */
static inline uint8_t api_byte(struct api_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

struct api_model;

/** A new store on a new disk. `choices`: page size, durability, retention, how it ends. */
struct api_model *api_model_open(uint8_t choices);

/** One call or a few, as the input says. */
void api_model_step(struct api_model *model, struct api_input *input);

/** Close. In one of four models: and open again, compare every root, check, close. */
void api_model_close(struct api_model *model);

#endif
