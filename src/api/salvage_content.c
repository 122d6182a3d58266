/*
 * salvage_content.c - from the pages and the log of a damaged store to operations on a new one.
 *
 * First the checkpoint that the meta names: the list of trees, then each tree. A tree whose top
 * cannot be read waits until the others are done: if nothing of them is missing, the one chain of
 * leaves that is left over is its own. Then the log's operations, which need nothing of the old pages: they say what to put and
 * what to delete, by the numbers of trees, which the new store has as the old one had them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/salvage.h"
#include "format/name.h"

static verso_err run(struct vs_salvage *salvage, const struct vs_operation *operation)
{
    return vs_replay_operation(&salvage->trees, operation);
}

/* ---- what is lost ---- */

static void report_lost(void *argument, const struct vs_lost_keys *lost)
{
    struct vs_salvage *salvage = argument;
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s", lost->reason);
    salvage->report.losses++;
    salvage->report.missing_keys += lost->keys;
    if (salvage->options->lost == NULL) {
        return;
    }
    verso_salvage_loss loss = {
        .size = sizeof loss,
        .tree = salvage->name,
        .has_from = lost->range.has_from,
        .has_to = lost->range.has_to,
        .from = lost->range.from,
        .to = lost->range.to,
        .keys = lost->keys,
        .page = lost->page,
        .reason = reason,
    };
    salvage->options->lost(salvage->options->argument, &loss);
}

/* ---- trees ---- */

static verso_err put(void *argument, verso_slice key, verso_slice value)
{
    struct vs_salvage *salvage = argument;
    const struct vs_operation operation = {
        .kind = VS_OPERATION_PUT, .number = {salvage->number, 0}, .key = key, .value = value};
    return run(salvage, &operation);
}

/* Walk over one tree. *rootless: it is to be tried again when all others were walked. */
static verso_err walk_tree(struct vs_salvage *salvage, struct vs_remains *remains, bool *rootless)
{
    remains->shared = &salvage->pages;
    remains->lost = report_lost;
    remains->argument = salvage;
    verso_err err = vs_remains_walk(remains);
    *rootless = remains->is_rootless;
    salvage->report.bad_pages += remains->bad;
    return err;
}

/* The leaves that are left over are the tree's. */
static verso_err adopt(struct vs_salvage *salvage, struct vs_remains *remains)
{
    remains->bad = 0;
    verso_err err = vs_remains_adopt(remains);
    salvage->report.bad_pages += remains->bad;
    return err;
}

static void give_up(struct vs_salvage *salvage, const struct vs_remains *remains)
{
    const struct vs_lost_keys all = {.page = remains->origin,
                                     .keys = remains->root.keys,
                                     .reason =
                                         "its top cannot be read, nor told which leaves are its"};
    report_lost(salvage, &all);
}

/* ---- the list of trees ---- */

static verso_err note_tree(void *argument, verso_slice key, verso_slice value)
{
    struct vs_salvage *salvage = argument;
    struct vs_tree_record record;
    if (vs_catalogue_kind(key) == VS_CATALOGUE_CONDEMNED) {
        salvage->has_condemned = true;
    }
    if (!vs_name_is_sound(key) || vs_tree_record_decode(value, &record) != NULL) {
        return VERSO_OK; /* numbers: the names say all */
    }
    if (salvage->tree_count == salvage->tree_capacity) {
        size_t capacity = 2 * salvage->tree_capacity + 16;
        void *grown = realloc(salvage->tree, capacity * sizeof *salvage->tree);
        if (grown == NULL) {
            return vs_fault(VERSO_NOMEM, "no memory for the list of trees");
        }
        salvage->tree = grown;
        salvage->tree_capacity = capacity;
    }
    struct vs_salvage_tree *tree = &salvage->tree[salvage->tree_count++];
    *tree = (struct vs_salvage_tree){.name_size = key.size, .record = record};
    memcpy(tree->name, key.data, key.size);
    return VERSO_OK;
}

static verso_err read_names(struct vs_salvage *salvage)
{
    struct vs_remains remains = {.root = salvage->from->meta.root.catalogue, .found = note_tree};
    bool rootless = false;
    salvage->name = NULL;
    verso_err err = walk_tree(salvage, &remains, &rootless);
    if (rootless) {
        give_up(salvage, &remains);
    }
    return err;
}

/* ---- all trees ---- */

/** Trees without a top that can be read: of one, the leaves can be told; of more, not. */
struct rootless {
    struct vs_remains first;
    const char *name;
    uint64_t number;
    size_t count;
};

static verso_err salvage_tree(struct vs_salvage *salvage, const char *name, uint64_t number,
                              struct vs_tree_root root, struct rootless *rootless)
{
    struct vs_remains remains = {.root = root, .found = put};
    bool is_rootless = false;
    salvage->name = name;
    salvage->number = number;
    verso_err err = walk_tree(salvage, &remains, &is_rootless);
    if (err != VERSO_OK || !is_rootless) {
        salvage->report.keys += remains.keys;
        return err;
    }
    if (rootless->count++ == 0) {
        rootless->first = remains;
        rootless->name = name;
        rootless->number = number;
        return VERSO_OK;
    }
    give_up(salvage, &remains);
    return VERSO_OK;
}

static verso_err create_tree(struct vs_salvage *salvage, const struct vs_salvage_tree *tree)
{
    const struct vs_operation operation = {.kind = VS_OPERATION_CREATE_TREE,
                                           .number = {tree->record.number, 0},
                                           .key = {tree->name, tree->name_size}};
    return run(salvage, &operation);
}

