/*
 * kill_test.c - processes that are killed at any instruction, on real files: what was promised is
 * there, nothing else is.
 *
 * VERSO_TEST_KILLS says how many; each child is told another seed, from VERSO_TEST_SEED.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kill_witness.h"
#include "page_keys.h"
#include "run_length.h"
#include "simulated_random.h"

enum {
    KILLS = 500,
    LIVES = 25,          /* of one store, before another one is begun */
    LIFE_US_MIN = 200,   /* of a child: */
    LIFE_DOUBLINGS = 8,  /* up to 51 ms, short ones as likely as long ones */
    HEARD_AT_ONCE = 256, /* records */
};

static char folder[300];
static char path[320];

/* Half of the stores lie in memory, where a child gets a hundred times as far before it dies; half
   on a disk, where it spends its time in syncs. */
static void make_folder(void)
{
    static unsigned made;
    const char *disk = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
    disk = disk != NULL ? disk : "/tmp";
    const char *parent = made++ % 2 == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : disk;
    (void)snprintf(folder, sizeof folder, "%s/verso-kill-XXXXXX", parent);
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/store", folder);
}

static void remove_folder(void)
{
    char command[400];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0); // NOLINT(cert-env33-c): a folder of our own
}

TestSuite(kill, .init = make_folder, .fini = remove_folder);

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- one child ---- */

struct life {
    uint64_t seed;
    verso_durability durability;
    int64_t us;
};

static struct life draw_life(uint64_t seed)
{
    struct simulated_random random = {seed};
    int64_t us = (int64_t)LIFE_US_MIN << simulated_random_below(&random, LIFE_DOUBLINGS);
    us += (int64_t)simulated_random_below(&random, (uint64_t)us);
    return (struct life){
        .seed = seed,
        .durability = (verso_durability)(VERSO_DURABILITY_SYNC + seed % 3),
        .us = us,
    };
}

/* Take what the pipe has; false at its end. What a killed child wrote last is whole. */
static bool hear(struct kill_witness *witness, int pipe, uint64_t seed)
{
    static struct kill_record records[HEARD_AT_ONCE];
    ssize_t bytes = read(pipe, records, sizeof records);
    cr_assert_geq(bytes, 0);
    cr_assert_eq(bytes % (ssize_t)sizeof records[0], 0);
    for (size_t i = 0; i < (size_t)bytes / sizeof records[0]; i++) {
        const char *text = kill_witness_hear(witness, &records[i]);
        cr_assert(text == NULL, "seed=%" PRIu64 ": %s", seed, text);
    }
    return bytes > 0;
}

/* Listen until its time is up, kill it, hear the rest. */
static void live(const struct life *life, struct kill_witness *witness)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    int64_t end = now_us() + life->us;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        (void)close(ends[0]);
        struct kill_orders orders = {path, life->seed, life->durability, ends[1]};
        kill_story_play(&orders);
    }
    (void)close(ends[1]);
    bool open = true;
    for (int64_t left = life->us; open && left > 0; left = end - now_us()) {
        struct pollfd poll_for = {.fd = ends[0], .events = POLLIN};
        struct timespec timeout = {.tv_nsec = left * 1000};
        if (ppoll(&poll_for, 1, &timeout, NULL) > 0) {
            open = hear(witness, ends[0], life->seed);
        }
    }
    (void)kill(child, SIGKILL);
    while (hear(witness, ends[0], life->seed)) {
    }
    (void)close(ends[0]);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
              "seed=%" PRIu64 ": the child failed by itself", life->seed);
}

/* ---- what it left ---- */

/* Every other time without writing: then the next child has to recover, and may die doing it. */
static void judge(const struct life *life, struct kill_witness *witness)
{
    bool read_only = life->seed / 3 % 2 == 0;
    verso_store *store;
    verso_err err = kill_story_open(path, life->durability, read_only, &store);
    if (err == VERSO_NO_STORE && read_only && witness->issued == 0) {
        return; /* killed while it was being created */
    }
    cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 ": open: %s", life->seed, verso_error_detail());
    const char *text = kill_witness_judge(witness, store);
    cr_assert(text == NULL, "seed=%" PRIu64 ": %s", life->seed, text);
    cr_assert_eq(verso_close(store), VERSO_OK, "seed=%" PRIu64 ": close: %s", life->seed,
                 verso_error_detail());
}

Test(kill, a_killed_process_loses_nothing_promised)
{
    uint64_t kills = run_length("VERSO_TEST_KILLS", KILLS);
    uint64_t first = page_keys_seed() * 1000000;
    uint64_t commits = 0;
    struct kill_witness witness;
    kill_witness_init(&witness);
    for (uint64_t i = 0; i < kills; i++) {
        struct life life = draw_life(first + i);
        live(&life, &witness);
        judge(&life, &witness);
        if (i % LIVES == LIVES - 1 || i == kills - 1) {
            commits += witness.returned;
            kill_witness_clear(&witness);
            remove_folder();
            make_folder();
        }
    }
    run_count("kills", kills);
    run_count("commits", commits);
    cr_assert_gt(commits, kills, "the children hardly came to work");
}
