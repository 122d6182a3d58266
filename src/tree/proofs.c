/*
 * proofs.c - what is proved, by page number; see proofs.h.
 *
 * A leaf is proved again in each branch that names it, but its pairs are not hashed again: sixteen
 * bytes say what they sum up to. There are a hundred times as many leaves as branches, so this is
 * what the memory of a check goes by.
 */
#include "tree/proofs.h"

#include <assert.h>
#include <stdlib.h>

#include "format/descriptor.h"
#include "os/fault.h"

enum { PROOFS_FIRST = 64 };

enum slot_state { SLOT_NONE, SLOT_LEAF, SLOT_LEAF_WITH_RUNS, SLOT_PROOF };

struct vs_proof_slot {
    uint64_t tree_id;
    uint64_t sum; /* of a leaf: its fingerprint; else which proof */
};

static_assert(sizeof(struct vs_proof_slot) == 16, "sixteen bytes a page");

verso_err vs_proofs_init(struct vs_proofs *proofs, uint64_t limit)
{
    *proofs = (struct vs_proofs){.limit = limit};
    proofs->slot = calloc((size_t)limit + 1, sizeof *proofs->slot);
    proofs->state = calloc((size_t)limit + 1, sizeof *proofs->state);
    if (proofs->slot == NULL || proofs->state == NULL) {
        vs_proofs_clear(proofs);
        return vs_fault(VERSO_NOMEM, "no memory for a check");
    }
    return VERSO_OK;
}

void vs_proofs_clear(struct vs_proofs *proofs)
{
    free(proofs->slot);
    free(proofs->state);
    free(proofs->proof);
    *proofs = (struct vs_proofs){.limit = 0};
}

/* The finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
 * generators", 2014): sums of a few thousand of its numbers do not meet by accident. */
uint64_t vs_page_mark(vs_page_no page)
{
    uint64_t mark = (page + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15);
    mark = (mark ^ mark >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mark = (mark ^ mark >> 27) * UINT64_C(0x94D049BB133111EB);
    return mark ^ mark >> 31;
}

const struct vs_proof *vs_proofs_find(const struct vs_proofs *proofs, vs_page_no page,
                                      enum vs_page_kind kind, unsigned level)
{
    if (proofs == NULL || page >= proofs->limit || proofs->state[page] != SLOT_PROOF) {
        return NULL;
    }
    const struct vs_proof *proof = &proofs->proof[proofs->slot[page].sum];
    return proof->kind == kind && proof->level == level ? proof : NULL;
}

static verso_err make_room(struct vs_proofs *proofs)
{
    if (proofs->count < proofs->capacity) {
        return VERSO_OK;
    }
    size_t capacity = proofs->capacity == 0 ? PROOFS_FIRST : 2 * proofs->capacity;
    struct vs_proof *larger = realloc(proofs->proof, capacity * sizeof *larger);
    if (larger == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a check");
    }
    proofs->proof = larger;
    proofs->capacity = capacity;
    return VERSO_OK;
}

verso_err vs_proofs_add(struct vs_proofs *proofs, vs_page_no page, const struct vs_proof *proof)
{
    assert(page < proofs->limit);
    struct vs_proof_slot *slot = &proofs->slot[page];
    if (proofs->state[page] != SLOT_PROOF) {
        verso_err err = make_room(proofs);
        if (err != VERSO_OK) {
            return err;
        }
        slot->sum = proofs->count++;
        proofs->state[page] = SLOT_PROOF;
    }
    proofs->proof[slot->sum] = *proof;
    return VERSO_OK;
}

bool vs_proofs_find_leaf(const struct vs_proofs *proofs, vs_page_no page, uint64_t tree_id,
                         uint64_t *fingerprint, bool *has_runs)
{
    if (proofs == NULL) {
        return false;
    }
    assert(page < proofs->limit);
    uint8_t state = proofs->state[page];
    const struct vs_proof_slot *slot = &proofs->slot[page];
    if ((state != SLOT_LEAF && state != SLOT_LEAF_WITH_RUNS) || slot->tree_id != tree_id) {
        return false;
    }
    *fingerprint = slot->sum;
    *has_runs = state == SLOT_LEAF_WITH_RUNS;
    return true;
}

void vs_proofs_add_leaf(struct vs_proofs *proofs, vs_page_no page, uint64_t tree_id,
                        uint64_t fingerprint, bool has_runs)
{
    assert(page < proofs->limit);
    proofs->slot[page] = (struct vs_proof_slot){.tree_id = tree_id, .sum = fingerprint};
    proofs->state[page] = has_runs ? SLOT_LEAF_WITH_RUNS : SLOT_LEAF;
}

void vs_proof_begin(struct vs_proof *proof, enum vs_page_kind kind, unsigned level)
{
    *proof =
        (struct vs_proof){.holds = {0, VS_ALIVE}, .kind = (uint8_t)kind, .level = (uint8_t)level};
}

void vs_proof_narrow(struct vs_proof *proof, struct vs_span span)
{
    proof->holds.from = span.from > proof->holds.from ? span.from : proof->holds.from;
    proof->holds.until = span.until < proof->holds.until ? span.until : proof->holds.until;
}

void vs_proof_join(struct vs_proof *proof, const struct vs_proof *part)
{
    vs_proof_narrow(proof, part->holds);
    proof->marks += part->marks;
    proof->pages += part->pages;
}
