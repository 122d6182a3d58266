/*
 * kill_witness.c - the parent's side: hearing, then judging.
 */
#include "kill_witness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 64 }; /* roots a call */

static char fault_text[600];

__attribute__((format(printf, 1, 2))) static const char *fault(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(fault_text, sizeof fault_text, format, arguments);
    va_end(arguments);
    return fault_text;
}

void kill_witness_init(struct kill_witness *witness)
{
    *witness = (struct kill_witness){.kept_from = 1, .keep_last = KILL_KEEP_LAST_MAX};
}

void kill_witness_clear(struct kill_witness *witness)
{
    free(witness->fingerprint);
    kill_witness_init(witness);
}

/* ---- hearing ---- */

static const char *hear_issued(struct kill_witness *witness, uint64_t id, uint64_t fingerprint)
{
    if (id == 0 || id > witness->issued + 1) {
        return fault("root %" PRIu64 " was issued after root %" PRIu64, id, witness->issued);
    }
    if (id >= witness->capacity) {
        witness->capacity = 2 * id + 64;
        witness->fingerprint =
            realloc(witness->fingerprint, witness->capacity * sizeof *witness->fingerprint);
        if (witness->fingerprint == NULL) {
            return "out of memory";
        }
    }
    witness->fingerprint[id] = fingerprint;
    witness->issued = id;
    return NULL;
}

/* What the policy before has dropped does not come back, and what the new one drops goes whether
   its call returns or not. */
static void hear_policy(struct kill_witness *witness, uint64_t last)
{
    uint64_t least = last < witness->keep_last ? last : witness->keep_last;
    uint64_t from = witness->issued + 1 > least ? witness->issued + 1 - least : 1;
    witness->kept_from = from > witness->kept_from ? from : witness->kept_from;
    witness->keep_tried = last;
}

const char *kill_witness_hear(struct kill_witness *witness, const struct kill_record *record)
{
    struct kill_tag *tag = &witness->tag[record->slot % KILL_TAGS];
    switch ((enum kill_what)record->what) {
    case KILL_ISSUED:
        return hear_issued(witness, record->id, record->fingerprint);
    case KILL_RETURNED:
        witness->returned++;
        return record->id == witness->issued ? NULL : "a commit returned another root";
    case KILL_SURVIVES:
        witness->survives = record->id;
        return record->id <= witness->issued ? NULL : "a root is there that nobody issued";
    case KILL_TAG_TRIED:
        *tag = (struct kill_tag){.root = tag->root, .tried = record->id, .is_tried = true};
        return NULL;
    case KILL_TAG_DONE:
        *tag = (struct kill_tag){.root = record->id};
        return NULL;
    case KILL_POLICY_TRIED:
        hear_policy(witness, record->id);
        return NULL;
    case KILL_POLICY_DONE:
        witness->keep_last = record->id;
        witness->keep_tried = 0;
        return NULL;
    }
    return fault("a record of kind %" PRIu32, record->what);
}

/* ---- judging ---- */

static const char *judge_policy(struct kill_witness *witness, verso_store *store)
{
    verso_retention policy = {.size = sizeof policy};
    if (verso_retention_get(store, &policy) != VERSO_OK) {
        return fault("retention_get: %s", verso_error_detail());
    }
    if (policy.last != witness->keep_last &&
        (witness->keep_tried == 0 || policy.last != witness->keep_tried)) {
        return fault("%" PRIu64 " roots are kept, not %" PRIu64, policy.last, witness->keep_last);
    }
    witness->keep_last = policy.last;
    witness->keep_tried = 0;
    return NULL;
}

static const char *judge_tags(struct kill_witness *witness, verso_store *store)
{
    for (unsigned i = 0; i < KILL_TAGS; i++) {
        struct kill_tag *tag = &witness->tag[i];
        verso_tag_info info = {.size = sizeof info};
        verso_err err = verso_tag_get(store, kill_story_tag(i), &info);
        uint64_t root = err == VERSO_OK ? info.root : 0;
        if (err != VERSO_OK && err != VERSO_NOT_FOUND) {
            return fault("tag_get: %s", verso_error_detail());
        }
        if (root != tag->root && !(tag->is_tried && root == tag->tried)) {
            return fault("tag %u names root %" PRIu64 ", not %" PRIu64, i, root, tag->root);
        }
        *tag = (struct kill_tag){.root = root};
        verso_view *view;
        if (root != 0 && verso_view_open_tag(store, kill_story_tag(i), &view) != VERSO_OK) {
            return fault("tag %u: %s", i, verso_error_detail());
        }
        if (root != 0) {
            verso_view_close(view);
        }
    }
    return NULL;
}

/* Every root that is listed has the fingerprint that was told; none that must be kept is missing. */
static const char *judge_roots(const struct kill_witness *witness, verso_store *store, uint64_t tip)
{
    uint64_t last = witness->keep_last;
    uint64_t from = tip + 1 > last ? tip + 1 - last : 1;
    uint64_t missing = from > witness->kept_from ? from : witness->kept_from;
    static verso_root_info infos[LISTED];
    uint64_t next = 1;
    size_t count = LISTED;
    while (count == LISTED) {
        for (unsigned i = 0; i < LISTED; i++) {
            infos[i] = (verso_root_info){.size = sizeof infos[i]};
        }
        if (verso_roots(store, next, infos, LISTED, NULL, &count) != VERSO_OK) {
            return fault("roots: %s", verso_error_detail());
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t id = infos[i].id;
            if (id > tip || infos[i].fingerprint != witness->fingerprint[id]) {
                return fault("root %" PRIu64 " has another content", id);
            }
            if (id > missing) {
                return fault("root %" PRIu64 " is not kept", missing);
            }
            missing += id == missing;
            next = id + 1;
        }
    }
    return missing > tip ? NULL : fault("root %" PRIu64 " is not kept", missing);
}

/* The key that every transaction writes: content that is known without the store's help. */
static const char *judge_version_key(verso_store *store, uint64_t tip)
{
    verso_view *view;
    if (verso_view_open(store, &view) != VERSO_OK) {
        return fault("view_open: %s", verso_error_detail());
    }
    verso_slice value;
    verso_err err = verso_get(view, verso_text("version"), &value);
    bool same = tip == 0 ? err == VERSO_NOT_FOUND
                         : err == VERSO_OK && value.size == sizeof tip &&
                               memcmp(value.data, &tip, sizeof tip) == 0;
    verso_view_close(view);
    return same ? NULL : "the newest root does not hold its own number";
}

const char *kill_witness_judge(struct kill_witness *witness, verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    verso_check_report report = {.size = sizeof report};
    if (verso_stat(store, &stats) != VERSO_OK) {
        return fault("stat: %s", verso_error_detail());
    }
    if (stats.tip < witness->survives || stats.tip > witness->issued) {
        return fault("recovered root %" PRIu64 ", promised %" PRIu64 ", issued %" PRIu64, stats.tip,
                     witness->survives, witness->issued);
    }
    if (verso_check(store, &report) != VERSO_OK) {
        return fault("check: root %" PRIu64 ", page %" PRIu32 ": %s", report.bad_root,
                     report.bad_page, report.fault);
    }
    const char *text = judge_policy(witness, store);
    text = text != NULL ? text : judge_tags(witness, store);
    text = text != NULL ? text : judge_roots(witness, store, stats.tip);
    text = text != NULL ? text : judge_version_key(store, stats.tip);
    witness->issued = stats.tip;
    witness->survives = stats.tip;
    return text;
}
