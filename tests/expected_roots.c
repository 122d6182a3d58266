/*
 * expected_roots.c - the versions of a store as sorted arrays, and the comparison with the store.
 */
#include "expected_roots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_kept.h"
#include "format/fingerprint.h"
#include "view_compare.h"

enum { CHUNK_BYTES = 64 * 1024, NOTE_BYTES = 1024, LISTED = 16 };

struct expected_chunk {
    struct expected_chunk *next;
    size_t used;
    size_t size;
    uint8_t bytes[];
};

static _Thread_local char fault_text[600];

static void *must_have(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* ---- versions ---- */

void expected_roots_init(struct expected_roots *roots, const verso_retention *policy)
{
    *roots = (struct expected_roots){.capacity = 64};
    roots->root = must_have(calloc(roots->capacity, sizeof *roots->root));
    expected_keeping_init(&roots->keeping, policy);
}

void expected_forget_after(struct expected_roots *roots, uint64_t version)
{
    for (; roots->issued > version; roots->issued--) {
        if (roots->issued > roots->borrowed) {
            tree_state_clear(&roots->root[roots->issued].state);
            expected_trees_clear(&roots->root[roots->issued].named);
        }
    }
    roots->borrowed = roots->borrowed < version ? roots->borrowed : version;
    expected_keeping_forget_after(&roots->keeping, version);
}

struct expected_roots expected_branch(const struct expected_roots *roots, uint64_t version)
{
    struct expected_roots branch = {
        .capacity = version + 8, .issued = version, .borrowed = version};
    branch.root = must_have(calloc(branch.capacity, sizeof *branch.root));
    memcpy(branch.root, roots->root, (version + 1) * sizeof *branch.root);
    branch.keeping = expected_keeping_copy(&roots->keeping);
    expected_keeping_forget_after(&branch.keeping, version);
    return branch;
}

void expected_roots_clear(struct expected_roots *roots)
{
    expected_forget_after(roots, 0);
    expected_abort(roots);
    while (roots->chunks != NULL) {
        struct expected_chunk *chunk = roots->chunks;
        roots->chunks = chunk->next;
        free(chunk);
    }
    free(roots->root);
    expected_keeping_clear(&roots->keeping);
    *roots = (struct expected_roots){.root = NULL};
}

verso_slice expected_keep(struct expected_roots *roots, verso_slice bytes)
{
    struct expected_chunk *chunk = roots->chunks;
    if (chunk == NULL || chunk->size - chunk->used < bytes.size) {
        size_t size = bytes.size > CHUNK_BYTES ? bytes.size : CHUNK_BYTES;
        chunk = must_have(malloc(sizeof *chunk + size));
        *chunk = (struct expected_chunk){.next = roots->chunks, .size = size};
        roots->chunks = chunk;
    }
    uint8_t *copy = chunk->bytes + chunk->used;
    if (bytes.size > 0) {
        memcpy(copy, bytes.data, bytes.size);
    }
    chunk->used += bytes.size;
    return (verso_slice){copy, bytes.size};
}

void expected_begin(struct expected_roots *roots)
{
    roots->working = tree_state_copy(&roots->root[roots->issued].state);
    roots->working_named = expected_trees_copy(&roots->root[roots->issued].named);
}

void expected_put(struct expected_roots *roots, verso_slice key, verso_slice value)
{
    size_t index;
    value = expected_keep(roots, value);
    if (tree_state_find(&roots->working, key, &index)) {
        roots->working.pairs[index].value = value;
    } else {
        tree_state_put(&roots->working, expected_keep(roots, key), value);
    }
}

bool expected_delete(struct expected_roots *roots, verso_slice key)
{
    size_t index;
    if (!tree_state_find(&roots->working, key, &index)) {
        return false;
    }
    tree_state_remove(&roots->working, index);
    return true;
}

static uint64_t fingerprint_of(const struct tree_state *state)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < state->count; i++) {
        sum += vs_fingerprint_term(0, state->pairs[i].key, vs_value_hash(state->pairs[i].value));
    }
    return sum;
}

