/*
 * damage_extent_test.c - what one damaged page costs: in each root that has it, the keys that stand
 * on it or below it, and no others; in each root that has it not, nothing. And check names it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "api/handles.h"
#include "format/branch.h"
#include "format/descriptor.h"
#include "format/leaf.h"
#include "simulated_disk.h"
#include "store/page_table.h"

#define PATH "store"

enum {
    PAGE_SIZE = 512,
    KEYS = 600,  /* of the default tree */
    SIDE = 5,    /* behind them: those of a named tree */
    LONG = KEYS, /* the default tree's last key has a long value */
    ALL = KEYS + 1 + SIDE,
    ROOTS = 2,
    LONG_VALUE = 3000,
};

/** Which keys are lost: by number, those of the named tree last. */
struct lost {
    bool key[ALL];
    unsigned count;
};

/** A page as the sound store has it. */
struct page {
    uint64_t born;
    uint64_t died;
    unsigned kind;
    bool is_of_catalogue;
    uint8_t bytes[PAGE_SIZE];
};

static struct simulated_disk *disk;
static struct page page;

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_store *open_store(bool read_only)
{
    verso_store *store;
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_all();
    options.create = !read_only;
    options.read_only = read_only;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    options.system = simulated_disk_os(disk);
    must(verso_open(PATH, &options, &store));
    return store;
}

static verso_slice key_of(unsigned number)
{
    static char text[16];
    (void)snprintf(text, sizeof text, "key %04u", number);
    return verso_text(text);
}

/* The value of a key in a root: the second one has changed some of the keys, in a few leaves. */
static verso_slice value_of(unsigned number, unsigned root)
{
    static uint8_t value[LONG_VALUE];
    bool is_new = root == 2 && number % 100 < 10;
    memset(value, (int)(number + (is_new ? 1 : 0)), sizeof value);
    return (verso_slice){value, number == LONG ? LONG_VALUE : 20};
}

static void commit(verso_store *store, unsigned root)
{
    verso_txn *txn;
    verso_txn *side;
    must(verso_begin(store, &txn));
    must(verso_txn_tree(txn, verso_text("side"), true, &side));
    for (unsigned i = 0; i < ALL; i++) {
        if (root == 1 || (i % 100 < 10 && i != LONG)) {
            must(verso_put(i > LONG ? side : txn, key_of(i), value_of(i, root)));
        }
    }
    must(verso_commit(txn, NULL, NULL));
}

/* ---- what is lost ---- */

static verso_store *store;

static void look_for(verso_view *view, unsigned number, unsigned root, struct lost *lost)
{
    verso_slice value;
    verso_err err = view == NULL ? VERSO_CORRUPT : verso_get(view, key_of(number), &value);
    verso_slice expected = value_of(number, number == LONG ? 1 : root);
    cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "key %u: %s", number, verso_error_detail());
    cr_assert(err != VERSO_OK || (value.size == expected.size &&
                                  memcmp(value.data, expected.data, value.size) == 0),
              "key %u has another value", number);
    lost->key[number] = err != VERSO_OK;
    lost->count += err != VERSO_OK;
}

/* The keys of a root that cannot be read. */
static struct lost find_lost(unsigned root)
{
    struct lost lost = {.count = 0};
    verso_view *view = NULL;
    verso_view *side = NULL;
    verso_err err = root == ROOTS ? verso_view_open(store, &view) /* needs no history */
                                  : verso_view_open_root(store, root, &view);
    cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "root %u: %s", root, verso_error_detail());
    if (view != NULL && verso_view_tree(view, verso_text("side"), &side) != VERSO_OK) {
        side = NULL;
    }
    for (unsigned i = 0; i < ALL; i++) {
        look_for(i > LONG ? side : view, i, root, &lost);
    }
    verso_view_close(view);
    return lost;
}

/* ---- what may be lost ---- */

/* The number of a key; ALL for a name in the catalogue. */
static unsigned number_of(verso_slice key)
{
    char text[16] = "";
    unsigned number = ALL;
    memcpy(text, key.data, key.size < sizeof text ? key.size : sizeof text - 1);
    return sscanf(text, "key %4u", &number) == 1 ? number : ALL;
}

