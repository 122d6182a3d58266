/*
 * boundary_sizes_test.c - keys, values, notes and transactions of every size at which something
 * changes, and two bytes to either side: what fits comes back, after a kill and after closing, and
 * what does not is refused by name and changes nothing.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/frame.h"
#include "format/leaf.h"
#include "format/segment.h"
#include "simulated_disk.h"
#include "verso.h"

enum {
    SIZES_MAX = 400,
    SMALL_SEGMENT = 64 * 1024, /* of stores whose pages are below 4 KiB */
    VALUE_MAX = 1 << 30,
    NOTE_MAX = 1024,
};

static const char path[] = "store";

/* One pair a size: its number is the head of the key. */
struct sizes {
    uint32_t page_size;
    size_t key_size; /* of all keys */
    size_t count;
    size_t value_size[SIZES_MAX];
};

static uint8_t key_bytes[65536];
static uint8_t *value_bytes; /* as many as the longest value of a test has */
static size_t value_bytes_size;

/* ---- support ---- */

static verso_slice key_of(const struct sizes *sizes, size_t i)
{
    memset(key_bytes, 'k', sizes->key_size);
    key_bytes[0] = (uint8_t)(i >> 8);
    if (sizes->key_size > 1) {
        key_bytes[sizes->key_size - 1] = (uint8_t)i;
    }
    return (verso_slice){key_bytes, sizes->key_size};
}

static verso_slice value_of(size_t i, size_t size)
{
    if (size > value_bytes_size) {
        free(value_bytes);
        value_bytes = malloc(size);
        cr_assert_not_null(value_bytes);
        value_bytes_size = size;
    }
    for (size_t at = 0; at < size; at++) {
        value_bytes[at] = (uint8_t)(at * 13 + at / 256 + i);
    }
    return (verso_slice){value_bytes, size};
}

static void add_around(struct sizes *sizes, size_t size)
{
    for (size_t at = size < 2 ? 0 : size - 2; at <= size + 2 && sizes->count < SIZES_MAX; at++) {
        sizes->value_size[sizes->count++] = at;
    }
}

static verso_store *open_on(struct simulated_disk *disk, uint32_t page_size)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = page_size;
    options.system = simulated_disk_os(disk);
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "pages of %u: %s", page_size, verso_error_detail());
    return store;
}

static verso_txn *begin(verso_store *store)
{
    verso_txn *txn = NULL;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    return txn;
}

static void put_alone(verso_store *store, const struct sizes *sizes, size_t i)
{
    verso_txn *txn = begin(store);
    verso_err err = verso_put(txn, key_of(sizes, i), value_of(i, sizes->value_size[i]));
    cr_assert_eq(err, VERSO_OK, "pages of %u, key of %zu, value of %zu: %s", sizes->page_size,
                 sizes->key_size, sizes->value_size[i], verso_error_detail());
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
}

static void compare(verso_store *store, const struct sizes *sizes, const char *when)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "%s: %s", when, report.fault);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    for (size_t i = 0; i < sizes->count; i++) {
        verso_slice value;
        verso_slice expected = value_of(i, sizes->value_size[i]);
        verso_err err = verso_get(view, key_of(sizes, i), &value);
        cr_assert(err == VERSO_OK && value.size == expected.size &&
                      (value.size == 0 || memcmp(value.data, expected.data, value.size) == 0),
                  "%s: pages of %u, key of %zu, value of %zu", when, sizes->page_size,
                  sizes->key_size, expected.size);
    }
    verso_view_close(view);
}

/* Kill, recover, compare; then close, open, compare. */
static void compare_everywhere(struct simulated_disk *disk, verso_store *store,
                               const struct sizes *sizes)
{
    compare(store, sizes, "at once");
    struct simulated_disk *left = simulated_disk_crash(disk, 1, SIMULATED_CRASH_ALL_OLD);
    verso_store *recovered = open_on(left, sizes->page_size);
    compare(recovered, sizes, "after a power cut");
    cr_assert_eq(verso_close(recovered), VERSO_OK);
    simulated_disk_close(left);
    cr_assert_eq(verso_close(store), VERSO_OK);
    store = open_on(disk, sizes->page_size);
    compare(store, sizes, "after closing");
    cr_assert_eq(verso_close(store), VERSO_OK);
}

/* Each size in a commit of its own; then each becomes the size that was its neighbour's. */
static void put_all(struct sizes *sizes)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, sizes->page_size);
    for (size_t i = 0; i < sizes->count; i++) {
        put_alone(store, sizes, i);
    }
    size_t first = sizes->value_size[0];
    for (size_t i = 0; i + 1 < sizes->count; i++) {
        sizes->value_size[i] = sizes->value_size[i + 1];
        put_alone(store, sizes, i);
    }
    sizes->value_size[sizes->count - 1] = first;
    put_alone(store, sizes, sizes->count - 1);
    compare_everywhere(disk, store, sizes);
    simulated_disk_close(disk);
}

/* ---- values ---- */

static void sweep_values(uint32_t page_size, size_t key_size)
{
    struct sizes sizes = {.page_size = page_size, .key_size = key_size};
    add_around(&sizes, 2);
    add_around(&sizes, 64);
    add_around(&sizes, vs_leaf_payload_max(page_size, key_size));
    for (size_t pages = 1; pages <= 4; pages++) {
        add_around(&sizes, pages * page_size);
    }
    add_around(&sizes, (size_t)64 * page_size); /* a table block's pages */
    put_all(&sizes);
}

