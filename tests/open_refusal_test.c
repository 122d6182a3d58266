/*
 * open_refusal_test.c - stores that are not opened, each with its reason: metas bad in every pair of
 * ways, nothing at the path, a creation that another one overtakes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/layout.h"
#include "format/meta.h"
#include "simulated_disk.h"
#include "verso.h"

enum bad { DAMAGED, FOREIGN, UNKNOWN, BADS };

enum { FORMAT_AT = 8 };

static struct simulated_disk *disk;

static verso_err open_as(const char *path, bool create, bool read_only, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = create;
    options.read_only = read_only;
    options.system = simulated_disk_os(disk);
    *store = NULL;
    return verso_open(path, &options, store);
}

static void set_up(void)
{
    verso_store *store;
    disk = simulated_disk_open(1);
    cr_assert_eq(open_as("store", true, false, &store), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}

static void tear_down(void)
{
    cr_expect_eq(simulated_disk_open_files(disk), 0);
    simulated_disk_close(disk);
}

TestSuite(open_refusal, .init = set_up, .fini = tear_down);

static void spoil(uint8_t *meta, enum bad how)
{
    if (how == DAMAGED) {
        meta[100] ^= 1;
    } else if (how == FOREIGN) {
        memset(meta, 0, VS_PART_BYTES);
    } else {
        vs_put_le32(meta + FORMAT_AT, VS_FORMAT_VERSION + 1);
    }
}

Test(open_refusal, two_bad_metas_are_told_apart_by_the_better_of_them)
{
    for (unsigned i = 0; i < BADS * BADS; i++) {
        enum bad a = (enum bad)(i / BADS);
        enum bad b = (enum bad)(i % BADS);
        struct simulated_disk *good = disk;
        disk = simulated_disk_clone(good);
        uint64_t size;
        const uint8_t *bytes = simulated_disk_bytes(disk, "store", &size);
        uint8_t *spoilt = malloc((size_t)size);
        cr_assert_not_null(spoilt);
        memcpy(spoilt, bytes, (size_t)size);
        spoil(spoilt, a);
        spoil(spoilt + VS_META_B_AT, b);
        simulated_disk_put(disk, "store", spoilt, (size_t)size);
        uint64_t digest = simulated_disk_digest(disk);
        verso_store *store;
        bool is_format = a == UNKNOWN || b == UNKNOWN || (a == FOREIGN && b == FOREIGN);
        cr_assert_eq(open_as("store", false, false, &store),
                     is_format ? VERSO_FORMAT : VERSO_CORRUPT, "%u: %s", i, verso_error_detail());
        cr_assert_null(store);
        cr_assert_eq(simulated_disk_digest(disk), digest, "a failed open changes nothing");
        free(spoilt);
        simulated_disk_close(disk);
        disk = good;
    }
}

Test(open_refusal, reading_creates_nothing)
{
    verso_store *store;
    cr_assert_eq(open_as("other", true, true, &store), VERSO_INVALID);
    cr_assert_eq(open_as("other", false, true, &store), VERSO_NO_STORE);
    cr_assert_eq(open_as("other", false, false, &store), VERSO_NO_STORE);
    cr_assert_not(simulated_disk_exists(disk, "other"));
}

Test(open_refusal, a_creation_that_is_overtaken_opens_what_is_there)
{
    verso_store *store;
    struct simulated_fault fault = {.kind = SIMULATED_RENAME, .nth = 1, .err = VERSO_EXISTS};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(open_as("other", true, false, &store), VERSO_NO_STORE, "%s: and then it went",
                 verso_error_detail());
    cr_assert_eq(open_as("other", true, false, &store), VERSO_OK);
    cr_assert_eq(verso_close(store), VERSO_OK);
}
