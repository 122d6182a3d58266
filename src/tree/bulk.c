/*
 * bulk.c - put many entries whose keys ascend, a leaf at a time.
 *
 * The entries that fall within one leaf's range are merged with its cells in one pass and written
 * back as however many leaves they need:
 *
 *     L -> N -> R      becomes      L -> N1 -> N2 -> ... -> Nm -> R
 *
 * N1 takes N's place. Beyond the last key of the tree the leaves are filled completely; elsewhere
 * they get about equal parts, so that what comes later finds room. A batch's share is bounded, and
 * the rest is the next batch's: so are memory and the pages to be reserved.
 */
#include <assert.h>
#include <string.h>

#include "format/fingerprint.h"
#include "format/key_order.h"
#include "tree/edit.h"
#include "tree/value.h"

enum {
    BATCH_PAGES = 8,    /* bytes of new entries in one batch, in pages */
    PARTS_MAX = 32,     /* leaves that one batch can make: two neighbours are longer than a page */
    CELL_OVERHEAD = 12, /* bytes that a cell takes beside key and payload, at most */
    LEAF_OVERHEAD = 96, /* bytes of a leaf that no cell can have, at most */
};

/** Entries merged with a leaf's cells. */
struct batch {
    const verso_entry *entries;  /* those of this batch */
    size_t taken;                /* how many */
    unsigned cells;              /* in workspace->leaf_cells */
    unsigned added;              /* cells whose key is new */
    bool append;                 /* the last cell is beyond the last key of the tree */
    uint64_t terms;              /* what the fingerprint gains */
    unsigned parts;              /* leaves to be written */
    unsigned cut[PARTS_MAX + 1]; /* part i holds the cells from cut[i] to cut[i + 1] */
};

static size_t page_size_of(const struct vs_tree_edit *edit)
{
    return vs_writer_pages(edit->writer)->page_size;
}

/** How many of the entries fall within the located leaf, are short, and fit one batch. */
static size_t count_batch(const struct vs_tree_edit *edit, const verso_entry *entries, size_t count,
                          size_t *bytes_total)
{
    const struct vs_edit_workspace *workspace = edit->workspace;
    size_t page_size = page_size_of(edit);
    size_t cells_max = workspace->leaf_cells_max - vs_page_count(workspace->path.level[0].bytes);
    size_t bytes_left = BATCH_PAGES * page_size;
    size_t taken = 0;
    for (; taken < count && taken < cells_max; taken++) {
        verso_slice key = entries[taken].key;
        size_t bytes = key.size + entries[taken].value.size + CELL_OVERHEAD;
        if (bytes > bytes_left ||
            entries[taken].value.size > vs_leaf_payload_max(page_size, key.size)) {
            break;
        }
        if (workspace->has_high && vs_key_compare(key, workspace->high) >= 0) {
            break;
        }
        bytes_left -= bytes;
    }
    *bytes_total = BATCH_PAGES * page_size - bytes_left;
    return taken;
}

/** Put an entry's cell behind the batch's others. */
static void add_entry(const struct vs_tree_edit *edit, const verso_entry *entry,
                      struct batch *batch)
{
    verso_slice value = entry->value;
    edit->workspace->leaf_cells[batch->cells++] = (struct vs_leaf_cell){
        .key = entry->key, .payload = {.size = (uint16_t)value.size, .bytes = value.data}};
    batch->terms += vs_fingerprint_term(edit->tree_id, entry->key, vs_value_hash(value));
}

/** Take away what a replaced cell adds to the fingerprint, and its run. */
static verso_err drop_replaced(const struct vs_tree_edit *edit, const struct vs_path_step *leaf,
                               unsigned index, verso_slice key, struct batch *batch)
{
    struct vs_payload payload = vs_leaf_payload(leaf->bytes, index);
    struct vs_run_ref run;
    uint64_t term = 0;
    verso_err err = vs_edit_term(edit, leaf->page, key, payload, &run, &term);
    batch->terms -= term;
    if (err == VERSO_OK && payload.is_run) {
        err = vs_run_drop(edit->writer, &run);
    }
    return err;
}

