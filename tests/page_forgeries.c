/*
 * page_forgeries.c - forging leaves, branches, descriptors and chains by the engine's own functions, so
 * that the structure of what comes out is sound.
 */
#include "page_forgeries.h"

#include <string.h>

#include "format/branch.h"
#include "format/descriptor.h"
#include "format/leaf.h"
#include "format/run_ref.h"
#include "format/tree_record.h"

enum {
    CELLS_MAX = 512, /* more than the small pages of tests hold */
    LONG_SIZE = 1000,
    /* words of a descriptor */
    DIED_AT = 8,
    KIND_AT = 20,
    LINK_AT = 24,
};

/* ---- pages ---- */

static bool is_leaf(const struct forged_page *page)
{
    unsigned kind = vs_get_le32(page->descriptor + KIND_AT) & 0xff;
    return kind == VS_KIND_LEAF && vs_page_count(page->bytes) > 0;
}

static bool is_branch(const struct forged_page *page)
{
    return (vs_get_le32(page->descriptor + KIND_AT) & 0xff) == VS_KIND_BRANCH;
}

static bool has_branch(const struct forged_page *page, unsigned children)
{
    return is_branch(page) && vs_page_count(page->bytes) >= children;
}

/* The leaf's first key, or its last, becomes one that belongs elsewhere. */
static void move_key(const struct forged_page *page, bool last, uint8_t first_byte)
{
    if (!is_leaf(page)) {
        return;
    }
    uint8_t key[VS_PAGE_SIZE_MAX / 4];
    uint8_t payload_bytes[VS_PAGE_SIZE_MAX];
    unsigned index = last ? vs_page_count(page->bytes) - 1U : 0;
    size_t size = vs_leaf_key(page->bytes, index, key);
    struct vs_payload payload = vs_leaf_payload(page->bytes, index);
    memcpy(payload_bytes, payload.bytes, payload.size);
    payload.bytes = payload_bytes;
    vs_leaf_remove(page->bytes, page->size, index);
    key[0] = first_byte;
    struct vs_leaf_cell cells[CELLS_MAX];
    struct vs_leaf_cell put = {.key = {key, size > 0 ? size : 1}, .payload = payload};
    uint8_t written[VS_PAGE_SIZE_MAX];
    unsigned count = vs_leaf_gather(page->bytes, NULL, &put, index, false, cells);
    if (vs_leaf_encoded_size(cells, count) <= page->size) {
        vs_leaf_encode(written, page->size, vs_page_birth(page->bytes), cells, count);
        memcpy(page->bytes, written, page->size);
    }
}

static void first_key_sinks(const struct forged_page *page)
{
    move_key(page, false, 1);
}

static void last_key_rises(const struct forged_page *page)
{
    move_key(page, true, 0xfe);
}

static void leaf_loses_a_cell(const struct forged_page *page)
{
    if (is_leaf(page) && vs_page_count(page->bytes) > 1) {
        vs_leaf_remove(page->bytes, page->size, vs_page_count(page->bytes) / 2U);
    }
}

static void leaf_loses_all_but_one(const struct forged_page *page)
{
    while (is_leaf(page) && vs_page_count(page->bytes) > 1) {
        vs_leaf_remove(page->bytes, page->size, vs_page_count(page->bytes) - 1U);
    }
}

static void leaf_loses_all_cells(const struct forged_page *page)
{
    if (is_leaf(page)) {
        vs_leaf_init(page->bytes, page->size, vs_page_birth(page->bytes), (verso_slice){NULL, 0});
    }
}

/* Short values get other bytes, records other numbers. */
static void each_value_changes(const struct forged_page *page)
{
    for (unsigned i = 0; is_leaf(page) && i < vs_page_count(page->bytes); i++) {
        struct vs_payload payload = vs_leaf_payload(page->bytes, i);
        if (!payload.is_run && payload.size > 0) {
            page->bytes[payload.bytes - page->bytes] ^= 0xff;
        }
    }
}

/* Of a catalogue: what says how far the taking apart of a dropped tree has come. */
static bool is_condemned(const struct forged_page *page, unsigned index)
{
    uint8_t key[VS_PAGE_SIZE_MAX / 4];
    verso_slice slice = {key, vs_leaf_key(page->bytes, index, key)};
    return vs_catalogue_kind(slice) == VS_CATALOGUE_CONDEMNED;
}

static void dropped_tree_has_a_short_record(const struct forged_page *page)
{
    static const uint8_t byte = 1;
    for (unsigned i = 0; is_leaf(page) && i < vs_page_count(page->bytes); i++) {
        if (is_condemned(page, i)) {
            (void)vs_leaf_replace(page->bytes, page->size, i,
                                  (struct vs_payload){.size = 1, .bytes = &byte});
        }
    }
}

