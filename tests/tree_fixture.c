/*
 * tree_fixture.c - trees of numbered keys.
 */
#include "tree_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

verso_slice fixture_key(unsigned number)
{
    static char text[16];
    int size = snprintf(text, sizeof text, "key%08u", number);
    return (verso_slice){text, (size_t)size};
}

verso_slice fixture_value(unsigned number, const char *mark, size_t size)
{
    static char text[FIXTURE_VALUE_MAX];
    cr_assert_leq(size, sizeof text);
    memset(text, '.', sizeof text);
    int written = snprintf(text, sizeof text, "value of %u, %s", number, mark);
    text[written] = '.';
    return (verso_slice){text, size};
}

void fixture_put(struct vs_tree_edit *edit, unsigned number, const char *mark, size_t size)
{
    bool broken = false;
    verso_err err = vs_tree_put(edit, VS_PUT_UPSERT, fixture_key(number),
                                fixture_value(number, mark, size), NULL, NULL, &broken);
    cr_assert_eq(err, VERSO_OK, "put of key %u", number);
    cr_assert(!broken);
}

void fixture_delete(struct vs_tree_edit *edit, unsigned number)
{
    bool broken = false;
    verso_err err = vs_tree_delete(edit, fixture_key(number), NULL, NULL, &broken);
    cr_assert_eq(err, VERSO_OK, "delete of key %u", number);
    cr_assert(!broken);
}

uint64_t fixture_commit_keys(struct tree_store *store, unsigned from, unsigned to, unsigned step,
                             const char *mark, size_t size)
{
    struct vs_tree_edit *edit = tree_store_begin(store);
    for (unsigned number = from; number < to; number += step) {
        fixture_put(edit, number, mark, size);
    }
    return tree_store_commit(store);
}

unsigned fixture_number(verso_slice key)
{
    char text[16] = {0};
    cr_assert_eq(key.size, 11);
    memcpy(text, key.data, key.size);
    return (unsigned)strtoul(text + 3, NULL, 10);
}

bool fixture_has(const struct vs_tree_view *view, unsigned number, const char *mark, size_t size)
{
    struct vs_tree_value value;
    if (vs_tree_get(view, fixture_key(number), &value) != VERSO_OK) {
        return false;
    }
    verso_slice expected = fixture_value(number, mark, size);
    return value.slice.size == size && memcmp(value.slice.data, expected.data, size) == 0;
}
