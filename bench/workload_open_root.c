/*
 * workload_open_root.c - opening old roots by id, by tag and by time, against opening the newest.
 *
 * The store was opened anew, so the old roots' records come from the file and not from the list of
 * recent commits. Opened and closed again: random ones of 10,000 roots, and each of 100 tags.
 */
#include <stdlib.h>

#include "clock.h"
#include "random.h"
#include "stop.h"
#include "versions.h"

enum { OPENINGS = 20000, WAYS = 4 };

/* What is opened, drawn before any clock runs. */
struct opening {
    verso_root_id root;
    int64_t time_us;
    struct tag_name tag;
};

static verso_err open_newest(verso_store *store, const struct opening *opening, verso_view **view)
{
    (void)opening;
    return verso_view_open(store, view);
}

static verso_err open_by_id(verso_store *store, const struct opening *opening, verso_view **view)
{
    return verso_view_open_root(store, opening->root, view);
}

static verso_err open_by_tag(verso_store *store, const struct opening *opening, verso_view **view)
{
    return verso_view_open_tag(store, verso_text(opening->tag.text), view);
}

static verso_err open_by_time(verso_store *store, const struct opening *opening, verso_view **view)
{
    return verso_view_open_at(store, opening->time_us, view);
}

static const struct way {
    const char *label;
    verso_err (*open)(verso_store *store, const struct opening *opening, verso_view **view);
} ways[WAYS] = {{"newest", open_newest},
                {"by id, of 10,000", open_by_id},
                {"by tag, of 100", open_by_tag},
                {"by time, of 10,000", open_by_time}};

static struct opening *draw(const struct versions *versions, verso_store *store)
{
    struct opening *openings = allocate(OPENINGS, sizeof *openings);
    struct random random = {SEED_HITS};
    for (unsigned i = 0; i < OPENINGS; i++) {
        struct opening *opening = &openings[i];
        opening->root = versions->old + random_below(&random, VERSIONS_BACK);
        opening->tag = versions_tag(random_below(&random, VERSIONS_TAGS));
        verso_root_info info = {.size = sizeof info};
        verso_view *view = direct_view(store, opening->root);
        expect_ok(verso_view_info(view, &info), "verso_view_info");
        verso_view_close(view);
        opening->time_us = info.time_us;
    }
    return openings;
}

static void time_way(const struct way *way, verso_store *store, const struct opening *openings,
                     struct row *row)
{
    uint64_t start_ns = now_ns();
    for (unsigned i = 0; i < OPENINGS; i++) {
        verso_view *view = NULL;
        expect_ok(way->open(store, &openings[i], &view), way->label);
        verso_view_close(view);
    }
    direct_add_us(row, way->label, way == &ways[0], start_ns, OPENINGS);
}

void workload_open_root(struct bench *bench)
{
    if (bench_engine(bench, "verso") == NULL) {
        return;
    }
    struct versions versions = versions_store(bench);
    verso_store *store = direct_open(bench, versions.directory.text, KEEP_ALL);
    struct opening *openings = draw(&versions, store);
    struct row *row = row_open("open-root", "open and close a root (less is better)", "us");
    for (unsigned round = 0; round < bench->options->rounds; round++) {
        for (unsigned i = 0; i < WAYS; i++) {
            time_way(&ways[i], store, openings, row);
        }
    }
    row_close(bench->report, row);
    free(openings);
    expect_ok(verso_close(store), "verso_close");
}
