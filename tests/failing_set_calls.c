/*
 * failing_set_calls.c - stands between the object files of the engine by the linker's --wrap
 * (CMakeLists.txt, verso_failing_calls()): sets and lists of versions, savepoints, space.
 */
#include "failing_calls_inner.h"
#include "store/arena.h"
#include "store/deaths.h"
#include "store/kept_set.h"
#include "store/reader_slots.h"
#include "store/retained.h"
#include "store/roots.h"
#include "store/savepoint.h"
#include "store/store.h"
#include "store/tags.h"
#include "store/version_set.h"

/* The linker gives these names: calls of vs_x() come to __wrap_vs_x(), and __real_vs_x() is what
 * they called before. */

verso_err __real_vs_writer_savepoint(struct vs_page_writer *writer);
verso_err __wrap_vs_writer_savepoint(struct vs_page_writer *writer);
verso_err __wrap_vs_writer_savepoint(struct vs_page_writer *writer)
{
    verso_err err =
        failing_calls_meet("vs_writer_savepoint", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_savepoint(writer);
}

verso_err __real_vs_writer_rollback_to(struct vs_page_writer *writer, uint32_t savepoint);
verso_err __wrap_vs_writer_rollback_to(struct vs_page_writer *writer, uint32_t savepoint);
verso_err __wrap_vs_writer_rollback_to(struct vs_page_writer *writer, uint32_t savepoint)
{
    verso_err err =
        failing_calls_meet("vs_writer_rollback_to", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_rollback_to(writer, savepoint);
}

verso_err __real_vs_savepoint_reserve(struct vs_page_writer *writer, unsigned pages);
verso_err __wrap_vs_savepoint_reserve(struct vs_page_writer *writer, unsigned pages);
verso_err __wrap_vs_savepoint_reserve(struct vs_page_writer *writer, unsigned pages)
{
    verso_err err =
        failing_calls_meet("vs_savepoint_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_savepoint_reserve(writer, pages);
}

verso_err __real_vs_savepoint_save(struct vs_page_writer *writer, vs_page_no page,
                                   const uint8_t *bytes);
verso_err __wrap_vs_savepoint_save(struct vs_page_writer *writer, vs_page_no page,
                                   const uint8_t *bytes);
verso_err __wrap_vs_savepoint_save(struct vs_page_writer *writer, vs_page_no page,
                                   const uint8_t *bytes)
{
    verso_err err =
        failing_calls_meet("vs_savepoint_save", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_savepoint_save(writer, page, bytes);
}

verso_err __real_vs_arena_take(struct vs_arena *arena, uint32_t count, uint32_t *frame);
verso_err __wrap_vs_arena_take(struct vs_arena *arena, uint32_t count, uint32_t *frame);
verso_err __wrap_vs_arena_take(struct vs_arena *arena, uint32_t count, uint32_t *frame)
{
    verso_err err = failing_calls_meet("vs_arena_take", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_arena_take(arena, count, frame);
}

verso_err __real_vs_arena_reserve(struct vs_arena *arena, uint32_t count);
verso_err __wrap_vs_arena_reserve(struct vs_arena *arena, uint32_t count);
verso_err __wrap_vs_arena_reserve(struct vs_arena *arena, uint32_t count)
{
    verso_err err =
        failing_calls_meet("vs_arena_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_arena_reserve(arena, count);
}

verso_err __real_vs_death_list_reserve(struct vs_death_list *list, size_t more);
verso_err __wrap_vs_death_list_reserve(struct vs_death_list *list, size_t more);
verso_err __wrap_vs_death_list_reserve(struct vs_death_list *list, size_t more)
{
    verso_err err =
        failing_calls_meet("vs_death_list_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_death_list_reserve(list, more);
}

verso_err __real_vs_kept_set_gather(struct vs_kept_set *kept, uint64_t published,
                                    const struct vs_reader_slots *slots);
verso_err __wrap_vs_kept_set_gather(struct vs_kept_set *kept, uint64_t published,
                                    const struct vs_reader_slots *slots);
verso_err __wrap_vs_kept_set_gather(struct vs_kept_set *kept, uint64_t published,
                                    const struct vs_reader_slots *slots)
{
    verso_err err =
        failing_calls_meet("vs_kept_set_gather", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_kept_set_gather(kept, published, slots);
}

verso_err __real_vs_kept_set_flatten(const struct vs_kept_set *kept, uint64_t version,
                                     struct vs_version_set *flat);
verso_err __wrap_vs_kept_set_flatten(const struct vs_kept_set *kept, uint64_t version,
                                     struct vs_version_set *flat);
verso_err __wrap_vs_kept_set_flatten(const struct vs_kept_set *kept, uint64_t version,
                                     struct vs_version_set *flat)
{
    verso_err err =
        failing_calls_meet("vs_kept_set_flatten", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_kept_set_flatten(kept, version, flat);
}

verso_err __real_vs_version_set_add(struct vs_version_set *set, uint64_t from, uint64_t to);
verso_err __wrap_vs_version_set_add(struct vs_version_set *set, uint64_t from, uint64_t to);
verso_err __wrap_vs_version_set_add(struct vs_version_set *set, uint64_t from, uint64_t to)
{
    verso_err err =
        failing_calls_meet("vs_version_set_add", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_add(set, from, to);
}

verso_err __real_vs_version_set_drop(struct vs_version_set *set, uint64_t from, uint64_t to);
verso_err __wrap_vs_version_set_drop(struct vs_version_set *set, uint64_t from, uint64_t to);
verso_err __wrap_vs_version_set_drop(struct vs_version_set *set, uint64_t from, uint64_t to)
{
    verso_err err =
        failing_calls_meet("vs_version_set_drop", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_drop(set, from, to);
}

verso_err __real_vs_version_set_copy(struct vs_version_set *set,
                                     const struct vs_version_set *other);
verso_err __wrap_vs_version_set_copy(struct vs_version_set *set,
                                     const struct vs_version_set *other);
verso_err __wrap_vs_version_set_copy(struct vs_version_set *set, const struct vs_version_set *other)
{
    verso_err err =
        failing_calls_meet("vs_version_set_copy", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_copy(set, other);
}

verso_err __real_vs_version_set_join(struct vs_version_set *set,
                                     const struct vs_version_set *other);
verso_err __wrap_vs_version_set_join(struct vs_version_set *set,
                                     const struct vs_version_set *other);
verso_err __wrap_vs_version_set_join(struct vs_version_set *set, const struct vs_version_set *other)
{
    verso_err err =
        failing_calls_meet("vs_version_set_join", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_join(set, other);
}

verso_err __real_vs_version_set_encode(const struct vs_version_set *set, uint8_t **bytes,
                                       size_t *size);
verso_err __wrap_vs_version_set_encode(const struct vs_version_set *set, uint8_t **bytes,
                                       size_t *size);
verso_err __wrap_vs_version_set_encode(const struct vs_version_set *set, uint8_t **bytes,
                                       size_t *size)
{
    verso_err err =
        failing_calls_meet("vs_version_set_encode", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_encode(set, bytes, size);
}

verso_err __real_vs_version_set_decode(const uint8_t *bytes, size_t size,
                                       struct vs_version_set *set);
verso_err __wrap_vs_version_set_decode(const uint8_t *bytes, size_t size,
                                       struct vs_version_set *set);
verso_err __wrap_vs_version_set_decode(const uint8_t *bytes, size_t size,
                                       struct vs_version_set *set)
{
    verso_err err =
        failing_calls_meet("vs_version_set_decode", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_version_set_decode(bytes, size, set);
}

verso_err __real_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint64_t epoch,
                               uint32_t *index);
verso_err __wrap_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint64_t epoch,
                               uint32_t *index);
verso_err __wrap_vs_reader_pin(struct vs_reader_slots *slots, uint64_t version, uint64_t epoch,
                               uint32_t *index)
{
    verso_err err = failing_calls_meet("vs_reader_pin", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_reader_pin(slots, version, epoch, index);
}

verso_err __real_vs_roots_reserve(struct vs_roots *roots, uint64_t version, size_t note_size);
verso_err __wrap_vs_roots_reserve(struct vs_roots *roots, uint64_t version, size_t note_size);
verso_err __wrap_vs_roots_reserve(struct vs_roots *roots, uint64_t version, size_t note_size)
{
    verso_err err =
        failing_calls_meet("vs_roots_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_roots_reserve(roots, version, note_size);
}

verso_err __real_vs_roots_pin(struct vs_roots *roots, struct vs_reader_slots *readers,
                              uint64_t epoch, uint32_t *slot, struct vs_root_record *record);
verso_err __wrap_vs_roots_pin(struct vs_roots *roots, struct vs_reader_slots *readers,
                              uint64_t epoch, uint32_t *slot, struct vs_root_record *record);
verso_err __wrap_vs_roots_pin(struct vs_roots *roots, struct vs_reader_slots *readers,
                              uint64_t epoch, uint32_t *slot, struct vs_root_record *record)
{
    verso_err err = failing_calls_meet("vs_roots_pin", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_roots_pin(roots, readers, epoch, slot, record);
}

verso_err __real_vs_retained_reserve(struct vs_retained *retained, size_t count);
verso_err __wrap_vs_retained_reserve(struct vs_retained *retained, size_t count);
verso_err __wrap_vs_retained_reserve(struct vs_retained *retained, size_t count)
{
    verso_err err =
        failing_calls_meet("vs_retained_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_retained_reserve(retained, count);
}

verso_err __real_vs_retained_skip(struct vs_retained *retained, uint64_t from, uint64_t to);
verso_err __wrap_vs_retained_skip(struct vs_retained *retained, uint64_t from, uint64_t to);
verso_err __wrap_vs_retained_skip(struct vs_retained *retained, uint64_t from, uint64_t to)
{
    verso_err err =
        failing_calls_meet("vs_retained_skip", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_retained_skip(retained, from, to);
}

verso_err __real_vs_retained_reserve_tag(struct vs_retained *retained, verso_slice name);
verso_err __wrap_vs_retained_reserve_tag(struct vs_retained *retained, verso_slice name);
verso_err __wrap_vs_retained_reserve_tag(struct vs_retained *retained, verso_slice name)
{
    verso_err err =
        failing_calls_meet("vs_retained_reserve_tag", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_retained_reserve_tag(retained, name);
}

verso_err __real_vs_retained_set_tag(struct vs_retained *retained, verso_slice name, uint64_t root,
                                     int64_t time_us);
verso_err __wrap_vs_retained_set_tag(struct vs_retained *retained, verso_slice name, uint64_t root,
                                     int64_t time_us);
verso_err __wrap_vs_retained_set_tag(struct vs_retained *retained, verso_slice name, uint64_t root,
                                     int64_t time_us)
{
    verso_err err =
        failing_calls_meet("vs_retained_set_tag", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_retained_set_tag(retained, name, root, time_us);
}

verso_err __real_vs_tags_reserve(struct vs_tags *tags, verso_slice name);
verso_err __wrap_vs_tags_reserve(struct vs_tags *tags, verso_slice name);
verso_err __wrap_vs_tags_reserve(struct vs_tags *tags, verso_slice name)
{
    verso_err err = failing_calls_meet("vs_tags_reserve", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_tags_reserve(tags, name);
}

verso_err __real_vs_store_refresh_kept(struct vs_store *store);
verso_err __wrap_vs_store_refresh_kept(struct vs_store *store);
verso_err __wrap_vs_store_refresh_kept(struct vs_store *store)
{
    verso_err err =
        failing_calls_meet("vs_store_refresh_kept", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_refresh_kept(store);
}

verso_err __real_vs_store_judge(struct vs_store *store, bool parked_too);
verso_err __wrap_vs_store_judge(struct vs_store *store, bool parked_too);
verso_err __wrap_vs_store_judge(struct vs_store *store, bool parked_too)
{
    verso_err err =
        failing_calls_meet("vs_store_judge", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_judge(store, parked_too);
}

verso_err __real_vs_store_judge_on(struct vs_store *store, bool *over);
verso_err __wrap_vs_store_judge_on(struct vs_store *store, bool *over);
verso_err __wrap_vs_store_judge_on(struct vs_store *store, bool *over)
{
    verso_err err =
        failing_calls_meet("vs_store_judge_on", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_judge_on(store, over);
}

verso_err __real_vs_store_judge_frames(struct vs_store *store);
verso_err __wrap_vs_store_judge_frames(struct vs_store *store);
verso_err __wrap_vs_store_judge_frames(struct vs_store *store)
{
    verso_err err =
        failing_calls_meet("vs_store_judge_frames", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_judge_frames(store);
}

verso_err __real_vs_store_make_space(struct vs_store *store, uint64_t pages);
verso_err __wrap_vs_store_make_space(struct vs_store *store, uint64_t pages);
verso_err __wrap_vs_store_make_space(struct vs_store *store, uint64_t pages)
{
    verso_err err =
        failing_calls_meet("vs_store_make_space", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_make_space(store, pages);
}

verso_err __real_vs_store_grow(struct vs_store *store, uint64_t pages);
verso_err __wrap_vs_store_grow(struct vs_store *store, uint64_t pages);
verso_err __wrap_vs_store_grow(struct vs_store *store, uint64_t pages)
{
    verso_err err = failing_calls_meet("vs_store_grow", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_store_grow(store, pages);
}
