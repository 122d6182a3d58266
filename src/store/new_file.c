/*
 * new_file.c - a file that appears under its name complete and durable, or not at all.
 *
 * The temporary file is locked before anything is written to it: whoever removes its name, or gives
 * it another, holds the lock.
 */
#include "store/new_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"

#define SUFFIX "-wal.new" /* among the names of the log, of which it is none */

enum {
    ATTEMPTS = 4,      /* at the temporary name, before another creator is believed */
    REASON_SIZE = 256, /* of a detail that is quoted */
};

/* Lock the file; *named: it still had its name afterwards. */
static verso_err lock_named(struct vs_file *file, bool *named)
{
    struct vs_file_identity identity;
    verso_err err = file->os->lock(file, true);
    if (err == VERSO_OK) {
        err = file->os->identify(file, &identity);
        *named = err == VERSO_OK && identity.links > 0;
    }
    return err;
}

/* Remove a temporary file that a crash has left behind: nobody holds its lock. */
static verso_err remove_left_behind(const struct vs_os *os, const char *temporary)
{
    struct vs_file *file;
    verso_err err = os->open(os, temporary, VS_OPEN_WRITE_OWN, &file);
    if (err != VERSO_OK) {
        return err == VERSO_NO_STORE ? VERSO_OK : err;
    }
    bool named = false;
    err = lock_named(file, &named);
    if (err == VERSO_OK && named) {
        err = os->unlink(os, temporary);
    }
    os->close(file);
    return err;
}

/* The temporary file, ours alone: locked, and still under its name. */
static verso_err open_temporary(struct vs_new_file *fresh)
{
    const struct vs_os *os = fresh->os;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        verso_err err = os->open(os, fresh->temporary, VS_OPEN_CREATE, &fresh->file);
        if (err == VERSO_OK) {
            bool named = false;
            err = lock_named(fresh->file, &named);
            if (err == VERSO_OK && named) {
                return VERSO_OK;
            }
            if (err != VERSO_OK && err != VERSO_BUSY) { /* busy: who holds it is removing it */
                verso_err removed = os->unlink(os, fresh->temporary);
                (void)removed; /* the first error is the one to report */
            }
            os->close(fresh->file);
        } else if (err == VERSO_INVALID) { /* there is one */
            err = remove_left_behind(os, fresh->temporary);
        }
        if (err != VERSO_OK) {
            return err;
        }
    }
    return vs_fault(VERSO_BUSY, "%s: somebody else is making this file", fresh->path);
}

verso_err vs_new_file_begin(const struct vs_os *os, const char *path, struct vs_new_file *fresh)
{
    size_t size = strlen(path) + sizeof SUFFIX;
    *fresh = (struct vs_new_file){.os = os, .path = path, .temporary = malloc(size)};
    if (fresh->temporary == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to make %s", path);
    }
    snprintf(fresh->temporary, size, "%s" SUFFIX, path);
    verso_err err = open_temporary(fresh);
    if (err != VERSO_OK) {
        free(fresh->temporary);
    }
    return err;
}

verso_err vs_new_file_share(struct vs_new_file *fresh)
{
    return fresh->os->lock(fresh->file, false);
}

static void close_file(struct vs_new_file *fresh)
{
    fresh->os->close(fresh->file);
    free(fresh->temporary);
}

/* The first error is the one to report; but if the name stays, whoever asked must know. */
static verso_err take_name_back(struct vs_new_file *fresh, verso_err err)
{
    char reason[REASON_SIZE];
    (void)snprintf(reason, sizeof reason, "%s", vs_fault_detail());
    if (fresh->os->unlink(fresh->os, fresh->path) == VERSO_OK) {
        return vs_fault(err, "%s", reason);
    }
    return vs_fault(err, "%s; and %s, whole but perhaps not after a crash, cannot be removed again",
                    reason, fresh->path);
}

verso_err vs_new_file_publish(struct vs_new_file *fresh)
{
    verso_err err = fresh->os->rename_new(fresh->os, fresh->temporary, fresh->path);
    if (err != VERSO_OK) {
        vs_new_file_discard(fresh);
        return err;
    }
    err = fresh->os->sync_directory(fresh->os, fresh->path);
    if (err != VERSO_OK) { /* a name that may not last is none */
        err = take_name_back(fresh, err);
    }
    close_file(fresh);
    return err;
}

void vs_new_file_discard(struct vs_new_file *fresh)
{
    verso_err removed = fresh->os->unlink(fresh->os, fresh->temporary);
    (void)removed; /* what made us give up is the one to report */
    close_file(fresh);
}
