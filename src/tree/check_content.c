/*
 * check_content.c - prove what a leaf holds: the fingerprint of its pairs, and its long values.
 *
 * Content is read once, whichever roots share it: a leaf's fingerprint is remembered by its page,
 * a long value by its first page, with a hash of the reference that led to it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "format/fingerprint.h"
#include "os/fault.h"
#include "tree/check_walk.h"
#include "tree/value.h"

/** The hash of what a run really holds. */
static verso_err hash_run(struct vs_check_walk *walk, const struct vs_run_ref *run, uint64_t *hash)
{
    const uint8_t *bytes = NULL;
    verso_err err = vs_run_borrow(walk->view->pages, run, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    if (bytes != NULL) {
        *hash = vs_value_hash((verso_slice){bytes, run->length});
        return VERSO_OK;
    }
    uint8_t *copy = malloc(run->length);
    if (copy == NULL) {
        return vs_fault_text(VERSO_NOMEM, "no memory for a check");
    }
    err = vs_run_copy(walk->view->pages, run, 0, copy, run->length);
    if (err == VERSO_OK) {
        *hash = vs_value_hash((verso_slice){copy, run->length});
    }
    free(copy);
    return err;
}

/** Prove the pages and the content of a long value. */
static verso_err prove_run(struct vs_check_walk *walk, vs_page_no leaf,
                           const struct vs_run_ref *run, struct vs_proof *proof)
{
    for (unsigned i = 0; i < run->extents; i++) {
        for (uint32_t at = 0; at < run->extent[i].pages; at++) {
            const uint8_t *bytes;
            vs_page_no page = run->extent[i].page + at;
            verso_err err = vs_check_reached(walk, page, VS_KIND_RUN, proof);
            if (err != VERSO_OK) {
                return err;
            }
            err = vs_page_read_run(walk->view->pages, page, &bytes);
            if (err != VERSO_OK) {
                return vs_check_pass_on(walk, page, err);
            }
        }
    }
    verso_err err = hash_run(walk, run, &proof->fingerprint);
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, run->extent[0].page, err);
    }
    return proof->fingerprint == run->hash
               ? VERSO_OK
               : vs_check_fault(walk, leaf, "a long value does not have its hash");
}

/** Prove the long value that a cell of the leaf refers to, or pass it if that was done.
 *  @param[out] hash  Of its content. */
static verso_err check_run(struct vs_check_walk *walk, vs_page_no leaf, struct vs_payload payload,
                           uint64_t *hash)
{
    struct vs_run_ref run;
    verso_err err = vs_value_run_ref(walk->view->pages, leaf, payload, &run);
    if (err != VERSO_OK) {
        return vs_check_pass_on(walk, leaf, err);
    }
    struct vs_proofs *proofs = walk->check->proofs;
    vs_page_no first = run.extent[0].page;
    uint64_t reference = vs_xxh64(0, payload.bytes, payload.size);
    const struct vs_proof *known = vs_proofs_find(proofs, first, VS_KIND_RUN, 0);
    if (known != NULL && known->tree_id == reference &&
        vs_span_has(known->holds, walk->view->version)) {
        *hash = known->fingerprint;
        vs_proof_join(&walk->proof[0], known);
        return VERSO_OK;
    }
    struct vs_proof proof;
    vs_proof_begin(&proof, VS_KIND_RUN, 0);
    proof.tree_id = reference;
    err = prove_run(walk, leaf, &run, &proof);
    if (err == VERSO_OK && proofs != NULL) {
        err = vs_proofs_add(proofs, first, &proof);
    }
    *hash = proof.fingerprint;
    vs_proof_join(&walk->proof[0], &proof);
    return err;
}

/** The hash of a cell's value. */
static verso_err hash_payload(struct vs_check_walk *walk, vs_page_no leaf,
                              struct vs_payload payload, uint64_t *hash)
{
    if (payload.is_run) {
        return check_run(walk, leaf, payload, hash);
    }
    *hash = vs_value_hash((verso_slice){payload.bytes, payload.size});
    return VERSO_OK;
}

/** Add the terms of the leaf's pairs. @param[out] has_runs  Some are long values. */
static verso_err sum_pairs(struct vs_check_walk *walk, bool *has_runs)
{
    const struct vs_path_step *leaf = &walk->path.level[0];
    unsigned count = vs_page_count(leaf->bytes);
    uint64_t sum = 0;
    (void)vs_leaf_prefix(leaf->bytes, walk->key);
    for (unsigned i = 0; i < count; i++) {
        struct vs_payload payload;
        verso_slice key = {walk->key, vs_leaf_entry(leaf->bytes, i, walk->key, &payload)};
        uint64_t hash = 0;
        verso_err err = hash_payload(walk, leaf->page, payload, &hash);
        if (err != VERSO_OK) {
            return err;
        }
        *has_runs = *has_runs || payload.is_run;
        sum += vs_fingerprint_term(walk->tree_id, key, hash);
    }
    walk->proof[0].fingerprint = sum;
    walk->check->summed++;
    return VERSO_OK;
}

/** The pairs are proved; the long values may lie elsewhere by now, or be dead. */
static verso_err check_runs(struct vs_check_walk *walk)
{
    const struct vs_path_step *leaf = &walk->path.level[0];
    unsigned count = vs_page_count(leaf->bytes);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        struct vs_payload payload = vs_leaf_payload(leaf->bytes, i);
        uint64_t hash;
        if (payload.is_run) {
            err = check_run(walk, leaf->page, payload, &hash);
        }
    }
    return err;
}

verso_err vs_check_pairs(struct vs_check_walk *walk)
{
    struct vs_proofs *proofs = walk->check->proofs;
    vs_page_no page = walk->path.level[0].page;
    bool has_runs = false;
    uint64_t *fingerprint = &walk->proof[0].fingerprint;
    if (vs_proofs_find_leaf(proofs, page, walk->tree_id, fingerprint, &has_runs)) {
        return has_runs ? check_runs(walk) : VERSO_OK;
    }
    verso_err err = sum_pairs(walk, &has_runs);
    if (err == VERSO_OK && proofs != NULL) {
        vs_proofs_add_leaf(proofs, page, walk->tree_id, *fingerprint, has_runs);
    }
    return err;
}
