# The sync of a copy before it gets its name.
# file: src/history/copy.c
# tests: copy
s/return err == VERSO_OK ? copy->file.os->sync_full(copy->file.file) : err;/return err;/
