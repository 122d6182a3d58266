/*
 * increment.c - making increments, and applying them: one root, one commit under the given id.
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "api/copy.h"
#include "history/increment.h"
#include "os/fault.h"

enum { GAP_MAX = 1 << 20 }; /* ids passed over that the list of recent roots holds beside others */

/* ---- making ---- */

/* Read the whole file once: every record is proved. */
static verso_err prove(struct vs_file *file, const char *path, struct vs_increment_reader *reader)
{
    struct vs_increment_record record;
    verso_err err = vs_increment_read_begin(file, path, reader);
    while (err == VERSO_OK) {
        err = vs_increment_read_next(reader, &record);
    }
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}

static verso_err write_and_prove(const struct vs_copy_roots *roots, struct vs_new_file *fresh,
                                 struct vs_copy_figures *figures)
{
    verso_err err = vs_increment_write(roots, fresh->file, &figures->bytes);
    figures->roots = roots->count - 1; /* the first is what it begins at */
    figures->newest = roots->root[roots->count - 1].record.version;
    if (err == VERSO_OK) {
        struct vs_increment_reader reader;
        err = prove(fresh->file, fresh->temporary, &reader);
        vs_increment_read_clear(&reader);
    }
    return err;
}

verso_err verso_copy_since(verso_store *store, verso_root_id since, const char *path,
                           verso_copy_report *report)
{
    verso_err err = vs_copy_check_arguments(store, path, report);
    if (err == VERSO_OK && since == 0) {
        err = vs_fault(VERSO_NOT_FOUND, "root 0 is no root: make a whole copy first");
    }
    if (err != VERSO_OK) {
        return err;
    }
    const struct vs_copy_choice choice = {.since = since};
    return vs_copy_make(store, path, &choice, write_and_prove, report);
}

/* ---- does it belong here? ---- */

/** An increment on its way into a store. */
struct applying {
    struct vs_store *store;
    const char *path;
    struct vs_increment_reader reader;
    struct vs_tree_set trees;
    struct vs_operations operations; /* of the running transaction, for the log */
    uint64_t tip;                    /* what the next root is to follow */
    uint64_t tip_fingerprint;
    bool running; /* a transaction is, for this root: */
    struct vs_increment_root root;
    uint8_t note[VS_NOTE_MAX];
    struct vs_copy_figures figures;
};

static void look_at_tip(struct applying *applying)
{
    struct vs_store *store = applying->store;
    vs_fair_lock_take(&store->writer_lock);
    applying->tip = store->tip.version;
    applying->tip_fingerprint = store->tip.fingerprint;
    vs_store_release_writer(store);
}

static void name_uuid(const uint8_t *uuid, char text[33])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 16; i++) {
        text[2 * i] = digits[uuid[i] >> 4];
        text[2 * i + 1] = digits[uuid[i] & 15];
    }
    text[32] = '\0';
}

static verso_err check_uuid(const struct applying *applying)
{
    struct vs_store *store = applying->store;
    uint8_t uuid[16];
    vs_lock_take(&store->roots.lookup_lock); /* guards the meta */
    memcpy(uuid, store->meta.uuid, sizeof uuid);
    vs_lock_release(&store->roots.lookup_lock);
    if (memcmp(uuid, applying->reader.header.uuid, sizeof uuid) == 0) {
        return VERSO_OK;
    }
    char here[33];
    char there[33];
    name_uuid(uuid, here);
    name_uuid(applying->reader.header.uuid, there);
    return vs_fault(VERSO_MISMATCH, "%s: an increment of store %s; this is store %s",
                    applying->path, there, here);
}

static bool is_tip(const struct applying *applying, uint64_t version, uint64_t fingerprint)
{
    return version == applying->tip && fingerprint == applying->tip_fingerprint;
}

