/*
 * root_record.h - what makes a root: its trees, its fingerprint, when and why it was committed.
 *
 * As the value of a history tree's entry (key: the id, big-endian, so that ids sort):
 *
 *     0       4       8       16      20      24      32            40       48       50
 *     +-------+-------+-------+-------+-------+-------+-------------+--------+--------+------
 *     | page  | depth | keys  | c.page| c.dep.| c.keys| fingerprint | time   | note s.| note
 *     +-------+-------+-------+-------+-------+-------+-------------+--------+--------+------
 * "c." is the catalogue of named trees, itself a tree. The top bit of the note's size marks the root
 * of a checkpoint. A meta holds the same 50 bytes without a
 * note.
 */
#ifndef VERSO_FORMAT_ROOT_RECORD_H
#define VERSO_FORMAT_ROOT_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "format/page.h"
#include "verso.h"

enum {
    VS_TREE_ROOT_SIZE = 16, /* bytes of a tree's top: page, depth, keys */
    VS_NOTE_MAX = 1024,
    VS_ROOT_RECORD_FIXED = 50,
    VS_ROOT_RECORD_MAX = VS_ROOT_RECORD_FIXED + VS_NOTE_MAX,
};

/** The top of one tree. Empty: page 0, depth 0, no keys. */
struct vs_tree_root {
    vs_page_no page;
    uint32_t depth; /* levels; 1: the root is a leaf */
    uint64_t keys;
};

struct vs_root_record {
    uint64_t version; /* not stored: the key of the entry, or a field of the meta */
    struct vs_tree_root tree;
    struct vs_tree_root catalogue;
    uint64_t fingerprint;
    int64_t time_us;
    bool is_checkpoint; /* a checkpoint was made of it */
    verso_slice note;   /* borrowed */
};

/** Can a tree have this top? Decoding has made sure of it; whoever descends asserts it. */
static inline bool vs_tree_root_is_possible(const struct vs_tree_root *root)
{
    return root->page == 0 ? root->depth == 0 && root->keys == 0
                           : root->depth >= 1 && root->depth <= VS_TREE_DEPTH_MAX;
}

/** The 16 bytes {page, depth, keys} of a tree's top. */
void vs_tree_root_encode(const struct vs_tree_root *root, uint8_t *bytes);
/** @return false if no tree has such a top. */
bool vs_tree_root_decode(const uint8_t *bytes, struct vs_tree_root *root);

/** @return Bytes written to `bytes` (room for VS_ROOT_RECORD_MAX). The note is at most
 * VS_NOTE_MAX. */
size_t vs_root_record_encode(const struct vs_root_record *record, uint8_t *bytes);

/** The note points into `bytes`. @return NULL, or the fault's text. */
const char *vs_root_record_decode(const uint8_t *bytes, size_t size, uint64_t version,
                                  struct vs_root_record *record);

#endif
