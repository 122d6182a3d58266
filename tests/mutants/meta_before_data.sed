# The metas are written before what they name is synced.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
s/^        err = write_directories(checkpoint);/&\n        err = err == VERSO_OK ? vs_store_write_metas(store, \&checkpoint->meta) : err;/