/* All of it is said to be gone that can be said with so many bytes. */
static void dropped_tree_is_nearly_gone(const struct forged_page *page)
{
    for (unsigned i = 0; is_leaf(page) && i < vs_page_count(page->bytes); i++) {
        struct vs_payload payload = vs_leaf_payload(page->bytes, i);
        if (is_condemned(page, i) && payload.size > VS_CONDEMNED_HEADER) {
            uint8_t *record = page->bytes + (payload.bytes - page->bytes);
            memset(record + VS_CONDEMNED_HEADER, 0xff, payload.size - VS_CONDEMNED_HEADER);
        }
    }
}

static void each_value_shortens(const struct forged_page *page)
{
    for (unsigned i = 0; is_leaf(page) && i < vs_page_count(page->bytes); i++) {
        static const uint8_t byte = 1;
        struct vs_payload payload = {.size = 1, .bytes = &byte};
        (void)vs_leaf_replace(page->bytes, page->size, i, payload);
    }
}

/* Each long value claims another length, or pages that are not its own. */
static void change_runs(const struct forged_page *page, uint32_t length, vs_page_no first)
{
    for (unsigned i = 0; is_leaf(page) && i < vs_page_count(page->bytes); i++) {
        struct vs_payload payload = vs_leaf_payload(page->bytes, i);
        struct vs_run_ref ref;
        if (payload.is_run &&
            vs_run_ref_decode(payload.bytes, payload.size, page->size, &ref) == NULL) {
            ref.length -= length;
            ref.extent[0].page = first > 0 ? first : ref.extent[0].page;
            (void)vs_run_ref_encode(&ref, page->bytes + (payload.bytes - page->bytes));
        }
    }
}

static void runs_shorten(const struct forged_page *page)
{
    change_runs(page, 1, 0);
}

static void runs_cannot_be(const struct forged_page *page)
{
    change_runs(page, LONG_SIZE - 1, 0);
}

static void runs_lie_nowhere(const struct forged_page *page)
{
    change_runs(page, 0, UINT32_MAX - 100);
}

static void runs_lie_in_this_page(const struct forged_page *page)
{
    change_runs(page, 0, page->number);
}

static void is_born_late(const struct forged_page *page)
{
    if (!is_leaf(page) && !is_branch(page)) {
        return;
    }
    vs_page_set_birth(page->bytes, vs_page_birth(page->bytes) + 1);
    vs_put_le64(page->descriptor, vs_get_le64(page->descriptor) + 1);
}

static void children_change_places(const struct forged_page *page)
{
    if (has_branch(page, 2)) {
        vs_page_no first = vs_branch_child(page->bytes, 0);
        vs_branch_set_child(page->bytes, 0, vs_branch_child(page->bytes, 1));
        vs_branch_set_child(page->bytes, 1, first);
    }
}

static void child_stands_twice(const struct forged_page *page)
{
    if (has_branch(page, 2)) {
        vs_branch_set_child(page->bytes, 1, vs_branch_child(page->bytes, 0));
    }
}

static void first_child_is_nowhere(const struct forged_page *page)
{
    if (is_branch(page)) {
        vs_branch_set_child(page->bytes, 0, UINT32_MAX - 1);
    }
}

static void last_child_is_nowhere(const struct forged_page *page)
{
    if (is_branch(page)) {
        vs_branch_set_child(page->bytes, vs_page_count(page->bytes) - 1U, UINT32_MAX - 1);
    }
}

static void first_child_is_itself(const struct forged_page *page)
{
    if (is_branch(page)) {
        vs_branch_set_child(page->bytes, 0, page->number);
    }
}

static void count_moves(const struct forged_page *page)
{
    if (has_branch(page, 2) && vs_branch_keys(page->bytes, 0) > 0) {
        vs_branch_set_keys(page->bytes, 0, vs_branch_keys(page->bytes, 0) - 1);
        vs_branch_set_keys(page->bytes, 1, vs_branch_keys(page->bytes, 1) + 1);
    }
}

static void counts_fall(const struct forged_page *page)
{
    for (unsigned i = 0; is_branch(page) && i < vs_page_count(page->bytes); i++) {
        vs_branch_set_keys(page->bytes, i, 0);
    }
}

static void last_count_rises(const struct forged_page *page)
{
    if (is_branch(page)) {
        unsigned last = vs_page_count(page->bytes) - 1U;
        vs_branch_set_keys(page->bytes, last, vs_branch_keys(page->bytes, last) + 3);
    }
}

static void move_separator(const struct forged_page *page, unsigned index, int by)
{
    uint8_t key[VS_PAGE_SIZE_MAX / 4];
    size_t size = vs_branch_separator(page->bytes, index, key);
    if (size > 0) {
        key[size - 1] = (uint8_t)(key[size - 1] + by);
        (void)vs_branch_set_separator(page->bytes, page->size, index, (verso_slice){key, size});
    }
}

static void separators_rise(const struct forged_page *page)
{
    for (unsigned i = is_branch(page) ? vs_page_count(page->bytes) : 0; i-- > 1;) {
        move_separator(page, i, 1);
    }
}

