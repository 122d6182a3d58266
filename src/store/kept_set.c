/*
 * kept_set.c - gathering and asking; see kept_set.h.
 */
#include "store/kept_set.h"

#include "os/turns.h"

void vs_kept_set_clear(struct vs_kept_set *kept)
{
    vs_version_set_clear(&kept->retained);
    vs_version_set_clear(&kept->on_disk);
    vs_version_set_clear(&kept->frozen);
    vs_version_set_clear(&kept->passing);
    kept->known = false;
}

verso_err vs_kept_set_gather(struct vs_kept_set *kept, uint64_t published,
                             const struct vs_reader_slots *slots)
{
    kept->passing.count = 0;
    verso_err err = vs_version_set_add(&kept->passing, published, UINT64_MAX);
    uint32_t below = atomic_load_explicit(&slots->used_below, memory_order_seq_cst);
    for (uint32_t i = 0; i < below && err == VERSO_OK; i++) {
        vs_turn(VS_POINT_SURVEY_SLOT);
        /* seq_cst: the judge's half of the protocol in reader_slots.h */
        uint64_t pinned = atomic_load_explicit(&slots->slot[i].pinned, memory_order_seq_cst);
        if (pinned != VS_SLOT_FREE && pinned <= published) { /* from there on all is kept anyway */
            err = vs_version_set_add(&kept->passing, pinned - 1, pinned - 1);
        }
    }
    return err;
}

bool vs_kept_set_meets(const struct vs_kept_set *kept, uint64_t born, uint64_t died)
{
    if (!kept->known) {
        return born < died;
    }
    return vs_version_set_meets(&kept->passing, born, died) ||
           vs_version_set_meets(&kept->on_disk, born, died) ||
           vs_version_set_meets(&kept->retained, born, died) ||
           vs_version_set_meets(&kept->frozen, born, died);
}

verso_err vs_kept_set_flatten(const struct vs_kept_set *kept, uint64_t version,
                              struct vs_version_set *flat)
{
    const struct vs_version_set *part[] = {&kept->passing, &kept->on_disk, &kept->frozen};
    verso_err err = vs_version_set_copy(flat, &kept->retained);
    for (unsigned i = 0; i < sizeof part / sizeof *part && err == VERSO_OK; i++) {
        err = vs_version_set_join(flat, part[i]);
    }
    return err == VERSO_OK ? vs_version_set_drop(flat, version + 1, UINT64_MAX) : err;
}
