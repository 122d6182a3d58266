/*
 * savepoint_model_test.c - random changes of pages, savepoints, rollbacks and releases beside a
 * stack of arrays that say what each page held.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "page_fixture.h"
#include "page_keys.h"
#include "run_length.h"
#include "simulated_random.h"

enum {
    PAGE_SIZE = 512,
    SMALL_ARENA = 16, /* frames */
    SLOTS = 40,
    DEPTH_MAX = 6,
    STEPS = 6000,
    RUN_PAGES_MAX = 5,
    RUNS = 4,
};

/* What one place of the model holds: nothing, a leaf, or a long value. */
struct slot {
    vs_page_no page; /* of a leaf; 0: none */
    vs_page_no next;
    struct vs_run_ref run; /* extents 0: none */
    char mark;
};

struct state {
    struct slot slot[SLOTS];
};

struct model {
    uint64_t seed;
    unsigned step;
    struct simulated_random random;
    struct vs_store *store;
    struct vs_page_writer *writer;
    struct state now;
    struct state at[DEPTH_MAX + 1]; /* [0]: the last commit; [n]: savepoint n */
    uint32_t depth;
};

static uint64_t below(struct model *model, uint64_t bound)
{
    return simulated_random_below(&model->random, bound);
}

static void fill(struct model *model, struct slot *slot)
{
    slot->mark = (char)('a' + below(model, 26));
    if (below(model, 4) > 0) {
        slot->page = page_make_linked_leaf(model->writer, slot->mark, 0);
        slot->next = 0;
        return;
    }
    uint8_t value[RUN_PAGES_MAX * PAGE_SIZE];
    memset(value, slot->mark, sizeof value);
    size_t size = 1 + (size_t)below(model, sizeof value);
    verso_err err = vs_run_write(model->writer, (verso_slice){value, size}, 0, 3, &slot->run);
    cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
}

static void empty(struct model *model, struct slot *slot)
{
    if (slot->page != 0) {
        page_drop(model->writer, slot->page);
    } else {
        verso_err err = vs_run_drop(model->writer, &slot->run);
        cr_assert_eq(err, VERSO_OK, "%s", verso_error_detail());
    }
    memset(slot, 0, sizeof *slot);
}

static void change(struct model *model, struct slot *slot)
{
    if (slot->page != 0 && below(model, 2) == 0) {
        slot->mark = (char)('a' + below(model, 26));
        slot->page = page_set_mark(model->writer, slot->page, slot->mark);
        return;
    }
    if (slot->page != 0) { /* the link may be refused: what stands there then is the truth */
        page_link(model->writer, slot->page, (vs_page_no)below(model, 1000));
        slot->next = page_next(model->store, slot->page, vs_writer_version(model->writer));
    }
}

static void compare_slot(struct model *model, const struct slot *slot)
{
    if (slot->page != 0) {
        cr_assert_eq(page_mark(model->store, slot->page), slot->mark, "seed=%" PRIu64 " step=%u",
                     model->seed, model->step);
        uint64_t version = vs_writer_version(model->writer);
        cr_assert_eq(page_next(model->store, slot->page, version), slot->next,
                     "seed=%" PRIu64 " step=%u", model->seed, model->step);
    }
    if (slot->run.extents > 0) {
        uint8_t value[RUN_PAGES_MAX * PAGE_SIZE];
        verso_err err = vs_run_copy(&model->store->pages, &slot->run, 0, value, slot->run.length);
        cr_assert_eq(err, VERSO_OK, "seed=%" PRIu64 " step=%u: %s", model->seed, model->step,
                     verso_error_detail());
        for (uint32_t i = 0; i < slot->run.length; i++) {
            cr_assert_eq(value[i], slot->mark, "seed=%" PRIu64 " step=%u", model->seed,
                         model->step);
        }
    }
}

static void mark_pages(const struct slot *slot, uint8_t *reached)
{
    if (slot->page != 0) {
        cr_assert_eq(reached[slot->page]++, 0, "page %u is used twice", slot->page);
    }
    for (unsigned i = 0; i < slot->run.extents; i++) {
        for (uint32_t j = 0; j < slot->run.extent[i].pages; j++) {
            cr_assert_eq(reached[slot->run.extent[i].page + j]++, 0, "a run's page is used twice");
        }
    }
}

