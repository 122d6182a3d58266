/*
 * expected_kept.c - listing the roots of a store, and holding them against the rule.
 */
#include "expected_kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/handles.h"
#include "format/retention.h"

enum { LISTED = 64 };

static _Thread_local char fault_text[600];

static const char *fault_at(uint64_t version, const char *fault)
{
    snprintf(fault_text, sizeof fault_text, "root %" PRIu64 ": %s (detail: %s)", version, fault,
             verso_error_detail());
    return fault_text;
}

static void *must_have(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* ---- listing ---- */

/* What the store says of its roots, beside the verdicts on them. */
struct sight {
    verso_stats stats;
    bool *listed; /* [0, newest] */
    uint64_t listed_count;
    enum expected_verdict *verdicts;    /* by the policy */
    enum expected_verdict *by_age_only; /* and without its budget */
};

static void close_sight(struct sight *sight)
{
    free(sight->listed);
    free(sight->verdicts);
    free(sight->by_age_only);
}

static const char *open_sight(const struct expected_keeping *keeping, verso_store *store,
                              struct sight *sight)
{
    size_t count = (size_t)keeping->newest + 1;
    *sight = (struct sight){.stats = {.size = sizeof sight->stats}};
    sight->listed = must_have(calloc(count, sizeof *sight->listed));
    sight->verdicts = must_have(calloc(count, sizeof *sight->verdicts));
    sight->by_age_only = must_have(calloc(count, sizeof *sight->by_age_only));
    expected_keeping_judge(keeping, &keeping->now.policy, sight->verdicts);
    verso_retention policy = keeping->now.policy;
    policy.has_budget = false;
    expected_keeping_judge(keeping, &policy, sight->by_age_only);
    if (verso_stat(store, &sight->stats) != VERSO_OK || sight->stats.published > keeping->newest) {
        return fault_at(sight->stats.published, "is published, or the figures failed");
    }
    return NULL;
}

static const char *list(struct expected_keeping *keeping, verso_store *store, struct sight *sight)
{
    size_t count = LISTED;
    for (uint64_t from = 0; count == LISTED;) {
        verso_root_info infos[LISTED];
        for (unsigned i = 0; i < LISTED; i++) {
            infos[i].size = sizeof infos[i];
        }
        if (verso_roots(store, from, infos, LISTED, NULL, &count) != VERSO_OK) {
            return fault_at(from, "the list of roots from here on failed");
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t id = infos[i].id;
            if (id < from || id == 0 || id > sight->stats.published) {
                return fault_at(id, "is listed");
            }
            struct expected_mark *mark = &keeping->mark[id];
            if (mark->time_us != EXPECTED_TIME_UNKNOWN && mark->time_us != infos[i].time_us) {
                return fault_at(id, "has another time");
            }
            mark->time_us = infos[i].time_us;
            sight->listed[id] = true;
            sight->listed_count++;
            from = id + 1;
        }
    }
    if (sight->listed_count != sight->stats.kept_roots) {
        return fault_at(sight->listed_count, "as many are listed, but not counted");
    }
    uint64_t oldest = 0;
    while (sight->listed_count > 0 && !sight->listed[++oldest]) {
    }
    return sight->stats.oldest == oldest ? NULL : fault_at(oldest, "is not said to be the oldest");
}

/* ---- judging ---- */

/* A budget takes the oldest first. */
static const char *compare_order(const struct expected_keeping *keeping, const struct sight *sight)
{
    uint64_t spared = 0; /* the oldest root that a budget could have taken, and did not */
    for (uint64_t version = keeping->observed; version-- > 1;) {
        spared =
            sight->listed[version] && sight->verdicts[version] != EXPECTED_STAYS ? version : spared;
    }
    for (uint64_t version = spared + 1; spared > 0 && version < keeping->observed; version++) {
        if (!sight->listed[version] && keeping->mark[version].gone == 0 &&
            !keeping->mark[version].may_go && sight->by_age_only[version] == EXPECTED_STAYS) {
            return fault_at(version, "went though older roots stayed");
        }
    }
    return NULL;
}

static const char *compare_one(const struct expected_mark *mark, enum expected_verdict verdict,
                               bool listed, bool exactly)
{
    if (listed) {
        return mark->gone != 0                       ? "has come back"
               : exactly && verdict == EXPECTED_GOES ? "is there after its going"
                                                     : NULL;
    }
    return mark->gone == 0 && !mark->may_go && verdict == EXPECTED_STAYS
               ? "is gone though the policy keeps it"
               : NULL;
}

static void note_drop(struct expected_keeping *keeping, uint64_t version)
{
    struct expected_mark *mark = &keeping->mark[version];
    if (mark->gone == 0) {
        mark->gone = ++keeping->drops;
        mark->gone_with = keeping->newest + 1;
        mark->unlogged = keeping->bypassed;
    }
}

static const char *compare(struct expected_keeping *keeping, const struct sight *sight,
                           bool exactly)
{
    uint64_t published = sight->stats.published;
    const char *fault = compare_order(keeping, sight);
    for (uint64_t version = 1; version < published && fault == NULL; version++) {
        fault = compare_one(&keeping->mark[version], sight->verdicts[version],
                            sight->listed[version], exactly);
        fault = fault == NULL ? NULL : fault_at(version, fault);
    }
    for (uint64_t version = 1; version < published && fault == NULL; version++) {
        if (!sight->listed[version]) {
            note_drop(keeping, version);
        }
    }
    return fault == NULL && published > 0 && !sight->listed[published]
               ? fault_at(published, "is published and not listed")
               : fault;
}

/* The published root can be opened whether or not it is kept, later ones cannot: what becomes of
 * them shows when another is published. */
static void note_unseen(struct expected_keeping *keeping, const enum expected_verdict *verdicts)
{
    for (uint64_t version = keeping->observed; version <= keeping->newest; version++) {
        struct expected_mark *mark = &keeping->mark[version];
        mark->may_go = mark->may_go || verdicts[version] != EXPECTED_STAYS;
    }
}

static void note_seen(struct expected_keeping *keeping, uint64_t published)
{
    for (uint64_t version = keeping->observed; version < published; version++) {
        keeping->mark[version].may_go = false;
    }
    keeping->observed = published > keeping->observed ? published : keeping->observed;
}

/* Nothing comes back: so if as many are there as before, they are the same. */
static bool is_unchanged(const struct expected_keeping *keeping, const verso_stats *stats)
{
    uint64_t count = stats->published > 0 ? 1 : 0;
    for (uint64_t version = 1; version < stats->published; version++) {
        count += keeping->mark[version].gone == 0 ? 1 : 0;
    }
    return count == stats->kept_roots;
}

const char *expected_observe(struct expected_keeping *keeping, verso_store *store, bool exactly)
{
    struct sight sight;
    const char *fault = open_sight(keeping, store, &sight);
    if (fault == NULL) {
        note_unseen(keeping, sight.verdicts);
    }
    if (fault == NULL && (exactly || !is_unchanged(keeping, &sight.stats))) {
        fault = list(keeping, store, &sight);
        fault = fault == NULL ? compare(keeping, &sight, exactly) : fault;
    }
    if (fault == NULL) {
        note_seen(keeping, sight.stats.published);
    }
    keeping->bypassed = false;
    close_sight(&sight);
    return fault;
}

/* ---- after a crash ---- */

/* A setting that was under way holds, or does not. */
static const char *adopt_settings(struct expected_keeping *keeping, verso_store *store)
{
    const char *fault = expected_compare_settings(&keeping->now, store);
    if (fault != NULL) {
        fault = expected_compare_settings(&keeping->before, store);
        keeping->now = fault == NULL ? keeping->before : keeping->now;
    }
    struct expected_settings *now = &keeping->now;
    for (unsigned i = 0; i < now->tag_count && fault == NULL; i++) {
        verso_tag_info info = {.size = sizeof info};
        if (verso_tag_get(store, verso_text(now->tag[i].name), &info) != VERSO_OK) {
            fault = fault_at(now->tag[i].root, "its tag cannot be read");
        }
        now->tag[i].time_us = info.time_us;
    }
    keeping->before = keeping->now;
    return fault;
}

static const char *compare_recovered(struct expected_keeping *keeping, const struct sight *sight)
{
    keeping->bypassed = false;
    const char *fault = NULL;
    for (uint64_t version = 1; version < keeping->newest && fault == NULL; version++) {
        struct expected_mark *mark = &keeping->mark[version];
        bool must_be_gone = mark->gone != 0 && !mark->unlogged &&
                            (mark->gone <= keeping->promised || mark->gone_with <= keeping->newest);
        bool may_be_gone =
            mark->gone != 0 || mark->may_go || sight->verdicts[version] != EXPECTED_STAYS;
        if (sight->listed[version]) {
            fault = must_be_gone ? fault_at(version, "has come back by a crash") : NULL;
            mark->gone = 0;
        } else {
            fault = may_be_gone ? NULL : fault_at(version, "is gone after a crash");
            note_drop(keeping, version);
        }
        mark->may_go = false;
        mark->unlogged = false;
    }
    return fault;
}

/* The recovery has made a checkpoint of its own. Another may have been under way. */
static void note_recovery(struct expected_keeping *keeping, const verso_stats *stats)
{
    for (uint64_t version = keeping->newest; version > 0; version--) {
        struct expected_mark *mark = &keeping->mark[version];
        if (mark->checkpoint == EXPECTED_YES) {
            break;
        }
        mark->checkpoint = EXPECTED_MAYBE;
    }
    keeping->mark[keeping->newest].checkpoint = keeping->newest > 0 ? EXPECTED_YES : EXPECTED_NO;
    keeping->checkpoints = stats->checkpoints;
    keeping->mark[keeping->newest].may_go = false;
    keeping->mark[keeping->newest].gone = 0;
    keeping->observed = keeping->newest == 0 ? 1 : keeping->newest;
    expected_keeping_promise(keeping);
}

const char *expected_observe_recovered(struct expected_keeping *keeping, verso_store *store)
{
    struct sight sight;
    expected_keeping_allow(keeping, &keeping->before.policy);
    const char *fault = open_sight(keeping, store, &sight);
    keeping->open_count = 0; /* those of the process that is no more have protected roots so far */
    fault = fault == NULL ? adopt_settings(keeping, store) : fault;
    fault = fault == NULL ? list(keeping, store, &sight) : fault;
    fault = fault == NULL ? compare_recovered(keeping, &sight) : fault;
    note_recovery(keeping, &sight.stats);
    close_sight(&sight);
    return fault;
}

/* ---- what else the store says ---- */

bool expected_note_checkpoint(struct expected_keeping *keeping, verso_store *store,
                              uint64_t version)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(store, &stats) != VERSO_OK || stats.checkpoints == keeping->checkpoints) {
        return false;
    }
    keeping->checkpoints = stats.checkpoints;
    if (version > 0) {
        keeping->mark[version].checkpoint = EXPECTED_YES;
    }
    for (uint64_t i = 1; i <= keeping->newest; i++) {
        keeping->mark[i].unlogged = false;
    }
    return true;
}

