/*
 * root_record.c - encode and decode; see root_record.h for the bytes.
 */
#include "format/root_record.h"

#include <assert.h>
#include <string.h>

enum { TREE_SIZE = 16, CATALOGUE_AT = 16, FINGERPRINT_AT = 32, TIME_AT = 40, NOTE_SIZE_AT = 48 };

static void put_tree(uint8_t *at, const struct vs_tree_root *tree)
{
    vs_put_le32(at, tree->page);
    vs_put_le32(at + 4, tree->depth);
    vs_put_le64(at + 8, tree->keys);
}

static struct vs_tree_root get_tree(const uint8_t *at)
{
    return (struct vs_tree_root){vs_get_le32(at), vs_get_le32(at + 4), vs_get_le64(at + 8)};
}

static bool tree_is_sound(const struct vs_tree_root *tree)
{
    if (tree->page == 0) {
        return tree->depth == 0 && tree->keys == 0;
    }
    return tree->depth >= 1 && tree->depth <= VS_TREE_DEPTH_MAX;
}

size_t vs_root_record_encode(const struct vs_root_record *record, uint8_t *bytes)
{
    assert(record->note.size <= VS_NOTE_MAX);
    put_tree(bytes, &record->tree);
    put_tree(bytes + CATALOGUE_AT, &record->catalogue);
    vs_put_le64(bytes + FINGERPRINT_AT, record->fingerprint);
    vs_put_le64(bytes + TIME_AT, (uint64_t)record->time_us);
    vs_put_le16(bytes + NOTE_SIZE_AT, (uint16_t)record->note.size);
    if (record->note.size > 0) {
        memcpy(bytes + VS_ROOT_RECORD_FIXED, record->note.data, record->note.size);
    }
    return VS_ROOT_RECORD_FIXED + record->note.size;
}

const char *vs_root_record_decode(const uint8_t *bytes, size_t size, uint64_t version,
                                  struct vs_root_record *record)
{
    if (size < VS_ROOT_RECORD_FIXED) {
        return "root record is too short";
    }
    record->version = version;
    record->tree = get_tree(bytes);
    record->catalogue = get_tree(bytes + CATALOGUE_AT);
    record->fingerprint = vs_get_le64(bytes + FINGERPRINT_AT);
    record->time_us = (int64_t)vs_get_le64(bytes + TIME_AT);
    record->note.size = vs_get_le16(bytes + NOTE_SIZE_AT);
    record->note.data = bytes + VS_ROOT_RECORD_FIXED;
    if (record->note.size != size - VS_ROOT_RECORD_FIXED || record->note.size > VS_NOTE_MAX) {
        return "root record's note has the wrong size";
    }
    if (!tree_is_sound(&record->tree) || !tree_is_sound(&record->catalogue)) {
        return "root record names an impossible tree";
    }
    return NULL;
}