/* Read the whole file; the newest root here must be the one at which it begins, or one in it. */
static verso_err check_increment(struct applying *applying, struct vs_file *file)
{
    struct vs_increment_reader *reader = &applying->reader;
    struct vs_increment_record record;
    verso_err err = vs_increment_read_begin(file, applying->path, reader);
    if (err == VERSO_OK) {
        err = check_uuid(applying);
    }
    bool fits =
        err == VERSO_OK && is_tip(applying, reader->header.base, reader->header.fingerprint);
    while (err == VERSO_OK) {
        err = vs_increment_read_next(reader, &record);
        if (err == VERSO_OK && record.kind == VS_INCREMENT_ROOT) {
            fits = fits || is_tip(applying, record.root.version, record.root.fingerprint);
        }
    }
    if (err != VERSO_NOT_FOUND) {
        return err;
    }
    return fits ? VERSO_OK
                : vs_fault(VERSO_MISMATCH,
                           "%s: goes on from root %" PRIu64 " (fingerprint %016" PRIx64
                           "); the newest root here is %" PRIu64 " (%016" PRIx64 ")",
                           applying->path, reader->header.base, reader->header.fingerprint,
                           applying->tip, applying->tip_fingerprint);
}

/* ---- applying ---- */

static void give_up(struct applying *applying)
{
    if (applying->running) {
        vs_store_abort(applying->store);
        vs_tree_set_end(&applying->trees);
        applying->running = false;
    }
}

/* Ids that are passed over: the log has to say so before anything else. */
static verso_err note_gap(struct applying *applying, uint64_t version)
{
    if (version == applying->tip + 1) {
        return VERSO_OK;
    }
    const struct vs_operation drop = {.kind = VS_OPERATION_DROP_ROOTS,
                                      .number = {applying->tip + 1, version - 1}};
    verso_err err = vs_operations_reserve(&applying->operations, 0);
    if (err == VERSO_OK) {
        vs_operations_note(&applying->operations, &drop);
    }
    return err;
}

/* The list of recent roots has no room for far more ids than there are roots in it: empty it. */
static verso_err make_room_for_gap(struct applying *applying, uint64_t version)
{
    if (version - applying->tip < GAP_MAX) {
        return VERSO_OK;
    }
    struct vs_store *store = applying->store;
    return store->in_memory ? vs_store_settle_memory(store) : vs_store_checkpoint(store, false);
}

