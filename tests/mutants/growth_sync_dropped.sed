# The full sync after the file has grown.
# file: src/store/checkpoint_freeze.c
# tests: checkpoint store_crash
s/checkpoint->full_sync = store->file_grew;/checkpoint->full_sync = false;/
