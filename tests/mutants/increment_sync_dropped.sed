# The sync of an increment before it gets its name.
# file: src/history/increment_write.c
# tests: increment
s/err = file->os->sync_full(file);/err = VERSO_OK;/
