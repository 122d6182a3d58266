/*
 * proofs.h - what a check has proved already, so that what roots share is proved once.
 *
 * Committed pages never change. What holds for a page by itself (its structure, the order of its
 * keys, the hashes of its values) therefore holds in every root that reaches it. What depends on
 * the root does so in three ways only, and each is remembered as something that can be asked again
 * without walking through the pages:
 *
 *   P1  Life and links. A page is alive, and a link counts, in an interval of versions. The subtree
 *       below a branch is whole in the intersection of all of these: the life spans and births of
 *       its pages and long values, and the links between its own leaves. A root in that interval
 *       needs no look at them.
 *   P2  Bounds. Separators above a branch bound its keys from both sides. Within it keys ascend, so
 *       its first and its last key are enough; and as no leaf is empty, separators that keep these
 *       keys apart keep those of the branches between them apart as well.
 *   P3  Met once. Keys ascend strictly, so no leaf, and no branch, can have two places in a tree.
 *       Long values, and pages of several trees, could. Each page has a mark, a pseudo-random
 *       number; the marks of all pages reached, and their number, are summed up by subtrees. A root
 *       reaches each of its pages once if and only if both sums are those of the pages that are
 *       alive in it, which the page table says.
 *
 * What remains for each root is its own branches, and the link from each subtree to the next.
 *
 * Threads: a value of its owner.
 */
#ifndef VERSO_TREE_PROOFS_H
#define VERSO_TREE_PROOFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/pages.h"
#include "verso.h"

/** What is proved of a page and all below it. */
struct vs_proof {
    struct vs_span holds; /* P1 */
    uint64_t keys;
    uint64_t fingerprint; /* of its pairs, in that tree; of a long value: its hash */
    uint64_t tree_id;     /* of a long value: the hash of the reference to it */
    uint64_t marks;       /* P3 */
    uint32_t pages;       /* modulo 2^32 */
    uint32_t underfull;   /* pages below this one that are under a quarter full */
    vs_page_no first_leaf;
    vs_page_no last_leaf;
    bool is_underfull; /* the page itself */
    uint8_t kind;      /* enum vs_page_kind */
    uint8_t level;
};

struct vs_proof_slot;

/** Sixteen bytes a page, and a proof for each branch and each long value. Zeroed: none. */
struct vs_proofs {
    struct vs_proof_slot *slot; /* by page number */
    uint8_t *state;             /* by page number: what its slot is for */
    uint64_t limit;             /* page numbers from here on have none */
    struct vs_proof *proof;
    size_t count;
    size_t capacity;
};

/** @param limit  The high-water mark. VERSO_NOMEM. */
verso_err vs_proofs_init(struct vs_proofs *proofs, uint64_t limit);
void vs_proofs_clear(struct vs_proofs *proofs);

/** The pseudo-random number of a page. */
uint64_t vs_page_mark(vs_page_no page);

/** The proof of a branch of this level, or of a long value (level 0) by its first page.
 *  @return NULL: there is none; else good until the next one is added. `proofs` may be NULL. */
const struct vs_proof *vs_proofs_find(const struct vs_proofs *proofs, vs_page_no page,
                                      enum vs_page_kind kind, unsigned level);

/** Remember, in place of what was known of the page. VERSO_NOMEM. */
verso_err vs_proofs_add(struct vs_proofs *proofs, vs_page_no page, const struct vs_proof *proof);

/** Is the leaf proved as one of this tree? @param[out] has_runs  It refers to long values.
 *  `proofs` may be NULL; the page is one below their limit. */
bool vs_proofs_find_leaf(const struct vs_proofs *proofs, vs_page_no page, uint64_t tree_id,
                         uint64_t *fingerprint, bool *has_runs);
void vs_proofs_add_leaf(struct vs_proofs *proofs, vs_page_no page, uint64_t tree_id,
                        uint64_t fingerprint, bool has_runs);

/** Begin a proof of nothing, which holds in every version. */
void vs_proof_begin(struct vs_proof *proof, enum vs_page_kind kind, unsigned level);
/** The proof needs this too. */
void vs_proof_narrow(struct vs_proof *proof, struct vs_span span);
/** Put a part's pages, marks and interval in. */
void vs_proof_join(struct vs_proof *proof, const struct vs_proof *part);

static inline bool vs_span_has(struct vs_span span, uint64_t version)
{
    return span.from <= version && version < span.until;
}

#endif
