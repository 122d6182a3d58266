/*
 * root_record.c - encode and decode; see root_record.h for the bytes.
 */
#include "format/root_record.h"

#include <assert.h>
#include <string.h>

enum {
    CATALOGUE_AT = VS_TREE_ROOT_SIZE,
    FINGERPRINT_AT = 2 * VS_TREE_ROOT_SIZE,
    TIME_AT = 40,
    NOTE_SIZE_AT = 48,
    CHECKPOINT_BIT = 0x8000, /* in the note's size */
};

void vs_tree_root_encode(const struct vs_tree_root *root, uint8_t *bytes)
{
    vs_put_le32(bytes, root->page);
    vs_put_le32(bytes + 4, root->depth);
    vs_put_le64(bytes + 8, root->keys);
}

bool vs_tree_root_decode(const uint8_t *bytes, struct vs_tree_root *root)
{
    *root =
        (struct vs_tree_root){vs_get_le32(bytes), vs_get_le32(bytes + 4), vs_get_le64(bytes + 8)};
    return vs_tree_root_is_possible(root);
}

size_t vs_root_record_encode(const struct vs_root_record *record, uint8_t *bytes)
{
    assert(record->note.size <= VS_NOTE_MAX);
    vs_tree_root_encode(&record->tree, bytes);
    vs_tree_root_encode(&record->catalogue, bytes + CATALOGUE_AT);
    vs_put_le64(bytes + FINGERPRINT_AT, record->fingerprint);
    vs_put_le64(bytes + TIME_AT, (uint64_t)record->time_us);
    unsigned mark = record->is_checkpoint ? CHECKPOINT_BIT : 0;
    vs_put_le16(bytes + NOTE_SIZE_AT, (uint16_t)(record->note.size | mark));
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
    bool sound = vs_tree_root_decode(bytes, &record->tree);
    sound = vs_tree_root_decode(bytes + CATALOGUE_AT, &record->catalogue) && sound;
    record->fingerprint = vs_get_le64(bytes + FINGERPRINT_AT);
    record->time_us = (int64_t)vs_get_le64(bytes + TIME_AT);
    unsigned note = vs_get_le16(bytes + NOTE_SIZE_AT);
    record->is_checkpoint = (note & CHECKPOINT_BIT) != 0;
    record->note.size = note & ~(unsigned)CHECKPOINT_BIT;
    record->note.data = bytes + VS_ROOT_RECORD_FIXED;
    if (record->note.size != size - VS_ROOT_RECORD_FIXED || record->note.size > VS_NOTE_MAX) {
        return "root record's note has the wrong size";
    }
    bool empty = record->tree.page == 0 && record->catalogue.page == 0;
    if (empty ? record->fingerprint != 0 : version == 0) {
        return "root record of an empty root that is not empty";
    }
    return sound ? NULL : "root record names an impossible tree";
}
