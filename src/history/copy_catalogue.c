/*
 * copy_catalogue.c - the catalogue of a copy: its leaves name the tops of trees, by page.
 *
 * The trees that a leaf names are copied before it. What is left of a dropped tree is no content
 * and is not copied: its entry stays, so that nothing else on the leaf moves, but with nothing
 * left. Pages of it that an older chosen root needs are copied for that one, and die in the
 * newest, where the source still has them on its list.
 */
#include "history/copy_parts.h"

#include "format/tree_record.h"
#include "os/fault.h"
#include "tree/condemned.h"
#include "tree/cursor.h"

/* An entry of a catalogue's leaf. */
struct entry {
    enum vs_catalogue_kind kind;
    verso_slice key;
    struct vs_payload payload;
};

static struct entry read_entry(const uint8_t *leaf, unsigned index, uint8_t *key_buffer)
{
    struct entry entry = {.payload = vs_leaf_payload(leaf, index)};
    entry.key = (verso_slice){key_buffer, vs_leaf_key(leaf, index, key_buffer)};
    entry.kind = vs_catalogue_kind(entry.key);
    return entry;
}

static verso_err read_record(const struct entry *entry, struct vs_tree_record *record)
{
    verso_slice value = {entry->payload.bytes, entry->payload.size};
    const char *fault = entry->payload.is_run ? "a tree's record is a long value"
                                              : vs_tree_record_decode(value, record);
    return fault == NULL ? VERSO_OK : vs_fault(VERSO_CORRUPT, "catalogue: %s", fault);
}

verso_err vs_copy_named_trees(struct vs_copy *copy, const uint8_t *leaf)
{
    unsigned count = vs_page_count(leaf);
    verso_err err = VERSO_OK;
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        struct entry entry = read_entry(leaf, i, copy->key);
        struct vs_tree_record record;
        if (entry.kind == VS_CATALOGUE_NAME) {
            err = read_record(&entry, &record);
            if (err == VERSO_OK) {
                err = vs_copy_tree(copy, VS_COPY_PAIRS, &record.root);
            }
        }
    }
    return err;
}

/* What a cell of copy->page says in the copy; `bytes`: VS_CONDEMNED_MAX, for the new value. */
static verso_err translate(const struct vs_copy *copy, const struct entry *entry, uint8_t *bytes,
                           verso_slice *value)
{
    if (entry->kind == VS_CATALOGUE_CONDEMNED) {
        const struct vs_condemned nothing = {.depth = 0};
        *value = vs_condemned_encode(&nothing, bytes);
        return VERSO_OK;
    }
    struct vs_tree_record record;
    verso_err err = read_record(entry, &record);
    if (err == VERSO_OK) {
        record.root.page = vs_copy_number(copy, record.root.page);
        *value = vs_tree_record_encode(&record, bytes);
    }
    return err;
}

verso_err vs_copy_change_catalogue(struct vs_copy *copy)
{
    unsigned count = vs_page_count(copy->page);
    for (unsigned i = 0; i < count; i++) {
        struct entry entry = read_entry(copy->page, i, copy->key);
        if (entry.kind != VS_CATALOGUE_NAME && entry.kind != VS_CATALOGUE_CONDEMNED) {
            continue;
        }
        uint8_t bytes[VS_CONDEMNED_MAX];
        verso_slice value;
        verso_err err = translate(copy, &entry, bytes, &value);
        if (err != VERSO_OK) {
            return err;
        }
        struct vs_payload payload = {.size = (uint16_t)value.size, .bytes = value.data};
        if (!vs_leaf_replace(copy->page, copy->pages->page_size, i, payload)) {
            return vs_fault(VERSO_CORRUPT, "catalogue: a record has no room for itself");
        }
    }
    return VERSO_OK;
}

/* ---- dropped trees ---- */

static verso_err end_page(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    struct vs_copy *copy = argument;
    (void)kind;
    vs_page_no number = vs_copy_number(copy, page);
    if (number != 0) {
        copy->file.page[number].ended = true;
    }
    return VERSO_OK;
}

static verso_err end_condemned(struct vs_copy *copy, const struct vs_tree_entry *entry)
{
    struct vs_condemned condemned;
    const char *fault = entry->value.is_run
                            ? "a dropped tree's record is a long value"
                            : vs_condemned_decode(entry->key, entry->value.slice, &condemned);
    if (fault != NULL) {
        return vs_fault(VERSO_CORRUPT, "catalogue: %s", fault);
    }
    uint64_t all = UINT64_MAX;
    bool done = false;
    return vs_condemned_walk(copy->pages, &condemned, &all, end_page, copy, &done);
}

verso_err vs_copy_end_condemned(struct vs_copy *copy, const struct vs_root_record *newest)
{
    if (newest->catalogue.depth == 0) {
        return VERSO_OK;
    }
    struct vs_tree_view view = {copy->pages, newest->catalogue, newest->version};
    struct vs_tree_cursor *cursor;
    verso_err err = vs_tree_cursor_open(&view, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t key[VS_NUMBER_KEY_SIZE];
    struct vs_tree_entry entry;
    err = vs_tree_cursor_seek(cursor, VERSO_SEEK_GE, vs_condemned_key(0, key), &entry);
    while (err == VERSO_OK && vs_catalogue_kind(entry.key) == VS_CATALOGUE_CONDEMNED) {
        err = end_condemned(copy, &entry);
        if (err == VERSO_OK) {
            err = vs_tree_cursor_next(cursor, &entry);
        }
    }
    vs_tree_cursor_close(cursor);
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}
