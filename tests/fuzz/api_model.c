/*
 * api_model.c - transactions, views, retention, power cuts, and calls that must be refused.
 *
 * What the model knows of durability: a root that a sync commit, a sync, a checkpoint or a close
 * has acknowledged survives every crash. Of retention: roots below `may_go` may be gone; with
 * everything kept, none is.
 */
#include "api_model.h"

#include <string.h>

#include "api_copy.h"
#include "api_state.h"
#include "api_transaction.h"
#include "simulated_disk.h"
#include "verdict.h"

#define PATH "store"

enum { ROOTS_MAX = 300, VIEWS_MAX = 4, PAGE_SIZES = 3 };

struct api_model {
    struct simulated_disk *disk;
    verso_store *store;
    uint32_t page_size;
    verso_durability durability;
    struct api_state root[ROOTS_MAX + 1]; /* [0, issued] */
    uint64_t issued;
    uint64_t durable;
    uint64_t may_go;    /* roots below may be gone */
    uint64_t keep_last; /* 0: all */
    bool in_memory;
    bool ends_slowly;
    struct api_copy copy;
    verso_view *view[VIEWS_MAX];
    uint64_t view_root[VIEWS_MAX];
};

static void require(bool holds, const char *what)
{
    verdict_require(holds, what);
}

static verso_retention policy_of(const struct api_model *model)
{
    return model->keep_last == 0 ? verso_keep_all() : verso_keep_last(model->keep_last);
}

static void open_store(struct api_model *model)
{
    verso_options options = VERSO_OPTIONS_INIT;
    verso_retention policy = policy_of(model);
    options.create = true;
    options.page_size = model->page_size;
    options.retention = &policy;
    options.durability = model->durability;
    options.arena_bytes = 1; /* the least there is, as is the next */
    options.log_bytes = 1;
    options.system = simulated_disk_os(model->disk);
    require(verso_open(model->in_memory ? NULL : PATH, &options, &model->store) == VERSO_OK,
            "a store does not open");
}

/* A disk with an empty store: made once for each size of pages. */
static struct simulated_disk *new_disk(struct api_model *model)
{
    static struct simulated_disk *templates[PAGE_SIZES];
    struct simulated_disk **found = &templates[model->page_size / 1024];
    if (*found == NULL) {
        *found = model->disk = simulated_disk_open(model->page_size);
        open_store(model);
        require(verso_close(model->store) == VERSO_OK, "closing");
    }
    return simulated_disk_clone(*found);
}

struct api_model *api_model_open(uint8_t choices)
{
    static struct api_model model;
    memset(&model, 0, sizeof model);
    model.page_size = UINT32_C(512) << choices % 4 % PAGE_SIZES; /* < 4,096: short log segments */
    model.disk = new_disk(&model);
    model.in_memory = choices % 4 == PAGE_SIZES;
    model.ends_slowly = choices / 64 == 0;
    model.durability = (verso_durability)(1 + choices / 4 % 3);
    model.keep_last = choices / 16 % 4;
    model.root[0] = api_state_empty();
    open_store(&model);
    return &model;
}

/* ---- looking ---- */

static void check(const struct api_model *model)
{
    verso_check_report report = {.size = sizeof report};
    require(verso_check(model->store, &report) == VERSO_OK, "the check finds a fault");
}

static uint64_t published(const struct api_model *model)
{
    verso_stats stats = {.size = sizeof stats};
    require(verso_stat(model->store, &stats) == VERSO_OK, "no statistics");
    require(stats.tip == model->issued, "another newest root");
    require(stats.published >= model->durable || stats.published == stats.tip,
            "a durable root is not published");
    return stats.published;
}

/* A root's view; NULL if it may be gone, and is. */
static verso_view *open_root(const struct api_model *model, uint64_t id)
{
    verso_view *view = NULL;
    verso_err err = verso_view_open_root(model->store, id, &view);
    bool is_there = id > 0 && id <= published(model);
    if (!is_there) {
        require(err == VERSO_NOT_FOUND, "a root that never was");
        return NULL;
    }
    require(err == VERSO_OK || (err == VERSO_GONE && id < model->may_go), "a kept root is gone");
    return view;
}

static void compare_root(const struct api_model *model, uint64_t id)
{
    verso_view *view = open_root(model, id);
    if (view != NULL) {
        api_compare_view(view, &model->root[id]);
        verso_view_close(view);
    }
}

static void compare_all(const struct api_model *model)
{
    for (uint64_t id = 1; id <= model->issued; id++) {
        compare_root(model, id);
    }
    check(model);
}

