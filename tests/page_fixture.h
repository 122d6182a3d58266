/*
 * page_fixture.h - test support: a store of the store floor, driven by its pages, without trees on
 * top.
 *
 * Every call that cannot succeed for a reason that is not the test's subject ends the test.
 */
#ifndef VERSO_TESTS_PAGE_FIXTURE_H
#define VERSO_TESTS_PAGE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "simulated_disk.h"
#include "store/store.h"

/** A store in memory, or on a disk (NULL: in memory), that keeps the newest `keep_last`
 * versions. */
struct vs_store *page_store_open(struct simulated_disk *disk, uint32_t page_size,
                                 uint64_t keep_last);
/** One on a disk as its log is replayed for somebody who only reads: pages are made in memory. Give it
 *  back by vs_store_discard(). */
struct vs_store *page_store_open_to_replay(struct simulated_disk *disk);
/** Close it with its last checkpoint. */
void page_store_close(struct vs_store *store);

struct vs_page_writer *page_begin(struct vs_store *store);
/** Commit whatever was done, as a root without a tree. @return Its version. */
uint64_t page_commit(struct vs_store *store);
/** Commits that change no page, up to this version. */
void page_commit_up_to(struct vs_store *store, uint64_t version);

/** Make a leaf with one key and no link, or with a link to `next`. @return Its number. */
vs_page_no page_make_leaf(struct vs_page_writer *writer, char mark);
vs_page_no page_make_linked_leaf(struct vs_page_writer *writer, char mark, vs_page_no next);

/** Give a leaf another mark. @return Its number, new if it had to be copied. */
vs_page_no page_set_mark(struct vs_page_writer *writer, vs_page_no page, char mark);

/** Drop a page; go on to the next change. */
void page_drop(struct vs_page_writer *writer, vs_page_no page);
void page_step(struct vs_page_writer *writer);

/** Open a savepoint; roll back to one. */
void page_savepoint(struct vs_page_writer *writer);
void page_roll_back(struct vs_page_writer *writer, uint32_t savepoint);

/** The mark of a leaf that can be read. */
char page_mark(struct vs_store *store, vs_page_no page);

/** vs_link_set() that succeeds. @return Whether relief is asked for. */
bool page_link(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next);
/** What follows a leaf in a version. */
vs_page_no page_next(struct vs_store *store, vs_page_no leaf, uint64_t version);

/** The eight words of a page's descriptor. */
struct page_words {
    uint64_t word[8];
};
struct page_words page_words(struct vs_store *store, vs_page_no page);

/** Pin a version as a reader does. @return The slot, for vs_reader_unpin(). */
uint32_t page_pin(struct vs_store *store, uint64_t version);

#endif