void expected_note_commit(struct expected_keeping *keeping, verso_store *store)
{
    /* no call tells it before the root is published */
    keeping->mark[keeping->newest].time_us = store->store->tip.time_us;
    keeping->bypassed = expected_note_checkpoint(keeping, store, keeping->newest);
}

static bool same_policy(const verso_retention *a, const verso_retention *b)
{
    uint8_t bytes_a[VS_RETENTION_MAX];
    uint8_t bytes_b[VS_RETENTION_MAX];
    size_t size = vs_retention_encode(a, bytes_a);
    return size == vs_retention_encode(b, bytes_b) && memcmp(bytes_a, bytes_b, size) == 0;
}

const char *expected_compare_settings(const struct expected_settings *settings, verso_store *store)
{
    verso_retention policy = {.size = sizeof policy};
    if (verso_retention_get(store, &policy) != VERSO_OK ||
        !same_policy(&policy, &settings->policy)) {
        return "another policy";
    }
    verso_slice after = {NULL, 0};
    verso_tag_info info = {.size = sizeof info};
    for (unsigned i = 0; i < settings->tag_count; i++) {
        const struct expected_tag *tag = &settings->tag[i];
        if (verso_tag_next(store, after, &info) != VERSO_OK || strcmp(info.name, tag->name) != 0 ||
            info.root != tag->root ||
            (tag->time_us != EXPECTED_TIME_UNKNOWN && info.time_us != tag->time_us)) {
            return fault_at(tag->root, "its tag is missing, or another one");
        }
        after = verso_text(tag->name);
    }
    return verso_tag_next(store, after, &info) == VERSO_NOT_FOUND
               ? NULL
               : fault_at(info.root, "is tagged");
}
