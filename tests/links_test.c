/*
 * links_test.c - version-stamped links: which slot is taken, which link is let go, who asks for
 * relief.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "page_fixture.h"
#include "simulated_random.h"

enum { PAGE_SIZE = 512, ROUNDS = 40, STEPS = 120, VERSIONS_MAX = STEPS + 2 };

static unsigned links_of(struct vs_store *store, vs_page_no leaf)
{
    struct page_words words = page_words(store, leaf);
    unsigned count = 0;
    for (unsigned i = 0; i < VS_LINKS; i++) {
        count += words.word[VS_WORD_LINK + i] != VS_NO_LINK;
    }
    return count;
}

/* A leaf born in version 1 with a link to page `next`. */
static vs_page_no first_leaf(struct vs_store *store, vs_page_no next)
{
    vs_page_no leaf = page_make_linked_leaf(page_begin(store), 'a', next);
    cr_assert_eq(page_commit(store), 1);
    return leaf;
}

Test(links, a_leaf_born_here_has_one_link_however_often_it_is_set)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    struct vs_page_writer *writer = page_begin(store);
    vs_page_no leaf = page_make_leaf(writer, 'a');
    cr_assert_eq(links_of(store, leaf), 0);
    for (vs_page_no next = 0; next < 20; next++) {
        cr_assert_not(page_link(writer, leaf, next));
        cr_assert_eq(links_of(store, leaf), 1);
        cr_assert_eq(page_next(store, leaf, 1), next);
    }
    page_commit(store);
    page_store_close(store);
}

Test(links, a_second_link_of_one_transaction_overwrites_the_first)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no leaf = first_leaf(store, 10);
    struct vs_page_writer *writer = page_begin(store);
    for (vs_page_no next = 20; next < 30; next++) {
        page_link(writer, leaf, next);
        cr_assert_eq(links_of(store, leaf), 2);
    }
    page_commit(store);
    cr_assert_eq(page_next(store, leaf, 1), 10);
    cr_assert_eq(page_next(store, leaf, 2), 29);
    page_store_close(store);
}

Test(links, with_every_version_kept_the_sixth_asks_for_relief_and_writes_nothing)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    vs_page_no leaf = first_leaf(store, 100);
    for (uint64_t version = 2; version <= VS_LINKS; version++) {
        page_link(page_begin(store), leaf, (vs_page_no)(100 + version));
        page_commit(store);
    }
    cr_assert_eq(links_of(store, leaf), VS_LINKS);
    struct page_words before = page_words(store, leaf);
    struct vs_page_writer *writer = page_begin(store);
    cr_assert(page_link(writer, leaf, 99));
    struct page_words after = page_words(store, leaf);
    cr_assert_arr_eq(&before, &after, sizeof before);
    vs_store_abort(store);
    for (uint64_t version = 2; version <= VS_LINKS; version++) {
        cr_assert_eq(page_next(store, leaf, version), 100 + version);
    }
    page_store_close(store);
}

Test(links, with_only_the_newest_kept_slots_are_used_again_for_ever)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no leaf = first_leaf(store, 1);
    for (uint64_t version = 2; version <= 200; version++) {
        bool relief = page_link(page_begin(store), leaf, (vs_page_no)version);
        cr_assert_not(relief, "version %u", (unsigned)version);
        page_commit(store);
        cr_assert_eq(page_next(store, leaf, version), version);
    }
    page_store_close(store);
}

Test(links, a_reader_holds_its_own_link_and_no_other)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no leaf = first_leaf(store, 1);
    page_link(page_begin(store), leaf, 2);
    page_commit(store);
    uint32_t slot = page_pin(store, 2);
    for (uint64_t version = 3; version <= 50; version++) {
        cr_assert_not(page_link(page_begin(store), leaf, (vs_page_no)version));
        page_commit(store);
        cr_assert_eq(page_next(store, leaf, 2), 2, "at version %u", (unsigned)version);
    }
    vs_reader_unpin(&store->readers, slot);
    page_store_close(store);
}

