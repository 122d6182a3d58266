/*
 * pages.h - reading pages and the leaf chain: where a page lies, and whether it was verified.
 *
 * One bit a page says "in the mapping and verified"; only where it is clear a wider word is read:
 * the page's frame in the arena, or 0 for "in the file, not verified yet". A page met in the file
 * for the first time since open is checked against its descriptor's CRC and for its structure; past
 * that, its bytes are trusted. Pages of long values hold any bytes: such as could be taken for a
 * leaf or branch that they are not never get their bit, and are checked at each touch.
 *
 * Threads: any. What is returned stays valid while the caller's pin (reader_slots.h) on a version
 * in the page's life span holds; a writer's, until its next vs_writer_step(). Nobody reads pages or
 * descriptors without a pin, but for holders of the writer lock or of roots.lookup_lock and the
 * checkpoint: the mapping may go under anybody else (address_space.c).
 */
#ifndef VERSO_STORE_PAGES_H
#define VERSO_STORE_PAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "format/run_ref.h"
#include "os/turns.h"
#include "verso.h"

/** In a word that names a frame: the page holds part of a long value, replayed for somebody who only reads.
 *  Its bytes are what somebody chose, so whoever reads tree pages does not find it there. */
#define VS_FRAME_OF_VALUE (UINT32_C(1) << 31)

/** The read side of a store's pages. All fields but `map` and `distrusted` are constant after open;
 *  what they point to is not. */
struct vs_pages {
    /* the store file, or the memory of a store in memory; a larger mapping may take its place. Loaded
       relaxed, stored with release by the holder of the writer lock: address_space.c, M1 */
    _Atomic(const uint8_t *) map;
    uint8_t *frames; /* of the arena: frame f at f << page_shift; 0 is never used */
    /* a bit a page. Set with release once the page was checked, or before a root in memory that has it
       is published; acquired by readers, who else might see the bit before the bytes. Cleared relaxed
       by the writer when it uses the number again, which nobody can be reading: who reads it then
       has the clear bit by the publication of its root. And by vs_pages_distrust(). A prefetch looks
       relaxed: a wrong address is no harm to it */
    _Atomic uint64_t *verified;
    /* a word a page: frame, or 0; of a long value's page with VS_FRAME_OF_VALUE. Stored with release by the writer, who fills the frame before it
       publishes a root that leads there; set to 0 with release once the page is in the file, by the
       checkpoint or a spill, and relaxed once the page is free. Acquired by readers, who else might
       see bytes of before; when a frame may be used again: reader_slots.h, P2. The writer, who alone
       gives frames, and prefetches look relaxed */
    _Atomic uint32_t *frame_of;
    vs_page_no limit; /* page numbers from here on cannot be */
    unsigned page_shift;
    size_t page_size;
    struct vs_page_table *table; /* page_table.h */
    struct vs_file *file;        /* NULL: in memory */
    struct vs_file *guard;       /* the file, if what is mapped is read by vs_file_guard() before
                                    its first touch; else NULL */
    _Atomic bool distrusted; /* vs_pages_distrust(); ordered by the bits of `verified`, pages.c */
};

/** A sync of the file has failed: what it holds may change behind our backs, so that from now on
 *  pages in the file are verified at each touch. Any thread. */
void vs_pages_distrust(struct vs_pages *pages);

/** Where a page of the file lies. */
static inline const uint8_t *vs_page_in_file(const struct vs_pages *pages, vs_page_no page)
{
    /* relaxed: covers every page that the caller has been led to; see address_space.c, M1 */
    return atomic_load_explicit(&pages->map, memory_order_relaxed) +
           ((size_t)page << pages->page_shift);
}

/** Is the page in the mapping, and verified since open? */
static inline bool vs_page_is_verified(const struct vs_pages *pages, vs_page_no page)
{
    if (page >= pages->limit) {
        return false;
    }
    /* acquire: pairs with the release of whoever verified; without it a reader might see the bit
     * before the page's last bytes */
    uint64_t word = atomic_load_explicit(&pages->verified[page >> 6], memory_order_acquire);
    return __builtin_expect(word >> (page & 63) & 1, 1);
}

/** The word that names a page's frame; 0: it has none. */
static inline uint32_t vs_page_frame_word(const struct vs_pages *pages, vs_page_no page)
{
    if (page >= pages->limit) {
        return 0;
    }
    /* acquire: the frame's bytes come before the word that names it */
    return atomic_load_explicit(&pages->frame_of[page], memory_order_acquire);
}

/** Where a leaf or branch lies in the arena; NULL if not there. */
static inline const uint8_t *vs_page_in_frame(const struct vs_pages *pages, vs_page_no page)
{
    uint32_t frame = vs_page_frame_word(pages, page);
    return frame == 0 || frame >= VS_FRAME_OF_VALUE
               ? NULL
               : pages->frames + ((size_t)frame << pages->page_shift);
}