/** Merge the located leaf's cells with the batch's entries, in key order. */
static verso_err merge_cells(const struct vs_tree_edit *edit, struct batch *batch)
{
    const struct vs_path_step *leaf = &edit->workspace->path.level[0];
    struct vs_leaf_cell *cells = edit->workspace->leaf_cells;
    unsigned in_leaf = vs_page_count(leaf->bytes);
    unsigned from = 0; /* cells of the leaf that are done */
    for (size_t i = 0; i < batch->taken; i++) {
        unsigned index = in_leaf;
        bool replace = from < in_leaf && vs_leaf_find(leaf->bytes, batch->entries[i].key, &index);
        while (from < index) {
            cells[batch->cells++] = (struct vs_leaf_cell){.page = leaf->bytes, .index = from++};
        }
        if (replace) {
            verso_err err = drop_replaced(edit, leaf, from++, batch->entries[i].key, batch);
            if (err != VERSO_OK) {
                return err;
            }
        } else {
            batch->added++;
        }
        add_entry(edit, &batch->entries[i], batch);
    }
    batch->append = from == in_leaf && !edit->workspace->has_high;
    while (from < in_leaf) {
        cells[batch->cells++] = (struct vs_leaf_cell){.page = leaf->bytes, .index = from++};
    }
    assert(batch->cells <= edit->workspace->leaf_cells_max);
    return VERSO_OK;
}

/** The most cells from the start, one at least, whose leaf takes up to `size` bytes. `guess`: about
 *  as many, so that cells of like sizes need two measurements and not one for each halving. */
static unsigned fill(const struct vs_leaf_cell *cells, unsigned count, size_t size, unsigned guess)
{
    unsigned fits = 1;         /* known to, or taken in any case */
    unsigned over = count + 1; /* known not to */
    unsigned stride = 1;
    unsigned at = guess > 0 && guess < count ? guess : count;
    while (over - fits > 1) {
        if (vs_leaf_encoded_size(cells, at) <= size) {
            fits = at;
            at = over > count ? at + stride : fits + (over - fits) / 2;
        } else {
            over = at;
            at = fits == 1 && at > stride ? at - stride : fits + (over - fits) / 2;
        }
        stride *= 2;
        at = at <= fits ? fits + 1 : at;
        at = at >= over ? over - 1 : at;
    }
    return fits;
}

/** Divide the cells among leaves. */
static void cut_cells(const struct vs_tree_edit *edit, struct batch *batch)
{
    const struct vs_leaf_cell *cells = edit->workspace->leaf_cells;
    size_t page_size = page_size_of(edit);
    unsigned at = 0;
    unsigned guess = 0;
    batch->parts = 0;
    while (at < batch->cells) {
        assert(batch->parts < PARTS_MAX);
        unsigned rest = batch->cells - at;
        size_t part_size = page_size;
        if (!batch->append) {
            size_t whole = vs_leaf_encoded_size(cells + at, rest);
            size_t room = page_size - LEAF_OVERHEAD;
            size_t parts = (whole + room - 1) / room;
            size_t share = whole / parts + LEAF_OVERHEAD;
            part_size = whole <= page_size ? page_size : share; /* share <= room + overhead */
        }
        batch->cut[batch->parts++] = at;
        guess = fill(cells + at, rest, part_size, guess);
        at += guess;
    }
    batch->cut[batch->parts] = at;
}

/** Write the first part in the leaf's place. If that is the leaf itself, whose cells are still
 *  needed, * the part waits in the second scratch page (splits of branches use the first).
 *  @param[out] waits Where it is to be copied to, or NULL. */
static verso_err write_first(struct vs_tree_edit *edit, const struct batch *batch, uint8_t **waits)
{
    struct vs_path *path = &edit->workspace->path;
    struct vs_path_step *leaf = &path->level[0];
    vs_page_no before = leaf->page;
    verso_err err = vs_page_replace(edit->writer, before, &leaf->page, &leaf->own);
    if (err != VERSO_OK) {
        return err;
    }
    leaf->bytes = leaf->own;
    bool in_place = leaf->page == before;
    *waits = in_place ? leaf->own : NULL;
    vs_leaf_encode(in_place ? edit->workspace->scratch[1] : leaf->own, page_size_of(edit),
                   vs_writer_version(edit->writer), edit->workspace->leaf_cells, batch->cut[1]);
    if (in_place) {
        return VERSO_OK;
    }
    if (path->depth == 1) {
        edit->root.page = leaf->page;
    } else {
        vs_branch_set_child(path->level[1].own, path->level[1].index, leaf->page);
    }
    return vs_chain_relink(edit, path, leaf->page);
}