Test(links, the_fifth_needed_link_asks_for_relief_by_chance_and_is_written)
{
    unsigned reliefs = 0;
    enum { LEAVES = 400 };
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 0);
    struct vs_page_writer *writer = page_begin(store);
    static vs_page_no leaf[LEAVES];
    for (unsigned i = 0; i < LEAVES; i++) {
        leaf[i] = page_make_linked_leaf(writer, 'a', 1);
    }
    page_commit(store);
    for (uint64_t version = 2; version <= VS_LINKS; version++) {
        writer = page_begin(store);
        for (unsigned i = 0; i < LEAVES; i++) {
            bool relief = page_link(writer, leaf[i], (vs_page_no)version);
            cr_assert(version == VS_LINKS || !relief, "there is room still");
            reliefs += relief;
        }
        page_commit(store);
    }
    for (unsigned i = 0; i < LEAVES; i++) {
        cr_assert_eq(page_next(store, leaf[i], VS_LINKS), VS_LINKS);
    }
    cr_assert(reliefs > LEAVES / 8 && reliefs < LEAVES * 3 / 8, "%u of %u; one in four is meant",
              reliefs, LEAVES);
    page_store_close(store);
}

Test(links, a_distance_that_does_not_fit_asks_for_relief)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no leaf = first_leaf(store, 1);
    struct vs_page_writer *writer = page_begin(store);
    uint64_t version = writer->version;
    writer->version = UINT64_C(1) + UINT32_MAX; /* born in 1 */
    cr_assert(page_link(writer, leaf, 2));
    cr_assert_eq(links_of(store, leaf), 1);
    writer->version = UINT32_MAX; /* one less fits */
    cr_assert_not(page_link(writer, leaf, 2));
    cr_assert_eq(links_of(store, leaf), 2);
    writer->version = version;
    vs_store_abort(store);
    cr_assert_eq(links_of(store, leaf), 1);
    page_store_close(store);
}

Test(links, an_abort_leaves_none)
{
    struct vs_store *store = page_store_open(NULL, PAGE_SIZE, 1);
    vs_page_no leaf = first_leaf(store, 1);
    for (uint64_t version = 2; version <= 20; version++) {
        struct page_words before = page_words(store, leaf);
        struct vs_page_writer *writer = page_begin(store);
        page_link(writer, leaf, 98);
        page_link(writer, leaf, 99);
        vs_store_abort(store);
        struct page_words after = page_words(store, leaf);
        cr_assert_arr_eq(&before, &after, sizeof before);
        page_link(page_begin(store), leaf, (vs_page_no)version);
        page_commit(store);
    }
    page_store_close(store);
}

/* What must follow a leaf in each version, and who holds which versions. */
struct link_model {
    struct vs_store *store;
    vs_page_no leaf;
    uint64_t born;
    vs_page_no next[VERSIONS_MAX];
    uint32_t slot[VERSIONS_MAX];
    bool pinned[VERSIONS_MAX];
};

static void check_model(struct link_model *model, unsigned round)
{
    uint64_t tip = model->store->tip.version;
    for (uint64_t version = model->born; version <= tip; version++) {
        if (vs_retained_has(&model->store->retained, version) || model->pinned[version]) {
            cr_assert_eq(page_next(model->store, model->leaf, version), model->next[version],
                         "round %u: version %u seen from %u", round, (unsigned)version,
                         (unsigned)tip);
        }
    }
}

Test(links, of_every_kept_version_stay_true)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct simulated_random random = {round};
        struct link_model model = {.store = page_store_open(NULL, PAGE_SIZE, 1 + round % 6),
                                   .born = 1};
        model.leaf = first_leaf(model.store, 1);
        model.next[1] = 1;
        for (unsigned step = 0; step < STEPS; step++) {
            uint64_t tip = model.store->tip.version;
            if (simulated_random_below(&random, 4) == 0 && !model.pinned[tip]) {
                model.slot[tip] = page_pin(model.store, tip);
                model.pinned[tip] = true;
            }
            uint64_t other = 1 + simulated_random_below(&random, tip);
            if (model.pinned[other] && simulated_random_below(&random, 2) == 0) {
                vs_reader_unpin(&model.store->readers, model.slot[other]);
                model.pinned[other] = false;
            }
            struct vs_page_writer *writer = page_begin(model.store);
            model.next[tip + 1] = model.next[tip];
            if (simulated_random_below(&random, 3) > 0) {
                vs_page_no next = (vs_page_no)(1000 + step);
                struct page_words before = page_words(model.store, model.leaf);
                bool relief = page_link(writer, model.leaf, next);
                struct page_words after = page_words(model.store, model.leaf);
                bool written = memcmp(&before, &after, sizeof before) != 0;
                cr_assert(relief || written);
                model.next[tip + 1] = written ? next : model.next[tip];
            }
            page_commit(model.store);
            check_model(&model, round);
        }
        page_store_close(model.store);
    }
}
