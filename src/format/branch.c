/*
 * branch.c - search a branch and read its children. The layout is drawn in branch_layout.h.
 *
 * The child that holds a key is the last one whose separator is not above it: the upper bound of
 * the key's head, less one. Only where the heads are equal are separators themselves compared.
 */
#include "format/branch.h"

#include "format/branch_layout.h"
#include "format/head_search.h"

/** A key less the branch's prefix. */
struct search_key {
    const uint8_t *suffix;
    size_t size;
    uint32_t head;
};

/** Whether separator `i`, whose head equals the key's, is above the key. */
static bool is_above(const uint8_t *page, const struct branch_layout *at, unsigned i,
                     struct search_key key)
{
    if (i == 0) {
        return false; /* minus infinity */
    }
    struct branch_suffix separator = branch_suffix(page, at, i);
    size_t shorter = separator.size < key.size ? separator.size : key.size;
    if (shorter > VS_HEAD_SIZE) {
        assert(separator.rest != NULL);
        int order = memcmp(separator.rest, key.suffix + VS_HEAD_SIZE, shorter - VS_HEAD_SIZE);
        if (order != 0) {
            return order > 0;
        }
    }
    return separator.size > key.size;
}

/**
 * The child of a key among `upper` separators with heads at or below its own. A run of equal heads
 * is halved: keys that share heads in long runs must not make a search linear.
 */
