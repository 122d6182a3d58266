/*
 * page_leaf.c - everything that the engine does with a leaf, on one that came from outside.
 */
#include <stdlib.h>
#include <string.h>

#include "format/leaf.h"
#include "page_script.h"
#include "verdict.h"

enum { CELLS_MAX = PAGE_BYTES_MAX / 8 + 1 };

/* ---- reading ---- */

static void read_cell(const uint8_t *page, size_t page_size, unsigned index, uint8_t *key,
                      size_t *size)
{
    static uint8_t entry[SCRIPT_KEY_MAX];
    unsigned found = 0;
    struct vs_payload payload;
    *size = vs_leaf_key(page, index, key);
    verdict_require(*size <= vs_leaf_key_max(page_size), "a key longer than allowed");
    verdict_require(vs_leaf_key_size(page, index) == *size, "two sizes of a key");
    verdict_require(vs_leaf_find(page, (verso_slice){key, *size}, &found) && found == index,
                    "a leaf's key is not found where it stands");
    verdict_require(vs_leaf_compare(page, index, (verso_slice){key, *size}) == 0,
                    "a key is not itself");
    (void)vs_leaf_prefix(page, entry);
    verdict_require(vs_leaf_entry(page, index, entry, &payload) == *size &&
                        memcmp(entry, key, *size) == 0,
                    "a scan gives another key");
    verdict_require(payload.size <= vs_leaf_payload_max(page_size, *size),
                    "a payload longer than allowed");
    verdict_require(payload.bytes >= page && payload.bytes + payload.size <= page + page_size,
                    "a payload lies outside of its page");
}

static void read_all(const uint8_t *page, size_t page_size)
{
    static uint8_t keys[2][SCRIPT_KEY_MAX];
    static uint8_t separator[SCRIPT_KEY_MAX];
    size_t sizes[2] = {0, 0};
    unsigned count = vs_page_count(page);
    for (unsigned i = 0; i < count; i++) {
        read_cell(page, page_size, i, keys[i % 2], &sizes[i % 2]);
        if (i == 0) {
            continue;
        }
        verso_slice low = {keys[1 - i % 2], sizes[1 - i % 2]};
        verso_slice high = {keys[i % 2], sizes[i % 2]};
        verdict_require(script_compare(low, high) < 0, "a leaf's keys do not ascend");
        struct vs_leaf_cell cells[2] = {{.page = page, .index = i - 1}, {.page = page, .index = i}};
        verso_slice cut = {separator, vs_leaf_separator(&cells[0], &cells[1], separator)};
        verdict_require(script_compare(low, cut) < 0 && script_compare(cut, high) <= 0,
                        "a separator does not separate");
    }
    verdict_require(vs_leaf_used(page, page_size) <= page_size, "a leaf uses more than its page");
    (void)vs_leaf_is_underfull(page, page_size);
}

/* ---- editing ---- */

static verso_slice some_key(struct page_script *script, const uint8_t *page, size_t page_size)
{
    unsigned count = vs_page_count(page);
    size_t size = 0;
    if (count > 0) {
        size = vs_leaf_key(page, (unsigned)script_below(script, count), script->key);
    }
    return script_near(script, size, vs_leaf_key_max(page_size));
}

static struct vs_payload some_payload(struct page_script *script, size_t page_size, size_t key_size)
{
    static const uint8_t bytes[PAGE_BYTES_MAX] = {1, 2, 3};
    size_t most = vs_leaf_payload_max(page_size, key_size);
    size_t size = script_below(script, 3) == 0 ? most : script_below(script, most + 1);
    return (struct vs_payload){script_below(script, 4) == 0, (uint16_t)size, bytes};
}

static void require_cell(const uint8_t *page, verso_slice key, struct vs_payload payload)
{
    unsigned index = 0;
    verdict_require(vs_leaf_find(page, key, &index), "a key is not there after its change");
    struct vs_payload found = vs_leaf_payload(page, index);
    verdict_require(found.is_run == payload.is_run && found.size == payload.size &&
                        memcmp(found.bytes, payload.bytes, payload.size) == 0,
                    "a payload is another after its change");
}

