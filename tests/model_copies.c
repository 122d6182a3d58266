/*
 * model_copies.c - copies and increments of a store model.
 */
#include "model_copies.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "expected_kept.h"
#include "view_compare.h"

enum { LISTED = 16, NOTE_BYTES = 1024, ARENA_BYTES = 1 << 20, LOG_BYTES = 256 * 1024 };

static const char *const copy_path = "copy";
static const char *const mirror_path = "mirror";
static const char *const increment_path = "increment";

static _Thread_local char fault_text[800];

static const char *failed(const char *what, verso_err err)
{
    snprintf(fault_text, sizeof fault_text, "%s: %s (%s)", what, verso_strerror(err),
             verso_error_detail());
    return fault_text;
}

static const char *fault_of(uint64_t version, const char *fault)
{
    char copy[600];
    snprintf(copy, sizeof copy, "%s", fault);
    snprintf(fault_text, sizeof fault_text, "root %" PRIu64 ": %s", version, copy);
    return fault_text;
}

static uint64_t published_of(verso_store *store)
{
    verso_stats stats = {.size = sizeof stats};
    return verso_stat(store, &stats) == VERSO_OK ? stats.published : UINT64_MAX;
}

static verso_err open_copy(struct simulated_disk *disk, const char *path, bool read_only,
                           verso_store **copy)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.read_only = read_only;
    options.arena_bytes = ARENA_BYTES;
    options.log_bytes = LOG_BYTES;
    options.system = simulated_disk_os(disk);
    return verso_open(path, &options, copy);
}

/* ---- comparing ---- */

/* What the list says, and now and then the content. */
static const char *compare_listed(const struct expected_roots *roots, verso_store *copy,
                                  const verso_root_info *info, struct simulated_random *random)
{
    const struct expected_root *root = &roots->root[info->id];
    if (info->keys != root->state.count || info->fingerprint != root->fingerprint ||
        info->time_us != roots->keeping.mark[info->id].time_us ||
        !view_same_bytes(info->note, root->note)) {
        return fault_of(info->id, "another one in the copy");
    }
    if (simulated_random_below(random, 8) > 0) {
        return NULL;
    }
    verso_view *view;
    verso_err err = verso_view_open_root(copy, info->id, &view);
    if (err != VERSO_OK) {
        return failed("opening a root of a copy", err);
    }
    const char *fault = expected_compare_view(roots, view, info->id, random);
    verso_view_close(view);
    return fault == NULL ? NULL : fault_of(info->id, fault);
}

/* Every root of the copy must be one of the store's. @param[out] has  [0, issued]. */
static const char *compare_roots(const struct expected_roots *roots, verso_store *copy, bool *has,
                                 struct simulated_random *random)
{
    static char notes[LISTED * NOTE_BYTES];
    size_t count = LISTED;
    for (uint64_t from = 0; count == LISTED;) {
        verso_root_info infos[LISTED];
        for (unsigned i = 0; i < LISTED; i++) {
            infos[i].size = sizeof infos[i];
        }
        verso_err err = verso_roots(copy, from, infos, LISTED, notes, &count);
        if (err != VERSO_OK) {
            return failed("listing the roots of a copy", err);
        }
        for (size_t i = 0; i < count; i++) {
            if (infos[i].id > roots->issued) {
                return fault_of(infos[i].id, "was never there, but in a copy");
            }
            const char *fault = compare_listed(roots, copy, &infos[i], random);
            if (fault != NULL) {
                return fault;
            }
            has[infos[i].id] = true;
            from = infos[i].id + 1;
        }
    }
    return expected_check(copy);
}

/* A copy begins with a sync, which may publish: let it find nothing to do, so that what it has is
 * known beforehand. */
static const char *publish_all(struct expected_roots *roots, verso_store *store)
{
    verso_err err = verso_sync(store);
    return err == VERSO_OK ? expected_observe(&roots->keeping, store, false)
                           : failed("a sync before a copy", err);
}

/* ---- copies ---- */

/** Which roots are to be copied. */
struct choice {
    verso_copy_options options;
    verso_root_id *ids;
    bool *chosen; /* [0, issued] */
};

