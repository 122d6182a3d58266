# Without its tags a store cannot be opened for reading, either.
# file: src/history/keeping.c
# tests: damaged_keeping
s/err = store->read_only ? vs_keeping_rebuild(store) : explain(err);/err = explain(err);/
