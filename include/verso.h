/*
 * verso.h - the whole public interface of Verso, an embedded, ordered, versioned key-value store.
 *
 * Every commit makes a new root with the next id; every kept root can be opened again by its id.
 * One write transaction runs at a time; any number of threads read, and none waits for another.
 *
 * Conventions, true of every function below unless it says otherwise:
 *   - What can fail returns verso_err: VERSO_OK (0) or a negative code. Results leave through the
 *     last parameters and are written on success only.
 *   - After a failure, verso_error_detail() says on the same thread what was wrong and where.
 *   - A handle is NULL-safe in its closing call, which frees it: to use it afterwards, or what it has
 *     handed out, is to use freed memory. Calls in the wrong order are VERSO_INVALID while the handle
 *     lives: an operation on a transaction that failed halfway, a store closed under its views.
 *   - Sizes and offsets are bytes; times are microseconds since 1970-01-01 00:00 UTC.
 *   - Option and result structs start with `size`; set it with the VERSO_*_INIT macro or to sizeof.
 *     A library newer than the caller fills or reads only what the caller's struct has. In an array
 *     of them each has the same `size`, which is also how far apart they are.
 *   - Calls take up to 200 KiB of the calling thread's stack.
 *   - Keys compare as byte strings (memcmp, then the shorter first).
 */
#ifndef VERSO_H
#define VERSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VERSO_VERSION_MAJOR 0
#define VERSO_VERSION_MINOR 1
#define VERSO_VERSION_PATCH 0
#define VERSO_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define VERSO_API __attribute__((visibility("default")))
#define VERSO_MUST_USE __attribute__((warn_unused_result))
#else
#define VERSO_API
#define VERSO_MUST_USE
#endif

/** Outcome of a call. Codes are never renumbered. */
typedef enum verso_err {
    VERSO_OK = 0,
    VERSO_NOT_FOUND = -1,    /**< No such key, root, or entry in that direction. */
    VERSO_EXISTS = -2,       /**< The key, name or file is there already. */
    VERSO_INVALID = -3,      /**< An argument breaks its contract; nothing was changed. */
    VERSO_TOO_BIG = -4,      /**< Key or value beyond the limits of this store. */
    VERSO_GONE = -5,         /**< The root existed, but is no longer kept. */
    VERSO_NOMEM = -6,        /**< Out of memory. */
    VERSO_NOSPC = -7,        /**< The disk, quota or file-size limit is exhausted. */
    VERSO_IO = -8,           /**< The system refused a read, write or sync; see the detail. */
    VERSO_CORRUPT = -9,      /**< Bytes on disk are damaged; the detail names page and reason. */
    VERSO_WAL_CORRUPT = -10, /**< A log frame that was acknowledged as durable is damaged. */
    VERSO_WAL_MISSING = -11, /**< The log that the store needs is not there. */
    VERSO_MISMATCH = -12,    /**< The log belongs to another store, or page sizes differ. */
    VERSO_FORMAT = -13,      /**< Not a Verso store, or of an unknown format version. */
    VERSO_BUSY = -14,        /**< The store is open elsewhere. */
    VERSO_ACCESS = -15,      /**< No permission, or the file system is read-only. */
    VERSO_NO_STORE = -16,    /**< No store at that path (and creation was not asked for). */
    VERSO_READ_ONLY = -17,   /**< A change was asked of a read-only handle. */
    VERSO_UNKNOWN = -18,     /**< Outcome unknown until reopened: the sync failed. */
    VERSO_POISONED = -19,    /**< A sync failed earlier: this handle refuses all writes. */
    VERSO_MUST_ABORT = -20,  /**< A change failed halfway: abort, or roll back to a savepoint. */
    VERSO_FORKED = -21,      /**< The handle was opened before fork(); open anew in the child. */
    VERSO_ORDER = -22,       /**< Keys of a sorted call do not ascend. */
    VERSO_LIMIT = -23        /**< A named limit is reached; the detail says which. */
} verso_err;

/** Id of a root: 1, 2, 3, ... 0 is the empty state before the first commit. */
typedef uint64_t verso_root_id;

/** Bytes borrowed from somebody. `data` may be NULL when `size` is 0. */
typedef struct verso_slice {
    const void *data;
    size_t size;
} verso_slice;

/** The bytes of a C string, without its final zero. */
static inline verso_slice verso_text(const char *text)
{
    verso_slice slice;
    size_t size = 0;
    while (text[size] != '\0') {
        size++;
    }
    slice.data = text;
    slice.size = size;
    return slice;
}

/** A range of keys. All zero means everything. */
typedef struct verso_range {
    size_t size;         /**< sizeof(verso_range). */
    bool has_from;       /**< Bounded below. */
    bool has_to;         /**< Bounded above. */
    bool from_exclusive; /**< Default: `from` belongs to the range. */
    bool to_inclusive;   /**< Default: `to` does not belong to the range. */
    bool has_prefix;     /**< Only keys that begin with `prefix`. */
    verso_slice from;    /**< Lower bound. */
    verso_slice to;      /**< Upper bound. */
    verso_slice prefix;  /**< Prefix. */
} verso_range;

typedef struct verso_store verso_store; /**< An open store; shared by all threads. */
typedef struct verso_txn verso_txn;     /**< The running write transaction, in one of its trees. */
typedef struct verso_view verso_view;   /**< A root open for reading: one of its trees. */
typedef struct verso_cursor verso_cursor;   /**< A place in the order of keys. */
typedef struct verso_diff verso_diff;       /**< Where a walk over the changes between roots is. */
typedef struct verso_history verso_history; /**< Where a walk back through a key's values is. */

/** Longest name of a tree or a tag, in bytes. A name is 1 to as many bytes, any but 0. */
#define VERSO_NAME_MAX 255

/* ---- texts ------------------------------------------------------------------------------- */

/** A short English text for a code; a static string. Any thread. */
VERSO_API const char *verso_strerror(verso_err err);

/**
 * What went wrong in the last failed call of this thread: the object, the place and the reason.
 * Never NULL; empty if nothing failed yet. Valid until the next Verso call on this thread.
 */
VERSO_API const char *verso_error_detail(void);

/** "0.1.0": the library's version at run time; a static string. */
VERSO_API const char *verso_library_version(void);

/* ---- which roots are kept ---- */

enum { VERSO_RETENTION_CLASSES_MAX = 16 };

/** Of roots up to an age, which are kept: the last in each span of time. */
typedef struct verso_retention_class {
    uint64_t age_us;     /**< Up to this age; UINT64_MAX: for ever. */
    uint64_t spacing_us; /**< One root in each such span; 0: all. */
} verso_retention_class;

