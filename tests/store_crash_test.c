/*
 * store_crash_test.c - the power fails before and after every change that a story makes to the
 * disk, then before and after every change of a recovery, and of a recovery of that.
 *
 * An image that was judged before, at the same moment of the story, is neither judged nor counted
 * again. One in VERSO_TEST_ENTIRE_EVERY is compared entirely, the others by their fingerprints.
 * VERSO_TEST_NESTED_EVERY, VERSO_TEST_TWICE_EVERY, VERSO_TEST_METAS_EVERY: of so many images one is
 * recovered with power cuts of its own, of so many that these leave one again, and of so many one
 * loses a meta page. VERSO_TEST_IMAGES: images of each kind that has several.
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "crash_script.h"
#include "format/fingerprint.h"
#include "format/layout.h"
#include "format/meta.h"
#include "image_set.h"
#include "page_keys.h"
#include "run_length.h"

enum {
    NESTED_EVERY = 80,
    TWICE_EVERY = 1000,
    METAS_EVERY = 25,
    ENTIRE_EVERY = 16,
    IMAGES = 9,
    LEVELS_MAX = 2, /* of recoveries that lose their power */
};

/** One sweep over the story. */
struct sweep {
    struct crash_script script;
    struct image_set judged;
    uint64_t first_seed; /* of the images */
    uint64_t nested_every;
    uint64_t twice_every;
    uint64_t metas_every;
    uint64_t entire_every;
    uint64_t images_each;
    uint64_t images;
    uint64_t nested[LEVELS_MAX];
    uint64_t without_meta;
    uint64_t repeated;
    char fault[1000]; /* the first one; empty: none */
};

static void note_fault(struct sweep *sweep, const char *fault, const struct simulated_event *event,
                       enum simulated_crash mode, uint64_t seed)
{
    (void)snprintf(sweep->fault, sizeof sweep->fault,
                   "%s change %" PRIu64 " (kind %d of %s at %" PRIu64 ", %" PRIu64
                   " bytes), mode %d, seed %" PRIu64 ": %s",
                   event->is_after ? "after" : "before", event->change, (int)event->kind,
                   event->path, event->offset, event->size, (int)mode, seed, fault);
}

/* ---- single images ---- */

/* What the power cut leaves, or NULL: such an image was judged already, with the same demand. */
static struct simulated_disk *crash(struct sweep *sweep, struct simulated_disk *disk,
                                    uint64_t least, uint64_t seed, enum simulated_crash mode)
{
    struct simulated_disk *left = simulated_disk_crash(disk, seed, mode);
    uint64_t demand[] = {simulated_disk_digest(left), least, sweep->script.roots.issued,
                         sweep->script.moment};
    if (image_set_add(&sweep->judged, vs_xxh64(0, demand, sizeof demand))) {
        return left;
    }
    simulated_disk_close(left);
    sweep->repeated++;
    return NULL;
}

static const char *judge(const struct sweep *sweep, const struct expected_roots *roots,
                         struct simulated_disk *left, uint64_t least, uint64_t *version)
{
    bool entirely = sweep->judged.count % sweep->entire_every == 0;
    return entirely ? crash_script_judge(roots, left, least, version)
                    : crash_script_judge_swiftly(roots, left, least, sweep->judged.count, version);
}

/* ---- power cuts within the recovery ---- */

struct nested {
    struct sweep *sweep;
    uint64_t least;  /* the recovery finds this version, interrupted or not, */
    uint64_t issued; /* or one up to this */
    unsigned level;  /* 0: the recovery of what the story left */
    const char *fault;
};

static const char *sweep_recovery(struct sweep *sweep, struct simulated_disk *disk, uint64_t least,
                                  uint64_t issued, unsigned level);

