/*
 * expected_keeping.c - the rule of verso.h about policies, from the newest root to the oldest.
 */
#include "expected_keeping.h"

#include <stdlib.h>
#include <string.h>

static void *must_have(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* ---- roots ---- */

void expected_keeping_init(struct expected_keeping *keeping, const verso_retention *policy)
{
    *keeping = (struct expected_keeping){.capacity = 64, .observed = 1};
    keeping->mark = must_have(calloc(keeping->capacity, sizeof *keeping->mark));
    keeping->now.policy = *policy;
    keeping->before = keeping->now;
}

void expected_keeping_clear(struct expected_keeping *keeping)
{
    free(keeping->mark);
    keeping->mark = NULL;
}

struct expected_keeping expected_keeping_copy(const struct expected_keeping *keeping)
{
    struct expected_keeping copy = *keeping;
    copy.mark = must_have(malloc(copy.capacity * sizeof *copy.mark));
    memcpy(copy.mark, keeping->mark, (keeping->newest + 1) * sizeof *copy.mark);
    return copy;
}

void expected_keeping_commit(struct expected_keeping *keeping)
{
    keeping->newest++;
    if (keeping->newest == keeping->capacity) {
        keeping->capacity *= 2;
        keeping->mark =
            must_have(realloc(keeping->mark, keeping->capacity * sizeof *keeping->mark));
    }
    keeping->mark[keeping->newest] = (struct expected_mark){.time_us = EXPECTED_TIME_UNKNOWN};
}

void expected_keeping_forget_after(struct expected_keeping *keeping, uint64_t version)
{
    keeping->newest = keeping->newest < version ? keeping->newest : version;
    keeping->observed = keeping->observed <= version ? keeping->observed : version;
}

void expected_keeping_open(struct expected_keeping *keeping, uint64_t version)
{
    if (keeping->open_count == EXPECTED_OPEN_MAX) {
        abort();
    }
    keeping->open[keeping->open_count++] = version;
}

void expected_keeping_close(struct expected_keeping *keeping, uint64_t version)
{
    for (unsigned i = 0; i < keeping->open_count; i++) {
        if (keeping->open[i] == version) {
            keeping->open[i] = keeping->open[--keeping->open_count];
            return;
        }
    }
}

/* ---- settings ---- */

const struct expected_tag *expected_tag_find(const struct expected_settings *settings,
                                             verso_slice name)
{
    for (unsigned i = 0; i < settings->tag_count; i++) {
        const struct expected_tag *tag = &settings->tag[i];
        if (strlen(tag->name) == name.size && memcmp(tag->name, name.data, name.size) == 0) {
            return tag;
        }
    }
    return NULL;
}

static void remove_tag(struct expected_settings *settings, verso_slice name)
{
    const struct expected_tag *tag = expected_tag_find(settings, name);
    if (tag != NULL) {
        unsigned at = (unsigned)(tag - settings->tag);
        settings->tag_count--;
        memmove(settings->tag + at, settings->tag + at + 1,
                (settings->tag_count - at) * sizeof *settings->tag);
    }
}

void expected_tag_set(struct expected_settings *settings, verso_slice name, uint64_t root,
                      int64_t time_us)
{
    remove_tag(settings, name);
    if (root == 0) {
        return;
    }
    if (settings->tag_count == EXPECTED_TAGS_MAX) {
        abort();
    }
    struct expected_tag tag = {.root = root, .time_us = time_us};
    memcpy(tag.name, name.data, name.size);
    unsigned at = settings->tag_count++;
    for (; at > 0 && strcmp(settings->tag[at - 1].name, tag.name) > 0; at--) {
        settings->tag[at] = settings->tag[at - 1];
    }
    settings->tag[at] = tag;
}

void expected_keeping_settled(struct expected_keeping *keeping)
{
    keeping->before = keeping->now;
}

void expected_keeping_promise(struct expected_keeping *keeping)
{
    keeping->promised = keeping->drops;
}

/* ---- the rule ---- */

/* Where judging stands: what is known of the roots above. */
struct above {
    uint64_t at_least; /* so many of them are there */
    uint64_t at_most;
    const struct expected_mark *next; /* the nearest that may be there */
};

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

/* In each span of its class the last one stays. Times never descend: if the next root is in another
 * span, so are all later ones. */
static enum expected_verdict by_age(const verso_retention *policy, const struct expected_mark *mark,
                                    const struct expected_mark *next, int64_t now_us)
{
    if (mark->time_us == EXPECTED_TIME_UNKNOWN && policy->class_count > 0) {
        return EXPECTED_EITHER;
    }
    const verso_retention_class *class = class_of(policy, mark->time_us, now_us);
    if (class == NULL) {
        return EXPECTED_GOES;
    }
    if (class->spacing_us == 0 || next == NULL) {
        return EXPECTED_STAYS;
    }
    if (next->time_us == EXPECTED_TIME_UNKNOWN) {
        return EXPECTED_EITHER;
    }
    uint64_t spacing = class->spacing_us;
    bool same = (uint64_t)mark->time_us / spacing == (uint64_t)next->time_us / spacing;
    return !same ? EXPECTED_STAYS : next->may_go ? EXPECTED_EITHER : EXPECTED_GOES;
}

static bool is_protected(const struct expected_keeping *keeping, uint64_t version)
{
    for (unsigned i = 0; i < keeping->now.tag_count; i++) {
        if (keeping->now.tag[i].root == version) {
            return true;
        }
    }
    for (unsigned i = 0; i < keeping->open_count; i++) {
        if (keeping->open[i] == version) {
            return true;
        }
    }
    return false;
}

static enum expected_verdict judge(const struct expected_keeping *keeping,
                                   const verso_retention *policy, uint64_t version,
                                   const struct above *above)
{
    const struct expected_mark *mark = &keeping->mark[version];
    if (policy->all || above->at_most < policy->last || is_protected(keeping, version)) {
        return EXPECTED_STAYS;
    }
    int64_t now_us = keeping->clock_us;
    enum expected_verdict verdict = by_age(policy, mark, above->next, now_us);
    if (verdict != by_age(policy, mark, above->next, now_us + EXPECTED_TICKS_US)) {
        verdict = EXPECTED_EITHER;
    }
    if (policy->checkpoints && mark->checkpoint == EXPECTED_YES) {
        verdict = EXPECTED_STAYS;
    }
    bool spared = (policy->checkpoints && mark->checkpoint == EXPECTED_MAYBE) ||
                  above->at_least < policy->last;
    if ((verdict == EXPECTED_GOES && spared) || (verdict == EXPECTED_STAYS && policy->has_budget)) {
        verdict = EXPECTED_EITHER;
    }
    return verdict;
}

void expected_keeping_judge(const struct expected_keeping *keeping, const verso_retention *policy,
                            enum expected_verdict *verdicts)
{
    struct above above = {.next = NULL};
    for (uint64_t version = keeping->newest; version > 0; version--) {
        const struct expected_mark *mark = &keeping->mark[version];
        verdicts[version] = EXPECTED_GOES;
        if (mark->gone == 0) {
            verdicts[version] = judge(keeping, policy, version, &above);
            above.next = mark;
            above.at_most++;
            above.at_least += mark->may_go ? 0 : 1;
        }
    }
    verdicts[0] = EXPECTED_GOES;
}

static enum expected_verdict *judge_all(const struct expected_keeping *keeping,
                                        const verso_retention *policy)
{
    enum expected_verdict *verdicts = must_have(malloc((keeping->newest + 1) * sizeof *verdicts));
    expected_keeping_judge(keeping, policy, verdicts);
    return verdicts;
}

void expected_keeping_allow(struct expected_keeping *keeping, const verso_retention *policy)
{
    enum expected_verdict *verdicts = judge_all(keeping, policy);
    for (uint64_t version = 1; version <= keeping->newest; version++) {
        struct expected_mark *mark = &keeping->mark[version];
        mark->may_go = mark->may_go || verdicts[version] != EXPECTED_STAYS;
    }
    free(verdicts);
}

bool expected_may_be_gone(const struct expected_keeping *keeping, uint64_t version)
{
    enum expected_verdict *verdicts = judge_all(keeping, &keeping->now.policy);
    bool may = keeping->mark[version].may_go || verdicts[version] != EXPECTED_STAYS;
    free(verdicts);
    return may;
}

uint64_t expected_oldest(const struct expected_keeping *keeping)
{
    enum expected_verdict *verdicts = judge_all(keeping, &keeping->now.policy);
    uint64_t oldest = keeping->newest + 1;
    while (oldest > 1 && verdicts[oldest - 1] == EXPECTED_STAYS) {
        oldest--;
    }
    free(verdicts);
    return oldest;
}
