/*
 * reader_slots.c - claiming, leaving and surveying the slots; see reader_slots.h.
 */
#include "store/reader_slots.h"

#include "os/fault.h"
#include "os/memory.h"
#include "os/turns.h"

/* Where this thread found its last slot: opening and closing in turn touches one line only. */
static _Thread_local uint32_t last_index;

verso_err vs_reader_slots_init(struct vs_reader_slots *slots)
{
    slots->slot = vs_memory_reserve((size_t)VS_READER_SLOTS_MAX * sizeof *slots->slot);
    if (slots->slot == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for reader slots");
    }
    atomic_init(&slots->used_below, 0);
    atomic_init(&slots->location_epoch, 0);
    return VERSO_OK;
}

void vs_reader_slots_clear(struct vs_reader_slots *slots)
{
    vs_memory_release(slots->slot, (size_t)VS_READER_SLOTS_MAX * sizeof *slots->slot);
    slots->slot = NULL;
}

verso_err vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint32_t *index)
{
    for (;;) {
        uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_acquire);
        uint32_t start = last_index < below ? last_index : 0;
        for (uint32_t tried = 0; tried < below; tried++) {
            uint32_t i = start + tried < below ? start + tried : start + tried - below;
            struct vs_reader_slot *slot = &slots->slot[i];
            uint64_t expected = VS_SLOT_FREE;
            if (atomic_load_explicit(&slot->pinned, memory_order_relaxed) != VS_SLOT_FREE) {
                continue;
            }
            vs_turn(VS_POINT_CLAIM_SLOT);
            /* seq_cst: the reader's half of P1 and P2; acquire: the former owner's stamp (P3) */
            if (atomic_compare_exchange_strong_explicit(&slot->pinned, &expected, version + 1,
                                                        memory_order_seq_cst,
                                                        memory_order_relaxed)) {
                vs_turn(VS_POINT_STAMP_SLOT);
                vs_reader_stamp(slots, i);
                atomic_store_explicit(&slot->since_us, 0, memory_order_relaxed);
                last_index = i;
                *index = i;
                return VERSO_OK;
            }
        }
        if (below == VS_READER_SLOTS_MAX) {
            return vs_fault(VERSO_LIMIT, "all %d reader slots are taken", VS_READER_SLOTS_MAX);
        }
        vs_turn(VS_POINT_ADD_SLOT);
        /* seq_cst: before the claim, as the header says; if it fails, another thread has raised it */
        atomic_compare_exchange_strong_explicit(&slots->used_below, &below, below + 1,
                                                memory_order_seq_cst, memory_order_relaxed);
    }
}

bool vs_reader_look(const struct vs_reader_slots *slots, uint32_t index, struct vs_reader *reader)
{
    const struct vs_reader_slot *slot = &slots->slot[index];
    uint64_t pinned = atomic_load_explicit(&slot->pinned, memory_order_acquire);
    reader->since_us = atomic_load_explicit(&slot->since_us, memory_order_acquire);
    reader->thread = atomic_load_explicit(&slot->thread, memory_order_relaxed);
    reader->version = pinned - 1;
    return pinned != VS_SLOT_FREE && reader->since_us != 0;
}

bool vs_reader_viewed_at_or_above(const struct vs_reader_slots *slots, uint64_t version,
                                  uint64_t *found)
{
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_acquire);
    bool any = false;
    for (uint32_t i = 0; i < below; i++) {
        struct vs_reader reader;
        if (vs_reader_look(slots, i, &reader) && reader.version >= version &&
            (!any || reader.version < *found)) {
            *found = reader.version;
            any = true;
        }
    }
    return any;
}

uint64_t vs_reader_count(const struct vs_reader_slots *slots)
{
    uint64_t count = 0;
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_acquire);
    for (uint32_t i = 0; i < below; i++) {
        count += atomic_load_explicit(&slots->slot[i].pinned, memory_order_relaxed) != VS_SLOT_FREE;
    }
    return count;
}

uint64_t vs_reader_oldest_epoch(const struct vs_reader_slots *slots)
{
    uint64_t oldest = UINT64_MAX;
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_seq_cst);
    for (uint32_t i = 0; i < below; i++) {
        vs_turn(VS_POINT_SURVEY_SLOT);
        const struct vs_reader_slot *slot = &slots->slot[i];
        if (atomic_load_explicit(&slot->pinned, memory_order_seq_cst) != VS_SLOT_FREE) {
            uint64_t epoch = atomic_load_explicit(&slot->epoch, memory_order_acquire);
            oldest = epoch < oldest ? epoch : oldest;
        }
    }
    return oldest;
}

bool vs_reader_newest_before(const struct vs_reader_slots *slots, uint64_t epoch, uint64_t *version)
{
    bool found = false;
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_seq_cst);
    for (uint32_t i = 0; i < below; i++) {
        vs_turn(VS_POINT_SURVEY_SLOT);
        const struct vs_reader_slot *slot = &slots->slot[i];
        uint64_t pinned = atomic_load_explicit(&slot->pinned, memory_order_seq_cst);
        if (pinned == VS_SLOT_FREE ||
            atomic_load_explicit(&slot->epoch, memory_order_acquire) >= epoch) {
            continue;
        }
        *version = found && *version > pinned - 1 ? *version : pinned - 1;
        found = true;
    }
    return found;
}
