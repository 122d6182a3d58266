/*
 * retention_threads_test.c - roots opened by id, tag and time while a writer commits under policies
 * that thin, while another thread sets policies and tags, and checkpoints run; on real files.
 *
 * Every commit stamps what it writes with its own version: a root tells by its content which it is.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "page_keys.h"
#include "simulated_random.h"
#include "verso.h"

enum { STAMPED = 30, COMMITS = 1500, READERS = 2, TAGS = 6 };

static char folder[64];
static char path[96];

static void make_folder(void)
{
    (void)snprintf(folder, sizeof folder, "/tmp/verso-retention-XXXXXX");
    cr_assert(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/store", folder);
}

static void remove_folder(void)
{
    (void)unlink(path);
    cr_assert_eq(rmdir(folder), 0, "%s holds more than the store", folder);
}

TestSuite(retention_threads, .init = make_folder, .fini = remove_folder);

/** What the threads of one test share. */
struct shared {
    verso_store *store;
    _Atomic bool over;
    _Atomic uint64_t opened;
    _Atomic uint64_t gone;
};

static verso_store *open_store(const verso_retention *policy)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = 1024;
    options.retention = policy;
    options.durability = VERSO_DURABILITY_INTERVAL;
    options.interval_ms = 5;
    options.arena_bytes = 1 << 20;
    options.log_bytes = 64 * 1024;
    verso_store *store = NULL;
    verso_err err = verso_open(path, &options, &store);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    return store;
}

static void close_store(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    cr_assert_eq(verso_check(store, &report), VERSO_OK, "check: %s", report.fault);
    cr_assert_eq(verso_close(store), VERSO_OK, "%s", verso_error_detail());
}

static void commit_stamp(verso_store *store, uint64_t version)
{
    verso_txn *txn;
    cr_assert_eq(verso_begin(store, &txn), VERSO_OK, "%s", verso_error_detail());
    char text[32];
    for (unsigned i = 0; i < STAMPED; i++) {
        (void)snprintf(text, sizeof text, "stamped %04u", i);
        verso_slice value = {&version, sizeof version};
        cr_assert_eq(verso_put(txn, verso_text(text), value), VERSO_OK);
    }
    verso_root_id root = 0;
    cr_assert_eq(verso_commit(txn, NULL, &root), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(root, version);
}

/* ---- readers ---- */

static void look_at(struct shared *shared, verso_view *view)
{
    verso_root_info info = {.size = sizeof info};
    cr_assert_eq(verso_view_info(view, &info), VERSO_OK, "%s", verso_error_detail());
    for (unsigned i = 0; i < STAMPED && info.id > 0; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "stamped %04u", i);
        verso_slice value;
        uint64_t stamp = 0;
        verso_err err = verso_get(view, verso_text(text), &value);
        cr_assert(err == VERSO_OK && value.size == sizeof stamp, "root %" PRIu64 ": %s", info.id,
                  verso_error_detail());
        memcpy(&stamp, value.data, sizeof stamp);
        cr_assert_eq(stamp, info.id, "root %" PRIu64 " holds %" PRIu64, info.id, stamp);
    }
    atomic_fetch_add(&shared->opened, 1);
}

static verso_err open_by_id(verso_store *store, struct simulated_random *random, verso_view **view)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return verso_view_open_root(store, 1 + simulated_random_below(random, stats.published + 1),
                                view);
}

static verso_err open_by_time(verso_store *store, struct simulated_random *random,
                              verso_view **view)
{
    verso_root_info info[1] = {{.size = sizeof info[0]}};
    size_t count = 0;
    verso_err err = verso_roots(store, 0, info, 1, NULL, &count);
    cr_assert(err == VERSO_OK, "%s", verso_error_detail());
    int64_t from = count == 0 ? 0 : info[0].time_us;
    return verso_view_open_at(store, from + (int64_t)simulated_random_below(random, 2000000), view);
}

static verso_err open_by_tag(verso_store *store, struct simulated_random *random, verso_view **view)
{
    char name[16];
    (void)snprintf(name, sizeof name, "tag %u", (unsigned)simulated_random_below(random, TAGS));
    return verso_view_open_tag(store, verso_text(name), view);
}

static void *read_on(void *argument)
{
    struct shared *shared = argument;
    struct simulated_random random = {page_keys_seed() + (uint64_t)(uintptr_t)&random};
    while (!atomic_load(&shared->over)) {
        verso_view *view = NULL;
        uint64_t how = simulated_random_below(&random, 3);
        verso_err err = how == 0   ? open_by_id(shared->store, &random, &view)
                        : how == 1 ? open_by_time(shared->store, &random, &view)
                                   : open_by_tag(shared->store, &random, &view);
        if (err == VERSO_OK) {
            look_at(shared, view);
            if (simulated_random_below(&random, 4) == 0) {
                look_at(shared, view); /* dropped meanwhile or not */
            }
            verso_view_close(view);
        } else {
            cr_assert(err == VERSO_GONE || err == VERSO_NOT_FOUND, "%s: %s", verso_strerror(err),
                      verso_error_detail());
            atomic_fetch_add(&shared->gone, 1);
        }
    }
    return NULL;
}

/* ---- settings ---- */

