/*
 * crash_script.c - the story, and the judge of what a power cut left of it.
 */
#include "crash_script.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crash_scenes.h"
#include "crash_trees.h"
#include "expected_kept.h"

enum {
    PAGE_SIZE = 512,
    LOG_BYTES = 64 * 1024,
    ARENA_BYTES = 512 * 512,
};

void crash_script_init(struct crash_script *script, uint64_t seed)
{
    *script = (struct crash_script){.random = {seed}};
    script->disk = simulated_disk_open(seed);
    simulated_disk_set_any_subset(script->disk, true);
    verso_retention policy = verso_keep_default();
    expected_roots_init(&script->roots, &policy);
}

void crash_script_clear(struct crash_script *script)
{
    (void)verso_close(script->store);
    simulated_disk_set_hook(script->disk, NULL, NULL);
    if (simulated_disk_open_files(script->disk) == 0) {
        simulated_disk_close(script->disk);
    }
    expected_roots_clear(&script->roots);
}

verso_err crash_script_open(struct simulated_disk *disk, verso_store **store)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    options.page_size = PAGE_SIZE;
    options.log_bytes = LOG_BYTES;
    options.arena_bytes = ARENA_BYTES;
    options.system = simulated_disk_os(disk);
    return verso_open(CRASH_SCRIPT_PATH, &options, store);
}

/* ---- what a story is made of ---- */

enum scene {
    OPEN,
    CLOSE,
    COMMIT,
    ASYNCHRONOUS,
    WAIT,
    CHECKPOINT,
    KEEP,
    ABORT,
    TREES,   /* put into both named trees */
    DROP,    /* one of them; rename the other */
    CUT,     /* delete a range from both */
    LOOK,    /* open a view of the newest root */
    COMPARE, /* it with that root, and close it */
    PASS,    /* time, in milliseconds */
    THIN,
    TAG,
    UNTAG,
    RANGE, /* delete one */
    ROLL_BACK,
    REVERT, /* to a tag */
    REVERT_ALL,
};

struct line {
    enum scene scene;
    unsigned from; /* KEEP: how many; of a tag: which; PASS: how long */
    unsigned count;
    size_t size; /* of the values; 0: delete */
};

/* ---- scenes ---- */

verso_slice crash_script_key(unsigned number, char *key, size_t size)
{
    (void)snprintf(key, size, "key %06u", number);
    return verso_text(key);
}

void crash_script_note_checkpoint(struct crash_script *script)
{
    script->moment++;
    expected_note_checkpoint(&script->roots.keeping, script->store, script->roots.issued);
}

verso_err crash_script_begin(struct crash_script *script, verso_txn **txn)
{
    verso_err err = verso_begin(script->store, txn);
    if (err == VERSO_OK) {
        crash_script_note_checkpoint(script);
        expected_begin(&script->roots);
    }
    return err;
}

verso_err crash_script_change(struct crash_script *script, verso_txn *txn, unsigned number,
                              size_t size)
{
    char text[16];
    uint8_t *value = script->value;
    verso_slice key = crash_script_key(number, text, sizeof text);
    if (size == 0) {
        expected_delete(&script->roots, key);
        return verso_delete(txn, key);
    }
    uint64_t stamp = simulated_random_next(&script->random);
    for (size_t i = 0; i + 8 <= size; i += 8, stamp++) {
        memcpy(value + i, &stamp, sizeof stamp);
    }
    expected_put(&script->roots, key, (verso_slice){value, size});
    return verso_put(txn, key, (verso_slice){value, size});
}

verso_err crash_script_end(struct crash_script *script, verso_txn *txn, bool asynchronous)
{
    char note[40];
    (void)snprintf(note, sizeof note, "after %" PRIu64, script->roots.issued);
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.asynchronous = asynchronous;
    options.note = verso_text(note);
    uint64_t version = expected_commit(&script->roots, options.note);
    verso_root_id root;
    verso_err err = verso_commit(txn, &options, &root);
    if (err == VERSO_OK && root != version) {
        return VERSO_CORRUPT;
    }
    if (err == VERSO_OK) {
        script->moment++;
        expected_note_commit(&script->roots.keeping, script->store);
        script->durable = asynchronous ? script->durable : version;
    }
    return err;
}

