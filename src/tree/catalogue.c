/*
 * catalogue.c - looking named trees up, and keeping their entries; see catalogue.h.
 */
#include "tree/catalogue.h"

#include <string.h>

#include "os/fault.h"
#include "tree/cursor.h"

static verso_err bad_entry(const char *fault)
{
    return vs_fault(VERSO_CORRUPT, "catalogue: %s", fault);
}

/** No entry is long enough for pages of its own. */
static verso_err get(const struct vs_tree_view *catalogue, verso_slice key, verso_slice *value)
{
    struct vs_tree_value found;
    verso_err err = vs_tree_get(catalogue, key, &found);
    if (err == VERSO_OK && found.is_run) {
        err = bad_entry("an entry lies in pages of its own");
    }
    *value = found.slice;
    return err;
}

/* ---- reading ---- */

verso_err vs_catalogue_find(const struct vs_tree_view *catalogue, verso_slice name,
                            struct vs_tree_record *record)
{
    verso_slice value;
    verso_err err = get(catalogue, name, &value);
    if (err == VERSO_NOT_FOUND) {
        return vs_fault(VERSO_NOT_FOUND, "no tree is named \"%.*s\"", (int)name.size,
                        (const char *)name.data);
    }
    if (err != VERSO_OK) {
        return err;
    }
    const char *fault = vs_tree_record_decode(value, record);
    return fault == NULL ? VERSO_OK : bad_entry(fault);
}

verso_err vs_catalogue_find_number(const struct vs_tree_view *catalogue, uint64_t number,
                                   uint8_t bytes[VERSO_NAME_MAX], verso_slice *name,
                                   struct vs_tree_record *record)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    verso_slice value;
    verso_err err = get(catalogue, vs_number_key(number, key), &value);
    if (err == VERSO_NOT_FOUND) {
        return vs_fault(VERSO_NOT_FOUND, "no tree has the number %llu", (unsigned long long)number);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (!vs_name_is_sound(value)) {
        return bad_entry("a number stands for no name");
    }
    memcpy(bytes, value.data, value.size);
    *name = (verso_slice){bytes, value.size};
    err = vs_catalogue_find(catalogue, *name, record);
    if (err == VERSO_NOT_FOUND || (err == VERSO_OK && record->number != number)) {
        return bad_entry("a number stands for a name that is not that tree's");
    }
    return err;
}

verso_err vs_catalogue_next(const struct vs_tree_view *catalogue, verso_slice after,
                            uint8_t bytes[VERSO_NAME_MAX], verso_slice *name,
                            struct vs_tree_record *record)
{
    static const uint8_t first_name[1] = {1};
    struct vs_tree_cursor *cursor;
    verso_err err = vs_tree_cursor_open(catalogue, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_tree_entry entry;
    err = after.size > 0
              ? vs_tree_cursor_seek(cursor, VERSO_SEEK_GT, after, &entry)
              : vs_tree_cursor_seek(cursor, VERSO_SEEK_GE, (verso_slice){first_name, 1}, &entry);
    if (err == VERSO_OK) {
        const char *fault = vs_name_is_sound(entry.key) && !entry.value.is_run
                                ? vs_tree_record_decode(entry.value.slice, record)
                                : "an entry behind the first name is none";
        err = fault == NULL ? VERSO_OK : bad_entry(fault);
    } else if (err == VERSO_NOT_FOUND) {
        err = vs_fault_text(VERSO_NOT_FOUND, "there are no more trees");
    }
    if (err == VERSO_OK) {
        memcpy(bytes, entry.key.data, entry.key.size);
        *name = (verso_slice){bytes, entry.key.size};
    }
    vs_tree_cursor_close(cursor);
    return err;
}

verso_err vs_catalogue_next_number(const struct vs_tree_view *catalogue, uint64_t *number)
{
    verso_slice value;
    verso_err err = get(catalogue, vs_next_number_key(), &value);
    if (err == VERSO_NOT_FOUND) {
        *number = 1;
        return VERSO_OK;
    }
    if (err != VERSO_OK) {
        return err;
    }
    const char *fault = vs_number_value_decode(value, number);
    return fault == NULL ? VERSO_OK : bad_entry(fault);
}

/* ---- changing ---- */

static verso_err put(struct vs_tree_edit *catalogue, verso_slice key, verso_slice value,
                     bool *broken)
{
    return vs_tree_put(catalogue, VS_PUT_UPSERT, key, value, NULL, NULL, broken);
}

/** The second and later steps of a change: failing there leaves only abort. */
static verso_err or_break(verso_err err, bool *broken)
{
    *broken = *broken || err != VERSO_OK;
    return err;
}

/** Make sure that trees to come get higher numbers. */
static verso_err pass_number(struct vs_tree_edit *catalogue, uint64_t number, bool *broken)
{
    struct vs_tree_view view = vs_tree_edit_view(catalogue);
    uint64_t next = 0;
    verso_err err = vs_catalogue_next_number(&view, &next);
    if (err != VERSO_OK || number < next) {
        return err;
    }
    uint8_t bytes[VS_NUMBER_VALUE_SIZE];
    return put(catalogue, vs_next_number_key(), vs_number_value_encode(number + 1, bytes), broken);
}

verso_err vs_catalogue_update(struct vs_tree_edit *catalogue, verso_slice name,
                              const struct vs_tree_record *record, bool *broken)
{
    uint8_t bytes[VS_TREE_RECORD_SIZE];
    return put(catalogue, name, vs_tree_record_encode(record, bytes), broken);
}

verso_err vs_catalogue_enter(struct vs_tree_edit *catalogue, verso_slice name,
                             const struct vs_tree_record *record, bool *broken)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    verso_err err = vs_catalogue_update(catalogue, name, record, broken);
    if (err != VERSO_OK) {
        return err;
    }
    err = put(catalogue, vs_number_key(record->number, key), name, broken);
    if (err == VERSO_OK) {
        err = pass_number(catalogue, record->number, broken);
    }
    return or_break(err, broken);
}

verso_err vs_catalogue_remove(struct vs_tree_edit *catalogue, verso_slice name, uint64_t number,
                              bool *broken)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    verso_err err = vs_tree_delete(catalogue, name, NULL, NULL, broken);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_tree_delete(catalogue, vs_number_key(number, key), NULL, NULL, broken);
    if (err == VERSO_NOT_FOUND) {
        err = bad_entry("a tree's number is missing");
    }
    return or_break(err, broken);
}

verso_err vs_catalogue_rename(struct vs_tree_edit *catalogue, verso_slice name,
                              const struct vs_tree_record *record, verso_slice to, bool *broken)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    verso_err err = vs_catalogue_update(catalogue, to, record, broken);
    if (err != VERSO_OK) {
        return err;
    }
    err = vs_tree_delete(catalogue, name, NULL, NULL, broken);
    if (err == VERSO_OK) {
        err = put(catalogue, vs_number_key(record->number, key), to, broken);
    }
    return or_break(err, broken);
}