static void separators_sink(const struct forged_page *page)
{
    for (unsigned i = 1; is_branch(page) && i < vs_page_count(page->bytes); i++) {
        move_separator(page, i, -1);
    }
}

static void branch_keeps_one_child(const struct forged_page *page)
{
    while (has_branch(page, 2)) {
        vs_branch_remove(page->bytes, page->size, vs_page_count(page->bytes) - 1U);
    }
}

static void level_is_another(const struct forged_page *page)
{
    if (is_branch(page)) {
        page->bytes[1]++;
    }
}

static void has_died(const struct forged_page *page)
{
    vs_put_le64(page->descriptor + DIED_AT, vs_get_le64(page->descriptor) + 1);
}

static void lives_by_the_other_clock(const struct forged_page *page)
{
    uint32_t kind = vs_get_le32(page->descriptor + KIND_AT);
    vs_put_le32(page->descriptor + KIND_AT, kind ^ VS_CLOCK_HISTORY);
}

void page_becomes_unreadable(const struct forged_page *page)
{
    uint32_t kind = vs_get_le32(page->descriptor + KIND_AT);
    vs_put_le32(page->descriptor + KIND_AT, (kind & VS_CLOCK_HISTORY) | (kind % 3 + 1));
}

static void chain_ends_here(const struct forged_page *page)
{
    if (is_leaf(page)) {
        vs_put_le32(page->descriptor + LINK_AT + 4, 0);
    }
}

static void chain_leads_to_itself(const struct forged_page *page)
{
    if (is_leaf(page)) {
        vs_put_le32(page->descriptor + LINK_AT + 4, page->number);
    }
}

static void chain_leads_to_the_first_leaf(const struct forged_page *page)
{
    if (is_leaf(page)) {
        vs_put_le32(page->descriptor + LINK_AT + 4, page->first_leaf);
    }
}

static void chain_leads_nowhere(const struct forged_page *page)
{
    if (is_leaf(page)) {
        vs_put_le32(page->descriptor + LINK_AT + 4, UINT32_MAX - 1);
    }
}

static void unreadable_it_leads_to_itself(const struct forged_page *page)
{
    chain_leads_to_itself(page);
    page_becomes_unreadable(page);
}

static void link_is_missing(const struct forged_page *page)
{
    for (unsigned i = 0; is_leaf(page) && i < VS_LINKS; i++) {
        vs_put_le64(page->descriptor + LINK_AT + 8 * i, VS_NO_LINK);
    }
}

/* ---- the tables ---- */

const struct page_forgery page_forgeries[] = {
    {"its first key sinks", first_key_sinks},
    {"its last key rises", last_key_rises},
    {"it loses a cell", leaf_loses_a_cell},
    {"it loses all but one", leaf_loses_all_but_one},
    {"it loses all cells", leaf_loses_all_cells},
    {"each value changes", each_value_changes},
    {"each value shortens", each_value_shortens},
    {"a dropped tree has a short record", dropped_tree_has_a_short_record},
    {"a dropped tree is nearly gone", dropped_tree_is_nearly_gone},
    {"long values shorten", runs_shorten},
    {"long values cannot be", runs_cannot_be},
    {"long values lie nowhere", runs_lie_nowhere},
    {"long values lie in it", runs_lie_in_this_page},
    {"it is born late", is_born_late},
    {"children change places", children_change_places},
    {"a child stands twice", child_stands_twice},
    {"its first child is nowhere", first_child_is_nowhere},
    {"its last child is nowhere", last_child_is_nowhere},
    {"a child is itself", first_child_is_itself},
    {"a count moves", count_moves},
    {"counts fall", counts_fall},
    {"a count rises", last_count_rises},
    {"separators rise", separators_rise},
    {"separators sink", separators_sink},
    {"it keeps one child", branch_keeps_one_child},
    {"its level is another", level_is_another},
    {"it has died", has_died},
    {"it lives by the other clock", lives_by_the_other_clock},
    {"it is of another kind", page_becomes_unreadable},
    {"the chain ends there", chain_ends_here},
    {"the chain leads to itself", chain_leads_to_itself},
    {"its link is missing", link_is_missing},
};

const size_t page_forgery_count = sizeof page_forgeries / sizeof page_forgeries[0];

const struct page_forgery chain_forgeries[] = {
    {"it cannot be read either", page_becomes_unreadable},
    {"its keys sink", first_key_sinks},
    {"the chain ends there", chain_ends_here},
    {"the chain leads to itself", chain_leads_to_itself},
    {"unreadable, it leads to itself", unreadable_it_leads_to_itself},
    {"the chain leads to the first leaf", chain_leads_to_the_first_leaf},
    {"the chain leads nowhere", chain_leads_nowhere},
    {"its link is missing", link_is_missing},
    {"its first child is nowhere", first_child_is_nowhere},
};
const size_t chain_forgery_count = sizeof chain_forgeries / sizeof chain_forgeries[0];