static bool is_in_row(const struct lost *lost)
{
    unsigned changes = 0;
    for (unsigned i = 1; i < ALL; i++) {
        changes += lost->key[i] != lost->key[i - 1];
    }
    return changes <= 2;
}

static bool leaf_has(unsigned number)
{
    for (unsigned i = 0; i < vs_page_count(page.bytes); i++) {
        uint8_t key[PAGE_SIZE];
        if (number_of((verso_slice){key, vs_leaf_key(page.bytes, i, key)}) == number) {
            return true;
        }
    }
    return false;
}

/* Whether exactly that is lost which the page, alive in this root, bears. */
static bool is_its_loss(const struct lost *lost)
{
    if (page.kind == VS_KIND_BRANCH) {
        return is_in_row(lost) &&
               lost->count == vs_branch_keys_before(page.bytes, vs_page_count(page.bytes));
    }
    for (unsigned i = 0; i < ALL; i++) {
        bool expected = page.kind == VS_KIND_RUN ? i == LONG
                        : page.is_of_catalogue   ? i > LONG
                                                 : leaf_has(i);
        if (lost->key[i] != expected) {
            return false;
        }
    }
    return true;
}

/* ---- one page after the other ---- */

static void describe(vs_page_no number)
{
    const struct vs_descriptor *descriptor;
    must(vs_page_table_get(&store->store->table, number, &descriptor));
    const uint8_t *file = simulated_disk_bytes(disk, PATH, NULL);
    page.born = vs_descriptor_born(descriptor);
    page.died = vs_descriptor_died(descriptor);
    page.kind = vs_descriptor_kind(descriptor);
    memcpy(page.bytes, file + (size_t)number * PAGE_SIZE, PAGE_SIZE);
    page.is_of_catalogue = false;
    for (unsigned i = 0; page.kind == VS_KIND_LEAF && i < vs_page_count(page.bytes); i++) {
        uint8_t key[PAGE_SIZE];
        size_t size = vs_leaf_key(page.bytes, i, key);
        page.is_of_catalogue |= size == 4 && memcmp(key, "side", 4) == 0;
    }
}

/* @return Whether a root has the page. */
static bool damage(vs_page_no number)
{
    bool of_history = (page.kind & VS_CLOCK_HISTORY) != 0;
    bool is_had = false;
    simulated_disk_flip(disk, PATH, (uint64_t)number * PAGE_SIZE + number * 37 % PAGE_SIZE, 0x10);
    store = open_store(true);
    for (unsigned root = 1; root <= ROOTS; root++) {
        bool has = !of_history && page.born <= root && root < page.died;
        struct lost lost = find_lost(root);
        bool is_right = has                          ? is_its_loss(&lost)
                        : of_history && root < ROOTS ? true /* it may hold that root's record */
                                                     : lost.count == 0;
        cr_assert(is_right, "page %u (kind %u, %s root %u): %u keys are lost", number, page.kind,
                  has ? "of" : "not of", root, lost.count);
        is_had = is_had || has;
    }
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    cr_assert_eq(err, is_had || (of_history && page.died == VS_ALIVE) ? VERSO_CORRUPT : VERSO_OK,
                 "page %u: check says: %s", number, report.fault);
    cr_assert(!is_had || report.bad_page == number, "page %u: check names page %u (%s)", number,
              report.bad_page, report.fault);
    must(verso_close(store));
    simulated_disk_flip(disk, PATH, (uint64_t)number * PAGE_SIZE + number * 37 % PAGE_SIZE, 0x10);
    return is_had;
}

Test(damage_extent, is_the_keys_of_the_page_in_the_roots_that_have_it)
{
    disk = simulated_disk_open(1);
    store = open_store(false);
    for (unsigned root = 1; root <= ROOTS; root++) {
        commit(store, root);
        must(verso_checkpoint(store));
    }
    must(verso_close(store));
    uint64_t size;
    (void)simulated_disk_bytes(disk, PATH, &size);
    unsigned had = 0;
    for (vs_page_no number = 1; number < size / PAGE_SIZE; number++) {
        if (vs_layout_is_reserved(PAGE_SIZE, number)) {
            continue;
        }
        store = open_store(true);
        describe(number);
        must(verso_close(store));
        had += damage(number);
    }
    printf("%u pages damaged in turn\n", had);
    cr_assert_gt(had, 40);
    simulated_disk_close(disk);
}
