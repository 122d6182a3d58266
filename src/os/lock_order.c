/*
 * lock_order.c - the table of all locks, and what each thread holds; see lock_order.h.
 */
#include "os/lock_order.h"

#include <assert.h>

struct place {
    const char *name;
    unsigned depth;
};

/* Those of the last depth are held for moments, with nothing taken inside. */
static const struct place order[VS_LOCK_KINDS] = {
    [VS_LOCK_WRITER] = {"writer_lock", 0},     [VS_LOCK_CHECKPOINT] = {"checkpoint under way", 1},
    [VS_LOCK_LOOKUP] = {"lookup_lock", 2},     [VS_LOCK_CHECKPOINTER] = {"checkpoint_lock", 3},
    [VS_LOCK_LOG_MAKING] = {"log.making", 4},  [VS_LOCK_LOG] = {"log.mutex", 5},
    [VS_LOCK_PUBLISH] = {"publish_lock", 6},   [VS_LOCK_STATE] = {"state_lock", 6},
    [VS_LOCK_LIMBO] = {"limbo_lock", 6},       [VS_LOCK_FREEZE] = {"freeze_lock", 6},
    [VS_LOCK_LOAD] = {"load_lock", 6},         [VS_LOCK_RECENT] = {"recent_lock", 6},
    [VS_LOCK_RETAINED] = {"retained.lock", 6}, [VS_LOCK_TICKETS] = {"writer_lock.tickets", 6},
};

const char *vs_lock_name(enum vs_lock_kind kind)
{
    return order[kind].name;
}

unsigned vs_lock_depth(enum vs_lock_kind kind)
{
    return order[kind].depth;
}

#ifndef NDEBUG

static _Thread_local struct vs_locks_held held;

void vs_lock_order_check(enum vs_lock_kind kind)
{
    assert(kind < VS_LOCK_KINDS);
    for (unsigned i = 0; i < held.count; i++) {
        assert(order[held.kind[i]].depth < order[kind].depth);
    }
}

void vs_lock_order_enter(enum vs_lock_kind kind)
{
    vs_lock_order_check(kind);
    held.kind[held.count++] = kind;
}

void vs_lock_order_leave(enum vs_lock_kind kind)
{
    unsigned i = held.count;
    while (i > 0 && held.kind[i - 1] != kind) {
        i--;
    }
    assert(i > 0);
    for (held.count--; i <= held.count; i++) {
        held.kind[i - 1] = held.kind[i];
    }
}

struct vs_locks_held vs_lock_order_swap(struct vs_locks_held other)
{
    struct vs_locks_held former = held;
    held = other;
    return former;
}

#endif