static void edit(uint8_t *page, size_t page_size, struct page_script *script)
{
    static uint8_t before[PAGE_BYTES_MAX];
    unsigned index = 0;
    unsigned count = vs_page_count(page);
    verso_slice key = some_key(script, page, page_size);
    bool is_there = vs_leaf_find(page, key, &index);
    struct vs_payload payload = some_payload(script, page_size, key.size);
    memcpy(before, page, page_size);
    if (is_there && script_below(script, 2) == 0) {
        vs_leaf_remove(page, page_size, index);
        verdict_require(!vs_leaf_find(page, key, &index), "a key is there after its removal");
        verdict_require(vs_page_count(page) == count - 1, "a removal of more or less than one");
    } else if (is_there ? vs_leaf_replace(page, page_size, index, payload)
                        : vs_leaf_insert(page, page_size, index, key, payload)) {
        require_cell(page, key, payload);
        verdict_require(vs_page_count(page) == count + !is_there, "a change of more than one");
    } else {
        verdict_require(memcmp(before, page, page_size) == 0,
                        "what did not fit has changed the page");
    }
    verdict_require(vs_leaf_check(page, page_size) == NULL, "a changed leaf is not sound");
}

/* ---- writing anew ---- */

static void require_same_cells(const uint8_t *page, const struct vs_leaf_cell *cells)
{
    static uint8_t keys[2][SCRIPT_KEY_MAX];
    for (unsigned i = 0; i < vs_page_count(page); i++) {
        size_t size = vs_leaf_key(page, i, keys[0]);
        verso_slice key = cells[i].key;
        struct vs_payload payload = cells[i].payload;
        if (cells[i].page != NULL) {
            key = (verso_slice){keys[1], vs_leaf_key(cells[i].page, cells[i].index, keys[1])};
            payload = vs_leaf_payload(cells[i].page, cells[i].index);
        }
        struct vs_payload found = vs_leaf_payload(page, i);
        verdict_require(script_compare((verso_slice){keys[0], size}, key) == 0,
                        "a key is another, written anew");
        verdict_require(found.is_run == payload.is_run && found.size == payload.size &&
                            memcmp(found.bytes, payload.bytes, found.size) == 0,
                        "a payload is another, written anew");
    }
}

static void write_part(uint8_t *to, size_t page_size, const struct vs_leaf_cell *cells,
                       unsigned count)
{
    verdict_require(vs_leaf_encoded_size(cells, count) <= page_size,
                    "a part of a leaf does not fit");
    vs_leaf_encode(to, page_size, 7, cells, count);
    verdict_require(vs_leaf_check(to, page_size) == NULL, "a leaf written anew is not sound");
    verdict_require(vs_page_count(to) == count, "a leaf written anew has another count");
    require_same_cells(to, cells);
}

/* One cell more than the page has, over one page or two: what an insert does that does not fit. */
static void cut(const uint8_t *page, uint8_t *to, size_t page_size, struct page_script *script)
{
    static struct vs_leaf_cell cells[CELLS_MAX + 1];
    unsigned index = 0;
    verso_slice key = some_key(script, page, page_size);
    bool replace = vs_leaf_find(page, key, &index);
    struct vs_leaf_cell put = {.key = key, .payload = some_payload(script, page_size, key.size)};
    unsigned count = vs_leaf_gather(page, NULL, &put, index, replace, cells);
    if (vs_leaf_encoded_size(cells, count) <= page_size) {
        write_part(to, page_size, cells, count);
        return;
    }
    bool append = index + 1 == count && script_below(script, 2) == 0;
    unsigned left = vs_leaf_split_point(cells, count, page_size, append);
    verdict_require(left >= 1 && left < count, "a cut leaves a side empty");
    write_part(to, page_size, cells, left);
    write_part(to, page_size, cells + left, count - left);
}

void page_use_leaf(const uint8_t *page, size_t page_size, struct page_script *script)
{
    uint8_t *copy = malloc(page_size); /* on the heap, so that a sanitiser sees its ends */
    uint8_t *to = malloc(page_size);
    if (copy == NULL || to == NULL) {
        abort();
    }
    memcpy(copy, page, page_size);
    read_all(copy, page_size);
    cut(copy, to, page_size, script);
    for (unsigned i = 0; i < SCRIPT_EDITS; i++) {
        edit(copy, page_size, script);
    }
    read_all(copy, page_size);
    cut(copy, to, page_size, script);
    free(to);
    free(copy);
}