static void compare_two(const struct api_model *model, struct api_input *input)
{
    uint64_t a = api_byte(input) % (model->issued + 1);
    uint64_t b = api_byte(input) % (model->issued + 1);
    verso_view *from = open_root(model, a);
    verso_view *to = open_root(model, b);
    if (from != NULL && to != NULL) {
        api_compare_difference(from, &model->root[a], to, &model->root[b]);
    }
    verso_view_close(from);
    verso_view_close(to);
}

static void hold(struct api_model *model, struct api_input *input)
{
    uint8_t byte = api_byte(input);
    unsigned slot = byte % VIEWS_MAX;
    if (model->view[slot] != NULL) {
        api_compare_view(model->view[slot], &model->root[model->view_root[slot]]);
        verso_view_close(model->view[slot]);
        model->view[slot] = NULL;
        return;
    }
    model->view_root[slot] = byte / VIEWS_MAX % (model->issued + 1);
    model->view[slot] = open_root(model, model->view_root[slot]);
}

static void close_views(struct api_model *model)
{
    for (unsigned i = 0; i < VIEWS_MAX; i++) {
        if (model->view[i] != NULL) {
            api_compare_view(model->view[i], &model->root[model->view_root[i]]);
        }
        verso_view_close(model->view[i]);
        model->view[i] = NULL;
    }
}

/* ---- changing ---- */

static void root_is_made(struct api_model *model, const struct api_state *state)
{
    model->issued++;
    model->root[model->issued] = *state;
    if (model->keep_last > 0 && model->issued >= model->keep_last) {
        uint64_t oldest = model->issued - model->keep_last + 1;
        model->may_go = oldest > model->may_go ? oldest : model->may_go;
    }
}

static void commit(struct api_model *model, verso_txn *txn, const struct api_state *state,
                   uint8_t how)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.durability = (verso_durability)(how % 4);
    options.asynchronous = how / 4 % 4 == 3;
    options.note = verso_text(how % 3 == 0 ? "a note" : "");
    verso_root_id id = 0;
    require(verso_commit(txn, &options, &id) == VERSO_OK, "a commit");
    if (id == model->issued) {
        require(api_same(state, &model->root[id]), "changes that make no root");
        return;
    }
    require(id == model->issued + 1, "another id than the next");
    root_is_made(model, state);
    verso_durability durability = how % 4 == 0 ? model->durability : options.durability;
    if (durability == VERSO_DURABILITY_SYNC && !options.asynchronous) {
        model->durable = model->issued;
    }
}

static void transact(struct api_model *model, struct api_input *input)
{
    verso_txn *txn = NULL;
    if (model->issued == ROOTS_MAX) {
        return;
    }
    require(verso_begin(model->store, &txn) == VERSO_OK, "no transaction");
    struct api_state state = model->root[model->issued];
    api_transaction_play(txn, &state, input);
    uint8_t how = api_byte(input);
    if (how % 16 == 15) {
        verso_abort(txn);
    } else {
        api_compare_view(verso_txn_view(txn), &state);
        commit(model, txn, &state, how);
    }
}

static void revert(struct api_model *model, struct api_input *input)
{
    uint64_t id = api_byte(input) % (model->issued + 1);
    bool all = api_byte(input) % 2 == 0;
    verso_view *to = open_root(model, id);
    if (to == NULL || model->issued == ROOTS_MAX) {
        verso_view_close(to);
        return;
    }
    verso_txn *txn = NULL;
    require(verso_begin(model->store, &txn) == VERSO_OK, "no transaction");
    struct api_state state = model->root[model->issued];
    if (all) {
        require(verso_revert_all(txn, to, NULL) == VERSO_OK, "a revert of all trees");
        state = model->root[id];
    } else {
        require(verso_revert(txn, to, NULL, NULL) == VERSO_OK, "a revert");
        memcpy(state.value[0], model->root[id].value[0], sizeof state.value[0]);
    }
    verso_view_close(to);
    commit(model, txn, &state, api_byte(input));
}

static void sync_store(struct api_model *model)
{
    require(verso_sync(model->store) == VERSO_OK, "a sync");
    model->durable = model->issued;
}

static void checkpoint(struct api_model *model)
{
    require(verso_checkpoint(model->store) == VERSO_OK, "a checkpoint");
    model->durable = model->issued;
}

static void retain(struct api_model *model, struct api_input *input)
{
    model->keep_last = api_byte(input) % 6;
    verso_retention policy = policy_of(model);
    if (model->keep_last > 0 && model->issued >= model->keep_last) {
        uint64_t oldest = model->issued - model->keep_last + 1;
        model->may_go = oldest > model->may_go ? oldest : model->may_go;
    }
    require(verso_retention_set(model->store, &policy) == VERSO_OK, "retention");
    policy.last = 0;
    require(verso_retention_set(model->store, &policy) == VERSO_INVALID || policy.all,
            "a policy that keeps nothing");
}

