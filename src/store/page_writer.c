/*
 * page_writer.c - births, copies and drops of pages within a transaction; see page_writer.h.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "format/checksum.h"
#include "os/fault.h"
#include "os/turns.h"
#include "store/store.h"

struct vs_pages *vs_writer_pages(struct vs_page_writer *writer)
{
    return &writer->store->pages;
}

uint64_t vs_writer_version(const struct vs_page_writer *writer)
{
    return writer->version;
}

uint64_t vs_writer_moves(const struct vs_page_writer *writer)
{
    return writer->moves;
}

uint64_t vs_writer_births(const struct vs_page_writer *writer)
{
    return writer->born_count;
}

/* ---- lists ---- */

static verso_err grow_list(void **list, size_t *capacity, size_t count, size_t more, size_t size)
{
    if (count + more <= *capacity) {
        return VERSO_OK;
    }
    size_t wanted = *capacity * 2 > count + more ? *capacity * 2 : count + more + 64;
    void *grown = realloc(*list, wanted * size);
    if (grown == NULL) {
        return vs_fault(VERSO_NOMEM, "no memory for the transaction's bookkeeping");
    }
    *list = grown;
    *capacity = wanted;
    return VERSO_OK;
}

verso_err vs_death_list_reserve(struct vs_death_list *list, size_t more)
{
    void *entries = list->death;
    verso_err err = grow_list(&entries, &list->capacity, list->count, more, sizeof *list->death);
    list->death = entries;
    return err;
}

void vs_death_list_clear(struct vs_death_list *list)
{
    free(list->death);
    *list = (struct vs_death_list){NULL, 0, 0};
}

static verso_err reserve_lists(struct vs_page_writer *writer, size_t pages)
{
    void *born = writer->born;
    verso_err err =
        grow_list(&born, &writer->born_capacity, writer->born_count, pages, sizeof *writer->born);
    writer->born = born;
    if (err == VERSO_OK) {
        void *dropped = writer->dropped;
        err = grow_list(&dropped, &writer->dropped_capacity, writer->born_count, pages,
                        sizeof *writer->dropped);
        writer->dropped = dropped;
    }
    if (err == VERSO_OK) { /* a page's death and the links that lead around it */
        void *undo = writer->undo;
        err = grow_list(&undo, &writer->undo_capacity, writer->undo_count, 2 * pages,
                        sizeof *writer->undo);
        writer->undo = undo;
    }
    return err == VERSO_OK ? vs_death_list_reserve(&writer->deaths, pages) : err;
}

verso_err vs_writer_reserve(struct vs_page_writer *writer, unsigned pages)
{
    struct vs_store *store = writer->store;
    verso_err err = reserve_lists(writer, pages);
    if (err == VERSO_OK && store->space.free_count < pages + vs_store_held_back(store)) {
        err = vs_store_make_space(store, pages);
    }
    if (err == VERSO_OK && !store->in_memory) {
        err = vs_arena_reserve(&store->arena, pages);
    }
    if (err == VERSO_OK && vs_savepoint_is_open(writer)) {
        err = vs_savepoint_reserve(writer, pages);
    }
    return err;
}

/* ---- descriptors ---- */

verso_err vs_writer_set_word(struct vs_page_writer *writer, vs_page_no page, unsigned word,
                             uint64_t value)
{
    struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_change(&writer->store->table, page, &descriptor);
    if (err == VERSO_OK) {
        err = reserve_lists(writer, 1);
    }
    if (err != VERSO_OK) {
        return err;
    }
    writer->undo[writer->undo_count++] =
        (struct vs_undo){vs_descriptor_word(descriptor, word), page, word};
    vs_turn(VS_POINT_CHANGE_WORD);
    vs_descriptor_set(descriptor, word, value);
    return VERSO_OK;
}

verso_err vs_writer_check_alive(const struct vs_page_writer *writer, vs_page_no page,
                                const struct vs_descriptor *descriptor)
{
    bool history = (vs_descriptor_kind(descriptor) & VS_CLOCK_HISTORY) != 0;
    if (vs_descriptor_died(descriptor) != VS_ALIVE || history != writer->history) {
        return vs_fault(VERSO_CORRUPT, "page %u: part of the newest root, but not alive in it",
                        page);
    }
    assert(vs_descriptor_born(descriptor) <= writer->version); /* page_table.c sees to it */
    return VERSO_OK;
}

verso_err vs_page_check_alive(const struct vs_page_writer *writer, vs_page_no page)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&writer->store->table, page, &descriptor);
    return err == VERSO_OK ? vs_writer_check_alive(writer, page, descriptor) : err;
}

