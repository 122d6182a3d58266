/*
 * store_mutation.c - one small change each: of a meta, a table, a page's header, a page's inside.
 *
 * Most numbers in a store are compared with others, so most changes make one number another that
 * the file has already, or one near it.
 */
#include "store_mutation.h"

#include <stdbool.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/descriptor.h"
#include "format/layout.h"
#include "format/leaf.h"
#include "fuzz_target.h"
#include "store_repair.h"

enum {
    CHANGES_MAX = 4,
    UNREPAIRED_ONE_IN = 64,
    META_TOPS_AT = 256,
    RUN_MAX = 64, /* bytes moved within a page */
};

struct mutation {
    uint8_t *file;
    size_t size;
    size_t capacity;
    size_t page_size;
    struct simulated_random random;
};

static uint64_t below(struct mutation *mutation, uint64_t bound)
{
    return simulated_random_below(&mutation->random, bound);
}

/* ---- numbers ---- */

uint64_t mutation_number(struct simulated_random *random, uint64_t before)
{
    switch (simulated_random_below(random, 8)) {
    case 0:
        return simulated_random_below(random, 8);
    case 1:
        return UINT64_MAX - simulated_random_below(random, 4);
    case 2:
        return (UINT64_C(1) << simulated_random_below(random, 64)) -
               simulated_random_below(random, 2);
    case 3:
        return before + 1 + simulated_random_below(random, 8);
    case 4:
        return before - 1 - simulated_random_below(random, 8);
    case 5:
        return before ^ UINT64_C(1) << simulated_random_below(random, 64);
    case 6:
        return simulated_random_below(random, 256);
    default:
        return simulated_random_next(random);
    }
}

static uint64_t get_number(const uint8_t *at, unsigned width)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < width; i++) {
        number |= (uint64_t)at[i] << (8 * i);
    }
    return number;
}

static void put_number(uint8_t *at, unsigned width, uint64_t number)
{
    for (unsigned i = 0; i < width; i++) {
        at[i] = (uint8_t)(number >> (8 * i));
    }
}

void mutation_of_number(struct simulated_random *random, uint8_t *at, unsigned width)
{
    uint64_t before = get_number(at, width);
    uint64_t number = mutation_number(random, before);
    if (number % 16 == 5 && width < 8) { /* flips above its width would do nothing */
        number = before ^ 1u << simulated_random_below(random, 8 * width);
    }
    put_number(at, width, number);
}

/* ---- places ---- */

/* A page that may be a tree's, more often a low one. */
static uint8_t *some_page(struct mutation *mutation)
{
    size_t pages = mutation->size / mutation->page_size;
    for (unsigned attempt = 0; attempt < 32; attempt++) {
        size_t page = (size_t)below(mutation, pages);
        uint8_t *bytes = mutation->file + page * mutation->page_size;
        bool is_reserved = vs_layout_is_reserved(mutation->page_size, (vs_page_no)page);
        if (!is_reserved && (bytes[0] == VS_KIND_LEAF || bytes[0] == VS_KIND_BRANCH)) {
            return bytes;
        }
    }
    return mutation->file + (size_t)below(mutation, pages) * mutation->page_size;
}

/* A descriptor that is in use, in one of the copies. NULL: the file has no such. */
static uint8_t *some_descriptor(struct mutation *mutation)
{
    size_t blocks = mutation->size / mutation->page_size / VS_BLOCK_PAGES + 1;
    for (unsigned attempt = 0; attempt < 64; attempt++) {
        uint32_t block = (uint32_t)below(mutation, blocks);
        unsigned copy = (unsigned)below(mutation, 2);
        uint64_t at = vs_layout_block_at(mutation->page_size, block, copy) +
                      below(mutation, VS_BLOCK_PAGES) * VS_DESCRIPTOR_SIZE;
        if (at + VS_DESCRIPTOR_SIZE <= mutation->size &&
            vs_get_le64(mutation->file + at + 16) != 0) {
            return mutation->file + at;
        }
    }
    return NULL;
}

/* ---- changes ---- */

struct field {
    uint16_t at;
    uint16_t width; /* bytes */
};

