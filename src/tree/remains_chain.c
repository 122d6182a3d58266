/*
 * remains_chain.c - the chain of leaves, followed backwards through the page table; see remains.h.
 */
#include <stdlib.h>

#include "format/descriptor.h"
#include "os/fault.h"
#include "store/page_table.h"
#include "tree/remains.h"

enum { MET = 1, IS_LEAF = 2 };

static verso_err no_memory(void)
{
    return vs_fault(VERSO_NOMEM, "no memory for a salvage");
}

verso_err vs_remaining_pages_init(struct vs_remaining_pages *shared, struct vs_pages *pages,
                                  uint64_t version, uint64_t limit)
{
    limit = limit < pages->limit ? limit : pages->limit;
    *shared = (struct vs_remaining_pages){pages, version, (vs_page_no)limit, NULL, NULL};
    shared->state = calloc(limit + 1, 1);
    return shared->state == NULL ? no_memory() : VERSO_OK;
}

void vs_remaining_pages_clear(struct vs_remaining_pages *shared)
{
    free(shared->state);
    free(shared->before);
}

void vs_remaining_meet(struct vs_remaining_pages *shared, vs_page_no page)
{
    if (page < shared->limit) {
        shared->state[page] |= MET;
    }
}

bool vs_remaining_is_met(const struct vs_remaining_pages *shared, vs_page_no page)
{
    return page < shared->limit && (shared->state[page] & MET) != 0;
}

/* Is the page a leaf of a tree of this root, as far as its descriptor says? */
static bool is_leaf(struct vs_remaining_pages *shared, vs_page_no page)
{
    const struct vs_descriptor *descriptor;
    if (vs_page_table_get(shared->pages->table, page, &descriptor) != VERSO_OK) {
        return false;
    }
    return vs_descriptor_kind(descriptor) == VS_KIND_LEAF &&
           vs_descriptor_born(descriptor) <= shared->version &&
           vs_descriptor_died(descriptor) > shared->version;
}

verso_err vs_remaining_scan(struct vs_remaining_pages *shared)
{
    if (shared->before != NULL) {
        return VERSO_OK;
    }
    shared->before = calloc((size_t)shared->limit + 1, sizeof *shared->before);
    if (shared->before == NULL) {
        return no_memory();
    }
    for (vs_page_no page = 1; page < shared->limit; page++) {
        if (!is_leaf(shared, page)) {
            continue;
        }
        shared->state[page] |= IS_LEAF;
        vs_page_no next = 0; /* as at the chain's end, if the link cannot be read */
        verso_err linked = vs_page_next_leaf(shared->pages, page, shared->version, &next);
        (void)linked;
        if (next < shared->limit) {
            shared->before[next] = page;
        }
    }
    shared->before[0] = 0; /* the ends of the chains */
    return VERSO_OK;
}

vs_page_no vs_remaining_before(const struct vs_remaining_pages *shared, vs_page_no leaf)
{
    return leaf < shared->limit ? shared->before[leaf] : 0;
}

vs_page_no vs_remaining_head(const struct vs_remaining_pages *shared)
{
    vs_page_no head = 0;
    unsigned count = 0;
    for (vs_page_no page = 1; page < shared->limit; page++) {
        if (shared->state[page] == IS_LEAF && shared->before[page] == 0) {
            head = page;
            count++;
        }
    }
    return count == 1 ? head : 0;
}