verso_err vs_writer_bear(struct vs_page_writer *writer, vs_page_no page, enum vs_page_kind kind,
                         uint32_t crc)
{
    struct vs_store *store = writer->store;
    struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_change(&store->table, page, &descriptor);
    if (err == VERSO_OK) {
        err = reserve_lists(writer, 1);
    }
    if (err != VERSO_OK) {
        return err;
    }
    unsigned clock = writer->history ? VS_CLOCK_HISTORY : 0;
    vs_turn(VS_POINT_BEAR_PAGE);
    vs_descriptor_set(descriptor, VS_WORD_BORN, writer->version);
    vs_descriptor_set(descriptor, VS_WORD_DIED, VS_ALIVE);
    vs_descriptor_set(descriptor, VS_WORD_KIND, vs_kind_word(kind | clock, crc));
    for (unsigned i = 0; i < VS_LINKS; i++) {
        vs_descriptor_set(descriptor, VS_WORD_LINK + i, VS_NO_LINK);
    }
    uint64_t bit = UINT64_C(1) << (page & 63);
    if (store->in_memory) {
        atomic_fetch_or_explicit(&store->pages.verified[page >> 6], bit, memory_order_relaxed);
    } else {
        atomic_fetch_and_explicit(&store->pages.verified[page >> 6], ~bit, memory_order_relaxed);
    }
    writer->born[writer->born_count++] = page;
    if (vs_savepoint_is_open(writer)) {
        vs_savepoint_note_birth(writer, page);
    }
    return VERSO_OK;
}

/* ---- pages ---- */

uint8_t *vs_store_frame_bytes(const struct vs_store *store, vs_page_no page)
{
    if (store->in_memory) {
        return store->arena.frames + ((size_t)page << store->pages.page_shift);
    }
    uint32_t frame = atomic_load_explicit(&store->pages.frame_of[page], memory_order_relaxed);
    return frame == 0 ? NULL : vs_arena_frame(&store->arena, frame);
}

/* Give a page of this transaction (or of nobody yet) a frame. */
static verso_err place(struct vs_store *store, vs_page_no page, uint8_t **bytes)
{
    if (!store->in_memory) {
        uint32_t frame = 0;
        verso_err err = vs_arena_take(&store->arena, 1, &frame);
        if (err != VERSO_OK) {
            return err;
        }
        vs_turn(VS_POINT_PLACE_PAGE);
        /* release: for a spilled page, readers of the transaction's view look here first */
        atomic_store_explicit(&store->pages.frame_of[page], frame, memory_order_release);
    }
    *bytes = vs_store_frame_bytes(store, page);
    return VERSO_OK;
}

verso_err vs_page_new(struct vs_page_writer *writer, enum vs_page_kind kind, vs_page_no *page,
                      uint8_t **bytes)
{
    struct vs_store *store = writer->store;
    if (store->space.free_count == 0) {
        verso_err err = vs_store_make_space(store, 1);
        if (err != VERSO_OK) {
            return err;
        }
    }
    vs_page_no taken = vs_space_take(&store->space);
    verso_err err = vs_writer_bear(writer, taken, kind, 0);
    if (err != VERSO_OK) {
        vs_space_give(&store->space, taken);
        return err;
    }
    err = place(store, taken, bytes);
    if (err == VERSO_OK) {
        *page = taken;
    }
    return err;
}

/* Give a page of this transaction that was spilled its bytes back. */
static verso_err read_back(struct vs_store *store, vs_page_no page, const uint8_t *from,
                           uint8_t **bytes)
{
    verso_err err = place(store, page, bytes);
    if (err == VERSO_OK) {
        memcpy(*bytes, from, store->pages.page_size);
        uint64_t bit = UINT64_C(1) << (page & 63);
        atomic_fetch_and_explicit(&store->pages.verified[page >> 6], ~bit, memory_order_relaxed);
    }
    return err;
}

/* A page of this transaction, in a frame, about to be changed. */
static verso_err own_already(struct vs_page_writer *writer, vs_page_no page, const uint8_t *found,
                             uint8_t **bytes)
{
    if (vs_savepoint_is_open(writer)) {
        verso_err err = vs_savepoint_save(writer, page, found);
        if (err != VERSO_OK) {
            return err;
        }
    }
    *bytes = vs_store_frame_bytes(writer->store, page);
    return *bytes != NULL ? VERSO_OK : read_back(writer->store, page, found, bytes);
}

verso_err vs_writer_restore(struct vs_page_writer *writer, vs_page_no page, const uint8_t *bytes)
{
    uint8_t *frame = vs_store_frame_bytes(writer->store, page);
    if (frame == NULL) {
        return read_back(writer->store, page, bytes, &frame);
    }
    memcpy(frame, bytes, writer->store->pages.page_size);
    return VERSO_OK;
}

