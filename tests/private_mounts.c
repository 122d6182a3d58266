/*
 * private_mounts.c - see private_mounts.h.
 */
#include "private_mounts.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "verso.h"

static bool write_text(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) {
        (void)close(fd);
    }
    return written;
}

bool private_mounts_enter(void)
{
    char users[64];
    char groups[64];
    (void)snprintf(users, sizeof users, "0 %u 1", (unsigned)getuid());
    (void)snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getgid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/gid_map", groups);
}

bool private_mounts_disk(const char *folder, unsigned kib, unsigned long flags)
{
    char size[32];
    (void)snprintf(size, sizeof size, "size=%uk", kib);
    return mount("verso-test", folder, "tmpfs", flags, size) == 0;
}

int private_mounts_run(unsigned kib, void (*work)(const char *folder))
{
    char folder[] = "/tmp/verso-mount-XXXXXX";
    cr_assert_not_null(mkdtemp(folder));
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (!private_mounts_enter() || !private_mounts_disk(folder, kib, 0)) {
            _exit(PRIVATE_MOUNTS_SKIPPED);
        }
        work(folder);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(rmdir(folder), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == PRIVATE_MOUNTS_SKIPPED) {
        printf("skipped: this system lets nobody mount a tmpfs in a user namespace\n");
        cr_skip_test("no tmpfs in a user namespace");
    }
    return status;
}

void private_mounts_demand(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s (%s)\n", what, verso_error_detail());
        _exit(1);
    }
}