/**
 * A policy. A root is kept if it is one of the newest `last`, or by the class of its age, or as a
 * checkpoint's; roots older than every class go. Then the budget: while history holds more, the
 * oldest go, down to the newest `last`. Roots that are tagged or open never go.
 *
 * Begin from verso_keep_default(), verso_keep_all() or verso_keep_last().
 */
typedef struct verso_retention {
    size_t size;          /**< sizeof(verso_retention). */
    bool all;             /**< Keep every root; nothing else counts. */
    bool checkpoints;     /**< Keep the root of each checkpoint, whose pages are written anyway. */
    uint64_t last;        /**< The newest N are kept; at least 1. */
    uint32_t class_count; /**< Of classes, ages ascending. */
    verso_retention_class classes[VERSO_RETENTION_CLASSES_MAX];
    bool has_budget;         /**< Bounded by the larger of the two below. */
    uint64_t budget_bytes;   /**< Bytes. */
    uint32_t budget_percent; /**< Of the newest root's pages. */
} verso_retention;

/** The default of new stores: the newest 100, the last of each second, the roots of checkpoints, in
 *  as much space as the live data has, at least 64 MiB. */
VERSO_API verso_retention verso_keep_default(void);

/** Keep every root: its price is that all page copies are written, 12 to 16 KiB a small commit. */
VERSO_API verso_retention verso_keep_all(void);

/** Keep the newest `last` roots; at least 1. */
VERSO_API verso_retention verso_keep_last(uint64_t last);

/* ---- opening and closing ------------------------------------------------------------------ */

/** When a commit counts as done. */
typedef enum verso_durability {
    VERSO_DURABILITY_DEFAULT = 0, /**< What the store was opened with; for a store: sync. */
    VERSO_DURABILITY_SYNC = 1,    /**< On stable storage when commit returns. */
    VERSO_DURABILITY_WRITTEN = 2, /**< With the operating system when commit returns: survives a
                                       killed process, not a power cut. */
    VERSO_DURABILITY_INTERVAL = 3 /**< Written and synced in the background every `interval_ms`: a
                                       crash loses at most that, or what was committed since a
                                       checkpoint under way began, never consistency. */
} verso_durability;

/** How to open a store. Zero in a field means its default. */
typedef struct verso_options {
    size_t size;        /**< sizeof(verso_options). */
    bool create;        /**< Create the store if nothing is at the path. */
    bool read_only;     /**< Never write; several read-only processes may share a store. */
    uint32_t page_size; /**< New stores only: 512 to 65,536, a power of two; default 4,096.
                                      For an existing store: 0, or the size that it must have. */
    const verso_retention *retention; /**< New stores only: which roots are kept; NULL:
                                          verso_keep_default(). */
    verso_durability durability;      /**< Default for commits; default: sync. */
    uint32_t interval_ms;             /**< For VERSO_DURABILITY_INTERVAL; default 100. */
    uint64_t arena_bytes;             /**< Memory for pages not yet in the file; default 256 MiB. */
    uint64_t log_bytes; /**< A checkpoint starts when the log is this long; default 64 MiB.
                                      Larger transactions bypass the log. */
    const void *system; /**< For tests: the system to run on; NULL is the real one. */
    bool guard_reads;   /**< Have the system read each page before its first touch: a disk that
                                      cannot be read is then VERSO_IO. Else it is a signal, SIGBUS,
                                      for the file is mapped. Costs some microseconds for each page
                                      that is met; pages that the system has dropped from memory
                                      since then it reads again, unguarded. */
} verso_options;

#define VERSO_OPTIONS_INIT                                                                         \
    {                                                                                              \
        sizeof(verso_options), false, false, 0, NULL, VERSO_DURABILITY_DEFAULT, 0, 0, 0, NULL,     \
            false                                                                                  \
    }

/**
 * Open a store, recovering it first if it was not closed cleanly.
 *
 * One that is open for writing and not in memory has two threads of its own, for checkpoints and for
 * syncs in the background. They block all signals but those of faults. Where a process has a limit
 * of file sizes (RLIMIT_FSIZE), it has to ignore SIGXFSZ, or the system ends it before VERSO_NOSPC.
 *
 * An open that fails changes no byte, but in one case: a page that is damaged, or a log whose
 * checksums are right and whose operations are not (no Verso wrote it), may show only while the log
 * is run again. By then the two meta pages may have been made equal, and free space written to or
 * added. What the store means is as before, and its log is kept whole.
 *
 * @param path     The store's file. Names `path-wal.*` beside it are Verso's: they come and go while
 *                 it is made or in use. The process may change its working directory meanwhile;
 *                 neither the file nor its folder may be moved.
 *                 NULL makes an in-memory store that lives until verso_close().
 * @param options  NULL for all defaults (which open an existing store for writing).
 * @param[out] store  Close it with verso_close(). May be used by all threads of this process.
 * @retval VERSO_NO_STORE     Nothing at the path and `create` not set.
 * @retval VERSO_FORMAT       The file is not a Verso store, or of another format version.
 * @retval VERSO_MISMATCH     Another page size than asked for; or the log is another store's, or has
 *                            commits of a later time than the file: an old copy beside it.
 * @retval VERSO_CORRUPT      Both meta pages are damaged, or the file is cut short. Or what says
 *                            which roots are kept is: then the store still opens read-only.
 * @retval VERSO_WAL_MISSING  Not closed cleanly, and its log is not there.
 * @retval VERSO_WAL_CORRUPT  Acknowledged commits in the log are damaged.
 * @retval VERSO_BUSY         Open in another process or already in this one.
 * @retval VERSO_ACCESS, VERSO_NOSPC, VERSO_IO, VERSO_NOMEM, VERSO_INVALID  As their texts say.
 */
VERSO_API VERSO_MUST_USE verso_err verso_open(const char *path, const verso_options *options,
                                              verso_store **store);

/**
 * Close: make everything durable, write a last checkpoint, remove the companion files. The handle
 * is gone whatever is returned. Every view must be closed and no transaction running.
 *
 * @retval VERSO_INVALID  A view or transaction is still open; the store stays open.
 * @retval VERSO_UNKNOWN, VERSO_IO, VERSO_NOSPC, VERSO_NOMEM  The last checkpoint failed; the log
 *                        still holds all that was acknowledged, and the next open recovers it.
 */
VERSO_API verso_err verso_close(verso_store *store);

/**
 * Make all commits so far durable. Any thread.
 *
 * @retval VERSO_UNKNOWN   The sync failed: nothing that was pending may be believed.
 * @retval VERSO_POISONED  A sync failed before.
 */
VERSO_API VERSO_MUST_USE verso_err verso_sync(verso_store *store);

/**
 * Move the log's content into the store file now, as the background does by itself. Any thread
 * without a running transaction.
 *
 * @retval VERSO_IO  Also: the file was deleted, replaced or cut; the handle is poisoned.
 * @retval VERSO_LIMIT, VERSO_NOSPC, VERSO_NOMEM, VERSO_CORRUPT, VERSO_POISONED
 */
