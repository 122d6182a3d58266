/*
 * space_use.c - putting every page down to its holder; see space_use.h.
 */
#include "history/space_use.h"

#include "format/layout.h"
#include "history/page_survey.h"

/** The kept versions by what keeps them. */
struct holders {
    struct vs_store *store;
    uint64_t published;
    struct vs_version_set retained; /* neither tagged nor open */
    struct vs_version_set tagged;
    struct vs_version_set readers;
    struct vs_space_use *use;
};

static verso_err gather_tagged(struct holders *holders)
{
    const struct vs_tags *tags = &holders->store->retained.tags;
    verso_err err = VERSO_OK;
    uint64_t root;
    for (uint64_t from = 1; err == VERSO_OK && vs_tags_root_at_or_above(tags, from, &root);
         from = root + 1) {
        err = vs_version_set_add(&holders->tagged, root, root);
    }
    return err;
}

static verso_err drop_all(struct vs_version_set *set, const struct vs_version_set *dropped)
{
    return vs_version_set_drop_ranges(set, dropped->range, dropped->count);
}

/* What is left to the policy: retained, older than what is published, neither tagged nor open. */
static verso_err gather_retained(struct holders *holders)
{
    verso_err err = vs_version_set_copy(&holders->retained, &holders->store->retained.set);
    if (err == VERSO_OK) {
        err = vs_version_set_drop(&holders->retained, holders->published, UINT64_MAX);
    }
    if (err == VERSO_OK) {
        err = drop_all(&holders->retained, &holders->tagged);
    }
    return err == VERSO_OK ? drop_all(&holders->retained, &holders->readers) : err;
}

static verso_err gather(struct holders *holders)
{
    holders->published = vs_roots_published(&holders->store->roots); /* as the judge: first */
    verso_err err = vs_store_refresh_kept(holders->store);
    if (err == VERSO_OK) {
        err = vs_version_set_copy(&holders->readers, &holders->store->kept.passing);
    }
    if (err == VERSO_OK) {
        err = vs_version_set_drop(&holders->readers, holders->published, UINT64_MAX);
    }
    if (err == VERSO_OK) {
        err = gather_tagged(holders);
    }
    return err == VERSO_OK ? gather_retained(holders) : err;
}

static void clear(struct holders *holders)
{
    vs_version_set_clear(&holders->retained);
    vs_version_set_clear(&holders->tagged);
    vs_version_set_clear(&holders->readers);
}

/* The field that counts the page. */
static uint64_t *holder_of(struct holders *holders, const struct vs_surveyed_page *page)
{
    struct vs_space_use *use = holders->use;
    uint64_t born = page->born;
    uint64_t died = page->died;
    if (page->generations) { /* kept generations: that of the metas and the coming one */
        bool kept = born < died && died > vs_store_generation(holders->store);
        return kept ? &use->fixed : &use->free;
    }
    if (born <= holders->published && holders->published < died) {
        return &use->live;
    }
    if (vs_version_set_meets(&holders->retained, born, died)) {
        return &use->history;
    }
    if (vs_version_set_meets(&holders->tagged, born, died)) {
        return &use->tags;
    }
    if (vs_version_set_meets(&holders->readers, born, died)) {
        return &use->readers;
    }
    return vs_kept_set_meets(&holders->store->kept, born, died) ? &use->passing : &use->free;
}

static void count_page(void *argument, const struct vs_surveyed_page *page)
{
    *holder_of(argument, page) += 1;
}

/* What no descriptor speaks of: fixed parts, and the file behind the high-water mark. */
static void count_rest(const struct vs_store *store, struct vs_space_use *use)
{
    uint64_t high_water = store->space.high_water;
    uint64_t pages = store->in_memory
                         ? high_water
                         : atomic_load_explicit(&store->table.file_bytes, memory_order_acquire) >>
                               store->pages.page_shift;
    for (uint64_t page = 0; page < pages; page++) {
        if (vs_layout_is_reserved(store->pages.page_size, (vs_page_no)page)) {
            use->fixed++;
        } else if (page >= high_water) {
            use->ahead++;
        }
    }
}

verso_err vs_space_use_count(struct vs_store *store, struct vs_space_use *use)
{
    *use = (struct vs_space_use){0};
    struct holders holders = {.store = store, .use = use};
    verso_err err = gather(&holders);
    if (err == VERSO_OK) {
        err = vs_page_survey(store, count_page, &holders);
    }
    clear(&holders);
    if (err == VERSO_OK) {
        count_rest(store, use);
    }
    return err;
}
