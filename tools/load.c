/*
 * load.c - put the lines of files into a store, in one commit or in batches.
 *
 * A batch is announced on standard output once it is committed. What has not been announced when a
 * line turns out to be malformed is aborted, so that the user knows where to begin again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "escape.h"
#include "message.h"
#include "progress.h"
#include "session.h"
#include "verbs.h"

/** A load under way. */
struct load {
    struct session session;
    verso_txn *txn;  /* NULL between two batches */
    verso_txn *tree; /* its handle of the tree that is loaded */
    struct bytes_option tree_name;
    uint64_t batch;         /* lines a commit; 0: all in one */
    verso_slice note;       /* of every root */
    uint64_t lines;         /* put so far */
    uint64_t bytes;         /* of their keys and values */
    uint64_t lines_pending; /* of them not yet committed */
    uint64_t commits;
    bool in_doubt;      /* the last commit's outcome is unknown */
    verso_root_id root; /* the last, 0 before the first */
    struct progress progress;
};

/** Where a line comes from, for messages. */
struct place {
    const char *file;
    uint64_t line; /* 1, 2, ... */
};

static int begin(struct load *load)
{
    verso_err err = verso_begin(load->session.store, &load->txn);
    load->tree = load->txn;
    if (err == VERSO_OK && load->tree_name.given) {
        err = verso_txn_tree(load->txn, load->tree_name.bytes, true, &load->tree);
    }
    return err == VERSO_OK ? ENDS_DONE : message_failed(err, "%s: begin", load->session.path);
}

static int commit(struct load *load)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = load->note;
    verso_err err = verso_commit(load->txn, &options, &load->root);
    load->txn = NULL;
    if (err != VERSO_OK) {
        load->in_doubt = err == VERSO_UNKNOWN;
        progress_clear(&load->progress);
        return message_failed(err, "%s: commit", load->session.path);
    }
    load->commits++;
    return ENDS_DONE;
}

static int commit_batch(struct load *load)
{
    int code = commit(load);
    if (code != ENDS_DONE) {
        return code;
    }
    progress_clear(&load->progress);
    (void)printf("root %" PRIu64 ": %" PRIu64 " entries\n", load->root, load->lines_pending);
    load->lines_pending = 0;
    if (fflush(stdout) != 0) { /* announced means: the reader of the output can know it */
        return message_system_failed("standard output");
    }
    return ENDS_DONE;
}

/** Put one line, without its newline; it is overwritten. */
static int put_line(struct load *load, const struct place *place, char *line, size_t size)
{
    char *tab = memchr(line, '\t', size);
    if (tab == NULL) {
        progress_clear(&load->progress);
        message("%s:%" PRIu64 ": no tab between key and value", place->file, place->line);
        return ENDS_ERROR;
    }
    verso_slice key = {line, (size_t)(tab - line)};
    verso_slice value = {tab + 1, size - key.size - 1};
    size_t key_size = 0;
    size_t value_size = 0;
    bool key_reads = escape_read(line, key.size, &key_size);
    if (!key_reads || !escape_read(tab + 1, value.size, &value_size)) {
        size_t column = key_reads ? (size_t)(tab + 1 - line) + value_size : key_size;
        progress_clear(&load->progress);
        message("%s:%" PRIu64
                ": byte %zu: a backslash that begins no escape (\\xHH, \\t, \\n or \\\\)",
                place->file, place->line, column + 1);
        return ENDS_ERROR;
    }
    key.size = key_size;
    value.size = value_size;
    verso_err err = verso_put(load->tree, key, value);
    if (err != VERSO_OK) {
        struct brief_text brief = escape_brief(key.data, key.size);
        progress_clear(&load->progress);
        message_failed(err, "%s:%" PRIu64 ": put '%s'", place->file, place->line, brief.text);
        return ENDS_ERROR;
    }
    load->lines++;
    load->lines_pending++;
    load->bytes += key.size + value.size;
    progress_show(&load->progress, load->lines, load->bytes);
    return ENDS_DONE;
}

static int load_line(struct load *load, const struct place *place, char *line, size_t size)
{
    if (load->txn == NULL) {
        int code = begin(load);
        if (code != ENDS_DONE) {
            return code;
        }
    }
    int code = put_line(load, place, line, size);
    if (code == ENDS_DONE && load->lines_pending == load->batch) {
        code = commit_batch(load);
    }
    return code;
}

static int load_stream(struct load *load, const char *name, FILE *stream)
{
    struct place place = {name, 0};
    char *line = NULL;
    size_t capacity = 0;
    int code = ENDS_DONE;
    while (code == ENDS_DONE) {
        errno = 0;
        ssize_t length = getline(&line, &capacity, stream);
        if (length < 0) {
            break;
        }
        place.line++;
        size_t size = (size_t)length;
        if (line[size - 1] == '\n') {
            size--;
        }
        code = load_line(load, &place, line, size);
    }
    if (code == ENDS_DONE && !feof(stream)) { /* a failed read, or no memory for the line */
        progress_clear(&load->progress);
        code = message_system_failed("%s:%" PRIu64 ": cannot be read", name, place.line + 1);
    }
    free(line);
    return code;
}