static const char *judge_recovered(const struct nested *nested, const struct expected_roots *roots,
                                   struct simulated_disk *left)
{
    struct sweep *sweep = nested->sweep;
    sweep->nested[nested->level]++;
    bool nests =
        nested->level + 1 < LEVELS_MAX && sweep->nested[nested->level] % sweep->twice_every == 0;
    struct simulated_disk *again = nests ? simulated_disk_clone(left) : NULL;
    const char *fault = judge(sweep, roots, left, nested->least, NULL);
    if (fault == NULL && nests) {
        fault = sweep_recovery(sweep, again, nested->least, nested->issued, nested->level + 1);
    }
    if (fault == NULL) {
        simulated_disk_close(again);
    }
    return fault;
}

static void cut_recovery(void *argument, struct simulated_disk *disk,
                         const struct simulated_event *event)
{
    struct nested *nested = argument;
    /* before a change all is as it was after the last one, or in the image */
    if (!event->is_change || !event->is_after || nested->fault != NULL) {
        return;
    }
    struct sweep *sweep = nested->sweep;
    uint64_t seed = sweep->first_seed + event->change;
    const enum simulated_crash modes[] = {SIMULATED_CRASH_ALL_OLD, SIMULATED_CRASH_ALL_NEW,
                                          SIMULATED_CRASH_RANDOM, SIMULATED_CRASH_TORN};
    struct expected_roots roots = expected_branch(&sweep->script.roots, nested->issued);
    for (unsigned i = 0; i < sizeof modes / sizeof *modes && nested->fault == NULL; i++) {
        struct simulated_disk *left = crash(sweep, disk, nested->least, seed, modes[i]);
        if (left != NULL) {
            nested->fault = judge_recovered(nested, &roots, left);
        }
    }
    expected_roots_clear(&roots);
}

static const char *sweep_recovery(struct sweep *sweep, struct simulated_disk *disk, uint64_t least,
                                  uint64_t issued, unsigned level)
{
    struct nested nested = {.sweep = sweep, .least = least, .issued = issued, .level = level};
    simulated_disk_set_hook(disk, cut_recovery, &nested);
    verso_store *store = NULL;
    verso_err err = crash_script_open(disk, &store);
    if (err == VERSO_OK) {
        err = verso_close(store);
    }
    simulated_disk_set_hook(disk, NULL, NULL);
    return nested.fault != NULL ? nested.fault
           : err != VERSO_OK    ? "a recovery with power cuts of its own failed"
                                : NULL;
}

/* ---- lost metas ---- */

static bool meta_is_good(struct simulated_disk *disk, uint64_t at)
{
    uint64_t size;
    const uint8_t *bytes = simulated_disk_bytes(disk, CRASH_SCRIPT_PATH, &size);
    struct vs_meta meta;
    return bytes != NULL && size >= at + VS_PART_BYTES &&
           vs_meta_decode(bytes + at, &meta) == VS_META_OK;
}

/* Each of two good metas can be lost by itself; with the newer one, what was not acknowledged
   yet. */
static const char *lose_metas(struct sweep *sweep, struct simulated_disk *left, uint64_t version,
                              uint64_t seed)
{
    if (!meta_is_good(left, 0) || !meta_is_good(left, VS_META_B_AT)) {
        return NULL;
    }
    const char *fault = NULL;
    struct expected_roots roots = expected_branch(&sweep->script.roots, version);
    for (unsigned i = 0; i < 2 && fault == NULL; i++) {
        struct simulated_disk *disk = simulated_disk_clone(left);
        uint64_t at = i * (uint64_t)VS_META_B_AT + seed % VS_PART_BYTES;
        simulated_disk_flip(disk, CRASH_SCRIPT_PATH, at, (uint8_t)(1U << seed % 8));
        fault = judge(sweep, &roots, disk, sweep->script.durable, NULL);
        sweep->without_meta++;
    }
    expected_roots_clear(&roots);
    return fault;
}

/* ---- the sweep ---- */