static void change_meta(struct mutation *mutation)
{
    static const struct field fields[] = {
        {8, 4},    {12, 4},   {16, 4},   {20, 4},   {40, 8},   {48, 8},   {56, 8},
        {64, 4},   {68, 4},   {72, 8},   {80, 4},   {84, 4},   {88, 8},   {96, 8},
        {104, 8},  {112, 2},  {114, 2},  {116, 4},  {120, 4},  {124, 8},  {144, 8},
        {152, 4},  {156, 4},  {160, 4},  {164, 4},  {168, 8},  {176, 8},  {184, 8},
        {256, 8},  {264, 8},  {256, 8},  {260, 4},  {2304, 4}, {2308, 4}, {2312, 4},
        {2316, 8}, {2324, 8}, {2332, 4}, {2340, 8}, {2348, 8}, {2356, 8}};
    struct field field = fields[below(mutation, sizeof fields / sizeof fields[0])];
    size_t metas[] = {0, VS_META_B_AT};
    size_t first = (size_t)below(mutation, 2);
    if (metas[first] + VS_PART_BYTES > mutation->size) {
        return;
    }
    mutation_of_number(&mutation->random, mutation->file + metas[first] + field.at, field.width);
    if (below(mutation, 4) > 0 && VS_META_B_AT + VS_PART_BYTES <= mutation->size) {
        memcpy(mutation->file + metas[1 - first] + field.at,
               mutation->file + metas[first] + field.at, field.width);
    }
}

static void change_descriptor(struct mutation *mutation)
{
    static const struct field fields[] = {{0, 8},  {8, 8},  {0, 8},  {8, 8},  {20, 4}, {24, 4},
                                          {28, 4}, {24, 8}, {32, 4}, {36, 4}, {40, 8}, {56, 8}};
    uint8_t *descriptor = some_descriptor(mutation);
    const uint8_t *other = some_descriptor(mutation);
    if (descriptor == NULL || other == NULL) {
        return;
    }
    struct field field = fields[below(mutation, sizeof fields / sizeof fields[0])];
    if (below(mutation, 3) == 0) {
        memmove(descriptor + field.at, other + field.at, field.width);
    } else {
        mutation_of_number(&mutation->random, descriptor + field.at, field.width);
    }
}

/* A number of the page's head, where the arrays' sizes and places stand. */
static void change_header(struct mutation *mutation)
{
    static const struct field fields[] = {{0, 1}, {1, 1},  {2, 2},  {4, 2},  {6, 2},
                                          {8, 8}, {16, 4}, {20, 2}, {22, 2}, {20, 4}};
    struct field field = fields[below(mutation, sizeof fields / sizeof fields[0])];
    mutation_of_number(&mutation->random, some_page(mutation) + field.at, field.width);
}

static void change_inside(struct mutation *mutation)
{
    static const unsigned widths[] = {1, 2, 2, 4, 4, 8};
    unsigned width = widths[below(mutation, sizeof widths / sizeof widths[0])];
    uint8_t *page = some_page(mutation);
    size_t at = (size_t)below(mutation, mutation->page_size - width);
    if (below(mutation, 2) == 0) {
        at = at % 128 / 2 * 2; /* the arrays of small pages */
    }
    mutation_of_number(&mutation->random, page + at, width);
}

/* A page's bytes become those of another page, or a part of them does. */
static void copy_bytes(struct mutation *mutation)
{
    uint8_t *to = some_page(mutation);
    const uint8_t *from = some_page(mutation);
    if (below(mutation, 3) == 0) {
        memmove(to, from, mutation->page_size);
        return;
    }
    size_t size = 1 + (size_t)below(mutation, RUN_MAX);
    memmove(to + below(mutation, mutation->page_size - size),
            from + below(mutation, mutation->page_size - size), size);
}

/* The number of a child, somewhere in a branch or a record, becomes that of another page. */
static void redirect(struct mutation *mutation)
{
    uint8_t *page = some_page(mutation);
    uint64_t pages = mutation->size / mutation->page_size;
    for (size_t attempt = 0; attempt < 64; attempt++) {
        size_t at = (size_t)below(mutation, mutation->page_size / 2 - 2) * 2;
        uint32_t number = vs_get_le32(page + at);
        if (number > 0 && number < pages) {
            vs_put_le32(page + at, (uint32_t)below(mutation, pages));
            return;
        }
    }
}

