/*
 * reader_slots.h - who reads which version: one cache line for each open view.
 *
 * A pin is two words, {version, location epoch read before the pin}. Readers claim and leave a slot
 * with atomics alone; the writer and the checkpoint read all slots. The protocol
 * (docs/architecture.md) is Dekker's: the reader writes its slot, then reads what is published; the
 * judge reads what is published, then the slots. All four are sequentially consistent, so one of
 * them sees the other.
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
    _Atomic uint64_t pinned;  /* version + 1 */
    _Atomic uint64_t epoch;   /* the former owner's until set: older, so on the safe side */
    _Atomic uint64_t thread;  /* for the list of readers only */
    _Atomic int64_t since_us; /* same; 0: not a view, or not signed yet */
    uint8_t padding[VS_SLOT_BYTES - 32];
};

struct vs_reader_slots {
    struct vs_reader_slot *slot; /* VS_READER_SLOTS_MAX of them, reserved */
    _Atomic uint32_t used_below; /* no slot from here on was ever claimed */
};

verso_err vs_reader_slots_init(struct vs_reader_slots *slots);
void vs_reader_slots_clear(struct vs_reader_slots *slots);

/** Claim a slot for `version`. VERSO_LIMIT: all are taken. */
verso_err vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint64_t epoch,
                        uint32_t *index);

/** Move one's own pin to another version, before trusting it. */
static inline void vs_reader_move(struct vs_reader_slots *slots, uint32_t index, uint64_t version)
{
    /* seq_cst: the reader's half of the protocol above */
    atomic_store_explicit(&slots->slot[index].pinned, version + 1, memory_order_seq_cst);
}

static inline void vs_reader_unpin(struct vs_reader_slots *slots, uint32_t index)
{
    vs_turn(VS_POINT_LEAVE_SLOT);
    /* release: the reader's last look at its pages comes before anyone may reuse them */
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
