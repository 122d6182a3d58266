/*
 * retention.c - judging roots by the policy, and dropping them; see retention.h.
 */
#include "history/retention.h"

#include <assert.h>
#include <stdlib.h>

#include "format/operation.h"
#include "history/history.h"
#include "os/fault.h"

enum {
    SLICE = 1024,          /* roots judged with the writer lock held once */
    WALK_PERIOD_US = 1000, /* the walk goes on once in so long, whatever the rate of commits */
};

/* ---- one root ---- */

uint64_t vs_retention_next(const struct vs_version_set *set, uint64_t version)
{
    uint64_t next = version;
    bool any = vs_version_set_at_or_above(set, version, &next);
    assert(any);
    (void)any;
    return next;
}

bool vs_retention_protected(struct vs_store *store, uint64_t version, uint64_t *found)
{
    uint64_t viewed;
    bool any = vs_tags_root_at_or_above(&store->retained.tags, version, found);
    if (vs_reader_viewed_at_or_above(&store->readers, version, &viewed) &&
        (!any || viewed < *found)) {
        *found = viewed;
        any = true;
    }
    return any;
}

/* The class of a root's age, or NULL beyond the oldest. */
static const verso_retention_class *class_of(const verso_retention *policy, int64_t time_us,
                                             int64_t now_us)
{
    uint64_t age = now_us > time_us ? (uint64_t)now_us - (uint64_t)time_us : 0;
    for (uint32_t i = 0; i < policy->class_count; i++) {
        if (age <= policy->classes[i].age_us) {
            return &policy->classes[i];
        }
    }
    return NULL;
}

/* Spans are counted from 1970 on, and down from it. */
static int64_t span_of(int64_t time_us, int64_t spacing_us)
{
    return time_us / spacing_us - (time_us % spacing_us < 0 ? 1 : 0);
}

static bool in_one_span(int64_t one_us, int64_t other_us, uint64_t spacing_us)
{
    int64_t spacing = spacing_us > INT64_MAX ? INT64_MAX : (int64_t)spacing_us;
    return span_of(one_us, spacing) == span_of(other_us, spacing);
}

/* The time of a root, which may be the one that is just being committed. */
static verso_err time_of(const struct vs_retention_question *question, uint64_t version,
                         int64_t *time_us)
{
    if (version == question->tip) {
        *time_us = question->tip_us;
        return VERSO_OK;
    }
    struct vs_root_record record;
    verso_err err = vs_history_find_as_writer(question->store, version, &record);
    if (err == VERSO_OK) {
        *time_us = record.time_us;
    }
    return err;
}

/* By the class of its age; a root whose record cannot be read is kept, for what it is worth. */
static bool is_kept_by_time(const struct vs_retention_question *question, uint64_t version)
{
    const verso_retention *policy = question->policy;
    if (policy->class_count == 0 && !policy->checkpoints) {
        return false;
    }
    struct vs_root_record record;
    if (vs_history_find_as_writer(question->store, version, &record) != VERSO_OK ||
        (policy->checkpoints && record.is_checkpoint)) {
        return true;
    }
    const verso_retention_class *class = class_of(policy, record.time_us, question->now_us);
    if (class == NULL || class->spacing_us == 0) {
        return class != NULL;
    }
    uint64_t next = vs_retention_next(question->set, version + 1);
    int64_t next_us;
    assert(next <= question->tip); /* the newest root is never judged */
    if (time_of(question, next, &next_us) != VERSO_OK) {
        return true;
    }
    return !in_one_span(record.time_us, next_us, class->spacing_us);
}

static bool is_kept(const struct vs_retention_question *question, uint64_t version)
{
    uint64_t protected;
    return is_kept_by_time(question, version) ||
           (vs_retention_protected(question->store, version, &protected) && protected == version);
}

struct vs_retention_question vs_retention_ask(struct vs_store *store, const verso_retention *policy)
{
    return (struct vs_retention_question){store,
                                          policy,
                                          &store->retained.set,
                                          store->tip.version,
                                          store->tip.time_us,
                                          store->os->clock_us(store->os)};
}

/* ---- many ---- */

static void add_range(struct vs_version_range *ranges, unsigned *count, uint64_t from, uint64_t to)
{
    if (*count > 0 && ranges[*count - 1].to + 1 == from) {
        ranges[*count - 1].to = to;
    } else {
        ranges[(*count)++] = (struct vs_version_range){from, to};
    }
}

/* Without classes all from `version` on goes, up to the next root that is protected: @return the
 * last of them, where that is more than one. */