verso_err crash_script_commit(struct crash_script *script, unsigned from, unsigned count,
                              size_t size, bool asynchronous)
{
    verso_txn *txn;
    verso_err err = crash_script_begin(script, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    for (unsigned i = 0; i < count && err == VERSO_OK; i++) {
        err = crash_script_change(script, txn, from + i, size);
    }
    if (err == VERSO_OK) {
        return crash_script_end(script, txn, asynchronous);
    }
    verso_abort(txn);
    expected_abort(&script->roots);
    return err;
}

/* ---- simple scenes ---- */

static verso_err abort_one(struct crash_script *script)
{
    verso_txn *txn;
    verso_err err = crash_script_begin(script, &txn);
    if (err != VERSO_OK) {
        return err;
    }
    err = crash_script_change(script, txn, 900000, 5000);
    verso_abort(txn);
    expected_abort(&script->roots);
    return err;
}

static verso_err checkpoint(struct crash_script *script)
{
    verso_err err = verso_checkpoint(script->store);
    if (err == VERSO_OK) {
        crash_script_note_checkpoint(script);
        script->durable = script->roots.issued;
    }
    return err;
}

static verso_err keep_last(struct crash_script *script, uint64_t last)
{
    verso_retention policy = expected_policy(last);
    script->roots.keeping.now.policy = policy;
    verso_err err = verso_retention_set(script->store, &policy);
    if (err == VERSO_OK) {
        script->durable = script->roots.issued;
        crash_script_note_checkpoint(script);
        expected_keeping_settled(&script->roots.keeping);
    }
    return err;
}

static verso_err wait_for_all(struct crash_script *script)
{
    verso_err err = verso_wait_durable(script->store, script->roots.issued);
    if (err == VERSO_OK) {
        script->durable = script->roots.issued;
    }
    return err;
}

/* Whatever happened since it was opened, the view is what it was. */
static verso_err compare_view(struct crash_script *script)
{
    verso_root_info info = {.size = sizeof info};
    struct simulated_random random = {1};
    verso_err err = verso_view_info(script->view, &info);
    if (err == VERSO_OK &&
        expected_compare_view(&script->roots, script->view, info.id, &random) != NULL) {
        err = VERSO_CORRUPT;
    }
    verso_view_close(script->view);
    script->view = NULL;
    return err;
}

static verso_err close_story(struct crash_script *script)
{
    verso_err err = verso_close(script->store);
    script->store = NULL;
    if (err == VERSO_OK) {
        script->roots.keeping.mark[script->roots.issued].checkpoint = EXPECTED_YES;
        script->durable = script->roots.issued;
    }
    return err;
}

/* ---- the story ---- */

static const struct line story[] = {
    {OPEN, 0, 0, 0},           {COMMIT, 0, 3, 20},       {COMMIT, 3, 40, 30},
    {ASYNCHRONOUS, 50, 2, 60}, {ASYNCHRONOUS, 0, 1, 10}, {COMMIT, 60, 1, 3000},
    {CHECKPOINT, 0, 0, 0},     {COMMIT, 0, 30, 25},      {ABORT, 0, 0, 0},
    {COMMIT, 61, 1, 20000},    {CHECKPOINT, 0, 0, 0},    {KEEP, 2, 0, 0},
    {LOOK, 0, 0, 0},           {COMMIT, 0, 45, 31},      {COMMIT, 60, 1, 1},
    {CHECKPOINT, 0, 0, 0},     {COMMIT, 1000, 150, 60},  {COMMIT, 61, 1, 0},
    {COMMIT, 2000, 1100, 50},  {COMMIT, 1000, 100, 70},  {COMMIT, 62, 1, 30000},
    {COMMIT, 62, 1, 30000},    {COMPARE, 0, 0, 0},       {ASYNCHRONOUS, 0, 3, 20},
    {WAIT, 0, 0, 0},           {COMMIT, 2000, 1100, 0},  {KEEP, 0, 0, 0},
    {COMMIT, 1000, 150, 0},    {CLOSE, 0, 0, 0},         {OPEN, 0, 0, 0},
    {COMMIT, 0, 45, 0},        {COMMIT, 50, 2, 0},       {COMMIT, 60, 1, 0},
    {COMMIT, 62, 1, 0},        {CHECKPOINT, 0, 0, 0},    {COMMIT, 5, 10, 40},
    {KEEP, 1, 0, 0},           {COMMIT, 5, 10, 40},      {CHECKPOINT, 0, 0, 0},
    {COMMIT, 8, 2, 700},       {TREES, 0, 60, 40},       {TREES, 50, 30, 700},
    {CUT, 10, 60, 0},          {CHECKPOINT, 0, 0, 0},    {DROP, 3, 0, 0},
    {COMMIT, 8, 1, 10},        {CLOSE, 0, 0, 0},
};

/* The other one, of history: roots thinned by age, tagged, come back to. */
static const struct line story_of_history[] = {
    {OPEN, 0, 0, 0},          {THIN, 0, 0, 0},       {COMMIT, 0, 40, 30},
    {PASS, 300, 0, 0},        {COMMIT, 5, 3, 20},    {PASS, 300, 0, 0},
    {COMMIT, 9, 3, 25},       {TAG, 0, 0, 0},        {COMMIT, 2, 1, 3000},
    {PASS, 2500, 0, 0},       {COMMIT, 12, 3, 20},   {ASYNCHRONOUS, 1, 1, 10},
    {ASYNCHRONOUS, 3, 1, 10}, {COMMIT, 60, 80, 40},  {RANGE, 70, 50, 0},
    {CHECKPOINT, 0, 0, 0},    {PASS, 4000, 0, 0},    {TREES, 0, 30, 40},
    {TAG, 1, 0, 0},           {RANGE, 0, 1000, 0},   {ROLL_BACK, 200, 30, 0},
    {REVERT, 0, 0, 0},        {PASS, 20000, 0, 0},   {DROP, 3, 0, 0},
    {COMMIT, 5, 3, 21},       {REVERT_ALL, 1, 0, 0}, {COMMIT, 5, 3, 22},
    {CHECKPOINT, 0, 0, 0},    {UNTAG, 0, 0, 0},      {PASS, 60000, 0, 0},
    {COMMIT, 5, 3, 23},       {COMMIT, 5, 3, 24},    {CLOSE, 0, 0, 0},
    {OPEN, 0, 0, 0},          {PASS, 150000, 0, 0},  {COMMIT, 5, 1, 25},
    {PASS, 2, 0, 0},          {COMMIT, 5, 1, 26},    {ASYNCHRONOUS, 6, 1, 26},
    {TAG, 2, 0, 0},           {KEEP, 2, 0, 0},       {UNTAG, 1, 0, 0},
    {UNTAG, 2, 0, 0},         {COMMIT, 5, 1, 27},    {CLOSE, 0, 0, 0},
};

/* The third one, of the log: its segments have 64 KiB. */
static const struct line story_of_the_log[] = {
    {OPEN, 0, 0, 0},         {COMMIT, 0, 20, 25},      {ASYNCHRONOUS, 0, 2, 40},
    {ASYNCHRONOUS, 2, 2, 5}, {ASYNCHRONOUS, 4, 1, 60}, {ASYNCHRONOUS, 5, 2, 7},
    {COMMIT, 6, 1, 9},       {COMMIT, 70, 1, 40000},   {COMMIT, 71, 1, 39000},
    {COMMIT, 70, 1, 38000},  {COMMIT, 71, 1, 37000},   {COMMIT, 72, 1, 36000},
    {CHECKPOINT, 0, 0, 0},   {KEEP, 1, 0, 0},          {COMMIT, 70, 1, 35000},
    {COMMIT, 71, 1, 34000},  {COMMIT, 70, 1, 33000},   {CHECKPOINT, 0, 0, 0},
    {COMMIT, 70, 1, 32000},  {ASYNCHRONOUS, 1, 2, 31}, {ASYNCHRONOUS, 71, 1, 31000},
    {COMMIT, 3, 1, 8},       {CHECKPOINT, 0, 0, 0},    {TREES, 0, 120, 40},
    {COMMIT, 70, 1, 30000},  {COMMIT, 71, 1, 29000},   {DROP, 3, 0, 0},
    {COMMIT, 3, 1, 10},      {COMMIT, 3, 1, 11},       {CHECKPOINT, 0, 0, 0},
    {COMMIT, 70, 3, 0},      {CHECKPOINT, 0, 0, 0},    {COMMIT, 3, 1, 12},
    {CHECKPOINT, 0, 0, 0},   {COMMIT, 3, 1, 13},       {CLOSE, 0, 0, 0},
};

static verso_err play_history(struct crash_script *script, const struct line *line)
{
    switch ((int)line->scene) {
    case PASS:
        simulated_disk_advance(script->disk, (int64_t)line->from * 1000);
        return VERSO_OK;
    case THIN:
        return crash_scene_thin(script);
    case TAG:
    case UNTAG:
        return crash_scene_tag(script, line->from, line->scene == TAG);
    case RANGE:
        return crash_scene_delete_range(script, line->from, line->count);
    case ROLL_BACK:
        return crash_scene_roll_back(script, line->from, line->count);
    case REVERT:
    case REVERT_ALL:
        return crash_scene_revert(script, line->from, line->scene == REVERT_ALL);
    default:
        return VERSO_INVALID;
    }
}

static verso_err play_line(struct crash_script *script, const struct line *line)
{
    switch (line->scene) {
    case OPEN:
        script->roots.keeping.checkpoints = 0;
        return crash_script_open(script->disk, &script->store);
    case CLOSE:
        return close_story(script);
    case COMMIT:
        return crash_script_commit(script, line->from, line->count, line->size, false);
    case ASYNCHRONOUS:
        return crash_script_commit(script, line->from, line->count, line->size, true);
    case WAIT:
        return wait_for_all(script);
    case CHECKPOINT:
        return checkpoint(script);
    case KEEP:
        return keep_last(script, line->from);
    case ABORT:
        return abort_one(script);
    case TREES:
        return crash_scene_fill_trees(script, line->from, line->count, line->size);
    case DROP:
        return crash_scene_drop_tree(script, line->from);
    case CUT:
        return crash_scene_cut_trees(script, line->from, line->count);
    case LOOK:
        return verso_view_open(script->store, &script->view);
    case COMPARE:
        return compare_view(script);
    case PASS:
    case THIN:
    case TAG:
    case UNTAG:
    case RANGE:
    case ROLL_BACK:
    case REVERT:
    case REVERT_ALL:
        break;
    }
    return play_history(script, line);
}

static int64_t now_us(struct simulated_disk *disk)
{
    const struct vs_os *os = simulated_disk_os(disk);
    return os->clock_us(os);
}

/* Which roots are there now. */
static bool observe(struct crash_script *script)
{
    struct expected_keeping *keeping = &script->roots.keeping;
    if (script->store == NULL) {
        return true;
    }
    verso_stats stats = {.size = sizeof stats};
    bool ordered = verso_stat(script->store, &stats) == VERSO_OK &&
                   stats.published <= stats.durable && stats.durable <= stats.tip &&
                   stats.tip == script->roots.issued && stats.durable >= script->durable;
    if (!ordered) {
        return false;
    }
    keeping->clock_us = now_us(script->disk);
    const char *fault = expected_observe(keeping, script->store, false);
    if (script->durable == script->roots.issued) {
        expected_keeping_promise(keeping);
    }
    return fault == NULL;
}

static verso_err play(struct crash_script *script, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count && script->err == VERSO_OK; i++) {
        script->moment++;
        script->err = play_line(script, &lines[i]);
        if (script->err == VERSO_OK && !observe(script)) {
            script->err = VERSO_CORRUPT;
        }
    }
    verso_view_close(script->view); /* after an error it may be open */
    script->view = NULL;
    return script->err;
}

