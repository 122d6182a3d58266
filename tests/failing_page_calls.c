/*
 * failing_page_calls.c - stands between the object files of the engine by the linker's --wrap
 * (CMakeLists.txt, verso_failing_calls()): pages, the page table, the writer of pages.
 */
#include "failing_calls_inner.h"

#include <string.h>

#include "store/page_table.h"
#include "store/page_writer.h"
#include "store/page_writer_state.h"
#include "store/pages.h"
#include "store/store.h"

enum { PAGES_MAX = 1 << 16 }; /* more than the stores of these tests have */

static bool changed[PAGES_MAX]; /* in this transaction */

/* The linker gives these names: calls of vs_x() come to __wrap_vs_x(), and __real_vs_x() is what
 * they called before. */

verso_err __real_vs_page_read_unverified(struct vs_pages *pages, vs_page_no page,
                                         const uint8_t **bytes);
verso_err __wrap_vs_page_read_unverified(struct vs_pages *pages, vs_page_no page,
                                         const uint8_t **bytes);
verso_err __wrap_vs_page_read_unverified(struct vs_pages *pages, vs_page_no page,
                                         const uint8_t **bytes)
{
    verso_err err =
        failing_calls_meet("vs_page_read_unverified", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err
                           : failing_calls_forget(
                                 pages, page, __real_vs_page_read_unverified(pages, page, bytes));
}

verso_err __real_vs_page_read_run_unverified(struct vs_pages *pages, vs_page_no page,
                                             const uint8_t **bytes);
verso_err __wrap_vs_page_read_run_unverified(struct vs_pages *pages, vs_page_no page,
                                             const uint8_t **bytes);
verso_err __wrap_vs_page_read_run_unverified(struct vs_pages *pages, vs_page_no page,
                                             const uint8_t **bytes)
{
    verso_err err = failing_calls_meet("vs_page_read_run_unverified", VERSO_CORRUPT,
                                       __builtin_return_address(0));
    return err != VERSO_OK
               ? err
               : failing_calls_forget(pages, page,
                                      __real_vs_page_read_run_unverified(pages, page, bytes));
}

verso_err __real_vs_page_read_level(struct vs_pages *pages, vs_page_no page, unsigned level,
                                    const uint8_t **bytes);
verso_err __wrap_vs_page_read_level(struct vs_pages *pages, vs_page_no page, unsigned level,
                                    const uint8_t **bytes);
verso_err __wrap_vs_page_read_level(struct vs_pages *pages, vs_page_no page, unsigned level,
                                    const uint8_t **bytes)
{
    verso_err err =
        failing_calls_meet("vs_page_read_level", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_read_level(pages, page, level, bytes);
}

verso_err __real_vs_page_next_leaf(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                   vs_page_no *next);
verso_err __wrap_vs_page_next_leaf(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                   vs_page_no *next);
verso_err __wrap_vs_page_next_leaf(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                   vs_page_no *next)
{
    verso_err err =
        failing_calls_meet("vs_page_next_leaf", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_next_leaf(pages, leaf, version, next);
}

verso_err __real_vs_page_is_alive(struct vs_pages *pages, vs_page_no page, uint64_t version,
                                  bool *alive);
verso_err __wrap_vs_page_is_alive(struct vs_pages *pages, vs_page_no page, uint64_t version,
                                  bool *alive);
verso_err __wrap_vs_page_is_alive(struct vs_pages *pages, vs_page_no page, uint64_t version,
                                  bool *alive)
{
    verso_err err =
        failing_calls_meet("vs_page_is_alive", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_is_alive(pages, page, version, alive);
}

verso_err __real_vs_page_life(struct vs_pages *pages, vs_page_no page, struct vs_span *life);
verso_err __wrap_vs_page_life(struct vs_pages *pages, vs_page_no page, struct vs_span *life);
verso_err __wrap_vs_page_life(struct vs_pages *pages, vs_page_no page, struct vs_span *life)
{
    verso_err err = failing_calls_meet("vs_page_life", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_life(pages, page, life);
}

verso_err __real_vs_page_link_at(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                 vs_page_no *next, struct vs_span *holds);
verso_err __wrap_vs_page_link_at(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                 vs_page_no *next, struct vs_span *holds);
verso_err __wrap_vs_page_link_at(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                                 vs_page_no *next, struct vs_span *holds)
{
    verso_err err =
        failing_calls_meet("vs_page_link_at", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_link_at(pages, leaf, version, next, holds);
}

verso_err __real_vs_run_borrow(struct vs_pages *pages, const struct vs_run_ref *ref,
                               const uint8_t **bytes);
verso_err __wrap_vs_run_borrow(struct vs_pages *pages, const struct vs_run_ref *ref,
                               const uint8_t **bytes);
verso_err __wrap_vs_run_borrow(struct vs_pages *pages, const struct vs_run_ref *ref,
                               const uint8_t **bytes)
{
    verso_err err = failing_calls_meet("vs_run_borrow", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_run_borrow(pages, ref, bytes);
}

verso_err __real_vs_run_copy(struct vs_pages *pages, const struct vs_run_ref *ref, uint64_t offset,
                             uint8_t *buffer, size_t size);
verso_err __wrap_vs_run_copy(struct vs_pages *pages, const struct vs_run_ref *ref, uint64_t offset,
                             uint8_t *buffer, size_t size);
verso_err __wrap_vs_run_copy(struct vs_pages *pages, const struct vs_run_ref *ref, uint64_t offset,
                             uint8_t *buffer, size_t size)
{
    verso_err err = failing_calls_meet("vs_run_copy", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_run_copy(pages, ref, offset, buffer, size);
}

verso_err __real_vs_page_table_get(struct vs_page_table *table, vs_page_no page,
                                   const struct vs_descriptor **descriptor);
verso_err __wrap_vs_page_table_get(struct vs_page_table *table, vs_page_no page,
                                   const struct vs_descriptor **descriptor);
verso_err __wrap_vs_page_table_get(struct vs_page_table *table, vs_page_no page,
                                   const struct vs_descriptor **descriptor)
{
    verso_err err =
        failing_calls_meet("vs_page_table_get", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_get(table, page, descriptor);
}

void __real_vs_writer_begin(struct vs_page_writer *writer, uint64_t version);
void __wrap_vs_writer_begin(struct vs_page_writer *writer, uint64_t version);
void __wrap_vs_writer_begin(struct vs_page_writer *writer, uint64_t version)
{
    memset(changed, 0, sizeof changed);
    __real_vs_writer_begin(writer, version);
}

/* What a transaction has changed once it can change again: it is in memory, and nothing saves it. */
verso_err __real_vs_page_table_change(struct vs_page_table *table, vs_page_no page,
                                      struct vs_descriptor **descriptor);
verso_err __wrap_vs_page_table_change(struct vs_page_table *table, vs_page_no page,
                                      struct vs_descriptor **descriptor);
verso_err __wrap_vs_page_table_change(struct vs_page_table *table, vs_page_no page,
                                      struct vs_descriptor **descriptor)
{
    verso_err err = page < PAGES_MAX && changed[page]
                        ? VERSO_OK
                        : failing_calls_meet("vs_page_table_change", VERSO_CORRUPT,
                                             __builtin_return_address(0));
    if (err != VERSO_OK) {
        return err;
    }
    err = __real_vs_page_table_change(table, page, descriptor);
    if (err == VERSO_OK && page < PAGES_MAX) {
        changed[page] = true;
    }
    return err;
}

verso_err __real_vs_page_table_reserve_changed(struct vs_page_table *table, size_t more);
verso_err __wrap_vs_page_table_reserve_changed(struct vs_page_table *table, size_t more);
verso_err __wrap_vs_page_table_reserve_changed(struct vs_page_table *table, size_t more)
{
    verso_err err = failing_calls_meet("vs_page_table_reserve_changed", VERSO_NOMEM,
                                       __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_reserve_changed(table, more);
}

verso_err __real_vs_page_table_is_empty(struct vs_page_table *table, uint32_t block, bool *empty);
verso_err __wrap_vs_page_table_is_empty(struct vs_page_table *table, uint32_t block, bool *empty);
verso_err __wrap_vs_page_table_is_empty(struct vs_page_table *table, uint32_t block, bool *empty)
{
    verso_err err =
        failing_calls_meet("vs_page_table_is_empty", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_is_empty(table, block, empty);
}

verso_err __real_vs_page_table_forget(struct vs_page_table *table, uint32_t first, uint32_t end,
                                      uint64_t epoch);
verso_err __wrap_vs_page_table_forget(struct vs_page_table *table, uint32_t first, uint32_t end,
                                      uint64_t epoch);
verso_err __wrap_vs_page_table_forget(struct vs_page_table *table, uint32_t first, uint32_t end,
                                      uint64_t epoch)
{
    verso_err err =
        failing_calls_meet("vs_page_table_forget", VERSO_NOMEM, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_forget(table, first, end, epoch);
}

verso_err __real_vs_page_table_directory(struct vs_page_table *table, uint32_t directory,
                                         uint64_t *entries);
verso_err __wrap_vs_page_table_directory(struct vs_page_table *table, uint32_t directory,
                                         uint64_t *entries);
verso_err __wrap_vs_page_table_directory(struct vs_page_table *table, uint32_t directory,
                                         uint64_t *entries)
{
    verso_err err =
        failing_calls_meet("vs_page_table_directory", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_directory(table, directory, entries);
}

verso_err __real_vs_page_table_top(struct vs_page_table *table, uint32_t top, uint64_t *entries);
verso_err __wrap_vs_page_table_top(struct vs_page_table *table, uint32_t top, uint64_t *entries);
verso_err __wrap_vs_page_table_top(struct vs_page_table *table, uint32_t top, uint64_t *entries)
{
    verso_err err =
        failing_calls_meet("vs_page_table_top", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_table_top(table, top, entries);
}

verso_err __real_vs_writer_step(struct vs_page_writer *writer);
verso_err __wrap_vs_writer_step(struct vs_page_writer *writer);
verso_err __wrap_vs_writer_step(struct vs_page_writer *writer)
{
    verso_err err = failing_calls_meet("vs_writer_step", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_step(writer);
}

verso_err __real_vs_writer_reserve(struct vs_page_writer *writer, unsigned pages);
verso_err __wrap_vs_writer_reserve(struct vs_page_writer *writer, unsigned pages);
verso_err __wrap_vs_writer_reserve(struct vs_page_writer *writer, unsigned pages)
{
    verso_err err =
        failing_calls_meet("vs_writer_reserve", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_reserve(writer, pages);
}

verso_err __real_vs_page_new(struct vs_page_writer *writer, enum vs_page_kind kind,
                             vs_page_no *page, uint8_t **bytes);
verso_err __wrap_vs_page_new(struct vs_page_writer *writer, enum vs_page_kind kind,
                             vs_page_no *page, uint8_t **bytes);
verso_err __wrap_vs_page_new(struct vs_page_writer *writer, enum vs_page_kind kind,
                             vs_page_no *page, uint8_t **bytes)
{
    verso_err err = failing_calls_meet("vs_page_new", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_new(writer, kind, page, bytes);
}

verso_err __real_vs_page_own(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                             uint8_t **bytes);
verso_err __wrap_vs_page_own(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                             uint8_t **bytes);
verso_err __wrap_vs_page_own(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                             uint8_t **bytes)
{
    verso_err err = failing_calls_meet("vs_page_own", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_own(writer, page, own, bytes);
}

verso_err __real_vs_page_replace(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                                 uint8_t **bytes);
verso_err __wrap_vs_page_replace(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                                 uint8_t **bytes);
verso_err __wrap_vs_page_replace(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                                 uint8_t **bytes)
{
    verso_err err =
        failing_calls_meet("vs_page_replace", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_replace(writer, page, own, bytes);
}

verso_err __real_vs_page_drop(struct vs_page_writer *writer, vs_page_no page);
verso_err __wrap_vs_page_drop(struct vs_page_writer *writer, vs_page_no page);
verso_err __wrap_vs_page_drop(struct vs_page_writer *writer, vs_page_no page)
{
    verso_err err = failing_calls_meet("vs_page_drop", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_page_drop(writer, page);
}

verso_err __real_vs_link_set(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next,
                             bool *relief);
verso_err __wrap_vs_link_set(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next,
                             bool *relief);
verso_err __wrap_vs_link_set(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next,
                             bool *relief)
{
    verso_err err = failing_calls_meet("vs_link_set", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_link_set(writer, leaf, next, relief);
}

verso_err __real_vs_run_write(struct vs_page_writer *writer, verso_slice value, uint64_t hash,
                              unsigned extents_max, struct vs_run_ref *ref);
verso_err __wrap_vs_run_write(struct vs_page_writer *writer, verso_slice value, uint64_t hash,
                              unsigned extents_max, struct vs_run_ref *ref);
verso_err __wrap_vs_run_write(struct vs_page_writer *writer, verso_slice value, uint64_t hash,
                              unsigned extents_max, struct vs_run_ref *ref)
{
    verso_err err = failing_calls_meet("vs_run_write", VERSO_NOSPC, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_run_write(writer, value, hash, extents_max, ref);
}

verso_err __real_vs_run_drop(struct vs_page_writer *writer, const struct vs_run_ref *ref);
verso_err __wrap_vs_run_drop(struct vs_page_writer *writer, const struct vs_run_ref *ref);
verso_err __wrap_vs_run_drop(struct vs_page_writer *writer, const struct vs_run_ref *ref)
{
    verso_err err = failing_calls_meet("vs_run_drop", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_run_drop(writer, ref);
}

verso_err __real_vs_writer_bear(struct vs_page_writer *writer, vs_page_no page,
                                enum vs_page_kind kind, uint32_t crc);
verso_err __wrap_vs_writer_bear(struct vs_page_writer *writer, vs_page_no page,
                                enum vs_page_kind kind, uint32_t crc);
verso_err __wrap_vs_writer_bear(struct vs_page_writer *writer, vs_page_no page,
                                enum vs_page_kind kind, uint32_t crc)
{
    verso_err err =
        failing_calls_meet("vs_writer_bear", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_bear(writer, page, kind, crc);
}

verso_err __real_vs_writer_set_word(struct vs_page_writer *writer, vs_page_no page, unsigned word,
                                    uint64_t value);
verso_err __wrap_vs_writer_set_word(struct vs_page_writer *writer, vs_page_no page, unsigned word,
                                    uint64_t value);
verso_err __wrap_vs_writer_set_word(struct vs_page_writer *writer, vs_page_no page, unsigned word,
                                    uint64_t value)
{
    verso_err err =
        failing_calls_meet("vs_writer_set_word", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_set_word(writer, page, word, value);
}

verso_err __real_vs_writer_check_alive(const struct vs_page_writer *writer, vs_page_no page,
                                       const struct vs_descriptor *descriptor);
verso_err __wrap_vs_writer_check_alive(const struct vs_page_writer *writer, vs_page_no page,
                                       const struct vs_descriptor *descriptor);
verso_err __wrap_vs_writer_check_alive(const struct vs_page_writer *writer, vs_page_no page,
                                       const struct vs_descriptor *descriptor)
{
    verso_err err =
        failing_calls_meet("vs_writer_check_alive", VERSO_CORRUPT, __builtin_return_address(0));
    return err != VERSO_OK ? err : __real_vs_writer_check_alive(writer, page, descriptor);
}
