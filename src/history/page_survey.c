/*
 * page_survey.c - a pass over the page table; see page_survey.h.
 */
#include "history/page_survey.h"

#include "format/layout.h"

verso_err vs_page_survey_part(struct vs_store *store, uint64_t first, uint64_t end,
                              void (*each)(void *argument, const struct vs_surveyed_page *page),
                              void *argument)
{
    end = end < store->space.high_water ? end : store->space.high_water;
    for (uint64_t number = first; number < end; number++) {
        struct vs_surveyed_page page = {.page = (vs_page_no)number};
        if (vs_layout_is_reserved(store->pages.page_size, page.page)) {
            continue;
        }
        const struct vs_descriptor *descriptor;
        verso_err err = vs_page_table_get(&store->table, page.page, &descriptor);
        if (err != VERSO_OK) {
            return err;
        }
        page.born = vs_descriptor_born(descriptor);
        page.died = vs_descriptor_died(descriptor);
        page.generations = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
        each(argument, &page);
    }
    return VERSO_OK;
}

verso_err vs_page_survey(struct vs_store *store,
                         void (*each)(void *argument, const struct vs_surveyed_page *page),
                         void *argument)
{
    return vs_page_survey_part(store, 0, UINT64_MAX, each, argument);
}