verso_err crash_script_play(struct crash_script *script)
{
    switch (script->story) {
    case CRASH_STORY_OF_HISTORY:
        return play(script, story_of_history, sizeof story_of_history / sizeof *story_of_history);
    case CRASH_STORY_OF_THE_LOG:
        return play(script, story_of_the_log, sizeof story_of_the_log / sizeof *story_of_the_log);
    case CRASH_STORY_OF_DATA:
    default:
        return play(script, story, sizeof story / sizeof *story);
    }
}

/* ---- the judge ---- */

static _Thread_local char fault_text[800];

static const char *failed(const char *what, const char *why)
{
    char copy[600];
    (void)snprintf(copy, sizeof copy, "%s", why);
    (void)snprintf(fault_text, sizeof fault_text, "%s: %s", what, copy);
    return fault_text;
}

static const char *commit_once_more(struct crash_script *judged)
{
    verso_err err = crash_script_commit(judged, 7, 3, 33, false);
    if (err != VERSO_OK) {
        return failed("a commit after the recovery", verso_error_detail());
    }
    const char *fault = expected_check(judged->store);
    return fault == NULL ? NULL : failed("after one more commit", fault);
}

static const char *open_and_compare(struct crash_script *judged, uint64_t least, bool swiftly,
                                    const char *when)
{
    verso_err err = crash_script_open(judged->disk, &judged->store);
    if (err != VERSO_OK) {
        judged->store = NULL;
        return failed(when, verso_error_detail());
    }
    const char *fault =
        swiftly ? expected_compare_recovered_swiftly(&judged->roots, judged->store, least,
                                                     &judged->random)
                : expected_compare_recovered(&judged->roots, judged->store, least, &judged->random);
    return fault == NULL ? NULL : failed(when, fault);
}

