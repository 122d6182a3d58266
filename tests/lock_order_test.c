/*
 * lock_order_test.c - locks are taken outermost first, and the document names all of them.
 */
#include "os/lock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "os/thread.h"
#include "store/fair_lock.h"

/* Take one lock inside another. */
static void nest(enum vs_lock_kind outer, enum vs_lock_kind inner)
{
    struct vs_lock outside;
    struct vs_lock inside;
    vs_lock_init(&outside, outer);
    vs_lock_init(&inside, inner);
    vs_lock_take(&outside);
    vs_lock_take(&inside);
    vs_lock_release(&outside); /* in any order */
    vs_lock_release(&inside);
    vs_lock_clear(&inside);
    vs_lock_clear(&outside);
}

Test(lock_order, lets_deeper_locks_be_taken)
{
    nest(VS_LOCK_LOOKUP, VS_LOCK_RECENT);
    nest(VS_LOCK_LOG_MAKING, VS_LOCK_LOG);
    nest(VS_LOCK_CHECKPOINT, VS_LOCK_LOOKUP);
    vs_lock_order_check(VS_LOCK_WRITER); /* nothing is left behind */
}

static void *take_lookup(void *lock)
{
    vs_lock_take(lock);
    vs_lock_release(lock);
    return NULL;
}

Test(lock_order, concerns_each_thread_by_itself)
{
    struct vs_lock lookup;
    struct vs_lock recent;
    vs_lock_init(&lookup, VS_LOCK_LOOKUP);
    vs_lock_init(&recent, VS_LOCK_RECENT);
    vs_lock_take(&recent);
    struct vs_thread other;
    cr_assert_eq(vs_thread_start(&other, take_lookup, &lookup), VERSO_OK);
    vs_thread_join(&other);
    vs_lock_release(&recent);
    vs_lock_clear(&recent);
    vs_lock_clear(&lookup);
}

Test(lock_order, frees_the_writer_lock_in_another_thread_without_a_trace)
{
    struct vs_fair_lock writer;
    vs_fair_lock_init(&writer);
    vs_fair_lock_take(&writer);
    vs_lock_order_check(VS_LOCK_WRITER); /* another store's may be taken as well */
    vs_fair_lock_release(&writer);
    vs_fair_lock_clear(&writer);
}

#ifndef NDEBUG

Test(lock_order, taking_an_outer_lock_inside_aborts, .signal = SIGABRT)
{
    nest(VS_LOCK_RECENT, VS_LOCK_LOOKUP);
}

Test(lock_order, taking_two_of_one_depth_aborts, .signal = SIGABRT)
{
    nest(VS_LOCK_FREEZE, VS_LOCK_LOAD);
}

Test(lock_order, taking_the_writer_lock_inside_any_aborts, .signal = SIGABRT)
{
    struct vs_fair_lock writer;
    struct vs_lock lookup;
    vs_fair_lock_init(&writer);
    vs_lock_init(&lookup, VS_LOCK_LOOKUP);
    vs_lock_take(&lookup);
    vs_fair_lock_take(&writer);
}

Test(lock_order, waiting_does_not_forget_what_is_held, .signal = SIGABRT)
{
    struct vs_lock lookup;
    struct vs_condition never;
    vs_lock_init(&lookup, VS_LOCK_LOOKUP);
    vs_condition_init(&never);
    vs_lock_take(&lookup);
    struct timespec soon = vs_condition_deadline(1);
    bool woken = vs_condition_wait_until(&never, &lookup, &soon);
    (void)woken;
    vs_lock_order_check(VS_LOCK_WRITER);
}

#endif

/* The next row of the document's table of locks: | `name` | depth | ... @return False: none. */
static bool next_row(FILE *document, char *name, unsigned *depth)
{
    char line[1024];
    while (fgets(line, sizeof line, document) != NULL) {
        if (sscanf(line, "| `%63[^`]` | %u |", name, depth) == 2) {
            return true;
        }
        if (strncmp(line, "## ", 3) == 0) {
            return false; /* the next section */
        }
    }
    return false;
}

static void skip_to_section(FILE *document, const char *heading)
{
    char line[1024];
    while (fgets(line, sizeof line, document) != NULL) {
        if (strcmp(line, heading) == 0) {
            return;
        }
    }
    cr_assert_fail("no section %s", heading);
}

Test(lock_order, is_written_down_as_it_is)
{
    FILE *document = fopen(VERSO_ARCHITECTURE_DOCUMENT, "r");
    cr_assert_not_null(document);
    skip_to_section(document, "## Locks\n");
    char name[64];
    unsigned depth = 0;
    for (enum vs_lock_kind kind = 0; kind < VS_LOCK_KINDS; kind++) {
        cr_assert(next_row(document, name, &depth), "%s is missing", vs_lock_name(kind));
        cr_assert_str_eq(name, vs_lock_name(kind));
        cr_assert_eq(depth, vs_lock_depth(kind), "%s: depth %u", name, depth);
    }
    cr_assert_not(next_row(document, name, &depth), "%s is no lock", name);
    (void)fclose(document);
}

Test(lock_order, descends)
{
    for (enum vs_lock_kind kind = 1; kind < VS_LOCK_KINDS; kind++) {
        cr_assert_leq(vs_lock_depth(kind - 1), vs_lock_depth(kind), "%s", vs_lock_name(kind));
    }
}