static bool is_standard_input(const char *name)
{
    return strcmp(name, "-") == 0;
}

static int load_file(struct load *load, const char *name)
{
    if (is_standard_input(name)) {
        return load_stream(load, "standard input", stdin);
    }
    FILE *stream = fopen(name, "re");
    if (stream == NULL) {
        return message_system_failed("%s: cannot be opened", name);
    }
    int code = load_stream(load, name, stream);
    (void)fclose(stream); /* only read from */
    return code;
}

static int load_files(struct load *load, char **names, size_t count)
{
    if (count == 0) {
        return load_stream(load, "standard input", stdin);
    }
    for (size_t i = 0; i < count; i++) {
        int code = load_file(load, names[i]);
        if (code != ENDS_DONE) {
            return code;
        }
    }
    return ENDS_DONE;
}

/** Name what cannot be read before the store is touched; the rest shows when it is opened. */
static int look_at_files(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct stat status;
        if (is_standard_input(names[i])) {
            continue;
        }
        if (stat(names[i], &status) != 0 || access(names[i], R_OK) != 0) {
            return message_system_failed("%s: cannot be opened", names[i]);
        }
        if (S_ISDIR(status.st_mode)) {
            errno = EISDIR;
            return message_system_failed("%s: cannot be read", names[i]);
        }
    }
    return ENDS_DONE;
}

/** Make an existing store keep `keep` roots, if it does not do so already. */
static int set_keep(const struct session *session, uint64_t keep)
{
    verso_retention policy = {.size = sizeof policy};
    verso_err err = verso_retention_get(session->store, &policy);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: retention", session->path);
    }
    verso_retention wanted = keep == 0 ? verso_keep_all() : verso_keep_last(keep);
    if (policy.all == wanted.all && policy.last == wanted.last && policy.class_count == 0 &&
        !policy.checkpoints && !policy.has_budget) {
        return ENDS_DONE;
    }
    err = verso_retention_set(session->store, &wanted);
    if (err != VERSO_OK) {
        return message_failed(err, "%s: keep %" PRIu64, session->path, keep);
    }
    (void)printf("from now on %" PRIu64 " roots are kept\n", keep);
    return ENDS_DONE;
}

/** Give up what is not committed, and tell what is. */
static void give_up(struct load *load)
{
    verso_abort(load->txn);
    load->txn = NULL;
    progress_clear(&load->progress);
    if (load->in_doubt) {
        message("%s: whether the last commit survives shows when the store is opened again",
                load->session.path);
    } else if (load->commits == 0) {
        message("%s: nothing of this load was committed", load->session.path);
    } else {
        message("%s: committed before this: %" PRIu64 " entries up to root %" PRIu64,
                load->session.path, load->lines - load->lines_pending, load->root);
    }
}

/** Commit what is left, and tell what was loaded. */
static int finish(struct load *load)
{
    if (load->txn != NULL) {
        int code = load->batch > 0 ? commit_batch(load) : commit(load);
        if (code != ENDS_DONE) {
            return code;
        }
    }
    progress_clear(&load->progress);
    if (load->commits == 0) {
        (void)printf("nothing to load\n");
        return ENDS_DONE;
    }
    (void)printf("root %" PRIu64 ": loaded %" PRIu64 " entries, %" PRIu64
                 " bytes of keys and values, %" PRIu64 " commits, %.2f s\n",
                 load->root, load->lines, load->bytes, load->commits,
                 progress_seconds(&load->progress));
    return ENDS_DONE;
}

/** Load the files into the open store, or give up. */
static int load_into_store(struct load *load, const struct number_option *keep, char **files,
                           size_t file_count)
{
    int code = keep->given ? set_keep(&load->session, keep->value) : ENDS_DONE;
    progress_begin(&load->progress);
    if (code == ENDS_DONE) {
        code = load_files(load, files, file_count);
    }
    if (code == ENDS_DONE) {
        code = finish(load);
    }
    if (code != ENDS_DONE) {
        give_up(load);
    }
    return code;
}

int verb_load(struct arguments *arguments)
{
    struct number_option batch = {0};
    struct number_option keep = {0};
    struct bytes_option note = {0};
    struct bytes_option tree = {0};
    const struct option options[] = {{"batch", OPTION_POSITIVE, &batch},
                                     {"note", OPTION_BYTES, &note},
                                     {"keep", OPTION_NUMBER, &keep}};
    const struct syntax syntax = {.operands = {"STORE"},
                                  .more = true,
                                  .options = options,
                                  .option_count = sizeof options / sizeof options[0],
                                  .tree = &tree};
    if (!arguments_read(arguments, &syntax)) {
        return ENDS_USAGE;
    }
    char **files = arguments->words + 1;
    size_t file_count = arguments->count - 1;
    int code = look_at_files(files, file_count);
    if (code != ENDS_DONE) {
        return code;
    }
    struct load load = {.batch = batch.value, .note = note.bytes, .tree_name = tree};
    code = session_open(&load.session, arguments->words[0], SESSION_CREATES, keep.value);
    if (code != ENDS_DONE) {
        return code;
    }
    return session_close(&load.session, load_into_store(&load, &keep, files, file_count));
}