static void change_any_byte(struct mutation *mutation)
{
    mutation->file[below(mutation, mutation->size)] ^= (uint8_t)(1 + below(mutation, 255));
}

static void change_length(struct mutation *mutation)
{
    size_t size = (size_t)below(mutation, mutation->capacity + 1);
    if (size > mutation->size) {
        memset(mutation->file + mutation->size, 0, size - mutation->size);
    }
    mutation->size = size;
}

/* A number in a leaf's payload: of a root, a tag, a tree, a rule of retention, a long value. */
static void change_payload(struct mutation *mutation)
{
    static const unsigned widths[] = {1, 1, 2, 4, 8};
    uint8_t *page = some_page(mutation);
    if (vs_leaf_check(page, mutation->page_size) != NULL || vs_page_count(page) == 0) {
        return;
    }
    unsigned width = widths[below(mutation, sizeof widths / sizeof widths[0])];
    struct vs_payload payload =
        vs_leaf_payload(page, (unsigned)below(mutation, vs_page_count(page)));
    if (payload.size >= width) {
        size_t at = (size_t)(payload.bytes - page) + below(mutation, payload.size - width + 1);
        mutation_of_number(&mutation->random, page + at, width);
    }
}

/* Which copy of a part counts, in the tops, a top page or a directory page: the other one is older,
 * or was never written. */
static void change_entry(struct mutation *mutation)
{
    enum { ENTRIES = 8 /* small files have no more */, COPY_AT = 4 };
    unsigned copy = (unsigned)below(mutation, 2);
    uint64_t places[] = {META_TOPS_AT, VS_META_B_AT + META_TOPS_AT,
                         vs_layout_top_at(mutation->page_size, 0, copy),
                         vs_layout_directory_at(mutation->page_size, 0, copy)};
    uint64_t at = places[below(mutation, sizeof places / sizeof places[0])];
    at += below(mutation, ENTRIES) * sizeof(uint64_t);
    if (at + sizeof(uint64_t) > mutation->size) {
        return;
    }
    if (below(mutation, 8) == 0) {
        mutation_of_number(&mutation->random, mutation->file + at + COPY_AT, 4);
    } else {
        mutation->file[at + COPY_AT] ^= 1;
    }
}

/* What libFuzzer has found to matter in comparisons goes in here. */
static void change_as_driver(struct mutation *mutation)
{
    uint8_t *page = some_page(mutation);
    size_t at = (size_t)below(mutation, mutation->page_size - RUN_MAX);
    (void)LLVMFuzzerMutate(page + at, RUN_MAX, RUN_MAX);
}

static void change_once(struct mutation *mutation)
{
    static void (*const often[])(struct mutation *) = {
        change_meta,    change_descriptor, change_descriptor, change_header,   change_inside,
        change_inside,  copy_bytes,        redirect,          redirect,        change_any_byte,
        change_payload, change_payload,    change_entry,      change_as_driver};
    if (below(mutation, 64) == 0) {
        change_length(mutation);
    } else {
        often[below(mutation, sizeof often / sizeof often[0])](mutation);
    }
}

uint8_t mutation_choices(uint8_t parent, const uint8_t one_in[8], unsigned seed)
{
    struct simulated_random random = {~(uint64_t)seed}; /* not the changes' numbers */
    unsigned choices = 0;
    if (simulated_random_below(&random, 4) == 0) {
        return parent;
    }
    for (unsigned i = 0; i < 8; i++) {
        bool is_set = one_in[i] > 0 && simulated_random_below(&random, one_in[i]) == 0;
        choices |= (unsigned)is_set << i;
    }
    return (uint8_t)choices;
}

size_t store_mutate(uint8_t *file, size_t size, size_t capacity, unsigned seed)
{
    struct mutation mutation = {file, size, capacity, 0, {seed}};
    uint64_t changes = 1 + below(&mutation, CHANGES_MAX);
    for (uint64_t i = 0; i < changes; i++) {
        mutation.page_size = store_page_size(file, mutation.size);
        if (mutation.page_size == 0 || mutation.size < mutation.page_size) {
            break;
        }
        change_once(&mutation);
    }
    if (below(&mutation, UNREPAIRED_ONE_IN) > 0) {
        store_repair(file, mutation.size);
    }
    return mutation.size;
}
