# The syncs between and after the two metas.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
/^verso_err vs_store_write_metas/,/^}/s/err = store->os->sync_data(store->file);/err = VERSO_OK;/