VERSO_API VERSO_MUST_USE verso_err verso_checkpoint(verso_store *store);

/* ---- writing ------------------------------------------------------------------------------ */

/**
 * Begin the write transaction. Waits, in order of arrival, for the one before to end.
 * It starts from the newest commit, durable or not. Used by one thread at a time, and may move
 * between threads; so a thread that has one running would wait for itself here, for ever.
 *
 * @retval VERSO_LIMIT  All root ids are used up, or all numbers of checkpoints.
 * @retval VERSO_READ_ONLY, VERSO_POISONED, VERSO_NOMEM, VERSO_FORKED
 */
VERSO_API VERSO_MUST_USE verso_err verso_begin(verso_store *store, verso_txn **txn);

/** How to commit. Zero in a field means its default. */
typedef struct verso_commit_options {
    size_t size;                 /**< sizeof(verso_commit_options). */
    verso_durability durability; /**< Default: the store's. */
    bool asynchronous;           /**< Return at once; wait with verso_wait_durable(). In a `sync`
                                      commit the root stays invisible to new views until durable. */
    verso_slice note;            /**< Kept with the root; up to 1,024 bytes. */
    verso_view **view;           /**< If not NULL: receives an open view of the new root. */
} verso_commit_options;

#define VERSO_COMMIT_OPTIONS_INIT                                                                  \
    {                                                                                              \
        sizeof(verso_commit_options), VERSO_DURABILITY_DEFAULT, false, {NULL, 0}, NULL             \
    }

/**
 * Commit and free the transaction, whatever is returned.
 *
 * A transaction that changed nothing makes no root and hands back the id it started from, durable
 * as the options ask, whoever committed that.
 *
 * @param options    NULL for all defaults.
 * @param[out] root  The new root's id; may be NULL.
 * @retval VERSO_MUST_ABORT  An earlier call failed in the middle; it was aborted.
 * @retval VERSO_UNKNOWN     The sync failed: whether the commit survives shows at the next open.
 * @retval VERSO_NOSPC, VERSO_IO, VERSO_NOMEM, VERSO_LIMIT, VERSO_INVALID  Aborted; the store is as
 *                           before.
 */
VERSO_API VERSO_MUST_USE verso_err verso_commit(verso_txn *txn, const verso_commit_options *options,
                                                verso_root_id *root);

/** Undo everything since verso_begin() and free the transaction. NULL is allowed. */
VERSO_API void verso_abort(verso_txn *txn);

/**
 * Wait until root `root` is durable. Any thread.
 *
 * @retval VERSO_NOT_FOUND  No such commit yet.
 * @retval VERSO_UNKNOWN    A sync failed before it became durable.
 */
VERSO_API VERSO_MUST_USE verso_err verso_wait_durable(verso_store *store, verso_root_id root);

/**
 * Set a key's value, new or not (upsert).
 *
 * Errors shared by all calls that change a transaction:
 * @retval VERSO_TOO_BIG  Key longer than verso_key_size_max() or value longer than 1 GiB.
 * @retval VERSO_NOSPC, VERSO_LIMIT, VERSO_NOMEM, VERSO_IO, VERSO_CORRUPT  If the change had begun,
 *                        every later call but verso_rollback() and verso_abort() returns
 *                        VERSO_MUST_ABORT; else the transaction goes on unchanged.
 */
VERSO_API VERSO_MUST_USE verso_err verso_put(verso_txn *txn, verso_slice key, verso_slice value);

/** Set the value of a key that must be new. @retval VERSO_EXISTS  It is there; nothing changed. */
VERSO_API VERSO_MUST_USE verso_err verso_insert(verso_txn *txn, verso_slice key, verso_slice value);

/** Set the value of a key that must exist. @retval VERSO_NOT_FOUND  It is not; nothing changed. */
VERSO_API VERSO_MUST_USE verso_err verso_replace(verso_txn *txn, verso_slice key,
                                                 verso_slice value);

/**
 * verso_replace() that hands back the old value.
 *
 * @param[out] old  Valid until the transaction's next change, or its end.
 */
VERSO_API VERSO_MUST_USE verso_err verso_exchange(verso_txn *txn, verso_slice key,
                                                  verso_slice value, verso_slice *old);

/** Delete a key. @retval VERSO_NOT_FOUND  It is not there; nothing changed. */
VERSO_API VERSO_MUST_USE verso_err verso_delete(verso_txn *txn, verso_slice key);

/** verso_delete() that hands back the old value, as verso_exchange() does. */
VERSO_API VERSO_MUST_USE verso_err verso_take(verso_txn *txn, verso_slice key, verso_slice *old);

/** A key with its value. */
typedef struct verso_entry {
    verso_slice key;
    verso_slice value;
} verso_entry;

/**
 * Upsert many entries whose keys strictly ascend; each leaf concerned is visited once, and entries
 * beyond the last key of the tree fill leaves completely (bulk load).
 *
 * @retval VERSO_ORDER  Keys do not ascend; the detail names the entry. Nothing was changed.
 */
VERSO_API VERSO_MUST_USE verso_err verso_put_sorted(verso_txn *txn, const verso_entry *entries,
                                                    size_t count);

/**
 * Delete every key of a range. Pages that lie within it go whole: only the two edges are copied,
 * though each leaf is read once, for the fingerprint.
 *
 * @param range         NULL for all keys.
 * @param[out] deleted  How many keys went; may be NULL. An empty range is no error.
 */
VERSO_API VERSO_MUST_USE verso_err verso_delete_range(verso_txn *txn, const verso_range *range,
                                                      uint64_t *deleted);

/** Longest key of this store: 1,000 bytes at 4 KiB pages, in proportion at others. */
VERSO_API size_t verso_key_size_max(const verso_store *store);

/* ---- savepoints --------------------------------------------------------------------------- */

/**
 * Mark a place in the transaction to which it can be rolled back. Savepoints nest, and cover all
 * trees of the transaction. Each costs memory for the pages that are changed after it: those that
 * the transaction had made before, each once.
 *
 * Commit and abort end all savepoints.
 * @param txn  Any handle of the transaction.
 * @param[out] savepoint  1 for the outermost, 2 for one inside it, ...
 * @retval VERSO_LIMIT       1,000 are open.
 * @retval VERSO_MUST_ABORT  A change has failed in the middle.
 * @retval VERSO_INVALID, VERSO_NOMEM  Nothing was done.
 */
VERSO_API VERSO_MUST_USE verso_err verso_savepoint(verso_txn *txn, uint32_t *savepoint);

/**
 * Undo everything since the savepoint, which stays open; those inside it are gone. A transaction
 * that a failed change has broken since then can be used again. Cursors stay open.
 *
 * Values borrowed from the transaction end; handles of trees that did not exist then end, too.
 * Those of trees that were dropped since then can be used again.
 * @retval VERSO_INVALID  No such savepoint is open.
 * @retval VERSO_NOMEM    Nothing was rolled back; it may be tried again.
 */
