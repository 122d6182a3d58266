/*
 * value_test.c - values compared and put together, wherever their bytes lie: in the leaf, in pages of
 * their own, in several pieces.
 */
#include "tree/value.h"

#include <criterion/criterion.h>
#include <string.h>

#include "format/fingerprint.h"
#include "store/page_writer.h"
#include "tree_store.h"

enum { PAGE_SIZE = 512, SHORT = 1000, LONG = 10 * PAGE_SIZE, PIECES_MAX = 4 };

static struct tree_store *store;
static struct vs_tree_edit *edit;

static void set_up(void)
{
    store = tree_store_open(PAGE_SIZE, 0);
    edit = tree_store_begin(store);
}

static void tear_down(void)
{
    tree_store_abort(store);
    tree_store_close(store);
}

TestSuite(value, .init = set_up, .fini = tear_down);

/** A payload, and the bytes that it refers to. */
struct sample {
    struct vs_run_ref run;
    uint8_t reference[VS_RUN_REF_MAX];
    struct vs_value_place place;
};

static void refer(struct sample *sample)
{
    size_t size = vs_run_ref_encode(&sample->run, sample->reference);
    sample->place.payload = (struct vs_payload){true, (uint16_t)size, sample->reference};
}

static void write_run(struct sample *sample, const uint8_t *bytes, size_t size)
{
    verso_slice value = {bytes, size};
    *sample = (struct sample){.place = {.leaf = 1}};
    cr_assert_eq(vs_run_write(edit->writer, value, vs_value_hash(value), PIECES_MAX, &sample->run),
                 VERSO_OK, "%s", verso_error_detail());
    refer(sample);
}

static struct vs_value_place in_leaf(const uint8_t *bytes, size_t size)
{
    return (struct vs_value_place){1, {false, (uint16_t)size, bytes}};
}

static bool is_same(const struct vs_value_place *a, const struct vs_value_place *b)
{
    bool same = false;
    bool reversed = false;
    struct vs_pages *pages = vs_writer_pages(edit->writer);
    cr_assert_eq(vs_value_is_same(pages, a, b, &same), VERSO_OK, "%s", verso_error_detail());
    cr_assert_eq(vs_value_is_same(pages, b, a, &reversed), VERSO_OK);
    cr_assert_eq(same, reversed);
    return same;
}

Test(value, is_the_same_in_a_leaf_and_in_pages_of_its_own)
{
    static uint8_t bytes[SHORT] = "a value";
    static struct sample run;
    write_run(&run, bytes, sizeof bytes);
    struct vs_value_place inside = in_leaf(bytes, sizeof bytes);
    cr_assert(is_same(&run.place, &inside));
    static uint8_t other[SHORT] = "another";
    struct vs_value_place another = in_leaf(other, sizeof other);
    cr_assert_not(is_same(&run.place, &another));
    struct vs_value_place shorter = in_leaf(bytes, sizeof bytes - 1);
    cr_assert_not(is_same(&run.place, &shorter));
}

Test(value, is_the_same_in_two_places)
{
    static uint8_t bytes[LONG] = "a value";
    static struct sample one;
    static struct sample two;
    write_run(&one, bytes, sizeof bytes);
    write_run(&two, bytes, sizeof bytes);
    cr_assert(is_same(&one.place, &two.place));
}

/* Hashes may meet by accident. */
Test(value, is_another_where_only_the_hash_is_the_same)
{
    static uint8_t bytes[LONG];
    static struct sample one;
    static struct sample two;
    write_run(&one, bytes, sizeof bytes);
    static const size_t places[] = {0, LONG / 2, LONG - 1};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        bytes[places[i]] = 1;
        write_run(&two, bytes, sizeof bytes);
        bytes[places[i]] = 0;
        two.run.hash = one.run.hash;
        refer(&two);
        cr_assert_not(is_same(&one.place, &two.place), "byte %zu", places[i]);
    }
}

Test(value, in_pieces_is_put_together_in_one_buffer_again_and_again)
{
    static uint8_t bytes[2][LONG];
    static struct sample half[2];
    struct sample whole = {.place = {.leaf = 1}};
    for (unsigned i = 2; i-- > 0;) { /* the second half first */
        memset(bytes[i], 'a' + (int)i, LONG);
        write_run(&half[i], bytes[i], LONG);
        for (unsigned j = 0; j < half[i].run.extents; j++) {
            whole.run.extent[whole.run.extents++] = half[i].run.extent[j];
        }
    }
    cr_assert_gt(whole.run.extents, 1);
    whole.run.length = 2 * LONG;
    refer(&whole);
    struct vs_value_buffer buffer = {NULL, 0};
    for (unsigned round = 0; round < 2; round++) {
        verso_slice value;
        cr_assert_eq(vs_value_bytes(vs_writer_pages(edit->writer), &whole.place, &buffer, &value),
                     VERSO_OK, "%s", verso_error_detail());
        cr_assert_eq(value.size, 2 * LONG);
        cr_assert_eq(value.data, buffer.bytes);
        cr_assert_eq(memcmp(value.data, bytes[1], LONG), 0);
        cr_assert_eq(memcmp((const uint8_t *)value.data + LONG, bytes[0], LONG), 0);
    }
    vs_value_buffer_clear(&buffer);
}
