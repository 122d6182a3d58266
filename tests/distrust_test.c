/*
 * distrust_test.c - after a failed sync of the store file, pages are verified at each touch.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "simulated_disk.h"
#include "verso.h"

enum { KEYS = 2000 };

static verso_slice key_of(unsigned number, char *text)
{
    return (verso_slice){text, (size_t)snprintf(text, 16, "key%07u", number)};
}

static void put_all(verso_store *store, const char *value)
{
    char text[16];
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    for (unsigned number = 0; number < KEYS; number++) {
        cr_assert_eq(verso_put(txn, key_of(number, text), verso_text(value)), VERSO_OK);
    }
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK, "%s", verso_error_detail());
}

/* Read all keys: how many came back, how many met damage. */
static unsigned read_all(verso_view *view, unsigned *damaged)
{
    char text[16];
    unsigned good = 0;
    *damaged = 0;
    for (unsigned number = 0; number < KEYS; number++) {
        verso_slice value;
        verso_err err = verso_get(view, key_of(number, text), &value);
        cr_assert(err == VERSO_OK || err == VERSO_CORRUPT, "%s", verso_error_detail());
        good += err == VERSO_OK;
        *damaged += err == VERSO_CORRUPT;
    }
    return good;
}

/* Damage the last byte of every page of the store file behind the first table blocks. */
static void damage_pages(struct simulated_disk *disk)
{
    uint64_t size;
    simulated_disk_bytes(disk, "store", &size);
    for (uint64_t at = 9 * 4096 - 1; at < size; at += 4096) { /* bytes of values */
        if (at / 4096 != 16) {
            simulated_disk_flip(disk, "store", at, 1);
        }
    }
}

Test(distrust, finds_damage_in_pages_verified_before_the_failed_sync)
{
    struct simulated_disk *disk = simulated_disk_open(7);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    verso_store *store;
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK);
    put_all(store, "value");
    cr_assert_eq(verso_checkpoint(store), VERSO_OK);
    verso_view *view;
    cr_assert_eq(verso_view_open(store, &view), VERSO_OK);
    unsigned damaged;
    cr_assert_eq(read_all(view, &damaged), KEYS);

    put_all(store, "other");
    struct simulated_fault fault = {
        .kind = SIMULATED_SYNC, .path_part = "store", .nth = 2, .for_ever = true};
    simulated_disk_inject(disk, &fault);
    cr_assert_neq(verso_checkpoint(store), VERSO_OK);
    simulated_disk_heal(disk);
    cr_assert_eq(read_all(view, &damaged), KEYS, "the old root is whole");
    damage_pages(disk);
    read_all(view, &damaged);
    cr_assert_gt(damaged, 0, "pages are looked at anew");
    damage_pages(disk);
    cr_assert_eq(read_all(view, &damaged), KEYS);
    verso_view_close(view);
    cr_assert_neq(verso_close(store), VERSO_OK);
    simulated_disk_close(disk);
}