/* ---- ends ---- */

static void reopen(struct api_model *model)
{
    for (unsigned i = 0; i < VIEWS_MAX; i++) {
        if (model->view[i] != NULL) {
            require(verso_close(model->store) == VERSO_INVALID, "closing under an open view");
            break;
        }
    }
    close_views(model);
    if (model->in_memory) {
        return; /* it would be gone */
    }
    require(verso_close(model->store) == VERSO_OK, "closing");
    model->durable = model->issued;
    open_store(model);
    require(published(model) == model->issued, "a root is lost by closing");
}

/* Cut the power; go on with what is left. */
static void crash(struct api_model *model, struct api_input *input)
{
    uint8_t byte = api_byte(input);
    if (model->in_memory) {
        return;
    }
    enum simulated_crash mode = (enum simulated_crash)(byte % (SIMULATED_CRASH_TORN + 1));
    struct simulated_disk *left = simulated_disk_crash(model->disk, byte, mode);
    close_views(model);
    require(verso_close(model->store) == VERSO_OK, "closing");
    simulated_disk_close(model->disk);
    model->disk = left;
    api_copy_forget(&model->copy, left); /* it may know roots that are lost */
    open_store(model);
    verso_stats stats = {.size = sizeof stats};
    require(verso_stat(model->store, &stats) == VERSO_OK, "no statistics");
    require(stats.tip >= model->durable, "a crash has lost what was durable");
    require(stats.tip <= model->issued, "a crash has left more than there was");
    model->issued = stats.tip;
    model->durable = stats.tip;
    check(model);
    compare_root(model, model->issued);
}

/* Of what is published: a copy, or what it lacks. */
static void copy(struct api_model *model)
{
    if (api_copy_go_on(&model->copy, model->store, model->disk, model->may_go)) {
        api_copy_compare(model->disk, &model->root[model->copy.newest]);
    }
}

/* ---- misuse ---- */

static void misuse(struct api_model *model)
{
    verso_view *view = NULL;
    verso_store *second = NULL;
    verso_cursor *cursor = NULL;
    verso_retention policy = verso_keep_last(1);
    verso_options options = VERSO_OPTIONS_INIT;
    size_t count = 0;
    options.system = simulated_disk_os(model->disk);
    require(model->in_memory || verso_open(PATH, &options, &second) == VERSO_BUSY,
            "a second handle");
    require(verso_view_open_root(model->store, model->issued + 1, &view) == VERSO_NOT_FOUND,
            "a root to come");
    require(verso_view_open(NULL, &view) == VERSO_INVALID, "a view of nothing");
    require(verso_cursor_open(NULL, NULL, &cursor) == VERSO_INVALID, "a cursor on nothing");
    require(verso_roots(model->store, 0, NULL, 1, NULL, &count) == VERSO_INVALID, "no room");
    require(verso_wait_durable(model->store, model->issued + 1) == VERSO_NOT_FOUND, "a wait");
    policy.class_count = VERSO_RETENTION_CLASSES_MAX + 1;
    require(verso_retention_set(model->store, &policy) == VERSO_INVALID, "too many classes");
    require(verso_tag_delete(model->store, verso_text("none")) == VERSO_NOT_FOUND, "no such tag");
    verso_view_close(NULL);
    verso_abort(NULL);
}

void api_model_step(struct api_model *model, struct api_input *input)
{
    switch (api_byte(input) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        transact(model, input);
        break;
    case 5:
        compare_root(model, api_byte(input) % (model->issued + 2));
        break;
    case 6:
        compare_two(model, input);
        break;
    case 7:
    case 8:
        hold(model, input);
        break;
    case 9:
        checkpoint(model);
        break;
    case 10:
        sync_store(model);
        break;
    case 11:
        retain(model, input);
        break;
    case 12:
        revert(model, input);
        break;
    case 13:
        reopen(model);
        break;
    case 14:
        crash(model, input);
        break;
    default:
        if (api_byte(input) % 4 == 0) {
            copy(model);
            break;
        }
        misuse(model);
        check(model);
        break;
    }
}

void api_model_close(struct api_model *model)
{
    close_views(model);
    if (model->ends_slowly) {
        reopen(model);
        compare_all(model);
    }
    require(verso_close(model->store) == VERSO_OK, "closing");
    require(simulated_disk_open_files(model->disk) == 0, "files are left open");
    simulated_disk_close(model->disk);
}
