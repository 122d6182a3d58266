# What a retention applied at once drops is not logged.
# file: src/history/retention.c
# tests: retention keeping store_crash
/^verso_err vs_retention_drop/,/^}/s/err = vs_store_log_setting(store, (verso_slice){bytes, size}, end_lsn);/(void)size;/
