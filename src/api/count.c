/*
 * count.c - counting, ranks and shares of a range: what the key counts in branches answer.
 */
#include "tree/count.h"

#include <string.h>

#include "api/handles.h"
#include "api/range.h"
#include "format/key_order.h"
#include "os/fault.h"

__extension__ typedef unsigned __int128 u128;

/** A range of a view in ranks: the keys [first, first + count). */
struct ranked {
    uint64_t first;
    uint64_t count;
};

/** Read a caller's range and find its ranks. */
static verso_err rank_range(verso_view *view, const verso_range *given, struct ranked *ranked)
{
    struct vs_range range;
    verso_err err = vs_range_read(given, &range);
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_tree_view *tree = vs_view_tree(view);
    ranked->first = 0;
    if (range.keys.has_from) {
        err = vs_tree_rank(tree, range.keys.from, &ranked->first);
    }
    if (err == VERSO_OK) {
        err = vs_tree_count(tree, &range.keys, &ranked->count);
    }
    vs_range_clear(&range);
    return err;
}

verso_err verso_count(verso_view *view, const verso_range *given, uint64_t *count)
{
    verso_err err = vs_view_check_arguments(view, count);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_range range;
    err = vs_range_read(given, &range);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_tree_count(vs_view_tree(view), &range.keys, count);
    vs_range_clear(&range);
    return err;
}

verso_err verso_rank(verso_view *view, verso_slice key, uint64_t *rank)
{
    verso_err err = vs_view_check_arguments(view, rank);
    if (err == VERSO_OK && !vs_slice_is_sound(key)) {
        err = vs_fault(VERSO_INVALID, "the key has a size but no data");
    }
    return err == VERSO_OK ? vs_tree_rank(vs_view_tree(view), key, rank) : err;
}

/** A key that the counts have led to must lie in the range, or they contradict the keys. */
static verso_err check_within(const verso_range *given, verso_slice key)
{
    struct vs_range range;
    verso_err err = vs_range_read(given, &range);
    if (err != VERSO_OK) {
        return err;
    }
    bool is_within = (!range.keys.has_from || vs_key_compare(range.keys.from, key) <= 0) &&
                     (!range.keys.has_to || vs_key_compare(key, range.keys.to) < 0);
    vs_range_clear(&range);
    return is_within ? VERSO_OK
                     : vs_fault_text(VERSO_CORRUPT, "the counts lead to a key out of the range");
}

/** Hand out the entry with `n` entries before it, which is there. */
static verso_err entry_at(verso_view *view, uint64_t n, verso_entry *entry)
{
    struct vs_tree_cursor *probe;
    verso_err err = vs_view_probe(view, &probe);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry found;
    err = vs_tree_cursor_nth(probe, n, &found);
    if (err != VERSO_OK) {
        return err;
    }
    entry->key = found.key;
    return vs_view_value(view, &found.value, &entry->value);
}

verso_err verso_nth(verso_view *view, uint64_t n, verso_entry *entry)
{
    verso_err err = vs_view_check_arguments(view, entry);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t keys = vs_view_tree(view)->root.keys;
    if (n >= keys) {
        return vs_fault(VERSO_NOT_FOUND, "no entry %llu: there are %llu", (unsigned long long)n,
                        (unsigned long long)keys);
    }
    return entry_at(view, n, entry);
}

verso_err verso_random(verso_view *view, const verso_range *given, uint64_t random,
                       verso_entry *entry)
{
    verso_err err = vs_view_check_arguments(view, entry);
    struct ranked ranked;
    if (err == VERSO_OK) {
        err = rank_range(view, given, &ranked);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (ranked.count == 0) {
        return vs_fault_text(VERSO_NOT_FOUND, "the range is empty");
    }
    uint64_t place = (uint64_t)((u128)random * ranked.count >> 64);
    verso_entry found;
    err = entry_at(view, ranked.first + place, &found);
    if (err == VERSO_OK) {
        err = check_within(given, found.key);
    }
    if (err == VERSO_OK) {
        *entry = found;
    }
    return err;
}

/* ---- shares ---- */

/** The key at which share `share` of the range begins, in `buffer` (VS_PAGE_SIZE_MAX / 4 bytes). */
static verso_err share_begin(verso_view *view, const verso_range *given,
                             const struct ranked *ranked, uint64_t shares, uint64_t share,
                             uint8_t *buffer, verso_slice *key)
{
    uint64_t before = (uint64_t)((u128)ranked->count * share / shares);
    struct vs_path path;
    verso_err err = vs_path_to_rank(vs_view_tree(view), ranked->first + before, &path);
    if (err == VERSO_OK) {
        const struct vs_path_step *leaf = &path.level[0];
        *key = (verso_slice){buffer, vs_leaf_key(leaf->bytes, leaf->index, buffer)};
        err = check_within(given, *key);
    }
    return err;
}

/** Narrow a caller's range, which is not empty, to a share of it. The first share keeps the range's
 *  lower bound and the last one its upper bound, so that the shares make up the whole range. */
static verso_err open_narrowed(verso_view *view, const verso_range *given,
                               const struct ranked *ranked, uint64_t shares, uint64_t share,
                               verso_cursor **cursor)
{
    uint8_t from[VS_PAGE_SIZE_MAX / 4];
    uint8_t to[VS_PAGE_SIZE_MAX / 4];
    verso_range range = *given;
    verso_err err = VERSO_OK;
    if (share > 0) {
        range.has_from = true;
        range.from_exclusive = false;
        err = share_begin(view, given, ranked, shares, share, from, &range.from);
    }
    if (err == VERSO_OK && share + 1 < shares) {
        range.has_to = true;
        range.to_inclusive = false;
        err = share_begin(view, given, ranked, shares, share + 1, to, &range.to);
    }
    return err == VERSO_OK ? verso_cursor_open(view, &range, cursor) : err;
}

verso_err verso_cursor_open_share(verso_view *view, const verso_range *given, uint64_t shares,
                                  uint64_t share, verso_cursor **cursor)
{
    verso_err err = vs_view_check_arguments(view, cursor);
    if (err == VERSO_OK && share >= shares) {
        err = vs_fault(VERSO_INVALID, "share %llu of %llu: they are numbered from 0",
                       (unsigned long long)share, (unsigned long long)shares);
    }
    struct ranked ranked;
    if (err == VERSO_OK) {
        err = rank_range(view, given, &ranked);
    }
    if (err != VERSO_OK) {
        return err;
    }
    verso_range range = {.size = sizeof range};
    if (given != NULL) {
        memcpy(&range, given, sizeof range);
        range.size = sizeof range;
    }
    return ranked.count == 0 ? verso_cursor_open(view, &range, cursor)
                             : open_narrowed(view, &range, &ranked, shares, share, cursor);
}
