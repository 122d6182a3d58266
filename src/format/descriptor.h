/*
 * descriptor.h - what the page table knows of one page: 64 bytes, one cache line, eight words.
 *
 *     0        8        16     20     24                                             64
 *     +--------+--------+------+------+--------+--------+--------+--------+--------+
 *     | born   | died   | crc  | kind | link 0 | link 1 | link 2 | link 3 | link 4 |
 *     +--------+--------+------+------+--------+--------+--------+--------+--------+
 *
 * [born, died) is the page's life span in versions (VS_CLOCK_HISTORY in `kind`: in generations);
 * all zero describes a page that never was: its life span is empty, so it is free. A link says
 * which leaf follows from a version on: { u32 version - born, u32 page }, all ones for none, page 0
 * for the end of the chain. The idea is Driscoll, Sarnak, Sleator and Tarjan's node copying (1989).
 *
 * Words are read and written as single atomic words: readers look while the writer adds links.
 */
#ifndef VERSO_FORMAT_DESCRIPTOR_H
#define VERSO_FORMAT_DESCRIPTOR_H

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>

#include "format/byte_order.h"
#include "format/page.h"

enum {
    VS_DESCRIPTOR_SIZE = 64,
    VS_LINKS = 5,
    VS_WORD_BORN = 0,
    VS_WORD_DIED = 1,
    VS_WORD_KIND = 2,         /* crc in the low half, kind in the high half */
    VS_WORD_LINK = 3,         /* the first of five */
    VS_CLOCK_HISTORY = 0x100, /* bit of `kind`: born and died are generations */
};

#define VS_ALIVE UINT64_MAX   /* `died` of a page that is part of the newest version */
#define VS_NO_LINK UINT64_MAX /* an empty link word */

/** Words are stored with release by the writer, and the checksum by the checkpoint, and acquired by
 *  readers: see below. */
struct vs_descriptor {
    _Atomic uint64_t word[8];
};

static_assert(sizeof(struct vs_descriptor) == VS_DESCRIPTOR_SIZE, "one line a page");

static inline uint64_t vs_descriptor_word(const struct vs_descriptor *descriptor, unsigned index)
{
    /* acquire: a link's target, written before the link, must be seen by whoever follows it */
    return VS_LE64(atomic_load_explicit(&descriptor->word[index], memory_order_acquire));
}

static inline void vs_descriptor_set(struct vs_descriptor *descriptor, unsigned index,
                                     uint64_t word)
{
    /* release: pairs with the acquire above */
    atomic_store_explicit(&descriptor->word[index], VS_LE64(word), memory_order_release);
}

static inline uint64_t vs_descriptor_born(const struct vs_descriptor *descriptor)
{
    return vs_descriptor_word(descriptor, VS_WORD_BORN);
}

static inline uint64_t vs_descriptor_died(const struct vs_descriptor *descriptor)
{
    return vs_descriptor_word(descriptor, VS_WORD_DIED);
}

static inline uint32_t vs_descriptor_crc(const struct vs_descriptor *descriptor)
{
    return (uint32_t)vs_descriptor_word(descriptor, VS_WORD_KIND);
}

/** Kind with its clock bit. */
static inline unsigned vs_descriptor_kind(const struct vs_descriptor *descriptor)
{
    return (unsigned)(vs_descriptor_word(descriptor, VS_WORD_KIND) >> 32);
}

static inline uint64_t vs_kind_word(unsigned kind, uint32_t crc)
{
    return (uint64_t)kind << 32 | crc;
}

static inline uint64_t vs_link_word(uint64_t version, uint64_t born, vs_page_no page)
{
    assert(version - born < UINT32_MAX);
    return (uint64_t)page << 32 | (uint32_t)(version - born);
}

static inline uint64_t vs_link_version(uint64_t word, uint64_t born)
{
    return born + (uint32_t)word;
}

static inline vs_page_no vs_link_page(uint64_t word)
{
    return (vs_page_no)(word >> 32);
}

#endif
