/*
 * store_searching.c - what a search finds lies on the right side of what was asked for, and in a
 * sound store it finds what the scan has met.
 */
#include "store_searching.h"

#include <string.h>

#include "verdict.h"

enum { PART_MAX = 64, SHARES = 3 };

static int compare(verso_slice a, verso_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static bool is_on_its_side(verso_seek how, int order)
{
    switch (how) {
    case VERSO_SEEK_LT:
        return order < 0;
    case VERSO_SEEK_LE:
        return order <= 0;
    case VERSO_SEEK_EQ:
        return order == 0;
    case VERSO_SEEK_GE:
        return order >= 0;
    case VERSO_SEEK_GT:
        return order > 0;
    }
    return false;
}

/* Of all ways to seek a key that is there, two may find nothing: it may be the first, or the last. */
static void seek(verso_cursor *cursor, const verso_entry *entry, verso_seek how, bool sound)
{
    verso_entry found;
    bool may_miss = how == VERSO_SEEK_LT || how == VERSO_SEEK_GT;
    if (!verdict_read(verso_cursor_seek(cursor, how, entry->key, &found), sound, "a seek fails")) {
        verdict_require(!sound || may_miss, "a seek misses a key that a scan has met");
        return;
    }
    int order = compare(found.key, entry->key);
    verdict_require(is_on_its_side(how, order), "a seek lands on the wrong side");
    verdict_require(!sound || may_miss || order == 0, "a seek passes over its key");
    (void)verdict_read(verso_cursor_current(cursor, &found), sound, "what a seek found is gone");
}

static void read_part(verso_view *view, const verso_entry *entry, bool sound)
{
    uint8_t part[PART_MAX];
    size_t copied = 0;
    size_t from = entry->value.size / 3;
    verso_err err = verso_read(view, entry->key, from, part, sizeof part, &copied);
    if (verdict_read(err, sound, "a part of a value") && sound) {
        size_t left = entry->value.size - from;
        verdict_require(copied == (left < sizeof part ? left : sizeof part), "a part's size");
        const uint8_t *bytes = entry->value.data;
        verdict_require(copied == 0 || memcmp(part, bytes + from, copied) == 0, "a part's bytes");
    }
}

void store_search_entry(verso_view *view, const verso_entry *entry, bool sound)
{
    verso_cursor *cursor = NULL;
    if (!verdict_read(verso_cursor_open(view, NULL, &cursor), sound, "no cursor for a seek")) {
        return;
    }
    for (verso_seek how = VERSO_SEEK_LT; how <= VERSO_SEEK_GT; how++) {
        seek(cursor, entry, how, sound);
    }
    verso_cursor_close(cursor);
    read_part(view, entry, sound);
}

static uint64_t count_share(verso_view *view, const verso_range *range, uint64_t share, bool sound)
{
    verso_cursor *cursor = NULL;
    verso_entry entry;
    uint64_t count = 0;
    verso_err err = verso_cursor_open_share(view, range, SHARES, share, &cursor);
    if (!verdict_read(err, sound, "no share")) {
        return 0;
    }
    while (verdict_read(verso_cursor_previous(cursor, &entry), sound, "a share's scan")) {
        verdict_require(compare(range->from, entry.key) <= 0, "a key before its range");
        count++;
    }
    verso_cursor_close(cursor);
    return count;
}

void store_search_ranges(verso_view *view, verso_slice from, uint64_t keys, bool sound)
{
    verso_range range = {.size = sizeof range, .has_from = true, .from = from};
    verso_entry entry;
    uint64_t counted = 0;
    uint64_t shared = 0;
    verso_err err = verso_random(view, NULL, keys * 7, &entry);
    if (!verdict_read(err, sound, "no random entry")) {
        verdict_require(!sound || keys == 0, "no entry among some");
    }
    (void)verdict_read(verso_count(view, &range, &counted), sound, "a range cannot be counted");
    for (uint64_t share = 0; share < SHARES; share++) {
        shared += count_share(view, &range, share, sound);
    }
    verdict_require(!sound || shared == counted, "shares are not the whole");
}