VERSO_API VERSO_MUST_USE verso_err verso_rollback(verso_txn *txn, uint32_t savepoint);

/**
 * Forget the savepoint and those inside it; what was done since then stays.
 *
 * @retval VERSO_INVALID     No such savepoint is open.
 * @retval VERSO_MUST_ABORT  A change has failed in the middle: roll back first.
 */
VERSO_API VERSO_MUST_USE verso_err verso_release(verso_txn *txn, uint32_t savepoint);

/* ---- trees -------------------------------------------------------------------------------- */

/**
 * A named tree in the transaction: a handle with which every call that takes a verso_txn works on
 * that tree instead of the default one, in the same transaction. Names and keys of different trees
 * have nothing to do with each other.
 *
 * @param txn     Any handle of the transaction.
 * @param create  Create the tree if it does not exist.
 * @param[out] tree  Borrowed: it ends with the transaction, and when the tree is dropped. Opening
 *                   the same name again gives the same handle. It cannot be committed or aborted.
 * @retval VERSO_NOT_FOUND  No tree has that name, and `create` is not set.
 * @retval VERSO_INVALID    Not a name (see VERSO_NAME_MAX); or later, of any call with a handle
 *                          whose tree was dropped.
 * @retval VERSO_TOO_BIG    A name longer than verso_key_size_max(), which pages below 2 KiB have
 *                          less than VERSO_NAME_MAX.
 */
VERSO_API VERSO_MUST_USE verso_err verso_txn_tree(verso_txn *txn, verso_slice name, bool create,
                                                  verso_txn **tree);

/**
 * A named tree of a root: a view with which every reading call works on that tree.
 *
 * @param view  Of a root (any of its trees) or of a transaction.
 * @param[out] tree  Borrowed: it ends with the view that verso_view_open() and its kin gave, and is
 *                   not closed; of a transaction: with that.
 * @retval VERSO_NOT_FOUND  No tree has that name in this root.
 */
VERSO_API VERSO_MUST_USE verso_err verso_view_tree(verso_view *view, verso_slice name,
                                                   verso_view **tree);

/** What is known about a named tree of a root. */
typedef struct verso_tree_info {
    size_t size;                   /**< sizeof(verso_tree_info). */
    char name[VERSO_NAME_MAX + 1]; /**< Ends with a zero. */
    uint64_t keys;                 /**< Number of keys. */
    uint64_t fingerprint;          /**< Of this tree alone. */
    uint32_t depth;                /**< Levels; 0 when empty. */
} verso_tree_info;

/**
 * List the named trees of a view's root in the order of their names, one a call.
 *
 * @param after  The name handed out last; {NULL, 0} for the first.
 * @retval VERSO_NOT_FOUND  There are no more.
 */
VERSO_API VERSO_MUST_USE verso_err verso_tree_next(verso_view *view, verso_slice after,
                                                   verso_tree_info *info);

/** Drop a tree with all its keys: one cheap step, whatever its size; its pages are reclaimed along
 *  with later commits. Older roots still show it. VERSO_NOT_FOUND. */
VERSO_API VERSO_MUST_USE verso_err verso_tree_drop(verso_txn *txn, verso_slice name);

/** Rename a tree; its handle stays. @retval VERSO_NOT_FOUND  There is none. @retval VERSO_EXISTS
 *  `to` is another tree's. */
VERSO_API VERSO_MUST_USE verso_err verso_tree_rename(verso_txn *txn, verso_slice name,
                                                     verso_slice to);

/* ---- views -------------------------------------------------------------------------------- */

/** What is known about a root. */
typedef struct verso_root_info {
    size_t size;          /**< sizeof(verso_root_info). */
    verso_root_id id;     /**< Its id. */
    int64_t time_us;      /**< When it was committed, by the clock, but never before the root
                               before it: a clock set back does not turn the order round. */
    uint64_t keys;        /**< Number of keys of the view's own tree. */
    uint64_t fingerprint; /**< Equal content has equal fingerprints, whatever its history: of all
                               trees; of a named tree's view: of that tree. */
    verso_slice note;     /**< Valid while the view is open, or as the call that filled it says. */
} verso_root_info;

/**
 * Open the newest published root. No lock, no system call. The view may be used by one thread at a
 * time and may move between threads; its root stays readable until verso_view_close().
 */
VERSO_API VERSO_MUST_USE verso_err verso_view_open(verso_store *store, verso_view **view);

/**
 * Open a kept root by its id.
 *
 * @retval VERSO_NOT_FOUND  Never existed, or not published yet.
 * @retval VERSO_GONE       Existed, but is no longer kept.
 */
VERSO_API VERSO_MUST_USE verso_err verso_view_open_root(verso_store *store, verso_root_id root,
                                                        verso_view **view);

/** Close a view and everything borrowed from it; its cursors must be closed before. */
VERSO_API void verso_view_close(verso_view *view);

/**
 * The transaction seen from inside: its own changes included.
 *
 * @return Borrowed: it ends with the transaction and must not be closed. Values read through it are
 *         valid until the transaction's next change; cursors on it stay well defined through them.
 */
VERSO_API verso_view *verso_txn_view(verso_txn *txn);

/**
 * Describe the view's root. In a transaction: the id it started from, with the counts of now. The
 * note is read at the first such call; it is empty if the root was dropped before that.
 */
VERSO_API VERSO_MUST_USE verso_err verso_view_info(verso_view *view, verso_root_info *info);

/**
 * List kept and published roots, oldest first, from `from` (inclusive) on.
 *
 * @param infos[in,out]  Room for `capacity` infos, each with `size` set.
 * @param notes          Buffer of `capacity` * 1,024 bytes for the notes, or NULL for none.
 * @param[out] count     How many were filled; fewer than `capacity` means the end.
 */
VERSO_API VERSO_MUST_USE verso_err verso_roots(verso_store *store, verso_root_id from,
                                               verso_root_info *infos, size_t capacity, char *notes,
                                               size_t *count);

/* ---- reading ------------------------------------------------------------------------------ */

/**
 * The value of a key, without copying where it lies in one piece.
 *
 * @param[out] value  Valid while the view is open (in a transaction: until its next change).
 * @retval VERSO_NOT_FOUND  No such key.
 * @retval VERSO_CORRUPT    A page on the way is damaged.
 */
VERSO_API VERSO_MUST_USE verso_err verso_get(verso_view *view, verso_slice key, verso_slice *value);

/** A key with its value: the first at or after `key`. `found->key` is valid until the next such
 *  call on the view, the value as one of verso_get(). Errors as verso_get(). */
