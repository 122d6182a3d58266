/*
 * interleave_test.c - threads of the engine, in every order with a few preemptions, or one held.
 *
 * VERSO_TEST_PREEMPTIONS is how many in all schedules that are tried (default: 1, or 2); beyond them
 * VERSO_TEST_RUNS schedules with up to three (default: 100) are drawn from VERSO_TEST_SEED for each
 * scenario. The last line counts the schedules.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "interleave_world.h"
#include "os/turns.h"
#include "run_length.h"
#include "scheduler.h"

enum { PREEMPTIONS = 1, RUNS = 100, DRAWN_PREEMPTIONS = 3 };

static void need_turns(void)
{
    if (!VS_HAS_TURNS) {
        cr_skip_test("built without asserts, so without points where turns may end");
    }
}

TestSuite(interleave, .init = need_turns);

/* A schedule that fails is told by them. */
Test(interleave, every_point_has_a_name)
{
    for (unsigned point = 0; point < VS_POINTS; point++) {
        const char *name = vs_point_name((enum vs_point)point);
        cr_assert(name != NULL && name[0] != '\0', "point %u", point);
    }
}

static void explore(const struct scenario *scenario, unsigned usual)
{
    uint64_t preemptions = run_length("VERSO_TEST_PREEMPTIONS", usual);
    uint64_t runs = run_length("VERSO_TEST_RUNS", RUNS);
    uint64_t count = scheduler_all(scenario, (unsigned)preemptions);
    scheduler_some(scenario, DRAWN_PREEMPTIONS, runs, run_length("VERSO_TEST_SEED", 1));
    fprintf(stderr, "%s: %" PRIu64 " with %" PRIu64 " preemptions or fewer\n", scenario->name,
            count, preemptions);
    run_count("schedules", count + runs);
}

static void end(void *world)
{
    world_end(world);
}

static void checkpoint(void *world)
{
    world_checkpoint(world);
}

static void look(void *world)
{
    world_look(world);
}

/* ---- a writer and readers ---- */

static void *begin_newest_only(void)
{
    return world_open(&(struct world_kind){.keep_last = 1, .commits = 2});
}

static void commit_and_judge(void *world)
{
    world_commit(world);
    world_judge(world);
    world_commit(world);
}

Test(interleave, views_beside_commits)
{
    explore(
        &(struct scenario){
            "views beside commits", begin_newest_only, 2, {commit_and_judge, look}, end},
        PREEMPTIONS);
}

static void *begin_in_memory(void)
{
    return world_open(&(struct world_kind){.in_memory = true, .keep_last = 1, .commits = 2});
}

static void drop_and_use_again(void *world)
{
    world_commit(world);
    world_judge(world); /* what a reader copied first is free now, if it is not pinned */
    world_commit(world);
    world_commit(world); /* in its pages */
}

Test(interleave, a_reader_pins_while_its_root_is_dropped_and_its_pages_used_again)
{
    explore(
        &(struct scenario){
            "pinning beside recycling", begin_in_memory, 2, {drop_and_use_again, look}, end},
        PREEMPTIONS);
}

static void *begin_unread(void)
{
    return world_open(&(struct world_kind){.commits = 2, .reopened = true});
}

Test(interleave, first_readers_of_a_store_verify_its_pages_together)
{
    explore(&(struct scenario){"first readers", begin_unread, 2, {look, look}, end}, PREEMPTIONS);
}

/* ---- nobody starves ---- */

static void commit(void *world)
{
    world_commit(world);
}

static void hold(const struct scenario *scenario, unsigned thread)
{
    uint64_t points = scheduler_holding(scenario, thread);
    fprintf(stderr, "%s: held at %" PRIu64 " points\n", scenario->name, points);
    cr_assert_geq(points, 3);
    run_count("schedules", points);
}

Test(interleave, nobody_waits_for_a_reader)
{
    hold(
        &(struct scenario){
            "a reader is held", begin_newest_only, 3, {commit, checkpoint, look}, end},
        2);
}

Test(interleave, no_reader_waits_for_a_writer_or_a_checkpoint)
{
    hold(
        &(struct scenario){"a writer is held", begin_newest_only, 2, {commit_and_judge, look}, end},
        0);
    hold(&(struct scenario){"a checkpoint is held", begin_newest_only, 2, {checkpoint, look}, end},
         0);
}

/* A checkpoint after its freeze, where it holds no lock for a moment. */
static void write_checkpoint(void *world)
{
    (void)scheduler_pass_over(
        ~(UINT64_C(1) << VS_POINT_WRITE_META | UINT64_C(1) << VS_POINT_VACATE_FRAME |
          UINT64_C(1) << VS_POINT_RAISE_EPOCH | UINT64_C(1) << VS_POINT_FILL_LIMBO |
          UINT64_C(1) << VS_POINT_CHECKPOINT_OVER));
    world_checkpoint(world);
}

Test(interleave, no_commit_waits_for_a_checkpoint_that_writes)
{
    hold(&(struct scenario){"a checkpoint that writes is held",
                            begin_newest_only,
                            2,
                            {write_checkpoint, commit_and_judge},
                            end},
         0);
}

