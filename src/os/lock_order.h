/*
 * lock_order.h - in which order a thread may take the engine's locks, asserted in debug builds.
 *
 * lock_order.c has the one table of all locks with their depths: a thread that holds one may take
 * only deeper ones. So no two threads can wait for each other. docs/architecture.md says what each
 * of them guards; a test holds that list against the table.
 *
 * Threads: any; each thread has its own record of what it holds.
 */
#ifndef VERSO_OS_LOCK_ORDER_H
#define VERSO_OS_LOCK_ORDER_H

/** Every lock of the engine, outermost first. */
enum vs_lock_kind {
    VS_LOCK_WRITER,     /* the fair lock, which may be released by another thread */
    VS_LOCK_CHECKPOINT, /* not a mutex: the flag that a checkpoint is under way */
    VS_LOCK_LOOKUP,
    VS_LOCK_CHECKPOINTER,
    VS_LOCK_LOG_MAKING,
    VS_LOCK_LOG,
    VS_LOCK_PUBLISH,
    VS_LOCK_STATE,
    VS_LOCK_LIMBO,
    VS_LOCK_FREEZE,
    VS_LOCK_LOAD,
    VS_LOCK_RECENT,
    VS_LOCK_RETAINED,
    VS_LOCK_TICKETS, /* within the fair lock */
    VS_LOCK_KINDS
};

/** What a thread holds. As depths ascend, it never holds more locks than there are kinds. */
struct vs_locks_held {
    unsigned count;
    enum vs_lock_kind kind[VS_LOCK_KINDS];
};

/** Its name in the documents. */
const char *vs_lock_name(enum vs_lock_kind kind);

/** Its depth; two of the same depth are never held together. */
unsigned vs_lock_depth(enum vs_lock_kind kind);

#ifdef NDEBUG

static inline void vs_lock_order_check(enum vs_lock_kind kind)
{
    (void)kind;
}

static inline void vs_lock_order_enter(enum vs_lock_kind kind)
{
    (void)kind;
}

static inline void vs_lock_order_leave(enum vs_lock_kind kind)
{
    (void)kind;
}

static inline struct vs_locks_held vs_lock_order_swap(struct vs_locks_held other)
{
    return other;
}

#else

/** Assert that this thread may take the lock, holding what it holds. */
void vs_lock_order_check(enum vs_lock_kind kind);

/** The same, and note that it holds the lock from now on. */
void vs_lock_order_enter(enum vs_lock_kind kind);

/** This thread, which holds it, gives the lock up. */
void vs_lock_order_leave(enum vs_lock_kind kind);

/** Exchange the record of what this thread holds, and back again: for a call from below, as the
 *  tests' disk makes them, that does what another thread might. */
struct vs_locks_held vs_lock_order_swap(struct vs_locks_held other);

#endif

#endif