static void judge_image(struct sweep *sweep, struct simulated_disk *disk,
                        const struct simulated_event *event, enum simulated_crash mode,
                        uint64_t seed)
{
    if (sweep->fault[0] != '\0') {
        return;
    }
    struct crash_script *script = &sweep->script;
    struct simulated_disk *left = crash(sweep, disk, script->durable, seed, mode);
    if (left == NULL) {
        return;
    }
    sweep->images++;
    bool nests = sweep->images % sweep->nested_every == 0;
    bool loses = sweep->images % sweep->metas_every == 0;
    struct simulated_disk *again = nests ? simulated_disk_clone(left) : NULL;
    struct simulated_disk *metas = loses ? simulated_disk_clone(left) : NULL;
    uint64_t version = 0;
    const char *fault = judge(sweep, &script->roots, left, script->durable, &version);
    if (fault == NULL && nests) {
        fault = sweep_recovery(sweep, again, version, version, 0);
    }
    if (fault == NULL && loses) {
        fault = lose_metas(sweep, metas, version, seed);
    }
    simulated_disk_close(metas);
    if (fault != NULL) {
        note_fault(sweep, fault, event, mode, seed);
    } else {
        simulated_disk_close(again);
    }
}

static void cut_everywhere(void *argument, struct simulated_disk *disk,
                           const struct simulated_event *event)
{
    struct sweep *sweep = argument;
    if (!event->is_change) {
        return;
    }
    uint64_t seed = sweep->first_seed + event->change * 2 + event->is_after;
    judge_image(sweep, disk, event, SIMULATED_CRASH_ALL_OLD, seed);
    judge_image(sweep, disk, event, SIMULATED_CRASH_ALL_NEW, seed);
    for (uint64_t i = 0; i < sweep->images_each; i++) {
        judge_image(sweep, disk, event, SIMULATED_CRASH_RANDOM, seed + i * 1000000);
    }
    judge_image(sweep, disk, event, SIMULATED_CRASH_TORN, seed);
    uint64_t dirty = simulated_disk_dirty_sectors(disk);
    uint64_t step = sweep->images_each < dirty ? 7 : 1; /* 1: each sector once */
    for (uint64_t i = 0; i < sweep->images_each && i < dirty; i++) {
        judge_image(sweep, disk, event, SIMULATED_CRASH_ONE_NEW, (seed + i * step) % dirty);
        judge_image(sweep, disk, event, SIMULATED_CRASH_ONE_OLD, (seed + i * step) % dirty);
    }
}

/* Stores are opened and closed by the ten thousand: a heap that shrinks and grows each time costs
   more than one that stays. recycled_memory.c does the same for what the engine reserves. */
static void hold_on_to_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

static void sweep_story(uint64_t seed, enum crash_story story)
{
    hold_on_to_memory();
    static struct sweep sweep;
    sweep = (struct sweep){
        .first_seed = seed * UINT64_C(1000000000),
        .nested_every = run_stride("VERSO_TEST_NESTED_EVERY", NESTED_EVERY),
        .twice_every = run_stride("VERSO_TEST_TWICE_EVERY", TWICE_EVERY),
        .entire_every = run_stride("VERSO_TEST_ENTIRE_EVERY", ENTIRE_EVERY),
        .metas_every = run_stride("VERSO_TEST_METAS_EVERY", METAS_EVERY),
        .images_each = run_length("VERSO_TEST_IMAGES", IMAGES),
    };
    crash_script_init(&sweep.script, seed);
    sweep.script.story = story;
    simulated_disk_set_hook(sweep.script.disk, cut_everywhere, &sweep);
    verso_err err = crash_script_play(&sweep.script);
    cr_assert(sweep.fault[0] == '\0', "seed=%" PRIu64 " %s", seed, sweep.fault);
    cr_assert(err == VERSO_OK, "the story itself failed: %s (%s)", verso_strerror(err),
              verso_error_detail());
    run_count("images", sweep.images);
    run_count("nested", sweep.nested[0]);
    run_count("nested_twice", sweep.nested[1]);
    run_count("repeated", sweep.repeated);
    run_count("without_meta", sweep.without_meta);
    uint64_t share = run_number("VERSO_TEST_SHARE", 1); /* of the images, and of those to nest in */
    cr_assert(sweep.images > 1500 / share && sweep.nested[0] > 600 / (share * share),
              "only %" PRIu64 " images, %" PRIu64 " nested", sweep.images, sweep.nested[0]);
    cr_assert(sweep.nested[1] > 0 || sweep.nested[0] < sweep.twice_every,
              "no recovery of a recovery lost its power");
    image_set_clear(&sweep.judged);
    crash_script_clear(&sweep.script);
}

