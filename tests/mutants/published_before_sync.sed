# Readers see a root before its sync.
# file: src/store/log_commit.c
# tests: log store_fault readers transaction
s/^        err = sync_range(log, durable, end, &syncs);/        if (log->config.durable != NULL) {\n            log->config.durable(log->config.argument, end, version);\n        }\n&/