verso_retention expected_policy(uint64_t last)
{
    return last == 0 ? verso_keep_all() : verso_keep_last(last);
}

uint64_t expected_commit(struct expected_roots *roots, verso_slice note)
{
    uint64_t version = roots->issued + 1;
    if (version == roots->capacity) {
        roots->capacity *= 2;
        roots->root = must_have(realloc(roots->root, roots->capacity * sizeof *roots->root));
    }
    roots->root[version] = (struct expected_root){
        .state = roots->working,
        .named = roots->working_named,
        .fingerprint =
            fingerprint_of(&roots->working) + expected_trees_fingerprint(&roots->working_named),
        .note = expected_keep(roots, note),
    };
    roots->working = (struct tree_state){.pairs = NULL};
    roots->working_named = (struct expected_trees){.created = 0};
    roots->issued = version;
    expected_keeping_commit(&roots->keeping);
    return version;
}

void expected_abort(struct expected_roots *roots)
{
    tree_state_clear(&roots->working);
    expected_trees_clear(&roots->working_named);
}

/* ---- comparing ---- */

static const char *fault_at(uint64_t version, const char *fault)
{
    snprintf(fault_text, sizeof fault_text, "root %" PRIu64 ": %s (detail: %s)", version, fault,
             verso_error_detail());
    return fault_text;
}

/* Once the store was observed. */
static bool is_there(const struct expected_roots *roots, uint64_t version, uint64_t published)
{
    return version == published || roots->keeping.mark[version].gone == 0;
}

static const char *compare_info(const struct expected_root *root, uint64_t version,
                                const verso_root_info *info, bool with_note)
{
    if (info->id != version) {
        return fault_at(version, "another id");
    }
    if (info->keys != root->state.count) {
        return fault_at(version, "another number of keys");
    }
    if (info->fingerprint != root->fingerprint) {
        return fault_at(version, "another fingerprint");
    }
    return !with_note || view_same_bytes(info->note, root->note)
               ? NULL
               : fault_at(version, "another note");
}

static const char *compare_description(const struct expected_roots *roots, verso_view *view,
                                       uint64_t version)
{
    if (version > roots->issued) {
        return fault_at(version, "was never issued");
    }
    const struct expected_root *root = &roots->root[version];
    verso_root_info info = {.size = sizeof info};
    if (verso_view_info(view, &info) != VERSO_OK) {
        return fault_at(version, "cannot be described");
    }
    /* the note of a dropped root may be gone while a view still holds its content */
    const struct expected_mark *mark = &roots->keeping.mark[version];
    bool dropped = (mark->gone != 0 || mark->may_go) && info.note.size == 0;
    return compare_info(root, version, &info, !dropped);
}

const char *expected_compare_view(const struct expected_roots *roots, verso_view *view,
                                  uint64_t version, struct simulated_random *random)
{
    const char *fault = compare_description(roots, view, version);
    if (fault == NULL) {
        const struct expected_root *root = &roots->root[version];
        fault = view_compare_all(view, &root->state, random);
        fault = fault == NULL ? expected_trees_compare(&root->named, view, random) : fault;
        fault = fault == NULL ? NULL : fault_at(version, fault);
    }
    return fault;
}

/* `random`: NULL compares fingerprints instead of contents. */
static const char *compare_root(const struct expected_roots *roots, verso_store *store,
                                uint64_t version, uint64_t published,
                                struct simulated_random *random)
{
    verso_view *view = NULL;
    verso_err err = verso_view_open_root(store, version, &view);
    bool exists = version > 0 && version <= published;
    verso_err expected = !exists                               ? VERSO_NOT_FOUND
                         : is_there(roots, version, published) ? VERSO_OK
                                                               : VERSO_GONE;
    if (err != VERSO_OK) {
        return err == expected ? NULL : fault_at(version, "cannot be opened");
    }
    const char *fault = expected != VERSO_OK ? fault_at(version, "can be opened")
                        : random != NULL     ? expected_compare_view(roots, view, version, random)
                                             : compare_description(roots, view, version);
    verso_view_close(view);
    return fault;
}

