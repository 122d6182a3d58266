# A poisoned store takes writes.
# file: src/store/commit.c
# tests: store_fault distrust
s/if (is_poisoned(store)) {/if (false) {/
