/*
 * run_ref.c - the reference from a leaf cell to a value that lies in pages of its own.
 *
 * R1  The size is that of the header and the extents named there, 1 to VS_RUN_EXTENTS_MAX.
 * R2  Each extent has a page at least, begins at page 1 or later and ends within 32-bit page
 *     numbers.
 * R3  The extents hold exactly the pages that the length needs; it is above 0 and at most 1 GiB.
 */
#include "format/run_ref.h"

#include <assert.h>

enum {
    LENGTH_AT = 0,
    HASH_AT = 4,
    EXTENTS_AT = 12,
    ZERO_AT = 14,
    LENGTH_MAX = 1 << 30,
};

size_t vs_run_ref_encode(const struct vs_run_ref *ref, uint8_t *bytes)
{
    assert(ref->extents >= 1);
    assert(ref->extents <= VS_RUN_EXTENTS_MAX);
    vs_put_le32(bytes + LENGTH_AT, ref->length);
    vs_put_le64(bytes + HASH_AT, ref->hash);
    vs_put_le16(bytes + EXTENTS_AT, (uint16_t)ref->extents);
    vs_put_le16(bytes + ZERO_AT, 0);
    uint8_t *at = bytes + VS_RUN_REF_HEADER;
    for (unsigned i = 0; i < ref->extents; i++, at += VS_RUN_EXTENT_SIZE) {
        vs_put_le32(at, ref->extent[i].page);
        vs_put_le32(at + 4, ref->extent[i].pages);
    }
    return (size_t)(at - bytes);
}

/** Decode the extents. @return NULL or the fault; *pages: their pages together. */
static const char *decode_extents(const uint8_t *bytes, struct vs_run_ref *ref, uint64_t *pages)
{
    *pages = 0;
    for (unsigned i = 0; i < ref->extents; i++) {
        const uint8_t *at = bytes + VS_RUN_REF_HEADER + (size_t)i * VS_RUN_EXTENT_SIZE;
        struct vs_run_extent extent = {vs_get_le32(at), vs_get_le32(at + 4)};
        if (extent.page == 0 || extent.pages == 0 || extent.pages - 1 > UINT32_MAX - extent.page) {
            return "run reference: bad extent (R2)";
        }
        ref->extent[i] = extent;
        *pages += extent.pages;
    }
    return NULL;
}

const char *vs_run_ref_decode(const uint8_t *bytes, size_t size, size_t page_size,
                              struct vs_run_ref *ref)
{
    if (size < VS_RUN_REF_HEADER || vs_get_le16(bytes + ZERO_AT) != 0) {
        return "run reference: bad header (R1)";
    }
    ref->length = vs_get_le32(bytes + LENGTH_AT);
    ref->hash = vs_get_le64(bytes + HASH_AT);
    ref->extents = vs_get_le16(bytes + EXTENTS_AT);
    if (ref->extents == 0 || ref->extents > VS_RUN_EXTENTS_MAX ||
        size != VS_RUN_REF_HEADER + (size_t)ref->extents * VS_RUN_EXTENT_SIZE) {
        return "run reference: bad number of extents (R1)";
    }
    uint64_t pages;
    const char *fault = decode_extents(bytes, ref, &pages);
    if (fault != NULL) {
        return fault;
    }
    uint64_t needed = ((uint64_t)ref->length + page_size - 1) / page_size;
    if (ref->length > LENGTH_MAX || pages != needed) {
        return "run reference: pages and length disagree (R3)";
    }
    return NULL;
}
