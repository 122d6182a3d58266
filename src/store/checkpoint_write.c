/*
 * checkpoint_write.c - from memory into the store file: pages, the table, the metas; C2 and C3 of
 * checkpoint.c.
 */
#include <assert.h>
#include <string.h>

#include "format/checksum.h"
#include "os/turns.h"
#include "store/checkpoint_parts.h"

/* ---- pages ---- */

/* Write the neighbouring pages that wait, in one piece. */
static verso_err write_joined(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    size_t page_size = store->pages.page_size;
    size_t count = checkpoint->moved_count - checkpoint->unwritten;
    if (count == 0) {
        return VERSO_OK;
    }
    const struct vs_vacated *first = &checkpoint->moved[checkpoint->unwritten];
    for (size_t i = 0; i < count; i++) {
        memcpy(checkpoint->joined + i * page_size, vs_arena_frame(&store->arena, first[i].frame),
               page_size);
    }
    checkpoint->unwritten = checkpoint->moved_count;
    return store->os->write_at(store->file, (uint64_t)first->page << store->pages.page_shift,
                               checkpoint->joined, count * page_size);
}

/* The page goes out with its neighbours, or first those that it does not join. */
static verso_err move_page(struct vs_checkpoint *checkpoint, vs_page_no page, uint32_t frame,
                           uint64_t born)
{
    size_t waiting = checkpoint->moved_count - checkpoint->unwritten;
    size_t joinable = VS_JOINED_PAGES_BYTES / checkpoint->store->pages.page_size;
    if (waiting > 0 &&
        (waiting >= joinable || checkpoint->moved[checkpoint->moved_count - 1].page + 1 != page)) {
        verso_err err = write_joined(checkpoint);
        if (err != VERSO_OK) {
            return err;
        }
    }
    assert(checkpoint->moved_count < checkpoint->moved_capacity);
    checkpoint->moved[checkpoint->moved_count++] = (struct vs_vacated){frame, page, born};
    return VERSO_OK;
}

static bool must_be_written(const struct vs_checkpoint *checkpoint,
                            const struct vs_descriptor *descriptor)
{
    uint64_t died = vs_descriptor_died(descriptor);
    if (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) {
        return died > checkpoint->meta.generation; /* else not even the coming generation has it */
    }
    return vs_version_set_meets(&checkpoint->kept, vs_descriptor_born(descriptor), died);
}

/* Move the pages of one frozen block that still have frames, setting their checksums in both the
 * frozen descriptors and the live ones. */
