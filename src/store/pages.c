/*
 * pages.c - verifying pages at their first touch, and following the leaf chain; see pages.h.
 */
#include "store/pages.h"

#include <assert.h>

#include "format/branch.h"
#include "format/checksum.h"
#include "format/leaf.h"
#include "os/fault.h"
#include "os/os.h"
#include "os/turns.h"
#include "store/file_guard.h"
#include "store/page_table.h"

static const char *kind_name(unsigned kind)
{
    kind &= ~(unsigned)VS_CLOCK_HISTORY;
    assert(kind - VS_KIND_LEAF <= VS_KIND_RUN - VS_KIND_LEAF);
    return kind == VS_KIND_LEAF ? "leaf" : kind == VS_KIND_BRANCH ? "branch" : "value run";
}

/* @return NULL, or what is wrong with the bytes of a page whose checksum is right. */
static const char *structure_fault(const uint8_t *bytes, size_t page_size, unsigned kind,
                                   uint64_t born)
{
    kind &= ~(unsigned)VS_CLOCK_HISTORY;
    if (kind == VS_KIND_RUN) {
        return NULL;
    }
    if (vs_page_kind(bytes) != kind) {
        return "its header names another kind than its descriptor";
    }
    if (vs_page_birth(bytes) != born) {
        return "its header names another birth than its descriptor";
    }
    return kind == VS_KIND_LEAF ? vs_leaf_check(bytes, page_size)
                                : vs_branch_check(bytes, page_size);
}

/* May whoever reads tree pages trust these bytes of a long value? */
static bool is_harmless(const uint8_t *bytes, size_t page_size)
{
    unsigned kind = vs_page_kind(bytes);
    return (kind != VS_KIND_LEAF && kind != VS_KIND_BRANCH) ||
           structure_fault(bytes, page_size, kind, vs_page_birth(bytes)) == NULL;
}

static void remember_verified(struct vs_pages *pages, vs_page_no page)
{
    uint64_t bit = UINT64_C(1) << (page & 63);
    if (atomic_load_explicit(&pages->distrusted, memory_order_relaxed)) {
        return;
    }
    vs_turn(VS_POINT_MARK_VERIFIED);
    /* release: pairs with the acquire in vs_page_is_verified(); what was checked comes before the bit.
     * acquire: pairs with the clearing in vs_pages_distrust(): whoever sets a bit after it learns here
     * that nothing is trusted any more, and takes the bit back */
    atomic_fetch_or_explicit(&pages->verified[page >> 6], bit, memory_order_acq_rel);
    if (atomic_load_explicit(&pages->distrusted, memory_order_relaxed)) {
        atomic_fetch_and_explicit(&pages->verified[page >> 6], ~bit, memory_order_relaxed);
    }
}

void vs_pages_distrust(struct vs_pages *pages)
{
    assert(pages->file != NULL); /* in memory nothing is synced */
    atomic_store_explicit(&pages->distrusted, true, memory_order_relaxed);
    uint64_t used =
        atomic_load_explicit(&pages->table->file_bytes, memory_order_acquire) >> pages->page_shift;
    assert(used <= pages->limit);
    for (uint64_t word = 0; word < (used + 63) / 64; word++) {
        /* release: pairs with the acquire in remember_verified() */
        atomic_store_explicit(&pages->verified[word], 0, memory_order_release);
    }
}

static verso_err first_touch(struct vs_pages *pages, vs_page_no page, bool run,
                             const uint8_t **bytes)
{
    if (page == 0 || page >= pages->limit) {
        return vs_fault(VERSO_CORRUPT, "page %u: no such page", page);
    }
    vs_turn(VS_POINT_READ_UNVERIFIED);
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(pages->table, page, &descriptor);
    if (err != VERSO_OK) {
        return err;
    }
    vs_turn(VS_POINT_READ_BLOCK);
    uint64_t born = vs_descriptor_born(descriptor);
    unsigned kind = vs_descriptor_kind(descriptor);
    uint64_t at = (uint64_t)page << pages->page_shift;
    if ((kind & ~(unsigned)VS_CLOCK_HISTORY) - VS_KIND_LEAF > VS_KIND_RUN - VS_KIND_LEAF) {
        return vs_fault(VERSO_CORRUPT, "page %u: its descriptor says that it was never used", page);
    }
    if (vs_descriptor_died(descriptor) <= born) {
        return vs_fault(VERSO_CORRUPT, "page %u (%s): never was alive", page, kind_name(kind));
    }
    bool is_run = (kind & ~(unsigned)VS_CLOCK_HISTORY) == VS_KIND_RUN;
    if (is_run != run) {
        return vs_fault(VERSO_CORRUPT, "page %u: a %s where a %s belongs", page, kind_name(kind),
                        run ? "value run" : "leaf or branch");
    }
    if (at + pages->page_size >
        atomic_load_explicit(&pages->table->file_bytes, memory_order_acquire)) {
        return vs_fault(VERSO_CORRUPT, "page %u (%s): lies beyond the end of the file", page,
                        kind_name(kind));
    }
    err = vs_file_guard(pages->guard, at, pages->page_size);
    if (err != VERSO_OK) {
        return err;
    }
    const uint8_t *found = vs_page_in_file(pages, page);
    if (vs_page_checksum(page, born, found, pages->page_size) != vs_descriptor_crc(descriptor)) {
        return vs_fault(VERSO_CORRUPT, "page %u (%s): checksum does not match its descriptor", page,
                        kind_name(kind));
    }
    const char *fault = structure_fault(found, pages->page_size, kind, born);
    if (fault != NULL) {
        return vs_fault(VERSO_CORRUPT, "page %u (%s): %s", page, kind_name(kind), fault);
    }
    if (!run || is_harmless(found, pages->page_size)) {
        remember_verified(pages, page);
    }
    *bytes = found;
    return VERSO_OK;
}

