/*
 * keeping_rebuild.c - which roots are kept, where the tags' tree that says so cannot be read.
 *
 * The history tree has a record of every root that the checkpoint's metas keep, so its keys are the
 * set, but for what is damaged there as well. The tags are lost. A handle that only reads can do
 * with that: it drops nothing. One that writes could not: it would reuse the pages of tagged roots.
 */
#include "format/byte_order.h"
#include "history/keeping.h"
#include "os/fault.h"
#include "tree/cursor.h"

enum { ID_SIZE = 8 };

/* The roots in the history tree, up to the first that cannot be read. */
static verso_err add_known(struct vs_store *store, struct vs_version_set *set)
{
    struct vs_tree_view view = {&store->pages, store->meta.history, store->meta.generation};
    struct vs_tree_cursor *cursor = NULL;
    verso_err err = vs_tree_cursor_open(&view, NULL, &cursor);
    struct vs_tree_entry entry;
    while (err == VERSO_OK) {
        err = vs_tree_cursor_next(cursor, &entry);
        if (err == VERSO_OK && entry.key.size == ID_SIZE) {
            uint64_t id = vs_get_be64(entry.key.data);
            if (id > 0 && id < store->meta.root.version) {
                err = vs_version_set_add(set, id, id);
            }
        }
    }
    vs_tree_cursor_close(cursor);
    return err == VERSO_NOMEM ? err : VERSO_OK;
}

verso_err vs_keeping_rebuild(struct vs_store *store)
{
    struct vs_retained *retained = &store->retained;
    vs_tags_clear(&retained->tags);
    retained->tags = (struct vs_tags){0};
    vs_version_set_clear(&retained->set);
    retained->set = (struct vs_version_set){0};
    store->keeping_damaged = true;
    verso_err err = add_known(store, &retained->set);
    uint64_t version = store->meta.root.version;
    return err == VERSO_OK
               ? vs_version_set_add(&retained->set, version == 0 ? 1 : version, UINT64_MAX)
               : err;
}
