/*
 * forged_store.h - test support: a store's file whose pages are changed behind the engine's back, with
 * all checksums right, so that what is wrong is met by whoever uses the page.
 */
#ifndef VERSO_TESTS_FORGED_STORE_H
#define VERSO_TESTS_FORGED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/page.h"
#include "simulated_disk.h"

/** The bytes of one file. */
struct forged_store {
    uint8_t *file;
    size_t size;
    size_t page_size;
    vs_page_no first_leaf; /* the one with the lowest number */
};

/** A page in use, to be changed. */
struct forged_page {
    uint8_t *bytes;
    uint8_t *descriptor;
    size_t size;
    vs_page_no number;
    vs_page_no first_leaf; /* the one with the lowest number in the file */
};

typedef void forged_change(const struct forged_page *page);

/** Take a copy of a closed store's file. */
struct forged_store forged_store_take(struct simulated_disk *disk, const char *path);
void forged_store_clear(struct forged_store *store);

/** Is the page a leaf, a branch or a part of a long value, in one of the table's copies? */
bool forged_store_uses(const struct forged_store *store, vs_page_no page);

/** Let `change` have the page with its descriptor, once for each of the table's copies in which it is
 *  in use. @return Whether it has changed anything. */
bool forged_store_change(struct forged_store *store, vs_page_no page, forged_change *change);

/** The same for all leaves and branches that live by versions. */
void forged_store_change_all(struct forged_store *store, forged_change *change);

/** Make the checksums right and put the file on a disk. */
void forged_store_put(struct forged_store *store, struct simulated_disk *disk, const char *path);

#endif
