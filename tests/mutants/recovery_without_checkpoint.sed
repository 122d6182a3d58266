# Callers are let in before what was replayed is durable.
# file: src/store/store_open.c
# tests: store_open store_crash
/^verso_err vs_store_settle/,/^}/s/err = vs_store_checkpoint(store, false);/err = VERSO_OK;/