static const char *close_it(struct crash_script *judged)
{
    verso_err err = verso_close(judged->store);
    judged->store = NULL;
    if (err != VERSO_OK) {
        return failed("closing", verso_error_detail());
    }
    return simulated_disk_open_files(judged->disk) == 0 ? NULL : "closing left files open";
}

static const char *judge(struct crash_script *judged, uint64_t least, bool swiftly,
                         uint64_t *recovered)
{
    const char *fault = open_and_compare(judged, least, swiftly, "opening what was left");
    uint64_t found = judged->roots.issued;
    if (fault == NULL) {
        fault = commit_once_more(judged);
    }
    if (fault == NULL) {
        fault = close_it(judged);
    }
    if (fault == NULL) {
        fault =
            open_and_compare(judged, judged->roots.issued, swiftly, "opening for the second time");
    }
    if (fault == NULL) {
        fault = close_it(judged);
    }
    if (fault == NULL && recovered != NULL) {
        *recovered = found;
    }
    crash_script_clear(judged);
    return fault;
}

const char *crash_script_judge(const struct expected_roots *roots, struct simulated_disk *left,
                               uint64_t least, uint64_t *recovered)
{
    struct crash_script judged = {
        .disk = left, .roots = expected_branch(roots, roots->issued), .random = {least}};
    return judge(&judged, least, false, recovered);
}

const char *crash_script_judge_swiftly(const struct expected_roots *roots,
                                       struct simulated_disk *left, uint64_t least, uint64_t seed,
                                       uint64_t *recovered)
{
    struct crash_script judged = {
        .disk = left, .roots = expected_branch(roots, roots->issued), .random = {seed}};
    return judge(&judged, least, true, recovered);
}
