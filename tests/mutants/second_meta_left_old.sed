# What the old meta names is let go while one slot still has it.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
/^verso_err vs_store_write_metas/,/^}/s/i < 2; i++/i < 1; i++/
