# The syncs of the chosen meta over both slots, before the replay.
# file: src/store/store_open.c
# tests: store_crash
/^static verso_err write_meta_over_both/,/^}/s/err = store->os->sync_data(store->file);/err = VERSO_OK;/