VERSO_API VERSO_MUST_USE verso_err verso_get_at_or_after(verso_view *view, verso_slice key,
                                                         verso_entry *found);

/**
 * verso_get() of many keys at once, in any order, overlapping their cache misses.
 *
 * @param[out] values   values[i] for keys[i]; {NULL, 0} where not found.
 * @param[out] results  results[i] is VERSO_OK or VERSO_NOT_FOUND.
 * @return VERSO_OK unless a key met another error, which is returned.
 */
VERSO_API VERSO_MUST_USE verso_err verso_get_many(verso_view *view, const verso_slice *keys,
                                                  size_t count, verso_slice *values,
                                                  verso_err *results);

/**
 * Copy a part of a value, however long: up to `capacity` bytes from `offset`.
 *
 * @param[out] copied  Bytes copied; 0 at or beyond its end.
 */
VERSO_API VERSO_MUST_USE verso_err verso_read(verso_view *view, verso_slice key, uint64_t offset,
                                              void *buffer, size_t capacity, size_t *copied);

/** Where a seek may land. */
typedef enum verso_seek {
    VERSO_SEEK_LT = 1, /**< The last key below. */
    VERSO_SEEK_LE = 2, /**< The last key at or below. */
    VERSO_SEEK_EQ = 3, /**< The key itself. */
    VERSO_SEEK_GE = 4, /**< The first key at or above. */
    VERSO_SEEK_GT = 5  /**< The first key above. */
} verso_seek;

/**
 * Open a cursor. It stands nowhere: next goes to the first entry of its range, previous to the
 * last.
 *
 * @param range  NULL for all keys. Its bytes are copied.
 * @param[out] cursor  Close it before its view. One thread at a time.
 */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_open(verso_view *view, const verso_range *range,
                                                     verso_cursor **cursor);

/** Close a cursor. NULL is allowed. */
VERSO_API void verso_cursor_close(verso_cursor *cursor);

/**
 * Move, and read the entry there. A cursor that has met the end of its range stands beyond it, and
 * the opposite direction brings it back. After an error other than VERSO_NOT_FOUND it keeps that
 * error until it is placed anew by first, last or seek.
 *
 * In a write transaction a cursor remembers its key: after that key was deleted, next goes to the
 * first key above it, previous to the last below.
 *
 * @param[out] entry  May be NULL. The key is valid until the cursor moves or closes, the value as
 *                    one of verso_get().
 * @retval VERSO_NOT_FOUND  No entry there.
 */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_first(verso_cursor *cursor, verso_entry *entry);
VERSO_API VERSO_MUST_USE verso_err verso_cursor_last(verso_cursor *cursor, verso_entry *entry);
VERSO_API VERSO_MUST_USE verso_err verso_cursor_next(verso_cursor *cursor, verso_entry *entry);
VERSO_API VERSO_MUST_USE verso_err verso_cursor_previous(verso_cursor *cursor, verso_entry *entry);

/** Move to the entry that `how` names relative to `key`, within the range. As above. */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_seek(verso_cursor *cursor, verso_seek how,
                                                     verso_slice key, verso_entry *entry);

/** Read the entry where the cursor stands, as verso_cursor_next() would hand it out. */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_current(verso_cursor *cursor, verso_entry *entry);

/**
 * Move forward up to `capacity` entries and hand all of them out at once.
 *
 * @param[out] entries  Keys are valid until the cursor moves or closes.
 * @param[out] count    How many; fewer than `capacity` means the end. 0 comes with VERSO_NOT_FOUND.
 */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_batch(verso_cursor *cursor, verso_entry *entries,
                                                      size_t capacity, size_t *count);

/* ---- counting ------------------------------------------------------------------------------- */

/* Each reads a page or two a level of the tree, whatever the numbers. Errors as verso_get(). */

/** The exact number of keys in a range (NULL: all). */
VERSO_API VERSO_MUST_USE verso_err verso_count(verso_view *view, const verso_range *range,
                                               uint64_t *count);

/** How many keys are below `key`, which need not be there. */
VERSO_API VERSO_MUST_USE verso_err verso_rank(verso_view *view, verso_slice key, uint64_t *rank);

/** The entry with `n` keys below it: 0 is the first. Lifetimes as of verso_get_at_or_after().
 *  @retval VERSO_NOT_FOUND  There are not so many keys. */
VERSO_API VERSO_MUST_USE verso_err verso_nth(verso_view *view, uint64_t n, verso_entry *entry);

/**
 * A cursor over one of `shares` equal parts of a range, for scans in parallel: each thread opens the
 * same root and takes its share. The parts' sizes differ by one key at most, as the view is now;
 * together they make up the range.
 *
 * @param range  NULL for all keys.
 * @param share  0 to shares - 1.
 * @retval VERSO_INVALID  There is no such share.
 */
VERSO_API VERSO_MUST_USE verso_err verso_cursor_open_share(verso_view *view,
                                                           const verso_range *range,
                                                           uint64_t shares, uint64_t share,
                                                           verso_cursor **cursor);

/**
 * An entry of a range, each with the same probability.
 *
 * @param random  64 uniformly random bits: the caller's, so that runs can be repeated.
 * @retval VERSO_NOT_FOUND  The range (NULL: all) is empty.
 */
VERSO_API VERSO_MUST_USE verso_err verso_random(verso_view *view, const verso_range *range,
                                                uint64_t random, verso_entry *entry);

/* ---- history: difference, a key's values, revert ---------------------------------------------- */

/** How a key differs between two roots. */
typedef enum verso_change_kind {
    VERSO_CHANGE_ADDED = 1,   /**< Only in the second. */
    VERSO_CHANGE_REMOVED = 2, /**< Only in the first. */
    VERSO_CHANGE_CHANGED = 3  /**< In both, with different values. */
} verso_change_kind;

/** One difference. Key and values are valid until the walk's next step, and while both views are
 *  open. */
typedef struct verso_change {
    verso_change_kind kind;
    verso_slice key;
    verso_slice old_value; /**< In the first root; {NULL, 0} if added. */
    verso_slice new_value; /**< In the second; {NULL, 0} if removed. */
} verso_change;

/**
 * Walk over the differences between two views, in the order of keys. Subtrees that both share are
 * skipped, so the cost follows the change and not the size.
 *
 * @param from, to  Views of one store and the same tree of it, in either order of age. They stay
 *                  open until the walk is closed. One may be a transaction's: if that changes, the
 *                  walk goes on behind the last key in what it then is. One may be NULL, which is
 *                  an empty tree: where only one of two roots has a named tree, all its keys are
 *                  added or removed.
 * @param range     NULL for all keys. Its bytes are copied.
 * @param[out] diff  Close it before the views. One thread at a time.
 * @retval VERSO_INVALID  Both views or `diff` are NULL, the views are of different stores, or a bad
 *                        range.
 * @retval VERSO_NOMEM, VERSO_CORRUPT
 */
