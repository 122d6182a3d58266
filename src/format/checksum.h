/*
 * checksum.h - CRC32C (Castagnoli), for pages, table blocks, metas and log frames.
 */
#ifndef VERSO_FORMAT_CHECKSUM_H
#define VERSO_FORMAT_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** CRC32C of `size` bytes, continuing from `crc` (0 to begin). Hardware instructions where
 * present. */
uint32_t vs_crc32c(uint32_t crc, const void *bytes, size_t size);

/** The same without special instructions: what processors that lack them run; named for the
 * tests. */
uint32_t vs_crc32c_by_table(uint32_t crc, const void *bytes, size_t size);

/**
 * The checksum of a page: covers its number and birth too, so that a misdirected write shows.
 * CRC32C of the number (4 bytes), the birth (8 bytes), both little-endian, and the page's bytes.
 */
uint32_t vs_page_checksum(uint32_t page, uint64_t born, const uint8_t *bytes, size_t page_size);

#endif
