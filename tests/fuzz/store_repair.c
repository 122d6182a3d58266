/*
 * store_repair.c - walk down from each meta, and on the way back enter each part's checksum above.
 */
#include "store_repair.h"

#include <stdbool.h>

#include "format/byte_order.h"
#include "format/checksum.h"
#include "format/descriptor.h"
#include "format/layout.h"
#include "format/meta.h"

enum {
    META_PAGE_SIZE_AT = 20,
    META_TOPS_AT = 256,
    META_CRC_AT = VS_PART_BYTES - 4,
    DESCRIPTOR_CRC_AT = 16,
    DESCRIPTOR_KIND_AT = 20,
    ENTRY_SIZE = 8,
};

struct file {
    uint8_t *bytes;
    size_t size;
    size_t page_size;
};

static size_t possible_page_size(const uint8_t *meta)
{
    uint32_t page_size = vs_get_le32(meta + META_PAGE_SIZE_AT);
    bool possible = page_size >= VS_PAGE_SIZE_MIN && page_size <= VS_PAGE_SIZE_MAX &&
                    (page_size & (page_size - 1)) == 0;
    return possible ? page_size : 0;
}

size_t store_page_size(const uint8_t *file, size_t size)
{
    size_t page_size = size >= VS_PART_BYTES ? possible_page_size(file) : 0;
    if (page_size == 0 && size >= VS_META_B_AT + VS_PART_BYTES) {
        page_size = possible_page_size(file + VS_META_B_AT);
    }
    return page_size;
}

static void repair_page(const struct file *file, uint64_t page, uint8_t *descriptor)
{
    uint64_t at = page * file->page_size;
    if (vs_get_le32(descriptor + DESCRIPTOR_KIND_AT) == 0 || at + file->page_size > file->size) {
        return;
    }
    uint32_t crc = vs_page_checksum((uint32_t)page, vs_get_le64(descriptor), file->bytes + at,
                                    file->page_size);
    vs_put_le32(descriptor + DESCRIPTOR_CRC_AT, crc);
}

/* Each repairs what lies below the part, then enters the part's checksum in the entry above it. */
typedef void repair_part(const struct file *file, uint32_t number, uint8_t *entry);

static void repair_block(const struct file *file, uint32_t block, uint8_t *entry)
{
    uint64_t at = vs_layout_block_at(file->page_size, block, vs_entry_copy(vs_get_le64(entry)));
    if (at + VS_PART_BYTES > file->size) {
        return;
    }
    for (unsigned i = 0; i < VS_BLOCK_PAGES; i++) {
        repair_page(file, (uint64_t)block * VS_BLOCK_PAGES + i,
                    file->bytes + at + (size_t)i * VS_DESCRIPTOR_SIZE);
    }
    vs_put_le32(entry, vs_crc32c(0, file->bytes + at, VS_PART_BYTES));
}

static void repair_entries(const struct file *file, uint64_t at, uint32_t first, repair_part *part,
                           uint8_t *entry)
{
    if (at + VS_PART_BYTES > file->size) {
        return;
    }
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        uint8_t *below = file->bytes + at + (size_t)i * ENTRY_SIZE;
        if (vs_get_le64(below) != 0) {
            part(file, first + i, below);
        }
    }
    vs_put_le32(entry, vs_crc32c(0, file->bytes + at, VS_PART_BYTES));
}

static void repair_directory(const struct file *file, uint32_t directory, uint8_t *entry)
{
    uint64_t at =
        vs_layout_directory_at(file->page_size, directory, vs_entry_copy(vs_get_le64(entry)));
    repair_entries(file, at, directory * VS_DIRECTORY_ENTRIES, repair_block, entry);
}

static void repair_top(const struct file *file, uint32_t top, uint8_t *entry)
{
    uint64_t at = vs_layout_top_at(file->page_size, top, vs_entry_copy(vs_get_le64(entry)));
    repair_entries(file, at, top * VS_DIRECTORY_ENTRIES, repair_directory, entry);
}

static void repair_meta(const struct file *file, uint64_t at)
{
    if (at + VS_PART_BYTES > file->size) {
        return;
    }
    uint8_t *meta = file->bytes + at;
    for (unsigned top = 0; top < VS_TOPS_MAX; top++) {
        uint8_t *entry = meta + META_TOPS_AT + (size_t)top * ENTRY_SIZE;
        if (vs_get_le64(entry) != 0) {
            repair_top(file, top, entry);
        }
    }
    vs_put_le32(meta + META_CRC_AT, vs_crc32c(0, meta, META_CRC_AT));
}

void store_repair(uint8_t *bytes, size_t size)
{
    struct file file = {bytes, size, store_page_size(bytes, size)};
    if (file.page_size == 0) {
        return;
    }
    /* Where the two name parts in common, the second finds them as the first has left them. */
    repair_meta(&file, 0);
    repair_meta(&file, VS_META_B_AT);
}
