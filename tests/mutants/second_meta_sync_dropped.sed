# The sync after the second meta, before anything is let go.
# file: src/store/checkpoint_write.c
# tests: meta_order checkpoint store_crash
/^verso_err vs_store_write_metas/,/^}/s/if (err == VERSO_OK) {/if (err == VERSO_OK \&\& i == 0) {/