/** The same of a page of a long value. */
static inline const uint8_t *vs_page_of_value_in_frame(const struct vs_pages *pages,
                                                       vs_page_no page)
{
    uint32_t frame = vs_page_frame_word(pages, page);
    return frame < VS_FRAME_OF_VALUE
               ? NULL
               : pages->frames + ((size_t)(frame - VS_FRAME_OF_VALUE) << pages->page_shift);
}

/** The rest of vs_page_read() and vs_page_read_run(): a page in the file, met for the first
 * time. */
verso_err vs_page_read_unverified(struct vs_pages *pages, vs_page_no page, const uint8_t **bytes);
verso_err vs_page_read_run_unverified(struct vs_pages *pages, vs_page_no page,
                                      const uint8_t **bytes);

/**
 * The bytes of a leaf or branch; which of them, and of which level, its header says.
 *
 * @retval VERSO_CORRUPT  The page is not what its descriptor promises, or no such page at all.
 */
static inline verso_err vs_page_read(struct vs_pages *pages, vs_page_no page, const uint8_t **bytes)
{
    vs_turn(VS_POINT_READ_VERIFIED);
    if (vs_page_is_verified(pages, page)) {
        *bytes = vs_page_in_file(pages, page);
        return VERSO_OK;
    }
    vs_turn(VS_POINT_READ_FRAME);
    *bytes = vs_page_in_frame(pages, page);
    return *bytes != NULL ? VERSO_OK : vs_page_read_unverified(pages, page, bytes);
}

/** The bytes of a page of a long value. VERSO_CORRUPT as above. */
static inline verso_err vs_page_read_run(struct vs_pages *pages, vs_page_no page,
                                         const uint8_t **bytes)
{
    vs_turn(VS_POINT_READ_VERIFIED);
    if (vs_page_is_verified(pages, page)) {
        *bytes = vs_page_in_file(pages, page);
        return VERSO_OK;
    }
    vs_turn(VS_POINT_READ_FRAME);
    *bytes = vs_page_of_value_in_frame(pages, page);
    return *bytes != NULL ? VERSO_OK : vs_page_read_run_unverified(pages, page, bytes);
}

/** Where the bytes of a page would lie in the mapping, if at all, for prefetching only. */
static inline const uint8_t *vs_page_hint(const struct vs_pages *pages, vs_page_no page)
{
    return vs_page_in_file(pages, page);
}

/** vs_page_read(), and the page must be of this kind and level (VS_KIND_LEAF: level 0). */
verso_err vs_page_read_level(struct vs_pages *pages, vs_page_no page, unsigned level,
                             const uint8_t **bytes);

/** Ask the system to read pages not in memory yet; a hint for scans of cold stores. */
void vs_pages_will_need(struct vs_pages *pages, const vs_page_no *page, unsigned count);

/**
 * The leaf after `leaf` in the chain of `version`: the link with the greatest stamp <= version.
 *
 * @param[out] next  0 at the end of the chain.
 * @retval VERSO_CORRUPT  The descriptor is damaged, or has no link for this version.
 */
verso_err vs_page_next_leaf(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                            vs_page_no *next);

/** Ask for the descriptor's line, ahead of vs_page_next_leaf(). */
void vs_page_prefetch_descriptor(const struct vs_pages *pages, vs_page_no page);

/** Is the page alive in `version`: born <= version < died? For check and guarded chain walks. */
verso_err vs_page_is_alive(struct vs_pages *pages, vs_page_no page, uint64_t version, bool *alive);

/** Versions [from, until) in which something holds. */
struct vs_span {
    uint64_t from;
    uint64_t until;
};

/** The page's life span. VERSO_CORRUPT: no such page, or its descriptor is damaged. */
verso_err vs_page_life(struct vs_pages *pages, vs_page_no page, struct vs_span *life);

/** As vs_page_next_leaf(). @param[out] holds  The versions in which the link that was followed
 *  counts: from its stamp to the next one. */
verso_err vs_page_link_at(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                          vs_page_no *next, struct vs_span *holds);

/**
 * The bytes of a long value where they lie in one piece.
 *
 * @param[out] bytes  NULL if the value lies in several extents; use vs_run_copy() then.
 */
verso_err vs_run_borrow(struct vs_pages *pages, const struct vs_run_ref *ref,
                        const uint8_t **bytes);

/** Are all pages of a long value there and sound? A few bytes claim up to 1 GiB: whoever takes memory
 *  for the length asks this first. */
verso_err vs_run_verify(struct vs_pages *pages, const struct vs_run_ref *ref);

/** Copy `size` bytes from `offset` of a long value; the range lies within it. */
verso_err vs_run_copy(struct vs_pages *pages, const struct vs_run_ref *ref, uint64_t offset,
                      uint8_t *buffer, size_t size);

#endif
