/*
 * fruit_store.c - assemble the store of the worked examples from the format floor's functions
 * alone.
 */
#include "fruit_store.h"

#include <string.h>

#include "format/checksum.h"
#include "format/descriptor.h"
#include "format/fingerprint.h"
#include "format/frame.h"
#include "format/leaf.h"
#include "format/segment.h"
#include "operation_bytes.h"

enum { GENERATION = 2, EPOCH = 2, LOG_BEGIN = VS_SEGMENT_HEADER };

#define TIME_1 INT64_C(1767225600000000) /* 2026-01-01 00:00:00 UTC */
#define TIME_2 INT64_C(1767225601000000)

static const uint8_t uuid[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static const struct {
    const char *key;
    const char *value;
} pairs[3] = {{"apple", "red"}, {"apricot", "orange"}, {"banana", "yellow"}};

static uint64_t term(unsigned i)
{
    return vs_fingerprint_term(0, verso_text(pairs[i].key),
                               vs_value_hash(verso_text(pairs[i].value)));
}

static struct vs_root_record root_1(void)
{
    return (struct vs_root_record){
        .version = 1,
        .tree = {.page = FRUIT_LEAF_OF_1, .depth = 1, .keys = 3},
        .fingerprint = term(0) + term(1) + term(2),
        .time_us = TIME_1,
        .note = verso_text("first"),
    };
}

static struct vs_root_record root_2(void)
{
    return (struct vs_root_record){
        .version = 2,
        .tree = {.page = FRUIT_LEAF_OF_2, .depth = 1, .keys = 2},
        .fingerprint = term(0) + term(2),
        .time_us = TIME_2,
        .note = {NULL, 0},
    };
}

/* ---- pages ---- */

static uint8_t *page_at(struct fruit_store *fruit, vs_page_no page)
{
    return fruit->file + (size_t)page * FRUIT_PAGE_SIZE;
}

static void insert(uint8_t *leaf, verso_slice key, verso_slice value)
{
    unsigned index = 0;
    (void)vs_leaf_find(leaf, key, &index);
    struct vs_payload payload = {.size = (uint16_t)value.size, .bytes = value.data};
    (void)vs_leaf_insert(leaf, FRUIT_PAGE_SIZE, index, key, payload);
}

static void put_leaves(struct fruit_store *fruit)
{
    uint8_t *first = page_at(fruit, FRUIT_LEAF_OF_1);
    vs_leaf_init(first, FRUIT_PAGE_SIZE, 1, (verso_slice){NULL, 0});
    for (unsigned i = 0; i < 3; i++) {
        insert(first, verso_text(pairs[i].key), verso_text(pairs[i].value));
    }
    uint8_t *second = page_at(fruit, FRUIT_LEAF_OF_2);
    memcpy(second, first, FRUIT_PAGE_SIZE);
    vs_page_set_birth(second, 2);
    vs_leaf_remove(second, FRUIT_PAGE_SIZE, 1);
}

static void put_history(struct fruit_store *fruit)
{
    uint8_t *leaf = page_at(fruit, FRUIT_HISTORY);
    const struct vs_root_record records[2] = {root_1(), root_2()};
    vs_leaf_init(leaf, FRUIT_PAGE_SIZE, GENERATION, (verso_slice){NULL, 0});
    for (unsigned i = 0; i < 2; i++) {
        uint8_t id[8];
        uint8_t value[VS_ROOT_RECORD_MAX];
        vs_put_be64(id, records[i].version);
        size_t size = vs_root_record_encode(&records[i], value);
        insert(leaf, (verso_slice){id, sizeof id}, (verso_slice){value, size});
    }
}

/* ---- the page table ---- */

static void describe(struct fruit_store *fruit, struct vs_descriptor *block, vs_page_no page,
                     uint64_t born, uint64_t died, unsigned kind)
{
    uint32_t crc = vs_page_checksum(page, born, page_at(fruit, page), FRUIT_PAGE_SIZE);
    vs_descriptor_set(&block[page], VS_WORD_BORN, born);
    vs_descriptor_set(&block[page], VS_WORD_DIED, died);
    vs_descriptor_set(&block[page], VS_WORD_KIND, vs_kind_word(kind, crc));
    vs_descriptor_set(&block[page], VS_WORD_LINK, vs_link_word(born, born, 0));
    for (unsigned i = 1; i < VS_LINKS; i++) {
        vs_descriptor_set(&block[page], VS_WORD_LINK + i, VS_NO_LINK);
    }
}

/** Write a part's entry into the part above, whose first entry it is. */
static uint64_t entry_of(struct fruit_store *fruit, uint64_t at)
{
    return vs_entry(vs_crc32c(0, fruit->file + at, VS_PART_BYTES), GENERATION, 0);
}

/** @return The entry of the top page. */
static uint64_t put_table(struct fruit_store *fruit)
{
    struct vs_descriptor block[VS_BLOCK_PAGES];
    memset(block, 0, sizeof block);
    describe(fruit, block, FRUIT_LEAF_OF_1, 1, 2, VS_KIND_LEAF);
    describe(fruit, block, FRUIT_LEAF_OF_2, 2, VS_ALIVE, VS_KIND_LEAF);
    describe(fruit, block, FRUIT_HISTORY, GENERATION, VS_ALIVE, VS_KIND_LEAF | VS_CLOCK_HISTORY);
    uint64_t block_at = vs_layout_block_at(FRUIT_PAGE_SIZE, 0, 0);
    uint64_t directory_at = vs_layout_directory_at(FRUIT_PAGE_SIZE, 0, 0);
    uint64_t top_at = vs_layout_top_at(FRUIT_PAGE_SIZE, 0, 0);
    memcpy(fruit->file + block_at, block, sizeof block);
    vs_put_le64(fruit->file + directory_at, entry_of(fruit, block_at));
    vs_put_le64(fruit->file + top_at, entry_of(fruit, directory_at));
    return entry_of(fruit, top_at);
}

/* ---- the log ---- */

static size_t put_operation(uint8_t *at, enum vs_operation_kind kind, unsigned i)
{
    struct vs_operation operation = {.kind = kind, .key = verso_text(pairs[i].key)};
    if (kind == VS_OPERATION_PUT) {
        operation.value = verso_text(pairs[i].value);
    }
    return operation_bytes(&operation, at);
}

/** A frame of this log at `lsn`, written when all before it was durable. */
static struct vs_frame frame_at(uint64_t lsn, uint32_t previous_crc)
{
    struct vs_frame frame = {.previous_crc = previous_crc,
                             .kind = VS_FRAME_WITNESS,
                             .epoch = EPOCH,
                             .lsn = lsn,
                             .durable_lsn = lsn};
    memcpy(frame.uuid, uuid, sizeof uuid);
    return frame;
}

/** Turn a frame into that of a commit, write it, and move behind it. */
static void put_commit(struct fruit_store *fruit, struct vs_frame *frame,
                       const struct vs_root_record *record, verso_slice operations)
{
    frame->kind = VS_FRAME_COMMIT;
    frame->version = record->version;
    frame->time_us = record->time_us;
    frame->fingerprint = record->fingerprint;
    frame->note = record->note;
    frame->operations = operations;
    uint32_t crc = vs_frame_encode(frame, fruit->log + frame->lsn);
    *frame =
        frame_at(vs_segment_next_lsn(frame->lsn, vs_frame_size(frame), FRUIT_SEGMENT_SIZE), crc);
}

/** @return The frame crc of the last frame. */
static uint32_t put_log(struct fruit_store *fruit)
{
    struct vs_segment_header header = {.epoch = EPOCH, .lsn = 0, .size = FRUIT_SEGMENT_SIZE};
    memcpy(header.uuid, uuid, sizeof uuid);
    vs_segment_header_encode(&header, fruit->log);
    struct vs_root_record records[2] = {root_1(), root_2()};
    uint8_t operations[128];
    size_t size = 0;
    for (unsigned i = 0; i < 3; i++) {
        size += put_operation(operations + size, VS_OPERATION_PUT, i);
    }
    struct vs_frame frame = frame_at(LOG_BEGIN, 0);
    put_commit(fruit, &frame, &records[0], (verso_slice){operations, size});
    size = put_operation(operations, VS_OPERATION_DELETE, 1);
    put_commit(fruit, &frame, &records[1], (verso_slice){operations, size});
    return vs_frame_encode(&frame, fruit->log + frame.lsn);
}

/* ---- the whole ---- */

static void put_metas(struct fruit_store *fruit, struct vs_meta *meta)
{
    meta->page_size = FRUIT_PAGE_SIZE;
    memcpy(meta->uuid, uuid, sizeof uuid);
    meta->epoch = EPOCH;
    meta->retention = verso_keep_all();
    vs_meta_encode(meta, fruit->file);
    memcpy(fruit->file + VS_META_B_AT, fruit->file, VS_PART_BYTES);
}

void fruit_store_make(struct fruit_store *fruit)
{
    memset(fruit, 0, sizeof *fruit);
    put_leaves(fruit);
    put_history(fruit);
    struct vs_meta meta;
    memset(&meta, 0, sizeof meta);
    meta.generation = GENERATION;
    meta.root = root_2();
    meta.history = (struct vs_tree_root){.page = FRUIT_HISTORY, .depth = 1, .keys = 2};
    meta.clean = true;
    meta.log_lsn = FRUIT_LOG_END;
    meta.log_previous_crc = put_log(fruit);
    meta.high_water = VS_BLOCK_PAGES;
    meta.top[0] = put_table(fruit);
    put_metas(fruit, &meta);
}

void fruit_store_make_crashed(struct fruit_store *fruit)
{
    memset(fruit, 0, sizeof *fruit);
    (void)put_log(fruit);
    struct vs_meta meta;
    memset(&meta, 0, sizeof meta);
    meta.generation = GENERATION - 1;
    meta.log_lsn = LOG_BEGIN;
    put_metas(fruit, &meta);
}
