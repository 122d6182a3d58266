#include <stdio.h>
#include <verso.h>

int main(void)
{
    verso_store *store = NULL;
    verso_txn *txn = NULL;
    verso_view *view = NULL;
    verso_slice value;
    verso_options options = VERSO_OPTIONS_INIT;
    options.create = true;

    if (verso_open("first.verso", &options, &store) != VERSO_OK ||
        verso_begin(store, &txn) != VERSO_OK ||
        verso_put(txn, verso_text("hello"), verso_text("world")) != VERSO_OK ||
        verso_commit(txn, NULL, NULL) != VERSO_OK || /* on stable storage from here on */
        verso_view_open(store, &view) != VERSO_OK ||
        verso_get(view, verso_text("hello"), &value) != VERSO_OK) {
        fprintf(stderr, "%s\n", verso_error_detail());
        return 1;
    }
    printf("hello %.*s\n", (int)value.size, (const char *)value.data);
    verso_view_close(view);
    return verso_close(store) == VERSO_OK ? 0 : 1;
}
