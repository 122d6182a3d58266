/*
 * model_keeping.c - policies, tags and roots by time of a store model.
 */
#include "model_keeping.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_kept.h"
#include "view_compare.h"

enum { DROPPED_MAX = 4096 };

#define SECOND_US INT64_C(1000000)

static _Thread_local char fault_text[700];

static uint64_t below(struct simulated_random *random, uint64_t bound)
{
    return simulated_random_below(random, bound);
}

static const char *failed(const char *what, verso_err err)
{
    snprintf(fault_text, sizeof fault_text, "%s: %s (%s)", what, verso_strerror(err),
             verso_error_detail());
    return fault_text;
}

/* ---- drawing ---- */

static void draw_classes(verso_retention *policy, struct simulated_random *random)
{
    const int64_t ages[] = {SECOND_US / 10, SECOND_US,        10 * SECOND_US,
                            60 * SECOND_US, 3600 * SECOND_US, INT64_MAX};
    const int64_t spacings[] = {0,         SECOND_US / 10, SECOND_US / 7,
                                SECOND_US, 30 * SECOND_US, 3600 * SECOND_US};
    uint64_t spacing = below(random, 4);
    for (uint64_t age = below(random, 5); age < 6; age += 1 + below(random, 3)) {
        policy->classes[policy->class_count++] = (verso_retention_class){
            age == 5 ? UINT64_MAX : (uint64_t)ages[age], (uint64_t)spacings[spacing]};
        spacing += spacing < 5 ? below(random, 2) : 0;
    }
}

verso_retention model_policy_draw(struct simulated_random *random)
{
    const uint64_t lasts[] = {1, 2, 3, 10, 20, 50, 200};
    uint64_t kind = below(random, 8);
    if (kind == 0) {
        return verso_keep_all();
    }
    verso_retention policy = verso_keep_last(lasts[below(random, 7)]);
    if (kind == 1) {
        policy = verso_keep_default();
        policy.last = lasts[below(random, 7)];
    }
    if (kind >= 4) {
        draw_classes(&policy, random);
    }
    policy.checkpoints = kind >= 2 ? below(random, 3) == 0 : policy.checkpoints;
    if (below(random, 3) == 0) {
        policy.has_budget = true;
        policy.budget_bytes = below(random, 3) == 0 ? 0 : UINT64_C(1) << (10 + below(random, 12));
        policy.budget_percent = (uint32_t)below(random, 3) * 60;
    }
    return policy;
}

int64_t model_time_draw(struct simulated_random *random)
{
    const int64_t reaches[] = {
        1, 1, 2000, SECOND_US / 10, SECOND_US / 2, 3 * SECOND_US, 100 * SECOND_US};
    if (below(random, 40) == 0) {
        return (int64_t)below(random, 4000 * (uint64_t)SECOND_US);
    }
    return (int64_t)below(random, (uint64_t)reaches[below(random, 7)]);
}

/* A setting may have begun with a checkpoint, for the sake of room, and that with the budget: by the
 * policy and the tags of before. */
static bool note_room_made(struct expected_keeping *keeping, verso_store *store)
{
    bool checkpointed = expected_note_checkpoint(keeping, store, keeping->newest);
    if (checkpointed) {
        expected_keeping_allow(keeping, &keeping->before.policy);
    }
    return checkpointed;
}

/* ---- policies ---- */

/** What a trial said. */
struct said {
    verso_retention_effect effect;
    verso_root_id dropped[DROPPED_MAX];
};

static const char *ask(verso_store *store, const verso_retention *policy, struct said *said)
{
    said->effect = (verso_retention_effect){.size = sizeof said->effect};
    verso_err err = verso_retention_try(store, policy, said->dropped, DROPPED_MAX, &said->effect);
    if (err != VERSO_OK || said->effect.dropped > DROPPED_MAX) {
        return failed("trying a policy", err);
    }
    if (said->effect.dropped == 0 && said->effect.freed_bytes > 0) {
        return "a policy that drops nothing would free something";
    }
    return NULL;
}

