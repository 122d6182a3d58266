# Log segments are let go when one meta is written.
# file: src/store/checkpoint_write.c
# tests: meta_order store_crash
/^verso_err vs_store_write_metas/,/^}/s/^        vs_turn(VS_POINT_WRITE_META);/        if (i == 1 \&\& store->log != NULL) {\n            vs_log_recycle(store->log, meta->log_lsn);\n        }/