Test(boundary_sizes, values_around_every_bound_of_small_pages)
{
    sweep_values(512, 3);
    sweep_values(512, vs_leaf_key_max(512));
    sweep_values(1024, vs_leaf_key_max(1024) - 1);
}

Test(boundary_sizes, values_around_every_bound_of_usual_pages)
{
    sweep_values(4096, 3);
    sweep_values(4096, vs_leaf_key_max(4096));
}

Test(boundary_sizes, values_around_every_bound_of_the_largest_pages)
{
    struct sizes sizes = {.page_size = 65536, .key_size = vs_leaf_key_max(65536)};
    add_around(&sizes, vs_leaf_payload_max(65536, sizes.key_size));
    add_around(&sizes, 65536);
    put_all(&sizes);
}

/* ---- keys ---- */

static void sweep_keys(uint32_t page_size)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, page_size);
    size_t most = verso_key_size_max(store);
    cr_assert_eq(most, page_size / 4 - 24);
    const size_t fitting[] = {0, 1, 2, 3, 4, 5, 6, most - 2, most - 1, most};
    verso_txn *txn = begin(store);
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        verso_slice key = {memset(key_bytes, 'q', sizeof key_bytes), fitting[i]};
        cr_assert_eq(verso_put(txn, key, value_of(i, i)), VERSO_OK, "key of %zu", fitting[i]);
    }
    for (size_t size = most + 1; size <= most + 2; size++) {
        verso_slice key = {key_bytes, size};
        cr_assert_eq(verso_put(txn, key, verso_text("x")), VERSO_TOO_BIG);
        cr_assert_eq(verso_delete(txn, key), VERSO_NOT_FOUND, "%s", verso_error_detail());
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        verso_slice value;
        cr_assert_eq(verso_get(view, (verso_slice){key_bytes, fitting[i]}, &value), VERSO_OK);
        cr_assert_eq(value.size, i);
    }
    verso_slice value;
    cr_assert_eq(verso_get(view, (verso_slice){key_bytes, most + 1}, &value), VERSO_NOT_FOUND);
    verso_view_close(view);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(boundary_sizes, keys_up_to_the_longest)
{
    for (uint32_t page_size = 512; page_size <= 65536; page_size *= 2) {
        sweep_keys(page_size);
    }
}

/* ---- limits by name ---- */

Test(boundary_sizes, a_value_beyond_the_limit_is_refused_unread)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 4096);
    verso_txn *txn = begin(store);
    const size_t beyond[] = {(size_t)VALUE_MAX + 1, (size_t)VALUE_MAX + 2, UINT32_MAX, SIZE_MAX / 2,
                             SIZE_MAX};
    for (size_t i = 0; i < sizeof beyond / sizeof beyond[0]; i++) {
        verso_slice value = {"few", beyond[i]};
        verso_entry entry = {verso_text("key"), value};
        cr_assert_eq(verso_put(txn, verso_text("key"), value), VERSO_TOO_BIG);
        cr_assert_eq(verso_put_sorted(txn, &entry, 1), VERSO_TOO_BIG);
    }
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

Test(boundary_sizes, notes_up_to_the_longest)
{
    struct simulated_disk *disk = simulated_disk_open(1);
    verso_store *store = open_on(disk, 512);
    for (size_t size = NOTE_MAX - 2; size <= NOTE_MAX + 2; size++) {
        verso_txn *txn = begin(store);
        cr_assert_eq(verso_put(txn, verso_text("key"), value_of(size, 20)), VERSO_OK);
        verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
        verso_view *view = NULL;
        options.note = value_of(3, size);
        options.view = &view;
        verso_err err = verso_commit(txn, &options, NULL);
        cr_assert_eq(err, size <= NOTE_MAX ? VERSO_OK : VERSO_INVALID);
        if (err == VERSO_OK) {
            verso_root_info info = {.size = sizeof info};
            cr_assert_eq(verso_view_info(view, &info), VERSO_OK);
            cr_assert_eq(info.note.size, size);
            verso_view_close(view);
        }
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}

/* ---- the log ---- */

/* A frame that ends just before, at and beyond the end of its segment, and another behind it. */
static void end_frame_near(size_t value_size)
{
    struct sizes sizes = {.page_size = 512, .key_size = 3, .count = 2};
    sizes.value_size[0] = value_size;
    sizes.value_size[1] = 100;
    struct simulated_disk *disk = simulated_disk_open(value_size);
    verso_store *store = open_on(disk, 512);
    put_alone(store, &sizes, 0);
    put_alone(store, &sizes, 1);
    compare_everywhere(disk, store, &sizes);
    simulated_disk_close(disk);
}

Test(boundary_sizes, frames_that_end_around_the_end_of_a_segment)
{
    for (unsigned segments = 1; segments <= 2; segments++) {
        size_t room = segments * (size_t)(SMALL_SEGMENT - VS_SEGMENT_HEADER) - VS_FRAME_HEADER;
        for (size_t less = 0; less <= 64; less += VS_FRAME_STEP) {
            end_frame_near(room - less);
        }
    }
}

Test(boundary_sizes, transactions_around_the_length_of_the_log)
{
    struct sizes sizes = {.page_size = 512, .key_size = 3};
    add_around(&sizes, SMALL_SEGMENT);
    for (size_t i = 0; i < sizes.count; i++) {
        sizes.value_size[i] -= VS_FRAME_HEADER;
    }
    add_around(&sizes, SMALL_SEGMENT);
    add_around(&sizes, (size_t)2 * SMALL_SEGMENT);
    put_all(&sizes);
}
