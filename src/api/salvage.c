/*
 * salvage.c - getting out of a damaged store what can still be read and proved, into a new one.
 *
 * The damaged store is opened read-only: nothing of it is written, and no recovery is run on it. The
 * new one gets one root, by one commit; before that it is an empty store.
 */
#include "api/salvage.h"

#include <stdio.h>
#include <string.h>

#include "api/copy.h"
#include "store/log.h"
#include "store/store_create.h"

enum { ARENA_BYTES = 64 << 20, LOG_BYTES = 1 << 20 };

static verso_err check_sizes(const verso_salvage_options *options,
                             const verso_salvage_report *report)
{
    if (options != NULL && (options->size < sizeof *options || options->size > 4096)) {
        return vs_fault(VERSO_INVALID, "salvage options: `size` is %zu; set it to sizeof",
                        options->size);
    }
    if (report != NULL && (report->size < sizeof *report || report->size > 4096)) {
        return vs_fault(VERSO_INVALID, "salvage report: `size` is %zu; set it to sizeof",
                        report->size);
    }
    return VERSO_OK;
}

static const struct vs_os *system_of(const verso_salvage_options *options)
{
    return options->system != NULL ? options->system : vs_os_real();
}

/* ---- the two stores ---- */

static verso_err open_damaged(struct vs_salvage *salvage, const char *path)
{
    struct vs_store_config config = {
        .os = system_of(salvage->options),
        .path = path,
        .read_only = true,
        .salvaging = true,
        .guard_reads = true,
        .retention = verso_keep_default(),
        .durability = VERSO_DURABILITY_SYNC,
        .arena_bytes = ARENA_BYTES,
        .log_bytes = LOG_BYTES,
    };
    return vs_store_open(&config, &vs_history_calls, &salvage->from);
}

/* What was begun goes again: an empty store under that name would pass for a salvage. */
static void remove_new(const struct vs_os *os, const char *path)
{
    verso_err removed = os->unlink(os, path);
    (void)removed; /* the first error is the one to report */
}

/* Create it here, and open it then: what somebody else has put there meanwhile is not ours to remove
 * if that fails. */
static verso_err open_new(const struct vs_salvage *salvage, const char *path, verso_store **store)
{
    const struct vs_meta *meta = &salvage->from->meta;
    const struct vs_os *os = system_of(salvage->options);
    const struct vs_store_config config = {
        .os = os, .path = path, .page_size = meta->page_size, .retention = meta->retention};
    verso_options options = VERSO_OPTIONS_INIT;
    options.system = os;
    verso_err err = vs_copy_check_place(os, path);
    if (err == VERSO_OK) {
        err = vs_store_create(&config);
    }
    if (err != VERSO_OK) {
        return err;
    }
    err = verso_open(path, &options, store);
    if (err != VERSO_OK) {
        remove_new(os, path);
    }
    return err;
}

/* ---- the one commit ---- */

static verso_err commit(struct vs_salvage *salvage)
{
    struct vs_store *to = salvage->to;
    struct vs_tree_set *trees = &salvage->trees;
    char note[64];
    int size = snprintf(note, sizeof note, "salvaged from root %llu",
                        (unsigned long long)salvage->report.root);
    struct vs_commit commit = {
        .tree = trees->main.root,
        .catalogue = trees->catalogue.root,
        .fingerprint = vs_tree_set_fingerprint(trees),
        .time_us = to->os->clock_us(to->os),
        .note = {note, (size_t)size},
        .bypass_log = true,
    };
    uint64_t version;
    uint64_t end_lsn;
    return vs_store_commit(to, &commit, &version, &end_lsn);
}

static verso_err fill(struct vs_salvage *salvage)
{
    struct vs_page_writer *writer;
    verso_err err = vs_store_begin(salvage->to, &writer);
    if (err != VERSO_OK) {
        return err;
    }
    vs_tree_set_begin(&salvage->trees, writer, &salvage->to->tip);
    err = vs_salvage_content(salvage);
    if (err == VERSO_OK) {
        err = commit(salvage);
    } else {
        vs_store_abort(salvage->to);
    }
    vs_tree_set_end(&salvage->trees);
    vs_tree_set_clear(&salvage->trees);
    return err;
}

static verso_err make_new(struct vs_salvage *salvage, const char *path)
{
    verso_store *store;
    verso_err err = open_new(salvage, path, &store);
    if (err != VERSO_OK) {
        return err;
    }
    salvage->to = store->store;
    struct vs_log_config log = vs_store_log_config(salvage->to);
    log.path = path;
    err = fill(salvage);
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s", vs_fault_detail());
    verso_err closed = verso_close(store);
    if (err == VERSO_OK && closed == VERSO_OK) {
        return VERSO_OK;
    }
    if (err == VERSO_OK) {
        err = closed;
        (void)snprintf(reason, sizeof reason, "%s", vs_fault_detail());
    }
    verso_err removed = vs_log_remove(&log); /* which to the next store there is another's */
    (void)removed;                           /* the first error is the one to report */
    remove_new(system_of(salvage->options), path);
    return vs_fault(err, "%s", reason);
}

verso_err verso_salvage(const char *path, const char *to, const verso_salvage_options *given,
                        verso_salvage_report *report)
{
    const verso_salvage_options defaults = {.size = sizeof defaults};
    if (path == NULL || path[0] == '\0' || to == NULL || to[0] == '\0') {
        return vs_fault(VERSO_INVALID, "verso_salvage: a path is NULL or empty");
    }
    verso_err err = check_sizes(given, report);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_salvage salvage = {.options = given == NULL ? &defaults : given};
    err = open_damaged(&salvage, path);
    if (err != VERSO_OK) {
        return err;
    }
    err = make_new(&salvage, to);
    char reason[256];
    (void)snprintf(reason, sizeof reason, "%s", err == VERSO_OK ? "" : vs_fault_detail());
    verso_err closed = vs_store_close(salvage.from);
    (void)closed; /* nothing was written to it */
    if (err == VERSO_OK && report != NULL) {
        salvage.report.size = report->size;
        memcpy(report, &salvage.report, sizeof *report);
    }
    return err == VERSO_OK ? err : vs_fault(err, "%s", reason);
}