static bool said_of(const struct said *said, uint64_t version)
{
    for (uint64_t i = 0; i < said->effect.dropped; i++) {
        if (said->dropped[i] == version) {
            return true;
        }
    }
    return false;
}

/* The ticks between question and answer may have brought a root to another age. */
static bool is_borderline(const struct expected_keeping *keeping, const verso_retention *policy)
{
    verso_retention by_age = *policy;
    by_age.has_budget = false;
    enum expected_verdict *verdicts = malloc((keeping->newest + 1) * sizeof *verdicts);
    if (verdicts == NULL) {
        abort();
    }
    expected_keeping_judge(keeping, &by_age, verdicts);
    bool is = false;
    for (uint64_t version = 1; version <= keeping->newest; version++) {
        is = is || (verdicts[version] == EXPECTED_EITHER &&
                    keeping->mark[version].checkpoint != EXPECTED_MAYBE);
    }
    free(verdicts);
    return is;
}

/* @param before  What was known before the policy was set. */
static const char *compare_trial(const struct expected_keeping *keeping, const struct said *said,
                                 const struct expected_keeping *before)
{
    for (uint64_t version = 1; version < before->observed; version++) {
        bool went = keeping->mark[version].gone > before->drops;
        if (went != said_of(said, version)) {
            snprintf(fault_text, sizeof fault_text,
                     "root %" PRIu64 " %s, but the trial said otherwise", version,
                     went ? "went" : "stayed");
            return fault_text;
        }
    }
    return NULL;
}

/* What roots hold, whether by the policy, by tags or by views; the file must add up to its length. */
static const char *held_bytes(verso_store *store, uint64_t *bytes)
{
    verso_space_report space = {.size = sizeof space};
    verso_err err = verso_space(store, &space);
    if (err != VERSO_OK) {
        return failed("what holds the space", err);
    }
    *bytes = space.live_bytes + space.history_bytes + space.tag_bytes + space.reader_bytes;
    uint64_t sum =
        *bytes + space.passing_bytes + space.free_bytes + space.fixed_bytes + space.ahead_bytes;
    return sum == space.file_bytes ? NULL : "what holds the space is not all of the file";
}

const char *model_policy_set(struct expected_roots *roots, verso_store *store,
                             struct simulated_random *random)
{
    static struct said said;
    struct expected_keeping *keeping = &roots->keeping;
    verso_retention policy = model_policy_draw(random);
    const char *fault = expected_observe(keeping, store, false);
    fault = fault == NULL ? ask(store, &policy, &said) : fault;
    uint64_t bytes_before = 0;
    fault = fault == NULL ? held_bytes(store, &bytes_before) : fault;
    if (fault != NULL) {
        return fault;
    }
    verso_stats stats = {.size = sizeof stats};
    bool all_published = verso_stat(store, &stats) == VERSO_OK && stats.published == stats.tip;
    bool borderline = is_borderline(keeping, &policy);
    struct expected_keeping before = *keeping; /* without its marks, which go on */
    keeping->now.policy = policy;
    verso_err err = verso_retention_set(store, &policy);
    if (err != VERSO_OK) {
        return failed("setting the retention", err);
    }
    bool checkpointed = note_room_made(keeping, store);
    expected_keeping_settled(keeping);
    fault = expected_observe(keeping, store, !checkpointed);
    expected_keeping_promise(keeping);
    if (fault != NULL || borderline || checkpointed) {
        return fault;
    }
    fault = compare_trial(keeping, &said, &before);
    uint64_t bytes_after = 0;
    fault = fault == NULL ? held_bytes(store, &bytes_after) : fault;
    if (fault == NULL && all_published && bytes_before - bytes_after != said.effect.freed_bytes) {
        snprintf(fault_text, sizeof fault_text,
                 "a policy freed %" PRIu64 " bytes, but the trial said %" PRIu64,
                 bytes_before - bytes_after, said.effect.freed_bytes);
        fault = fault_text;
    }
    return fault;
}

