/*
 * savepoint.c - one transaction, of which a part can be taken back without giving up the rest.
 *
 * Each transfer of a batch takes money here and puts it there. One that turns out to be impossible
 * halfway is rolled back to its savepoint; the others are committed together.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <verso.h>

static void must(verso_err err)
{
    if (err != VERSO_OK) {
        fprintf(stderr, "%s: %s\n", verso_strerror(err), verso_error_detail());
        exit(1);
    }
}

static void set(verso_txn *txn, const char *account, int money)
{
    must(verso_put(txn, verso_text(account), (verso_slice){&money, sizeof money}));
}

static int money_of(verso_slice value)
{
    int money;
    memcpy(&money, value.data, sizeof money); /* a value may lie at any address */
    return money;
}

/** @return Whether there is such an account, and what it holds then is not below zero. */
static bool add(verso_txn *txn, const char *account, int money)
{
    verso_slice found;
    verso_err err = verso_get(verso_txn_view(txn), verso_text(account), &found);
    if (err == VERSO_NOT_FOUND) {
        return false;
    }
    must(err);
    int held = money_of(found);
    set(txn, account, held + money);
    return held + money >= 0;
}

static void transfer(verso_txn *txn, const char *from, const char *to, int money)
{
    uint32_t savepoint;
    must(verso_savepoint(txn, &savepoint));
    if (!add(txn, from, -money) || !add(txn, to, money)) {
        printf("%s to %s: taken back\n", from, to);
        must(verso_rollback(txn, savepoint));
    }
    must(verso_release(txn, savepoint));
}

static void print_accounts(verso_store *store)
{
    verso_view *view = NULL;
    verso_cursor *cursor = NULL;
    verso_entry entry;
    must(verso_view_open(store, &view));
    must(verso_cursor_open(view, NULL, &cursor));
    while (verso_cursor_next(cursor, &entry) == VERSO_OK) {
        printf("%.*s %d\n", (int)entry.key.size, (const char *)entry.key.data,
               money_of(entry.value));
    }
    verso_cursor_close(cursor);
    verso_view_close(view);
}

int main(void)
{
    verso_store *store = NULL;
    verso_txn *txn = NULL;
    must(verso_open(NULL, NULL, &store));
    must(verso_begin(store, &txn));
    set(txn, "anna", 50);
    set(txn, "ben", 20);
    transfer(txn, "anna", "ben", 30);
    transfer(txn, "ben", "cleo", 10); /* there is no Cleo; Ben has paid already */
    transfer(txn, "anna", "ben", 30); /* Anna has not as much any more */
    transfer(txn, "ben", "anna", 5);
    must(verso_commit(txn, NULL, NULL));
    print_accounts(store);
    must(verso_close(store));
    return 0;
}
