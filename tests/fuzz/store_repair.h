/*
 * store_repair.h - make the checksums of a store file's bytes right again, from the pages up to the
 * metas, so that what a fuzzer has changed below is met at all.
 *
 * Nothing else is made right. What a meta does not lead to stays as it is.
 */
#ifndef VERSO_TESTS_FUZZ_STORE_REPAIR_H
#define VERSO_TESTS_FUZZ_STORE_REPAIR_H

#include <stddef.h>
#include <stdint.h>

/** The page size that one of the metas names; 0 if none names a possible one. */
size_t store_page_size(const uint8_t *file, size_t size);

/** Repair both metas' checksums and all that they cover. */
void store_repair(uint8_t *file, size_t size);

#endif