static verso_retention draw_policy(struct simulated_random *random)
{
    verso_retention policy = verso_keep_last(1 + simulated_random_below(random, 40));
    if (simulated_random_below(random, 2) == 0) {
        policy.class_count = 2;
        policy.classes[0] = (verso_retention_class){200 * 1000, 2 * 1000};
        policy.classes[1] = (verso_retention_class){UINT64_MAX, 50 * 1000};
    }
    policy.checkpoints = simulated_random_below(random, 2) == 0;
    policy.has_budget = simulated_random_below(random, 2) == 0;
    policy.budget_bytes = 64 * 1024;
    policy.budget_percent = 50;
    return policy;
}

static void set_some_tag(verso_store *store, struct simulated_random *random)
{
    char name[16];
    (void)snprintf(name, sizeof name, "tag %u", (unsigned)simulated_random_below(random, TAGS));
    verso_err err = verso_tag_delete(store, verso_text(name));
    if (err == VERSO_NOT_FOUND) {
        err = verso_tag_set(store, verso_text(name), 0);
        err = err == VERSO_GONE || err == VERSO_NOT_FOUND ? VERSO_OK : err; /* a lag, or no root */
    }
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void *set_on(void *argument)
{
    struct shared *shared = argument;
    struct simulated_random random = {page_keys_seed() * 31};
    while (!atomic_load(&shared->over)) {
        if (simulated_random_below(&random, 4) != 0) {
            set_some_tag(shared->store, &random);
            continue;
        }
        verso_retention policy = draw_policy(&random);
        cr_assert_eq(verso_retention_set(shared->store, &policy), VERSO_OK, "%s",
                     verso_error_detail());
        verso_root_id dropped[16];
        verso_retention_effect effect = {.size = sizeof effect};
        policy = draw_policy(&random);
        cr_assert_eq(verso_retention_try(shared->store, &policy, dropped, 16, &effect), VERSO_OK);
        for (unsigned i = 1; i < 16 && i < effect.dropped; i++) {
            cr_assert_lt(dropped[i - 1], dropped[i]);
        }
    }
    return NULL;
}

Test(retention_threads, whoever_opens_an_old_root_finds_it_whole_or_gone)
{
    verso_retention policy = verso_keep_last(3);
    policy.checkpoints = true;
    policy.class_count = 1;
    policy.classes[0] = (verso_retention_class){UINT64_MAX, 3000};
    struct shared shared = {.store = open_store(&policy)};
    pthread_t reader[READERS];
    pthread_t setter;
    for (unsigned i = 0; i < READERS; i++) {
        cr_assert_eq(pthread_create(&reader[i], NULL, read_on, &shared), 0);
    }
    cr_assert_eq(pthread_create(&setter, NULL, set_on, &shared), 0);
    for (uint64_t version = 1; version <= COMMITS; version++) {
        commit_stamp(shared.store, version);
        if (version % 61 == 0) {
            cr_assert_eq(verso_checkpoint(shared.store), VERSO_OK, "%s", verso_error_detail());
        }
    }
    atomic_store(&shared.over, true);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(reader[i], NULL);
    }
    pthread_join(setter, NULL);
    printf("seed %" PRIu64 ": %" PRIu64 " roots opened, %" PRIu64 " gone\n", page_keys_seed(),
           atomic_load(&shared.opened), atomic_load(&shared.gone));
    cr_assert_gt(atomic_load(&shared.opened), 0);
    close_store(shared.store);
    shared.store = open_store(NULL);
    close_store(shared.store);
}

/* ---- a policy that is set while another one is being enforced ---- */

static void *checkpoint_on(void *argument)
{
    struct shared *shared = argument;
    while (!atomic_load(&shared->over)) {
        cr_assert_eq(verso_checkpoint(shared->store), VERSO_OK, "%s", verso_error_detail());
    }
    return NULL;
}

static uint64_t count_roots(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    cr_assert_eq(verso_stat(store, &stats), VERSO_OK);
    return stats.kept_roots;
}

Test(retention_threads, nothing_goes_any_more_once_all_is_to_be_kept)
{
    verso_retention all = verso_keep_all();
    verso_retention tight = verso_keep_last(2);
    tight.class_count = 1;
    tight.classes[0] = (verso_retention_class){UINT64_MAX, 0};
    tight.has_budget = true;
    tight.budget_bytes = 32 * 1024;
    struct shared shared = {.store = open_store(&all)};
    pthread_t other;
    cr_assert_eq(pthread_create(&other, NULL, checkpoint_on, &shared), 0);
    uint64_t version = 0;
    for (unsigned round = 0; round < 30; round++) {
        cr_assert_eq(verso_retention_set(shared.store, &tight), VERSO_OK);
        for (unsigned i = 0; i < 25; i++) {
            commit_stamp(shared.store, ++version);
        }
        cr_assert_eq(verso_retention_set(shared.store, &all), VERSO_OK);
        uint64_t kept = count_roots(shared.store);
        commit_stamp(shared.store, ++version);
        cr_assert_eq(verso_checkpoint(shared.store), VERSO_OK);
        cr_assert_eq(verso_checkpoint(shared.store), VERSO_OK);
        cr_assert_eq(count_roots(shared.store), kept + 1, "round %u", round);
    }
    atomic_store(&shared.over, true);
    pthread_join(other, NULL);
    close_store(shared.store);
}
