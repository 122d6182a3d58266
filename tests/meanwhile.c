/*
 * meanwhile.c - a thread's turns that count its points; see meanwhile.h.
 */
#include "meanwhile.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct {
    enum vs_point point;
    unsigned left; /* until it acts; 0: it has */
    void (*act)(void *argument);
    void *argument;
} planned;

void need_points(void)
{
    if (!VS_HAS_TURNS) {
        cr_skip_test("built without asserts, so without points where something could be done");
    }
}

static void point(struct vs_turns *turns, enum vs_point at)
{
    (void)turns;
    if (at == planned.point && --planned.left == 0) {
        vs_turns_set(NULL);
        planned.act(planned.argument);
    }
}

/* What is done meanwhile is over when it returns, so nothing is ever waited for. */
static bool wait_for_nobody(struct vs_turns *turns, const void *what, bool timed)
{
    (void)turns;
    (void)what;
    (void)timed;
    abort();
}

static void wake_nobody(struct vs_turns *turns, const void *what, bool all)
{
    (void)turns;
    (void)what;
    (void)all;
}

void meanwhile_at(enum vs_point at, unsigned nth, void (*act)(void *argument), void *argument)
{
    static struct vs_turns turns = {.point = point, .wait = wait_for_nobody, .wake = wake_nobody};
    planned.point = at;
    planned.left = nth;
    planned.act = act;
    planned.argument = argument;
    vs_turns_set(&turns);
}

bool meanwhile_done(void)
{
    vs_turns_set(NULL);
    return planned.left == 0;
}
