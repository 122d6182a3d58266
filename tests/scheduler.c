/*
 * scheduler.c - the baton, and the tree of decisions; see scheduler.h.
 *
 * Every thread sleeps on a semaphore of its own, but for the one that has the baton; only it
 * touches the scheduler's state, so that needs no lock.
 */
#include "scheduler.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/fault.h"
#include "os/turns.h"
#include "simulated_random.h"

static_assert(VS_POINTS <= 64, "points are bits of a word");

enum {
    THREADS_MAX = SCHEDULER_THREADS_MAX + 4, /* with those that the engine starts */
    DECISIONS_MAX = 1 << 16,                 /* in one run; a run that makes more never ends */
    POINTS_MAX = 1 << 20,
};

enum state {
    CAN_GO_ON,
    WAITS,       /* for `what`, until woken */
    WAITS_TIMED, /* the same, but may give up */
    HELD,        /* until the others are over */
    OVER,
};

struct logical_thread {
    struct vs_turns turns; /* first: the engine hands this back */
    sem_t baton;
    enum state state;
    const void *what; /* it waits for, or a thread that the engine started is known as */
    const void *name; /* as which the engine knows it; NULL: the scenario's own */
    uint64_t arrived; /* when it began to wait */
    bool woken;
    enum vs_point point;  /* its last */
    uint64_t passed_over; /* points, as bits */
    pthread_t thread;
    void *(*work)(void *); /* of one that the engine started */
    void *argument;
};

/* Who went on at one place where several could. */
struct decision {
    uint8_t options;
    uint8_t taken;
    uint8_t thread; /* whose turn it was */
    uint8_t next;   /* whose it became */
    uint8_t point;
    uint32_t when; /* points before it in this run */
};

static struct {
    const struct scenario *scenario;
    void *world;
    struct logical_thread thread[THREADS_MAX];
    unsigned thread_count;
    unsigned running;
    sem_t all_over;
    uint64_t arrivals;
    uint64_t points;

    struct decision decision[DECISIONS_MAX];
    unsigned decided;   /* in this run so far */
    unsigned fixed;     /* so many are prescribed by the walk */
    unsigned preempted; /* in this run so far */
    unsigned limit;     /* preemptions */

    bool draws; /* instead of walking */
    struct simulated_random random;
    uint64_t seed;          /* of this run */
    uint64_t preempt_at[8]; /* drawn points */

    struct logical_thread *held; /* the thread to be held; NULL: none */
    uint64_t hold_at;            /* at this of its points, from 1 on */
    uint64_t held_points;        /* it has come to so many */
    uint64_t schedules;
} now;

/* ---- failure ---- */

static void print_schedule(void)
{
    fprintf(stderr, "scenario %s, ", now.scenario->name);
    if (now.draws) {
        fprintf(stderr, "drawn from seed %ju:\n", (uintmax_t)now.seed);
    } else {
        fprintf(stderr, "schedule %ju:\n", (uintmax_t)now.schedules);
    }
    for (unsigned i = 0; i < now.decided; i++) {
        const struct decision *decision = &now.decision[i];
        if (decision->next != decision->thread) {
            fprintf(stderr, "    point %u: thread %u before %s, then thread %u\n", decision->when,
                    decision->thread, vs_point_name(decision->point), decision->next);
        }
    }
    for (unsigned i = 0; i < now.thread_count; i++) {
        fprintf(stderr, "    thread %u is %s %s\n", i,
                now.thread[i].state == OVER        ? "over, its last point was before"
                : now.thread[i].state == CAN_GO_ON ? "before"
                                                   : "waiting, before",
                vs_point_name(now.thread[i].point));
    }
}

void scheduler_must(bool holds, const char *format, ...)
{
    if (holds) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "failed: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    print_schedule();
    abort();
}

/* ---- deciding ---- */

/* Walking: the prescribed option, else the first. */
static unsigned walk(unsigned options)
{
    if (now.decided >= now.fixed) {
        return 0;
    }
    const struct decision *prescribed = &now.decision[now.decided];
    scheduler_must(prescribed->options == options, "the run does not repeat itself");
    return prescribed->taken;
}

static unsigned draw(unsigned options, bool can_go_on)
{
    if (!can_go_on) {
        return (unsigned)simulated_random_below(&now.random, options);
    }
    for (unsigned i = 0; i < now.limit; i++) {
        if (now.preempt_at[i] == now.points) {
            return 1 + (unsigned)simulated_random_below(&now.random, options - 1);
        }
    }
    return 0;
}

/* Choose among threads; the first of them is the one that has the turn, if it can go on. */
static unsigned decide(const unsigned *candidate, unsigned options, bool can_go_on)
{
    if (options == 1) {
        return candidate[0];
    }
    scheduler_must(now.decided < DECISIONS_MAX, "the run does not end");
    unsigned taken = now.draws ? draw(options, can_go_on) : walk(options);
    now.decision[now.decided++] = (struct decision){
        .options = (uint8_t)options,
        .taken = (uint8_t)taken,
        .thread = (uint8_t)now.running,
        .next = (uint8_t)candidate[taken],
        .point = (uint8_t)now.thread[now.running].point,
        .when = (uint32_t)now.points,
    };
    now.preempted += can_go_on && taken > 0;
    return candidate[taken];
}

