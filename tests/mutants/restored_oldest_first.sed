# A rollback forgets that it has restored a page, so the next one keeps what is wrong.
# file: src/store/savepoint.c
# tests: savepoint savepoint_model txn_savepoint
/^static void restore_saved/,/^}/s/savepoints->stamp\[entry->page\] = entry->stamp;/(void)entry->stamp;/