static verso_err move_pages_of_block(struct vs_checkpoint *checkpoint, uint32_t block,
                                     struct vs_descriptor *descriptors)
{
    struct vs_store *store = checkpoint->store;
    for (unsigned i = 0; i < VS_BLOCK_PAGES; i++) {
        vs_page_no page = block * VS_BLOCK_PAGES + i;
        struct vs_descriptor *descriptor = &descriptors[i];
        uint32_t frame = atomic_load_explicit(&store->pages.frame_of[page], memory_order_acquire);
        if (frame == 0 || !must_be_written(checkpoint, descriptor)) {
            continue;
        }
        uint64_t born = vs_descriptor_born(descriptor);
        uint32_t crc = vs_page_checksum(page, born, vs_arena_frame(&store->arena, frame),
                                        store->pages.page_size);
        vs_descriptor_set(descriptor, VS_WORD_KIND,
                          vs_kind_word(vs_descriptor_kind(descriptor), crc));
        vs_page_table_set_crc(&store->table, page, crc);
        verso_err err = move_page(checkpoint, page, frame, born);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* ---- blocks, directory pages, top pages: each over the copy that does not count (C2) ---- */

static unsigned other_copy(uint64_t entry)
{
    return entry == 0 ? 0 : 1 - vs_entry_copy(entry);
}

static verso_err write_part(struct vs_checkpoint *checkpoint, uint64_t at, const uint8_t *bytes,
                            unsigned copy, uint64_t *entry)
{
    *entry = vs_entry(vs_crc32c(0, bytes, VS_PART_BYTES), checkpoint->meta.generation, copy);
    return checkpoint->store->os->write_at(checkpoint->store->file, at, bytes, VS_PART_BYTES);
}

static verso_err write_blocks(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    _Alignas(struct vs_descriptor) uint8_t bytes[VS_PART_BYTES];
    for (size_t i = 0; i < checkpoint->block_count; i++) {
        uint32_t block = checkpoint->blocks[i];
        if (block >= checkpoint->tail_block) {
            checkpoint->entries[i] = 0; /* its place may be cut off */
            continue;
        }
        vs_page_table_take(&store->table, block, bytes);
        verso_err err =
            move_pages_of_block(checkpoint, block, (struct vs_descriptor *)(void *)bytes);
        if (err != VERSO_OK) {
            return err;
        }
        unsigned copy =
            other_copy(atomic_load_explicit(&store->table.entry[block], memory_order_relaxed));
        err = write_part(checkpoint, vs_layout_block_at(store->pages.page_size, block, copy), bytes,
                         copy, &checkpoint->entries[i]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return write_joined(checkpoint);
}

static void encode_entries(const uint64_t *entries, uint8_t *bytes)
{
    for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
        vs_put_le64(bytes + (size_t)i * 8, entries[i]);
    }
}

/* Write the directory page that holds the blocks from *next on, and its entry into its top page. */
static verso_err write_directory(struct vs_checkpoint *checkpoint, size_t *next,
                                 uint64_t *top_entries)
{
    struct vs_store *store = checkpoint->store;
    uint32_t directory = checkpoint->blocks[*next] / VS_DIRECTORY_ENTRIES;
    uint64_t entries[VS_DIRECTORY_ENTRIES];
    verso_err err = vs_page_table_directory(&store->table, directory, entries);
    if (err != VERSO_OK) {
        return err;
    }
    for (; *next < checkpoint->block_count &&
           checkpoint->blocks[*next] / VS_DIRECTORY_ENTRIES == directory;
         (*next)++) {
        entries[checkpoint->blocks[*next] % VS_DIRECTORY_ENTRIES] = checkpoint->entries[*next];
    }
    uint64_t *entry = &top_entries[directory % VS_DIRECTORY_ENTRIES];
    if (directory * VS_DIRECTORY_ENTRIES >= checkpoint->tail_block) {
        *entry = 0;
        return VERSO_OK;
    }
    uint8_t bytes[VS_PART_BYTES];
    encode_entries(entries, bytes);
    unsigned copy = other_copy(*entry);
    return write_part(checkpoint, vs_layout_directory_at(store->pages.page_size, directory, copy),
                      bytes, copy, entry);
}

static verso_err write_top(struct vs_checkpoint *checkpoint, uint32_t top, const uint64_t *entries)
{
    size_t page_size = checkpoint->store->pages.page_size;
    if (top * (VS_TOP_PAGES / VS_BLOCK_PAGES) >= checkpoint->tail_block) {
        checkpoint->meta.top[top] = 0;
        return VERSO_OK;
    }
    uint8_t bytes[VS_PART_BYTES];
    encode_entries(entries, bytes);
    unsigned copy = other_copy(checkpoint->store->meta.top[top]);
    return write_part(checkpoint, vs_layout_top_at(page_size, top, copy), bytes, copy,
                      &checkpoint->meta.top[top]);
}

static verso_err write_directories(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    for (size_t next = 0; next < checkpoint->block_count;) {
        uint32_t top = checkpoint->blocks[next] / (VS_TOP_PAGES / VS_BLOCK_PAGES);
        uint64_t entries[VS_DIRECTORY_ENTRIES];
        verso_err err = vs_page_table_top(&store->table, top, entries);
        while (err == VERSO_OK && next < checkpoint->block_count &&
               checkpoint->blocks[next] / (VS_TOP_PAGES / VS_BLOCK_PAGES) == top) {
            err = write_directory(checkpoint, &next, entries);
        }
        if (err != VERSO_OK) {
            return err;
        }
        err = write_top(checkpoint, top, entries);
        if (err != VERSO_OK) {
            return err;
        }
        for (unsigned i = 0; i < VS_DIRECTORY_ENTRIES; i++) {
            vs_page_table_set_directory_entry(&store->table, top * VS_DIRECTORY_ENTRIES + i,
                                              entries[i]);
        }
    }
    return VERSO_OK;
}

verso_err vs_store_write_metas(struct vs_store *store, const struct vs_meta *meta)
{
    uint8_t bytes[VS_PART_BYTES];
    vs_meta_encode(meta, bytes);
    for (unsigned i = 0; i < 2; i++) {
        vs_turn(VS_POINT_WRITE_META);
        uint64_t at = i == meta->generation % 2 ? 0 : VS_META_B_AT;
        verso_err err = store->os->write_at(store->file, at, bytes, VS_PART_BYTES);
        if (err == VERSO_OK) {
            err = store->os->sync_data(store->file);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

/* A witness may have been appended since C1, and the segment that it begins would not survive. */
static verso_err sync_log(const struct vs_checkpoint *checkpoint)
{
    return vs_log_wait(vs_store_log(checkpoint->store), checkpoint->meta.log_lsn, VS_LOG_DURABLE);
}

verso_err vs_checkpoint_write(struct vs_checkpoint *checkpoint)
{
    struct vs_store *store = checkpoint->store;
    verso_err err = sync_log(checkpoint);
    if (err == VERSO_OK) {
        err = write_blocks(checkpoint);
    }
    if (err == VERSO_OK) {
        err = write_directories(checkpoint);
    }
    if (err == VERSO_OK) {
        err = checkpoint->full_sync ? store->os->sync_full(store->file)
                                    : store->os->sync_data(store->file);
    }
    return err == VERSO_OK ? vs_store_write_metas(store, &checkpoint->meta) : err;
}