const char *model_policy_try(struct expected_roots *roots, verso_store *store,
                             struct simulated_random *random)
{
    static struct said said;
    verso_retention policy = model_policy_draw(random);
    const char *fault = expected_observe(&roots->keeping, store, false);
    uint64_t before = roots->keeping.drops;
    fault = fault == NULL ? ask(store, &policy, &said) : fault;
    fault = fault == NULL ? expected_observe(&roots->keeping, store, false) : fault;
    return fault == NULL && roots->keeping.drops != before ? "a trial dropped roots" : fault;
}

/* ---- tags ---- */

static verso_slice draw_name(struct simulated_random *random)
{
    static char long_name[VERSO_NAME_MAX + 1];
    static const char *const names[EXPECTED_TAGS_MAX] = {
        "a", "b", "release 1.0", "release 1.1", "\x01", "\xC3\xA9t\xC3\xA9", long_name, "zz"};
    memset(long_name, 'l', VERSO_NAME_MAX);
    return verso_text(names[below(random, EXPECTED_TAGS_MAX)]);
}

/* What setting a tag on this root must answer. */
static verso_err tag_answer(const struct expected_keeping *keeping, verso_slice name,
                            uint64_t version, uint64_t published, size_t key_max)
{
    const struct expected_tag *tag = expected_tag_find(&keeping->now, name);
    if (name.size > key_max) {
        return VERSO_TOO_BIG;
    }
    if (version == 0 || version > published) {
        return VERSO_NOT_FOUND;
    }
    if (version < published && keeping->mark[version].gone != 0) {
        return VERSO_GONE;
    }
    return tag != NULL && tag->root != version ? VERSO_EXISTS : VERSO_OK;
}

static const char *set_tag(struct expected_keeping *keeping, verso_store *store, verso_slice name,
                           uint64_t root, const verso_stats *stats)
{
    uint64_t published = stats->published;
    uint64_t version = root == 0 ? published : root;
    verso_err expected = tag_answer(keeping, name, version, published, verso_key_size_max(store));
    /* a checkpoint that makes room for the setting keeps to the budget first */
    bool sure =
        (version != published || !keeping->mark[version].may_go) && !keeping->now.policy.has_budget;
    /* a root that waits for the disk may be published by the background thread at any moment */
    verso_err expected_later =
        tag_answer(keeping, name, version, version <= stats->tip ? version : published,
                   verso_key_size_max(store));
    struct expected_settings before = keeping->now;
    if (expected == VERSO_OK) {
        expected_tag_set(&keeping->now, name, version, EXPECTED_TIME_UNKNOWN);
    }
    verso_err err = verso_tag_set(store, name, root);
    if (err != expected && (sure || err != VERSO_GONE) &&
        (version <= published || err != expected_later)) {
        return failed("setting a tag", err);
    }
    if (err != VERSO_OK) {
        keeping->now = before;
        return NULL;
    }
    verso_tag_info info = {.size = sizeof info};
    if (verso_tag_get(store, name, &info) != VERSO_OK || info.root != version) {
        return "a tag that was set is another one";
    }
    expected_tag_set(&keeping->now, name, version, info.time_us);
    return NULL;
}

/* Its root is judged at once. */
static const char *delete_tag(struct expected_keeping *keeping, verso_store *store,
                              verso_slice name)
{
    const struct expected_tag *tag = expected_tag_find(&keeping->now, name);
    uint64_t root = tag == NULL ? 0 : tag->root;
    if (tag != NULL) {
        expected_tag_set(&keeping->now, name, 0, 0);
    }
    verso_err err = verso_tag_delete(store, name);
    if (err != (root > 0 ? VERSO_OK : VERSO_NOT_FOUND)) {
        return failed("deleting a tag", err);
    }
    note_room_made(keeping, store);
    enum expected_verdict *verdicts = malloc((keeping->newest + 1) * sizeof *verdicts);
    if (verdicts == NULL) {
        abort();
    }
    expected_keeping_judge(keeping, &keeping->now.policy, verdicts);
    bool must_go = root > 0 && root < keeping->observed && verdicts[root] == EXPECTED_GOES;
    free(verdicts);
    const char *fault = expected_observe(keeping, store, false);
    return fault == NULL && must_go && keeping->mark[root].gone == 0
               ? "the root of a deleted tag stayed"
               : fault;
}