static verso_err salvage_named(struct vs_salvage *salvage, const struct vs_salvage_tree *tree,
                               struct rootless *rootless)
{
    verso_err err = create_tree(salvage, tree);
    if (err == VERSO_EXISTS || err == VERSO_NOT_FOUND) { /* two names of one number */
        const struct vs_lost_keys all = {.keys = tree->record.root.keys,
                                         .reason = "another tree has its number"};
        salvage->name = tree->name;
        report_lost(salvage, &all);
        return VERSO_OK;
    }
    if (err != VERSO_OK) {
        return err;
    }
    salvage->report.trees++;
    return salvage_tree(salvage, tree->name, tree->record.number, tree->record.root, rootless);
}

static verso_err salvage_checkpoint(struct vs_salvage *salvage)
{
    struct rootless rootless = {.count = 0};
    verso_err err = read_names(salvage);
    if (err == VERSO_OK) {
        err = salvage_tree(salvage, "", 0, salvage->from->meta.root.tree, &rootless);
    }
    for (size_t i = 0; i < salvage->tree_count && err == VERSO_OK; i++) {
        err = salvage_named(salvage, &salvage->tree[i], &rootless);
    }
    if (err == VERSO_OK && rootless.count > 0) {
        salvage->name = rootless.name;
        salvage->number = rootless.number;
        uint64_t before = rootless.first.keys;
        /* any leaf that is left over must be its: nothing else is missing anywhere */
        bool alone = rootless.count == 1 && salvage->report.losses == 0 && !salvage->has_condemned;
        if (alone) {
            err = adopt(salvage, &rootless.first);
        } else {
            give_up(salvage, &rootless.first);
        }
        salvage->report.keys += rootless.first.keys - before;
    }
    return err;
}

/* ---- the log ---- */

/* Every operation must decode before the first is run. */
static bool is_sound(const struct vs_log_record *record)
{
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        if (vs_operation_decode(&at, end, &operation) != NULL) {
            return false;
        }
    }
    return true;
}

/* What does not fit meets something that is lost, or is a tree of a number that there cannot be: a
 * log makes that up. Any other limit is the new store's. */
static bool is_passed_over(const struct vs_operation *operation, verso_err err)
{
    return err == VERSO_NOT_FOUND || err == VERSO_EXISTS || err == VERSO_TOO_BIG ||
           (err == VERSO_LIMIT && operation->kind == VS_OPERATION_CREATE_TREE);
}

static verso_err run_frame(void *argument, const struct vs_log_record *record)
{
    struct vs_salvage *salvage = argument;
    if (!is_sound(record)) {
        return vs_fault(VERSO_WAL_CORRUPT, "log frame of root %llu: its operations make no sense",
                        (unsigned long long)record->version);
    }
    const uint8_t *at = record->operations.data;
    const uint8_t *end = at + record->operations.size;
    while (at < end) {
        struct vs_operation operation;
        (void)vs_operation_decode(&at, end, &operation);
        verso_err err =
            vs_operation_is_of_tree(operation.kind) ? run(salvage, &operation) : VERSO_OK;
        if (is_passed_over(&operation, err)) {
            salvage->report.skipped_operations++;
        } else if (err != VERSO_OK) {
            salvage->own_err = err;
            return err;
        }
    }
    if (!record->setting) {
        salvage->report.root = record->version;
        salvage->report.log_roots++;
        salvage->expected = record->fingerprint;
    }
    return VERSO_OK;
}

static bool is_of_log(verso_err err)
{
    return vs_is_damage(err) || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING ||
           err == VERSO_MISMATCH;
}

static verso_err salvage_log(struct vs_salvage *salvage)
{
    struct vs_store *from = salvage->from;
    struct vs_log_config config = vs_store_log_config(from);
    struct vs_log_position start = vs_store_log_start(from);
    struct vs_log_scan scan;
    bool must_exist = !from->meta.clean;
    verso_err err = vs_log_read(&config, &start, must_exist, from->meta.root.version, run_frame,
                                salvage, &scan);
    if (salvage->own_err != VERSO_OK || err == VERSO_OK) {
        return salvage->own_err;
    }
    if (!is_of_log(err)) {
        return err;
    }
    salvage->report.log_damaged = must_exist;
    (void)snprintf(salvage->report.log_fault, sizeof salvage->report.log_fault, "%s",
                   vs_fault_detail());
    return VERSO_OK;
}

/* ---- everything ---- */

verso_err vs_salvage_content(struct vs_salvage *salvage)
{
    struct vs_store *from = salvage->from;
    salvage->report.root = from->meta.root.version;
    salvage->expected = from->meta.root.fingerprint;
    uint64_t file_pages = atomic_load_explicit(&from->table.file_bytes, memory_order_acquire) >>
                          from->pages.page_shift;
    verso_err err =
        vs_remaining_pages_init(&salvage->pages, &from->pages, from->meta.root.version, file_pages);
    if (err == VERSO_OK) {
        err = salvage_checkpoint(salvage);
    }
    if (err == VERSO_OK) {
        err = salvage_log(salvage);
    }
    bool broken = false;
    if (err == VERSO_OK) {
        err = vs_tree_set_settle(&salvage->trees, &broken);
    }
    verso_salvage_report *report = &salvage->report;
    report->whole = err == VERSO_OK && report->losses == 0 && !report->log_damaged &&
                    report->skipped_operations == 0 &&
                    vs_tree_set_fingerprint(&salvage->trees) == salvage->expected;
    vs_remaining_pages_clear(&salvage->pages);
    free(salvage->tree);
    return err;
}