/** Write part `part` as a new leaf right of the path's, which moves onto it. */
static verso_err write_next(struct vs_tree_edit *edit, const struct batch *batch, unsigned part)
{
    struct vs_edit_workspace *workspace = edit->workspace;
    struct vs_path_step *leaf = &workspace->path.level[0];
    const struct vs_leaf_cell *cells = workspace->leaf_cells;
    unsigned from = batch->cut[part];
    vs_page_no left = leaf->page;
    verso_err err = vs_page_new(edit->writer, VS_KIND_LEAF, &leaf->page, &leaf->own);
    if (err != VERSO_OK) {
        return err;
    }
    leaf->bytes = leaf->own;
    vs_leaf_encode(leaf->own, page_size_of(edit), vs_writer_version(edit->writer), cells + from,
                   batch->cut[part + 1] - from);
    err = vs_chain_link(edit, left, leaf->page);
    if (err != VERSO_OK) {
        return err;
    }
    verso_slice separator = {workspace->separator[0], 0};
    separator.size = vs_leaf_separator(&cells[from - 1], &cells[from], workspace->separator[0]);
    /* this leaf takes over the keys of all parts still to come; the next one takes them from it */
    return vs_edit_insert_child(edit, &workspace->path, 1, separator, leaf->page,
                                batch->cells - from, batch->append);
}

/** Write the parts: the first in the leaf's place, the others as new leaves to its right. */
static verso_err write_parts(struct vs_tree_edit *edit, const struct batch *batch)
{
    struct vs_path *path = &edit->workspace->path;
    const struct vs_path_step *leaf = &path->level[0];
    vs_page_no next = 0;
    verso_err err = vs_edit_own_branches(edit, path, &next);
    if (err != VERSO_OK) {
        return err;
    }
    vs_edit_count(edit, path, batch->added);
    uint8_t *waits = NULL;
    err = write_first(edit, batch, &waits);
    for (unsigned part = 1; err == VERSO_OK && part < batch->parts; part++) {
        err = write_next(edit, batch, part);
    }
    if (err != VERSO_OK) {
        return err;
    }
    if (waits != NULL) {
        memcpy(waits, edit->workspace->scratch[1], page_size_of(edit));
    }
    return vs_chain_link(edit, leaf->page, next);
}

/** Pages that a batch of so many bytes may need. */
static unsigned batch_worst_case(const struct vs_tree_edit *edit, size_t bytes)
{
    /* two neighbouring parts are longer than a page, and every new leaf may split all branches
       above */
    unsigned parts = 2 * ((unsigned)(bytes / page_size_of(edit)) + 2);
    return vs_edit_worst_case(edit) + parts * (edit->root.depth + 1);
}

/** Put the batch's entries; from here on only success or abort is left. */
static verso_err apply_batch(struct vs_tree_edit *edit, struct batch *batch)
{
    verso_err err = merge_cells(edit, batch);
    if (err != VERSO_OK) {
        return err;
    }
    cut_cells(edit, batch);
    edit->workspace->remembered = false;
    err = write_parts(edit, batch);
    if (err != VERSO_OK) {
        return err;
    }
    edit->fingerprint += batch->terms;
    struct vs_path *path = &edit->workspace->path;
    if (batch->parts == 1 && vs_leaf_is_underfull(path->level[0].bytes, page_size_of(edit))) {
        return vs_edit_rebalance(edit, path, 0);
    }
    return VERSO_OK;
}

/** Put as many entries as belong to the first one's leaf. */
static verso_err put_batch(struct vs_tree_edit *edit, const verso_entry *entries, size_t count,
                           size_t *taken, bool *broken)
{
    verso_err err = vs_edit_begin(edit);
    if (err != VERSO_OK) {
        return err;
    }
    struct batch batch = {.entries = entries};
    size_t bytes = 0;
    if (edit->root.depth > 0) {
        err = vs_edit_locate(edit, entries[0].key);
        if (err != VERSO_OK) {
            return err;
        }
        batch.taken = count_batch(edit, entries, count, &bytes);
    }
    if (batch.taken < 2) { /* nothing to gather, a long value, or the first key of all */
        *taken = 1;
        return vs_tree_put(edit, VS_PUT_UPSERT, entries[0].key, entries[0].value, NULL, NULL,
                           broken);
    }
    *taken = batch.taken;
    err = vs_writer_reserve(edit->writer, batch_worst_case(edit, bytes));
    if (err != VERSO_OK) {
        return err;
    }
    err = apply_batch(edit, &batch);
    if (err != VERSO_OK) {
        *broken = true;
    }
    return err;
}

verso_err vs_tree_put_sorted(struct vs_tree_edit *edit, const verso_entry *entries, size_t count,
                             bool *broken)
{
    for (size_t at = 0; at < count;) {
        size_t taken = 0;
        verso_err err = put_batch(edit, entries + at, count - at, &taken, broken);
        if (err != VERSO_OK) {
            *broken = *broken || at > 0; /* the batches before are in the tree */
            return err;
        }
        at += taken;
    }
    return VERSO_OK;
}
