/*
 * value.c - values that lie in pages of their own.
 */
#include "tree/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/fingerprint.h"
#include "os/fault.h"

enum { CHUNK = 4096 }; /* bytes compared at a time */

verso_err vs_value_run_ref(struct vs_pages *pages, vs_page_no leaf, struct vs_payload payload,
                           struct vs_run_ref *ref)
{
    assert(payload.is_run);
    const char *fault = vs_run_ref_decode(payload.bytes, payload.size, pages->page_size, ref);
    if (fault != NULL) {
        return vs_fault(VERSO_CORRUPT, "page %u: %s", leaf, fault);
    }
    return VERSO_OK;
}

verso_err vs_value_of_run(struct vs_pages *pages, vs_page_no leaf, struct vs_payload payload,
                          struct vs_tree_value *value)
{
    verso_err err = vs_value_run_ref(pages, leaf, payload, &value->run);
    if (err != VERSO_OK) {
        return err;
    }
    const uint8_t *bytes = NULL;
    err = vs_run_borrow(pages, &value->run, &bytes);
    if (err != VERSO_OK) {
        return err;
    }
    value->slice.data = bytes;
    value->slice.size = value->run.length;
    return VERSO_OK;
}

/* ---- comparing ---- */

/** A value of which only the reference, if it has one, was looked at. */
struct operand {
    struct vs_payload payload;
    struct vs_run_ref run; /* if the payload is one */
    size_t size;
};

static verso_err make_operand(struct vs_pages *pages, const struct vs_value_place *place,
                              struct operand *operand)
{
    operand->payload = place->payload;
    operand->size = place->payload.size;
    if (!place->payload.is_run) {
        return VERSO_OK;
    }
    verso_err err = vs_value_run_ref(pages, place->leaf, place->payload, &operand->run);
    operand->size = operand->run.length;
    return err;
}

static uint64_t hash_of(const struct operand *operand)
{
    return operand->payload.is_run
               ? operand->run.hash
               : vs_value_hash((verso_slice){operand->payload.bytes, operand->size});
}

static verso_err read_part(struct vs_pages *pages, const struct operand *operand, size_t offset,
                           uint8_t *bytes, size_t size)
{
    if (operand->payload.is_run) {
        return vs_run_copy(pages, &operand->run, offset, bytes, size);
    }
    memcpy(bytes, operand->payload.bytes + offset, size);
    return VERSO_OK;
}

static verso_err compare_bytes(struct vs_pages *pages, const struct operand *a,
                               const struct operand *b, bool *same)
{
    *same = true;
    for (size_t at = 0; at < a->size && *same; at += CHUNK) {
        size_t part = a->size - at < CHUNK ? a->size - at : CHUNK;
        uint8_t bytes_of_a[CHUNK];
        uint8_t bytes_of_b[CHUNK];
        verso_err err = read_part(pages, a, at, bytes_of_a, part);
        if (err == VERSO_OK) {
            err = read_part(pages, b, at, bytes_of_b, part);
        }
        if (err != VERSO_OK) {
            return err;
        }
        *same = memcmp(bytes_of_a, bytes_of_b, part) == 0;
    }
    return VERSO_OK;
}

verso_err vs_value_is_same(struct vs_pages *pages, const struct vs_value_place *a,
                           const struct vs_value_place *b, bool *same)
{
    const struct vs_payload *x = &a->payload;
    const struct vs_payload *y = &b->payload;
    *same = x->is_run == y->is_run && x->size == y->size &&
            (x->size == 0 || memcmp(x->bytes, y->bytes, x->size) == 0);
    if (*same || (!x->is_run && !y->is_run)) {
        return VERSO_OK; /* equal references name the same pages */
    }
    struct operand left;
    struct operand right;
    verso_err err = make_operand(pages, a, &left);
    if (err == VERSO_OK) {
        err = make_operand(pages, b, &right);
    }
    if (err != VERSO_OK || left.size != right.size || hash_of(&left) != hash_of(&right)) {
        return err;
    }
    return compare_bytes(pages, &left, &right, same);
}

/* ---- putting together ---- */

verso_err vs_value_bytes(struct vs_pages *pages, const struct vs_value_place *place,
                         struct vs_value_buffer *buffer, verso_slice *bytes)
{
    struct vs_tree_value value;
    verso_err err = vs_value_of(pages, place->leaf, place->payload, &value);
    if (err != VERSO_OK) {
        return err;
    }
    size_t size = value.slice.size;
    if (value.slice.data == NULL) {
        if (size > buffer->capacity) {
            err = vs_run_verify(pages, &value.run);
            if (err != VERSO_OK) {
                return err;
            }
            uint8_t *grown = realloc(buffer->bytes, size);
            if (grown == NULL) {
                return vs_fault(VERSO_NOMEM, "no memory to put a value of %zu bytes together",
                                size);
            }
            *buffer = (struct vs_value_buffer){grown, size};
        }
        err = vs_run_copy(pages, &value.run, 0, buffer->bytes, size);
        value.slice.data = buffer->bytes;
    }
    *bytes = value.slice;
    return err;
}

void vs_value_buffer_clear(struct vs_value_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct vs_value_buffer){0};
}
