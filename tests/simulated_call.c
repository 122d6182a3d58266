/*
 * simulated_call.c - what every call to the simulated disk goes through: counters, hook, faults.
 */
#include <assert.h>
#include <string.h>

#include "os/fault.h"
#include "os/lock_order.h"
#include "simulated_disk_inner.h"

static const char *const verbs[SIMULATED_KINDS] = {
    [SIMULATED_ANY] = "call",          [SIMULATED_CREATE] = "create",
    [SIMULATED_WRITE] = "write",       [SIMULATED_ALLOCATE] = "allocate",
    [SIMULATED_TRUNCATE] = "truncate", [SIMULATED_SYNC] = "sync",
    [SIMULATED_RENAME] = "rename",     [SIMULATED_UNLINK] = "unlink",
    [SIMULATED_OPEN] = "open",         [SIMULATED_SYNC_DIRECTORY] = "sync directory of",
    [SIMULATED_IDENTIFY] = "stat",     [SIMULATED_LOCK] = "lock",
    [SIMULATED_READ] = "read",         [SIMULATED_LIST] = "list",
    [SIMULATED_MAP] = "map",           [SIMULATED_RANDOM] = "read random",
};

static bool is_change(enum simulated_kind kind)
{
    return kind >= SIMULATED_CREATE && kind <= SIMULATED_SYNC_DIRECTORY;
}

static void tell_hook(struct simulated_call *call)
{
    struct simulated_disk *disk = call->disk;
    if (disk->hook == NULL || !call->is_counted) {
        return;
    }
    disk->in_hook = true;
    /* it may do what another thread might, in this store or in another one */
    struct vs_locks_held held = vs_lock_order_swap((struct vs_locks_held){0});
    disk->hook(disk->hook_argument, disk, &call->event);
    (void)vs_lock_order_swap(held);
    disk->in_hook = false;
}

static bool matches(const struct simulated_fault *fault, const struct simulated_event *event)
{
    return (fault->kind == SIMULATED_ANY || fault->kind == event->kind) &&
           (fault->path_part == NULL || strstr(event->path, fault->path_part) != NULL);
}

/* Each fault counts the calls that match it, also those that an earlier fault takes. */
static const struct simulated_fault *meet_fault(struct simulated_disk *disk,
                                                const struct simulated_event *event)
{
    const struct simulated_fault *met = NULL;
    for (size_t i = 0; i < disk->fault_count; i++) {
        const struct simulated_fault *fault = &disk->faults[i];
        if (!matches(fault, event)) {
            continue;
        }
        disk->matching[i]++;
        bool is_due =
            disk->matching[i] == fault->nth || (fault->for_ever && disk->matching[i] > fault->nth);
        if (is_due && met == NULL) {
            met = fault;
            disk->faults_met++;
        }
    }
    return met;
}

void simulated_call_begin(struct simulated_call *call, struct simulated_disk *disk,
                          enum simulated_kind kind, const char *path, uint64_t offset,
                          uint64_t size)
{
    simulated_disk_lock(disk);
    call->disk = disk;
    call->fault = NULL;
    call->is_counted = !disk->in_hook;
    if (!call->is_counted) {
        return;
    }
    disk->events[SIMULATED_ANY]++;
    disk->events[kind]++;
    disk->changes += is_change(kind);
    call->event = (struct simulated_event){
        .kind = kind,
        .is_change = is_change(kind),
        .number = disk->events[SIMULATED_ANY],
        .change = disk->changes,
        .path = path,
        .offset = offset,
        .size = size,
    };
    tell_hook(call);
    call->fault = meet_fault(disk, &call->event);
}

bool simulated_call_meets(const struct simulated_call *call, enum simulated_effect effect)
{
    return call->fault != NULL && call->fault->effect == effect;
}

verso_err simulated_call_fault(const struct simulated_call *call)
{
    assert(call->fault != NULL);
    verso_err err = call->fault->err == VERSO_OK ? VERSO_IO : call->fault->err;
    return vs_fault(err, "%s %s: fault injected", verbs[call->event.kind], call->event.path);
}

verso_err simulated_call_end(struct simulated_call *call, verso_err err)
{
    call->event.is_after = true;
    call->event.err = err;
    tell_hook(call);
    simulated_disk_unlock(call->disk);
    return err;
}