Test(store_crash, leaves_a_whole_version_at_every_change)
{
    sweep_story(page_keys_seed(), CRASH_STORY_OF_DATA);
}

Test(store_crash, leaves_what_is_kept_as_the_policy_and_the_tags_say)
{
    sweep_story(page_keys_seed(), CRASH_STORY_OF_HISTORY);
}

Test(store_crash, leaves_a_log_that_can_be_read_while_its_segments_come_round)
{
    sweep_story(page_keys_seed(), CRASH_STORY_OF_THE_LOG);
}

/* ---- the same seed, the same bytes ---- */

static void add_digest(void *argument, struct simulated_disk *disk,
                       const struct simulated_event *event)
{
    uint64_t *sum = argument;
    if (event->is_change && event->is_after) {
        uint64_t digest = simulated_disk_digest(disk);
        *sum = vs_xxh64(*sum, &digest, sizeof digest);
    }
}

/* A number for all that the disk holds after each change of a story. */
static uint64_t digest_of(enum crash_story story, uint64_t seed)
{
    static struct crash_script script;
    uint64_t sum = 0;
    crash_script_init(&script, seed);
    script.story = story;
    simulated_disk_set_hook(script.disk, add_digest, &sum);
    cr_assert_eq(crash_script_play(&script), VERSO_OK, "%s", verso_error_detail());
    crash_script_clear(&script);
    return sum;
}

Test(store_crash, plays_to_the_same_bytes_from_the_same_seed)
{
    for (int story = CRASH_STORY_OF_DATA; story <= CRASH_STORY_OF_THE_LOG; story++) {
        uint64_t sum = digest_of((enum crash_story)story, 5);
        cr_assert_eq(digest_of((enum crash_story)story, 5), sum, "story %d", story);
        cr_assert_neq(digest_of((enum crash_story)story, 6), sum, "story %d", story);
    }
}

/* ---- what the cache holds and the disk does not ---- */

/*
 * A sync fails; the process ends, and the next one finds in the system's cache what the disk has
 * not got and no sync will bring it: above all, a newer meta. Then its recovery loses power.
 * @return Whether the story has met the fault.
 */
static bool recover_from_the_cache(uint64_t nth, uint64_t *images)
{
    static struct sweep sweep;
    sweep = (struct sweep){
        .first_seed = nth * UINT64_C(1000000000), .twice_every = UINT64_MAX, .entire_every = 16};
    struct crash_script *script = &sweep.script;
    crash_script_init(script, 1);
    script->story = CRASH_STORY_OF_THE_LOG;
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = nth};
    simulated_disk_inject(script->disk, &fault);
    (void)crash_script_play(script);
    bool met = simulated_disk_faults_met(script->disk) > 0;
    if (met) {
        (void)verso_close(script->store);
        script->store = NULL;
        const char *text =
            sweep_recovery(&sweep, script->disk, script->durable, script->roots.issued, 0);
        cr_assert(text == NULL, "sync %" PRIu64 " failed: %s", nth, text);
    }
    *images += sweep.nested[0];
    image_set_clear(&sweep.judged);
    crash_script_clear(script);
    return met;
}

Test(store_crash, a_recovery_from_what_only_the_cache_holds_may_lose_its_power)
{
    hold_on_to_memory();
    uint64_t images = 0;
    uint64_t step = run_length("VERSO_TEST_SYNC_STEP", 1);
    uint64_t nth = 1;
    for (; recover_from_the_cache(nth, &images); nth += step) {
    }
    run_count("nested", images);
    cr_assert(nth > 30 && images > 100, "%" PRIu64 " syncs, %" PRIu64 " images", nth, images);
}

/* ---- commits that were never acknowledged ---- */

/* Design, section 6: A and B are written, not synced; the cut leaves B, but not A. After the
 * recovery A' takes A's place in the log, byte for byte; then B must not follow it. */
