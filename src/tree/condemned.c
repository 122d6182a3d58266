/*
 * condemned.c - the walk through what is left of a dropped tree; see condemned.h.
 *
 *              root                 index[2] = 1    left of it all is gone already
 *            /      \
 *      (gone)        branch         index[1] = 2
 *                  /   |    \
 *           (gone) (gone)    leaf   index[0] = 5    the long values of its first 5 cells are gone
 */
#include "tree/condemned.h"

#include "os/fault.h"
#include "tree/cursor.h"
#include "tree/path.h"
#include "tree/value.h"

/** A walk under way. */
struct walk {
    struct vs_pages *pages;
    struct vs_condemned *at;
    uint64_t *left; /* pages that may still be taken */
    vs_condemned_take take;
    void *argument;
    vs_page_no page[VS_TREE_DEPTH_MAX]; /* the way down */
    const uint8_t *bytes[VS_TREE_DEPTH_MAX];
};

static verso_err enter_page(struct walk *walk, unsigned level, vs_page_no page)
{
    walk->page[level] = page;
    verso_err err = vs_path_read(walk->pages, page, level, &walk->bytes[level]);
    if (err == VERSO_OK && walk->at->index[level] > vs_page_count(walk->bytes[level])) {
        err = vs_fault(VERSO_CORRUPT, "page %u: of a dropped tree, has fewer entries than passed",
                       page);
    }
    return err;
}

static verso_err take_page(struct walk *walk, vs_page_no page, enum vs_page_kind kind)
{
    --*walk->left;
    return walk->take(walk->argument, page, kind);
}

/** Take the pages of one long value. @param[out] done  All of them; else as many as are allowed. */
static verso_err take_run(struct walk *walk, struct vs_payload payload, bool *done)
{
    struct vs_run_ref run;
    verso_err err = vs_value_run_ref(walk->pages, walk->page[0], payload, &run);
    uint32_t before = 0; /* pages of the value in the extents before */
    for (unsigned i = 0; err == VERSO_OK && i < run.extents; i++) {
        const struct vs_run_extent *extent = &run.extent[i];
        while (err == VERSO_OK && *walk->left > 0 && walk->at->run_pages < before + extent->pages) {
            vs_page_no page = extent->page + (walk->at->run_pages - before);
            err = take_page(walk, page, VS_KIND_RUN);
            walk->at->run_pages++;
        }
        before += extent->pages;
    }
    if (err == VERSO_OK && walk->at->run_pages > before) {
        err = vs_fault(VERSO_CORRUPT, "page %u: of a dropped tree, a value shorter than passed",
                       walk->page[0]);
    }
    *done = err == VERSO_OK && walk->at->run_pages == before;
    return err;
}

/** Take the long values of the leaf. @param[out] done  All of them. */
static verso_err take_runs(struct walk *walk, bool *done)
{
    unsigned count = vs_page_count(walk->bytes[0]);
    for (; walk->at->index[0] < count; walk->at->index[0]++) {
        struct vs_payload payload = vs_leaf_payload(walk->bytes[0], walk->at->index[0]);
        if (!payload.is_run) {
            continue;
        }
        verso_err err = take_run(walk, payload, done);
        if (err != VERSO_OK || !*done) {
            return err;
        }
        walk->at->run_pages = 0;
    }
    *done = true;
    return VERSO_OK;
}

/** The page at `level` has nothing below it any more: take it, and go on behind it. */
static verso_err leave_page(struct walk *walk, unsigned level)
{
    verso_err err = take_page(walk, walk->page[level], level == 0 ? VS_KIND_LEAF : VS_KIND_BRANCH);
    walk->at->index[level] = 0;
    if (level + 1 < walk->at->depth) {
        walk->at->index[level + 1]++;
    }
    return err;
}