static struct choice draw_choice(const struct expected_roots *roots, uint64_t published,
                                 struct simulated_random *random)
{
    struct choice choice = {.options = {.size = sizeof choice.options}};
    choice.ids = calloc(roots->issued + 1, sizeof *choice.ids);
    choice.chosen = calloc(roots->issued + 1, sizeof *choice.chosen);
    if (choice.ids == NULL || choice.chosen == NULL) {
        abort();
    }
    uint64_t kind = simulated_random_below(random, 3);
    choice.options.newest_only = kind == 1;
    for (uint64_t version = 1; version <= published; version++) {
        bool there = version == published || roots->keeping.mark[version].gone == 0;
        bool drawn = kind == 0 || (kind == 2 && simulated_random_below(random, 3) == 0);
        choice.chosen[version] = there && (drawn || version == published);
        if (there && drawn && kind == 2) {
            choice.ids[choice.options.root_count++] = version;
        }
    }
    choice.options.roots = choice.options.root_count > 0 ? choice.ids : NULL;
    if (kind == 2 && choice.options.root_count == 0) {
        choice.options.newest_only = true;
    }
    return choice;
}

static const char *compare_chosen(const struct choice *choice, const bool *has, uint64_t published)
{
    for (uint64_t version = 1; version <= published; version++) {
        if (has[version] != choice->chosen[version]) {
            return fault_of(version, has[version] ? "is in a copy" : "is missing in a copy");
        }
    }
    return NULL;
}

/* The policy, and the tags of the roots that came along. */
static const char *compare_settings(const struct expected_roots *roots, verso_store *copy,
                                    const bool *has)
{
    struct expected_settings settings = {.policy = roots->keeping.now.policy};
    for (unsigned i = 0; i < roots->keeping.now.tag_count; i++) {
        const struct expected_tag *tag = &roots->keeping.now.tag[i];
        if (has[tag->root]) {
            settings.tag[settings.tag_count++] = *tag;
        }
    }
    return expected_compare_settings(&settings, copy);
}

static const char *compare_copy(const struct expected_roots *roots, struct simulated_disk *disk,
                                const struct choice *choice, uint64_t published,
                                struct simulated_random *random)
{
    verso_store *copy;
    verso_err err = open_copy(disk, copy_path, true, &copy);
    if (err != VERSO_OK) {
        return failed("opening a copy", err);
    }
    bool *has = calloc(roots->issued + 1, sizeof *has);
    if (has == NULL) {
        abort();
    }
    const char *fault = compare_roots(roots, copy, has, random);
    fault = fault == NULL ? compare_chosen(choice, has, published) : fault;
    fault = fault == NULL ? compare_settings(roots, copy, has) : fault;
    free(has);
    err = verso_close(copy);
    return fault == NULL && err != VERSO_OK ? failed("closing a copy", err) : fault;
}

const char *model_copy_step(struct expected_roots *roots, verso_store *store,
                            struct simulated_disk *disk, struct simulated_random *random)
{
    const char *fault = publish_all(roots, store);
    if (fault != NULL) {
        return fault;
    }
    uint64_t published = published_of(store);
    struct choice choice = draw_choice(roots, published, random);
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(store, copy_path, &choice.options, &report);
    fault = err == VERSO_OK && report.newest == published ? NULL : failed("a copy", err);
    if (fault == NULL && verso_copy(store, copy_path, NULL, NULL) != VERSO_EXISTS) {
        fault = "a copy may take another's place";
    }
    fault = fault == NULL ? compare_copy(roots, disk, &choice, published, random) : fault;
    simulated_disk_remove(disk, copy_path);
    free(choice.ids);
    free(choice.chosen);
    return fault;
}

/* ---- increments ---- */

static const char *begin_mirror(struct model_mirror *mirror, verso_store *store)
{
    verso_copy_report report = {.size = sizeof report};
    verso_err err = verso_copy(store, mirror_path, NULL, &report);
    if (err != VERSO_OK) {
        return failed("the copy that becomes a mirror", err);
    }
    *mirror = (struct model_mirror){.newest = report.newest, .is_there = true};
    return NULL;
}

/* What the store has kept since then is in the mirror, if that keeps all. */
static const char *compare_since(const struct expected_roots *roots, const bool *has,
                                 uint64_t since, uint64_t published, bool keeps_all)
{
    for (uint64_t version = since + 1; version <= published; version++) {
        bool there = version == published || roots->keeping.mark[version].gone == 0;
        if (there && !has[version] && (keeps_all || version == published)) {
            return fault_of(version, "is missing in a mirror");
        }
    }
    return NULL;
}

