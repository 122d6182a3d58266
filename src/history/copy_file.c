/*
 * copy_file.c - page numbers and pages of a copy; see copy_file.h for the drawing.
 */
#include "history/copy_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "format/layout.h"
#include "os/fault.h"

enum { WAITING_BYTES = 1 << 20 }; /* what one write carries at most */

static verso_err no_memory(void)
{
    return vs_fault(VERSO_NOMEM, "no memory for a copy");
}

/* The array with room for `needed` entries, new ones zeroed; NULL: no memory, it stays as it is. */
static void *grow(void *array, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return array;
    }
    size_t wider = *capacity * 2 + 64;
    wider = wider < needed ? needed : wider;
    uint8_t *grown = realloc(array, wider * size);
    if (grown != NULL) {
        memset(grown + *capacity * size, 0, (wider - *capacity) * size);
        *capacity = wider;
    }
    return grown;
}

verso_err vs_copy_file_init(struct vs_copy_file *copy, struct vs_file *file, size_t page_size)
{
    *copy = (struct vs_copy_file){.os = file->os, .file = file, .page_size = page_size, .next = 1};
    copy->waiting = malloc(WAITING_BYTES);
    return copy->waiting == NULL ? no_memory() : VERSO_OK;
}

void vs_copy_file_clear(struct vs_copy_file *copy)
{
    free(copy->gap);
    free(copy->page);
    free(copy->made);
    free(copy->waiting);
}

/* ---- numbers ---- */

/* Pages in a row from `page` on that hold no fixed part, up to `wanted`. */
static uint32_t room_at(const struct vs_copy_file *copy, uint64_t page, uint64_t wanted)
{
    uint32_t room = 0;
    while (room < wanted && page + room < UINT32_MAX &&
           !vs_layout_is_reserved(copy->page_size, (vs_page_no)(page + room))) {
        room++;
    }
    return room;
}

/* The first page from `page` on that holds no fixed part. */
static uint64_t behind_fixed(const struct vs_copy_file *copy, uint64_t page)
{
    while (page < UINT32_MAX && vs_layout_is_reserved(copy->page_size, (vs_page_no)page)) {
        page++;
    }
    return page;
}

/* The first gap of that many pages; gap_count if there is none. */
static size_t find_gap(const struct vs_copy_file *copy, uint64_t pages)
{
    size_t i = 0;
    while (i < copy->gap_count && copy->gap[i].pages < pages) {
        i++;
    }
    return i;
}

static vs_page_no take_from_gap(struct vs_copy_file *copy, size_t index, uint32_t pages)
{
    struct vs_run_extent *gap = &copy->gap[index];
    vs_page_no first = gap->page;
    gap->page += pages;
    gap->pages -= pages;
    if (gap->pages == 0) {
        copy->gap_count--;
        memmove(gap, gap + 1, (copy->gap_count - index) * sizeof *gap);
    }
    return first;
}

/* Pass over the next `pages` pages; smaller runs will fill them. */
static verso_err leave_gap(struct vs_copy_file *copy, uint32_t pages)
{
    void *gap = grow(copy->gap, &copy->gap_capacity, copy->gap_count + 1, sizeof *copy->gap);
    if (gap == NULL) {
        return no_memory();
    }
    copy->gap = gap;
    copy->gap[copy->gap_count++] = (struct vs_run_extent){(vs_page_no)copy->next, pages};
    copy->next += pages;
    return VERSO_OK;
}

verso_err vs_copy_file_take(struct vs_copy_file *copy, uint32_t pages, vs_page_no *first)
{
    size_t index = find_gap(copy, pages);
    if (index < copy->gap_count) {
        *first = take_from_gap(copy, index, pages);
        return VERSO_OK;
    }
    for (;;) {
        copy->next = behind_fixed(copy, copy->next);
        uint32_t room = room_at(copy, copy->next, pages);
        if (room == pages) {
            *first = (vs_page_no)copy->next;
            copy->next += pages;
            return VERSO_OK;
        }
        if (copy->next + room >= UINT32_MAX) {
            return vs_fault(VERSO_LIMIT, "a copy would need more than 2^32 pages");
        }
        assert(room > 0);
        verso_err err = leave_gap(copy, room);
        if (err != VERSO_OK) {
            return err;
        }
    }
}

/* Would so many pages in a row leave no gap larger than themselves? */
static bool fits_in_one_piece(const struct vs_copy_file *copy, uint64_t pages)
{
    if (find_gap(copy, pages) < copy->gap_count) {
        return true;
    }
    uint64_t at = behind_fixed(copy, copy->next);
    uint32_t room = room_at(copy, at, pages);
    return room == pages || room_at(copy, behind_fixed(copy, at + room), pages) == pages;
}

/* The pieces in which so many pages would lie without any gap. */
static unsigned count_pieces(const struct vs_copy_file *copy, uint64_t pages)
{
    uint64_t at = copy->next;
    unsigned pieces = 0;
    for (; pages > 0 && pieces <= VS_RUN_EXTENTS_MAX; pieces++) {
        at = behind_fixed(copy, at);
        uint32_t room = room_at(copy, at, pages);
        at += room;
        pages -= room;
    }
    return pieces;
}

