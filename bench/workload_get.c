/*
 * workload_get.c - random gets on a store loaded in random order, everything warm.
 *
 * The first pass of a round is timed as a whole and gives the rate; a second, shorter one times
 * each get by itself and gives the percentiles, some 25 ns of clock reading included.
 * The keys lie in memory in the order of their use; the first eight bytes of each value are read.
 */
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "clock.h"
#include "loaded.h"
#include "stop.h"

enum { CLOCKED_GETS_MAX = 200000, READER_THREADS = 2 };

/* What a pass found; engines that hold the same must find the same. */
struct findings {
    uint64_t found;
    uint64_t sum;
};

static struct findings get_all(const struct engine *engine, struct reader *reader,
                               const struct key_set *keys)
{
    struct findings findings = {0};
    verso_slice value = {NULL, 0};
    for (uint32_t i = 0; i < keys->count; i++) {
        if (engine->get(reader, key_at(keys, i), &value)) {
            findings.found++;
            findings.sum += first_bytes(value.data, value.size);
        }
    }
    return findings;
}

static void get_clocked(const struct engine *engine, struct reader *reader,
                        const struct key_set *keys, struct latencies *latencies)
{
    uint32_t count = keys->count < CLOCKED_GETS_MAX ? keys->count : CLOCKED_GETS_MAX;
    uint64_t sum = 0;
    latencies_reserve(latencies, count);
    verso_slice value = {NULL, 0};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t start_ns = now_ns();
        if (engine->get(reader, key_at(keys, i), &value)) {
            sum += first_bytes(value.data, value.size);
        }
        latencies_add(latencies, now_ns() - start_ns);
    }
    volatile uint64_t sink = sum; /* or the reads might be left out */
    (void)sink;
}

static void expect_findings(const struct engine *engine, struct findings findings,
                            uint64_t expected, struct findings *first)
{
    if (findings.found != expected) {
        stop_with("%s found %llu keys of %llu", engine->name, (unsigned long long)findings.found,
                  (unsigned long long)expected);
    }
    if (first->found != 0 && first->sum != findings.sum) {
        stop_with("%s found other values than the first engine", engine->name);
    }
    *first = findings;
}

static void run_gets(struct bench *bench, const char *workload, const char *title,
                     const struct key_set *keys, uint64_t expected)
{
    struct row *row = row_open(workload, title, "gets/s");
    struct read_sides sides = read_sides_open(bench, LOADED_RANDOM);
    struct findings first = {0};
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < sides.count; i++) {
            const struct engine *engine = sides.at[i].engine;
            struct figure *figure = row_figure(row, engine->name, is_baseline(engine));
            uint64_t start_ns = now_ns();
            struct findings findings = get_all(engine, sides.at[i].reader, keys);
            figure_add(figure, rate_since(start_ns, keys->count));
            expect_findings(engine, findings, expected, &first);
            get_clocked(engine, sides.at[i].reader, keys, &figure->latencies);
        }
    }
    read_sides_close(&sides);
    row_close(bench->report, row);
}

void workload_get_hit(struct bench *bench)
{
    struct key_set hits = keys_sample(&bench->keys, bench->options->reads, SEED_HITS);
    run_gets(bench, "get-hit", "random get, hit", &hits, hits.count);
    keys_clear(&hits);
}

void workload_get_miss(struct bench *bench)
{
    struct key_set misses = keys_missing(&bench->keys, bench->options->reads, SEED_MISSES);
    run_gets(bench, "get-miss", "random get, miss", &misses, 0);
    keys_clear(&misses);
}

/* ---- batches ------------------------------------------------------------------------------ */

static struct findings get_all_in_batches(const struct engine *engine, struct reader *reader,
                                          const struct key_set *keys, struct latencies *latencies)
{
    struct findings findings = {0};
    verso_slice wanted[GET_BATCH_MAX];
    verso_slice values[GET_BATCH_MAX];
    uint64_t start_ns = now_ns();
    for (uint32_t i = 0; i + GET_BATCH_MAX <= keys->count; i += GET_BATCH_MAX) {
        for (uint32_t j = 0; j < GET_BATCH_MAX; j++) {
            wanted[j] = key_at(keys, i + j);
        }
        findings.found += engine->get_batch(reader, wanted, GET_BATCH_MAX, values);
        for (uint32_t j = 0; j < GET_BATCH_MAX; j++) {
            findings.sum += first_bytes(values[j].data, values[j].size);
        }
        uint64_t end_ns = now_ns();
        latencies_add(latencies, end_ns - start_ns);
        start_ns = end_ns;
    }
    return findings;
}