static verso_err replace(struct vs_page_writer *writer, vs_page_no page, const uint8_t *found,
                         vs_page_no *own, uint8_t **bytes)
{
    unsigned kind = vs_page_kind(found);
    vs_page_no next = 0;
    verso_err err = VERSO_OK;
    if (kind == VS_KIND_LEAF) {
        err = vs_page_next_leaf(&writer->store->pages, page, writer->version, &next);
    }
    if (err == VERSO_OK) {
        err = vs_page_new(writer, (enum vs_page_kind)kind, own, bytes);
    }
    if (err == VERSO_OK && kind == VS_KIND_LEAF) {
        bool relief;
        err = vs_link_set(writer, *own, next, &relief);
    }
    return err == VERSO_OK ? vs_page_drop(writer, page) : err;
}

verso_err vs_page_replace(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                          uint8_t **bytes)
{
    const uint8_t *found;
    verso_err err = vs_page_read(&writer->store->pages, page, &found);
    if (err != VERSO_OK) {
        return err;
    }
    if (vs_page_birth(found) == writer->version) {
        *own = page;
        return own_already(writer, page, found, bytes);
    }
    return replace(writer, page, found, own, bytes);
}

verso_err vs_page_own(struct vs_page_writer *writer, vs_page_no page, vs_page_no *own,
                      uint8_t **bytes)
{
    const uint8_t *found;
    verso_err err = vs_page_read(&writer->store->pages, page, &found);
    if (err != VERSO_OK) {
        return err;
    }
    if (vs_page_birth(found) == writer->version) {
        *own = page;
        return own_already(writer, page, found, bytes);
    }
    err = replace(writer, page, found, own, bytes);
    if (err == VERSO_OK) {
        memcpy(*bytes, found, writer->store->pages.page_size);
        vs_page_set_birth(*bytes, writer->version);
    }
    return err;
}

verso_err vs_page_drop(struct vs_page_writer *writer, vs_page_no page)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&writer->store->table, page, &descriptor);
    if (err == VERSO_OK) {
        err = vs_writer_check_alive(writer, page, descriptor);
    }
    if (err == VERSO_OK) {
        err = reserve_lists(writer, 1);
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t born = vs_descriptor_born(descriptor);
    if (born == writer->version) {
        writer->dropped[writer->dropped_count++] = page;
        return VERSO_OK;
    }
    err = vs_writer_set_word(writer, page, VS_WORD_DIED, writer->version);
    if (err == VERSO_OK) {
        writer->deaths.death[writer->deaths.count++] =
            (struct vs_death){born, writer->version, page, writer->history};
    }
    return err;
}

void vs_writer_drop_since(struct vs_page_writer *writer, size_t born_before)
{
    /* there is room: reserve_lists() makes `dropped` as long as `born` */
    for (size_t i = born_before; i < writer->born_count; i++) {
        assert(writer->dropped_count < writer->dropped_capacity);
        writer->dropped[writer->dropped_count++] = writer->born[i];
    }
}

/* ---- between changes ---- */

void vs_store_free_page(struct vs_store *store, vs_page_no page)
{
    if (!store->in_memory) {
        uint32_t frame = atomic_load_explicit(&store->pages.frame_of[page], memory_order_relaxed);
        if (frame != 0) {
            atomic_store_explicit(&store->pages.frame_of[page], 0, memory_order_relaxed);
            vs_arena_return(&store->arena, frame & ~VS_FRAME_OF_VALUE);
        }
    }
    vs_turn(VS_POINT_FREE_PAGE);
    vs_space_give(&store->space, page);
}

/* A descriptor changed in this transaction already: its block is in memory, and no checkpoint has come
 * between. */
static struct vs_descriptor *changed_before(struct vs_page_writer *writer, vs_page_no page)
{
    struct vs_descriptor *descriptor = NULL;
    verso_err err = vs_page_table_change(&writer->store->table, page, &descriptor);
    assert(err == VERSO_OK);
    (void)err;
    return descriptor;
}

/* A page born here is no more: its life span becomes empty, its number and frame are free. */
static void unbear(struct vs_page_writer *writer, vs_page_no page)
{
    struct vs_descriptor *descriptor = changed_before(writer, page);
    vs_descriptor_set(descriptor, VS_WORD_DIED, vs_descriptor_born(descriptor));
    vs_store_free_page(writer->store, page);
}

void vs_writer_settle_dropped(struct vs_page_writer *writer)
{
    size_t held = writer->dropped_held;
    for (size_t i = held; i < writer->dropped_count; i++) {
        vs_page_no page = writer->dropped[i];
        if (vs_savepoint_is_open(writer) && vs_savepoint_knows(writer, page)) {
            writer->dropped[held++] = page;
        } else {
            unbear(writer, page);
        }
    }
    writer->dropped_held = held;
    writer->dropped_count = held;
}

