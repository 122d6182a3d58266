/*
 * tree_record.c - encode and decode the catalogue's entries; see tree_record.h for the bytes.
 */
#include "format/tree_record.h"

#include <assert.h>
#include <string.h>

#include "format/byte_order.h"
#include "format/fingerprint.h"

enum {
    KIND_NUMBER = 1, /* second byte of a key that begins with 0 */
    KIND_CONDEMNED = 2,
    ROOT_AT = 8,
    FINGERPRINT_AT = 24,
    RUN_PAGES_AT = 4,
};

/* The terms of the names are those of pairs {name, number} of a tree that cannot be. */
#define CATALOGUE_TREE UINT64_MAX

enum vs_catalogue_kind vs_catalogue_kind(verso_slice key)
{
    const uint8_t *bytes = key.data;
    if (vs_name_is_sound(key)) {
        return VS_CATALOGUE_NAME;
    }
    if (key.size == 1) { /* a zero: any other byte is a name */
        return VS_CATALOGUE_NEXT_NUMBER;
    }
    if (key.size == VS_NUMBER_KEY_SIZE && bytes[0] == 0 && bytes[1] == KIND_NUMBER) {
        return VS_CATALOGUE_NUMBER;
    }
    if (key.size == VS_NUMBER_KEY_SIZE && bytes[0] == 0 && bytes[1] == KIND_CONDEMNED) {
        return VS_CATALOGUE_CONDEMNED;
    }
    return VS_CATALOGUE_UNKNOWN;
}

verso_slice vs_next_number_key(void)
{
    static const uint8_t key[1] = {0};
    return (verso_slice){key, sizeof key};
}

static verso_slice numbered_key(uint8_t kind, uint64_t number, uint8_t bytes[VS_NUMBER_KEY_SIZE])
{
    bytes[0] = 0;
    bytes[1] = kind;
    vs_put_be64(bytes + 2, number);
    return (verso_slice){bytes, VS_NUMBER_KEY_SIZE};
}

verso_slice vs_number_key(uint64_t number, uint8_t bytes[VS_NUMBER_KEY_SIZE])
{
    return numbered_key(KIND_NUMBER, number, bytes);
}

verso_slice vs_condemned_key(vs_page_no page, uint8_t bytes[VS_NUMBER_KEY_SIZE])
{
    return numbered_key(KIND_CONDEMNED, page, bytes);
}

uint64_t vs_number_of_key(verso_slice key)
{
    assert(vs_catalogue_kind(key) == VS_CATALOGUE_NUMBER);
    return vs_get_be64((const uint8_t *)key.data + 2);
}

verso_slice vs_tree_record_encode(const struct vs_tree_record *record,
                                  uint8_t bytes[VS_TREE_RECORD_SIZE])
{
    vs_put_le64(bytes, record->number);
    vs_tree_root_encode(&record->root, bytes + ROOT_AT);
    vs_put_le64(bytes + FINGERPRINT_AT, record->fingerprint);
    return (verso_slice){bytes, VS_TREE_RECORD_SIZE};
}

const char *vs_tree_record_decode(verso_slice value, struct vs_tree_record *record)
{
    if (value.size != VS_TREE_RECORD_SIZE || value.data == NULL) {
        return "a tree's record has the wrong size";
    }
    const uint8_t *bytes = value.data;
    record->number = vs_get_le64(bytes);
    record->fingerprint = vs_get_le64(bytes + FINGERPRINT_AT);
    if (record->number == 0 || record->number == CATALOGUE_TREE) {
        return "a tree's record has a number that no tree gets";
    }
    return vs_tree_root_decode(bytes + ROOT_AT, &record->root)
               ? NULL
               : "a tree's record names an impossible tree";
}

verso_slice vs_number_value_encode(uint64_t number, uint8_t bytes[VS_NUMBER_VALUE_SIZE])
{
    vs_put_le64(bytes, number);
    return (verso_slice){bytes, VS_NUMBER_VALUE_SIZE};
}

const char *vs_number_value_decode(verso_slice value, uint64_t *number)
{
    if (value.size != VS_NUMBER_VALUE_SIZE || value.data == NULL) {
        return "the next tree's number has the wrong size";
    }
    *number = vs_get_le64(value.data);
    return *number > 0 ? NULL : "the next tree's number is 0";
}

verso_slice vs_condemned_encode(const struct vs_condemned *condemned,
                                uint8_t bytes[VS_CONDEMNED_MAX])
{
    assert(condemned->depth <= VS_TREE_DEPTH_MAX);
    vs_put_le32(bytes, condemned->depth);
    vs_put_le32(bytes + RUN_PAGES_AT, condemned->run_pages);
    for (unsigned level = 0; level < condemned->depth; level++) {
        vs_put_le16(bytes + VS_CONDEMNED_HEADER + (size_t)2 * level, condemned->index[level]);
    }
    return (verso_slice){bytes, VS_CONDEMNED_HEADER + (size_t)2 * condemned->depth};
}

const char *vs_condemned_decode(verso_slice key, verso_slice value, struct vs_condemned *condemned)
{
    assert(vs_catalogue_kind(key) == VS_CATALOGUE_CONDEMNED);
    const uint8_t *bytes = value.data;
    if (value.size < VS_CONDEMNED_HEADER) {
        return "a condemned tree's record is too short";
    }
    uint64_t page = vs_get_be64((const uint8_t *)key.data + 2);
    condemned->page = (vs_page_no)page;
    condemned->depth = vs_get_le32(bytes);
    condemned->run_pages = vs_get_le32(bytes + RUN_PAGES_AT);
    if (page == 0 || page > UINT32_MAX || condemned->depth > VS_TREE_DEPTH_MAX ||
        (condemned->depth == 0 && condemned->run_pages > 0)) {
        return "a condemned tree's record names an impossible tree";
    }
    if (value.size != VS_CONDEMNED_HEADER + (size_t)2 * condemned->depth) {
        return "a condemned tree's record has the wrong size";
    }
    for (unsigned level = 0; level < condemned->depth; level++) {
        condemned->index[level] = vs_get_le16(bytes + VS_CONDEMNED_HEADER + (size_t)2 * level);
    }
    return NULL;
}

uint64_t vs_tree_name_term(verso_slice name, uint64_t number)
{
    uint8_t bytes[VS_NUMBER_VALUE_SIZE];
    uint64_t hash = vs_value_hash(vs_number_value_encode(number, bytes));
    return vs_fingerprint_term(CATALOGUE_TREE, name, hash);
}
