/*
 * punched_holes_test.c - somebody has punched holes into the free space of the store file, and the
 * disk is full: writing there needs blocks that are not to be had. It is an error, never a signal.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handles.h"
#include "private_mounts.h"
#include "verso.h"

enum { DISK_KIB = 24 * 1024, PAGE_SIZE = 4096, KEYS = 8000, CHUNK = 4096 };

static char path[96];
static char ballast[96];

static void demand(bool holds, const char *what)
{
    private_mounts_demand(holds, what);
}

static verso_store *open_store(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(1);
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.retention = &policy;
    verso_store *store = NULL;
    demand(verso_open(path, &options, &store) == VERSO_OK, "opening");
    return store;
}

/* Put the keys [from, to); values of a hundred bytes that begin with `letter`. */
static verso_err put_keys(verso_store *store, unsigned from, unsigned to, char letter)
{
    char value[100];
    memset(value, letter, sizeof value);
    verso_txn *txn;
    verso_err err = verso_begin(store, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = from; i < to && err == VERSO_OK; i++) {
        char key[16];
        verso_slice name = {key, (size_t)snprintf(key, sizeof key, "key%06u", i)};
        err = verso_put(txn, name, (verso_slice){value, sizeof value});
    }
    if (err != VERSO_OK) {
        verso_abort(txn);
        return err;
    }
    return verso_commit(txn, NULL, NULL);
}

static void delete_keys(verso_store *store)
{
    verso_txn *txn;
    verso_range range = {.size = sizeof range, .has_prefix = true, .prefix = verso_text("key00")};
    demand(verso_begin(store, &txn) == VERSO_OK, "beginning");
    demand(verso_delete_range(txn, &range, NULL) == VERSO_OK, "deleting");
    demand(verso_commit(txn, NULL, NULL) == VERSO_OK, "committing a deletion");
}

/* Give the blocks of every known free page back to the file system. @return How many. */
static unsigned punch_free_pages(verso_store *store)
{
    const struct vs_space *space = &store->store->space;
    unsigned punched = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    demand(fd >= 0, "opening the file beside the store");
    for (vs_page_no page = 1; page < space->high_water; page++) {
        if (vs_space_is_free(space, page)) {
            demand(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                             (off_t)page * PAGE_SIZE, PAGE_SIZE) == 0,
                   "punching a hole");
            punched++;
        }
    }
    (void)close(fd);
    return punched;
}

static void fill_disk(void)
{
    static const char zeros[CHUNK];
    int fd = open(ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    demand(fd >= 0, "making ballast");
    while (write(fd, zeros, sizeof zeros) > 0) {
    }
    (void)close(fd);
}

/* The first letter of a key's value in the newest root. */
static char letter_of(verso_store *store, unsigned number)
{
    verso_view *view;
    verso_slice value;
    char key[16];
    verso_slice name = {key, (size_t)snprintf(key, sizeof key, "key%06u", number)};
    demand(verso_view_open(store, &view) == VERSO_OK, "opening a view");
    demand(verso_get(view, name, &value) == VERSO_OK, "reading");
    char letter = *(const char *)value.data;
    verso_view_close(view);
    return letter;
}

static void prove(verso_store *store, const char *what)
{
    verso_check_report report = {.size = sizeof report};
    demand(verso_check(store, &report) == VERSO_OK, what);
}

static void work(const char *folder)
{
    (void)snprintf(path, sizeof path, "%s/store", folder);
    (void)snprintf(ballast, sizeof ballast, "%s/ballast", folder);
    verso_store *store = open_store();
    demand(put_keys(store, 0, KEYS, 'a') == VERSO_OK, "filling");
    demand(verso_checkpoint(store) == VERSO_OK, "the first checkpoint");
    delete_keys(store);
    demand(put_keys(store, KEYS - 1, KEYS, 'b') == VERSO_OK, "a commit");
    demand(verso_checkpoint(store) == VERSO_OK, "the second checkpoint");
    demand(put_keys(store, KEYS - 1, KEYS, 'c') == VERSO_OK, "a commit: the deaths are judged");
    demand(verso_checkpoint(store) == VERSO_OK, "the third checkpoint");
    unsigned punched = punch_free_pages(store);
    demand(punched > 50, "too few free pages");
    fill_disk();
    verso_err err = VERSO_OK; /* commits go into the log; the checkpoint meets the holes */
    unsigned done = 0;
    for (; done < 40 && err == VERSO_OK; done++) {
        err = put_keys(store, 100 * done, 100 * done + 100, 'd');
        if (err == VERSO_OK && done % 10 == 9) {
            err = verso_checkpoint(store);
        }
    }
    demand(err == VERSO_NOSPC, "the full disk is met, and said");
    demand(strstr(verso_error_detail(), "write ") != NULL, "it was met by a write into a hole");
    demand(letter_of(store, 0) == 'd', "reads go on");
    demand(letter_of(store, KEYS - 1) == 'c', "reads go on");
    (void)verso_close(store); /* may have no room for its checkpoint, either */
    demand(unlink(ballast) == 0, "giving the room back");
    store = open_store();
    demand(letter_of(store, 0) == 'd' && letter_of(store, KEYS - 1) == 'c', "all is there");
    prove(store, "what was recovered is sound");
    demand(put_keys(store, 0, KEYS, 'e') == VERSO_OK && verso_checkpoint(store) == VERSO_OK,
           "with room again all goes on");
    prove(store, "sound in the end");
    demand(verso_close(store) == VERSO_OK, "closing");
}

Test(punched_holes, on_a_full_disk_are_an_error_and_no_signal)
{
    cr_assert_eq(private_mounts_run(DISK_KIB, work), 0);
}
