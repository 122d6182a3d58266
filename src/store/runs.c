/*
 * runs.c - long values in pages of their own: written straight to their place in the file, which
 * nothing durable names yet, and read where they lie.
 */
#include <assert.h>
#include <string.h>

#include "format/checksum.h"
#include "os/fault.h"
#include "store/page_table.h"
#include "store/store.h"

static uint64_t pages_for(const struct vs_pages *pages, uint64_t bytes)
{
    return (bytes + pages->page_size - 1) >> pages->page_shift;
}

/* ---- reading ---- */

/* The bytes of an extent, verified; one piece by construction. */
static verso_err extent_bytes(struct vs_pages *pages, const struct vs_run_extent *extent,
                              const uint8_t **bytes)
{
    for (uint32_t i = 0; i < extent->pages; i++) {
        const uint8_t *page;
        verso_err err = vs_page_read_run(pages, extent->page + i, &page);
        if (err != VERSO_OK) {
            return err;
        }
        if (i == 0) {
            *bytes = page;
        } else if (page != *bytes + ((size_t)i << pages->page_shift)) {
            return vs_fault(VERSO_CORRUPT, "page %u (value run): not where its run continues",
                            extent->page + i);
        }
    }
    return VERSO_OK;
}

verso_err vs_run_borrow(struct vs_pages *pages, const struct vs_run_ref *ref, const uint8_t **bytes)
{
    *bytes = NULL;
    return ref->extents == 1 ? extent_bytes(pages, &ref->extent[0], bytes) : VERSO_OK;
}

verso_err vs_run_verify(struct vs_pages *pages, const struct vs_run_ref *ref)
{
    verso_err err = VERSO_OK;
    const uint8_t *bytes;
    for (unsigned i = 0; i < ref->extents && err == VERSO_OK; i++) {
        err = extent_bytes(pages, &ref->extent[i], &bytes);
    }
    return err;
}

verso_err vs_run_copy(struct vs_pages *pages, const struct vs_run_ref *ref, uint64_t offset,
                      uint8_t *buffer, size_t size)
{
    uint64_t begin = 0; /* of the extent, in the value */
    for (unsigned i = 0; i < ref->extents && size > 0; i++) {
        uint64_t length = (uint64_t)ref->extent[i].pages << pages->page_shift;
        if (offset < begin + length) {
            uint64_t within = offset - begin;
            size_t part = length - within < size ? (size_t)(length - within) : size;
            /* only the pages concerned are read and verified */
            uint32_t first = (uint32_t)(within >> pages->page_shift);
            uint32_t last = (uint32_t)((within + part - 1) >> pages->page_shift);
            struct vs_run_extent piece = {ref->extent[i].page + first, last - first + 1};
            const uint8_t *bytes;
            verso_err err = extent_bytes(pages, &piece, &bytes);
            if (err != VERSO_OK) {
                return err;
            }
            memcpy(buffer, bytes + (within - ((uint64_t)first << pages->page_shift)), part);
            buffer += part;
            offset += part;
            size -= part;
        }
        begin += length;
    }
    return size == 0 ? VERSO_OK : vs_fault(VERSO_CORRUPT, "a long value ends before its length");
}

/* ---- writing ---- */

/* Put the bytes of an extent where they belong; `size` may end within its last page. */
static verso_err store_extent(struct vs_store *store, const struct vs_run_extent *extent,
                              const uint8_t *value, size_t size)
{
    size_t page_size = store->pages.page_size;
    uint64_t at = (uint64_t)extent->page << store->pages.page_shift;
    size_t whole = size / page_size * page_size;
    uint8_t tail[VS_PAGE_SIZE_MAX];
    memset(tail, 0, page_size); /* no stale memory reaches the file */
    if (size > whole) {
        memcpy(tail, value + whole, size - whole);
    }
    if (store->in_memory || store->read_only) {
        uint32_t frame = 0;
        uint8_t *place = store->in_memory ? store->arena.frames + at : NULL;
        if (!store->in_memory) { /* replaying for a read-only handle: nothing is written */
            verso_err err = vs_arena_take(&store->arena, extent->pages, &frame);
            if (err != VERSO_OK) {
                return err;
            }
            place = vs_arena_frame(&store->arena, frame);
        }
        memcpy(place, value, whole);
        if (size > whole) {
            memcpy(place + whole, tail, page_size);
        }
        for (uint32_t i = 0; frame != 0 && i < extent->pages; i++) {
            atomic_store_explicit(&store->pages.frame_of[extent->page + i],
                                  (frame + i) | VS_FRAME_OF_VALUE, memory_order_release);
        }
        return VERSO_OK;
    }
    verso_err err = VERSO_OK;
    if (whole > 0) {
        err = store->os->write_at(store->file, at, value, whole);
    }
    if (err == VERSO_OK && size > whole) {
        err = store->os->write_at(store->file, at + whole, tail, page_size);
    }
    return err;
}