/* The list, a few at a time, must name exactly these roots. */
static const char *compare_list(const struct expected_roots *roots, verso_store *store,
                                uint64_t published)
{
    static char notes[LISTED * NOTE_BYTES];
    uint64_t next = 1;
    uint64_t from = 0;
    for (;;) {
        verso_root_info infos[LISTED];
        for (unsigned i = 0; i < LISTED; i++) {
            infos[i].size = sizeof infos[i];
        }
        size_t count = 0;
        if (verso_roots(store, from, infos, LISTED, notes, &count) != VERSO_OK) {
            return fault_at(from, "the list of roots from here on failed");
        }
        for (size_t i = 0; i < count; i++, next++) {
            for (; next <= published && !is_there(roots, next, published); next++) {
            }
            if (next > published) {
                return fault_at(infos[i].id, "is listed");
            }
            const char *fault = compare_info(&roots->root[next], next, &infos[i], true);
            if (fault != NULL) {
                return fault;
            }
        }
        if (count < LISTED) {
            for (; next <= published && !is_there(roots, next, published); next++) {
            }
            return next > published ? NULL : fault_at(next, "is not listed");
        }
        from = next;
    }
}

static const char *compare_store(struct expected_roots *roots, verso_store *store, bool swiftly,
                                 struct simulated_random *random)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(store, &stats) != VERSO_OK || stats.tip != roots->issued ||
        stats.published > stats.tip) {
        return fault_at(stats.tip, "is the tip, or published beyond it");
    }
    const char *fault = expected_observe(&roots->keeping, store, false);
    uint64_t chosen = simulated_random_below(random, roots->issued + 1);
    for (uint64_t version = 0; version <= roots->issued + 1 && fault == NULL; version++) {
        bool entirely = !swiftly || version == chosen || version == stats.published;
        fault = compare_root(roots, store, version, stats.published, entirely ? random : NULL);
    }
    fault = fault == NULL ? compare_list(roots, store, stats.published) : fault;
    return fault == NULL ? expected_compare_settings(&roots->keeping.now, store) : fault;
}

const char *expected_compare_store(struct expected_roots *roots, verso_store *store,
                                   struct simulated_random *random)
{
    return compare_store(roots, store, false, random);
}

static const char *compare_recovered(struct expected_roots *roots, verso_store *store,
                                     uint64_t least, bool swiftly, struct simulated_random *random)
{
    verso_stats stats = {.size = sizeof stats};
    if (verso_stat(store, &stats) != VERSO_OK) {
        return fault_at(0, "no statistics");
    }
    if (stats.tip < least || stats.tip > roots->issued || stats.published != stats.tip ||
        stats.durable != stats.tip) {
        snprintf(fault_text, sizeof fault_text,
                 "recovered tip %" PRIu64 ", published %" PRIu64 ", durable %" PRIu64
                 "; expected %" PRIu64 " to %" PRIu64,
                 stats.tip, stats.published, stats.durable, least, roots->issued);
        return fault_text;
    }
    expected_forget_after(roots, stats.tip);
    const char *fault = expected_observe_recovered(&roots->keeping, store);
    fault = fault == NULL ? expected_check(store) : fault;
    return fault == NULL ? compare_store(roots, store, swiftly, random) : fault;
}

const char *expected_compare_recovered(struct expected_roots *roots, verso_store *store,
                                       uint64_t least, struct simulated_random *random)
{
    return compare_recovered(roots, store, least, false, random);
}

const char *expected_compare_recovered_swiftly(struct expected_roots *roots, verso_store *store,
                                               uint64_t least, struct simulated_random *random)
{
    return compare_recovered(roots, store, least, true, random);
}

const char *expected_check(verso_store *store)
{
    verso_check_report report = {.size = sizeof report};
    verso_err err = verso_check(store, &report);
    if (err == VERSO_OK) {
        return NULL;
    }
    snprintf(fault_text, sizeof fault_text,
             "check says %s: root %" PRIu64 ", page %" PRIu32 ": %s (detail: %s)",
             verso_strerror(err), report.bad_root, report.bad_page, report.fault,
             verso_error_detail());
    return fault_text;
}
