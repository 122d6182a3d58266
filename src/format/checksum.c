/*
 * checksum.c - CRC32C by the processor's instruction where there is one, by tables elsewhere.
 *
 * The x86 instruction takes three cycles but can start anew in each, so long inputs are cut into
 * blocks of three lanes whose sums are computed side by side:
 *
 *     0            LANE         2 LANE       3 LANE
 *     +------------+------------+------------+---- next block
 *     | a          | b          | c          |
 *     +------------+------------+------------+----
 *     sum of the block = a * x^(16 LANE)  ^  b * x^(8 LANE)  ^  c      (modulo the polynomial)
 *
 * The two products come from carry-less multiplication, and one more CRC instruction reduces them
 * (Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel, 2011).
 * Inside this file a sum is kept inverted, as the instruction wants it.
 */
#include "format/checksum.h"

#include <pthread.h>
#include <stdbool.h>

#include "format/byte_order.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

enum {
    LANE = 336, /* bytes; three fill all but 16 bytes of the first page size worth it, 1 KiB */
    WORD = 8,
};

#define POLYNOMIAL 0x82F63B78u /* Castagnoli's, the lowest bit standing for x^31 */

/* ---- by tables ("slicing by 8": Kounavis and Berry, 2005) ---------------------------------- */

static uint32_t table[WORD][256]; /* [k][byte]: the sum of `byte` followed by k zero bytes */
static pthread_once_t table_made = PTHREAD_ONCE_INIT;

static void make_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;
        for (int bit = 0; bit < 8; bit++) {
            sum = (sum >> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
        }
        table[0][byte] = sum;
    }
    for (int k = 1; k < WORD; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = table[k - 1][byte];
            table[k][byte] = (sum >> 8) ^ table[0][sum & 255];
        }
    }
}

static uint32_t extend_by_table(uint32_t sum, const uint8_t *at, size_t size)
{
    pthread_once(&table_made, make_table);
    for (; size >= WORD; at += WORD, size -= WORD) {
        uint64_t word = vs_get_le64(at) ^ sum;
        sum = table[7][word & 255] ^ table[6][word >> 8 & 255] ^ table[5][word >> 16 & 255] ^
              table[4][word >> 24 & 255] ^ table[3][word >> 32 & 255] ^ table[2][word >> 40 & 255] ^
              table[1][word >> 48 & 255] ^ table[0][word >> 56];
    }
    for (; size > 0; at++, size--) {
        sum = (sum >> 8) ^ table[0][(sum ^ *at) & 255];
    }
    return sum;
}

/* ---- by instructions ----------------------------------------------------------------------- */

#if defined(__x86_64__)

#define TARGET __attribute__((target("sse4.2,pclmul")))

/* x^(8 n - 33) for n = LANE and 2 LANE; 33 = 32 of the reducing instruction, 1 of the reflection */
#define SHIFT_ONE_LANE 0xA60CE07Bu
#define SHIFT_TWO_LANES 0xCEC3662Eu

static bool has_instructions(void)
{
    return __builtin_cpu_supports("sse4.2") && /* untaken: a processor has it or not */
           __builtin_cpu_supports("pclmul");   /* untaken: as above */
}

/** The 64-bit product of a lane's sum and a power of x, not reduced yet. */
TARGET static inline uint64_t multiply(uint64_t sum, uint32_t power)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)sum), _mm_cvtsi32_si128((int)power), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET static uint64_t extend_by_block(uint64_t a, const uint8_t *at)
{
    uint64_t b = 0;
    uint64_t c = 0;
    for (const uint8_t *end = at + LANE; at < end; at += WORD) {
        a = _mm_crc32_u64(a, vs_get_le64(at));
        b = _mm_crc32_u64(b, vs_get_le64(at + LANE));
        c = _mm_crc32_u64(c, vs_get_le64(at + 2 * (size_t)LANE));
    }
    return _mm_crc32_u64(0, multiply(a, SHIFT_TWO_LANES) ^ multiply(b, SHIFT_ONE_LANE)) ^ c;
}

TARGET static uint32_t extend_by_instructions(uint32_t start, const uint8_t *at, size_t size)
{
    uint64_t sum = start;
    for (; size >= 3 * (size_t)LANE; at += 3 * (size_t)LANE, size -= 3 * (size_t)LANE) {
        sum = extend_by_block(sum, at);
    }
    for (; size >= WORD; at += WORD, size -= WORD) {
        sum = _mm_crc32_u64(sum, vs_get_le64(at));
    }
    for (; size > 0; at++, size--) {
        sum = _mm_crc32_u8((uint32_t)sum, *at);
    }
    return (uint32_t)sum;
}

#elif defined(__ARM_FEATURE_CRC32)

static bool has_instructions(void)
{
    return true;
}

static uint32_t extend_by_instructions(uint32_t sum, const uint8_t *at, size_t size)
{
    for (; size >= WORD; at += WORD, size -= WORD) {
        sum = __crc32cd(sum, vs_get_le64(at));
    }
    for (; size > 0; at++, size--) {
        sum = __crc32cb(sum, *at);
    }
    return sum;
}

#else

static bool has_instructions(void)
{
    return false;
}

static uint32_t extend_by_instructions(uint32_t sum, const uint8_t *at, size_t size)
{
    return extend_by_table(sum, at, size);
}

#endif

static uint32_t extend(uint32_t sum, const uint8_t *at, size_t size)
{
    if (has_instructions()) { /* untaken: as above; tests call the other way by its name */
        return extend_by_instructions(sum, at, size);
    }
    return extend_by_table(sum, at, size);
}

/* ---- public ---------------------------------------------------------------------------------- */

uint32_t vs_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    return ~extend(~crc, bytes, size);
}

uint32_t vs_crc32c_by_table(uint32_t crc, const void *bytes, size_t size)
{
    return ~extend_by_table(~crc, bytes, size);
}

uint32_t vs_page_checksum(uint32_t page, uint64_t born, const uint8_t *bytes, size_t page_size)
{
    uint8_t place[12];
    vs_put_le32(place, page);
    vs_put_le64(place + 4, born);
    return ~extend(extend(~0u, place, sizeof place), bytes, page_size);
}
