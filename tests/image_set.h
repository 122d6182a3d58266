/*
 * image_set.h - the crash images that were judged already.
 *
 * Before the first write after a sync a power cut leaves the same whatever it draws; most images of
 * a sweep are such repetitions. Each is judged, and counted, once.
 */
#ifndef VERSO_TESTS_IMAGE_SET_H
#define VERSO_TESTS_IMAGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_set {
    uint64_t *places; /* open addressing; 0: free */
    size_t capacity;  /* a power of two, or 0 */
    size_t count;
};

/**
 * Add a number that stands for an image and for what is expected of it.
 * @return Whether it was not there yet.
 */
bool image_set_add(struct image_set *set, uint64_t number);

void image_set_clear(struct image_set *set);

#endif