static unsigned child_below(const uint8_t *page, const struct branch_layout *at, unsigned upper,
                            struct search_key key)
{
    unsigned last = upper - 1; /* head[0] = 0 is below everything: upper >= 1 */
    if (branch_head(page, at, last) != key.head || !is_above(page, at, last, key)) {
        return last;
    }
    unsigned from = vs_head_lower_bound(page + at->heads_at, last, key.head);
    unsigned to = last;
    while (from < to) {
        unsigned middle = from + (to - from) / 2;
        if (is_above(page, at, middle, key)) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return from - 1; /* from >= 1: separator 0 is never above */
}

/** Take off the prefix. @return false if the key does not begin with it; *child is then its
 * child. */
static bool strip_prefix(const uint8_t *page, const struct branch_layout *at, verso_slice key,
                         struct search_key *stripped, unsigned *child)
{
    if (at->prefix_size != 0) {
        int order = vs_prefix_order(page + at->prefix_at, at->prefix_size, key);
        if (order != 0) {
            *child = order < 0 ? at->count - 1 : 0;
            return false;
        }
    }
    stripped->suffix = vs_key_after(key, at->prefix_size);
    stripped->size = key.size - at->prefix_size;
    stripped->head = vs_head(stripped->suffix, stripped->size);
    return true;
}

unsigned vs_branch_find(const uint8_t *page, verso_slice key)
{
    struct branch_layout at = branch_layout(page);
    struct search_key stripped;
    unsigned child;
    if (!strip_prefix(page, &at, key, &stripped, &child)) {
        return child;
    }
    const uint8_t *heads = page + at.heads_at;
    unsigned from = 0;
    unsigned window = at.count;
    if (at.step != 0) {
        unsigned hints = (at.count + at.step - 1) / at.step;
        from = (vs_head_upper_bound(page + BRANCH_HINTS_AT, hints, stripped.head) - 1) * at.step;
        window = at.count - from < at.step ? at.count - from : at.step;
        heads += (size_t)from * VS_HEAD_SIZE;
    }
    unsigned upper = from + vs_head_upper_bound(heads, window, stripped.head);
    return child_below(page, &at, upper, stripped);
}

unsigned vs_branch_find_wide(const uint8_t *page, verso_slice key)
{
    struct branch_layout at = branch_layout(page);
    struct search_key stripped;
    unsigned child;
    if (!strip_prefix(page, &at, key, &stripped, &child)) {
        return child;
    }
    unsigned upper = vs_head_upper_bound_wide(page + at.heads_at, at.count, stripped.head);
    return child_below(page, &at, upper, stripped);
}

/** Whether separator `i` >= 1 is above the key. */
static bool is_separator_above(const uint8_t *page, const struct branch_layout *at, unsigned i,
                               struct search_key key)
{
    uint32_t head = branch_head(page, at, i);
    return head != key.head ? head > key.head : is_above(page, at, i, key);
}

bool vs_branch_leads_to(const uint8_t *page, unsigned index, verso_slice key)
{
    struct branch_layout at = branch_layout(page);
    struct search_key stripped;
    unsigned child;
    assert(index < at.count);
    if (!strip_prefix(page, &at, key, &stripped, &child)) {
        return child == index;
    }
    return (index == 0 || !is_separator_above(page, &at, index, stripped)) &&
           (index + 1 == at.count || is_separator_above(page, &at, index + 1, stripped));
}

vs_page_no vs_branch_child(const uint8_t *page, unsigned index)
{
    assert(index < vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    return vs_get_le32(page + at.children_at + (size_t)index * BRANCH_CHILD_SIZE);
}

uint64_t vs_branch_keys(const uint8_t *page, unsigned index)
{
    assert(index < vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    return branch_get_keys(page + at.keys_at + index * at.keys_width, at.keys_width);
}

uint64_t vs_branch_keys_before(const uint8_t *page, unsigned index)
{
    assert(index <= vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    const uint8_t *keys = page + at.keys_at;
    uint64_t total = 0;
    if (at.keys_width == 2) {
        for (unsigned i = 0; i < index; i++) {
            total += vs_get_le16(keys + (size_t)i * 2);
        }
        return total;
    }
    for (unsigned i = 0; i < index; i++) {
        total += branch_get_keys(keys + i * at.keys_width, at.keys_width);
    }
    return total;
}

uint64_t vs_branch_total(const uint8_t *page)
{
    return vs_branch_keys_before(page, vs_page_count(page));
}

unsigned vs_branch_find_rank(const uint8_t *page, uint64_t *rank)
{
    struct branch_layout at = branch_layout(page);
    const uint8_t *keys = page + at.keys_at;
    for (unsigned i = 0; i < at.count; i++, keys += at.keys_width) {
        uint64_t below = branch_get_keys(keys, at.keys_width);
        if (*rank < below) {
            return i;
        }
        *rank -= below;
    }
    return at.count;
}

void vs_branch_set_child(uint8_t *page, unsigned index, vs_page_no child)
{
    assert(index < vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    vs_put_le32(page + at.children_at + (size_t)index * BRANCH_CHILD_SIZE, child);
}

void vs_branch_set_keys(uint8_t *page, unsigned index, uint64_t keys)
{
    assert(index < vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    branch_put_keys(page + at.keys_at + index * at.keys_width, at.keys_width, keys);
}

size_t vs_branch_separator(const uint8_t *page, unsigned index, uint8_t *buffer)
{
    assert(index >= 1);
    assert(index < vs_page_count(page));
    struct branch_layout at = branch_layout(page);
    struct branch_suffix suffix = branch_suffix(page, &at, index);
    memcpy(buffer, page + at.prefix_at, at.prefix_size);
    vs_head_bytes(suffix.head, suffix.size, buffer + at.prefix_size);
    if (suffix.size > VS_HEAD_SIZE) {
        memcpy(buffer + at.prefix_size + VS_HEAD_SIZE, suffix.rest, vs_rest_size(suffix.size));
    }
    return at.prefix_size + suffix.size;
}

bool vs_branch_is_underfull(const uint8_t *page, size_t page_size)
{
    struct branch_layout at = branch_layout(page);
    size_t cells = page_size - branch_cell_top(page) - branch_dead(page);
    size_t entries = at.count * branch_entry_size(vs_page_level(page));
    size_t used = at.heads_at - at.prefix_at + entries + cells;
    return used < (page_size - BRANCH_HINTS_AT) / 4;
}