static unsigned add_candidates(unsigned *candidate, unsigned count, enum state state)
{
    for (unsigned i = 1; i <= now.thread_count; i++) {
        unsigned other = (now.running + i) % now.thread_count;
        if (other != now.running && now.thread[other].state == state) {
            candidate[count++] = other;
        }
    }
    return count;
}

/* Who goes on after a point that the running thread could pass. */
static unsigned next_at_point(void)
{
    unsigned candidate[THREADS_MAX] = {now.running};
    unsigned options = 1;
    if (now.preempted < now.limit) {
        options = add_candidates(candidate, options, CAN_GO_ON);
        options = add_candidates(candidate, options, WAITS_TIMED);
    }
    return decide(candidate, options, true);
}

/* Who goes on if the running thread cannot; THREADS_MAX: all are over. */
static unsigned next_without_it(void)
{
    unsigned candidate[THREADS_MAX];
    unsigned options = add_candidates(candidate, 0, CAN_GO_ON);
    if (options == 0) { /* now time passes */
        options = add_candidates(candidate, 0, WAITS_TIMED);
        if (now.thread[now.running].state == WAITS_TIMED) {
            candidate[options++] = now.running;
        }
    }
    if (options > 0) {
        return decide(candidate, options, false);
    }
    unsigned held = THREADS_MAX;
    for (unsigned i = 0; i < now.thread_count; i++) {
        held = now.thread[i].state == HELD ? i : held;
    }
    for (unsigned i = 0; i < now.thread_count; i++) {
        scheduler_must(now.thread[i].state == OVER || i == held,
                       held == THREADS_MAX ? "deadlock"
                                           : "a thread waits for the one that is held");
    }
    return held;
}

/* ---- the baton ---- */

