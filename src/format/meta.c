/*
 * meta.c - encode and decode; see meta.h for the bytes.
 */
#include "format/meta.h"

#include <assert.h>
#include <string.h>

#include "format/checksum.h"
#include "format/retention.h"

static const uint8_t magic[8] = {'V', 'e', 'r', 's', 'o', 'K', 'V', '\n'};

enum {
    FORMAT_AT = 8,
    MUST_AT = 12,
    MAY_AT = 16,
    PAGE_SIZE_AT = 20,
    UUID_AT = 24,
    EPOCH_AT = 40,
    GENERATION_AT = 48,
    VERSION_AT = 56,
    ROOT_AT = 64,
    CLEAN_AT = 114,
    HISTORY_AT = 116,
    LOG_LSN_AT = 144,
    LOG_CRC_AT = 152,
    HIGH_WATER_AT = 156, /* u32: at most 2^32 - 1 pages */
    TAGS_AT = 160,
    HELD_AT = 176,
    BUDGET_AT = 184,
    TOPS_AT = 256,
    POLICY_SIZE_AT = 2304,
    POLICY_AT = 2308,
    CRC_AT = VS_PART_BYTES - 4,
};

static_assert(POLICY_AT + VS_RETENTION_MAX <= CRC_AT, "the policy fits");

void vs_meta_encode(const struct vs_meta *meta, uint8_t *bytes)
{
    memset(bytes, 0, VS_PART_BYTES);
    memcpy(bytes, magic, sizeof magic);
    vs_put_le32(bytes + FORMAT_AT, VS_FORMAT_VERSION);
    vs_put_le32(bytes + PAGE_SIZE_AT, meta->page_size);
    memcpy(bytes + UUID_AT, meta->uuid, sizeof meta->uuid);
    vs_put_le64(bytes + EPOCH_AT, meta->epoch);
    vs_put_le64(bytes + GENERATION_AT, meta->generation);
    vs_put_le64(bytes + VERSION_AT, meta->root.version);
    struct vs_root_record root = meta->root;
    root.note.size = 0;
    vs_root_record_encode(&root, bytes + ROOT_AT);
    vs_put_le16(bytes + CLEAN_AT, meta->clean ? 1 : 0);
    vs_tree_root_encode(&meta->history, bytes + HISTORY_AT);
    vs_tree_root_encode(&meta->tags, bytes + TAGS_AT);
    vs_put_le64(bytes + LOG_LSN_AT, meta->log_lsn);
    vs_put_le32(bytes + LOG_CRC_AT, meta->log_previous_crc);
    vs_put_le32(bytes + HIGH_WATER_AT, (uint32_t)meta->high_water);
    vs_put_le64(bytes + HELD_AT, meta->held_pages);
    vs_put_le64(bytes + BUDGET_AT, meta->budget_pages);
    size_t policy_size = vs_retention_encode(&meta->retention, bytes + POLICY_AT);
    vs_put_le32(bytes + POLICY_SIZE_AT, (uint32_t)policy_size);
    for (unsigned i = 0; i < VS_TOPS_MAX; i++) {
        vs_put_le64(bytes + TOPS_AT + (size_t)i * 8, meta->top[i]);
    }
    vs_put_le32(bytes + CRC_AT, vs_crc32c(0, bytes, CRC_AT));
}

static bool is_page_size(uint32_t size)
{
    return size >= VS_PAGE_SIZE_MIN && size <= VS_PAGE_SIZE_MAX && (size & (size - 1)) == 0;
}

bool vs_meta_is_whole(const uint8_t *bytes)
{
    return vs_get_le32(bytes + CRC_AT) == vs_crc32c(0, bytes, CRC_AT);
}

enum vs_meta_state vs_meta_decode(const uint8_t *bytes, struct vs_meta *meta)
{
    if (memcmp(bytes, magic, sizeof magic) != 0) {
        return VS_META_FOREIGN;
    }
    bool whole = vs_meta_is_whole(bytes);
    if (vs_get_le32(bytes + FORMAT_AT) != VS_FORMAT_VERSION || vs_get_le32(bytes + MUST_AT) != 0) {
        /* an unknown format may keep its checksum elsewhere, so it is named before damage is */
        return whole || vs_get_le32(bytes + FORMAT_AT) > VS_FORMAT_VERSION ? VS_META_FORMAT
                                                                           : VS_META_DAMAGED;
    }
    if (!whole) {
        return VS_META_DAMAGED;
    }
    meta->page_size = vs_get_le32(bytes + PAGE_SIZE_AT);
    memcpy(meta->uuid, bytes + UUID_AT, sizeof meta->uuid);
    meta->epoch = vs_get_le64(bytes + EPOCH_AT);
    meta->generation = vs_get_le64(bytes + GENERATION_AT);
    uint64_t version = vs_get_le64(bytes + VERSION_AT);
    if (vs_root_record_decode(bytes + ROOT_AT, VS_ROOT_RECORD_FIXED, version, &meta->root)) {
        return VS_META_DAMAGED;
    }
    meta->root.note = (verso_slice){NULL, 0};
    meta->clean = vs_get_le16(bytes + CLEAN_AT) != 0;
    bool trees = vs_tree_root_decode(bytes + HISTORY_AT, &meta->history) &&
                 vs_tree_root_decode(bytes + TAGS_AT, &meta->tags);
    meta->log_lsn = vs_get_le64(bytes + LOG_LSN_AT);
    meta->log_previous_crc = vs_get_le32(bytes + LOG_CRC_AT);
    meta->high_water = vs_get_le32(bytes + HIGH_WATER_AT);
    meta->held_pages = vs_get_le64(bytes + HELD_AT);
    meta->budget_pages = vs_get_le64(bytes + BUDGET_AT);
    uint32_t policy_size = vs_get_le32(bytes + POLICY_SIZE_AT);
    if (policy_size > VS_RETENTION_MAX ||
        vs_retention_decode(bytes + POLICY_AT, policy_size, &meta->retention) != NULL) {
        return VS_META_DAMAGED;
    }
    for (unsigned i = 0; i < VS_TOPS_MAX; i++) {
        meta->top[i] = vs_get_le64(bytes + TOPS_AT + (size_t)i * 8);
    }
    bool sound = trees && is_page_size(meta->page_size) && version <= VS_NUMBER_MAX &&
                 meta->generation <= VS_NUMBER_MAX;
    return sound ? VS_META_OK : VS_META_DAMAGED;
}
