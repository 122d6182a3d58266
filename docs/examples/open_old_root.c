/*
 * open_old_root.c - every commit is a root that can be read again, and each tells what it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <verso.h>

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

/** Set one key in a commit of its own, with a note, and return the root. */
static verso_root_id set(verso_store *store, const char *key, const char *value, const char *note)
{
    verso_commit_options options = VERSO_COMMIT_OPTIONS_INIT;
    options.note = verso_text(note);
    verso_txn *txn = NULL;
    verso_root_id root = 0;
    must(verso_begin(store, &txn));
    must(verso_put(txn, verso_text(key), verso_text(value)));
    must(verso_commit(txn, &options, &root));
    return root;
}

static void print_price_in(verso_store *store, verso_root_id root)
{
    verso_view *view = NULL;
    verso_slice value;
    must(verso_view_open_root(store, root, &view));
    must(verso_get(view, verso_text("price"), &value));
    printf("root %" PRIu64 ": price %.*s\n", root, (int)value.size, (const char *)value.data);
    verso_view_close(view); /* until here the value was valid */
}

static void print_roots(verso_store *store)
{
    verso_root_info infos[8];
    char notes[8 * 1024];
    size_t count = 0;
    for (size_t i = 0; i < 8; i++) {
        infos[i] = (verso_root_info){.size = sizeof infos[i]};
    }
    must(verso_roots(store, 0, infos, 8, notes, &count));
    for (size_t i = 0; i < count; i++) {
        printf("root %" PRIu64 ": %" PRIu64 " keys, '%.*s'\n", infos[i].id, infos[i].keys,
               (int)infos[i].note.size, (const char *)infos[i].note.data);
    }
}

int main(void)
{
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;
    verso_store *store = NULL;
    must(verso_open("prices.verso", &options, &store));

    verso_root_id spring = set(store, "price", "10", "spring");
    verso_root_id summer = set(store, "price", "12", "summer");
    must(verso_close(store));

    must(verso_open("prices.verso", NULL, &store)); /* roots outlive the process */
    print_price_in(store, spring);
    print_price_in(store, summer);
    print_roots(store);

    verso_view *view = NULL;
    if (verso_view_open_root(store, summer + 1, &view) != VERSO_NOT_FOUND) {
        return 1;
    }
    must(verso_close(store));
    return 0;
}
