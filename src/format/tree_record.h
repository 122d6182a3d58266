/*
 * tree_record.h - entries of the catalogue, the tree of a root's named trees.
 *
 * Names have no zero byte, so that keys which begin with one are free for other entries:
 *
 *     key                                 value
 *     name, 1 to 255 bytes                a tree record: what the name stands for
 *     00                                  the number that the next new tree gets, 8 bytes
 *     00 01 number (8, big-endian)        the name of the tree of that number
 *     00 02 page (8, big-endian)          a condemned tree: the rest of a dropped one, by its root
 *
 * A tree record:
 *     0        8       12      16       24            32
 *     +--------+-------+-------+--------+-------------+
 *     | number | page  | depth | keys   | fingerprint |
 *     +--------+-------+-------+--------+-------------+
 * A condemned tree, of which all pages before a place in its walk are taken apart already (children
 * before their branch, the pages of a leaf's long values before the leaf):
 *     0       4           8          10                           8 + 2 * depth
 *     +-------+-----------+----------+----------+-----+-----------+
 *     | depth | run pages | index[0] | index[1] | ... | index[depth - 1]
 *     +-------+-----------+----------+----------+-----+
 * index[level] is the next child of the branch at that level on the way down (at level 0: the next
 * cell of the leaf); *run pages* have gone of that cell's long value. A depth of 0 says that nothing
 * is left, as in copies, which leave such trees out.
 */
#ifndef VERSO_FORMAT_TREE_RECORD_H
#define VERSO_FORMAT_TREE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "format/name.h"
#include "format/page.h"
#include "format/root_record.h"
#include "verso.h"

enum {
    VS_TREE_RECORD_SIZE = 32,
    VS_NUMBER_VALUE_SIZE = 8,
    VS_NUMBER_KEY_SIZE = 10, /* also that of a condemned tree's key */
    VS_CONDEMNED_HEADER = 8,
    VS_CONDEMNED_MAX = VS_CONDEMNED_HEADER + 2 * VS_TREE_DEPTH_MAX,
};

/** What a key of the catalogue begins an entry of. */
enum vs_catalogue_kind {
    VS_CATALOGUE_NAME,
    VS_CATALOGUE_NEXT_NUMBER,
    VS_CATALOGUE_NUMBER,
    VS_CATALOGUE_CONDEMNED,
    VS_CATALOGUE_UNKNOWN,
};

struct vs_tree_record {
    uint64_t number; /* 1, 2, 3, ...; 0 is the default tree, which has no record */
    struct vs_tree_root root;
    uint64_t fingerprint; /* of this tree alone */
};

struct vs_condemned {
    vs_page_no page; /* the root */
    uint32_t depth;
    uint32_t run_pages;
    uint16_t index[VS_TREE_DEPTH_MAX];
};

enum vs_catalogue_kind vs_catalogue_kind(verso_slice key);

/** The key of the number that the next new tree gets. */
verso_slice vs_next_number_key(void);
verso_slice vs_number_key(uint64_t number, uint8_t bytes[VS_NUMBER_KEY_SIZE]);
verso_slice vs_condemned_key(vs_page_no page, uint8_t bytes[VS_NUMBER_KEY_SIZE]);

/** Of a key whose kind is known. */
uint64_t vs_number_of_key(verso_slice key);

verso_slice vs_tree_record_encode(const struct vs_tree_record *record,
                                  uint8_t bytes[VS_TREE_RECORD_SIZE]);
/** @return NULL, or the fault's text. */
const char *vs_tree_record_decode(verso_slice value, struct vs_tree_record *record);

verso_slice vs_number_value_encode(uint64_t number, uint8_t bytes[VS_NUMBER_VALUE_SIZE]);
const char *vs_number_value_decode(verso_slice value, uint64_t *number);

verso_slice vs_condemned_encode(const struct vs_condemned *condemned,
                                uint8_t bytes[VS_CONDEMNED_MAX]);
/** @param key  Of the kind VS_CATALOGUE_CONDEMNED. */
const char *vs_condemned_decode(verso_slice key, verso_slice value, struct vs_condemned *condemned);

/** What a tree of this name and number adds to its root's fingerprint beside its pairs. */
uint64_t vs_tree_name_term(verso_slice name, uint64_t number);

#endif