static void ghost(enum simulated_crash mode, uint64_t seed)
{
    struct crash_script script;
    crash_script_init(&script, seed);
    cr_assert_eq(crash_script_open(script.disk, &script.store), VERSO_OK);
    cr_assert_eq(crash_script_commit(&script, 0, 20, 20, false), VERSO_OK);
    uint64_t durable = script.durable;
    verso_store *store = script.store;
    struct simulated_disk *disk = script.disk;
    for (unsigned i = 0; i < 2; i++) { /* A, B */
        cr_assert_eq(crash_script_commit(&script, i, 1, 700, true), VERSO_OK);
    }
    /* written without a sync: the sync that follows the write is the moment of the cut */
    struct simulated_fault fault = {.kind = SIMULATED_SYNC, .nth = 1, .for_ever = true};
    simulated_disk_inject(disk, &fault);
    cr_assert_eq(verso_sync(store), VERSO_UNKNOWN);
    simulated_disk_heal(disk);

    struct simulated_disk *left = simulated_disk_crash(disk, seed, mode);
    (void)verso_close(store);
    simulated_disk_close(disk);
    script.disk = left;
    cr_assert_eq(crash_script_open(left, &script.store), VERSO_OK, "%s", verso_error_detail());
    const char *text =
        expected_compare_recovered(&script.roots, script.store, durable, &script.random);
    cr_assert(text == NULL, "mode %d seed=%" PRIu64 ": %s", (int)mode, seed, text);
    cr_assert_eq(crash_script_commit(&script, 0, 1, 700, false), VERSO_OK); /* A' */

    const enum simulated_crash modes[] = {SIMULATED_CRASH_ALL_OLD, SIMULATED_CRASH_ALL_NEW,
                                          SIMULATED_CRASH_RANDOM};
    for (unsigned i = 0; i < 3; i++) {
        struct simulated_disk *second = simulated_disk_crash(left, seed, modes[i]);
        text = crash_script_judge(&script.roots, second, script.roots.issued, NULL);
        cr_assert(text == NULL, "mode %d then %d seed=%" PRIu64 ": %s", (int)mode, (int)modes[i],
                  seed, text);
    }
    crash_script_clear(&script);
}

Test(store_crash, brings_no_unacknowledged_commit_back)
{
    for (uint64_t seed = 0; seed < 12; seed++) {
        ghost(SIMULATED_CRASH_ONE_NEW, seed);
        ghost(SIMULATED_CRASH_ONE_OLD, seed);
        ghost(SIMULATED_CRASH_RANDOM, seed);
        ghost(SIMULATED_CRASH_TORN, seed);
    }
}

/* ---- metas ---- */

/* After each change to the disk between two syncs the metas may be lost: one is enough. */
Test(store_crash, needs_one_good_meta)
{
    struct crash_script script;
    crash_script_init(&script, 1);
    cr_assert_eq(crash_script_play(&script), VERSO_OK);
    for (unsigned which = 1; which <= 3; which++) {
        struct simulated_disk *disk = simulated_disk_clone(script.disk);
        if (which & 1) {
            simulated_disk_flip(disk, CRASH_SCRIPT_PATH, 300, 0x40);
        }
        if (which & 2) {
            simulated_disk_flip(disk, CRASH_SCRIPT_PATH, VS_META_B_AT + 300, 0x40);
        }
        uint64_t digest_before = simulated_disk_digest(disk);
        if (which < 3) {
            const char *fault = crash_script_judge(&script.roots, disk, script.roots.issued, NULL);
            cr_assert(fault == NULL, "metas lost: %u: %s", which, fault);
            continue;
        }
        verso_store *store;
        cr_assert_eq(crash_script_open(disk, &store), VERSO_CORRUPT);
        cr_assert_eq(simulated_disk_digest(disk), digest_before, "a failed open changed the disk");
        cr_assert_eq(simulated_disk_open_files(disk), 0);
        simulated_disk_close(disk);
    }
    crash_script_clear(&script);
}
