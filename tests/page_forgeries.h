/*
 * page_forgeries.h - test support: what can be wrong with one page of a store though its checksum is
 * right. What does not apply to a page leaves it as it is.
 */
#ifndef VERSO_TESTS_PAGE_FORGERIES_H
#define VERSO_TESTS_PAGE_FORGERIES_H

#include "forged_store.h"

struct page_forgery {
    const char *name;
    forged_change *change;
};

extern const struct page_forgery page_forgeries[];
extern const size_t page_forgery_count;

/** Its descriptor calls a leaf or branch something else, so that it cannot be read. */
void page_becomes_unreadable(const struct forged_page *page);

/** What misleads those who find leaves by their chain because a branch cannot be read. */
extern const struct page_forgery chain_forgeries[];
extern const size_t chain_forgery_count;

#endif