static verso_err describe_extent(struct vs_page_writer *writer, const struct vs_run_extent *extent,
                                 const uint8_t *value, size_t size)
{
    size_t page_size = writer->store->pages.page_size;
    for (uint32_t i = 0; i < extent->pages; i++) {
        size_t at = (size_t)i * page_size;
        const uint8_t *bytes = value + at;
        uint8_t tail[VS_PAGE_SIZE_MAX];
        if (size - at < page_size) {
            memset(tail, 0, page_size);
            memcpy(tail, bytes, size - at);
            bytes = tail;
        }
        uint32_t crc = vs_page_checksum(extent->page + i, writer->version, bytes, page_size);
        verso_err err = vs_writer_bear(writer, extent->page + i, VS_KIND_RUN, crc);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* Pages in a row: the whole rest of the value if such a run is known to be free or can be had by
 * growing, else as many as the zone has left. */
static verso_err take_extent(struct vs_store *store, uint64_t wanted, struct vs_run_extent *extent)
{
    uint32_t count = wanted > VS_ZONE_PAGES_MAX ? VS_ZONE_PAGES_MAX : (uint32_t)wanted;
    bool leaves_enough = store->space.free_count >= count + vs_store_held_back(store);
    extent->page = leaves_enough ? vs_space_take_run(&store->space, count) : 0;
    extent->pages = count;
    if (extent->page != 0) {
        return VERSO_OK;
    }
    verso_err err = vs_store_grow(store, vs_space_needed(&store->space, count));
    if (err != VERSO_OK) {
        return err;
    }
    extent->pages = vs_space_take_fresh(&store->space, count, &extent->page);
    return extent->pages > 0 ? VERSO_OK : vs_fault(VERSO_LIMIT, "all page numbers are used up");
}

static verso_err write_extents(struct vs_page_writer *writer, verso_slice value,
                               unsigned extents_max, struct vs_run_ref *ref)
{
    assert(extents_max <= VS_RUN_EXTENTS_MAX);
    struct vs_store *store = writer->store;
    struct vs_pages *pages = &store->pages;
    const uint8_t *bytes = value.data;
    size_t left = value.size;
    while (left > 0) {
        if (ref->extents == extents_max) {
            return vs_fault(VERSO_TOO_BIG, "the value would need more than %u runs of pages",
                            ref->extents);
        }
        struct vs_run_extent *extent = &ref->extent[ref->extents];
        verso_err err = take_extent(store, pages_for(pages, left), extent);
        if (err != VERSO_OK) {
            return err;
        }
        uint64_t room = (uint64_t)extent->pages << pages->page_shift;
        size_t size = room < left ? (size_t)room : left;
        err = describe_extent(writer, extent, bytes, size);
        if (err == VERSO_OK) {
            err = store_extent(store, extent, bytes, size);
        }
        if (err != VERSO_OK) {
            return err;
        }
        bytes += size;
        left -= size;
        ref->extents++;
    }
    return VERSO_OK;
}

verso_err vs_run_write(struct vs_page_writer *writer, verso_slice value, uint64_t hash,
                       unsigned extents_max, struct vs_run_ref *ref)
{
    size_t born_before = writer->born_count;
    *ref = (struct vs_run_ref){.length = (uint32_t)value.size, .hash = hash};
    verso_err err = write_extents(writer, value, extents_max, ref);
    if (err != VERSO_OK) { /* the transaction may go on: no page of half a value stays */
        vs_writer_drop_since(writer, born_before);
    }
    return err;
}

verso_err vs_run_drop(struct vs_page_writer *writer, const struct vs_run_ref *ref)
{
    for (unsigned i = 0; i < ref->extents; i++) {
        for (uint32_t j = 0; j < ref->extent[i].pages; j++) {
            verso_err err = vs_page_drop(writer, ref->extent[i].page + j);
            if (err != VERSO_OK) {
                return err;
            }
        }
    }
    return VERSO_OK;
}
