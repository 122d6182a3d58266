# A key's history goes on behind what could not be read.
# file: src/history/key_history.c
# tests: kept_error
s/history->error = err != VERSO_OK ? err : history->error;/(void)err;/
