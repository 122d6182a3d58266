/*
 * new_file.h - a file that appears under its name complete and durable, or not at all.
 *
 * It is written under a temporary name beside it, NAME-wal.new, and keeps its lock until it is
 * closed: two creators cannot both succeed, and what a crash leaves is known by being unlocked. It is
 * then removed: so the name is one of those that the engine alone gives.
 *
 * Threads: a vs_new_file is its owner's.
 */
#ifndef VERSO_STORE_NEW_FILE_H
#define VERSO_STORE_NEW_FILE_H

#include "os/os.h"

struct vs_new_file {
    const struct vs_os *os;
    const char *path; /* borrowed */
    char *temporary;  /* its name until it is published; owned */
    struct vs_file *file;
};

/**
 * Make the temporary file, empty and locked; one that a crash has left behind goes.
 *
 * @param path  Borrowed until the file is published or discarded.
 * @retval VERSO_BUSY  Somebody else is making it at this moment.
 */
verso_err vs_new_file_begin(const struct vs_os *os, const char *path, struct vs_new_file *fresh);

/** Let others read it under its temporary name; nobody can take it for left behind meanwhile. */
verso_err vs_new_file_share(struct vs_new_file *fresh);

/**
 * Give the written and synced file its name, make that durable, and close it.
 *
 * @retval VERSO_EXISTS  Something is at the path; nothing is left behind, as after all errors.
 */
verso_err vs_new_file_publish(struct vs_new_file *fresh);

/** Give up: close and delete it. */
void vs_new_file_discard(struct vs_new_file *fresh);

#endif
