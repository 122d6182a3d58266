# A writer opens a store whose tags cannot be read.
# file: src/history/keeping.c
# tests: damaged_keeping
s/err = store->read_only ? vs_keeping_rebuild(store) : explain(err);/err = vs_keeping_rebuild(store);/
