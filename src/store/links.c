/*
 * links.c - adding version-stamped links to the leaf chain: the writer's half; the node
 * copying of Driscoll, Sarnak, Sleator and Tarjan, "Making data structures persistent" (1989).
 *
 * L1  A live leaf's link with the greatest stamp names what follows it in the newest version.
 * L2  At most one link of a leaf has a given stamp.
 * L3  A link is overwritten only if no kept version lies between its stamp and the next one.
 */
#include <assert.h>

#include "store/store.h"

/* Is a version kept (by the writer's clock) in [from, until)? */
static bool is_kept_between(const struct vs_page_writer *writer, uint64_t from, uint64_t until)
{
    struct vs_store *store = writer->store;
    if (writer->history) { /* the metas' generation, and the coming one */
        assert(from < until);
        return until > vs_store_generation(store);
    }
    return vs_kept_set_meets(&store->kept, from, until);
}

/* The stamp after that of word `slot`, or the transaction's own version. */
static uint64_t next_stamp(const uint64_t *word, unsigned slot, uint64_t born, uint64_t version)
{
    uint64_t stamp = vs_link_version(word[slot], born);
    uint64_t next = version;
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t other = vs_link_version(word[i], born);
        assert(word[i] != VS_NO_LINK); /* only where all are in use */
        if (other > stamp && other < next) {
            next = other;
        }
    }
    return next;
}

/* How many links kept versions need; *spare: one that none needs, if there is one. */
static unsigned count_needed(const struct vs_page_writer *writer, const uint64_t *word,
                             uint64_t born, unsigned *spare)
{
    unsigned needed = 0;
    for (unsigned i = 0; i < VS_LINKS; i++) {
        uint64_t stamp = vs_link_version(word[i], born);
        if (stamp == writer->version ||
            is_kept_between(writer, stamp, next_stamp(word, i, born, writer->version))) {
            needed++;
        } else {
            *spare = i;
        }
    }
    return needed;
}

/* One in four, repeatably: relief comes early by chance, so that no long runs of full leaves build
 * up (an ordered sweep of four updates a leaf would build one over the whole level). */
static bool chance_of_relief(vs_page_no leaf, uint64_t version)
{
    uint64_t mixed = (version ^ (uint64_t)leaf << 32) * UINT64_C(0x9E3779B97F4A7C15);
    return mixed >> 62 == 0;
}

static verso_err refresh_for(struct vs_page_writer *writer)
{
    struct vs_store *store = writer->store;
    if (writer->history || store->kept_at == store->tip.version) {
        return VERSO_OK;
    }
    return vs_store_refresh_kept(store);
}

/* Where the transaction's link may stand: a link of its own, an empty slot, a spare one. */
static verso_err choose_slot(struct vs_page_writer *writer, uint64_t *word, uint64_t born,
                             unsigned *slot, bool *relief, vs_page_no leaf)
{
    unsigned empty = 0;
    *slot = VS_LINKS;
    for (unsigned i = VS_LINKS; i-- > 0;) {
        if (word[i] == VS_NO_LINK) {
            empty++;
            *slot = i;
        }
    }
    for (unsigned i = 0; i < VS_LINKS; i++) {
        if (word[i] != VS_NO_LINK && vs_link_version(word[i], born) == writer->version) {
            *slot = i;
            return VERSO_OK;
        }
    }
    if (empty > 1) {
        return VERSO_OK;
    }
    verso_err err = refresh_for(writer);
    if (err != VERSO_OK) {
        return err;
    }
    if (empty == 1) { /* the fifth slot: are all five needed now? */
        word[*slot] = vs_link_word(writer->version, born, 0);
        unsigned spare = VS_LINKS;
        bool full = count_needed(writer, word, born, &spare) == VS_LINKS;
        *relief = full && chance_of_relief(leaf, writer->version);
        return VERSO_OK;
    }
    unsigned spare = VS_LINKS;
    if (count_needed(writer, word, born, &spare) == VS_LINKS) {
        *relief = true; /* nothing can be written */
    }
    *slot = spare;
    return VERSO_OK;
}

verso_err vs_link_set(struct vs_page_writer *writer, vs_page_no leaf, vs_page_no next, bool *relief)
{
    *relief = false;
    const struct vs_descriptor *descriptor;
    verso_err err = vs_page_table_get(&writer->store->table, leaf, &descriptor);
    if (err == VERSO_OK) {
        err = vs_writer_check_alive(writer, leaf, descriptor);
    }
    if (err != VERSO_OK) {
        return err;
    }
    uint64_t born = vs_descriptor_born(descriptor);
    if (writer->version - born >= UINT32_MAX) {
        *relief = true; /* the distance does not fit a link */
        return VERSO_OK;
    }
    uint64_t word[VS_LINKS];
    for (unsigned i = 0; i < VS_LINKS; i++) {
        word[i] = vs_descriptor_word(descriptor, VS_WORD_LINK + i);
    }
    unsigned slot = VS_LINKS;
    err = choose_slot(writer, word, born, &slot, relief, leaf);
    if (err != VERSO_OK || slot == VS_LINKS) {
        return err;
    }
    return vs_writer_set_word(writer, leaf, VS_WORD_LINK + slot,
                              vs_link_word(writer->version, born, next));
}
