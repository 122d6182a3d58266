/*
 * readers_test.c - the list of open views: which root, whose, since when.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/handles.h"
#include "child_exit.h"
#include "os/thread.h"
#include "simulated_disk.h"
#include "verso.h"

enum { ROOM = 8 };

static struct simulated_disk *disk;
static verso_store *store;

static void set_up(void)
{
    disk = simulated_disk_open(1);
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.system = simulated_disk_os(disk);
    cr_assert_eq(verso_open("store", &options, &store), VERSO_OK, "%s", verso_error_detail());
}

static void tear_down(void)
{
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
    simulated_disk_close(disk);
}

TestSuite(readers, .init = set_up, .fini = tear_down);

static void put(const char *key)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    cr_assert_eq(verso_put(txn, verso_text(key), verso_text("value")), VERSO_OK);
    cr_assert_eq(verso_commit(txn, NULL, NULL), VERSO_OK);
}

static verso_view *open_view(verso_root_id root)
{
    verso_view *view;
    verso_err err =
        root == 0 ? verso_view_open(store, &view) : verso_view_open_root(store, root, &view);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return view;
}

/* The list, of which `expected` entries are demanded and as many as fit are in `infos`. */
static void list(verso_reader_info *infos, size_t room, size_t expected)
{
    for (size_t i = 0; i < room; i++) {
        infos[i] = (verso_reader_info){.size = sizeof infos[i]};
    }
    size_t count = 99;
    cr_assert_eq(verso_readers(store, infos, room, &count), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(count, expected, "%zu readers, not %zu", count, expected);
}

Test(readers, nobody_reads_at_first)
{
    verso_reader_info infos[ROOM];
    list(infos, ROOM, 0);
    list(NULL, 0, 0);
}

Test(readers, the_oldest_roots_come_first_with_their_times)
{
    put("a");
    put("b");
    put("c");
    simulated_disk_set_clock(disk, 3000);
    verso_view *newest = open_view(0);
    simulated_disk_set_clock(disk, 5000);
    verso_view *oldest = open_view(1);
    simulated_disk_set_clock(disk, 4000); /* clocks may jump */
    verso_view *again = open_view(1);
    verso_reader_info infos[ROOM];
    list(infos, ROOM, 3);
    const verso_reader_info expected[] = {{0, 1, 4000, 0}, {0, 1, 5000, 0}, {0, 3, 3000, 0}};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(infos[i].root, expected[i].root);
        cr_assert_eq(infos[i].since_us, expected[i].since_us);
        cr_assert_eq(infos[i].thread, vs_thread_id());
    }
    list(infos, 1, 3);
    cr_assert_eq(infos[0].since_us, 4000);
    verso_view_close(again);
    list(infos, ROOM, 2);
    cr_assert_eq(infos[0].since_us, 5000);
    verso_view_close(oldest);
    verso_view_close(newest);
    list(infos, ROOM, 0);
}

Test(readers, roots_opened_in_their_order_stay_in_it)
{
    put("a");
    put("b");
    put("c");
    verso_view *views[3];
    verso_reader_info infos[ROOM];
    for (unsigned i = 0; i < 3; i++) {
        views[i] = open_view(i + 1);
    }
    list(infos, ROOM, 3);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(infos[i].root, i + 1);
        verso_view_close(views[i]);
    }
}

Test(readers, a_transaction_is_no_reader_but_a_committed_view_is)
{
    verso_view *view = open_view(0); /* leaves its name in the slot that the transaction takes */
    verso_view_close(view);
    verso_txn *txn;
    verso_reader_info infos[ROOM];
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK);
    list(infos, ROOM, 0);
    cr_assert_eq(verso_put(txn, verso_text("key"), verso_text("value")), VERSO_OK);
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.view = &view;
    cr_assert_eq(verso_commit(txn, &options, NULL), VERSO_OK);
    list(infos, ROOM, 1);
    cr_assert_eq(infos[0].root, 1);
    verso_view_close(view);
}

struct other {
    verso_view *view;
    uint64_t thread;
};

static void *open_elsewhere(void *argument)
{
    struct other *other = argument;
    other->view = open_view(0);
    other->thread = vs_thread_id();
    return NULL;
}

Test(readers, each_view_names_the_thread_that_opened_it)
{
    struct other other;
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, open_elsewhere, &other), 0);
    pthread_join(thread, NULL);
    verso_reader_info infos[ROOM];
    list(infos, ROOM, 1);
    cr_assert_eq(infos[0].thread, other.thread);
#if defined(__linux__)
    cr_assert_eq(vs_thread_id(), (uint64_t)getpid()); /* the first thread's number */
    cr_assert_neq(other.thread, vs_thread_id());
#endif
    verso_view_close(other.view);
}

#if defined(__linux__)
Test(readers, a_child_does_not_inherit_its_parents_thread)
{
    (void)vs_thread_id();
    pid_t child = fork();
    if (child == 0) {
        child_exit(vs_thread_id() == (uint64_t)getpid() ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}
#endif

Test(readers, bad_arguments_are_refused)
{
    verso_reader_info info = {.size = sizeof info};
    size_t count;
    cr_assert_eq(verso_readers(NULL, &info, 1, &count), VERSO_INVALID);
    cr_assert_eq(verso_readers(store, NULL, 1, &count), VERSO_INVALID);
    cr_assert_eq(verso_readers(store, &info, 1, NULL), VERSO_INVALID);
    info.size = 0;
    cr_assert_eq(verso_readers(store, &info, 1, &count), VERSO_INVALID);
}