/* Pages are alive exactly if the model has them, and those are not free. */
static void compare_pages(struct model *model)
{
    const struct vs_space *space = &model->store->space;
    uint8_t *reached = calloc(space->high_water + 1, 1);
    cr_assert_not_null(reached);
    for (unsigned i = 0; i < SLOTS; i++) {
        mark_pages(&model->now.slot[i], reached);
    }
    for (vs_page_no page = 0; page < space->high_water; page++) {
        if (vs_layout_is_reserved(PAGE_SIZE, page)) {
            continue;
        }
        struct page_words words = page_words(model->store, page);
        bool history = (words.word[VS_WORD_KIND] >> 32 & VS_CLOCK_HISTORY) != 0;
        bool alive = words.word[VS_WORD_DIED] == VS_ALIVE && !history;
        cr_assert_eq(alive, reached[page], "seed=%" PRIu64 " step=%u: page %u is %s", model->seed,
                     model->step, page, alive ? "left behind" : "lost");
        cr_assert(!alive || !vs_space_is_free(space, page), "seed=%" PRIu64 " step=%u: page %u",
                  model->seed, model->step, page);
    }
    free(reached);
}

static void compare(struct model *model)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        compare_slot(model, &model->now.slot[i]);
    }
}

static void move_savepoints(struct model *model)
{
    uint32_t to = model->depth > 0 ? 1 + (uint32_t)below(model, model->depth) : 0;
    switch (below(model, 3)) {
    case 0:
        if (model->depth < DEPTH_MAX) {
            page_savepoint(model->writer);
            model->at[++model->depth] = model->now;
        }
        break;
    case 1:
        if (to > 0) {
            page_roll_back(model->writer, to);
            model->now = model->at[to];
            model->depth = to;
            compare(model);
        }
        break;
    default:
        if (to > 0 && below(model, 3) == 0) {
            vs_writer_release(model->writer, to);
            model->depth = to - 1;
        }
        break;
    }
}

static void end_transaction(struct model *model)
{
    if (below(model, 3) == 0) {
        vs_store_abort(model->store);
        model->now = model->at[0];
    } else {
        page_commit(model->store);
        model->at[0] = model->now;
    }
    model->depth = 0;
    compare_pages(model);
    model->writer = page_begin(model->store);
    compare(model);
}

static void run_model(struct simulated_disk *disk, uint64_t seed)
{
    struct model *model = calloc(1, sizeof *model);
    cr_assert_not_null(model);
    model->seed = seed;
    model->random = (struct simulated_random){seed};
    model->store = page_store_open(disk, PAGE_SIZE, 1);
    model->store->arena_limit = disk != NULL ? SMALL_ARENA : model->store->arena_limit;
    model->writer = page_begin(model->store);
    for (; model->step < STEPS; model->step++) {
        page_step(model->writer);
        struct slot *slot = &model->now.slot[below(model, SLOTS)];
        uint64_t what = below(model, 100);
        if (what < 20) {
            move_savepoints(model);
        } else if (what < 22) {
            end_transaction(model);
        } else if (slot->page == 0 && slot->run.extents == 0) {
            fill(model, slot);
        } else if (what < 45) {
            empty(model, slot);
        } else {
            change(model, slot);
        }
    }
    end_transaction(model);
    vs_store_abort(model->store);
    page_store_close(model->store);
    free(model);
}

Test(savepoint_model, agrees_in_memory)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS); /* up to 1,000 */
    for (uint64_t i = 0; i < runs; i++) {
        run_model(NULL, page_keys_seed() * 1000 + i);
    }
    run_count("runs", runs);
    run_count("steps", runs * STEPS);
}

Test(savepoint_model, agrees_while_pages_are_spilled)
{
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS);
    for (uint64_t i = 0; i < runs; i++) {
        uint64_t seed = page_keys_seed() * 1000 + i;
        struct simulated_disk *disk = simulated_disk_open(seed);
        run_model(disk, seed);
        simulated_disk_close(disk);
    }
    run_count("runs", runs);
    run_count("steps", runs * STEPS);
}