/* ---- checkpoints ---- */

Test(interleave, a_checkpoint_beside_a_commit_and_a_reader)
{
    explore(&(struct scenario){"checkpoint beside commit and reader",
                               begin_newest_only,
                               3,
                               {commit, checkpoint, look},
                               end},
            PREEMPTIONS);
}

/* Only between these steps of a checkpoint and its followers a reader comes in. */
static const uint64_t letting_go =
    UINT64_C(1) << VS_POINT_VACATE_FRAME | UINT64_C(1) << VS_POINT_RAISE_EPOCH |
    UINT64_C(1) << VS_POINT_FILL_LIMBO | UINT64_C(1) << VS_POINT_SETTLE_LIMBO |
    UINT64_C(1) << VS_POINT_MOVE_BLOCK_BACK | UINT64_C(1) << VS_POINT_CHECKPOINT_OVER;

static void let_go_and_overwrite(void *world)
{
    (void)scheduler_pass_over(~letting_go);
    world_checkpoint(world);
    world_overwrite_free_frames(world);
}

Test(interleave, pages_move_to_the_file_under_a_reader)
{
    explore(
        &(struct scenario){
            "moving pages beside reading", begin_newest_only, 2, {let_go_and_overwrite, look}, end},
        PREEMPTIONS + 1); /* in before the epoch is raised, out before the frames are used */
}

static void *begin_unsynced(void)
{
    return world_open(&(struct world_kind){.durability = VERSO_DURABILITY_INTERVAL, .commits = 2});
}

static void checkpoint_and_cut_power(void *world)
{
    world_checkpoint_and_cut_power(world);
}

Test(interleave, a_checkpoint_knows_nothing_of_a_commit_after_its_freeze)
{
    explore(
        &(struct scenario){
            "commit after the freeze", begin_unsynced, 2, {checkpoint_and_cut_power, commit}, end},
        PREEMPTIONS);
}

/* ---- roots dropped, tagged, opened by id ---- */

static void *begin_three_roots(void)
{
    return world_open(&(struct world_kind){.commits = 3, .checkpointed = true});
}

static void drop_and_judge(void *argument)
{
    struct world *world = argument;
    verso_retention last = verso_keep_last(1);
    verso_err err = verso_retention_set(world->store, &last);
    scheduler_must(err == VERSO_OK, "retention: %s", verso_error_detail());
    world_judge(world);
    world_commit(world);
}

static void open_old_root(void *world)
{
    (void)world_look_at(world, 2);
}

static void tag_old_root(void *argument)
{
    struct world *world = argument;
    verso_err err = verso_tag_set(world->store, verso_text("kept"), 1);
    scheduler_must(err == VERSO_OK || err == VERSO_GONE, "tag: %s", verso_error_detail());
    scheduler_must(world_look_at(world, 1) == (err == VERSO_OK), "the tag's root");
}

Test(interleave, dropping_beside_opening_by_id_and_tagging)
{
    explore(&(struct scenario){"dropping beside opening by id",
                               begin_three_roots,
                               3,
                               {drop_and_judge, open_old_root, tag_old_root},
                               end},
            PREEMPTIONS);
}

/* ---- the log ---- */

static void *begin_near_the_end_of_a_segment(void)
{
    return world_open(&(struct world_kind){.segment_full = true});
}

static void commit_and_cut_power(void *world)
{
    world_commit_and_cut_power(world);
}

static void commit_and_checkpoint(void *world)
{
    world_commit_and_look(world);
    world_checkpoint(world); /* lets go of the segment before */
}

Test(interleave, committers_share_a_sync_while_segments_are_switched_and_recycled)
{
    explore(&(struct scenario){"group commit beside recycling",
                               begin_near_the_end_of_a_segment,
                               2,
                               {commit_and_cut_power, commit_and_checkpoint},
                               end},
            PREEMPTIONS);
}

static void *begin_small(void)
{
    return world_open(&(struct world_kind){.commits = 1, .quiet = true});
}

static void commit_and_look(void *world)
{
    world_commit_and_look(world);
}

Test(interleave, who_waits_for_another_threads_sync_sees_his_own_commit)
{
    explore(&(struct scenario){"two committers", begin_small, 2, {commit_and_look, commit}, end},
            PREEMPTIONS + 1); /* one leads, the other is between its frame and its root */
}

static void see_and_cut_power(void *world)
{
    world_see_and_cut_power(world);
}

Test(interleave, what_is_seen_is_durable)
{
    explore(
        &(struct scenario){
            "seeing beside committing", begin_small, 2, {commit, see_and_cut_power}, end},
        PREEMPTIONS);
}

/* ---- the background ---- */

static void *begin_with_background(void)
{
    return world_open(
        &(struct world_kind){.background = true, .durability = VERSO_DURABILITY_INTERVAL});
}

static void open_commit_close(void *world)
{
    world_open_store(world);
    world_commit(world);
    world_commit(world);
    world_close_store(world);
}

Test(interleave, closing_beside_the_background)
{
    explore(
        &(struct scenario){
            "closing beside the background", begin_with_background, 1, {open_commit_close}, end},
        PREEMPTIONS);
}
