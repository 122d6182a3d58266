# A failed sync is tried a second time.
# file: src/store/log_commit.c
# tests: log store_fault
s/verso_err err = log->config.os->sync_data(file_at(log, from));/&\n        err = err == VERSO_OK ? err : log->config.os->sync_data(file_at(log, from));/
