# A poisoned store takes writes.
# file: src/store/commit.c
# tests: store_fault distrust
s/if (atomic_load(&store->poisoned) || (store->log != NULL \&\& vs_log_is_poisoned(store->log))) {/if (false) {/
