/*
 * simulated_random.h - the one source of chance in the simulated disk: the same seed, the same run.
 *
 * SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014): any seed
 * is a good one, 0 included, and a copy of the struct is a copy of the stream.
 */
#ifndef VERSO_TESTS_SIMULATED_RANDOM_H
#define VERSO_TESTS_SIMULATED_RANDOM_H

#include <assert.h>
#include <stdint.h>

struct simulated_random {
    uint64_t state; /* any value; the seed at first */
};

static inline uint64_t simulated_random_next(struct simulated_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mixed = random->state;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/** A number in [0, bound). The bias of the remainder is below 2^-32 for the bounds used here. */
static inline uint64_t simulated_random_below(struct simulated_random *random, uint64_t bound)
{
    assert(bound > 0);
    return simulated_random_next(random) % bound;
}

#endif
