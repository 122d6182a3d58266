/*
 * elements_test.c - arrays of structs of a caller that knows fewer fields, or more, than the library.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "verso.h"

enum { ROOTS = 5 };

/** As a program built against a later header would have it. */
struct longer_info {
    verso_root_info info;
    char more[40];
};

/** As one built against an earlier header, without the note. */
struct shorter_info {
    size_t size;
    verso_root_id id;
    int64_t time_us;
    uint64_t keys;
};

static verso_store *open_with_roots(void)
{
    verso_store *store = NULL;
    cr_assert_eq(verso_open(NULL, NULL, &store), VERSO_OK, "%s", verso_error_detail());
    for (unsigned i = 0; i < ROOTS; i++) {
        verso_txn *txn;
        cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
        const char key = (char)('a' + i);
        cr_assert_eq(verso_put(txn, (verso_slice){&key, 1}, verso_text("value")), VERSO_OK);
        cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
    }
    return store;
}

Test(elements, longer_ones_are_stepped_through_by_their_own_size)
{
    verso_store *store = open_with_roots();
    struct longer_info infos[ROOTS];
    memset(infos, 0x5A, sizeof infos);
    for (unsigned i = 0; i < ROOTS; i++) {
        infos[i].info.size = sizeof infos[i];
    }
    size_t count = 0;
    cr_assert_eq(verso_roots(store, 0, &infos[0].info, ROOTS, NULL, &count), VERSO_OK, "%s",
                 verso_error_detail());
    cr_assert_eq(count, ROOTS);
    for (unsigned i = 0; i < ROOTS; i++) {
        cr_assert_eq(infos[i].info.id, i + 1);
        cr_assert_eq(infos[i].info.keys, i + 1);
        cr_assert_eq(infos[i].more[0], 0x5A, "what the library does not know is left alone");
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(elements, shorter_ones_get_the_fields_that_they_have)
{
    verso_store *store = open_with_roots();
    struct shorter_info infos[ROOTS];
    for (unsigned i = 0; i < ROOTS; i++) {
        infos[i].size = sizeof infos[i];
    }
    size_t count = 0;
    verso_root_info *given = (verso_root_info *)(void *)infos;
    cr_assert_eq(verso_roots(store, 0, given, ROOTS, NULL, &count), VERSO_OK, "%s",
                 verso_error_detail());
    for (unsigned i = 0; i < ROOTS; i++) {
        cr_assert_eq(infos[i].id, i + 1);
        cr_assert_eq(infos[i].keys, i + 1);
        cr_assert_eq(infos[i].size, sizeof infos[i]);
    }
    cr_assert_eq(verso_close(store), VERSO_OK);
}

Test(elements, sizes_that_disagree_are_refused)
{
    verso_store *store = open_with_roots();
    verso_root_cost costs[2] = {{.size = sizeof *costs}, {.size = sizeof *costs - 8}};
    size_t count = 77;
    cr_assert_eq(verso_root_costs(store, 0, costs, 2, &count), VERSO_INVALID);
    costs[0].size = 0;
    cr_assert_eq(verso_root_costs(store, 0, costs, 1, &count), VERSO_INVALID);
    verso_reader_info reader = {.size = 1 << 20};
    cr_assert_eq(verso_readers(store, &reader, 1, &count), VERSO_INVALID);
    cr_assert_eq(count, 77);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
