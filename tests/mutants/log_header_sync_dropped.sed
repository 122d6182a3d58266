# The sync of the first segment's header, before a meta names it.
# file: src/store/log.c
# tests: log_crash store_crash
s/return err == VERSO_OK ? log->config.os->sync_data(file) : err;/return err;/