static const char *apply(struct model_mirror *mirror, const struct expected_roots *roots,
                         struct simulated_disk *disk, uint64_t published,
                         struct simulated_random *random)
{
    verso_store *copy;
    verso_err err = open_copy(disk, mirror_path, false, &copy);
    if (err != VERSO_OK) {
        return failed("opening a mirror", err);
    }
    bool *has = calloc(roots->issued + 1, sizeof *has);
    if (has == NULL) {
        abort();
    }
    const char *fault = NULL;
    for (unsigned i = 0; i < 2 && fault == NULL; i++) { /* the second time changes nothing */
        err = verso_copy_apply(copy, increment_path, NULL);
        fault = err == VERSO_OK ? NULL : failed("applying an increment", err);
    }
    verso_retention policy = {.size = sizeof policy};
    err = verso_retention_get(copy, &policy);
    fault = fault == NULL && err != VERSO_OK ? failed("a mirror's policy", err) : fault;
    fault = fault == NULL ? compare_roots(roots, copy, has, random) : fault;
    fault =
        fault == NULL ? compare_since(roots, has, mirror->newest, published, policy.all) : fault;
    free(has);
    err = verso_close(copy);
    return fault == NULL && err != VERSO_OK ? failed("closing a mirror", err) : fault;
}

const char *model_mirror_step(struct model_mirror *mirror, struct expected_roots *roots,
                              verso_store *store, struct simulated_disk *disk,
                              struct simulated_random *random)
{
    const char *fault = publish_all(roots, store);
    uint64_t published = published_of(store);
    if (fault != NULL || published == 0) {
        return fault;
    }
    if (!mirror->is_there) {
        return begin_mirror(mirror, store);
    }
    bool gone = mirror->newest < published && roots->keeping.mark[mirror->newest].gone != 0;
    verso_err err = verso_copy_since(store, mirror->newest, increment_path, NULL);
    if (err != (gone ? VERSO_GONE : VERSO_OK)) {
        return failed("an increment", err);
    }
    if (gone) { /* nothing leads on from there: another copy must be made */
        model_copies_remove(mirror, disk);
        return NULL;
    }
    fault = apply(mirror, roots, disk, published, random);
    simulated_disk_remove(disk, increment_path);
    mirror->newest = published;
    return fault;
}

/* ---- after crashes ---- */

void model_copies_remove(struct model_mirror *mirror, struct simulated_disk *disk)
{
    *mirror = (struct model_mirror){.is_there = false};
    const char *path;
    for (size_t index = 0; (path = simulated_disk_path(disk, index)) != NULL;) {
        if (strncmp(path, "store", strlen("store")) == 0) {
            index++;
        } else {
            char *copy = strdup(path); /* the name goes with the file */
            simulated_disk_remove(disk, copy);
            free(copy);
        }
    }
}

/* Of a store that is not synced at each commit, a copy may hold roots that the crash has taken. */
static const char *look_at_left(const struct expected_roots *roots, struct simulated_disk *disk,
                                const char *path)
{
    verso_store *copy;
    verso_err err = open_copy(disk, path, false, &copy);
    if (err != VERSO_OK) {
        return failed("opening what a crash left of a copy", err);
    }
    const char *fault = expected_check(copy);
    verso_root_info info = {.size = sizeof info};
    size_t count = 0;
    err = verso_roots(copy, 0, &info, 1, NULL, &count);
    if (fault == NULL && err == VERSO_OK && count == 1 && info.id <= roots->issued &&
        info.fingerprint != roots->root[info.id].fingerprint) {
        fault = fault_of(info.id, "another one in the copy that a crash left");
    }
    err = verso_close(copy);
    return fault == NULL && err != VERSO_OK ? failed("closing it", err) : fault;
}

const char *model_copies_recovered(const struct expected_roots *roots, struct simulated_disk *disk)
{
    const char *const paths[] = {copy_path, mirror_path};
    const char *fault = NULL;
    for (unsigned i = 0; i < 2 && fault == NULL; i++) {
        if (simulated_disk_exists(disk, paths[i])) {
            fault = look_at_left(roots, disk, paths[i]);
        }
    }
    return fault;
}
