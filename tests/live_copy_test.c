/*
 * live_copy_test.c - the files of a store, copied by nothing better than reading them while a process
 * works with it: such a copy opens with whole roots or is refused with a code, and no read of it gives
 * anything wrong. (Who wants a copy that is sure to open calls verso_copy().)
 *
 * The writer's commit n puts the value n under key n mod KEYS, so the id of a root says all that it
 * holds. VERSO_TEST_COPIES: how many copies.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "page_keys.h"
#include "run_length.h"
#include "simulated_random.h"
#include "verso.h"

enum { COPIES = 50, KEYS = 700, PATH_SIZE = 400, CHUNK_MAX = 65536, BEGUN = 50 };

static char from[PATH_SIZE / 4];
static char to[PATH_SIZE / 4];
static _Atomic uint64_t *issued; /* shared with the writer */

static void remove_all(const char *folder)
{
    char command[PATH_SIZE];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a folder of our own
}

/* ---- the writer ---- */

static verso_err open_store(const char *folder, bool create, verso_store **store)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/store", folder);
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = verso_keep_last(5);
    options.create = create;
    options.page_size = create ? 1024 : 0;
    options.retention = &policy;
    options.log_bytes = 128 * 1024;
    options.arena_bytes = 512 * 1024;
    return verso_open(path, &options, store);
}

static int key_text(uint64_t number, char *text)
{
    return snprintf(text, 32, "key%05" PRIu64, number % KEYS);
}

static _Noreturn void write_for_ever(void)
{
    verso_store *store = NULL;
    verso_err err = open_store(from, true, &store);
    for (uint64_t n = 1; err == VERSO_OK; n++) {
        verso_txn *txn;
        char key[32];
        int size = key_text(n, key);
        atomic_store(issued, n);
        err = verso_begin(store, &txn);
        if (err == VERSO_OK) {
            err = verso_put(txn, (verso_slice){key, (size_t)size}, (verso_slice){&n, sizeof n});
        }
        if (err == VERSO_OK) {
            err = verso_commit(txn, NULL, NULL);
        }
        if (err == VERSO_OK && n % 300 == 0) { /* the busiest time for whoever copies */
            err = verso_checkpoint(store);
        }
    }
    (void)fprintf(stderr, "the writer fails: %s\n", verso_error_detail());
    _exit(1);
}

/* ---- copying ---- */

static void copy_file(const char *name, size_t chunk)
{
    static uint8_t bytes[CHUNK_MAX];
    char source[PATH_SIZE];
    char target[PATH_SIZE];
    (void)snprintf(source, sizeof source, "%s/%s", from, name);
    (void)snprintf(target, sizeof target, "%s/%s", to, name);
    int in = open(source, O_RDONLY | O_CLOEXEC);
    if (in < 0) {
        return; /* a segment of the log that has gone since the folder was read */
    }
    int out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(out, 0);
    ssize_t count;
    while ((count = read(in, bytes, chunk)) > 0) {
        cr_assert_eq(write(out, bytes, (size_t)count), count);
    }
    (void)close(in);
    (void)close(out);
}

/* Every file of the folder, the store's own first or last. */
static void copy_all(bool store_first, size_t chunk)
{
    if (store_first) {
        copy_file("store", chunk);
    }
    DIR *directory = opendir(from);
    cr_assert_not_null(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, "store-wal.", 10) == 0) {
            copy_file(entry->d_name, chunk);
        }
    }
    (void)closedir(directory);
    if (!store_first) {
        copy_file("store", chunk);
    }
}

/* ---- what such a copy may be ---- */

struct tally {
    uint64_t whole;
    uint64_t refused;
    uint64_t damaged; /* opened, and some reads said so */
};

static bool is_damage(verso_err err)
{
    return err == VERSO_CORRUPT || err == VERSO_WAL_CORRUPT || err == VERSO_WAL_MISSING;
}

