/*
 * copy.h - what copies and increments have in common: a file made from pinned roots, proved under a
 * temporary name.
 */
#ifndef VERSO_API_COPY_H
#define VERSO_API_COPY_H

#include "api/handles.h"
#include "history/copy.h"
#include "store/new_file.h"

/** Early, so that no long copy is made in vain: is the place of a copy free? VERSO_EXISTS. */
verso_err vs_copy_check_place(const struct vs_os *os, const char *path);

/** Write and prove a file. */
typedef verso_err (*vs_copy_writer)(const struct vs_copy_roots *roots, struct vs_new_file *fresh,
                                    struct vs_copy_figures *figures);

/** Are a public call's arguments sound, and the store this process's own? */
verso_err vs_copy_check_arguments(const verso_store *store, const char *path,
                                  const verso_copy_report *report);

/** Make all that is published durable, pin the chosen roots, let `writer` make the file of them, and
 *  name it. The arguments are sound; `report` may be NULL. */
verso_err vs_copy_make(verso_store *store, const char *path, const struct vs_copy_choice *choice,
                       vs_copy_writer writer, verso_copy_report *report);

/** Fill as much of a caller's report as it has; NULL: nothing. */
void vs_copy_fill_report(verso_copy_report *given, const struct vs_copy_figures *figures);

#endif
