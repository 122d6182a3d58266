/*
 * planted_names_test.c - what others may have put where the store makes files of its own, and who may
 * read what it makes. On the real system.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verso.h"

enum { PATH_SIZE = 96, VICTIM_BYTES = 100000, PLANTED = 4 };

static char folder[] = "/tmp/verso-planted-XXXXXX";
static char names[8][PATH_SIZE];
static unsigned names_used;

static const char *in_folder(const char *name)
{
    char *path = names[names_used++ % 8];
    (void)snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void tear_down(void)
{
    char command[PATH_SIZE];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(planted_names, .init = set_up, .fini = tear_down);

static void must(verso_err err)
{
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static verso_err create(verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    return verso_open(in_folder("store"), &options, store);
}

static void commit_one(verso_store *store)
{
    verso_txn *txn;
    must(verso_begin(store, &txn));
    must(verso_put(txn, verso_text("key"), verso_text("value")));
    must(verso_commit(txn, NULL, NULL));
}

/* ---- somebody else's file ---- */

static void make_victim(void)
{
    FILE *file = fopen(in_folder("victim"), "wb");
    cr_assert_not_null(file);
    for (int i = 0; i < VICTIM_BYTES; i++) {
        (void)fputc('v', file);
    }
    cr_assert_eq(fclose(file), 0);
}

static void expect_victim_unharmed(void)
{
    FILE *file = fopen(in_folder("victim"), "rb");
    cr_assert_not_null(file);
    int count = 0;
    for (int byte = fgetc(file); byte != EOF; byte = fgetc(file)) {
        cr_assert_eq(byte, 'v');
        count++;
    }
    cr_assert_eq(count, VICTIM_BYTES);
    cr_assert_eq(fclose(file), 0);
}

static bool is_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

Test(planted_names, a_link_in_place_of_the_temporary_file_is_not_followed)
{
    make_victim();
    cr_assert_eq(symlink("victim", in_folder("store-wal.new")), 0);
    verso_store *store = NULL;
    cr_assert_eq(create(&store), VERSO_FORMAT);
    cr_assert_not_null(strstr(verso_error_detail(), "store-wal.new"), "%s", verso_error_detail());
    expect_victim_unharmed();
    cr_assert_eq(unlink(in_folder("store-wal.new")), 0);
    cr_assert_eq(symlink("nowhere", in_folder("store-wal.new")), 0);
    cr_assert_eq(create(&store), VERSO_FORMAT);
    cr_assert_eq(access(in_folder("nowhere"), F_OK), -1, "nothing is made through a link");
}

Test(planted_names, links_in_place_of_the_log_are_not_followed)
{
    make_victim();
    verso_store *store = NULL;
    must(create(&store));
    must(verso_close(store));
    for (int i = 0; i < PLANTED; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "store-wal.%d", i);
        cr_assert_eq(symlink(i % 2 == 0 ? "victim" : "nowhere", in_folder(name)), 0);
    }
    must(create(&store));
    commit_one(store);
    cr_assert_eq(access(in_folder("store-wal.4"), F_OK), 0, "the log takes another number");
    must(verso_close(store));
    expect_victim_unharmed();
    cr_assert_eq(access(in_folder("nowhere"), F_OK), -1, "nothing is made through a link");
    cr_assert(is_link(in_folder("store-wal.0")), "what is not ours stays");
    must(create(&store));
    must(verso_close(store));
}

Test(planted_names, a_link_in_place_of_a_copy_is_not_followed)
{
    make_victim();
    verso_store *store = NULL;
    must(create(&store));
    cr_assert_eq(symlink("victim", in_folder("copy")), 0);
    cr_assert_eq(symlink("nowhere", in_folder("other")), 0);
    cr_assert_eq(verso_copy(store, in_folder("copy"), NULL, NULL), VERSO_EXISTS);
    cr_assert_eq(verso_copy(store, in_folder("other"), NULL, NULL), VERSO_EXISTS);
    expect_victim_unharmed();
    cr_assert_eq(access(in_folder("nowhere"), F_OK), -1);
    must(verso_close(store));
}

/* ---- who may read ---- */

static void expect_private(const char *name, mode_t mask)
{
    struct stat status;
    cr_assert_eq(stat(in_folder(name), &status), 0, "%s", name);
    unsigned allowed = status.st_mode & 0777;
    cr_assert_eq(allowed & 0077, 0, "%s, umask %03o: %03o", name, mask, allowed);
    cr_assert_eq(allowed, 0600 & ~mask, "%s, umask %03o: %03o", name, mask, allowed);
}

Test(planted_names, no_umask_lets_others_read)
{
    static const mode_t masks[] = {0, 022, 027, 077, 002, 0177};
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        mode_t before = umask(masks[i]);
        verso_store *store = NULL;
        must(create(&store));
        commit_one(store);
        must(verso_copy(store, in_folder("copy"), NULL, NULL));
        must(verso_copy_since(store, 1, in_folder("increment"), NULL));
        expect_private("store", masks[i]);
        expect_private("store-wal.0", masks[i]);
        expect_private("copy", masks[i]);
        expect_private("increment", masks[i]);
        must(verso_close(store));
        (void)umask(before);
        cr_assert_eq(unlink(in_folder("store")), 0);
        cr_assert_eq(unlink(in_folder("copy")), 0);
        cr_assert_eq(unlink(in_folder("increment")), 0);
    }
}
