/*
 * page_survey.h - one pass over the page table, for questions about all pages.
 */
#ifndef VERSO_HISTORY_PAGE_SURVEY_H
#define VERSO_HISTORY_PAGE_SURVEY_H

#include "store/store.h"

/** A page that a tree may use, and its life span. */
struct vs_surveyed_page {
    vs_page_no page;
    bool generations; /* born and died are generations, not versions */
    uint64_t born;
    uint64_t died;
};

/** Call `each` for every page below the high-water mark that holds no fixed part. Writer lock.
 *  VERSO_CORRUPT: a table block cannot be read. */
verso_err vs_page_survey(struct vs_store *store,
                         void (*each)(void *argument, const struct vs_surveyed_page *page),
                         void *argument);

/** The same for pages [first, end) alone. */
verso_err vs_page_survey_part(struct vs_store *store, uint64_t first, uint64_t end,
                              void (*each)(void *argument, const struct vs_surveyed_page *page),
                              void *argument);

#endif
