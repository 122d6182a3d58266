/*
 * simulated_disk_inner.h - the simulated disk as its own sources see it (tests use
 * simulated_disk.h).
 */
#ifndef VERSO_TESTS_SIMULATED_DISK_INNER_H
#define VERSO_TESTS_SIMULATED_DISK_INNER_H

#include <pthread.h>

#include "simulated_disk.h"
#include "simulated_names.h"
#include "simulated_random.h"

struct simulated_disk {
    struct vs_os os;       /* constant but for `background` */
    pthread_mutex_t mutex; /* recursive, because hooks call back; guards all that follows */
    struct simulated_random chance;  /* what faults and full records of sectors draw */
    struct simulated_random entropy; /* what the engine asks for */
    int64_t clock_us;
    int64_t monotonic_us;
    uint64_t capacity; /* bytes */
    bool any_subset;
    bool is_read_only;
    bool is_written_through;
    uint64_t last_inode;
    uint64_t open_files;
    uint64_t unnamed_bytes; /* length of files that are open but have no name any more */

    simulated_hook *hook;
    void *hook_argument;
    bool in_hook;
    uint64_t changes;
    uint64_t events[SIMULATED_KINDS]; /* by kind; that of SIMULATED_ANY counts all */

    size_t fault_count;
    struct simulated_fault faults[SIMULATED_FAULTS_MAX];
    uint64_t matching[SIMULATED_FAULTS_MAX]; /* calls that each fault has matched so far */
    uint64_t faults_met;

    struct simulated_names names;
};

/** Fill `os` with the functions of simulated_os.c. */
void simulated_os_init(struct vs_os *os, struct simulated_disk *disk);

/** Lock the disk; again where the thread has locked it already. */
void simulated_disk_lock(struct simulated_disk *disk);
void simulated_disk_unlock(struct simulated_disk *disk);

/** One call under way: simulated_call_begin() locks the disk, simulated_call_end() unlocks it. */
struct simulated_call {
    struct simulated_disk *disk;
    const struct simulated_fault *fault; /* what it meets; NULL: nothing */
    struct simulated_event event;
    bool is_counted; /* not made by a hook */
};

/** Count the call, tell the hook and look for a fault. */
void simulated_call_begin(struct simulated_call *call, struct simulated_disk *disk,
                          enum simulated_kind kind, const char *path, uint64_t offset,
                          uint64_t size);

/** Whether the call meets a fault with this effect. */
bool simulated_call_meets(const struct simulated_call *call, enum simulated_effect effect);

/** The error of the call's fault, with its detail. */
verso_err simulated_call_fault(const struct simulated_call *call);

/** Tell the hook the outcome and hand it back. */
verso_err simulated_call_end(struct simulated_call *call, verso_err err);

#endif