/* The pieces were counted, so there is room for them. */
static void take_without_gaps(struct vs_copy_file *copy, uint64_t pages, struct vs_run_ref *ref)
{
    ref->extents = 0;
    while (pages > 0) {
        copy->next = behind_fixed(copy, copy->next);
        uint32_t room = room_at(copy, copy->next, pages);
        assert(room > 0);
        ref->extent[ref->extents++] = (struct vs_run_extent){(vs_page_no)copy->next, room};
        copy->next += room;
        pages -= room;
    }
}

verso_err vs_copy_file_take_run(struct vs_copy_file *copy, struct vs_run_ref *ref)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < ref->extents; i++) {
        pages += ref->extent[i].pages;
    }
    if (fits_in_one_piece(copy, pages)) {
        ref->extents = 1;
        ref->extent[0].pages = (uint32_t)pages;
    } else if (count_pieces(copy, pages) <= ref->extents) {
        take_without_gaps(copy, pages, ref);
        return VERSO_OK;
    }
    for (unsigned i = 0; i < ref->extents; i++) {
        verso_err err = vs_copy_file_take(copy, ref->extent[i].pages, &ref->extent[i].page);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* ---- writing ---- */

/* Real blocks up to `bytes`, so that no later checkpoint meets a full disk in a hole. */
static verso_err allocate(struct vs_copy_file *copy, uint64_t bytes)
{
    if (bytes <= copy->bytes) {
        return VERSO_OK;
    }
    verso_err err = copy->os->allocate(copy->file, bytes);
    copy->bytes = err == VERSO_OK ? bytes : copy->bytes;
    return err;
}

static verso_err write_bytes(struct vs_copy_file *copy, uint64_t at, const uint8_t *bytes,
                             size_t size)
{
    verso_err err = allocate(copy, at + size);
    return err == VERSO_OK ? copy->os->write_at(copy->file, at, bytes, size) : err;
}

static verso_err write_waiting(struct vs_copy_file *copy)
{
    uint32_t count = copy->waiting_count;
    copy->waiting_count = 0;
    return count == 0 ? VERSO_OK
                      : write_bytes(copy, (uint64_t)copy->waiting_at * copy->page_size,
                                    copy->waiting, count * copy->page_size);
}

/* Let the page wait for its neighbours. */
static verso_err put_page(struct vs_copy_file *copy, vs_page_no page, const uint8_t *bytes)
{
    if (copy->waiting_count > 0 && (copy->waiting_at + copy->waiting_count != page ||
                                    (copy->waiting_count + 1) * copy->page_size > WAITING_BYTES)) {
        verso_err err = write_waiting(copy);
        if (err != VERSO_OK) {
            return err;
        }
    }
    if (copy->waiting_count == 0) {
        copy->waiting_at = page;
    }
    memcpy(copy->waiting + copy->waiting_count++ * copy->page_size, bytes, copy->page_size);
    copy->written++;
    return VERSO_OK;
}

verso_err vs_copy_file_write(struct vs_copy_file *copy, vs_page_no page, vs_page_no origin,
                             uint64_t born, const uint8_t *bytes)
{
    void *grown = grow(copy->page, &copy->page_capacity, (size_t)page + 1, sizeof *copy->page);
    if (grown == NULL) {
        return no_memory();
    }
    copy->page = grown;
    uint32_t crc = vs_page_checksum(page, born, bytes, copy->page_size);
    copy->page[page] = (struct vs_copied_page){.origin = origin, .crc = crc};
    return put_page(copy, page, bytes);
}

verso_err vs_copy_file_make(struct vs_copy_file *copy, vs_page_no page, enum vs_page_kind kind,
                            const uint8_t *bytes)
{
    void *grown = grow(copy->made, &copy->made_capacity, copy->made_count + 1, sizeof *copy->made);
    if (grown == NULL) {
        return no_memory();
    }
    copy->made = grown;
    uint32_t crc = vs_page_checksum(page, VS_COPY_GENERATION, bytes, copy->page_size);
    copy->made[copy->made_count++] = (struct vs_made_page){page, crc, kind, 0};
    return put_page(copy, page, bytes);
}

void vs_copy_file_link(struct vs_copy_file *copy, vs_page_no leaf, vs_page_no next)
{
    size_t i = copy->made_count;
    while (copy->made[--i].page != leaf) { /* behind it stand runs of the next leaf only */
    }
    copy->made[i].next = next;
}

verso_err vs_copy_file_write_part(struct vs_copy_file *copy, uint64_t at, const uint8_t *bytes)
{
    return write_bytes(copy, at, bytes, VS_PART_BYTES);
}

verso_err vs_copy_file_finish(struct vs_copy_file *copy)
{
    verso_err err = write_waiting(copy);
    uint64_t pages = (VS_META_B_AT + VS_PART_BYTES + copy->page_size - 1) / copy->page_size;
    pages = pages < copy->next ? copy->next : pages;
    return err == VERSO_OK ? allocate(copy, pages * copy->page_size) : err;
}
