/*
 * range_scan.c - walk a range in both directions, seek in it, and fetch many entries at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include <verso.h>

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

static void print_entry(const verso_entry *entry)
{
    printf(" %.*s=%.*s", (int)entry->key.size, (const char *)entry->key.data,
           (int)entry->value.size, (const char *)entry->value.data);
}

/** Entries whose keys ascend are put in one call; each leaf is visited once. */
static void fill(verso_store *store)
{
    const verso_entry fruits[] = {
        {verso_text("apple"), verso_text("1")},    {verso_text("banana"), verso_text("2")},
        {verso_text("bilberry"), verso_text("3")}, {verso_text("blackberry"), verso_text("4")},
        {verso_text("cherry"), verso_text("5")},
    };
    verso_txn *txn = NULL;
    must(verso_begin(store, &txn));
    must(verso_put_sorted(txn, fruits, sizeof fruits / sizeof fruits[0]));
    must(verso_commit(txn, NULL, NULL));
}

static void print_prefix_backwards(verso_view *view, const char *prefix)
{
    verso_range range = {.size = sizeof range, .has_prefix = true, .prefix = verso_text(prefix)};
    verso_cursor *cursor = NULL;
    verso_entry entry;
    verso_err err;
    must(verso_cursor_open(view, &range, &cursor));
    printf("%s*, backwards:", prefix);
    while ((err = verso_cursor_previous(cursor, &entry)) == VERSO_OK) {
        print_entry(&entry);
    }
    if (err != VERSO_NOT_FOUND) { /* the end of the range is no error, all else is */
        must(err);
    }
    printf("\n");
    verso_cursor_close(cursor);
}

static void print_from_to(verso_view *view, const char *from, const char *to)
{
    verso_range range = {.size = sizeof range,
                         .has_from = true,
                         .from = verso_text(from),
                         .has_to = true,
                         .to = verso_text(to)};
    verso_cursor *cursor = NULL;
    verso_entry entries[16];
    size_t count = 0;
    must(verso_cursor_open(view, &range, &cursor));
    must(verso_cursor_batch(cursor, entries, 16, &count));
    printf("from %s to before %s:", from, to);
    for (size_t i = 0; i < count; i++) {
        print_entry(&entries[i]);
    }
    printf("\n");
    verso_cursor_close(cursor);
}

static void print_last_below(verso_view *view, const char *key)
{
    verso_cursor *cursor = NULL;
    verso_entry entry;
    must(verso_cursor_open(view, NULL, &cursor));
    must(verso_cursor_seek(cursor, VERSO_SEEK_LT, verso_text(key), &entry));
    printf("last below %s:", key);
    print_entry(&entry);
    printf("\n");
    verso_cursor_close(cursor);
}

int main(void)
{
    verso_store *store = NULL;
    verso_view *view = NULL;
    must(verso_open(NULL, NULL, &store)); /* no path: a store in memory */
    fill(store);
    must(verso_view_open(store, &view));
    print_prefix_backwards(view, "b");
    print_from_to(view, "banana", "blackberry");
    print_last_below(view, "c");
    verso_view_close(view);
    must(verso_close(store));
    return 0;
}