static void await(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

/* Give the baton away, unless to oneself, and wait for it if one wants it back. */
static void hand_over(struct logical_thread *self, unsigned next, bool comes_back)
{
    if (next == THREADS_MAX) {
        sem_post(&now.all_over);
        return;
    }
    struct logical_thread *other = &now.thread[next];
    if (other != self) {
        now.running = next;
        sem_post(&other->baton);
        if (comes_back) {
            await(&self->baton);
        }
    }
    if (comes_back) {
        self->state = CAN_GO_ON; /* if it waited, it was woken or its time is up */
    }
}

/* Who goes on if the running thread lets others go first: no decision, or a loop that waits for
 * them would multiply the schedules. */
static unsigned next_if_any(void)
{
    unsigned candidate[THREADS_MAX];
    return add_candidates(candidate, 0, CAN_GO_ON) > 0 ? candidate[0] : now.running;
}

static bool is_to_be_held(const struct logical_thread *self)
{
    return self == now.held && ++now.held_points == now.hold_at;
}

static void pass_point(struct vs_turns *turns, enum vs_point point)
{
    struct logical_thread *self = (struct logical_thread *)(void *)turns;
    if (self->passed_over >> point & 1) {
        return;
    }
    self->point = point;
    scheduler_must(++now.points < POINTS_MAX, "the run does not end");
    if (is_to_be_held(self)) {
        self->state = HELD;
        hand_over(self, next_without_it(), true);
        return;
    }
    hand_over(self, point == VS_POINT_GIVE_WAY ? next_if_any() : next_at_point(), true);
}

uint64_t scheduler_pass_over(uint64_t points)
{
    struct logical_thread *self = (struct logical_thread *)(void *)vs_turns_here();
    if (self == NULL) {
        return 0;
    }
    uint64_t before = self->passed_over;
    self->passed_over = points;
    return before;
}

static bool wait_for(struct vs_turns *turns, const void *what, bool timed)
{
    struct logical_thread *self = (struct logical_thread *)(void *)turns;
    self->what = what;
    self->woken = false;
    self->arrived = now.arrivals++;
    self->state = timed ? WAITS_TIMED : WAITS;
    hand_over(self, next_without_it(), true);
    return self->woken;
}

static void wake(struct vs_turns *turns, const void *what, bool all)
{
    (void)turns;
    struct logical_thread *first = NULL;
    for (unsigned i = 0; i < now.thread_count; i++) {
        struct logical_thread *thread = &now.thread[i];
        bool waits = (thread->state == WAITS || thread->state == WAITS_TIMED) && !thread->woken &&
                     thread->what == what;
        if (waits && all) {
            thread->woken = true;
            thread->state = CAN_GO_ON;
        } else if (waits && (first == NULL || thread->arrived < first->arrived)) {
            first = thread;
        }
    }
    if (first != NULL) {
        first->woken = true;
        first->state = CAN_GO_ON;
    }
}

/* ---- threads ---- */

static verso_err start(struct vs_turns *turns, const void *name, void *(*work)(void *),
                       void *argument);
static void join(struct vs_turns *turns, const void *name);

static void *run(void *argument)
{
    struct logical_thread *self = argument;
    unsigned number = (unsigned)(self - now.thread);
    await(&self->baton);
    self->state = CAN_GO_ON;
    vs_turns_set(&self->turns);
    if (self->work != NULL) {
        self->work(self->argument);
    } else {
        now.scenario->thread[number](now.world);
    }
    vs_turns_set(NULL);
    self->state = OVER;
    wake(&self->turns, self, true);
    hand_over(self, next_without_it(), false);
    return NULL;
}

static struct logical_thread *add_thread(const void *name, void *(*work)(void *), void *argument)
{
    scheduler_must(now.thread_count < THREADS_MAX, "too many threads");
    struct logical_thread *thread = &now.thread[now.thread_count++];
    *thread = (struct logical_thread){
        .turns = {pass_point, wait_for, wake, start, join},
        .state = CAN_GO_ON,
        .name = name,
        .work = work,
        .argument = argument,
    };
    sem_init(&thread->baton, 0, 0);
    int failed = pthread_create(&thread->thread, NULL, run, thread);
    scheduler_must(failed == 0, "no thread");
    return thread;
}

static verso_err start(struct vs_turns *turns, const void *name, void *(*work)(void *),
                       void *argument)
{
    (void)turns;
    (void)add_thread(name, work, argument);
    return VERSO_OK;
}

static void join(struct vs_turns *turns, const void *name)
{
    struct logical_thread *thread = NULL;
    for (unsigned i = 0; i < now.thread_count; i++) {
        thread = now.thread[i].name == name ? &now.thread[i] : thread;
    }
    scheduler_must(thread != NULL, "a thread is joined that was never started");
    if (thread->state != OVER) {
        (void)wait_for(turns, thread, false);
    }
}

/* ---- runs ---- */

static void run_once(const struct scenario *scenario)
{
    now.scenario = scenario;
    now.thread_count = 0;
    now.running = 0;
    now.arrivals = 0;
    now.points = 0;
    now.decided = 0;
    now.preempted = 0;
    now.schedules++;
    sem_init(&now.all_over, 0, 0);
    now.world = scenario->begin();
    for (unsigned i = 0; i < scenario->thread_count; i++) {
        (void)add_thread(NULL, NULL, NULL);
    }
    unsigned candidate[THREADS_MAX];
    for (unsigned i = 0; i < scenario->thread_count; i++) {
        candidate[i] = i;
    }
    now.running = decide(candidate, scenario->thread_count, false);
    sem_post(&now.thread[now.running].baton);
    await(&now.all_over);
    for (unsigned i = 0; i < now.thread_count; i++) {
        pthread_join(now.thread[i].thread, NULL);
        sem_destroy(&now.thread[i].baton);
    }
    sem_destroy(&now.all_over);
    scenario->end(now.world);
}

/* The next leaf of the tree of decisions. @return False: that was the last. */
static bool advance(void)
{
    while (now.decided > 0) {
        struct decision *last = &now.decision[now.decided - 1];
        if (last->taken + 1 < last->options) {
            last->taken++;
            now.fixed = now.decided;
            return true;
        }
        now.decided--;
    }
    return false;
}

uint64_t scheduler_all(const struct scenario *scenario, unsigned preemptions)
{
    now.draws = false;
    now.limit = preemptions;
    now.fixed = 0;
    now.schedules = 0;
    do {
        run_once(scenario);
    } while (advance());
    return now.schedules;
}

void scheduler_some(const struct scenario *scenario, unsigned preemptions, uint64_t runs,
                    uint64_t seed)
{
    assert(preemptions <= sizeof now.preempt_at / sizeof *now.preempt_at);
    now.draws = false; /* once without, to learn how many points there are */
    now.limit = 0;
    now.fixed = 0;
    now.schedules = 0;
    run_once(scenario);
    uint64_t points = now.points;
    now.draws = true;
    now.limit = preemptions;
    for (uint64_t i = 0; i < runs; i++) {
        now.seed = seed + i;
        now.random = (struct simulated_random){now.seed};
        for (unsigned j = 0; j < preemptions; j++) {
            now.preempt_at[j] = 1 + simulated_random_below(&now.random, points);
        }
        run_once(scenario);
    }
}

uint64_t scheduler_holding(const struct scenario *scenario, unsigned thread)
{
    now.draws = false;
    now.limit = 0;
    now.fixed = 0;
    now.schedules = 0;
    now.held = &now.thread[thread];
    for (now.hold_at = 1;; now.hold_at++) {
        now.held_points = 0;
        run_once(scenario);
        if (now.held_points < now.hold_at) {
            break; /* it has no such point */
        }
    }
    now.held = NULL;
    return now.hold_at - 1;
}
