# The sync of pages and table before the metas.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
/err = checkpoint->full_sync ? /,/sync_data(store->file);/c\        err = VERSO_OK;