verso_err vs_page_read_unverified(struct vs_pages *pages, vs_page_no page, const uint8_t **bytes)
{
    return first_touch(pages, page, false, bytes);
}

verso_err vs_page_read_run_unverified(struct vs_pages *pages, vs_page_no page,
                                      const uint8_t **bytes)
{
    return first_touch(pages, page, true, bytes);
}

verso_err vs_page_read_level(struct vs_pages *pages, vs_page_no page, unsigned level,
                             const uint8_t **bytes)
{
    verso_err err = vs_page_read(pages, page, bytes);
    if (err != VERSO_OK) {
        return err;
    }
    unsigned kind = level == 0 ? VS_KIND_LEAF : VS_KIND_BRANCH;
    if (vs_page_kind(*bytes) != kind || vs_page_level(*bytes) != level) {
        return vs_fault(VERSO_CORRUPT, "page %u: a %s of level %u where level %u belongs", page,
                        kind_name(vs_page_kind(*bytes)), vs_page_level(*bytes), level);
    }
    return VERSO_OK;
}

/* A page seen since open, or in a frame, is in memory as far as we know: asking the system about it
 * would cost more than the page. */
static bool may_be_cold(const struct vs_pages *pages, vs_page_no page)
{
    uint64_t word = atomic_load_explicit(&pages->verified[page >> 6], memory_order_relaxed);
    return (word >> (page & 63) & 1) == 0 &&
           atomic_load_explicit(&pages->frame_of[page], memory_order_relaxed) == 0;
}

void vs_pages_will_need(struct vs_pages *pages, const vs_page_no *page, unsigned count)
{
    if (pages->file == NULL) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (page[i] < pages->limit && may_be_cold(pages, page[i])) {
            pages->file->os->prefetch(pages->file, vs_page_in_file(pages, 0),
                                      (uint64_t)page[i] << pages->page_shift, pages->page_size);
        }
    }
}

static verso_err no_link(vs_page_no leaf, uint64_t version)
{
    return vs_fault(VERSO_CORRUPT, "page %u (leaf): no link of version %llu or before", leaf,
                    (unsigned long long)version);
}

verso_err vs_page_next_leaf(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                            vs_page_no *next)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(pages->table, leaf, &descriptor);
    if (err != VERSO_OK) {
        return err;
    }
    vs_turn(VS_POINT_READ_BLOCK);
    uint64_t born = vs_descriptor_born(descriptor);
    uint64_t newest = VS_NO_LINK;
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t word = vs_descriptor_word(descriptor, VS_WORD_LINK + i);
        if (word == VS_NO_LINK || vs_link_version(word, born) > version) {
            continue;
        }
        /* stamps stand in the low half, as distances from the birth */
        if (newest == VS_NO_LINK || (uint32_t)word > (uint32_t)newest) {
            newest = word;
        }
    }
    if (newest == VS_NO_LINK) {
        return no_link(leaf, version);
    }
    *next = vs_link_page(newest);
    return VERSO_OK;
}

void vs_page_prefetch_descriptor(const struct vs_pages *pages, vs_page_no page)
{
    if (page >= pages->limit) {
        return;
    }
    const struct vs_page_table *table = pages->table;
    uint32_t where =
        atomic_load_explicit(&table->block[page / VS_BLOCK_PAGES].where, memory_order_relaxed);
    const uint8_t *block = NULL;
    if (where >= VS_BLOCK_MEMORY) {
        block = vs_block_pool_bytes(&table->pool, where - VS_BLOCK_MEMORY);
    } else if (where == VS_BLOCK_COPY_A || where == VS_BLOCK_COPY_B) {
        block =
            atomic_load_explicit(&table->map, memory_order_relaxed) +
            vs_layout_block_at(table->page_size, page / VS_BLOCK_PAGES, where - VS_BLOCK_COPY_A);
    }
    if (block != NULL) {
        __builtin_prefetch(block + (size_t)(page % VS_BLOCK_PAGES) * VS_DESCRIPTOR_SIZE);
    }
}

verso_err vs_page_life(struct vs_pages *pages, vs_page_no page, struct vs_span *life)
{
    if (page == 0 || page >= pages->limit) {
        return vs_fault(VERSO_CORRUPT, "page %u: no such page", page);
    }
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(pages->table, page, &descriptor);
    if (err == VERSO_OK) {
        life->from = vs_descriptor_born(descriptor);
        life->until = vs_descriptor_died(descriptor);
    }
    return err;
}

verso_err vs_page_is_alive(struct vs_pages *pages, vs_page_no page, uint64_t version, bool *alive)
{
    struct vs_span life = {0}; /* GCC does not see that an error sets none */
    verso_err err = vs_page_life(pages, page, &life);
    if (err == VERSO_OK) {
        *alive = life.from <= version && version < life.until;
    }
    return err;
}

verso_err vs_page_link_at(struct vs_pages *pages, vs_page_no leaf, uint64_t version,
                          vs_page_no *next, struct vs_span *holds)
{
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(pages->table, leaf, &descriptor);
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t born = vs_descriptor_born(descriptor);
    bool found = false;
    *holds = (struct vs_span){0, VS_ALIVE};
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t word = vs_descriptor_word(descriptor, VS_WORD_LINK + i);
        uint64_t stamp = vs_link_version(word, born);
        if (word == VS_NO_LINK) {
            continue;
        }
        if (stamp > version) {
            holds->until = stamp < holds->until ? stamp : holds->until;
        } else if (!found || stamp > holds->from) {
            found = true;
            holds->from = stamp;
            *next = vs_link_page(word);
        }
    }
    return found ? VERSO_OK : no_link(leaf, version);
}