/* Write a page of the running transaction to its own place, which nothing durable names. */
static verso_err spill_page(struct vs_page_writer *writer, vs_page_no page)
{
    struct vs_store *store = writer->store;
    uint32_t frame = atomic_load_explicit(&store->pages.frame_of[page], memory_order_relaxed);
    if (frame == 0) { /* spilled already, or no more */
        return VERSO_OK;
    }
    const uint8_t *bytes = vs_arena_frame(&store->arena, frame);
    uint32_t crc = vs_page_checksum(page, writer->version, bytes, store->pages.page_size);
    verso_err err = store->os->write_at(store->file, (uint64_t)page << store->pages.page_shift,
                                        bytes, store->pages.page_size);
    if (err != VERSO_OK) {
        return err;
    }
    vs_page_table_set_crc(&store->table, page, crc);
    vs_turn(VS_POINT_SPILL_PAGE);
    atomic_store_explicit(&store->pages.frame_of[page], 0, memory_order_release);
    vs_arena_return(&store->arena, frame);
    return VERSO_OK;
}

/* Make a quarter of the arena free, oldest pages of the transaction first. */
static verso_err spill(struct vs_page_writer *writer)
{
    struct vs_store *store = writer->store;
    uint64_t goal = store->arena_limit - store->arena_limit / 4;
    writer->moves++;
    for (size_t looked = 0; looked < writer->born_count; looked++) {
        if (atomic_load_explicit(&store->arena.busy, memory_order_relaxed) <= goal) {
            break;
        }
        if (writer->spilled >= writer->born_count) {
            writer->spilled = 0; /* pages spilled before may have been read back */
        }
        verso_err err = spill_page(writer, writer->born[writer->spilled++]);
        if (err != VERSO_OK) {
            return err;
        }
    }
    return VERSO_OK;
}

verso_err vs_writer_step(struct vs_page_writer *writer)
{
    struct vs_store *store = writer->store;
    if (writer->dropped_count > writer->dropped_held) {
        vs_writer_settle_dropped(writer);
    }
    /* relaxed: its own stamp */
    const _Atomic uint64_t *stamp = &store->readers.slot[writer->pin].epoch;
    if (vs_reader_epoch(&store->readers) != atomic_load_explicit(stamp, memory_order_relaxed)) {
        vs_reader_stamp(&store->readers, writer->pin);
        writer->moves++; /* frames from which pages have moved may be used again */
    }
    if (store->file == NULL || store->read_only ||
        atomic_load_explicit(&store->arena.busy, memory_order_relaxed) < store->arena_limit) {
        return VERSO_OK;
    }
    return spill(writer);
}

/* ---- the end of a transaction ---- */

void vs_writer_begin(struct vs_page_writer *writer, uint64_t version)
{
    assert(writer->born_count == 0 && writer->undo_count == 0 && writer->dropped_count == 0);
    assert(!vs_savepoint_is_open(writer));
    writer->version = version;
    writer->spilled = 0;
}

void vs_writer_commit(struct vs_page_writer *writer, struct vs_death_list *deaths)
{
    assert(!vs_savepoint_is_open(writer));
    vs_writer_settle_dropped(writer);
    size_t count = writer->deaths.count;
    if (count > 0 && vs_death_list_reserve(deaths, count) == VERSO_OK) {
        memcpy(deaths->death + deaths->count, writer->deaths.death, count * sizeof *deaths->death);
        deaths->count += count;
    }
    writer->deaths.count = 0;
    writer->born_count = 0;
    writer->undo_count = 0;
}

void vs_writer_undo_to(struct vs_page_writer *writer, size_t undo_before)
{
    while (writer->undo_count > undo_before) {
        const struct vs_undo *undo = &writer->undo[--writer->undo_count];
        vs_descriptor_set(changed_before(writer, undo->page), undo->word, undo->before);
    }
}

void vs_writer_unbear_since(struct vs_page_writer *writer, size_t born_before)
{
    const struct vs_space *space = &writer->store->space;
    for (size_t i = born_before; i < writer->born_count; i++) {
        vs_page_no page = writer->born[i];
        /* those that are free are no more; nor are those of a free tail that a checkpoint gave up */
        if (page < space->high_water && !vs_space_is_free(space, page)) {
            unbear(writer, page);
        }
    }
    writer->born_count = born_before;
}

void vs_writer_abort(struct vs_page_writer *writer)
{
    vs_savepoint_forget_all(writer);
    vs_writer_undo_to(writer, 0);
    vs_writer_unbear_since(writer, 0);
    writer->dropped_count = 0;
    writer->dropped_held = 0;
    writer->deaths.count = 0;
}

void vs_writer_clear(struct vs_page_writer *writer)
{
    free(writer->born);
    free(writer->dropped);
    free(writer->undo);
    vs_death_list_clear(&writer->deaths);
    vs_savepoint_clear(writer);
}