const char *model_tag_step(struct expected_roots *roots, verso_store *store,
                           struct simulated_random *random)
{
    struct expected_keeping *keeping = &roots->keeping;
    verso_slice name = draw_name(random);
    verso_stats stats = {.size = sizeof stats};
    verso_err err = below(random, 2) == 0 ? verso_sync(store) : VERSO_OK;
    const char *fault = expected_observe(keeping, store, false);
    if (fault == NULL && (err != VERSO_OK || verso_stat(store, &stats) != VERSO_OK)) {
        fault = "a sync, or the statistics";
    }
    if (fault != NULL) {
        return fault;
    }
    if (below(random, 3) == 0) {
        fault = delete_tag(keeping, store, name);
    } else {
        const struct expected_tag *tag = expected_tag_find(&keeping->now, name);
        uint64_t root = tag != NULL && below(random, 4) == 0
                            ? tag->root
                            : below(random, stats.published + (below(random, 8) == 0 ? 3 : 1));
        if (stats.published < stats.tip && root == 0) { /* the newest may be another one by then */
            root = stats.published > 0 ? stats.published : stats.tip;
        }
        fault = set_tag(keeping, store, name, root, &stats);
    }
    note_room_made(keeping, store);
    if (fault == NULL) {
        expected_keeping_settled(keeping);
        fault = expected_observe(keeping, store, false);
    }
    return fault == NULL ? expected_compare_settings(&keeping->now, store) : fault;
}

/* ---- opening by time and by tag ---- */

static const char *compare_opened(const struct expected_roots *roots, verso_err err,
                                  verso_view *view, uint64_t expected,
                                  struct simulated_random *random)
{
    if (err != (expected > 0 ? VERSO_OK : VERSO_NOT_FOUND)) {
        return failed("opening by time or tag", err);
    }
    if (expected == 0) {
        return NULL;
    }
    verso_root_info info = {.size = sizeof info};
    const char *fault = NULL;
    if (verso_view_info(view, &info) != VERSO_OK || info.id != expected) {
        snprintf(fault_text, sizeof fault_text,
                 "opening by time or tag gave root %" PRIu64 ", expected %" PRIu64, info.id,
                 expected);
        fault = fault_text;
    }
    if (fault == NULL && below(random, 4) == 0) {
        fault = expected_compare_view(roots, view, expected, random);
    }
    verso_view_close(view);
    return fault;
}

/* The newest root that can be opened and is not younger: the slow way. */
static uint64_t newest_at(const struct expected_keeping *keeping, uint64_t published,
                          int64_t time_us)
{
    for (uint64_t version = published; version > 0; version--) {
        const struct expected_mark *mark = &keeping->mark[version];
        if ((version == published || mark->gone == 0) && mark->time_us <= time_us) {
            return version;
        }
    }
    return 0;
}

const char *model_open_otherwise(struct expected_roots *roots, verso_store *store,
                                 struct simulated_random *random)
{
    struct expected_keeping *keeping = &roots->keeping;
    verso_stats stats = {.size = sizeof stats};
    const char *fault = expected_observe(keeping, store, false);
    if (fault != NULL || verso_stat(store, &stats) != VERSO_OK) {
        return fault == NULL ? "no statistics" : fault;
    }
    verso_view *view = NULL;
    if (below(random, 2) == 0) {
        verso_slice name = draw_name(random);
        const struct expected_tag *tag = expected_tag_find(&keeping->now, name);
        verso_err err = verso_view_open_tag(store, name, &view);
        return compare_opened(roots, err, view, tag == NULL ? 0 : tag->root, random);
    }
    int64_t time_us = keeping->clock_us;
    if (stats.published > 0 && below(random, 6) > 0) {
        time_us = keeping->mark[1 + below(random, stats.published)].time_us;
        time_us += (int64_t)below(random, 3) - 1;
    }
    uint64_t expected = newest_at(keeping, stats.published, time_us);
    verso_err err = verso_view_open_at(store, time_us, &view);
    return compare_opened(roots, err, view, expected, random);
}