static uint64_t end_of_run(const struct vs_retention_question *question, uint64_t version,
                           uint64_t newest_from)
{
    const verso_retention *policy = question->policy;
    if (policy->class_count > 0 || policy->checkpoints) {
        return version;
    }
    uint64_t protected;
    bool any = vs_retention_protected(question->store, version, &protected);
    return any && protected < newest_from ? protected - 1 : newest_from - 1;
}

void vs_retention_judge(const struct vs_retention_question *question, uint64_t *version,
                        unsigned judged_max, struct vs_version_range *ranges, unsigned *count)
{
    *count = 0;
    uint64_t newest_from; /* the newest `last` are not judged */
    if (question->policy->all || !vs_version_set_newest(question->set, question->tip,
                                                        question->policy->last, &newest_from)) {
        *version = 0;
        return;
    }
    for (unsigned judged = 0; judged < judged_max; judged++) {
        uint64_t next = vs_retention_next(question->set, *version);
        if (next >= newest_from) {
            *version = 0;
            return;
        }
        uint64_t end = next;
        if (!is_kept(question, next)) {
            end = end_of_run(question, next, newest_from);
            add_range(ranges, count, next, end);
        }
        *version = end + 1;
    }
}

/* ---- along with a commit ---- */

static bool is_time_to_walk(struct vs_retained *retained, int64_t now_us)
{
    int64_t last_us = retained->walked_us;
    if (now_us >= last_us && (uint64_t)now_us - (uint64_t)last_us < WALK_PERIOD_US) {
        return false;
    }
    retained->walked_us = now_us; /* also if the clock has gone back */
    return true;
}

void vs_retention_step(struct vs_store *store, uint64_t version, int64_t time_us,
                       struct vs_version_range *ranges, unsigned *count)
{
    struct vs_retained *retained = &store->retained;
    *count = 0;
    if (retained->policy.all) {
        return;
    }
    struct vs_retention_question question = vs_retention_ask(store, &retained->policy);
    question.tip = version;
    question.tip_us = time_us;
    if (is_time_to_walk(retained, question.now_us)) {
        vs_retention_judge(&question, &retained->walk, VS_RETENTION_WALK, ranges, count);
    }
    uint64_t leaving; /* the newest of those that are judged at all: the walk may have come to it */
    if (retained->policy.last < UINT64_MAX &&
        vs_version_set_newest(question.set, version, retained->policy.last + 1, &leaving) &&
        (*count == 0 || ranges[*count - 1].to < leaving) && !is_kept(&question, leaving)) {
        add_range(ranges, count, leaving, leaving);
    }
}

/* ---- all at once ---- */

verso_err vs_retention_drop(struct vs_store *store, const struct vs_version_range *ranges,
                            unsigned count, uint64_t *end_lsn)
{
    *end_lsn = 0;
    verso_err err = vs_retained_reserve(&store->retained, count);
    uint8_t *bytes = malloc((size_t)count * VS_OPERATION_HEADER_MAX + 1);
    if (err != VERSO_OK || bytes == NULL) {
        free(bytes);
        return vs_fault(VERSO_NOMEM, "no memory to drop roots");
    }
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) {
        struct vs_operation operation = {.kind = VS_OPERATION_DROP_ROOTS,
                                         .number = {ranges[i].from, ranges[i].to}};
        size += vs_operation_header(&operation, bytes + size);
    }
    err = vs_store_log_setting(store, (verso_slice){bytes, size}, end_lsn);
    free(bytes);
    return err == VERSO_OK ? vs_retained_drop(&store->retained, ranges, count) : err;
}

static verso_err apply_slice(struct vs_store *store, uint64_t *version,
                             struct vs_version_range *ranges, uint64_t *end_lsn)
{
    verso_err err = vs_store_begin_setting(store);
    if (err != VERSO_OK) {
        return err;
    }
    struct vs_retention_question question = vs_retention_ask(store, &store->retained.policy);
    unsigned count;
    vs_retention_judge(&question, version, SLICE, ranges, &count);
    if (count > 0) {
        err = vs_retention_drop(store, ranges, count, end_lsn);
    }
    vs_store_end_setting(store);
    return err;
}

verso_err vs_retention_apply(struct vs_store *store)
{
    struct vs_version_range *ranges = malloc(SLICE * sizeof *ranges);
    if (ranges == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory to apply the retention");
    }
    uint64_t version = 1;
    uint64_t end_lsn = 0;
    verso_err err = VERSO_OK;
    while (err == VERSO_OK && version != 0) {
        err = apply_slice(store, &version, ranges, &end_lsn);
    }
    free(ranges);
    return err == VERSO_OK ? vs_store_wait(store, end_lsn, VERSO_DURABILITY_SYNC) : err;
}
