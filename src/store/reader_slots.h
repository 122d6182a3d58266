/*
 * reader_slots.h - who reads which version: one cache line for each open view.
 *
 * A pin is two words, {version, location epoch read after the pin}. Readers claim and leave a slot
 * with atomics alone; the writer and the checkpoint read all slots. Both words take part in Dekker's
 * protocol: each side writes, then looks, and all four are sequentially consistent, so that one of
 * the two sees the other.
 *
 * P1  The reader writes `pinned`, then reads what is published; the judge reads what is published,
 *     then `pinned`. So either the judge sees the pin, or the reader learns that its root is not the
 *     published one any more.
 * P2  The reader writes `pinned`, then reads `location_epoch`; a checkpoint clears the words of
 *     pages that have moved, raises the epoch, and then looks at `pinned` before it lets their frames
 *     be used. So either it sees the pin, or the reader has read the new epoch, and with it (the
 *     store releases, the load acquires) the cleared words. It holds for a pin that is moved, too.
 * P3  The stamps in one slot never descend: an owner reads the epoch after its claim, which comes
 *     after the former owner's leaving. So whoever meets a stamp of before errs on the safe side.
 *
 * Threads: any.
 */
#ifndef VERSO_STORE_READER_SLOTS_H
#define VERSO_STORE_READER_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "os/turns.h"
#include "verso.h"

enum { VS_READER_SLOTS_MAX = 65536, VS_SLOT_BYTES = 64 };

#define VS_SLOT_FREE UINT64_C(0) /* in `pinned`: nobody's; reserved memory begins like this */

struct vs_reader_slot {
    _Atomic uint64_t pinned;  /* version + 1, or free: P1, P2 */
    _Atomic uint64_t epoch;   /* the owner's stamp; the former owner's until it is set: P3 */
    _Atomic uint64_t thread;  /* for the list of readers only: vs_reader_sign() */
    _Atomic int64_t since_us; /* same; 0: not a view, or not signed yet */
    uint8_t padding[VS_SLOT_BYTES - 32];
};

struct vs_reader_slots {
    struct vs_reader_slot *slot; /* VS_READER_SLOTS_MAX of them, reserved */
    _Atomic uint32_t used_below; /* no slot from here on was ever claimed; raised before a claim, so
                                    P1 and P2 hold for it as for the slot itself */
    _Atomic uint64_t location_epoch; /* raised when pages have moved to the file: P2 */
};

verso_err vs_reader_slots_init(struct vs_reader_slots *slots);
void vs_reader_slots_clear(struct vs_reader_slots *slots);

/** The present epoch. The checkpoint's question, and the writer's. */
static inline uint64_t vs_reader_epoch(const struct vs_reader_slots *slots)
{
    /* acquire: pairs with vs_reader_raise_epoch(); with the epoch come the words that were cleared
     * before it. seq_cst, which costs a load nothing here: the reader's half of P2 */
    return atomic_load_explicit(&slots->location_epoch, memory_order_seq_cst);
}

/** Pages have moved, and their words say so. By the checkpoint alone. */
static inline void vs_reader_raise_epoch(struct vs_reader_slots *slots, uint64_t epoch)
{
    /* seq_cst: the checkpoint's half of P2; without it a frame might be used again under a reader
     * who has still read the old word */
    atomic_store_explicit(&slots->location_epoch, epoch, memory_order_seq_cst);
}

/** The owner of a slot has seen where pages lie as of now, and holds no older addresses. */
static inline void vs_reader_stamp(struct vs_reader_slots *slots, uint32_t index)
{
    /* release: pairs with the acquire in the surveys; what the owner read by older addresses comes
     * before the stamp that lets their frames be used again */
    atomic_store_explicit(&slots->slot[index].epoch, vs_reader_epoch(slots), memory_order_release);
}

/** Claim a slot for `version`, and stamp it. VERSO_LIMIT: all are taken. */
verso_err vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint32_t *index);

/** Move one's own pin to another version, of which nothing was read yet, before trusting it. */
static inline void vs_reader_move(struct vs_reader_slots *slots, uint32_t index, uint64_t version)
{
    /* seq_cst: the reader's half of P1 and P2 */
    atomic_store_explicit(&slots->slot[index].pinned, version + 1, memory_order_seq_cst);
    vs_turn(VS_POINT_STAMP_SLOT);
    vs_reader_stamp(slots, index);
}

static inline void vs_reader_unpin(struct vs_reader_slots *slots, uint32_t index)
{
    vs_turn(VS_POINT_LEAVE_SLOT);
    /* release: pairs with the surveys' loads; the reader's last look at its pages comes before
     * anyone may use them again */
    atomic_store_explicit(&slots->slot[index].pinned, VS_SLOT_FREE, memory_order_release);
}

/** Say who has one's own pin, for the list of readers; `since_us` is not 0. */
static inline void vs_reader_sign(struct vs_reader_slots *slots, uint32_t index, uint64_t thread,
                                  int64_t since_us)
{
    struct vs_reader_slot *slot = &slots->slot[index];
    atomic_store_explicit(&slot->thread, thread, memory_order_relaxed);
    /* release: pairs with the acquire in vs_reader_look(); the thread comes first */
    atomic_store_explicit(&slot->since_us, since_us, memory_order_release);
}

/** What a slot says of the view that has it. */
struct vs_reader {
    uint64_t version;
    uint64_t thread;
    int64_t since_us;
};

/** The view that has slot `index`, at some moment. @return False: there is none, or it has not
 *  signed yet. */
bool vs_reader_look(const struct vs_reader_slots *slots, uint32_t index, struct vs_reader *reader);

/** The least version at or above `version` that a signed view has pinned, at some moment. @return
 *  False: there is none. */
bool vs_reader_viewed_at_or_above(const struct vs_reader_slots *slots, uint64_t version,
                                  uint64_t *found);

/** Slots in use, at some moment. */
uint64_t vs_reader_count(const struct vs_reader_slots *slots);

/** Oldest epoch among slots in use; UINT64_MAX if none is. */
uint64_t vs_reader_oldest_epoch(const struct vs_reader_slots *slots);

/** Newest version among slots in use whose epoch is before `epoch`. @return Whether there is
 * one. */
bool vs_reader_newest_before(const struct vs_reader_slots *slots, uint64_t epoch,
                             uint64_t *version);

#endif