VERSO_API VERSO_MUST_USE verso_err verso_diff_open(verso_view *from, verso_view *to,
                                                   const verso_range *range, verso_diff **diff);

/** The next difference. @retval VERSO_NOT_FOUND  There are no more. Others as verso_get(), and
 *  VERSO_NOMEM; they stay. */
VERSO_API VERSO_MUST_USE verso_err verso_diff_next(verso_diff *diff, verso_change *change);

/** Pages of both roots that the walk has visited so far. */
VERSO_API uint64_t verso_diff_pages(const verso_diff *diff);

/** Close the walk. NULL is allowed. */
VERSO_API void verso_diff_close(verso_diff *diff);

/** A value that a key has had. */
typedef struct verso_key_version {
    size_t size;        /**< sizeof(verso_key_version). */
    verso_root_id root; /**< The oldest kept root since which the key has had this value. */
    int64_t time_us;    /**< When that was committed. */
    verso_slice note;   /**< Its note. */
    bool deleted;       /**< The key was not there. */
    verso_slice value;  /**< What it was. */
} verso_key_version;

/**
 * Walk back through the values that a key has had in the kept roots, from the view's root on,
 * newest first, deletions included. The state before the key was first there is not listed. The walk
 * jumps from leaf to leaf by their births; it does not open every root.
 *
 * Roots that are dropped meanwhile may be missing; what was handed out stays true.
 *
 * @param view  Of a root; it stays open until the walk is closed. Its tree is meant.
 * @retval VERSO_INVALID  An argument is NULL, or the view is a transaction's.
 * @retval VERSO_NOMEM, VERSO_CORRUPT
 */
VERSO_API VERSO_MUST_USE verso_err verso_history_open(verso_view *view, verso_slice key,
                                                      verso_history **history);

/** The next older value. Its slices are valid until the walk's next step.
 *  @retval VERSO_NOT_FOUND  There are no more. Others as verso_get(); they stay. */
VERSO_API VERSO_MUST_USE verso_err verso_history_next(verso_history *history,
                                                      verso_key_version *version);

/** Close the walk. NULL is allowed. */
VERSO_API void verso_history_close(verso_history *history);

/**
 * Make the transaction's tree equal to `to` within a range, by applying the difference. Nothing
 * newer is lost: older roots stay as they are.
 *
 * @param to     A view of a root of the same store: of any tree.
 * @param range  NULL for all keys.
 * @param[out] changes  How many keys were put or deleted; may be NULL.
 * @retval VERSO_INVALID  The view is of another store or of a transaction, or a bad range.
 * @retval others  As verso_put().
 */
VERSO_API VERSO_MUST_USE verso_err verso_revert(verso_txn *txn, verso_view *to,
                                                const verso_range *range, uint64_t *changes);

/** verso_revert() for all trees of the root at once: trees that are gone come back, trees that it
 *  did not have are dropped. The fingerprint is then that of the root. */
VERSO_API VERSO_MUST_USE verso_err verso_revert_all(verso_txn *txn, verso_view *to,
                                                    uint64_t *changes);

/* ---- copies ----------------------------------------------------------------------------------- */

/** What to copy. Zero in a field means its default. */
typedef struct verso_copy_options {
    size_t size;                /**< sizeof(verso_copy_options). */
    bool newest_only;           /**< Only the newest root; default: every kept one. */
    const verso_root_id *roots; /**< Or these, ascending; the newest published one always comes
                                     along. */
    size_t root_count;          /**< How many. */
} verso_copy_options;

/** What was copied. */
typedef struct verso_copy_report {
    size_t size;          /**< sizeof(verso_copy_report). */
    uint64_t roots;       /**< Roots in the copy. */
    uint64_t pages;       /**< Pages written; 0 for increments. */
    uint64_t bytes;       /**< Length of the file. */
    verso_root_id newest; /**< The newest root in it. */
} verso_copy_report;

/**
 * Write a store that holds the chosen roots under their ids to `path`, while others read and write:
 * the smallest file in which they share what they share here. It is checked before it gets its
 * name. Tags and retention come along; tags of roots that are not copied do not.
 *
 * @param path     Must not exist. The copy keeps the store's identity, so that increments apply.
 * @param options  NULL for all defaults.
 * @param[out] report  May be NULL.
 * @retval VERSO_EXISTS  Something is at `path`.
 * @retval VERSO_GONE, VERSO_NOT_FOUND  A chosen root is not kept, or never existed.
 * @retval VERSO_NOSPC, VERSO_IO, VERSO_CORRUPT, VERSO_NOMEM  Nothing is left at `path`. (The only
 *                      exception: the directory could not be synced, and then the system refused to
 *                      remove the name, too. The detail says so; the file is a whole copy, whose
 *                      name may not survive a crash.)
 */
VERSO_API VERSO_MUST_USE verso_err verso_copy(verso_store *store, const char *path,
                                              const verso_copy_options *options,
                                              verso_copy_report *report);

/**
 * Write an increment to `path`: what changed from root `since` to each kept root after it, to be
 * applied to a copy whose newest root is `since`. Its size follows the changes.
 *
 * @retval VERSO_GONE, VERSO_NOT_FOUND  `since` is not kept, or never existed.
 * @retval others  As verso_copy().
 */
VERSO_API VERSO_MUST_USE verso_err verso_copy_since(verso_store *store, verso_root_id since,
                                                    const char *path, verso_copy_report *report);

/**
 * Apply an increment to a store whose newest root is the one that it was made since: afterwards the
 * store has the same roots after that, with the same ids, times, notes and fingerprints, durable.
 * The whole file is proved before anything is changed, and each root by its fingerprint.
 *
 * If a crash or a full disk ends it half way, applying it again goes on behind the last root that is
 * there. Nobody else may commit meanwhile. Any thread without a running transaction.
 *
 * @retval VERSO_MISMATCH  The increment is another store's, or for another root; nothing was
 *                         changed. Or somebody else has committed meanwhile.
 * @retval VERSO_NO_STORE  Nothing is at `path`.
 * @retval VERSO_FORMAT    Not an increment.
 * @retval VERSO_CORRUPT   It is damaged; nothing was changed.
 * @retval others          As verso_put() and verso_commit().
 */
VERSO_API VERSO_MUST_USE verso_err verso_copy_apply(verso_store *store, const char *path,
                                                    verso_copy_report *report);

/* ---- salvage ---------------------------------------------------------------------------------- */

/** Keys that could not be salvaged: those at or above `from` and below `to`, each bound where there
 *  is one. Borrowed for the call. */