static verso_err begin(struct applying *applying, const struct vs_increment_root *root)
{
    struct vs_store *store = applying->store;
    struct vs_page_writer *writer;
    verso_err err = make_room_for_gap(applying, root->version);
    if (err == VERSO_OK) {
        err = vs_store_begin_at(store, root->version, &writer);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (store->tip.version != applying->tip) {
        err = vs_fault(VERSO_MISMATCH, "%s: root %" PRIu64 " was committed meanwhile",
                       applying->path, store->tip.version);
        vs_store_abort(store);
        return err;
    }
    vs_tree_set_begin(&applying->trees, writer, &store->tip);
    vs_operations_restart(&applying->operations, !store->in_memory, store->config.log_bytes);
    applying->running = true;
    applying->root = *root;
    applying->root.note.data = applying->note;
    if (root->note.size > 0) {
        memcpy(applying->note, root->note.data, root->note.size);
    }
    return note_gap(applying, root->version);
}

static verso_err does_not_fit(const struct applying *applying, const char *what)
{
    return vs_fault(VERSO_CORRUPT, "%s: after root %" PRIu64 ": %s", applying->path, applying->tip,
                    what);
}

static verso_err run(struct applying *applying, verso_slice operations)
{
    const uint8_t *at = operations.data;
    const uint8_t *end = at + operations.size;
    while (at < end) {
        struct vs_operation operation;
        const char *fault = vs_operation_decode(&at, end, &operation);
        assert(fault == NULL); /* reading the record has proved it */
        (void)fault;
        verso_err err =
            vs_operations_reserve(&applying->operations, operation.key.size + operation.value.size);
        if (err == VERSO_OK) {
            err = vs_replay_operation(&applying->trees, &operation);
        }
        if (err == VERSO_NOT_FOUND || err == VERSO_EXISTS || err == VERSO_TOO_BIG) {
            return does_not_fit(applying, "an operation does not fit it");
        }
        if (err != VERSO_OK) {
            return err;
        }
        vs_operations_note(&applying->operations, &operation);
    }
    return VERSO_OK;
}

static verso_err commit(struct applying *applying)
{
    struct vs_store *store = applying->store;
    struct vs_tree_set *trees = &applying->trees;
    struct vs_commit commit = {
        .tree = trees->main.root,
        .catalogue = trees->catalogue.root,
        .fingerprint = applying->root.fingerprint,
        .time_us = applying->root.time_us,
        .note = applying->root.note,
        .operations = {applying->operations.bytes, applying->operations.size},
        .bypass_log = applying->operations.overflowed,
    };
    uint64_t end_lsn;
    verso_err err = vs_store_commit(store, &commit, &applying->tip, &end_lsn);
    vs_tree_set_end(trees);
    applying->running = false;
    if (err != VERSO_OK) {
        return err;
    }
    applying->figures.roots++;
    /* durable at the end, all together; but nobody runs far ahead of the log */
    return vs_store_wait(store, end_lsn, VERSO_DURABILITY_INTERVAL);
}

/* All operations of the running root were run. */
static verso_err finish_root(struct applying *applying)
{
    if (!applying->running) {
        return VERSO_OK;
    }
    bool broken = false;
    verso_err err = vs_tree_set_settle(&applying->trees, &broken);
    if (err != VERSO_OK) {
        return err;
    }
    if (vs_tree_set_fingerprint(&applying->trees) != applying->root.fingerprint) {
        return does_not_fit(applying, "the next root would have another fingerprint");
    }
    return commit(applying);
}

static verso_err apply_record(struct applying *applying, const struct vs_increment_record *record)
{
    if (record->kind == VS_INCREMENT_OPERATIONS) {
        return applying->running ? run(applying, record->operations) : VERSO_OK;
    }
    verso_err err = finish_root(applying);
    bool is_new = record->root.version > applying->tip; /* else it is there */
    return err == VERSO_OK && is_new ? begin(applying, &record->root) : err;
}

/* The second reading: each root is one commit. Those up to the newest here are passed over. */
static verso_err apply_all(struct applying *applying, struct vs_file *file)
{
    vs_increment_read_clear(&applying->reader);
    struct vs_increment_record record;
    verso_err err = vs_increment_read_begin(file, applying->path, &applying->reader);
    while (err == VERSO_OK) {
        err = vs_increment_read_next(&applying->reader, &record);
        if (err == VERSO_OK) {
            err = apply_record(applying, &record);
        }
    }
    if (err == VERSO_NOT_FOUND) { /* its end */
        err = finish_root(applying);
    }
    give_up(applying);
    applying->figures.bytes = applying->reader.at;
    applying->figures.newest = applying->tip;
    verso_err synced = vs_store_sync(applying->store); /* of roots before an error, too */
    return err != VERSO_OK ? err : synced;
}

verso_err verso_copy_apply(verso_store *store, const char *path, verso_copy_report *report)
{
    verso_err err = vs_copy_check_arguments(store, path, report);
    if (err == VERSO_OK && store->store->read_only) {
        err = vs_fault(VERSO_READ_ONLY, "the store is open for reading only");
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct applying applying = {.store = store->store, .path = path};
    const struct vs_os *os = store->store->os;
    struct vs_file *file;
    err = os->open(os, path, VS_OPEN_READ, &file);
    if (err != VERSO_OK) {
        return err;
    }
    atomic_fetch_add_explicit(&store->views, 1, memory_order_relaxed); /* closing is refused */
    look_at_tip(&applying);
    err = check_increment(&applying, file);
    if (err == VERSO_OK) {
        err = apply_all(&applying, file);
    }
    if (err == VERSO_OK) {
        vs_copy_fill_report(report, &applying.figures);
    }
    vs_increment_read_clear(&applying.reader);
    vs_tree_set_clear(&applying.trees);
    vs_operations_clear(&applying.operations);
    os->close(file);
    atomic_fetch_sub_explicit(&store->views, 1, memory_order_release);
    return err;
}
