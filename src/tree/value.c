/*
 * value.c - values that lie in pages of their own.
 */
#include "tree/value.h"

#include <assert.h>

#include "os/fault.h"

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
