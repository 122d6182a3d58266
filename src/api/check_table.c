/*
 * check_table.c - holding the page table against what the roots reach: nothing leaks, and each root
 * reaches each of its pages once. That what they reach is alive there and not free, they saw
 * themselves (check_root.c, tree_check.c). Fixed parts of the file were never described, so they
 * never lived.
 *
 * What is alive in a root is summed up for all roots in one pass: a page that lives in the roots
 * [i, j) adds its mark at i and takes it back at j; running sums are then what each root should
 * have reached.
 */
#include <stdlib.h>

#include "api/check_parts.h"

/** The pass over the table. */
struct table {
    struct vs_whole_check *whole;
    struct vs_root_reach *change; /* from one root to the next; one more than there are roots */
    uint64_t tip;
};

/* The first root at or after a version; their number if there is none. */
static size_t root_from(const struct vs_whole_check *whole, uint64_t version)
{
    size_t from = 0;
    size_t to = whole->roots;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (whole->root[middle].version < version) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* The page is alive in [born, died): so the roots among them should reach it. */
static void expect_reached(struct table *table, vs_page_no page, uint64_t born, uint64_t died)
{
    size_t from = root_from(table->whole, born);
    size_t until = root_from(table->whole, died);
    if (from >= until) { /* dead in all of them; a page whose transaction was undone, too */
        return;
    }
    uint64_t mark = vs_page_mark(page);
    table->change[from].marks += mark;
    table->change[from].pages++;
    table->change[until].marks -= mark;
    table->change[until].pages--;
}

/* A page that is alive is reached. One that died may be kept for roots that only a reader, a meta or
 * the durable lag still holds, which reach nothing here. */
static verso_err check_page(struct table *table, vs_page_no page)
{
    struct vs_whole_check *whole = table->whole;
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&whole->store->table, page, &descriptor);
    if (err != VERSO_OK) {
        return err == VERSO_CORRUPT ? vs_check_found(whole, 0, page, vs_fault_detail()) : err;
    }
    uint64_t born = vs_descriptor_born(descriptor);
    uint64_t died = vs_descriptor_died(descriptor);
    bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
    uint64_t now = history ? vs_store_generation(whole->store) + 1 : table->tip;
    if (died != VS_ALIVE && died > now && born < died) {
        return vs_check_found(whole, 0, page, "dies after the newest root");
    }
    if (died == VS_ALIVE && !whole->reached[page]) {
        return vs_check_found(whole, table->tip, page, "is alive, but no root reaches it: a leak");
    }
    if (whole->roots > 0 && !history) {
        expect_reached(table, page, born, died);
    }
    return VERSO_OK;
}

/* Which roots reach other pages than are alive in them, or one of them twice? */
static void compare_roots(struct table *table)
{
    struct vs_root_reach alive = {.version = 0};
    for (size_t i = 0; i < table->whole->roots; i++) {
        struct vs_root_reach *root = &table->whole->root[i];
        alive.marks += table->change[i].marks;
        alive.pages += table->change[i].pages;
        uint64_t difference = (root->marks ^ alive.marks) | (root->pages ^ alive.pages);
        root->is_amiss = difference != 0;
    }
}

verso_err vs_check_table(struct vs_whole_check *whole)
{
    struct table table = {.whole = whole, .tip = whole->store->tip.version};
    table.change = calloc(whole->roots + 1, sizeof *table.change);
    if (table.change == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for a check");
    }
    verso_err err = VERSO_OK;
    for (uint64_t page = 1; page < whole->high_water && err == VERSO_OK; page++) {
        err = check_page(&table, (vs_page_no)page);
    }
    if (err == VERSO_OK) {
        compare_roots(&table);
    }
    free(table.change);
    return err;
}

verso_err vs_check_newest_met(struct vs_whole_check *whole)
{
    uint64_t tip = whole->store->tip.version;
    for (uint64_t number = 1; number < whole->high_water; number++) {
        vs_page_no page = (vs_page_no)number;
        const struct vs_descriptor *descriptor;
        verso_err err = vs_page_table_get(&whole->store->table, page, &descriptor);
        if (err != VERSO_OK) {
            return err;
        }
        bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
        bool alive = vs_descriptor_died(descriptor) == VS_ALIVE && !history;
        if (alive && !whole->met[page]) {
            return vs_check_found(whole, tip, page,
                                  "is alive, but the newest root lacks it: a leak");
        }
    }
    return VERSO_OK;
}
