# The sync of a segment's zeros and length, before commits go into it.
# file: src/store/log_files.c
# tests: log_crash log store_crash
s/return config->os->sync_full(file);/return VERSO_OK;/
