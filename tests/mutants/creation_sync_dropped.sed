# The sync of a new store before it gets its name.
# file: src/store/store_create.c
# tests: store_open store_crash
s/return err == VERSO_OK ? config->os->sync_full(file) : err;/return err;/