/* Every key has the value that root `id` gives it, or cannot be read. */
static bool read_root(verso_store *store, verso_root_id id, const char *what)
{
    verso_view *view;
    verso_err err = verso_view_open_root(store, id, &view);
    if (err != VERSO_OK) {
        cr_assert(is_damage(err), "%s: root %" PRIu64 ": %s", what, id, verso_error_detail());
        return false;
    }
    bool whole = true;
    for (uint64_t i = 0; i < KEYS; i++) {
        char key[32];
        verso_slice value;
        uint64_t expected = id - (id + KEYS - i) % KEYS; /* the newest that put this key */
        expected = id >= i && expected <= id ? expected : 0;
        int size = key_text(i, key);
        err = verso_get(view, (verso_slice){key, (size_t)size}, &value);
        bool right = expected == 0 ? err == VERSO_NOT_FOUND
                                   : err == VERSO_OK && value.size == sizeof expected &&
                                         memcmp(value.data, &expected, sizeof expected) == 0;
        cr_assert(right || is_damage(err), "%s: root %" PRIu64 ", key %" PRIu64 " is wrong", what,
                  id, i);
        whole = whole && right;
    }
    verso_view_close(view);
    return whole;
}

static void judge(uint64_t issued_by_then, const char *what, struct tally *tally)
{
    verso_store *store;
    verso_err err = open_store(to, false, &store);
    if (err != VERSO_OK) {
        cr_assert(is_damage(err), "%s: %s", what, verso_error_detail());
        tally->refused++;
        return;
    }
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    cr_assert_leq(stats.published, issued_by_then, "%s", what);
    bool whole = true;
    uint64_t oldest = stats.published > 5 ? stats.published - 4 : 1;
    for (verso_root_id id = oldest; id <= stats.published; id++) {
        whole = read_root(store, id, what) && whole;
    }
    verso_check_report report = {.size = sizeof report};
    err = verso_check(store, &report);
    cr_assert(err == VERSO_OK || is_damage(err), "%s: %s", what, verso_error_detail());
    cr_assert(whole || err != VERSO_OK, "%s: the check found nothing where a read failed", what);
    tally->whole += err == VERSO_OK;
    tally->damaged += err != VERSO_OK;
    (void)verso_close(store); /* of a damaged copy: as far as it goes */
}

Test(live_copy, opens_with_whole_roots_or_is_refused)
{
    uint64_t copies = run_length("VERSO_TEST_COPIES", COPIES);
    uint64_t seed = page_keys_seed();
    struct simulated_random random = {seed};
    const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(from, sizeof from, "%s/verso-live-XXXXXX", parent);
    (void)snprintf(to, sizeof to, "%s/verso-copy-XXXXXX", parent);
    cr_assert(mkdtemp(from) != NULL && mkdtemp(to) != NULL);
    void *shared =
        mmap(NULL, sizeof *issued, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(shared, MAP_FAILED);
    issued = shared;
    pid_t writer = fork();
    if (writer == 0) {
        write_for_ever();
    }
    while (atomic_load(issued) < BEGUN && waitpid(writer, NULL, WNOHANG) == 0) {
        (void)usleep(1000);
    }
    struct tally tally = {0};
    for (uint64_t i = 0; i < copies; i++) {
        char what[96];
        (void)snprintf(what, sizeof what, "seed %" PRIu64 ", copy %" PRIu64, seed, i);
        remove_all(to);
        cr_assert_eq(mkdir(to, 0700), 0);
        copy_all(i % 2 == 0, (size_t)1 << (9 + simulated_random_below(&random, 8)));
        judge(atomic_load(issued), what, &tally);
    }
    cr_assert_eq(kill(writer, SIGKILL), 0);
    int status = 0;
    cr_assert_eq(waitpid(writer, &status, 0), writer);
    cr_assert(WIFSIGNALED(status), "the writer went on until it was killed");
    remove_all(from);
    remove_all(to);
    printf("%" PRIu64 " copies: %" PRIu64 " whole, %" PRIu64 " refused, %" PRIu64
           " opened damaged and said so\n",
           copies, tally.whole, tally.refused, tally.damaged);
    run_count("copies", copies);
    run_count("whole", tally.whole);
    run_count("refused", tally.refused);
    run_count("said_damaged", tally.damaged);
    cr_assert_gt(tally.whole, 0);
}
