/*
 * copy.c - copies of a store: written under a temporary name, checked there, then named.
 */
#include <stdio.h>
#include <string.h>

#include "api/copy.h"
#include "os/fault.h"

static verso_err read_options(const verso_copy_options *given, verso_copy_options *options)
{
    *options = (verso_copy_options){.size = sizeof *options};
    if (given == NULL) {
        return VERSO_OK;
    }
    if (given->size < sizeof given->size || given->size > 4096) {
        return vs_fault(VERSO_INVALID, "copy options: `size` is %zu; set it to sizeof",
                        given->size);
    }
    memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    if (options->root_count > 0 && (options->roots == NULL || options->newest_only)) {
        return vs_fault(VERSO_INVALID, "copy options: %s",
                        options->newest_only ? "newest_only and roots exclude each other"
                                             : "`roots` is NULL");
    }
    for (size_t i = 1; i < options->root_count; i++) {
        if (options->roots[i - 1] >= options->roots[i]) {
            return vs_fault(VERSO_INVALID, "copy options: roots[%zu] is not above the one before",
                            i);
        }
    }
    return VERSO_OK;
}

/* What others are told must not be lost by a crash. A store that a failed sync has poisoned can
   still be rescued as far as it is published. */
static verso_err make_durable(struct vs_store *store)
{
    verso_err err = vs_store_sync(store);
    return err == VERSO_POISONED ? VERSO_OK : err;
}

/* ---- the place ---- */

static verso_err log_is_there(void *argument, const char *path)
{
    (void)argument;
    return vs_fault(VERSO_EXISTS, "%s is there: the log of another store", path);
}

/* Publishing decides. */
verso_err vs_copy_check_place(const struct vs_os *os, const char *path)
{
    struct vs_file *file;
    verso_err err = os->open(os, path, VS_OPEN_READ, &file);
    if (err == VERSO_OK) {
        os->close(file);
    }
    if (err == VERSO_OK || err == VERSO_FORMAT) {
        return vs_fault(VERSO_EXISTS, "%s: there is something of that name", path);
    }
    if (err != VERSO_NO_STORE) {
        return err;
    }
    char prefix[4096];
    int size = snprintf(prefix, sizeof prefix, "%s-wal.", path);
    if (size >= (int)sizeof prefix) {
        return vs_fault(VERSO_INVALID, "the path of the copy is too long");
    }
    return os->list(os, prefix, log_is_there, NULL);
}

/* ---- the copy ---- */

/* Open the copy by itself and prove it. */
static verso_err check_copy(const struct vs_os *os, const char *path)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = true;
    options.system = os;
    verso_store *copy;
    verso_err err = verso_open(path, &options, &copy);
    if (err != VERSO_OK) {
        return err;
    }
    verso_check_report report = {.size = sizeof report};
    err = verso_check(copy, &report);
    verso_err closed = verso_close(copy);
    return err != VERSO_OK ? err : closed;
}

static verso_err write_and_check(const struct vs_copy_roots *roots, struct vs_new_file *fresh,
                                 struct vs_copy_figures *figures)
{
    verso_err err = vs_copy_write(roots, fresh->file, figures);
    if (err == VERSO_OK) {
        err = vs_new_file_share(fresh);
    }
    return err == VERSO_OK ? check_copy(fresh->os, fresh->temporary) : err;
}

void vs_copy_fill_report(verso_copy_report *given, const struct vs_copy_figures *figures)
{
    if (given == NULL) {
        return;
    }
    verso_copy_report report = {
        .size = given->size,
        .roots = figures->roots,
        .pages = figures->pages,
        .bytes = figures->bytes,
        .newest = figures->newest,
    };
    memcpy(given, &report, given->size < sizeof report ? given->size : sizeof report);
}

static verso_err make_file(const struct vs_copy_roots *roots, const char *path,
                           vs_copy_writer writer, verso_copy_report *report)
{
    const struct vs_os *os = roots->store->os;
    struct vs_new_file fresh;
    struct vs_copy_figures figures = {0};
    verso_err err = vs_copy_check_place(os, path);
    if (err == VERSO_OK) {
        err = vs_new_file_begin(os, path, &fresh);
    }
    if (err != VERSO_OK) {
        return err;
    }
    err = writer(roots, &fresh, &figures);
    if (err != VERSO_OK) {
        vs_new_file_discard(&fresh);
        return err;
    }
    err = vs_new_file_publish(&fresh);
    if (err == VERSO_OK) {
        vs_copy_fill_report(report, &figures);
    }
    return err;
}

verso_err vs_copy_check_arguments(const verso_store *store, const char *path,
                                  const verso_copy_report *report)
{
    if (store == NULL || path == NULL || path[0] == '\0') {
        return vs_fault(VERSO_INVALID, "a copy: %s",
                        store == NULL ? "the store is NULL" : "the path is NULL or empty");
    }
    if (report != NULL && (report->size < sizeof report->size || report->size > 4096)) {
        return vs_fault(VERSO_INVALID, "copy report: `size` is %zu; set it to sizeof",
                        report->size);
    }
    return vs_check_process(store);
}

verso_err vs_copy_make(verso_store *store, const char *path, const struct vs_copy_choice *choice,
                       vs_copy_writer writer, verso_copy_report *report)
{
    verso_err err = make_durable(store->store);
    if (err != VERSO_OK) {
        return err;
    }
    atomic_fetch_add_explicit(&store->views, 1, memory_order_relaxed); /* closing is refused */
    struct vs_copy_roots roots;
    err = vs_copy_choose(store->store, choice, &roots);
    if (err == VERSO_OK) {
        err = make_file(&roots, path, writer, report);
    }
    vs_copy_release(&roots);
    /* release: all reading comes before a close that counts it */
    atomic_fetch_sub_explicit(&store->views, 1, memory_order_release);
    return err;
}

verso_err verso_copy(verso_store *store, const char *path, const verso_copy_options *given,
                     verso_copy_report *report)
{
    verso_copy_options options;
    verso_err err = read_options(given, &options);
    if (err == VERSO_OK) {
        err = vs_copy_check_arguments(store, path, report);
    }
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_copy_choice choice = {
        .ids = options.roots,
        .count = options.root_count,
        .all = !options.newest_only && options.root_count == 0,
    };
    return vs_copy_make(store, path, &choice, write_and_check, report);
}