typedef struct verso_salvage_loss {
    size_t size;        /**< sizeof(verso_salvage_loss). */
    const char *tree;   /**< The tree's name; "" is the default tree. NULL: the list of the trees'
                             names, so that trees are lost whose names would stand there. */
    bool has_from;      /**< Bounded below. */
    bool has_to;        /**< Bounded above. */
    verso_slice from;   /**< Lower bound. */
    verso_slice to;     /**< Upper bound. */
    uint64_t keys;      /**< How many are known to be missing; 0: not known. */
    uint32_t page;      /**< The first page concerned; 0: none in particular. */
    const char *reason; /**< Why. */
} verso_salvage_loss;

/** How to salvage. Zero in a field means its default. */
typedef struct verso_salvage_options {
    size_t size; /**< sizeof(verso_salvage_options). */
    void (*lost)(void *argument, const verso_salvage_loss *loss); /**< Called for each loss. */
    void *argument;                                               /**< Handed to `lost`. */
    const void *system; /**< For tests: the system to run on; NULL is the real one. */
} verso_salvage_options;

/** What was salvaged. */
typedef struct verso_salvage_report {
    size_t size;                 /**< sizeof(verso_salvage_report). */
    bool whole;                  /**< Nothing is missing, and the fingerprint proves it. */
    verso_root_id root;          /**< Whose content it is: the newest root that was found. */
    uint64_t keys;               /**< Read from the pages of the last checkpoint. */
    uint64_t trees;              /**< Named trees. */
    uint64_t log_roots;          /**< Commits of the log that were applied to that. */
    uint64_t losses;             /**< Calls of `lost`. */
    uint64_t missing_keys;       /**< The sum of what is known in them. */
    uint64_t bad_pages;          /**< Pages that could not be read, and long values. */
    uint64_t skipped_operations; /**< Of the log, that met something lost. */
    bool log_damaged;            /**< Commits behind those are lost, */
    char log_fault[256];         /**< for this reason; */
} verso_salvage_report;

/**
 * Get out of a damaged store what can still be read and proved, into a new store: the newest
 * checkpoint, and on top of it the log up to its first damage. Of a damaged tree every leaf is
 * saved that agrees with the page table, whichever branches above it are lost.
 *
 * The damaged store is only read: no recovery, no lock beyond that of a reader. The new store has
 * one root, with the same trees, made by one commit at the end. Older roots are not salvaged; where
 * the store still opens read-only, verso_copy() brings those to safety, too.
 *
 * Nothing can be salvaged where both meta pages are damaged: without one, nobody knows which pages
 * count, nor which of two copies of the page table.
 *
 * @param path    The damaged store; nobody may have it open for writing.
 * @param to      The new store: nothing may be there.
 * @param options NULL for all defaults.
 * @param[out] report  May be NULL.
 * @retval VERSO_OK       Something was salvaged: the report says whether it is all.
 * @retval VERSO_CORRUPT, VERSO_FORMAT  Neither meta page can be read.
 * @retval VERSO_EXISTS   Something is at `to`.
 * @retval VERSO_BUSY     The damaged store is open for writing.
 * @retval VERSO_NO_STORE, VERSO_ACCESS, VERSO_NOSPC, VERSO_IO, VERSO_NOMEM, VERSO_INVALID  As their
 *                        texts say; nothing is left at `to`.
 */
VERSO_API VERSO_MUST_USE verso_err verso_salvage(const char *path, const char *to,
                                                 const verso_salvage_options *options,
                                                 verso_salvage_report *report);

/* ---- retention: which roots are kept --------------------------------------------------------- */

/** The policy in force. Any thread. */
VERSO_API VERSO_MUST_USE verso_err verso_retention_get(verso_store *store,
                                                       verso_retention *retention);

/**
 * Set the policy, and drop in bounded steps, between which others write, all roots that it does not
 * keep now. Later it is applied along with commits. Stored in the store; durable on return. Any
 * thread without a running transaction.
 *
 * @retval VERSO_INVALID  `last` is 0, ages or spacings do not ascend, or too many classes.
 */
VERSO_API VERSO_MUST_USE verso_err verso_retention_set(verso_store *store,
                                                       const verso_retention *retention);

/** What a policy would do. */
typedef struct verso_retention_effect {
    size_t size;          /**< sizeof(verso_retention_effect). */
    uint64_t kept_roots;  /**< That would stay. */
    uint64_t dropped;     /**< That would go. */
    uint64_t freed_bytes; /**< Exactly what that frees, in pages of the file. */
} verso_retention_effect;

/**
 * What verso_retention_set() would do now; changes nothing. Any thread without a running
 * transaction.
 *
 * @param[out] dropped  Room for `capacity` ids: the oldest that would go; may be NULL if 0.
 */
VERSO_API VERSO_MUST_USE verso_err verso_retention_try(verso_store *store,
                                                       const verso_retention *retention,
                                                       verso_root_id *dropped, size_t capacity,
                                                       verso_retention_effect *effect);

/* ---- tags -------------------------------------------------------------------------------------- */

/** A tag: a named root that is kept until the tag is deleted. */
typedef struct verso_tag_info {
    size_t size;                   /**< sizeof(verso_tag_info). */
    char name[VERSO_NAME_MAX + 1]; /**< Ends with a zero. */
    verso_root_id root;            /**< What it names. */
    int64_t time_us;               /**< When it was set. */
} verso_tag_info;

/**
 * Name a root. Durable on return; makes no root. Any thread without a running transaction.
 *
 * @param root  0: the newest published.
 * @retval VERSO_EXISTS  The tag names another root already.
 * @retval VERSO_GONE, VERSO_NOT_FOUND  The root is not kept, or never existed.
 * @retval VERSO_INVALID  Not a name (see VERSO_NAME_MAX).
 * @retval VERSO_TOO_BIG  A name longer than verso_key_size_max(), which pages below 2 KiB have less
 *                        than VERSO_NAME_MAX.
 */
VERSO_API VERSO_MUST_USE verso_err verso_tag_set(verso_store *store, verso_slice name,
                                                 verso_root_id root);

/** Delete a tag. Its root is then kept or not as the policy says. VERSO_NOT_FOUND. */
VERSO_API VERSO_MUST_USE verso_err verso_tag_delete(verso_store *store, verso_slice name);

/** Look a tag up. VERSO_NOT_FOUND. */
VERSO_API VERSO_MUST_USE verso_err verso_tag_get(verso_store *store, verso_slice name,
                                                 verso_tag_info *info);

/** List the tags in the order of their names, one a call: the first whose name is above `after`
 *  ({NULL, 0}: the first of all). @retval VERSO_NOT_FOUND  There are no more. */
VERSO_API VERSO_MUST_USE verso_err verso_tag_next(verso_store *store, verso_slice after,
                                                  verso_tag_info *info);

/** Open the root that a tag names. VERSO_NOT_FOUND. */
VERSO_API VERSO_MUST_USE verso_err verso_view_open_tag(verso_store *store, verso_slice name,
                                                       verso_view **view);