void workload_get_batch(struct bench *bench)
{
    struct key_set hits = keys_sample(&bench->keys, bench->options->reads, SEED_HITS);
    uint32_t count = hits.count / GET_BATCH_MAX * GET_BATCH_MAX;
    struct row *row = row_open("get-batch", "16 gets at once, hit (percentiles: of 16)", "gets/s");
    struct read_sides sides = read_sides_open(bench, LOADED_RANDOM);
    struct findings first = {0};
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < sides.count; i++) {
            const struct engine *engine = sides.at[i].engine;
            struct figure *figure =
                row_figure(row, is_baseline(engine) ? "LMDB, single gets" : "Verso, get_many",
                           is_baseline(engine));
            latencies_reserve(&figure->latencies, count / GET_BATCH_MAX);
            uint64_t start_ns = now_ns();
            struct findings findings =
                get_all_in_batches(engine, sides.at[i].reader, &hits, &figure->latencies);
            figure_add(figure, rate_since(start_ns, count));
            expect_findings(engine, findings, count, &first);
        }
    }
    read_sides_close(&sides);
    row_close(bench->report, row);
    keys_clear(&hits);
}

/* ---- two threads -------------------------------------------------------------------------- */

struct get_thread {
    const struct engine *engine;
    struct store *store;
    struct key_set keys;
    pthread_barrier_t *start;
    struct findings findings;
    uint64_t start_ns;
    uint64_t end_ns;
};

static void *run_get_thread(void *argument)
{
    struct get_thread *thread = argument;
    struct reader *reader = thread->engine->reader_open(thread->store, 0);
    pthread_barrier_wait(thread->start);
    thread->start_ns = now_ns();
    thread->findings = get_all(thread->engine, reader, &thread->keys);
    thread->end_ns = now_ns();
    thread->engine->reader_close(reader);
    return NULL;
}

/* Gets a second of all threads together: from the first start to the last end. */
static double rate_of(const struct get_thread *threads, unsigned count)
{
    uint64_t start_ns = threads[0].start_ns;
    uint64_t end_ns = threads[0].end_ns;
    uint64_t gets = 0;
    for (unsigned i = 0; i < count; i++) {
        start_ns = threads[i].start_ns < start_ns ? threads[i].start_ns : start_ns;
        end_ns = threads[i].end_ns > end_ns ? threads[i].end_ns : end_ns;
        gets += threads[i].keys.count;
    }
    return (double)gets * 1e9 / (double)(end_ns > start_ns ? end_ns - start_ns : 1);
}

static double get_with_threads(const struct read_side *side, const struct key_set *keys,
                               unsigned count)
{
    pthread_t ids[READER_THREADS];
    struct get_thread threads[READER_THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        threads[i] = (struct get_thread){
            .engine = side->engine, .store = side->store, .keys = keys[i], .start = &start};
        if (pthread_create(&ids[i], NULL, run_get_thread, &threads[i]) != 0) {
            stop_with("cannot start a thread");
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(ids[i], NULL);
        if (threads[i].findings.found != keys[i].count) {
            stop_with("%s: a thread missed keys", side->engine->name);
        }
    }
    pthread_barrier_destroy(&start);
    return rate_of(threads, count);
}

void workload_get_threads(struct bench *bench)
{
    struct key_set keys[READER_THREADS];
    for (unsigned i = 0; i < READER_THREADS; i++) {
        keys[i] = keys_sample(&bench->keys, bench->options->reads, SEED_HITS + ((uint64_t)i << 32));
    }
    struct row *rates = row_open("get-threads", "two reader threads, random get, hit", "gets/s");
    struct row *scaling = row_open("get-threads", "two reader threads against one", "x");
    struct read_sides sides = read_sides_open(bench, LOADED_RANDOM);
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < sides.count; i++) {
            const struct engine *engine = sides.at[i].engine;
            double alone = get_with_threads(&sides.at[i], keys, 1);
            double together = get_with_threads(&sides.at[i], keys, READER_THREADS);
            figure_add(row_figure(rates, engine->name, is_baseline(engine)), together);
            figure_add(row_figure(scaling, engine->name, true), together / alone);
        }
    }
    read_sides_close(&sides);
    row_close(bench->report, rates);
    row_close(bench->report, scaling);
    for (unsigned i = 0; i < READER_THREADS; i++) {
        keys_clear(&keys[i]);
    }
}
