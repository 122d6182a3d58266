/*
 * readers.c - the list of open views.
 */
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "os/fault.h"

/* The oldest root first; of one root, the view opened first. */
static int by_root(const void *left, const void *right)
{
    const struct vs_reader *a = left;
    const struct vs_reader *b = right;
    if (a->version != b->version) {
        return a->version < b->version ? -1 : 1;
    }
    return (a->since_us > b->since_us) - (a->since_us < b->since_us);
}

/* All views, sorted. *readers is the caller's to free. */
static verso_err gather(const struct vs_reader_slots *slots, struct vs_reader **readers,
                        size_t *count)
{
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_acquire);
    struct vs_reader *found = calloc((size_t)below + 1, sizeof *found); /* never of size 0 */
    if (found == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the list of readers");
    }
    size_t filled = 0;
    for (uint32_t i = 0; i < below; i++) {
        filled += vs_reader_look(slots, i, &found[filled]);
    }
    qsort(found, filled, sizeof *found, by_root);
    *readers = found;
    *count = filled;
    return VERSO_OK;
}

static void fill_info(verso_reader_info *info, const struct vs_reader *reader)
{
    verso_reader_info full = {
        .size = info->size,
        .root = reader->version,
        .since_us = reader->since_us,
        .thread = reader->thread,
    };
    memcpy(info, &full, info->size < sizeof full ? info->size : sizeof full);
}

verso_err verso_readers(verso_store *store, verso_reader_info *infos, size_t capacity,
                        size_t *count)
{
    if (store == NULL || count == NULL || (infos == NULL && capacity > 0)) {
        return vs_fault(VERSO_INVALID, "verso_readers: an argument is NULL");
    }
    verso_err err = vs_check_process(store);
    if (err == VERSO_OK) {
        err = vs_check_elements(infos, capacity, sizeof infos->size, "verso_readers");
    }
    struct vs_reader *readers = NULL;
    if (err == VERSO_OK) {
        err = gather(&store->store->readers, &readers, count);
    }
    if (err != VERSO_OK) {
        return err;
    }
    for (size_t i = 0; i < *count && i < capacity; i++) {
        fill_info(vs_element(infos, i), &readers[i]);
    }
    free(readers);
    return VERSO_OK;
}