/** Open the newest kept root committed at or before a time. @retval VERSO_NOT_FOUND  There is
 *  none. */
VERSO_API VERSO_MUST_USE verso_err verso_view_open_at(verso_store *store, int64_t time_us,
                                                      verso_view **view);

/* ---- what versions cost ------------------------------------------------------------------------ */

/** What a root holds. */
typedef struct verso_root_cost {
    size_t size;           /**< sizeof(verso_root_cost). */
    verso_root_id root;    /**< Which. */
    uint64_t own_bytes;    /**< Pages that only this root keeps: dropping it frees them. */
    uint64_t before_bytes; /**< Pages shared with the kept root before it. */
    uint64_t after_bytes;  /**< Pages shared with the kept root after it. */
} verso_root_cost;

/**
 * What each kept and published root holds, oldest first, from `from` on: one pass over the page
 * table, during which writers wait. Any thread without a running transaction.
 *
 * @param costs[in,out]  Room for `capacity`, each with `size` set.
 * @param[out] count     How many were filled; fewer than `capacity` means the end.
 */
VERSO_API VERSO_MUST_USE verso_err verso_root_costs(verso_store *store, verso_root_id from,
                                                    verso_root_cost *costs, size_t capacity,
                                                    size_t *count);

/** What holds the space of the store file, in bytes. */
typedef struct verso_space_report {
    size_t size;            /**< sizeof(verso_space_report). */
    uint64_t file_bytes;    /**< Length of the file: the sum of those below. */
    uint64_t live_bytes;    /**< Pages of the newest root. */
    uint64_t history_bytes; /**< Pages that older roots keep, neither tagged nor open. */
    uint64_t tag_bytes;     /**< Of the others: pages that tagged roots keep. */
    uint64_t reader_bytes;  /**< Of the others: pages that roots open in views keep. */
    uint64_t passing_bytes; /**< Pages that only the checkpoint on disk, or what is not durable yet,
                                 keeps: free after the next checkpoint. */
    uint64_t free_bytes;    /**< Pages to be used again. */
    uint64_t fixed_bytes;   /**< Metas, page table, roots and tags. */
    uint64_t ahead_bytes;   /**< Allocated ahead, never used yet. */
} verso_space_report;

/** Fill the report: one pass over the page table, during which writers wait. Any thread without a
 *  running transaction. */
VERSO_API VERSO_MUST_USE verso_err verso_space(verso_store *store, verso_space_report *report);

/** An open view. */
typedef struct verso_reader_info {
    size_t size;        /**< sizeof(verso_reader_info). */
    verso_root_id root; /**< What it looks at. */
    int64_t since_us;   /**< When it was opened. */
    uint64_t thread;    /**< Of the system, that opened it (Linux: as gettid() says; else 0). */
} verso_reader_info;

/**
 * List open views, those of the oldest roots first; a running transaction is none. Any thread.
 *
 * @param infos[in,out]  Room for `capacity`, each with `size` set; may be NULL if that is 0.
 * @param[out] count     How many there are: `infos` gets as many as fit.
 */
VERSO_API VERSO_MUST_USE verso_err verso_readers(verso_store *store, verso_reader_info *infos,
                                                 size_t capacity, size_t *count);

/* ---- integrity and figures ---------------------------------------------------------------- */

/** What verso_check() found. */
typedef struct verso_check_report {
    size_t size;            /**< sizeof(verso_check_report). */
    uint64_t roots;         /**< Roots proved. */
    uint64_t pages;         /**< Pages visited, each once. */
    uint64_t keys;          /**< Keys of the newest root. */
    uint64_t underfull;     /**< Leaves and branches under a quarter full; no fault. */
    verso_root_id bad_root; /**< Of the first fault: its root (0: none in particular), */
    uint32_t bad_page;      /**< its page (0: none in particular), */
    char fault[256];        /**< and the reason; empty if all is well. */
    uint64_t visits;        /**< Pages walked through, over all roots: what the check cost. */
} verso_check_report;

/**
 * Prove the invariants of the store (docs/format.md) for every kept root. Writers wait meanwhile:
 * the calling thread must have no transaction running. Any thread otherwise.
 *
 * Every page is read and proved once, whichever roots share it; each further root costs a look at
 * the leaves and branches that are named by branches of its own, and one at each named tree if a
 * commit has changed one. So the time, and the wait of writers, goes by the pages of the store. With
 * more than one root it takes 19 bytes of memory a page, and some 100 for each branch, long value
 * and root.
 *
 * @retval VERSO_OK       All proved.
 * @retval VERSO_CORRUPT  A fault; `report` is filled up to it.
 * @retval VERSO_NOMEM    No memory for what was proved; nothing else is wrong.
 * @retval VERSO_INVALID  An argument is NULL, or the report has no size.
 * @retval VERSO_FORKED
 */
VERSO_API VERSO_MUST_USE verso_err verso_check(verso_store *store, verso_check_report *report);

/** Figures of a store. */
typedef struct verso_stats {
    size_t size;                 /**< sizeof(verso_stats). */
    uint32_t page_size;          /**< Bytes a page. */
    verso_root_id tip;           /**< Newest commit. */
    verso_root_id durable;       /**< Newest durable commit. */
    verso_root_id published;     /**< Newest root that views open. */
    verso_root_id oldest;        /**< Oldest kept root. */
    uint64_t kept_roots;         /**< Roots that can be opened. */
    uint64_t keys;               /**< Keys of the newest commit. */
    uint32_t depth;              /**< Levels of its tree; 0 when empty. */
    uint64_t file_bytes;         /**< Length of the store file. */
    uint64_t used_pages;         /**< Pages ever handed out (high-water mark). */
    uint64_t free_pages;         /**< Of them: known to be free. */
    uint64_t log_bytes;          /**< Log since the last checkpoint. */
    uint64_t arena_bytes;        /**< Page frames in use. */
    uint64_t arena_held_bytes;   /**< Of them: kept for the sake of open views only. */
    uint64_t views;              /**< Open views. */
    uint64_t checkpoints;        /**< Checkpoints since open. */
    uint64_t syncs;              /**< Log syncs since open. */
    uint64_t leaf_relief_copies; /**< Leaves copied because their link slots were needed. */
    bool poisoned;               /**< A sync failed; writes are refused. */
    bool meta_damaged;           /**< One of the two meta pages was unreadable at open. */
    bool keeping_damaged;        /**< What says which roots are kept and tagged was unreadable: only
                                      read-only handles open such a store. They find the roots that
                                      the history names, and no tags: VERSO_CORRUPT. */
} verso_stats;

/** Fill `stats`: figures as the last transaction left them. Any thread, no waiting.
 * VERSO_INVALID, VERSO_FORKED. */
VERSO_API VERSO_MUST_USE verso_err verso_stat(verso_store *store, verso_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
