/*
 * roots.h - the newest roots in memory: the one that views open, and all since the last checkpoint.
 *
 * The published root is copied by readers without a lock: four places in turn, a sequence number
 * says which counts, and a reader that finds the number unchanged after copying (and after writing
 * its slot) has a root that was published while it was pinned.
 *
 * Recent roots lie in chunks named by version; a chunk goes when a checkpoint has its roots in the
 * history tree, or, in memory, when nobody keeps them. Lookups by id hold `lookup_lock` from the
 * recent roots to the history tree; the writer, who knows both, looks without it.
 */
#ifndef VERSO_STORE_ROOTS_H
#define VERSO_STORE_ROOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/root_record.h"
#include "os/lock.h"
#include "store/reader_slots.h"
#include "verso.h"

enum {
    VS_PUBLISHED_PLACES = 4,
    VS_PUBLISHED_WORDS = 10,
    VS_ROOT_CHUNK = 1024,      /* roots a chunk */
    VS_ROOT_CHUNKS_MAX = 4096, /* between two checkpoints: 4 million roots */
    VS_RECENT_ROOTS_MAX = VS_ROOT_CHUNK * (VS_ROOT_CHUNKS_MAX - 2),
};

struct vs_published_place {
    _Atomic uint64_t word[VS_PUBLISHED_WORDS];
};

struct vs_root_chunk;

struct vs_roots {
    _Atomic uint64_t sequence; /* of publications; seq_cst: P1 in reader_slots.h, and roots.c */
    struct vs_published_place place[VS_PUBLISHED_PLACES];
    /* version of the newest publication, stored after its number: P1. The publisher, who holds
       publish_lock, looks relaxed */
    _Atomic uint64_t published;

    struct vs_root_chunk **chunk; /* a ring by version / VS_ROOT_CHUNK, from `first` to `end` */
    _Atomic uint64_t first;       /* recent roots begin here; changed under recent_lock, relaxed */
    /* first version not committed yet. Stored with release by the writer, once the record is in its
       place; acquired by whoever reads records up to it, who else might find none. For the writer
       itself, and as a figure, relaxed */
    _Atomic uint64_t end;
    /* the places of older versions are free: release and acquire, or the writer might fill a place
       that the checkpoint is still clearing */
    _Atomic uint64_t room_from;
    struct vs_lock lookup_lock;
    struct vs_lock recent_lock; /* the recent roots beside their being forgotten; for moments */
};

/** Begin with `record` published and nothing recent. */
verso_err vs_roots_init(struct vs_roots *roots, const struct vs_root_record *record);
void vs_roots_clear(struct vs_roots *roots);

/** Start again from another record; nobody reads yet. */
void vs_roots_restart(struct vs_roots *roots, const struct vs_root_record *record);

/** Make sure that vs_roots_append() cannot fail. Writer lock. VERSO_NOMEM; VERSO_LIMIT: there are
 *  VS_RECENT_ROOTS_MAX roots already. */
verso_err vs_roots_reserve(struct vs_roots *roots, uint64_t version, size_t note_size);

/** Enter the next root (its note is copied), whose id may pass over some. Writer lock; reserved
 *  before; not the lookup_lock. */
void vs_roots_append(struct vs_roots *roots, const struct vs_root_record *record);

/** Take the last root back: its commit failed. Writer lock; it was never published. */
void vs_roots_retract(struct vs_roots *roots, uint64_t version);

/** Readers open `version` (recent, or the one published already) from now on. One caller at a
 * time. */
void vs_roots_publish(struct vs_roots *roots, uint64_t version);

/** Version of the published root; seq_cst, the judge's first step. */
static inline uint64_t vs_roots_published(const struct vs_roots *roots)
{
    return atomic_load_explicit(&roots->published, memory_order_seq_cst);
}

/** Pin the published root: `*slot` and the record without its note. */
verso_err vs_roots_pin(struct vs_roots *roots, struct vs_reader_slots *readers, uint32_t *slot,
                       struct vs_root_record *record);

/** A recent root, if it is one: copied, its note into `note` (VS_NOTE_MAX) unless NULL, which leaves
 *  only the note's size. lookup_lock held, or writer lock. */
bool vs_roots_find(struct vs_roots *roots, uint64_t version, struct vs_root_record *record,
                   uint8_t *note);

/** Roots up to `version` are in the history tree now, or kept by nobody. lookup_lock held. */
void vs_roots_forget(struct vs_roots *roots, uint64_t version);

#endif