verso_err vs_condemned_walk(struct vs_pages *from, struct vs_condemned *condemned, uint64_t *pages,
                            vs_condemned_take take, void *argument, bool *done)
{
    struct walk walk = {
        .pages = from, .at = condemned, .left = pages, .take = take, .argument = argument};
    *done = condemned->depth == 0;
    if (*done) {
        return VERSO_OK;
    }
    unsigned level = condemned->depth - 1;
    verso_err err = enter_page(&walk, level, condemned->page);
    while (err == VERSO_OK && *pages > 0) {
        if (level > 0 && condemned->index[level] < vs_page_count(walk.bytes[level])) {
            vs_page_no child = vs_branch_child(walk.bytes[level], condemned->index[level]);
            level--;
            err = enter_page(&walk, level, child);
            continue;
        }
        bool empty = true;
        if (level == 0) {
            err = take_runs(&walk, &empty);
        }
        if (err != VERSO_OK || !empty || *pages == 0) {
            break;
        }
        err = leave_page(&walk, level);
        if (++level == condemned->depth) {
            *done = err == VERSO_OK;
            break;
        }
    }
    return err;
}

/* ---- in the catalogue ---- */

static verso_err note(struct vs_tree_edit *catalogue, const struct vs_condemned *condemned,
                      bool *broken)
{
    uint8_t key[VS_NUMBER_KEY_SIZE];
    uint8_t value[VS_CONDEMNED_MAX];
    return vs_tree_put(catalogue, VS_PUT_UPSERT, vs_condemned_key(condemned->page, key),
                       vs_condemned_encode(condemned, value), NULL, NULL, broken);
}

verso_err vs_condemned_add(struct vs_tree_edit *catalogue, const struct vs_tree_root *root,
                           bool *broken)
{
    struct vs_condemned condemned = {.page = root->page, .depth = root->depth};
    return note(catalogue, &condemned, broken);
}

/** The first condemned tree. VERSO_NOT_FOUND. */
static verso_err find_first(const struct vs_tree_edit *catalogue, struct vs_condemned *condemned)
{
    struct vs_tree_view view = vs_tree_edit_view(catalogue);
    struct vs_tree_cursor *cursor;
    verso_err err = vs_tree_cursor_open(&view, NULL, &cursor);
    if (err != VERSO_OK) {
        return err;
    }
    uint8_t key[VS_NUMBER_KEY_SIZE];
    struct vs_tree_entry entry;
    err = vs_tree_cursor_seek(cursor, VERSO_SEEK_GE, vs_condemned_key(0, key), &entry);
    if (err == VERSO_OK && vs_catalogue_kind(entry.key) != VS_CATALOGUE_CONDEMNED) {
        err = VERSO_NOT_FOUND;
    }
    if (err == VERSO_OK) {
        const char *fault = vs_condemned_decode(entry.key, entry.value.slice, condemned);
        err = fault == NULL ? VERSO_OK : vs_fault(VERSO_CORRUPT, "catalogue: %s", fault);
    }
    vs_tree_cursor_close(cursor);
    return err;
}

static verso_err drop_page(void *argument, vs_page_no page, enum vs_page_kind kind)
{
    (void)kind;
    return vs_page_drop(argument, page);
}

verso_err vs_condemned_reclaim(struct vs_tree_edit *catalogue, uint64_t pages, bool *broken)
{
    struct vs_condemned condemned;
    verso_err err = VERSO_OK;
    while (pages > 0 && catalogue->root.depth > 0 && err == VERSO_OK) {
        err = find_first(catalogue, &condemned);
        if (err != VERSO_OK) {
            break;
        }
        *broken = true; /* until the catalogue says how far it went */
        bool done = false;
        err = vs_condemned_walk(vs_writer_pages(catalogue->writer), &condemned, &pages, drop_page,
                                catalogue->writer, &done);
        uint8_t key[VS_NUMBER_KEY_SIZE];
        bool unused = false;
        if (err == VERSO_OK) {
            err = done ? vs_tree_delete(catalogue, vs_condemned_key(condemned.page, key), NULL,
                                        NULL, &unused)
                       : note(catalogue, &condemned, &unused);
        }
        *broken = err != VERSO_OK;
    }
    return err == VERSO_NOT_FOUND ? VERSO_OK : err;
}
