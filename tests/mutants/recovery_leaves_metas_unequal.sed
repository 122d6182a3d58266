# Replay begins while a lost page-cache meta may be the newest.
# file: src/store/store_open.c
# tests: store_crash
s/return store->read_only || sound ? VERSO_OK : write_meta_over_both(store);/return VERSO_OK;/
